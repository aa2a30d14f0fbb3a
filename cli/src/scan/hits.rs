//! From matches in a batch to places in files.

use std::ops::Range;

use dragnet::{Batch, Matches};

use crate::input::{Bundle, Part};

/// A match in a file.
pub(crate) struct Hit<'a> {
    /// The part of the file that it was found in.
    pub(crate) part: &'a Part,
    /// The number of its line, from 1.
    pub(crate) line: u64,
    /// The number of the rule.
    pub(crate) rule: usize,
    /// Where in the line it is, in bytes from 0.
    pub(crate) range: Range<usize>,
    /// The bytes that matched.
    pub(crate) text: &'a [u8],
}

/// The matches of a bundle's lines, in the order of files, lines, rules and columns.
pub(crate) fn hits<'a>(
    bundle: &'a Bundle,
    batch: &Batch<'a>,
    matches: &'a Matches,
) -> impl Iterator<Item = Hit<'a>> {
    let batch = *batch;
    let parts = bundle.parts();
    let mut index = 0;
    // The number in the batch of the first line of the part.
    let mut first_record = 0;
    matches.iter().filter_map(move |m| {
        let record = batch.range(m.record());
        let mut moved = false;
        while parts.get(index + 1).is_some_and(|next| next.start <= record.start) {
            index += 1;
            moved = true;
        }
        let part = parts.get(index)?;
        if moved {
            first_record = first_from(&batch, part.start);
        }
        Some(Hit {
            part,
            line: part.first_line + (m.record() - first_record) as u64,
            rule: m.pattern(),
            range: m.range(),
            text: &batch.buffer()[record][m.range()],
        })
    })
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
