//! The functions in queries give the answers of plain scans, row by row.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BinaryArray, RecordBatch, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, UInt32Type, UInt64Type};
use datafusion::arrow::ipc::writer::FileWriter;
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::catalog::MemTable;
use datafusion::execution::options::ArrowReadOptions;
use datafusion::prelude::SessionContext;
use dragnet::redact::Redactor;
use dragnet::{Batch, BatchBuf, Engine, Matches, Pattern, PatternSet, Report, Scan};
use dragnet_datafusion::RuleSets;

const PATTERNS: [(&str, &str); 5] = [
    ("number", r"\d+"),
    ("word", r"\bfoo\w*"),
    ("empty", r"^$"),
    ("umlaut", r"(?i)[äöü]+"),
    ("long", r"x.{20}y"),
];

fn set() -> PatternSet {
    PatternSet::new(PATTERNS.map(|(name, regex)| Pattern::new(regex).name(name))).unwrap()
}

/// Rows of all kinds: null, empty, short and long for views, and equal ones for dictionaries.
fn rows() -> Vec<Option<String>> {
    let mut random = 1_u64;
    let parts = ["foo", "foobar ", "12", " 345", "ÄÜ", "ö ", "x", "y", "....................", "-"];
    (0..3000)
        .map(|row| {
            let count = row % 9;
            let mut line = String::new();
            for _ in 0..count {
                random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                line += parts[(random >> 33) as usize % parts.len()];
            }
            (row % 7 != 3).then_some(line)
        })
        .collect()
}

/// What plain scans find in one row.
struct Expected {
    which: Vec<u32>,
    spans: Vec<[u32; 3]>,
    redacted: Vec<u8>,
}

/// What plain scans find in each row, or `None` for a null.
fn expected(rows: &[Option<String>]) -> Vec<Option<Expected>> {
    let set = set();
    let mut scanner = Engine::new(&set, Report::Spans).scanner().unwrap();
    let mut redactor = Redactor::new(&set);
    let mut one = |row: &String| {
        let offsets = [0, row.len() as u32];
        let batch = Batch::from_offsets(row.as_bytes(), &offsets).unwrap();
        let mut matches = Matches::new();
        scanner.scan(&batch, &mut matches).unwrap();
        let spans: Vec<_> = matches
            .iter()
            .map(|m| {
                let span = m.span().unwrap();
                [m.pattern(), span.start, span.end].map(|number| number as u32)
            })
            .collect();
        let mut which: Vec<_> = spans.iter().map(|span| span[0]).collect();
        which.dedup();
        let mut redacted = BatchBuf::new();
        redactor.redact_batch(&mut scanner, &batch, &mut redacted).unwrap();
        let redacted = redacted.as_batch().iter().next().unwrap().to_vec();
        Expected { which, spans, redacted }
    };
    rows.iter().map(|row| row.as_ref().map(&mut one)).collect()
}

/// A session with the column `line` in partitions and batches of uneven length, which are slices.
fn session(column: &ArrayRef) -> SessionContext {
    let number = datafusion::arrow::array::Int64Array::from_iter_values(0..column.len() as i64);
    let batch = RecordBatch::try_from_iter([
        ("id", Arc::new(number) as ArrayRef),
        ("line", column.clone()),
    ])
    .unwrap();
    let half = batch.num_rows() / 2;
    let partitions = [(0, half), (half, batch.num_rows() - half)].map(|(start, rows)| {
        let mut cuts = [0, rows.min(1), rows / 3, rows / 2, rows];
        cuts.sort_unstable();
        cuts.windows(2).map(|cut| batch.slice(start + cut[0], cut[1] - cut[0])).collect()
    });
    let table = MemTable::try_new(batch.schema(), partitions.to_vec()).unwrap();
    let ctx = SessionContext::new();
    ctx.register_table("logs", Arc::new(table)).unwrap();
    dragnet_datafusion::register(&ctx, RuleSets::new().with("own", &set()));
    ctx
}

async fn query(ctx: &SessionContext, sql: &str) -> Result<RecordBatch, String> {
    let run = async {
        let frame = ctx.sql(sql).await?;
        let schema = Arc::clone(frame.schema().inner());
        let batches = frame.collect().await?;
        Ok(datafusion::arrow::compute::concat_batches(&schema, &batches)?)
    };
    run.await.map_err(|error: datafusion::error::DataFusionError| error.to_string())
}

/// Compares all functions with plain scans, over a column of this type.
async fn compare(data_type: &DataType, rules: &str) {
    let rows = rows();
    let column: ArrayRef = Arc::new(StringArray::from(rows.clone()));
    let ctx = session(&cast(&column, data_type).unwrap());
    let sql = format!(
        "SELECT dragnet_any(line, {rules}), dragnet_which(line, {rules}), dragnet_count(line, {rules}),
            dragnet_spans(line, {rules}), dragnet_redact(line, {rules})
         FROM logs ORDER BY id"
    );
    let found = query(&ctx, &sql).await.unwrap();
    assert_eq!(found.num_rows(), rows.len());
    let redacted_type = match data_type {
        DataType::Dictionary(_, values) => values,
        other => other,
    };
    assert_eq!(found.column(4).data_type(), redacted_type);
    let redacted = cast(found.column(4), &DataType::Binary).unwrap();

    let names = if rules == "'own'" { ":name" } else { "" };
    for (row, (text, expected)) in rows.iter().zip(expected(&rows)).enumerate() {
        let Some(expected) = expected else {
            assert!(found.columns().iter().all(|column| column.is_null(row)), "row {row}");
            continue;
        };
        assert_eq!(found.column(0).as_boolean().value(row), !expected.which.is_empty(), "{text:?}");
        let which = found.column(1).as_list::<i32>().value(row);
        assert_eq!(which.as_primitive::<UInt32Type>().values(), &expected.which[..], "{text:?}");
        let count = found.column(2).as_primitive::<UInt64Type>().value(row);
        assert_eq!(count, expected.spans.len() as u64, "{text:?}");
        let spans = found.column(3).as_list::<i32>().value(row);
        let spans = spans.as_struct();
        let fields = ["pattern", "start", "end"]
            .map(|name| spans.column_by_name(name).unwrap().as_primitive::<UInt32Type>().clone());
        let spans: Vec<_> =
            (0..spans.len()).map(|at| [0, 1, 2].map(|field| fields[field].value(at))).collect();
        assert_eq!(spans, expected.spans, "{text:?}");
        if names == ":name" {
            let redacted = redacted.as_binary::<i32>().value(row);
            assert_eq!(redacted, expected.redacted, "{text:?}");
        }
    }
}

#[tokio::test]
async fn all_types_give_the_answers_of_plain_scans() {
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    for data_type in [
        DataType::Utf8,
        DataType::LargeUtf8,
        DataType::Utf8View,
        DataType::Binary,
        DataType::LargeBinary,
        DataType::BinaryView,
        dictionary,
    ] {
        compare(&data_type, "'own'").await;
    }
}

#[tokio::test]
async fn a_list_is_a_set() {
    let list: Vec<_> = PATTERNS.iter().map(|(_, regex)| format!("'{regex}'")).collect();
    compare(&DataType::Utf8, &format!("[{}]", list.join(", "))).await;
}

#[tokio::test]
async fn bytes_need_not_be_utf8() {
    let column: ArrayRef = Arc::new(BinaryArray::from(vec![&b"\xff12\xfe"[..], b"\xff"]));
    let found = query(&session(&column), "SELECT dragnet_redact(line, 'own') FROM logs").await;
    let redacted = found.unwrap();
    let redacted = redacted.column(0).as_binary::<i32>();
    assert_eq!(redacted.value(0), b"\xff[REDACTED:number]\xfe");
    assert_eq!(redacted.value(1), b"\xff");
}

/// The first value of a query over two rows, as text.
async fn first(expression: &str) -> Result<String, String> {
    let column: ArrayRef = Arc::new(StringArray::from(vec!["foo 1", "bar"]));
    let sql = format!("SELECT {expression} FROM logs");
    let found = query(&session(&column), &sql).await?;
    array_value_to_string(found.column(0), 0).map_err(|error| error.to_string())
}

#[tokio::test]
async fn constants_are_searched() {
    assert_eq!(first("dragnet_which('a1', 'own')").await.unwrap(), "[0]");
    assert_eq!(first("dragnet_redact('a1', ['\\d'])").await.unwrap(), "a[REDACTED]");
    assert_eq!(first("dragnet_count(NULL, 'own')").await.unwrap(), "");
    assert_eq!(first("dragnet_any('', 'own')").await.unwrap(), "true");
    assert_eq!(first("dragnet_any(line, [])").await.unwrap(), "false");
}

#[tokio::test]
async fn errors_name_the_cause() {
    for (expression, causes) in [
        ("dragnet_any(line, ['ok', 'a(b'])", &["pattern 1", "unclosed group", "byte 1"][..]),
        ("dragnet_any(line, ['ok', NULL])", &["pattern 1", "null"]),
        ("dragnet_any(line, 'other')", &["no rule set named 'other'", "\"own\""]),
        ("dragnet_any(id, 'own')", &["Int64", "no strings or bytes"]),
        ("dragnet_any([line], 'own')", &["List", "no strings or bytes"]),
        ("dragnet_redact(named_struct('a', line), 'own')", &["Struct", "no strings or bytes"]),
        (
            "dragnet_which(arrow_cast(id, 'Dictionary(Int32, Int64)'), 'own')",
            &["Dictionary", "Int64", "no strings or bytes"],
        ),
        ("dragnet_any(line, 7)", &["Int64", "a name or a list"]),
        ("dragnet_any(line, NULL)", &["Null", "a name or a list"]),
        ("dragnet_any(line, line)", &["must be constant"]),
        ("dragnet_any(line, [line])", &["must be constant"]),
        ("dragnet_any(line)", &["dragnet_any", "two arguments"]),
    ] {
        let error = first(expression).await.unwrap_err();
        assert!(causes.iter().all(|cause| error.contains(cause)), "{expression}: {error}");
    }
}

#[tokio::test]
async fn rules_are_checked_before_a_query_runs() {
    let ctx = session(&(Arc::new(StringArray::from(vec!["x"])) as ArrayRef));
    for rules in ["['a(b']", "'other'"] {
        let sql = format!("SELECT dragnet_any(line, {rules}) FROM logs");
        let plan = async { ctx.sql(&sql).await?.create_physical_plan().await };
        assert!(plan.await.is_err(), "{rules}");
    }
}

#[tokio::test]
async fn more_lists_than_are_kept_give_right_answers() {
    let column: ArrayRef = Arc::new(StringArray::from(vec!["7 17"]));
    let ctx = session(&column);
    for round in 0..3 {
        for number in 0..20 {
            let sql = format!("SELECT dragnet_count(line, ['{number}']) FROM logs");
            let found = query(&ctx, &sql).await.unwrap();
            let count = found.column(0).as_primitive::<UInt64Type>().value(0);
            let expected = "7 17".matches(&number.to_string()).count() as u64;
            assert_eq!(count, expected, "round {round}, pattern {number}");
        }
    }
}

/// Damages a file of Arrow's format, in which strings and offsets are as they are in memory.
#[tokio::test]
async fn damaged_columns_are_errors() {
    let column: ArrayRef = Arc::new(StringArray::from(vec!["first 1", "second 22"]));
    let batch = RecordBatch::try_from_iter([("line", column)]).unwrap();
    let mut file = Vec::new();
    let mut writer = FileWriter::try_new(&mut file, &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    drop(writer);

    let offsets = |offsets: [i32; 3]| offsets.map(i32::to_le_bytes).concat();
    let path = std::env::temp_dir().join(format!("dragnet-damaged-{}.arrow", std::process::id()));
    for (from, to, cause) in [
        (b"first 1".to_vec(), b"first 1".to_vec(), None),
        (b"first 1".to_vec(), b"firs\xff 1".to_vec(), Some("UTF8")),
        (offsets([0, 7, 16]), offsets([0, 7, 1600]), Some("offset")),
        (offsets([0, 7, 16]), offsets([0, 7, 6]), Some("offset")),
        (offsets([0, 7, 16]), offsets([0, -7, 16]), Some("offset")),
    ] {
        let at: Vec<_> = (0..file.len()).filter(|&at| file[at..].starts_with(&from)).collect();
        assert_eq!(at.len(), 1, "{from:?}");
        let mut damaged = file.clone();
        damaged[at[0]..][..to.len()].copy_from_slice(&to);
        std::fs::write(&path, damaged).unwrap();

        let ctx = SessionContext::new();
        dragnet_datafusion::register(&ctx, RuleSets::new().with("own", &set()));
        ctx.register_arrow("logs", path.to_str().unwrap(), ArrowReadOptions::default())
            .await
            .unwrap();
        for function in ["any", "which", "count", "spans", "redact"] {
            let sql = format!("SELECT dragnet_{function}(line, 'own') FROM logs");
            match (query(&ctx, &sql).await, cause) {
                (Ok(found), None) => assert_eq!(found.num_rows(), 2),
                (Err(error), Some(cause)) => {
                    assert!(error.to_lowercase().contains(&cause.to_lowercase()), "{error}");
                }
                (found, cause) => panic!("{sql}: {found:?}, {cause:?}"),
            }
        }
    }
    std::fs::remove_file(path).unwrap();
}
