//! Columns of Arrow, over every scanner, against a scan of the same values one by one.

use std::sync::Arc;

use arrow_array::builder::StringViewBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{
    Array, ArrayRef, BinaryArray, BinaryViewArray, BooleanArray, DictionaryArray, Int8Array,
    LargeBinaryArray, LargeStringArray, ListArray, StringArray, StringViewArray,
};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use proptest::prelude::*;

use dragnet::arrow::{Column, ColumnError, ColumnScanner, patterns_type, spans_type};
use dragnet::redact::Redactor;
use dragnet::{BatchBuf, Engine, Matches, Pattern, PatternSet, Report, Scan, ScanError, StopFlag};
use dragnet_testkit::{Case, Choices, case, config, contenders, drawn, patterns, set};

/// The values of a column; `None` is null.
type Values = Vec<Option<Vec<u8>>>;

/// The values as a column of each type. The types of strings only hold values that are UTF-8.
fn arrays(values: &Values) -> Vec<ArrayRef> {
    let bytes = || values.iter().map(Option::as_ref);
    let mut arrays: Vec<ArrayRef> = vec![
        Arc::new(bytes().collect::<BinaryArray>()),
        Arc::new(bytes().collect::<LargeBinaryArray>()),
        Arc::new(bytes().collect::<BinaryViewArray>()),
    ];
    let strings: Result<Vec<_>, _> =
        bytes().map(|value| value.map(|v| str::from_utf8(v)).transpose()).collect();
    if let Ok(strings) = strings {
        let strings = || strings.iter().copied();
        arrays.push(Arc::new(strings().collect::<StringArray>()));
        arrays.push(Arc::new(strings().collect::<LargeStringArray>()));
        arrays.push(Arc::new(strings().collect::<StringViewArray>()));
    }
    arrays
}

/// What a scan of `values` must return: pattern, start and end of each match of each row.
fn expected(scanner: &mut dyn Scan, values: &[Option<Vec<u8>>]) -> Vec<Option<Vec<[u32; 3]>>> {
    let mut matches = Matches::new();
    let mut one = |value: &Vec<u8>| {
        let mut batch = BatchBuf::new();
        batch.push(value).unwrap();
        scanner.scan(&batch.as_batch(), &mut matches).unwrap();
        matches
            .iter()
            .map(|m| [m.pattern(), m.start(), m.end()].map(|number| number as u32))
            .collect()
    };
    values.iter().map(|value| value.as_ref().map(&mut one)).collect()
}

fn lists_of_spans(lists: &ListArray) -> Vec<Option<Vec<[u32; 3]>>> {
    assert_eq!(lists.data_type(), &spans_type());
    let rows = lists.iter().map(|list| {
        let list = list?;
        let columns: Vec<_> =
            list.as_struct().columns().iter().map(|c| c.as_primitive::<UInt32Type>()).collect();
        Some((0..list.len()).map(|i| [0, 1, 2].map(|field| columns[field].value(i))).collect())
    });
    rows.collect()
}

fn lists_of_patterns(lists: &ListArray) -> Vec<Option<Vec<u32>>> {
    assert_eq!(lists.data_type(), &patterns_type());
    lists.iter().map(|list| Some(list?.as_primitive::<UInt32Type>().values().to_vec())).collect()
}

/// Compares all results for `column` with the expected matches.
fn check<S: Scan>(
    scanner: &mut ColumnScanner<S>,
    column: &Column<'_>,
    expected: &[Option<Vec<[u32; 3]>>],
) {
    assert_eq!(column.len(), expected.len());
    assert_eq!(lists_of_spans(&scanner.spans(column).unwrap()), expected);
    let patterns: Vec<Option<Vec<u32>>> = expected
        .iter()
        .map(|row| {
            let mut patterns: Vec<u32> = row.as_ref()?.iter().map(|m| m[0]).collect();
            patterns.dedup();
            Some(patterns)
        })
        .collect();
    assert_eq!(lists_of_patterns(&scanner.patterns(column).unwrap()), patterns);
    let any: BooleanArray = patterns.iter().map(|row| Some(!row.as_ref()?.is_empty())).collect();
    assert_eq!(scanner.is_match(column).unwrap(), any);
}

/// What a redactor makes of each value, as bytes.
fn expected_redaction(
    scanner: &mut impl Scan,
    redactor: &mut Redactor,
    values: &[Option<Vec<u8>>],
) -> Values {
    values.iter().map(|value| Some(redactor.redact(scanner, value.as_ref()?).unwrap())).collect()
}

fn check_redaction<S: Scan>(
    scanner: &mut ColumnScanner<S>,
    redactor: &mut Redactor,
    array: &dyn Array,
    expected: &Values,
) {
    let redacted = scanner.redact(&Column::new(array).unwrap(), redactor).unwrap();
    let expected = arrays(expected);
    let of_type = expected.iter().find(|expected| expected.data_type() == array.data_type());
    match of_type {
        Some(expected) => assert_eq!(&redacted, expected),
        // A pattern without Unicode has split a character, so the expected values are no strings.
        None => assert!(redacted.data_type() == array.data_type() && redacted.len() == array.len()),
    }
}

#[test]
fn redacted_columns_are_the_redacted_values() {
    let patterns = PatternSet::new([
        Pattern::new("^$"),
        Pattern::new(r"a\d+").name("number"),
        Pattern::new("[\u{e9}-\u{ea}]"),
    ]);
    let patterns = patterns.unwrap();
    let engine = Engine::new(&patterns, Report::Spans);
    let mut redactor = Redactor::new(&patterns);
    let mut values: Values = (0..30_000)
        .map(|i| match i % 5 {
            0 => None,
            1 => Some(Vec::new()),
            2 => Some(format!("a{i}").into_bytes()),
            _ => Some(format!("long value é number a{i} of many").into_bytes()),
        })
        .collect();
    values.push(Some([&vec![b'-'; 2 << 20][..], b"a5"].concat()));
    let expected = expected_redaction(&mut engine.scanner().unwrap(), &mut redactor, &values);
    assert_eq!(expected[2].as_deref(), Some(&b"[REDACTED:number]"[..]));
    let mut scanner = ColumnScanner::new(engine.scanner().unwrap());
    for array in arrays(&values) {
        check_redaction(&mut scanner, &mut redactor, &array, &expected);
        let rows = expected[11..20_011].to_vec();
        check_redaction(&mut scanner, &mut redactor, &array.slice(11, 20_000), &rows);
    }
}

#[test]
fn a_split_character_becomes_a_replacement_character() {
    let patterns = PatternSet::new([Pattern::new(r"\xC3").unicode(false)]).unwrap();
    let engine = Engine::new(&patterns, Report::Spans);
    let mut scanner = ColumnScanner::new(engine.scanner().unwrap());
    let array = StringViewArray::from(vec!["aéb"]);
    let redacted = scanner.redact(&Column::new(&array).unwrap(), &mut Redactor::new(&patterns));
    assert_eq!(redacted.unwrap().as_string_view().value(0), "a[REDACTED]\u{FFFD}b");
}

#[test]
fn spans_need_a_scanner_that_reports_them() {
    let patterns = PatternSet::new(["a"]).unwrap();
    let engine = Engine::new(&patterns, Report::Patterns);
    let mut scanner = ColumnScanner::new(engine.scanner().unwrap());
    let array = StringArray::from(vec!["a"]);
    let column = Column::new(&array).unwrap();
    assert_eq!(scanner.spans(&column), Err(ColumnError::NoSpans));
    let redacted = scanner.redact(&column, &mut Redactor::new(&patterns));
    assert_eq!(redacted.unwrap_err(), ColumnError::NoSpans);
}

/// A case, which values are null, the first and last row of a slice, and the number of a scanner.
fn column(choices: &mut dyn Choices) -> (Case, Vec<bool>, [usize; 2], usize) {
    let case = case(choices, patterns, 1);
    let nulls = case.batches[0].iter().map(|_| choices.ratio(1, 5)).collect();
    let rows = case.batches[0].len();
    let start = choices.range(0, rows);
    let slice = [start, choices.range(start, rows)];
    (case, nulls, slice, choices.below(contenders().len()))
}

proptest! {
    #![proptest_config(config(60))]

    #[test]
    fn columns_have_the_matches_of_their_values((case, nulls, [start, end], scanner) in drawn(column)) {
        let values: Values = std::iter::zip(&case.batches[0], nulls)
            .map(|(value, is_null)| (!is_null).then(|| value.clone()))
            .collect();
        let patterns = set(&case.specs);
        let arrays = arrays(&values);
        let mut scanner = contenders()[scanner].scanner(&patterns, Report::Spans);
        let expected = expected(&mut *scanner, &values);
        let mut scanner = ColumnScanner::new(scanner);
        for array in &arrays {
            check(&mut scanner, &Column::new(array).unwrap(), &expected);
            let slice = array.slice(start, end - start);
            check(&mut scanner, &Column::new(&slice).unwrap(), &expected[start..end]);
            let slice = Column::new(array).unwrap().slice(start..end);
            check(&mut scanner, &slice, &expected[start..end]);
        }
    }
}

/// Values over several parts: short ones, long ones that are adjacent in a view array's buffers, some
/// longer than a part, nulls, and empty ones.
#[test]
fn columns_of_many_parts_have_all_matches() {
    let mut values: Values = Vec::new();
    for round in 0..2 {
        values.extend((0..20_000).map(|i| match (i + round) % 7 {
            0 if i % 3 == 0 => None,
            0 => Some(Vec::new()),
            1 => Some(b"a7".to_vec()),
            _ => Some(format!("value number {i} of round a{round}").into_bytes()),
        }));
        values.push(Some([&vec![b'-'; 2 << 20][..], b"a5"].concat()));
        values.extend((0..2_000).map(|i| Some(format!("long value number {i}a{i}").into_bytes())));
    }
    let patterns = PatternSet::new(["^$", r"a\d+", "number 4.*9"]).unwrap();
    let mut scanner = Engine::new(&patterns, Report::Spans).scanner().unwrap();
    // More rows than a part has.
    values.extend((0..70_000).map(|_| Some(Vec::new())));
    let expected = expected(&mut scanner, &values);
    let mut scanner = ColumnScanner::new(scanner);
    for array in arrays(&values) {
        check(&mut scanner, &Column::new(&array).unwrap(), &expected);
        let rows = 19_000..42_001;
        let slice = Column::new(&array).unwrap().slice(rows.clone());
        assert_eq!(slice.nulls().is_some(), expected[rows.clone()].contains(&None));
        check(&mut scanner, &slice, &expected[rows]);
    }
}

/// Arrow allows any bytes as the value of a null.
#[test]
fn a_null_matches_nothing_whatever_its_bytes() {
    let offsets = OffsetBuffer::new(ScalarBuffer::from(vec![0, 1, 2, 2]));
    let nulls = NullBuffer::from(vec![true, false, false]);
    let array = StringArray::new(offsets, Buffer::from_slice_ref(b"aa"), Some(nulls.clone()));
    let patterns = PatternSet::new(["a", ""]).unwrap();
    let engine = Engine::new(&patterns, Report::Spans);
    let mut scanner = ColumnScanner::new(engine.scanner().unwrap());
    let expected = [Some(vec![[0, 0, 1], [1, 0, 0], [1, 1, 1]]), None, None];
    check(&mut scanner, &Column::new(&array).unwrap(), &expected);
    // A view array whose null refers to a long value.
    let mut builder = StringViewBuilder::new();
    builder.append_value("a long value that matches");
    builder.append_value("a long value that is null");
    let (views, buffers, _) = builder.finish().into_parts();
    let nulls = Some(NullBuffer::from(vec![true, false]));
    let array = StringViewArray::new(views, buffers, nulls);
    let found = scanner.patterns(&Column::new(&array).unwrap()).unwrap();
    assert_eq!(lists_of_patterns(&found), [Some(vec![0, 1]), None]);
}

#[test]
fn empty_columns_have_empty_results() {
    let patterns = PatternSet::new([""]).unwrap();
    let engine = Engine::new(&patterns, Report::Spans);
    let mut scanner = ColumnScanner::new(engine.scanner().unwrap());
    for array in arrays(&Values::new()) {
        check(&mut scanner, &Column::new(&array).unwrap(), &[]);
    }
}

#[test]
fn other_types_of_columns_are_rejected() {
    let values: ArrayRef = Arc::new(StringArray::from(vec!["a"]));
    let dictionary = DictionaryArray::new(Int8Array::from(vec![0, 0]), Arc::clone(&values));
    let list = scanner_result(&values);
    for array in [&dictionary as &dyn Array, &list, &Int8Array::from(vec![1])] {
        let error = Column::new(array).unwrap_err();
        assert_eq!(error, ColumnError::UnsupportedType(array.data_type().clone()));
    }
}

fn scanner_result(values: &ArrayRef) -> ListArray {
    let engine = Engine::new(&PatternSet::new(["a"]).unwrap(), Report::Patterns);
    let mut scanner = ColumnScanner::new(engine.scanner().unwrap());
    scanner.patterns(&Column::new(values).unwrap()).unwrap()
}

#[test]
fn a_stopped_scan_of_a_column_is_an_error() {
    let stop = StopFlag::new();
    let engine = Engine::new(&PatternSet::new(["needle"]).unwrap(), Report::Patterns);
    let mut scanner = ColumnScanner::new(engine.scanner_with(stop.clone()).unwrap());
    let array = LargeStringArray::from(vec!["a needle"]);
    let column = Column::new(&array).unwrap();
    stop.raise();
    assert_eq!(scanner.is_match(&column), Err(ColumnError::Scan(ScanError::Stopped)));
    stop.clear();
    assert!(scanner.is_match(&column).unwrap().value(0));
}
