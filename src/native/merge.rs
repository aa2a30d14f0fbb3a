//! Merges the matches of libhs and of the pure engine into one ordered output.
//!
//! libhs finds pairs: which patterns match which records. This module completes them to matches,
//! one block of records at a time: it orders the pairs of each record, replaces them by spans if
//! spans are asked for, and interleaves the matches of the patterns that run on the pure engine.
//! Everything goes straight to the sink, so no more than a block of pairs is held, however many
//! spans a record has.

use std::ops::ControlFlow;

use super::ffi::Block;
use crate::pure::{self, SpanFinder};
use crate::sink::Sink;
use crate::{Batch, Match, ScanError, StopFlag};

/// The part of a scan that runs in Rust.
pub(super) struct Merger<'a, 'b> {
    pub(super) batch: Batch<'b>,
    pub(super) stop: &'a StopFlag,
    /// By number: whether a pattern is reported. Empty if all are.
    pub(super) enabled: &'a [bool],
    /// Scans for the fallbacks; `None` if there are none.
    pub(super) fallback: Option<&'a mut pure::Scanner>,
    /// Finds the spans of libhs's pairs; `None` if pairs are reported as they are.
    pub(super) spans: Option<&'a mut SpanFinder>,
}

impl Merger<'_, '_> {
    /// Pushes all matches of the records of `block` to `out`, until `out` ends the scan.
    pub(super) fn push_block(
        &mut self,
        block: Block<'_>,
        out: &mut impl Sink,
    ) -> Result<ControlFlow<()>, ScanError> {
        if !self.enabled.is_empty() {
            block.pairs.retain(|pair| self.enabled[pair.pattern()]);
        }
        for of_record in block.pairs.chunk_by_mut(|a, b| a.record() == b.record()) {
            of_record.sort_unstable();
        }
        // libhs should report a pattern once per record. If it reports one twice, the matches must
        // not contain it twice.
        block.pairs.dedup();
        let mut merge = MergeSink {
            pairs: block.pairs,
            batch: &self.batch,
            stop: self.stop,
            spans: self.spans.as_deref_mut(),
            first_record: block.records.start,
            stopped: false,
            out,
        };
        let mut flow = ControlFlow::Continue(());
        if let Some(fallback) = self.fallback.as_deref_mut() {
            let records = block.records.start as usize..block.records.end as usize;
            flow = fallback.run(&self.batch.slice(records), &mut merge)?;
        }
        if flow.is_continue() {
            flow = merge.push_pairs(merge.pairs.len());
        }
        if merge.stopped { Err(ScanError::Stopped) } else { Ok(flow) }
    }
}

/// Receives the matches of the pure engine, and pushes them to `out` with the pairs in between.
struct MergeSink<'a, 'b, S> {
    /// Ordered, and not yet pushed.
    pairs: &'a [Match],
    batch: &'a Batch<'b>,
    stop: &'a StopFlag,
    spans: Option<&'a mut SpanFinder>,
    /// The number of the record that the pure engine counts as 0.
    first_record: u32,
    /// Whether a push returned `Break` because of the stop flag.
    stopped: bool,
    out: &'a mut S,
}

impl<S: Sink> MergeSink<'_, '_, S> {
    /// Pushes the next `count` pairs, or their spans. Returns `Break` if `out` ended the scan or
    /// the stop flag is raised.
    fn push_pairs(&mut self, count: usize) -> ControlFlow<()> {
        let (next, rest) = self.pairs.split_at(count);
        self.pairs = rest;
        let Some(finder) = &mut self.spans else { return self.out.push_all(next) };
        for pair in next {
            // C checks the flag for each record, but a record can have many patterns, each of which
            // takes time in proportion to the record.
            if self.stop.is_raised() {
                self.stopped = true;
                return ControlFlow::Break(());
            }
            let record = &self.batch.buffer()[self.batch.range(pair.record())];
            finder.find(pair.pattern() as u32, pair.record() as u32, record, self.out)?;
        }
        ControlFlow::Continue(())
    }
}

impl<S: Sink> Sink for MergeSink<'_, '_, S> {
    fn push(&mut self, m: Match) -> ControlFlow<()> {
        let m = m.offset_record(self.first_record);
        // No pair equals `m`: each pattern runs on one of the engines only. Not a binary search,
        // because few pairs lie between two matches, and most often none.
        let before = self.pairs.iter().take_while(|pair| **pair < m).count();
        if before > 0 {
            self.push_pairs(before)?;
        }
        self.out.push(m)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Matches;

    fn pairs(list: &[(u32, u32)]) -> Vec<Match> {
        list.iter().map(|&(record, pattern)| Match::without_span(record, pattern)).collect()
    }

    /// Merges `left`, which libhs found, with `right`, which the pure engine found.
    fn merge(left: &[Match], right: &[Match]) -> Vec<Match> {
        let mut out = Matches::new();
        let mut merge = MergeSink {
            pairs: left,
            batch: &Batch::from_offsets(&[], &[]).unwrap(),
            stop: &StopFlag::new(),
            spans: None,
            first_record: 0,
            stopped: false,
            out: &mut out,
        };
        assert!(right.iter().all(|&m| merge.push(m).is_continue()));
        assert!(merge.push_pairs(merge.pairs.len()).is_continue());
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
        let mut merger = Merger { batch, stop: &stop, enabled: &[], fallback: None, spans: None };
        let mut found = pairs(&[(0, 3), (0, 1), (0, 3), (1, 2), (4, 1), (4, 0)]);
        let mut out = Matches::new();
        let block = Block { records: 0..5, pairs: &mut found };
        assert!(merger.push_block(block, &mut out).unwrap().is_continue());
        assert_eq!(out.as_slice(), pairs(&[(0, 1), (0, 3), (1, 2), (4, 0), (4, 1)]));
    }
}
