//! Scans batches: libhs finds which patterns match which records; Rust adds the fallbacks and the
//! spans.
//!
//! `scan` and `scan_with` share one path, which differs only in the sink of the matches: C fills a
//! bounded buffer with the pairs of a range of records ([`BlockScan`]), and the [`Merger`] pushes
//! the matches of that range to the sink.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::compiled_set::CompiledSet;
use super::ffi::{Block, BlockScan, ScanFailure, block_buffer};
use super::merge::Merger;
use super::objects::Scratch;
use super::records::{PaddedRecords, PaddedTail};
use crate::pure::{self, SpanFinder};
use crate::sink::{Sink, scan_in_blocks};
use crate::{Batch, Match, Matches, Scan, ScanError, StopFlag};

/// Scans batches with libhs, and with the pure engine for the patterns that libhs can't search.
/// Made by [`Engine::scanner`](super::Engine::scanner), for one thread.
///
/// Besides its caches it holds at most one match per pattern and a few thousand more, however many
/// matches a batch or a record has.
#[derive(Debug)]
pub struct Scanner {
    set: Arc<CompiledSet>,
    scratch: Scratch,
    stop: StopFlag,
    /// By number: whether a pattern is searched for. Empty if all are.
    enabled: Vec<bool>,
    /// Pairs of a record and a pattern, as C reports them.
    pairs: Vec<Match>,
    tail: PaddedTail,
    fallback: Option<pure::Scanner>,
    spans: Option<SpanFinder>,
    /// Matches that are not passed to the callback yet, in `scan_with`.
    block: Vec<Match>,
}

impl Scanner {
    pub(super) fn new(set: Arc<CompiledSet>, stop: StopFlag) -> Result<Scanner, ScanError> {
        Ok(Scanner {
            scratch: Scratch::new(&set.databases).map_err(|code| set.libhs_error(code))?,
            pairs: block_buffer(set.patterns_on_libhs()),
            tail: PaddedTail::default(),
            fallback: set.fallback_engine.as_ref().map(|engine| engine.scanner_with(stop.clone())),
            spans: set.spans.as_ref().map(|spans| spans.finder()),
            block: Vec::new(),
            enabled: Vec::new(),
            set,
            stop,
        })
    }

    /// Chooses the patterns that are searched for from the next scan on: those for whose number in the
    /// set `is_enabled` returns true. All others are not reported. It is called once for each pattern
    /// of the set. A new scanner searches for all patterns.
    ///
    /// Costs a few nanoseconds for each pattern, and builds nothing. libhs still searches for all patterns;
    /// what it finds of others is dropped before their spans are searched for.
    pub fn enable(&mut self, is_enabled: impl FnMut(usize) -> bool) {
        self.enabled.clear();
        self.enabled.extend((0..self.set.patterns.len()).map(is_enabled));
        if let Some(fallback) = &mut self.fallback {
            fallback.enable(|number| self.enabled[number]);
        }
    }

    /// Pushes all matches to `out`, in order. Returns `Break` if `out` ended the scan early.
    fn run(
        &mut self,
        batch: &Batch<'_>,
        out: &mut impl Sink,
    ) -> Result<ControlFlow<()>, ScanError> {
        let Scanner { set, scratch, stop, enabled, pairs, tail, fallback, spans, .. } = self;
        let mut merger = Merger {
            batch: *batch,
            stop,
            enabled,
            fallback: fallback.as_mut(),
            spans: spans.as_mut(),
        };
        if set.databases.is_empty() {
            // The cast is lossless: a batch has fewer than 2^32 records.
            let all = Block { records: 0..batch.len() as u32, pairs };
            return merger.push_block(all, out);
        }
        let mut run = |records: PaddedRecords<'_>| {
            let mut scan = BlockScan {
                databases: &set.databases,
                expression_count: set.patterns_on_libhs(),
                scratch,
                stop,
                buffer: pairs,
                records,
                next: 0,
            };
            while let Some(block) = scan.next_block().map_err(|failure| match failure {
                ScanFailure::Stopped => ScanError::Stopped,
                ScanFailure::Libhs(code) => set.libhs_error(code),
            })? {
                if merger.push_block(block, out)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        };
        let prefix = PaddedRecords::prefix_of(batch);
        let flow = run(prefix)?;
        if flow.is_break() || prefix.len() == batch.len() {
            return Ok(flow);
        }
        let result = run(tail.copy(batch, prefix.len()));
        tail.trim();
        result
    }
}

impl Scan for Scanner {
    fn scan(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError> {
        out.clear();
        // `Matches` never ends a scan early.
        self.run(batch, out).map(drop).inspect_err(|_| out.clear())
    }

    fn scan_with(
        &mut self,
        batch: &Batch<'_>,
        each: &mut dyn FnMut(&[Match]) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, ScanError> {
        let mut block = std::mem::take(&mut self.block);
        let result = scan_in_blocks(&mut block, each, |blocks| self.run(batch, blocks));
        self.block = block;
        result
    }

    fn set_stop(&mut self, stop: StopFlag) {
        if let Some(fallback) = &mut self.fallback {
            fallback.set_stop(stop.clone());
        }
        self.stop = stop;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BatchBuf, EngineError, Pattern, PatternSet, Report};
    use std::io::Write;

    #[test]
    fn a_scan_resumes_when_its_buffer_is_full() {
        let patterns = (0..40).map(|i| Pattern::new(format!("a.*{}", i % 10)).unicode(false));
        let set = PatternSet::new(patterns).unwrap();
        let mut batch = BatchBuf::new();
        for i in 0..200u32 {
            // Records with 0 to 40 matches.
            let digits: String = (0..i % 11).map(|digit| digit.to_string()).collect();
            batch.push(format!("a {digits}").as_bytes()).unwrap();
        }
        let batch = batch.as_batch();
        for report in [Report::Patterns, Report::Spans] {
            let set = match CompiledSet::new(&set, report) {
                // `tests/answers` and `tests/native` fail where the library is required.
                Err(error @ EngineError::SelfTest { .. }) => {
                    let _ = writeln!(
                        std::io::stderr(),
                        "dragnet tests: not tested here: native: {error}"
                    );
                    return;
                }
                set => Arc::new(set.unwrap()),
            };
            let scanner = || Scanner::new(Arc::clone(&set), StopFlag::new()).unwrap();
            let mut expected = Matches::new();
            scanner().scan(&batch, &mut expected).unwrap();
            assert_eq!(expected.of_record(10).len(), 40);
            for capacity in [0, 1, 2, 3, 7, 39, 40, 41, 100] {
                let mut scanner = scanner();
                scanner.pairs = Vec::with_capacity(capacity);
                let mut found = Matches::new();
                scanner.scan(&batch, &mut found).unwrap();
                assert_eq!(found, expected, "{capacity}");
            }
        }
    }
}
