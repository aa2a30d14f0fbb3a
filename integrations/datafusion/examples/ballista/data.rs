//! Partitioned logs, the same each time.

use std::error::Error;
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use datafusion::parquet::arrow::ArrowWriter;

/// The number of files. An executor works on one at a time, so that one of two executors holds a part
/// of the result long before the end.
const FILES: usize = 16;

/// The number of rows of all files. Enough that each file takes a good part of a second.
pub(crate) const ROWS: usize = FILES * 20_000;

/// Writes the files to a new folder.
pub(crate) fn write(folder: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    for file in 0..FILES {
        // Rows alternate between the files, so that each is needed for each part of the answer.
        let ids: Vec<_> = (0..ROWS).skip(file).step_by(FILES).collect();
        // Every 17th is null.
        let lines: StringArray =
            ids.iter().map(|&id| (id % 17 != 3).then(|| line(id as u64))).collect();
        let ids: Int64Array = ids.into_iter().map(|id| id as i64).collect();
        let columns = [("id", Arc::new(ids) as ArrayRef), ("line", Arc::new(lines))];
        let batch = RecordBatch::try_from_iter_with_nullable(
            columns.map(|(name, column)| (name, column, name == "line")),
        )?;
        let target = File::create(folder.join(format!("{file}.parquet")))?;
        let mut writer = ArrowWriter::try_new(target, batch.schema(), None)?;
        writer.write(&batch)?;
        writer.close()?;
    }
    Ok(())
}

/// A line of a log that differs from its neighbours.
fn line(id: u64) -> String {
    // Knuth's multiplicative hash.
    let random = id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    let status = [200, 200, 204, 304, 404, 500, 503][random as usize % 7];
    let end = match random % 11 {
        0 => format!(" token ghp_{:012x} accepted", random & 0xffff_ffff_ffff),
        1 => format!(" by zoë and user{id}@mail{}.example", random % 100),
        _ => String::new(),
    };
    format!("user=u{} status={status} took {} ms{end}", random % 1000, random % 900)
}
