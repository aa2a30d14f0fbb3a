//! Scans a batch: filter a part of the buffer, then verify its candidates record by record.
//!
//! ```text
//! Batch -> FilterSet::find -> [Candidate] -> Verifier::candidate          (each candidate)
//!                                            Verifier::finish_record      (each record) -> Sink
//!                                            Verifier::finish_span_batch  (at the end)  -> Sink
//! ```
//!
//! The filters search the buffer as one text, whatever records it holds, because many records are
//! shorter than the fixed cost of a search. The candidates come ordered by position, so one cursor
//! that only moves forward maps them to records, and the verifier always works on one record. A
//! candidate that lies in two records is dropped: no match crosses records.
//!
//! The buffer is filtered [`CHUNK`] by chunk rather than at once. Verification then finds its
//! bytes in the cache, and the list of candidates stays short however large the batch is.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use memchr::memmem::Finder;

use crate::sink::{Sink, scan_in_blocks};
use crate::{Batch, Match, Matches, Scan, ScanError, StopFlag};

use super::ids::NeedleId;
use super::prefilter::{Candidate, FilterProgress, FilterSet, Segments};
use super::verify::{Record, Verifier, VerifyCache};

/// The bytes of the buffer that are filtered before their candidates are verified. Small enough
/// that the records are still in the L2 cache when they are verified.
const CHUNK: usize = 64 << 10;

/// The length of the first chunk of a scan that ends at its first match, in bytes: the smallest that bit
/// streams can search.
const FIRST_CHUNK: usize = 4 << 10;

/// The stages of a scan. Immutable, and shared by all scanners of an engine.
#[derive(Debug)]
pub(super) struct Pipeline {
    /// Finds candidates in the buffer.
    pub(super) filters: FilterSet,
    /// Turns the candidates of a record into matches.
    pub(super) verifier: Verifier,
}

/// Scans batches with the pure-Rust engine. Made by [`Engine::scanner`](super::Engine::scanner),
/// for one thread.
pub struct Scanner {
    pipeline: Arc<Pipeline>,
    stop: StopFlag,
    progress: FilterProgress,
    candidates: Vec<Candidate>,
    cache: VerifyCache,
    /// The memory of [`scan_in_blocks`], kept from one scan to the next.
    block: Vec<Match>,
}

impl fmt::Debug for Scanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verifier = &self.pipeline.verifier;
        f.debug_struct("Scanner")
            .field("patterns", &verifier.len())
            .field("report", &verifier.report())
            .finish_non_exhaustive()
    }
}

impl Scanner {
    pub(super) fn new(pipeline: Arc<Pipeline>, stop: StopFlag) -> Scanner {
        let progress = pipeline.filters.progress();
        let cache = pipeline.verifier.create_cache();
        Scanner { pipeline, stop, progress, candidates: Vec::new(), cache, block: Vec::new() }
    }

    /// Chooses the patterns that are searched for from the next scan on: those for whose number in the
    /// set `is_enabled` returns true. All others are not reported. It is called once for each pattern
    /// of this engine. A new scanner searches for all patterns.
    ///
    /// Costs a few nanoseconds for each pattern of the set, and builds nothing. Disabled patterns are not
    /// verified. The filters still look for their literals, and the automata of patterns without a filter,
    /// which such patterns share, still read every record.
    pub fn enable(&mut self, is_enabled: impl FnMut(usize) -> bool) {
        self.pipeline.verifier.enable(&mut self.cache, is_enabled);
    }

    /// Returns the approximate heap memory of this scanner in bytes. It grows with what is found,
    /// up to a bound that depends on the number of patterns alone.
    pub fn memory(&self) -> usize {
        self.cache.memory()
            + self.progress.memory()
            + self.candidates.capacity() * size_of::<Candidate>()
            + self.block.capacity() * size_of::<Match>()
    }

    /// An upper bound on the bytes that automata have read in all scans so far.
    #[doc(hidden)]
    pub fn steps(&self) -> u64 {
        self.cache.steps()
    }

    /// Pushes all matches to `out`, in order. Returns `Break` if `out` ended the scan early.
    pub(crate) fn run<S: Sink>(
        &mut self,
        batch: &Batch<'_>,
        out: &mut S,
    ) -> Result<ControlFlow<()>, ScanError> {
        // An earlier scan that ended early has left the state of its last records and of its
        // filters.
        self.cache.clear();
        self.progress.reset();
        if self.stop.is_raised() {
            return Err(ScanError::Stopped);
        }
        if batch.is_empty() {
            return Ok(ControlFlow::Continue(()));
        }
        let Pipeline { filters, verifier } = &*self.pipeline;
        let every_record = verifier.visits_every_record();
        let extent = batch.extent();
        let segments = Segments::new(batch.buffer(), batch.offsets(), batch.terminator());
        let mut cursor = Cursor { batch, segments, record: 0 };
        let mut chunk = if filters.is_empty() { extent.end } else { extent.start };
        // What is read without filters.
        self.cache.add_text(chunk - extent.start);
        // A scan that ends at its first match starts with small chunks, because it often ends in one.
        let mut chunk_len = if S::FIRST_ONLY { FIRST_CHUNK } else { CHUNK };
        while chunk < extent.end {
            if self.stop.is_raised() {
                return Err(ScanError::Stopped);
            }
            let end = extent.end.min(chunk + chunk_len);
            chunk_len = CHUNK.min(2 * chunk_len);
            self.cache.add_text(end - chunk);
            filters.find(&segments, chunk..end, &mut self.progress, &mut self.candidates);
            for candidate in &self.candidates {
                let start = candidate.start as usize;
                if start < cursor.start() {
                    // It starts in a record before this one, and ends in this one.
                    continue;
                }
                while let Some(next) = cursor.next_towards(start, every_record) {
                    if verifier.finish_record(&mut self.cache, cursor.get(), out).is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                    if self.stop.is_raised() {
                        return Err(ScanError::Stopped);
                    }
                    cursor.record = next;
                }
                let record = cursor.get();
                if candidate.end as usize <= record.start + record.bytes.len() {
                    verifier.candidate(&mut self.cache, record, candidate);
                    if S::FIRST_ONLY && !verifier.has_bounds() && self.cache.has_matched() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
            }
            chunk = end;
        }
        if verifier.finish_record(&mut self.cache, cursor.get(), out).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        if every_record {
            while cursor.record + 1 < batch.len() {
                if self.stop.is_raised() {
                    return Err(ScanError::Stopped);
                }
                cursor.record += 1;
                if verifier.finish_record(&mut self.cache, cursor.get(), out).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Ok(verifier.finish_span_batch(&mut self.cache, batch.buffer(), out))
    }

    /// Pushes all matches in `text`, a single record, to `out`, in order. Returns `Break` if `out` ended
    /// the scan early.
    ///
    /// `literal` finds the [`only_literal`](super::Engine::only_literal) of the engine, in place of its
    /// filters, and `first` is the first place that it has found. In short texts this takes a small part
    /// of the time of [`Scanner::run`]. The stop flag is ignored.
    pub(crate) fn run_at_literal<S: Sink>(
        &mut self,
        text: &[u8],
        literal: &Finder<'_>,
        first: usize,
        out: &mut S,
    ) -> ControlFlow<()> {
        let Scanner { pipeline, cache, .. } = self;
        let verifier = &pipeline.verifier;
        cache.clear();
        cache.add_text(text.len());
        let record = Record { number: 0, start: 0, bytes: text, buffer: text };
        let mut next = Some(first);
        while let Some(at) = next {
            let (start, end) = (at as u32, (at + literal.needle().len()) as u32);
            let needle = NeedleId::FIRST;
            let candidate = Candidate { window_start: start, start, end, needle };
            verifier.candidate(cache, record, &candidate);
            if S::FIRST_ONLY && !verifier.has_bounds() && cache.has_matched() {
                return ControlFlow::Break(());
            }
            // The literal may overlap itself.
            next = literal.find(&text[at + 1..]).map(|offset| at + 1 + offset);
        }
        verifier.finish_record(cache, record, out)?;
        verifier.finish_span_batch(cache, text, out)
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
        self.stop = stop;
    }
}

/// The current record of a scan.
struct Cursor<'a, 'b> {
    batch: &'a Batch<'b>,
    segments: Segments<'b>,
    record: usize,
}

impl<'b> Cursor<'_, 'b> {
    /// The position of the current record in the buffer.
    fn start(&self) -> usize {
        self.batch.offsets()[self.record] as usize
    }

    fn get(&self) -> Record<'b> {
        let range = self.batch.range(self.record);
        let start = range.start;
        let buffer = self.batch.buffer();
        Record { number: self.record, start, bytes: &buffer[range], buffer }
    }

    /// The record to finish the current one for, if position `at` of the buffer is after the
    /// current record: the record that contains `at`, or the next one if `every` record must be
    /// visited. `at` must not be before the current record.
    fn next_towards(&self, at: usize, every: bool) -> Option<usize> {
        let target = self.segments.segment_at(self.record, at);
        (target > self.record).then_some(if every { self.record + 1 } else { target })
    }
}
