//! Maps the records of a chunk's batch back to files and line numbers.

use std::ops::Range;

use dragnet::Batch;

use super::Chunk;
use super::chunk::FilePart;

/// Finds the files and lines of records, in ascending order of records.
///
/// Because records come in ascending order, the parts are walked through only once. The number of a
/// part's first record is found by binary search, once per part that a match is in.
pub(crate) struct Locator<'a> {
    parts: &'a [FilePart],
    batch: Batch<'a>,
    /// The index of the part that the last record was in.
    part: usize,
    /// The number of that part's first record.
    first_record: usize,
}

impl<'a> Locator<'a> {
    pub(crate) fn new(chunk: &'a Chunk, batch: Batch<'a>) -> Locator<'a> {
        Locator { parts: chunk.parts(), batch, part: 0, first_record: 0 }
    }

    /// Returns the records of the part that the last located record is in.
    pub(crate) fn records(&self) -> Range<usize> {
        let next = self.parts.get(self.part + 1);
        let end =
            next.map_or(self.batch.len(), |next| first_record_at_or_after(&self.batch, next.start));
        self.first_record..end
    }

    /// Returns the part that contains `record`, and the record's line number in the file, from 1.
    /// Returns `None` only if the chunk has no parts. `record` must not be less than in the
    /// previous call.
    pub(crate) fn locate(&mut self, record: usize) -> Option<(&'a FilePart, u64)> {
        let start = self.batch.range(record).start;
        let skipped =
            self.parts[self.part..].iter().skip(1).take_while(|next| next.start <= start).count();
        let part = self.parts.get(self.part + skipped)?;
        if skipped > 0 {
            self.part += skipped;
            self.first_record = first_record_at_or_after(&self.batch, part.start);
        }
        Some((part, part.first_line + (record - self.first_record) as u64))
    }
}

/// Returns the number of the first record that starts at or after `offset`, by binary search.
fn first_record_at_or_after(batch: &Batch<'_>, offset: usize) -> usize {
    let (mut low, mut high) = (0, batch.len());
    while low < high {
        let middle = low + (high - low) / 2;
        if batch.range(middle).start < offset {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
