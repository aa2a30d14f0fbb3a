//! From the records of a batch to lines of files.

use dragnet::{Batch, Match, Matches};

use super::{Bundle, Part};

/// A match in a file.
pub(crate) struct Hit<'a> {
    /// The part of the file that it was found in.
    pub(crate) part: &'a Part,
    /// The number of its line, from 1.
    pub(crate) line: u64,
    /// Which rule matched, and where in the line.
    pub(crate) found: Match,
    /// The bytes that matched.
    pub(crate) text: &'a [u8],
}

impl Bundle {
    /// The matches in the bundle's lines, in the order of files, lines, rules and columns.
    /// `batch` is that of the lines.
    pub(crate) fn hits<'a>(
        &'a self,
        batch: &Batch<'a>,
        matches: &'a Matches,
    ) -> impl Iterator<Item = Hit<'a>> {
        let batch = *batch;
        let mut places = Places::new(self, batch);
        matches.iter().filter_map(move |&found| {
            let (part, line) = places.of(found.record())?;
            let text = &batch.buffer()[batch.range(found.record())][found.range()];
            Some(Hit { part, line, found, text })
        })
    }
}

/// Finds the files and lines of ascending records.
pub(crate) struct Places<'a> {
    parts: &'a [Part],
    batch: Batch<'a>,
    /// The part that the last record was in.
    part: usize,
    /// The number in the batch of that part's first record.
    first_record: usize,
}

impl<'a> Places<'a> {
    pub(crate) fn new(bundle: &'a Bundle, batch: Batch<'a>) -> Places<'a> {
        Places { parts: bundle.parts(), batch, part: 0, first_record: 0 }
    }

    /// The part that a record is in, and the number of its line in the file. Records must come
    /// in ascending order.
    pub(crate) fn of(&mut self, record: usize) -> Option<(&'a Part, u64)> {
        let start = self.batch.range(record).start;
        let skipped =
            self.parts[self.part..].iter().skip(1).take_while(|next| next.start <= start).count();
        let part = self.parts.get(self.part + skipped)?;
        if skipped > 0 {
            self.part += skipped;
            self.first_record = first_from(&self.batch, part.start);
        }
        Some((part, part.first_line + (record - self.first_record) as u64))
    }
}

/// The number of the first record that starts at or after the byte at `start`.
fn first_from(batch: &Batch<'_>, start: usize) -> usize {
    let (mut low, mut high) = (0, batch.len());
    while low < high {
        let middle = low + (high - low) / 2;
        if batch.range(middle).start < start {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
