//! Builds NFAs and lazy DFAs, under the limits that all automata of the engine share.
//!
//! A lazy DFA ([`regex_automata::hybrid`]) determinizes an NFA state by state, as its input
//! requires, and keeps the states in a cache of bounded size. A full cache is cleared and filled
//! anew. On input that keeps reaching new states, determinization costs far more than the NFA
//! simulation that it was meant to save, so a lazy DFA then [gives up](MIN_CACHE_CLEARS): its
//! searches return an error, and the caller continues with an automaton that has no cache.
//!
//! Dense DFAs that are built ahead of time are not an option here: a set has thousands of
//! patterns, few of which are ever verified, and the DFA of a single pattern such as
//! `\w{12,}\d\w{12,}\d` can have thousands of states.

use regex_automata::MatchKind;
use regex_automata::hybrid::dfa;
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures};
use regex_syntax::hir::Hir;

/// The cache of one pattern's lazy DFA, in bytes. The cache is cleared when its states take more.
///
/// Verification visits few states, and a scanner has up to five such caches for each pattern that
/// it has ever verified; so this is much less than the 2 MiB that the `regex` crate uses for one.
const CACHE_CAPACITY: usize = 256 << 10;

/// The same, of a DFA in place of a position automaton. Of patterns that a DFA suits, few need more. Lower in tests, so
/// that some give up.
const SMALL_CACHE_CAPACITY: usize = if cfg!(test) { 6 << 10 } else { 128 << 10 };

/// The same, of the DFAs that search records for spans after it is known which pattern matches. With a pattern of
/// thousands of alternatives they need more states, and there are at most three such caches for each pattern, all
/// within the limit of a [`SpanFinder`](crate::pure::SpanFinder). The value is that of the `regex` crate.
pub(super) const LARGE_CACHE_CAPACITY: usize = 2 << 20;

/// The largest NFA, in states, that a lazy DFA is built for.
///
/// One DFA state may hold every NFA state. Beyond this size, determinizing is no faster than
/// simulating the NFA, and takes more memory.
const MAX_NFA_STATES: usize = 50_000;

/// A lazy DFA gives up once it has cleared its cache this often, if it has searched fewer than
/// [`MIN_BYTES_PER_STATE`] bytes for each state that it built since the last time. The values are
/// those of the `regex` crate.
const MIN_CACHE_CLEARS: usize = 3;
/// See [`MIN_CACHE_CLEARS`].
const MIN_BYTES_PER_STATE: usize = 10;

/// A DFA in place of a position automaton gives up when its cache is full for the first time, if it has searched
/// fewer bytes for each state that it built. A guess at the bytes that the automaton reads in the time of
/// building a state.
///
/// The cache counts the bytes of searches within windows only; those of the searches in
/// [`lazy_search`](super::lazy_search) are not reported to it. So all other such DFAs give up when it is full.
const MIN_BYTES_PER_STATE_INSTEAD: usize = 256;

/// Compiles patterns into one NFA without captures. The patterns must be within the limits of a
/// [`PatternSet`](crate::PatternSet), which keep the NFA small enough to build.
pub(super) fn compile(hirs: &[&Hir]) -> NFA {
    compile_with(hirs, thompson::Config::new())
}

/// As [`compile`], for one pattern and a search from the end of a match to its start.
pub(super) fn compile_reverse(hir: &Hir) -> NFA {
    compile_with(&[hir], thompson::Config::new().reverse(true))
}

fn compile_with(hirs: &[&Hir], config: thompson::Config) -> NFA {
    let config = config.utf8(false).which_captures(WhichCaptures::None).nfa_size_limit(None);
    thompson::Compiler::new()
        .configure(config)
        .build_many_from_hir(hirs)
        .expect("patterns within the limits of a set have an NFA")
}

/// Builds the lazy DFA of a single pattern, with the usual capacity. Returns `None` under the same
/// conditions as [`build`].
pub(super) fn build_for_pattern(nfa: NFA, kind: MatchKind) -> Option<Box<dfa::DFA>> {
    build(nfa, kind, CACHE_CAPACITY).map(Box::new)
}

/// As [`build_for_pattern`], for a pattern that has a position automaton, which takes over when the DFA gives
/// up. That is soon.
pub(super) fn build_instead_of_positions(nfa: NFA, kind: MatchKind) -> Option<Box<dfa::DFA>> {
    let config = config(kind, SMALL_CACHE_CAPACITY)
        .minimum_cache_clear_count(Some(0))
        .minimum_bytes_per_state(Some(MIN_BYTES_PER_STATE_INSTEAD));
    build_with(nfa, config).map(Box::new)
}

/// Builds a lazy DFA whose cache holds about `capacity` bytes.
///
/// Returns `None` if the NFA is too large for a lazy DFA to be worthwhile, or if it asserts
/// something that no DFA can decide.
pub(super) fn build(nfa: NFA, kind: MatchKind, capacity: usize) -> Option<dfa::DFA> {
    build_with(nfa, config(kind, capacity))
}

fn build_with(nfa: NFA, config: dfa::Config) -> Option<dfa::DFA> {
    if nfa.states().len() > MAX_NFA_STATES {
        return None;
    }
    dfa::Builder::new().configure(config).build_from_nfa(nfa).ok()
}

fn config(kind: MatchKind, capacity: usize) -> dfa::Config {
    dfa::Config::new()
        .match_kind(kind)
        // Searches fail on the first byte that is not ASCII, but are right until then.
        .unicode_word_boundary(true)
        .cache_capacity(capacity)
        .skip_cache_capacity_check(true)
        .minimum_cache_clear_count(Some(MIN_CACHE_CLEARS))
        .minimum_bytes_per_state(Some(MIN_BYTES_PER_STATE))
}
