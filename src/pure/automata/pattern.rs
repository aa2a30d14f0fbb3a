//! The automata of one pattern, built when first needed, and their working memory.

use std::ops::{ControlFlow, Range};
use std::sync::OnceLock;

use regex_automata::hybrid::dfa;
use regex_automata::nfa::thompson::{NFA, pikevm};
use regex_automata::{Anchored, Input, MatchKind};
use regex_syntax::hir::Hir;

use super::lazy_dfa::{
    BYTES_PER_STATE, BYTES_PER_STATE_OF_CHAIN, CACHE_CAPACITY, CACHE_CLEARS, compile, lazy_dfa,
    lazy_dfa_with,
};
use super::shift_and::Chain;
use super::span_prefilter::{Places, Spotter};
use super::{nfa_simulation, spans, two_pass};

/// The automata of one pattern. Shared by all scanners.
///
/// Whether the pattern matches is asked of its trimmed form, where it matches of the whole one.
#[derive(Debug, Default)]
pub(crate) struct Automaton {
    trimmed_nfa: OnceLock<NFA>,
    trimmed: OnceLock<Option<Box<dfa::DFA>>>,
    head: OnceLock<Option<Box<dfa::DFA>>>,
    tail: OnceLock<Option<Box<dfa::DFA>>>,
    chain: OnceLock<Option<Chain>>,
    nfa: OnceLock<NFA>,
    forward: OnceLock<Option<Box<dfa::DFA>>>,
    reverse: OnceLock<Option<Box<dfa::DFA>>>,
    simulation: OnceLock<Box<pikevm::PikeVM>>,
    linear: OnceLock<Box<two_pass::Linear>>,
    spotter: OnceLock<Option<Box<Spotter>>>,
}

/// The working memory of one pattern's automata. Each scanner has its own.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    trimmed: Option<Box<dfa::Cache>>,
    head: Option<Box<dfa::Cache>>,
    tail: Option<Box<dfa::Cache>>,
    forward: Option<Box<dfa::Cache>>,
    reverse: Option<Box<dfa::Cache>>,
    simulation: Option<Box<pikevm::Cache>>,
    spans: Option<Box<SpanCache>>,
}

/// The part of the working memory that only spans need.
#[derive(Debug, Default)]
struct SpanCache {
    linear: two_pass::Cache,
    one: nfa_simulation::Cache,
    places: Places,
}

impl Automaton {
    /// Whether a match lies within `span` of `record`.
    pub(crate) fn is_match(
        &self,
        trimmed: &Hir,
        cache: &mut Cache,
        record: &[u8],
        span: Range<usize>,
    ) -> bool {
        let input = Input::new(record).span(span.clone()).earliest(true);
        if let Some(dfa) = self.trimmed(trimmed) {
            let cache = cache.trimmed.get_or_insert_with(|| dfa.create_cache().into());
            // An error says that the DFA can't tell, for a byte that is not ASCII beside a
            // Unicode word boundary, or that it makes too many states to be worth while.
            if let Ok(found) = dfa.try_search_fwd(cache, &input) {
                return found.is_some();
            }
        }
        if let Some(chain) = self.chain(trimmed) {
            return chain.is_match(&record[span]);
        }
        self.simulate(trimmed, cache, input)
    }

    /// Whether a match starts at `span.start` and lies within `span` of `record`. Adds to `steps`
    /// how many bytes were read to tell.
    pub(crate) fn is_match_at(
        &self,
        trimmed: &Hir,
        cache: &mut Cache,
        record: &[u8],
        span: Range<usize>,
        steps: &mut u64,
    ) -> bool {
        let input = Input::new(record).span(span.clone()).anchored(Anchored::Yes).earliest(true);
        if let Some(dfa) = self.trimmed(trimmed) {
            let cache = cache.trimmed.get_or_insert_with(|| dfa.create_cache().into());
            if let Ok(found) = spans::starts_with_match(dfa, cache, &input, steps) {
                return found;
            }
        }
        // A simulation is dear, and not to be run from one place after the other: it counts for so
        // much that the rest of the record is soon searched once instead.
        *steps += spans::budget(record) + 1;
        self.simulate(trimmed, cache, input)
    }

    /// Whether a match of `tail`, which is a part of the pattern, starts at `start`. `None` if a
    /// DFA can't tell. Adds to `steps` how many bytes were read.
    pub(crate) fn tail_is_at(
        &self,
        tail: &Hir,
        cache: &mut Cache,
        record: &[u8],
        start: usize,
        steps: &mut u64,
    ) -> Option<bool> {
        let build = || lazy_dfa(compile(&[tail], false), MatchKind::LeftmostFirst);
        let dfa = self.tail.get_or_init(build).as_ref()?;
        let cache = cache.tail.get_or_insert_with(|| dfa.create_cache().into());
        let input = Input::new(record).range(start..).anchored(Anchored::Yes);
        spans::starts_with_match(dfa, cache, &input, steps).ok()
    }

    /// As [`Automaton::tail_is_at`], whether a match of `head` ends at `end`.
    pub(crate) fn head_is_before(
        &self,
        head: &Hir,
        cache: &mut Cache,
        record: &[u8],
        end: usize,
        steps: &mut u64,
    ) -> Option<bool> {
        let build = || lazy_dfa(compile(&[head], true), MatchKind::All);
        let dfa = self.head.get_or_init(build).as_ref()?;
        let cache = cache.head.get_or_insert_with(|| dfa.create_cache().into());
        spans::ends_with_match(dfa, cache, record, end, steps).ok()
    }

    fn simulate(&self, trimmed: &Hir, cache: &mut Cache, input: Input<'_>) -> bool {
        let simulation = self.simulation.get_or_init(|| {
            let nfa = self.trimmed_nfa(trimmed).clone();
            pikevm::PikeVM::new_from_nfa(nfa).expect("every NFA can be simulated").into()
        });
        let cache = cache.simulation.get_or_insert_with(|| simulation.create_cache().into());
        simulation.is_match(cache, input)
    }

    /// Calls `found` with the spans of the pattern in `record`: leftmost-first, non-overlapping,
    /// in order, until it breaks. Adds to `steps` how many automata took. Takes time linear in the
    /// record, and memory that does not depend on how many spans there are.
    pub(crate) fn spans(
        &self,
        hir: &Hir,
        cache: &mut Cache,
        record: &[u8],
        steps: &mut u64,
        mut found: impl FnMut(Range<usize>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut progress = spans::Progress::default();
        let flow = self.all_spans(hir, cache, record, &mut progress, &mut found);
        *steps += progress.steps;
        flow
    }

    fn all_spans(
        &self,
        hir: &Hir,
        cache: &mut Cache,
        record: &[u8],
        progress: &mut spans::Progress,
        found: &mut impl FnMut(Range<usize>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let budget = spans::budget(record);
        let spotter = self.spotter.get_or_init(|| Spotter::new(hir).map(Box::new)).as_deref();
        if spotter.is_some() {
            cache.spans().places.clear();
        }
        // The DFAs are not asked again in this record once they could not tell.
        let mut fit = true;
        while progress.at <= record.len() && progress.steps <= budget {
            if let Some(spotter) = spotter
                && !self.spot(spotter, cache, record, progress, budget)
            {
                return ControlFlow::Continue(());
            }
            let Some(span) = self.find_one(hir, cache, record, progress, &mut fit) else {
                return ControlFlow::Continue(());
            };
            if progress.accept(&span) {
                found(span)?;
            }
        }
        // All searches together take too long.
        let linear =
            self.linear.get_or_init(|| two_pass::Linear::new(self.nfa(hir).clone()).into());
        linear.find(&mut cache.spans().linear, record, progress, found)
    }

    /// Moves `progress` on to where the next span can start, or returns `false` if there is none.
    /// May stop short if it runs out of `budget`.
    fn spot(
        &self,
        spotter: &Spotter,
        cache: &mut Cache,
        record: &[u8],
        progress: &mut spans::Progress,
        budget: u64,
    ) -> bool {
        // A match from here on holds a match of the trimmed form from here on.
        let mut at = progress.at;
        while let Some(place) = spotter.next_place(record, &mut cache.spans().places, at) {
            let rest = place..record.len();
            if progress.steps > budget
                || self.is_match_at(&spotter.trimmed, cache, record, rest, &mut progress.steps)
            {
                let from = spotter.head.map_or(0, |head| place.saturating_sub(head as usize));
                progress.at = progress.at.max(from);
                return true;
            }
            at = place + 1;
        }
        false
    }

    /// The leftmost-first span from `progress.at` on.
    fn find_one(
        &self,
        hir: &Hir,
        cache: &mut Cache,
        record: &[u8],
        progress: &mut spans::Progress,
        fit: &mut bool,
    ) -> Option<Range<usize>> {
        if *fit && let (Some(forward), Some(reverse)) = (self.forward(hir), self.reverse(hir)) {
            let mut dfas = spans::Dfas {
                forward,
                forward_cache: cache.forward.get_or_insert_with(|| forward.create_cache().into()),
                reverse,
                reverse_cache: cache.reverse.get_or_insert_with(|| reverse.create_cache().into()),
            };
            if let Ok(found) = spans::find_one(&mut dfas, record, progress) {
                return found;
            }
        }
        *fit = false;
        let start = progress.at;
        let one = &mut cache.spans().one;
        nfa_simulation::find_one(self.nfa(hir), one, record, start, &mut progress.steps)
    }

    fn trimmed_nfa(&self, trimmed: &Hir) -> &NFA {
        self.trimmed_nfa.get_or_init(|| compile(&[trimmed], false))
    }

    fn trimmed(&self, trimmed: &Hir) -> Option<&dfa::DFA> {
        self.trimmed
            .get_or_init(|| {
                let nfa = self.trimmed_nfa(trimmed).clone();
                let chain = Chain::fits(trimmed);
                let bytes = if chain { BYTES_PER_STATE_OF_CHAIN } else { BYTES_PER_STATE };
                let give_up = Some((CACHE_CLEARS, bytes));
                lazy_dfa_with(nfa, MatchKind::LeftmostFirst, CACHE_CAPACITY, give_up).map(Box::new)
            })
            .as_deref()
    }

    /// The pattern as a chain, if it is just that. Made when its DFA has given up.
    fn chain(&self, trimmed: &Hir) -> Option<&Chain> {
        self.chain.get_or_init(|| Chain::new(trimmed).filter(|chain| chain.exact)).as_ref()
    }

    fn nfa(&self, hir: &Hir) -> &NFA {
        self.nfa.get_or_init(|| compile(&[hir], false))
    }

    fn forward(&self, hir: &Hir) -> Option<&dfa::DFA> {
        self.forward
            .get_or_init(|| lazy_dfa(self.nfa(hir).clone(), MatchKind::LeftmostFirst))
            .as_deref()
    }

    fn reverse(&self, hir: &Hir) -> Option<&dfa::DFA> {
        self.reverse.get_or_init(|| lazy_dfa(compile(&[hir], true), MatchKind::All)).as_deref()
    }
}

impl Cache {
    fn spans(&mut self) -> &mut SpanCache {
        self.spans.get_or_insert_default()
    }

    /// Memory in bytes.
    pub(crate) fn memory(&self) -> usize {
        let dfas = [&self.trimmed, &self.head, &self.tail, &self.forward, &self.reverse];
        dfas.into_iter().flatten().map(|cache| cache.memory_usage()).sum::<usize>()
            + self.simulation.as_ref().map_or(0, |cache| cache.memory_usage())
            + self.spans.as_ref().map_or(0, |spans| spans.memory())
    }
}

impl SpanCache {
    fn memory(&self) -> usize {
        self.linear.memory() + self.one.memory() + self.places.memory()
    }
}
