//! The working memory of one pattern's automata in a scanner, and how much it has used them.
//!
//! A part of a pattern that is small enough has a [position automaton](super::positions), which needs none of
//! this, and a lazy DFA that [takes its place](super::positions_use) where a scanner reads much with it. A
//! larger part has the lazy DFA alone, besides what [`PatternAutomata`](super::pattern::PatternAutomata)
//! tries before and after it.

use regex_automata::hybrid::dfa;
use regex_automata::nfa::thompson::pikevm;

use super::lazy_search::Undecided;
use super::positions::{Backtracking, PositionScratch};
use super::positions_use::PositionsUse;
use super::spans::SpanCache;

/// A part of a pattern that is verified by itself.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    Trimmed,
    Head,
    Tail,
}

/// The working memory of one pattern's automata. Each scanner has its own. Empty as long as only
/// position automata are used.
#[derive(Debug, Default)]
pub(crate) struct PatternCache {
    /// By [`Part`].
    parts: [PartCache; 3],
    pub(super) leading_literal: Option<Box<dfa::Cache>>,
    /// Whether a lazy DFA has given up where a memo or a large position automaton decides instead. No lazy
    /// DFA is tried again then.
    pub(super) abandoned: bool,
    pub(super) simulation: Option<Box<pikevm::Cache>>,
    pub(super) spans: Option<Box<SpanCache>>,
    pub(super) span_backtracking: Backtracking,
    /// The number of searches with a memo, but for spans, that came before the lazy DFA.
    pub(super) memo_searches: u32,
    /// Whether the memory may have changed since the verifier measured it last. It does so after each use, and this
    /// structure takes several cache lines, of which most uses touch one or two. Every method that hands out memory sets
    /// it, but for the backtracking of spans, which says so itself and rarely changes it.
    pub(crate) is_unmeasured: bool,
}

/// The working memory of one part.
#[derive(Debug, Default)]
struct PartCache {
    dfa: Option<Box<dfa::Cache>>,
    /// How much the position automaton was used.
    positions_use: PositionsUse,
    /// Of parts that are too large for a position automaton.
    backtracking: Backtracking,
}

/// The working memory that a search uses: that of its pattern, and that of all patterns.
pub(crate) struct PatternMemory<'a> {
    pub(crate) cache: &'a mut PatternCache,
    pub(crate) scratch: &'a mut PositionScratch,
    /// Whether there is memory for the caches of more lazy DFAs in place of position automata.
    pub(crate) may_grow: bool,
    /// The number of the chunk of text that is scanned, of [`TEXT_CHUNK`](super::positions_use::TEXT_CHUNK) bytes. Wraps
    /// around.
    pub(crate) chunk: u32,
}

impl<'a> PatternMemory<'a> {
    /// For searches outside of a scanner, whose caller limits the memory.
    pub(crate) fn without_limit(
        cache: &'a mut PatternCache,
        scratch: &'a mut PositionScratch,
    ) -> PatternMemory<'a> {
        PatternMemory { cache, scratch, may_grow: true, chunk: 0 }
    }

    /// Decides whether a part with a position automaton matches: by that, or by the lazy DFA that has taken
    /// its place. Both searches add to `steps`.
    #[inline]
    pub(super) fn decide<'d>(
        &mut self,
        part: Part,
        dfa: impl FnOnce() -> Option<&'d dfa::DFA>,
        by_dfa: impl FnOnce(&dfa::DFA, &mut dfa::Cache, &mut u64) -> Result<bool, Undecided>,
        by_positions: impl FnOnce(&mut PositionScratch, &mut u64) -> bool,
        steps: &mut u64,
    ) -> bool {
        let PartCache { dfa: cache, positions_use, .. } = &self.cache.parts[part as usize];
        if positions_use.prefers_dfa()
            && (self.may_grow || cache.is_some())
            && !self.cache.abandoned
        {
            if let Some(found) = self.by_dfa(part, dfa, by_dfa, steps) {
                return found;
            }
            let PartCache { dfa, positions_use, .. } = &mut self.cache.parts[part as usize];
            *dfa = None;
            positions_use.fail_dfa();
        }
        let PartCache { positions_use, .. } = &mut self.cache.parts[part as usize];
        positions_use.count(self.chunk, steps, |steps| by_positions(self.scratch, steps))
    }

    /// What backtracking for a part works with.
    pub(super) fn backtracking(&mut self, part: Part) -> (&mut Backtracking, &mut PositionScratch) {
        self.cache.is_unmeasured = true;
        (&mut self.cache.parts[part as usize].backtracking, self.scratch)
    }

    /// Decides by its lazy DFA whether a part matches, unless there is none or it can't decide.
    #[inline]
    pub(super) fn by_dfa<'d>(
        &mut self,
        part: Part,
        dfa: impl FnOnce() -> Option<&'d dfa::DFA>,
        search: impl FnOnce(&dfa::DFA, &mut dfa::Cache, &mut u64) -> Result<bool, Undecided>,
        steps: &mut u64,
    ) -> Option<bool> {
        if self.cache.abandoned {
            return None;
        }
        let dfa = dfa()?;
        self.cache.is_unmeasured = true;
        let cache = &mut self.cache.parts[part as usize].dfa;
        search(dfa, cache.get_or_insert_with(|| dfa.create_cache().into()), steps).ok()
    }
}

impl PatternCache {
    /// Frees the memory of all automata. What is known of their usefulness is kept.
    pub(crate) fn clear(&mut self) {
        for PartCache { dfa, positions_use, backtracking } in &mut self.parts {
            *dfa = None;
            // The automata that need no memory are used for a while.
            positions_use.restart();
            backtracking.restart();
        }
        (self.leading_literal, self.simulation) = (None, None);
        if let Some(spans) = &mut self.spans {
            spans.clear();
        }
        self.span_backtracking.restart();
        self.memo_searches = 0;
    }

    pub(super) fn abandon_dfas(&mut self) {
        (self.abandoned, self.is_unmeasured) = (true, true);
        self.parts.iter_mut().for_each(|part| part.dfa = None);
        self.leading_literal = None;
    }

    #[cfg(test)]
    pub(super) fn has_dfas(&self) -> bool {
        self.parts[Part::Trimmed as usize].dfa.is_some() && !self.abandoned
    }

    #[cfg(test)]
    pub(super) fn has_span_dfa(&self) -> bool {
        self.span_backtracking.memory() > 0
    }

    pub(super) fn spans(&mut self) -> &mut SpanCache {
        self.is_unmeasured = true;
        self.spans.get_or_insert_default()
    }

    /// Memory in bytes.
    pub(crate) fn memory(&self) -> usize {
        let dfas = self.parts.iter().map(|part| &part.dfa).chain([&self.leading_literal]);
        let backtracking = self.parts.iter().map(|part| &part.backtracking);
        dfas.flatten().map(|cache| cache.memory_usage()).sum::<usize>()
            + backtracking.map(Backtracking::memory).sum::<usize>()
            + self.span_backtracking.memory()
            + self.simulation.as_ref().map_or(0, |cache| cache.memory_usage())
            + self.spans.as_ref().map_or(0, |spans| spans.memory())
    }
}
