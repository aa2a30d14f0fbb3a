//! Merges the matches of libhs and of the pure engine into one ordered output.
//!
//! libhs finds pairs: which patterns match which records. This module does the rest in Rust, for
//! one block of records at a time: it orders the pairs of each record, replaces them by spans if
//! spans are asked for, and interleaves the matches of the patterns that run on the pure engine.
//! Everything goes straight to the sink, so no more than a block of pairs is held, however many
//! spans a record has.

use std::ops::ControlFlow;

use super::ffi::Block;
use crate::pure::{self, SpanFinder};
use crate::sink::Sink;
use crate::{Batch, Match, Scan, ScanError, StopFlag};

/// The part of a scan that runs in Rust.
pub(super) struct Merger<'a, 'b> {
    pub(super) batch: Batch<'b>,
    pub(super) stop: &'a StopFlag,
    /// Scans for the patterns that libhs does not take; `None` if it takes all.
    pub(super) fallback: Option<&'a mut pure::Scanner>,
    /// Finds the spans of libhs's pairs; `None` if pairs are reported as they are.
    pub(super) spans: Option<&'a mut SpanFinder>,
}

impl Merger<'_, '_> {
    /// Pushes all matches of the records of `block` to `out`, until `out` breaks.
    pub(super) fn push_block(
        &mut self,
        block: Block<'_>,
        out: &mut impl Sink,
    ) -> Result<ControlFlow<()>, ScanError> {
        for of_record in block.pairs.chunk_by_mut(|a, b| a.record() == b.record()) {
            of_record.sort_unstable();
        }
        // libhs should report a pattern once per record. If it does not, that must not show.
        block.pairs.dedup();
        let mut pairs = PairQueue {
            pairs: block.pairs,
            batch: &self.batch,
            stop: self.stop,
            spans: self.spans.as_deref_mut(),
            stopped: false,
        };
        let mut flow = ControlFlow::Continue(());
        if let Some(fallback) = self.fallback.as_deref_mut() {
            let records = block.records.start as usize..block.records.end as usize;
            flow = fallback.scan_with(&self.batch.slice(records), &mut |found| {
                for m in found {
                    let m = m.offset_record(block.records.start);
                    pairs.push_before(Some(m), out)?;
                    out.push(m)?;
                }
                ControlFlow::Continue(())
            })?;
        }
        if flow.is_continue() {
            flow = pairs.push_before(None, out);
        }
        if pairs.stopped { Err(ScanError::Stopped) } else { Ok(flow) }
    }
}

/// Pairs that are ordered and not yet pushed.
struct PairQueue<'a, 'b> {
    pairs: &'a [Match],
    batch: &'a Batch<'b>,
    stop: &'a StopFlag,
    spans: Option<&'a mut SpanFinder>,
    /// Whether the queue broke because of the stop flag.
    stopped: bool,
}

impl PairQueue<'_, '_> {
    /// Pushes the pairs before `end`, or all of them, to `out`. Breaks when `out` does or when the
    /// stop flag is raised.
    ///
    /// `end` is a match of the pure engine, so it never has the record and the pattern of a pair.
    fn push_before(&mut self, end: Option<Match>, out: &mut impl Sink) -> ControlFlow<()> {
        let count = match end {
            // Not a binary search: usually few pairs lie between two matches of the pure engine.
            Some(end) => self.pairs.iter().take_while(|pair| **pair < end).count(),
            None => self.pairs.len(),
        };
        let (before, rest) = self.pairs.split_at(count);
        self.pairs = rest;
        let Some(finder) = &mut self.spans else { return out.push_all(before) };
        for pair in before {
            // C checks the flag for each record, but a record can have many patterns, each of which
            // takes time in proportion to the record.
            if self.stop.is_raised() {
                self.stopped = true;
                return ControlFlow::Break(());
            }
            let record = &self.batch.buffer()[self.batch.range(pair.record())];
            finder.find(pair.pattern() as u32, pair.record() as u32, record, out)?;
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Matches;

    fn pairs(list: &[(u32, u32)]) -> Vec<Match> {
        list.iter().map(|&(record, pattern)| Match::new(record, pattern, 0..0)).collect()
    }

    /// Pushes `left`, which libhs found, and `right`, which the pure engine found.
    fn merge(left: &[Match], right: &[Match]) -> Vec<Match> {
        let (stop, batch) = (StopFlag::new(), Batch::from_offsets(&[], &[]).unwrap());
        let mut queue =
            PairQueue { pairs: left, batch: &batch, stop: &stop, spans: None, stopped: false };
        let mut out = Matches::new();
        for &m in right {
            assert!(queue.push_before(Some(m), &mut out).is_continue());
            out.push(m);
        }
        assert!(queue.push_before(None, &mut out).is_continue());
        out.as_slice().to_vec()
    }

    #[test]
    fn merging_keeps_the_order() {
        let cases: [(&[_], &[_]); 6] = [
            (&[], &[]),
            (&[(0, 1)], &[]),
            (&[], &[(0, 1)]),
            (&[(0, 1), (2, 0)], &[(0, 0), (0, 2), (1, 5)]),
            (&[(5, 0)], &[(0, 0), (1, 0), (2, 0)]),
            (&[(0, 0), (1, 0)], &[(2, 0)]),
        ];
        for (left, right) in cases {
            let mut expected = pairs(&[left, right].concat());
            expected.sort_unstable();
            assert_eq!(merge(&pairs(left), &pairs(right)), expected);
        }
    }

    #[test]
    fn pairs_are_sorted_and_count_once() {
        let stop = StopFlag::new();
        let batch = Batch::from_offsets(&[], &[]).unwrap();
        let mut merger = Merger { batch, stop: &stop, fallback: None, spans: None };
        let mut found = pairs(&[(0, 3), (0, 1), (0, 3), (1, 2), (4, 1), (4, 0)]);
        let mut out = Matches::new();
        let block = Block { records: 0..5, pairs: &mut found };
        assert!(merger.push_block(block, &mut out).unwrap().is_continue());
        assert_eq!(out.as_slice(), pairs(&[(0, 1), (0, 3), (1, 2), (4, 0), (4, 1)]));
    }
}
