//! The automata that find the spans of one pattern.
//!
//! In records of ordinary length, spans are found by [backtracking](super::positions), or by a DFA in its place
//! where a scanner backtracks much. Longer records, and those in which that takes too long, are searched span by
//! span with a forward and a reverse lazy DFA. Where these give up in a long record, backtracking is tried too, and
//! then an NFA simulation. Where all searches of a record together have taken too many steps, a two-pass search
//! finds every remaining span at once. The loop over the spans, which switches from one to the next, is in
//! [`span_search`](super::span_search).

use std::ops::{ControlFlow, Range};
use std::sync::OnceLock;

use regex_automata::hybrid::dfa;
use regex_automata::nfa::thompson::NFA;
use regex_automata::{Anchored, Input, MatchKind};
use regex_syntax::hir::Hir;

use super::lazy_dfa::{LARGE_CACHE_CAPACITY, build, build_for_pattern, compile, compile_reverse};
use super::lazy_search::{self, SpanDfas, leftmost_span};
use super::pattern::PatternMemory;
use super::positions::Program;
use super::span_cursor::SpanCursor;
use super::span_prefilter::CandidatePositions;
use super::start_search::{StartSearch, Starts};
use super::{span_simulation, two_pass};

/// The lazy DFAs cannot decide.
#[derive(Debug)]
pub(super) struct Undecided;

/// The automata for the spans of one pattern, each built on first use. Shared by all scanners.
#[derive(Debug, Default)]
pub(super) struct SpanAutomata {
    /// Whether the lazy DFAs have [`LARGE_CACHE_CAPACITY`].
    large_caches: bool,
    program: OnceLock<Option<Box<Program>>>,
    nfa: OnceLock<NFA>,
    forward: OnceLock<Option<Box<dfa::DFA>>>,
    reverse: OnceLock<Option<Box<dfa::DFA>>>,
    two_pass: OnceLock<Box<two_pass::TwoPass>>,
    starts: OnceLock<Option<Box<StartSearch>>>,
}

/// The working memory for the spans of one pattern. Each scanner has its own.
#[derive(Debug, Default)]
pub(super) struct SpanCache {
    forward: Option<Box<dfa::Cache>>,
    reverse: Option<Box<dfa::Cache>>,
    /// Of the head of a [`StartSearch`].
    pub(super) head: Option<Box<dfa::Cache>>,
    simulation: span_simulation::SimulationCache,
    two_pass: two_pass::TwoPassCache,
    /// Whether the lazy DFAs have failed in some record.
    pub(super) dfas_failed: bool,
    pub(super) positions: CandidatePositions,
}

impl SpanAutomata {
    /// With more memory for the lazy DFAs.
    pub(super) fn with_large_caches() -> SpanAutomata {
        SpanAutomata { large_caches: true, ..SpanAutomata::default() }
    }

    /// Builds what finds the spans of short records.
    pub(super) fn build(&self, hir: &Hir) {
        self.program(hir);
    }

    /// Whether what finds the spans of short records was built, here or on first use.
    #[inline]
    pub(super) fn is_built(&self) -> bool {
        self.program.get().is_some()
    }

    /// Memory of what [`SpanAutomata::build`] has built, in bytes.
    pub(super) fn memory(&self) -> usize {
        self.program.get().and_then(Option::as_ref).map_or(0, |program| program.memory())
    }

    /// Calls `found` with the spans of a record from `cursor.at` on, none of which starts after
    /// `last`, until `found` returns `Break`. Returns `None` if spans from `cursor.at` on are still to
    /// be found in another way.
    pub(super) fn by_backtracking(
        &self,
        hir: &Hir,
        memory: &mut PatternMemory<'_>,
        record: &[u8],
        last: usize,
        cursor: &mut SpanCursor,
        found: &mut impl FnMut(Range<usize>) -> ControlFlow<()>,
    ) -> Option<ControlFlow<()>> {
        let program = self.program(hir)?;
        let PatternMemory { cache, scratch, may_grow, .. } = memory;
        let history = &mut cache.span_backtracking;
        let flow = program.spans(history, scratch, *may_grow, (record, last), cursor, found);
        cache.is_unmeasured |= history.take_changed();
        flow.ok()
    }

    /// Finds the leftmost-first span of `record` from `cursor.at` on with lazy DFAs, without moving the
    /// cursor. Fails if they cannot decide, and from then on in this record.
    pub(super) fn leftmost(
        &self,
        hir: &Hir,
        cache: &mut SpanCache,
        record: &[u8],
        cursor: &mut SpanCursor,
    ) -> Result<Option<Range<usize>>, Undecided> {
        if !cursor.dfas_failed
            && let (Some(forward), Some(reverse)) = (self.forward(hir), self.reverse(hir))
        {
            let mut dfas = SpanDfas {
                forward,
                forward_cache: cache.forward.get_or_insert_with(|| forward.create_cache().into()),
                reverse,
                reverse_cache: cache.reverse.get_or_insert_with(|| reverse.create_cache().into()),
            };
            if let Ok(found) = leftmost_span(&mut dfas, record, cursor.at, &mut cursor.steps) {
                return Ok(found);
            }
        }
        cursor.dfas_failed = true;
        cache.dfas_failed = true;
        Err(Undecided)
    }

    /// The end of the leftmost-first match that starts at `start`, or `None` if there is none. Adds the
    /// bytes read to `steps`.
    pub(super) fn end_at(
        &self,
        hir: &Hir,
        cache: &mut SpanCache,
        record: &[u8],
        start: usize,
        steps: &mut u64,
    ) -> Result<Option<usize>, lazy_search::Undecided> {
        let dfa = self.forward(hir).ok_or(lazy_search::Undecided)?;
        let cache = cache.forward.get_or_insert_with(|| dfa.create_cache().into());
        let input = Input::new(record).range(start..).anchored(Anchored::Yes);
        lazy_search::leftmost_end(dfa, cache, &input, steps)
    }

    /// As [`SpanAutomata::leftmost`], with a simulation, which always decides.
    pub(super) fn simulate(
        &self,
        hir: &Hir,
        cache: &mut SpanCache,
        record: &[u8],
        cursor: &mut SpanCursor,
    ) -> Option<Range<usize>> {
        let (simulation, from) = (&mut cache.simulation, cursor.at);
        span_simulation::leftmost_span(self.nfa(hir), simulation, record, from, &mut cursor.steps)
    }

    /// Calls `found` with every span of `record` from `cursor.at` on, until `found` returns
    /// `Break`. Takes time linear in the record, whatever the pattern is.
    pub(super) fn remaining(
        &self,
        hir: &Hir,
        cache: &mut SpanCache,
        record: &[u8],
        cursor: &mut SpanCursor,
        found: &mut impl FnMut(Range<usize>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        self.two_pass
            .get_or_init(|| two_pass::TwoPass::new(self.nfa(hir).clone()).into())
            .for_each_span(&mut cache.two_pass, record, cursor, found)
    }

    /// The offsets of a record at which matches can start, if there is a fast way to find them. `build` is
    /// called at most once.
    pub(super) fn starts<'a>(
        &'a self,
        hir: &'a Hir,
        build: impl FnOnce() -> Option<StartSearch>,
        cache: &'a mut SpanCache,
        record: &'a [u8],
    ) -> Option<Starts<'a>> {
        let search = self.starts.get_or_init(|| build().map(Box::new)).as_deref()?;
        Some(Starts::new(search, (self, hir), cache, record))
    }

    fn program(&self, hir: &Hir) -> Option<&Program> {
        self.program.get_or_init(|| Program::new(hir).map(Box::new)).as_deref()
    }

    fn nfa(&self, hir: &Hir) -> &NFA {
        self.nfa.get_or_init(|| compile(&[hir]))
    }

    fn forward(&self, hir: &Hir) -> Option<&dfa::DFA> {
        self.forward
            .get_or_init(|| self.build_dfa(self.nfa(hir).clone(), MatchKind::LeftmostFirst))
            .as_deref()
    }

    fn reverse(&self, hir: &Hir) -> Option<&dfa::DFA> {
        self.reverse.get_or_init(|| self.build_dfa(compile_reverse(hir), MatchKind::All)).as_deref()
    }

    fn build_dfa(&self, nfa: NFA, kind: MatchKind) -> Option<Box<dfa::DFA>> {
        match self.large_caches {
            true => build(nfa, kind, LARGE_CACHE_CAPACITY).map(Box::new),
            false => build_for_pattern(nfa, kind),
        }
    }
}

impl SpanCache {
    /// Frees the memory. What has failed is not tried again.
    pub(super) fn clear(&mut self) {
        *self = SpanCache { dfas_failed: self.dfas_failed, ..SpanCache::default() };
    }

    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        let dfas = [&self.forward, &self.reverse, &self.head];
        dfas.into_iter().flatten().map(|cache| cache.memory_usage()).sum::<usize>()
            + self.simulation.memory()
            + self.two_pass.memory()
            + self.positions.memory()
    }
}
