//! The automata of one pattern, and whether it matches. Where it matches is found by
//! [`span_search`](super::span_search).
//!
//! A pattern is verified at candidates that a filter has found, in four ways: anywhere within a
//! window, starting at a position, or by its parts on either side of a literal, a tail that starts
//! there and a head that ends there. There are three [position automata](super::positions) for
//! that: one of the trimmed form, for both of the first two ways, one of the tail, and one of the
//! head, which reads backward. The first way also decides the patterns without a filter that their
//! [group](super::group_scanner) leaves undecided; the window is then the whole record.
//!
//! Where a scanner reads many bytes with one of them, a lazy DFA [takes its
//! place](super::positions_use), unless the DFA keeps reaching new states.
//!
//! A pattern with more than a few hundred positions, or with a class of very many characters, as Unicode's
//! `\w`, has lazy DFAs alone. Of the large ones, all parts but the head are first searched by
//! backtracking for a while, since building the states of a DFA takes long. A lazy DFA gives up if
//! it keeps reaching new states; then the scanner searches the whole pattern by backtracking with a
//! memo or with a large position automaton from now on, or, where that is impossible too, with an
//! NFA simulation. A head or a tail has no such fallback: the caller verifies the whole pattern
//! instead.
//!
//! What verifies most candidates is built with the engine ([`PatternAutomata::build`]): position automata and,
//! for large patterns, the programs of backtracking. So is what finds spans if they are reported
//! ([`PatternAutomata::build_spans`]). That takes a tenth of the time that the plan takes, and on first
//! use it would be most of the time of a first scan. All other automata are built on first use, since a
//! set may have thousands of patterns of which a scan needs a handful. All are immutable and shared by
//! all scanners of an engine; the caches of lazy DFAs belong to one scanner.
//!
//! # Forms of a pattern
//!
//! Whether a pattern matches is decided with its *trimmed* form (`trimmed` below), which lacks the
//! optional parts at both ends of the pattern. It matches in exactly the same records and has
//! smaller automata. Spans need the pattern as it was written (`hir`). Neither form is stored here:
//! the caller passes them, and must pass the same ones in every call.
//!
//! # Steps
//!
//! Each method adds to `steps` how many bytes its automata have read; a byte counts once for each
//! word of the state of a position automaton. The callers limit the sum
//! over a record, which keeps the time linear even if every position is a candidate.

use std::ops::Range;
use std::sync::OnceLock;

use regex_automata::hybrid::dfa;
use regex_automata::nfa::thompson::{NFA, pikevm};
use regex_automata::{Anchored, Input, MatchKind};
use regex_syntax::hir::{Hir, HirKind};

use super::lazy_dfa::{build_for_pattern, build_instead_of_positions, compile, compile_reverse};
use super::lazy_search;
use super::leading_literal::{ContainedLiteral, LeadingLiteral};
use super::pattern_memory::Part;
pub(crate) use super::pattern_memory::{PatternCache, PatternMemory};
use super::positions::{BackwardPositions, ForwardPositions, PositionScratch, Program};
use super::span_cursor::step_budget;
use super::span_prefilter::SpanPrefilter;
use super::spans::SpanAutomata;

/// The longest record that is searched by backtracking, in bytes. In long records the literals of a
/// pattern skip most of them. A guess: no other limit was measured.
pub(super) const MAX_RECORD: usize = 4096;

/// The number of searches with a memo before the first one with a lazy DFA, in each scanner, of a
/// pattern that is too large for a position automaton. A DFA is faster once its states are built, but
/// most such patterns are verified a few times only. Measured with the rules of uap-core: user agents
/// 1.3 times as fast on the first pass of an engine and 1.2 times on that of another scanner; payloads
/// of attacks 1.15 times on the first pass. With the OWASP core rule set over logs, 3% are lost.
const SEARCHES_BEFORE_DFA: u32 = 64;

/// The automata of one pattern. Shared by all scanners.
#[derive(Debug, Default)]
pub(crate) struct PatternAutomata {
    trimmed: OnceLock<Option<ForwardPositions>>,
    tail: OnceLock<Option<ForwardPositions>>,
    head: OnceLock<Option<BackwardPositions>>,
    /// The trimmed form, if that is too large for `trimmed`.
    large: OnceLock<Option<ForwardPositions>>,
    /// The same, for backtracking.
    program: OnceLock<Option<Box<Program>>>,
    /// The tail, if that is too large for `tail`.
    tail_program: OnceLock<Option<Box<Program>>>,
    trimmed_nfa: OnceLock<NFA>,
    trimmed_dfa: OnceLock<Option<Box<dfa::DFA>>>,
    head_dfa: OnceLock<Option<Box<dfa::DFA>>>,
    tail_dfa: OnceLock<Option<Box<dfa::DFA>>>,
    /// The trimmed form, if it starts with a literal.
    leading_literal: OnceLock<Option<Box<LeadingLiteral>>>,
    simulation: OnceLock<Box<pikevm::PikeVM>>,
    pub(super) spans: SpanAutomata,
    /// A literal that every span contains.
    pub(super) span_literal: OnceLock<Option<Box<ContainedLiteral>>>,
    pub(super) span_prefilter: OnceLock<Option<Box<SpanPrefilter>>>,
}

impl PatternAutomata {
    /// With more memory for the lazy DFAs that find spans.
    pub(crate) fn with_large_caches() -> PatternAutomata {
        let spans = SpanAutomata::with_large_caches();
        PatternAutomata { spans, ..PatternAutomata::default() }
    }

    /// Builds what verifies candidates: position automata, or for parts that are too large for them the programs
    /// of backtracking, of the head and the tail if the pattern is verified in these `parts`, else of the
    /// trimmed form. Other automata are built on first use.
    ///
    /// With programs that were built on first use, the first pass over 200 KB of attack payloads took 1.3 times
    /// as long with uap-core's rules and 1.2 times with the OWASP core rule set. No difference was seen in the
    /// time to build the engine. A program has up to some hundred kilobytes.
    pub(crate) fn build(&self, trimmed: &Hir, parts: Option<(&Hir, &Hir)>) {
        match parts {
            None if self.trimmed(trimmed).is_none() => _ = self.program(trimmed),
            None => {}
            Some((head, tail)) => {
                self.head(head);
                if self.tail(tail).is_none() {
                    self.tail_program(tail);
                }
            }
        }
    }

    /// Builds what finds the spans of the pattern in records of ordinary length.
    pub(crate) fn build_spans(&self, hir: &Hir) {
        if !matches!(hir.kind(), HirKind::Literal(_)) {
            self.spans.build(hir);
        }
    }

    /// Memory of the automata that [`PatternAutomata::build`] and [`PatternAutomata::build_spans`] build, in
    /// bytes.
    pub(crate) fn memory(&self) -> usize {
        let forward =
            [&self.trimmed, &self.tail].into_iter().filter_map(|cell| cell.get()?.as_ref());
        let backward = self.head.get().and_then(Option::as_ref);
        let programs = [&self.program, &self.tail_program];
        let programs = programs.into_iter().filter_map(|cell| cell.get()?.as_deref());
        size_of::<PatternAutomata>()
            + programs.map(Program::memory).sum::<usize>()
            + forward.map(ForwardPositions::memory).sum::<usize>()
            + backward.map_or(0, BackwardPositions::memory)
            + self.spans.memory()
    }

    /// Tests whether a match lies within `span` of `record`.
    pub(crate) fn is_match(
        &self,
        trimmed: &Hir,
        memory: &mut PatternMemory<'_>,
        record: &[u8],
        span: Range<usize>,
    ) -> bool {
        let input = || Input::new(record).span(span.clone()).earliest(true);
        let dfa = || self.trimmed_dfa(trimmed);
        let by_dfa = |dfa: &dfa::DFA, cache: &mut dfa::Cache, _: &mut u64| {
            let end = dfa.try_search_fwd(cache, &input());
            end.map(|end| end.is_some()).map_err(|_| lazy_search::Undecided)
        };
        if let Some(automaton) = self.trimmed(trimmed) {
            let by_positions = |scratch: &mut PositionScratch, steps: &mut u64| {
                automaton.is_match(scratch, record, span.clone(), steps)
            };
            return memory.decide(Part::Trimmed, dfa, by_dfa, by_positions, &mut 0);
        }
        if let Some(found) =
            by_backtracking(Part::Trimmed, || self.program(trimmed), memory, &input(), &mut 0)
        {
            return found;
        }
        if let Some(found) = memory.by_dfa(Part::Trimmed, dfa, by_dfa, &mut 0) {
            return found;
        }
        if let Some(program) = self.program(trimmed) {
            let (history, scratch) = memory.backtracking(Part::Trimmed);
            if let Ok(found) = program.is_match_with_memo(history, scratch, &input(), &mut 0) {
                memory.cache.abandon_dfas();
                return found;
            }
        }
        if let Some(automaton) = self.large(trimmed) {
            memory.cache.abandon_dfas();
            return automaton.is_match(memory.scratch, record, span, &mut 0);
        }
        self.simulate(trimmed, memory.cache, input())
    }

    /// Tests whether a match starts at `span.start` and lies within `span` of `record`.
    pub(crate) fn is_match_at(
        &self,
        trimmed: &Hir,
        memory: &mut PatternMemory<'_>,
        record: &[u8],
        span: Range<usize>,
        steps: &mut u64,
    ) -> bool {
        let input = || Input::new(record).span(span.clone()).anchored(Anchored::Yes).earliest(true);
        let dfa = || self.trimmed_dfa(trimmed);
        let by_dfa = |dfa: &dfa::DFA, cache: &mut dfa::Cache, steps: &mut u64| {
            lazy_search::starts_at(dfa, cache, &input(), steps)
        };
        if let Some(automaton) = self.trimmed(trimmed) {
            let by_positions = |scratch: &mut PositionScratch, steps: &mut u64| {
                automaton.starts_at(scratch, record, span.clone(), steps)
            };
            return memory.decide(Part::Trimmed, dfa, by_dfa, by_positions, steps);
        }
        if let Some(found) =
            by_backtracking(Part::Trimmed, || self.program(trimmed), memory, &input(), steps)
        {
            return found;
        }
        let new_parts = || LeadingLiteral::new(trimmed).map(Box::new);
        if !memory.cache.abandoned
            && let Some(parts) = self.leading_literal.get_or_init(new_parts)
        {
            memory.cache.is_unmeasured = true;
            let cache = &mut memory.cache.leading_literal;
            if let Ok(found) = parts.starts_at(cache, record, span.clone(), steps) {
                return found;
            }
        }
        if let Some(found) = memory.by_dfa(Part::Trimmed, dfa, by_dfa, steps) {
            return found;
        }
        if let Some(automaton) = self.large(trimmed) {
            memory.cache.abandon_dfas();
            return automaton.starts_at(memory.scratch, record, span, steps);
        }
        // A simulation is too slow to run at one candidate after the other, so it counts as many
        // steps as a search for all spans may take. The first one uses up the budget of the search
        // for spans. Verification has a larger budget (`verify::anchored`), which the first one
        // uses up in records of up to 384 bytes, and the second one in all. Then the caller searches
        // the rest of the record in one pass.
        *steps += step_budget(record) + 1;
        self.simulate(trimmed, memory.cache, input())
    }

    /// Tests whether a match of `tail`, which is the part of the pattern from its literal on,
    /// starts at `start`. Returns `None` if a DFA cannot decide.
    pub(crate) fn tail_starts_at(
        &self,
        tail: &Hir,
        memory: &mut PatternMemory<'_>,
        record: &[u8],
        start: usize,
        steps: &mut u64,
    ) -> Option<bool> {
        let input = || Input::new(record).range(start..).anchored(Anchored::Yes);
        let positions = self.tail(tail);
        let build = || build_dfa(positions.is_some(), compile(&[tail]), MatchKind::LeftmostFirst);
        let dfa = || self.tail_dfa.get_or_init(build).as_deref();
        let by_dfa = |dfa: &dfa::DFA, cache: &mut dfa::Cache, steps: &mut u64| {
            lazy_search::starts_at(dfa, cache, &input(), steps)
        };
        let Some(automaton) = positions else {
            return by_backtracking(
                Part::Tail,
                || self.tail_program(tail),
                memory,
                &input(),
                steps,
            )
            .or_else(|| memory.by_dfa(Part::Tail, dfa, by_dfa, steps));
        };
        let by_positions = |scratch: &mut PositionScratch, steps: &mut u64| {
            automaton.starts_at(scratch, record, start..record.len(), steps)
        };
        Some(memory.decide(Part::Tail, dfa, by_dfa, by_positions, steps))
    }

    /// Tests whether a match of `head`, which is the part of the pattern before its literal, ends
    /// at `end`. Returns `None` if a DFA cannot decide.
    pub(crate) fn head_ends_at(
        &self,
        head: &Hir,
        memory: &mut PatternMemory<'_>,
        record: &[u8],
        end: usize,
        steps: &mut u64,
    ) -> Option<bool> {
        let positions = self.head(head);
        let build = || build_dfa(positions.is_some(), compile_reverse(head), MatchKind::All);
        let dfa = || self.head_dfa.get_or_init(build).as_deref();
        let by_dfa = |dfa: &dfa::DFA, cache: &mut dfa::Cache, steps: &mut u64| {
            lazy_search::ends_at(dfa, cache, record, end, steps)
        };
        let Some(automaton) = positions else {
            return memory.by_dfa(Part::Head, dfa, by_dfa, steps);
        };
        let by_positions = |scratch: &mut PositionScratch, steps: &mut u64| {
            automaton.ends_at(scratch, record, end, steps)
        };
        Some(memory.decide(Part::Head, dfa, by_dfa, by_positions, steps))
    }

    fn simulate(&self, trimmed: &Hir, cache: &mut PatternCache, input: Input<'_>) -> bool {
        cache.is_unmeasured = true;
        let simulation = self.simulation.get_or_init(|| {
            let nfa = self.trimmed_nfa(trimmed).clone();
            pikevm::PikeVM::new_from_nfa(nfa).expect("every NFA can be simulated").into()
        });
        let cache = cache.simulation.get_or_insert_with(|| simulation.create_cache().into());
        simulation.is_match(cache, input)
    }

    fn trimmed_nfa(&self, trimmed: &Hir) -> &NFA {
        self.trimmed_nfa.get_or_init(|| compile(&[trimmed]))
    }

    fn trimmed_dfa(&self, trimmed: &Hir) -> Option<&dfa::DFA> {
        let build = || {
            let has_positions = self.trimmed(trimmed).is_some();
            let nfa = self.trimmed_nfa(trimmed).clone();
            build_dfa(has_positions, nfa, MatchKind::LeftmostFirst)
        };
        self.trimmed_dfa.get_or_init(build).as_deref()
    }

    fn program(&self, trimmed: &Hir) -> Option<&Program> {
        self.program.get_or_init(|| Program::new(trimmed).map(Box::new)).as_deref()
    }

    fn tail_program(&self, tail: &Hir) -> Option<&Program> {
        self.tail_program.get_or_init(|| Program::new(tail).map(Box::new)).as_deref()
    }

    fn trimmed(&self, trimmed: &Hir) -> Option<&ForwardPositions> {
        self.trimmed.get_or_init(|| ForwardPositions::new(trimmed)).as_ref()
    }

    fn tail(&self, tail: &Hir) -> Option<&ForwardPositions> {
        self.tail.get_or_init(|| ForwardPositions::new(tail)).as_ref()
    }

    fn head(&self, head: &Hir) -> Option<&BackwardPositions> {
        self.head.get_or_init(|| BackwardPositions::new(head)).as_ref()
    }

    fn large(&self, trimmed: &Hir) -> Option<&ForwardPositions> {
        self.large.get_or_init(|| ForwardPositions::large(trimmed)).as_ref()
    }
}

/// Builds the lazy DFA of a part of a pattern, which may have a position automaton, too.
fn build_dfa(has_positions: bool, nfa: NFA, kind: MatchKind) -> Option<Box<dfa::DFA>> {
    match has_positions {
        true => build_instead_of_positions(nfa, kind),
        false => build_for_pattern(nfa, kind),
    }
}

/// Whether a match of a part that is too large for a position automaton lies within `input`, by backtracking.
/// `None` if a lazy DFA is to be tried first.
fn by_backtracking<'a>(
    part: Part,
    program: impl FnOnce() -> Option<&'a Program>,
    memory: &mut PatternMemory<'_>,
    input: &Input<'_>,
    steps: &mut u64,
) -> Option<bool> {
    if input.get_range().len() > MAX_RECORD {
        return None;
    }
    let program = program()?;
    let may_grow = memory.may_grow;
    let (history, scratch) = memory.backtracking(part);
    if let Ok(found) = program.is_match(history, scratch, may_grow, input, steps) {
        return Some(found);
    }
    let searches = &mut memory.cache.memo_searches;
    if *searches >= SEARCHES_BEFORE_DFA {
        return None;
    }
    *searches += 1;
    let (history, scratch) = memory.backtracking(part);
    program.is_match_with_memo(history, scratch, input, steps).ok()
}

#[cfg(test)]
mod tests {
    use regex_syntax::hir::Hir;

    use super::super::positions::tests::parse;
    use super::*;

    #[test]
    fn what_verifies_candidates_is_built_with_the_engine() {
        let small = &parse("[ab]c");
        // Too large for a position automaton.
        let large = &Hir::repetition(regex_syntax::hir::Repetition {
            min: 600,
            max: Some(600),
            greedy: true,
            sub: Box::new(parse("ab")),
        });
        let built = |parts: Option<(&Hir, &Hir)>, trimmed: &Hir| {
            let automata = PatternAutomata::default();
            automata.build(trimmed, parts);
            let has = |cell: &OnceLock<Option<Box<Program>>>| matches!(cell.get(), Some(Some(_)));
            [has(&automata.program), has(&automata.tail_program)]
        };
        assert_eq!(built(None, small), [false, false]);
        assert_eq!(built(None, large), [true, false]);
        assert_eq!(built(Some((small, small)), small), [false, false]);
        assert_eq!(built(Some((small, large)), large), [false, true]);
    }
}
