//! One scan: candidates from the prefilter, part by part, grouped by record.

use std::ops::ControlFlow;

use crate::sink::{Blocks, Sink};
use crate::{Batch, Match, Matches, Scan, ScanError, StopFlag};

use super::Engine;
use super::prefilter::{BitStreamProgress, Candidate, RunProgress, Segments};
use super::state::{Record, State};

/// How much of the buffer is filtered before its candidates are confirmed, in bytes: few enough
/// that the records are still in the cache.
const CHUNK: usize = 64 << 10;

/// Scans batches with the pure-Rust engine. Made by [`Engine::scanner`], for one thread.
pub struct Scanner {
    engine: Engine,
    stop: StopFlag,
    candidates: Vec<Candidate>,
    state: State,
    /// The matches that are not handed on yet, in a scan by blocks.
    block: Vec<Match>,
}

impl std::fmt::Debug for Scanner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scanner").field("engine", &self.engine).finish_non_exhaustive()
    }
}

impl Scanner {
    pub(super) fn new(engine: Engine, stop: StopFlag) -> Scanner {
        let state = State::new(&engine);
        Scanner { engine, stop, candidates: Vec::new(), state, block: Vec::new() }
    }

    /// The memory that this scanner holds for itself, in bytes. It grows with what is found, up
    /// to a bound that depends on the number of patterns alone.
    pub fn memory(&self) -> usize {
        self.state.memory()
            + self.candidates.capacity() * size_of::<Candidate>()
            + self.block.capacity() * size_of::<Match>()
    }

    /// An upper bound of the steps that automata have taken in all scans so far.
    #[doc(hidden)]
    pub fn steps(&self) -> u64 {
        self.state.steps
    }

    /// Scans until `out` breaks, and returns whether it did.
    fn run(
        &mut self,
        batch: &Batch<'_>,
        out: &mut impl Sink,
    ) -> Result<ControlFlow<()>, ScanError> {
        // What an earlier scan left behind when it ended early is not of this batch.
        self.state.next_record();
        self.state.runs.fill_with(RunProgress::default);
        self.state.streams.iter_mut().for_each(BitStreamProgress::reset);
        if batch.is_empty() {
            return Ok(ControlFlow::Continue(()));
        }
        let inner = &*self.engine.inner;
        let extent = batch.extent();
        let segments = Segments::new(batch.buffer(), batch.offsets(), batch.terminator());
        let mut cursor = Cursor { batch, segments, record: 0 };
        let searching = inner.plan.prefilter.is_some()
            || !inner.plan.runs.is_empty()
            || inner.plan.streams.is_some();
        let mut part = if searching { extent.start } else { extent.end };
        while part < extent.end {
            if self.stop.is_raised() {
                return Err(ScanError::Stopped);
            }
            let end = extent.end.min(part + CHUNK);
            self.engine.find(&mut self.state, &segments, part..end, &mut self.candidates);
            for candidate in &self.candidates {
                let start = candidate.start as usize;
                if start < cursor.start() {
                    // It began in an earlier record and ends in this one.
                    continue;
                }
                while let Some(next) = cursor.next_towards(start, inner.plan.every_record()) {
                    if self.engine.finish(&mut self.state, cursor.get(), out).is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                    if self.stop.is_raised() {
                        return Err(ScanError::Stopped);
                    }
                    cursor.record = next;
                }
                let record = cursor.get();
                if candidate.end as usize <= record.start + record.bytes.len() {
                    self.engine.candidate(&mut self.state, record, candidate);
                }
            }
            part = end;
        }
        if self.engine.finish(&mut self.state, cursor.get(), out).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        if inner.plan.every_record() {
            while cursor.record + 1 < batch.len() {
                if self.stop.is_raised() {
                    return Err(ScanError::Stopped);
                }
                cursor.record += 1;
                if self.engine.finish(&mut self.state, cursor.get(), out).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

impl Scan for Scanner {
    fn scan(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError> {
        out.clear();
        // A list never breaks.
        self.run(batch, out).map(drop).inspect_err(|_| out.clear())
    }

    fn scan_with(
        &mut self,
        batch: &Batch<'_>,
        each: &mut dyn FnMut(&[Match]) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, ScanError> {
        let mut block = std::mem::take(&mut self.block);
        let mut blocks = Blocks::new(&mut block, each);
        let result = self.run(batch, &mut blocks).map(|flow| match flow {
            ControlFlow::Continue(()) => blocks.finish(),
            broken => broken,
        });
        self.block = block;
        result
    }

    fn set_stop(&mut self, stop: StopFlag) {
        self.stop = stop;
    }
}

/// The record in hand.
struct Cursor<'a, 'b> {
    batch: &'a Batch<'b>,
    segments: Segments<'b>,
    record: usize,
}

impl<'b> Cursor<'_, 'b> {
    fn start(&self) -> usize {
        self.batch.offsets()[self.record] as usize
    }

    fn get(&self) -> Record<'b> {
        let range = self.batch.range(self.record);
        let start = range.start;
        Record { number: self.record, start, bytes: &self.batch.buffer()[range] }
    }

    /// The record to go on with on the way to the one that holds `at`: that record, or the next
    /// one if each has to be looked at. `None` once it is reached. `at` is not before the record
    /// in hand.
    fn next_towards(&self, at: usize, every: bool) -> Option<usize> {
        let next = self.segments.segment_at(self.record, at);
        (next > self.record).then_some(if every { self.record + 1 } else { next })
    }
}
