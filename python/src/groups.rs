//! Finds the groups of matches, in one string and in many records.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, ListArray, StructArray, UInt32Array};
use arrow_buffer::{NullBufferBuilder, OffsetBuffer};
use arrow_schema::{DataType, Field, FieldRef, Fields};
use dragnet::arrow::{Column as Values, ColumnError, ColumnScanner};
use dragnet::{Captures, CapturesFinder, Match, Scanner};

use crate::found::Span;
use crate::text::CharOffsets;

/// The finders of a set that no thread uses.
pub(crate) struct Finders {
    set: dragnet::PatternSet,
    /// Whether each pattern reports a group.
    reports_group: Vec<bool>,
    idle: Mutex<Vec<CapturesFinder>>,
}

/// Finds groups for one thread.
struct Finder<'f> {
    finders: &'f Finders,
    finder: CapturesFinder,
    /// The row and the pattern of the last match.
    last: Option<(usize, usize)>,
}

impl Finders {
    pub(crate) fn new(set: &dragnet::PatternSet) -> Finders {
        let reports_group = set.iter().map(|pattern| pattern.get_report_group() != 0).collect();
        Finders { set: set.clone(), reports_group, idle: Mutex::default() }
    }

    /// Calls `use_finder` with a finder.
    fn with_finder<T>(&self, use_finder: impl FnOnce(&mut Finder<'_>) -> T) -> T {
        // A panic leaves a complete list.
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = idle().pop();
        let finder = taken.unwrap_or_else(|| self.set.captures_finder());
        let mut finder = Finder { finders: self, finder, last: None };
        let value = use_finder(&mut finder);
        idle().push(finder.finder);
        value
    }

    /// Calls `each` with the groups of the matches in one record, in order.
    pub(crate) fn for_each(
        &self,
        matches: &[Match],
        record: &[u8],
        mut each: impl FnMut(&Captures<'_, '_>),
    ) {
        self.with_finder(|finder| {
            for m in matches {
                finder.for_each(0, m, record, &mut each);
            }
        });
    }

    /// Returns for each row of a column the groups of its matches. Its type is [`captures_type`].
    pub(crate) fn find(
        &self,
        scanner: &mut ColumnScanner<Scanner>,
        values: &Values<'_>,
        array: &dyn Array,
        in_characters: bool,
    ) -> Result<ArrayRef, ColumnError> {
        self.with_finder(|finder| {
            let mut lists = Lists::new(array.len());
            // The record of the last match.
            let mut current: Option<(usize, &[u8], CharOffsets<'_>)> = None;
            scanner.for_each_match(values, |row, m| {
                if current.as_ref().is_none_or(|(last, ..)| *last != row) {
                    let record = value(array, row);
                    let offsets =
                        if in_characters { CharOffsets::new(record) } else { CharOffsets::none() };
                    current = Some((row, record, offsets));
                }
                let Some((_, record, offsets)) = &current else { return };
                finder.for_each(row, m, record, &mut |captures| lists.push(row, captures, offsets));
            })?;
            lists.finish(array)
        })
    }
}

impl Finder<'_> {
    /// Calls `each` with the groups of a match. With the first match of a pattern that reports a group, it
    /// does so for all matches of the pattern in the record: the whole match around one group is found by
    /// a search from the start of the record, which would take quadratic time for many.
    fn for_each(
        &mut self,
        row: usize,
        m: &Match,
        record: &[u8],
        each: &mut impl FnMut(&Captures<'_, '_>),
    ) {
        let is_first = self.last.replace((row, m.pattern())) != Some((row, m.pattern()));
        if !self.finders.reports_group[m.pattern()] {
            // Each match of the set has groups.
            self.finder.captures(m, record).iter().for_each(each);
        } else if is_first {
            let _ = self.finder.for_each(m.pattern(), record, |captures| {
                each(&captures);
                ControlFlow::Continue(())
            });
        }
    }
}

/// The bytes of a value. Empty in a column that can't be scanned.
fn value(array: &dyn Array, row: usize) -> &[u8] {
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).as_bytes(),
        DataType::LargeUtf8 => array.as_string::<i64>().value(row).as_bytes(),
        DataType::Utf8View => array.as_string_view().value(row).as_bytes(),
        DataType::Binary => array.as_binary::<i32>().value(row),
        DataType::LargeBinary => array.as_binary::<i64>().value(row),
        DataType::BinaryView => array.as_binary_view().value(row),
        _ => &[],
    }
}

/// `List<Struct<pattern: UInt32, groups: List<Struct<start: UInt32, end: UInt32>>>>`. Groups are nullable,
/// nothing else in a row is.
pub(crate) fn captures_type() -> DataType {
    DataType::List(item(DataType::Struct(match_fields()), false))
}

fn match_fields() -> Fields {
    let groups = DataType::List(item(DataType::Struct(group_fields()), true));
    vec![Field::new("pattern", DataType::UInt32, false), Field::new("groups", groups, false)].into()
}

fn group_fields() -> Fields {
    ["start", "end"].map(|name| Field::new(name, DataType::UInt32, false)).to_vec().into()
}

fn item(of: DataType, nullable: bool) -> FieldRef {
    Arc::new(Field::new_list_field(of, nullable))
}

/// Builds a column of [`captures_type`] from matches in the order of their rows.
struct Lists {
    /// The number of matches of each row.
    matches: Vec<usize>,
    patterns: Vec<u32>,
    /// The number of groups of each match.
    groups: Vec<usize>,
    starts: Vec<u32>,
    ends: Vec<u32>,
    took_part: NullBufferBuilder,
}

impl Lists {
    fn new(rows: usize) -> Lists {
        Lists {
            matches: vec![0; rows],
            patterns: Vec::new(),
            groups: Vec::new(),
            starts: Vec::new(),
            ends: Vec::new(),
            took_part: NullBufferBuilder::new(0),
        }
    }

    fn push(&mut self, row: usize, captures: &Captures<'_, '_>, offsets: &CharOffsets<'_>) {
        let Some(spans) = spans(captures, offsets) else { return };
        self.matches[row] += 1;
        // Lossless: patterns and offsets have 32 bits.
        self.patterns.push(captures.pattern() as u32);
        self.groups.push(captures.len());
        for span in spans {
            self.took_part.append(span.is_some());
            let (start, end) = span.unwrap_or_default();
            self.starts.push(start as u32);
            self.ends.push(end as u32);
        }
    }

    fn finish(mut self, array: &dyn Array) -> Result<ArrayRef, ColumnError> {
        // Matches are fewer than groups.
        if i32::try_from(self.starts.len()).is_err() {
            return Err(ColumnError::ResultTooLarge { what: "groups" });
        }
        let column = |values| Arc::new(UInt32Array::from(values)) as ArrayRef;
        let groups = StructArray::new(
            group_fields(),
            vec![column(self.starts), column(self.ends)],
            self.took_part.finish(),
        );
        let groups = ListArray::new(
            item(DataType::Struct(group_fields()), true),
            OffsetBuffer::from_lengths(self.groups),
            Arc::new(groups),
            None,
        );
        let matches =
            StructArray::new(match_fields(), vec![column(self.patterns), Arc::new(groups)], None);
        Ok(Arc::new(ListArray::new(
            item(DataType::Struct(match_fields()), false),
            OffsetBuffer::from_lengths(self.matches),
            Arc::new(matches),
            array.nulls().cloned(),
        )))
    }
}

/// The spans of the groups of a match. `None` for an empty match inside a character.
pub(crate) fn spans<'c>(
    captures: &'c Captures<'_, '_>,
    offsets: &'c CharOffsets<'_>,
) -> Option<impl Iterator<Item = Span> + 'c> {
    let whole = captures.get(0)?;
    offsets.span(whole.start(), whole.end())?;
    let converted = |start, end| (offsets.start(start), offsets.end(end));
    Some(captures.iter().map(move |group| group.map(|g| converted(g.start(), g.end()))))
}
