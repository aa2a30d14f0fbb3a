//! Copies a log with its secrets redacted: from lines of text or Parquet to Parquet, CSV or JSON, as
//! the ends of the names say.
//!
//!     cargo run --release --example redact -- app.log app.parquet
//!
//! Text is read as it is searched, so a log may be larger than the memory. Bytes that are not UTF-8
//! become U+FFFD.

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, StringBuilder};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::streaming::StreamingTable;
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion::prelude::{ParquetReadOptions, SessionContext};
use dragnet::{Pattern, PatternSet};
use dragnet_datafusion::RuleSets;

/// The rows of a batch, as many as DataFusion's own readers take.
const ROWS: usize = 8192;

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(input), Some(output)) = (args.next(), args.next()) else {
        return Err("usage: redact INPUT OUTPUT".into());
    };
    let secrets = PatternSet::new([
        Pattern::new(r"\bghp_[0-9A-Za-z]{36}\b").name("github-token"),
        Pattern::new(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b").name("email"),
        Pattern::new(r"(?i)\bpassword[=:]\s*(\S+)").name("password").report_group(1),
    ])?;

    let ctx = SessionContext::new();
    dragnet_datafusion::register(&ctx, RuleSets::new().with("secrets", &secrets));
    if input.ends_with(".parquet") {
        // The column that is searched must have the name `line`.
        ctx.register_parquet("log", &input, ParquetReadOptions::default()).await?;
    } else {
        let lines = Arc::new(Lines::new(&input));
        ctx.register_table(
            "log",
            Arc::new(StreamingTable::try_new(lines.schema.clone(), vec![lines])?),
        )?;
    }
    let copied = ctx
        .sql(&format!(
            "COPY (SELECT dragnet_redact(line, 'secrets') AS line, dragnet_count(line, 'secrets') AS hidden
                   FROM log) TO '{}'",
            output.replace('\'', "''")
        ))
        .await?;
    copied.show().await?;
    Ok(())
}

/// A file of text as a table with the column `line`.
#[derive(Debug)]
struct Lines {
    path: String,
    schema: SchemaRef,
}

impl Lines {
    fn new(path: &str) -> Lines {
        let line = Field::new("line", DataType::Utf8, false);
        Lines { path: path.to_owned(), schema: Arc::new(Schema::new(vec![line])) }
    }

    fn read(&self) -> Result<impl Iterator<Item = Result<RecordBatch>> + use<>> {
        let mut reader = BufReader::new(File::open(&self.path)?);
        let schema = Arc::clone(&self.schema);
        let mut line = Vec::new();
        Ok(std::iter::from_fn(move || {
            let mut lines = StringBuilder::new();
            for _ in 0..ROWS {
                line.clear();
                match reader.read_until(b'\n', &mut line) {
                    Ok(0) => break,
                    Ok(_) => {}
                    Err(error) => return Some(Err(error.into())),
                }
                let text = line.strip_suffix(b"\n").unwrap_or(&line);
                lines.append_value(String::from_utf8_lossy(text));
            }
            let lines = lines.finish();
            if lines.value_offsets().len() == 1 {
                return None;
            }
            Some(
                RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(lines)])
                    .map_err(Into::into),
            )
        }))
    }
}

impl PartitionStream for Lines {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let schema = Arc::clone(&self.schema);
        match self.read() {
            Ok(batches) => {
                Box::pin(RecordBatchStreamAdapter::new(schema, futures::stream::iter(batches)))
            }
            Err(error) => {
                let failed = futures::stream::iter([Err(error)]);
                Box::pin(RecordBatchStreamAdapter::new(schema, failed))
            }
        }
    }
}
