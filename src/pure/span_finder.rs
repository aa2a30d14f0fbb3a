//! Finds the spans of patterns in records that are already known to match.
//!
//! This is for an engine that can decide which patterns match but not where, such as the native
//! one. It has nothing to filter and nothing to verify, so it needs only the automata of the
//! patterns and not a plan for all of them.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::sink::Sink;
use crate::{Match, PatternSet};

use super::automata::pattern::{PatternAutomata, PatternCache, PatternMemory, SpanRange};
use super::automata::positions::PositionScratch;
use super::plan::span_prefilter;

/// The automata of a set's patterns, each built on first use and shared by all scanners. Cheap to
/// clone.
#[derive(Clone, Debug)]
pub(crate) struct SpanEngine {
    set: PatternSet,
    automata: Arc<[PatternAutomata]>,
}

impl SpanEngine {
    pub(crate) fn new(set: &PatternSet) -> SpanEngine {
        let automata = (0..set.len()).map(|_| PatternAutomata::default()).collect();
        SpanEngine { set: set.clone(), automata }
    }

    /// A finder for one thread.
    pub(crate) fn finder(&self) -> SpanFinder {
        let caches = std::iter::repeat_with(PatternCache::default).take(self.set.len()).collect();
        SpanFinder { engine: self.clone(), caches, scratch: Box::default() }
    }
}

/// Finds spans, for one thread.
#[derive(Debug)]
pub(crate) struct SpanFinder {
    engine: SpanEngine,
    caches: Vec<PatternCache>,
    scratch: Box<PositionScratch>,
}

impl SpanFinder {
    /// Pushes the spans of pattern number `pattern` in `record` to `out`, in order: leftmost-first
    /// and not overlapping. Stops when `out` ends the scan. `record_number` is the record number of
    /// the matches.
    pub(crate) fn find(
        &mut self,
        pattern: u32,
        record_number: u32,
        record: &[u8],
        out: &mut impl Sink,
    ) -> ControlFlow<()> {
        let index = pattern as usize;
        let hir = self.engine.set.hir(index);
        let memory =
            &mut PatternMemory { cache: &mut self.caches[index], scratch: &mut self.scratch };
        let automata = &self.engine.automata[index];
        automata.for_each_span(
            hir,
            || span_prefilter(hir),
            memory,
            SpanRange { record, starts: 0..=record.len() },
            &mut 0,
            |span| {
                // Offsets fit in 32 bits, because a record is shorter than 2^32 bytes.
                out.push(Match::new(record_number, pattern, span.start as u32..span.end as u32))
            },
        )
    }
}
