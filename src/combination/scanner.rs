//! A scanner that adds combinations to the matches of another one.

use std::ops::ControlFlow;

use super::Combinations;
use super::evaluate::Values;
use crate::sink::{Sink, scan_in_blocks};
use crate::{Batch, Match, Matches, Scan, ScanError, StopFlag};

/// Reports the matches of another scanner, and after those of a record the combinations that hold in
/// it. Made by [`Combinations::scanner`].
#[derive(Debug)]
pub struct CombinedScanner<S> {
    combinations: Combinations,
    scanner: S,
    only_combinations: bool,
    values: Values,
    /// The memory of [`scan_in_blocks`], kept from one scan to the next.
    block: Vec<Match>,
}

impl<S: Scan> CombinedScanner<S> {
    pub(super) fn new(combinations: Combinations, scanner: S) -> CombinedScanner<S> {
        let values = combinations.inner.program.values();
        CombinedScanner {
            combinations,
            scanner,
            only_combinations: false,
            values,
            block: Vec::new(),
        }
    }

    /// Sets whether only combinations are reported, and the matches of patterns are not. Off by
    /// default.
    pub fn only_combinations(mut self, yes: bool) -> CombinedScanner<S> {
        self.only_combinations = yes;
        self
    }

    /// Returns the combinations.
    pub fn combinations(&self) -> &Combinations {
        &self.combinations
    }

    /// Returns the other scanner.
    pub fn into_inner(self) -> S {
        self.scanner
    }
}

impl<S: Scan> Scan for CombinedScanner<S> {
    fn scan(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError> {
        out.clear();
        let mut records =
            RecordCursor::new(&self.combinations, self.only_combinations, &mut self.values);
        // `Matches` never ends a scan early.
        self.scanner
            .scan_with(batch, &mut |found| records.matches(found, out))
            .map(|_| _ = records.finish(batch.len(), out))
            .inspect_err(|_| out.clear())
    }

    fn scan_with(
        &mut self,
        batch: &Batch<'_>,
        each: &mut dyn FnMut(&[Match]) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, ScanError> {
        let mut records =
            RecordCursor::new(&self.combinations, self.only_combinations, &mut self.values);
        let scanner = &mut self.scanner;
        scan_in_blocks(&mut self.block, each, |blocks| {
            match scanner.scan_with(batch, &mut |found| records.matches(found, blocks))? {
                ControlFlow::Continue(()) => Ok(records.finish(batch.len(), blocks)),
                ControlFlow::Break(()) => Ok(ControlFlow::Break(())),
            }
        })
    }

    fn set_stop(&mut self, stop: StopFlag) {
        self.scanner.set_stop(stop);
    }
}

/// The records of one scan, in order.
struct RecordCursor<'a> {
    combinations: &'a Combinations,
    only_combinations: bool,
    values: &'a mut Values,
    /// The record that the last match was in. Those before it are finished.
    record: u32,
}

impl<'a> RecordCursor<'a> {
    fn new(
        combinations: &'a Combinations,
        only_combinations: bool,
        values: &'a mut Values,
    ) -> RecordCursor<'a> {
        // An earlier scan may have ended in the middle of a record.
        values.clear();
        RecordCursor { combinations, only_combinations, values, record: 0 }
    }

    /// Takes the next matches, in order.
    fn matches(&mut self, found: &[Match], out: &mut impl Sink) -> ControlFlow<()> {
        let program = &self.combinations.inner.program;
        for &m in found {
            self.finish_until(m.record() as u32, out)?;
            self.values.matched(program, m.pattern());
            if !self.only_combinations {
                out.push(m)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// Reports the combinations of the remaining records of a batch of `len`.
    fn finish(&mut self, len: usize, out: &mut impl Sink) -> ControlFlow<()> {
        // A batch has at most 2^32 - 1 records.
        self.finish_until(len as u32, out)
    }

    /// Reports the combinations of the records before `next`.
    fn finish_until(&mut self, next: u32, out: &mut impl Sink) -> ControlFlow<()> {
        if self.record == next {
            return ControlFlow::Continue(());
        }
        let program = &self.combinations.inner.program;
        let first = program.patterns() as u32;
        let mut flow = ControlFlow::Continue(());
        let record = self.record;
        self.values.finish_record(program, |number| {
            flow = out.push(Match::without_span(record, first + number));
            flow.is_continue()
        });
        flow?;
        if !program.holding_without_matches.is_empty() {
            for record in self.record + 1..next {
                for &number in &program.holding_without_matches {
                    out.push(Match::without_span(record, first + number))?;
                }
            }
        }
        self.record = next;
        ControlFlow::Continue(())
    }
}
