//! Scans a column of Arrow, and hides what matches.
//!
//!     cargo run --features arrow --example columns

use std::error::Error;

use arrow_array::{Array, StringArray, cast::AsArray};
use dragnet::arrow::{Column, ColumnScanner};
use dragnet::redact::Redactor;
use dragnet::{Engine, Pattern, PatternSet, Report};

fn main() -> Result<(), Box<dyn Error>> {
    let set = PatternSet::new([Pattern::new(r"\bghp_\w+").name("token"), r"\d+ ms".into()])?;
    let mut scanner = ColumnScanner::new(Engine::new(&set, Report::Spans).scanner()?);

    let lines = StringArray::from(vec![Some("auth: ghp_0123"), None, Some("30 ms"), Some("ok")]);
    let column = Column::new(&lines)?;
    let patterns = scanner.patterns(&column)?;
    let redacted = scanner.redact(&column, &mut Redactor::new(&set))?;
    for (row, line) in redacted.as_string::<i32>().iter().enumerate() {
        let count = if patterns.is_null(row) { 0 } else { patterns.value_length(row) };
        println!("{count} patterns: {}", line.unwrap_or("null"));
    }
    Ok(())
}
