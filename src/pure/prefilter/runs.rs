//! Runs of a class: of each run of `len` bytes, one is at a position that `len` divides.

use std::ops::Range;

use crate::Batch;

use super::super::literal::ByteSet;
use super::Candidate;

/// A class and how many bytes of it must follow one another.
#[derive(Debug)]
pub(crate) struct RunSearch {
    class: [bool; 256],
    len: usize,
    /// What candidates carry as the number of their literal.
    number: u32,
}

/// The run in hand, which may go on in the part of the buffer that is searched next.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    run: Range<usize>,
}

impl RunSearch {
    pub(crate) fn new(class: ByteSet, len: u32, number: u32) -> RunSearch {
        let mut table = [false; 256];
        for (byte, entry) in (0..=255).zip(&mut table) {
            *entry = class.contains(byte);
        }
        RunSearch { class: table, len: len as usize, number }
    }

    /// Appends the runs of the records that begin before `range.end`, as far as the search of the
    /// buffer up to `range.start`, which left `progress`, did not: one candidate for
    /// each run of a record. Runs that have no byte
    /// in `range` at a position to look at are left to the range that has.
    ///
    /// Reads a part of the bytes: one of `len`, and those around the ones that are in the class,
    /// each twice at most.
    pub(crate) fn find(
        &self,
        batch: &Batch<'_>,
        range: Range<usize>,
        progress: &mut Progress,
        out: &mut Vec<Candidate>,
    ) {
        let buffer = &batch.buffer()[..batch.extent().end];
        // What is left of a run that went on beyond the last part.
        if progress.run.end > range.start {
            let first = batch.offsets().partition_point(|&o| (o as usize) < range.start);
            self.tell(batch, first, progress.run.clone(), range.end, out);
        }
        let mut at = range.start.max(progress.run.end).next_multiple_of(self.len);
        while at < range.end {
            if !self.class[usize::from(buffer[at])] {
                at += self.len;
                continue;
            }
            // Bytes before the last run's end were seen, and what ended it is not in the class.
            let known = progress.run.end.max((at + 1).saturating_sub(self.len));
            let before = buffer[known..at].iter().rev();
            let start = at - before.take_while(|&&b| self.class[usize::from(b)]).count();
            let behind = buffer[at..].iter();
            let end = at + behind.take_while(|&&b| self.class[usize::from(b)]).count();
            progress.run = start..end;
            if end - start >= self.len {
                let first = batch.offsets().partition_point(|&o| o as usize <= start);
                self.tell(batch, first.saturating_sub(1), start..end, range.end, out);
            }
            at = end.next_multiple_of(self.len);
        }
    }

    /// Appends the parts of `run` in the records from `first` on that begin before `limit`.
    fn tell(
        &self,
        batch: &Batch<'_>,
        first: usize,
        run: Range<usize>,
        limit: usize,
        out: &mut Vec<Candidate>,
    ) {
        for record in first..batch.len() {
            let bytes = batch.range(record);
            if bytes.start >= limit.min(run.end) {
                break;
            }
            let (start, end) = (bytes.start.max(run.start), bytes.end.min(run.end));
            if end >= start + self.len {
                let (start, end) = (start as u32, end as u32);
                out.push(Candidate { window: start, start, end, literal: self.number });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::literal::required_run;
    use super::*;

    fn search(pattern: &str) -> RunSearch {
        let hir = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
        let run = required_run(&hir.clone().parse(pattern).unwrap()).unwrap();
        RunSearch::new(run.class, run.len, 7)
    }

    /// The ends of each record's runs, one byte at a time.
    fn naive(batch: &Batch<'_>, search: &RunSearch) -> Vec<(u32, u32)> {
        let mut all = Vec::new();
        for (number, record) in batch.iter().enumerate() {
            let offset = batch.range(number).start;
            let mut start = 0;
            for end in 0..=record.len() {
                if end == record.len() || !search.class[usize::from(record[end])] {
                    if end - start >= search.len {
                        all.push(((start + offset) as u32, (end + offset) as u32));
                    }
                    start = end + 1;
                }
            }
        }
        all
    }

    proptest! {
        #[test]
        fn finds_the_runs_of_each_record(
            text in prop::collection::vec(prop::sample::select(&b"000000001111111x"[..]), 0..300),
            mut cuts in prop::collection::vec(any::<prop::sample::Index>(), 1..6),
            step in 1usize..50,
            lines in any::<bool>(),
        ) {
            let search = search("[01]{9}");
            let text: Vec<u8> =
                text.into_iter().map(|b| if lines && b == b'x' { b'\n' } else { b }).collect();
            let mut offsets: Vec<u32> =
                cuts.drain(..).map(|cut| cut.index(text.len() + 1) as u32).collect();
            offsets.sort();
            let mut line_offsets = Vec::new();
            let batch = if lines {
                Batch::lines(&text, &mut line_offsets).unwrap()
            } else {
                Batch::from_offsets(&text, &offsets).unwrap()
            };
            let mut out = Vec::new();
            let mut progress = Progress::default();
            let extent = batch.extent();
            for start in extent.clone().step_by(step) {
                let part = out.len();
                search.find(&batch, start..extent.end.min(start + step), &mut progress, &mut out);
                prop_assert!(out[part..].is_sorted_by_key(|c| c.window));
            }
            let found: Vec<_> = out.iter().map(|c| (c.start, c.end)).collect();
            prop_assert_eq!(found, naive(&batch, &search));
        }
    }
}
