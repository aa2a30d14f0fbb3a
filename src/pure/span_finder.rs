//! Finds the spans of patterns in records that are already known to match.
//!
//! This is for callers that know which patterns match but not where: the native engine, and a search for
//! the groups of patterns that report a group. It has nothing to filter and nothing to verify, so it
//! needs only the automata of the patterns and not a plan for all of them.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use crate::PatternSet;

use super::automata::pattern::{PatternAutomata, PatternCache, PatternMemory};
use super::automata::positions::PositionScratch;
use super::automata::span_search::SpanRange;
use super::automata::start_search::Starts;
use super::plan::{span_prefilter, start_search};

/// The memory that the caches of one finder may take together before they are dropped, in bytes.
const MAX_MEMORY: usize = 64 << 20;

/// The automata of a set's patterns, each built on first use and shared by all scanners. Cheap to
/// clone.
#[derive(Clone, Debug)]
pub(crate) struct SpanEngine {
    set: PatternSet,
    automata: Arc<[PatternAutomata]>,
}

impl SpanEngine {
    /// For scans, which may search for spans of all patterns.
    #[cfg(feature = "native")]
    pub(crate) fn new(set: &PatternSet) -> SpanEngine {
        SpanEngine::with(set, PatternAutomata::default)
    }

    /// For the groups of matches: with more memory for each pattern.
    pub(crate) fn with_large_caches(set: &PatternSet) -> SpanEngine {
        SpanEngine::with(set, PatternAutomata::with_large_caches)
    }

    fn with(set: &PatternSet, automata: fn() -> PatternAutomata) -> SpanEngine {
        let automata = (0..set.len()).map(|_| automata()).collect();
        SpanEngine { set: set.clone(), automata }
    }

    /// A finder for one thread.
    pub(crate) fn finder(&self) -> SpanFinder {
        let caches = std::iter::repeat_with(PatternCache::default).take(self.set.len()).collect();
        SpanFinder {
            engine: self.clone(),
            caches,
            measured: vec![0; self.set.len()],
            memory: 0,
            scratch: Box::default(),
            #[cfg(feature = "native")]
            captures: Box::default(),
        }
    }
}

/// Finds spans, for one thread.
#[derive(Debug)]
pub(crate) struct SpanFinder {
    engine: SpanEngine,
    caches: Vec<PatternCache>,
    /// By pattern: the memory of its cache after the last [`SpanFinder::limit_memory`], in bytes.
    measured: Vec<usize>,
    /// The sum of `measured`.
    memory: usize,
    scratch: Box<PositionScratch>,
    #[cfg(feature = "native")]
    captures: Box<super::CaptureCache>,
}

impl SpanFinder {
    /// Pushes the spans that are reported of pattern number `pattern` in `record` to `out`, in order:
    /// those of leftmost-first and non-overlapping matches, or of a group of each. Stops when `out` ends
    /// the scan. `record_number` is the record number of the matches.
    #[cfg(feature = "native")]
    pub(crate) fn find(
        &mut self,
        pattern: u32,
        record_number: u32,
        record: &[u8],
        out: &mut impl crate::sink::Sink,
    ) -> ControlFlow<()> {
        let SpanFinder { engine, caches, scratch, captures, .. } = self;
        let mut group =
            super::reported_group::ReportedGroup::new(&engine.set, pattern, record, captures);
        for_each_span(engine, caches, scratch, pattern, record, |whole| match group.span(whole) {
            // Offsets fit in 32 bits, because a record is shorter than 2^32 bytes.
            Some(span) => out.push(crate::Match::new(
                record_number,
                pattern,
                span.start as u32..span.end as u32,
            )),
            None => ControlFlow::Continue(()),
        })
    }

    /// Calls `found` with the spans of whole matches of pattern number `pattern` in `record`, in order,
    /// until it returns `Break`.
    pub(crate) fn for_each_whole(
        &mut self,
        pattern: u32,
        record: &[u8],
        found: impl FnMut(Range<usize>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let SpanFinder { engine, caches, scratch, .. } = self;
        let flow = for_each_span(engine, caches, scratch, pattern, record, found);
        self.limit_memory(pattern);
        flow
    }

    /// The offsets of `record` at which matches of pattern number `pattern` can start, if there is a fast way
    /// to find them.
    pub(crate) fn starts<'a>(&'a mut self, pattern: u32, record: &'a [u8]) -> Option<Starts<'a>> {
        let SpanFinder { engine, caches, .. } = self;
        let index = pattern as usize;
        let hir = engine.set.hir(index);
        engine.automata[index].starts(hir, || start_search(hir), &mut caches[index], record)
    }

    /// The end of the match of pattern number `pattern` at the start of `record`, if there is one, or `None` if the
    /// lazy DFA can't decide.
    pub(crate) fn end_at_start(&mut self, pattern: u32, record: &[u8]) -> Option<Option<usize>> {
        let SpanFinder { engine, caches, .. } = self;
        let index = pattern as usize;
        let hir = engine.set.hir(index);
        let end = engine.automata[index].end_at_start(hir, &mut caches[index], record);
        self.limit_memory(pattern);
        end
    }

    /// As [`SpanFinder::for_each_whole`], from offset `from` of the record on, for few patterns and
    /// records that are known to match: faster after the first records, and with more memory for each
    /// pattern.
    pub(crate) fn for_each_whole_by_dfas(
        &mut self,
        pattern: u32,
        record: &[u8],
        from: usize,
        found: impl FnMut(Range<usize>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let SpanFinder { engine, caches, scratch, .. } = self;
        let index = pattern as usize;
        let hir = engine.set.hir(index);
        let memory = &mut PatternMemory::without_limit(&mut caches[index], scratch);
        let prefilter = || span_prefilter(hir);
        let automata = &engine.automata[index];
        let flow = automata.for_each_span_by_dfas(hir, prefilter, memory, (record, from), found);
        self.limit_memory(pattern);
        flow
    }

    /// Drops all caches if they take too much memory, of which that of `pattern` may have changed. To be called
    /// after a search by DFAs.
    pub(crate) fn limit_memory(&mut self, pattern: u32) {
        let index = pattern as usize;
        let now = self.caches[index].memory();
        self.memory = self.memory + now - std::mem::replace(&mut self.measured[index], now);
        if self.memory > MAX_MEMORY {
            self.caches.fill_with(PatternCache::default);
            self.measured.fill(0);
            self.memory = 0;
        }
    }
}

fn for_each_span(
    engine: &SpanEngine,
    caches: &mut [PatternCache],
    scratch: &mut PositionScratch,
    pattern: u32,
    record: &[u8],
    found: impl FnMut(Range<usize>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let index = pattern as usize;
    let hir = engine.set.hir(index);
    let memory = &mut PatternMemory::without_limit(&mut caches[index], scratch);
    let prefilter = || span_prefilter(hir);
    engine.automata[index].for_each_span(
        hir,
        prefilter,
        memory,
        SpanRange::all(record),
        &mut 0,
        found,
    )
}
