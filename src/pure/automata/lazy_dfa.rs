//! Builds NFAs and lazy DFAs, with the limits that all automata of the engine share.

use regex_automata::MatchKind;
use regex_automata::hybrid::dfa;
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures};
use regex_syntax::hir::Hir;

/// How much a lazy DFA may hold before it drops its states and starts over. A confirmation walks
/// few states, and there are as many caches as patterns that have ever been confirmed.
pub(super) const CACHE_CAPACITY: usize = 256 << 10;
/// A lazy DFA that has started over this often and gets fewer bytes than `BYTES_PER_STATE` out of
/// each new state gives up; the numbers are those that `regex` uses.
pub(super) const CACHE_CLEARS: usize = 3;
pub(super) const BYTES_PER_STATE: usize = 10;
/// The same for a pattern that is searched as a chain then, in the time of far fewer new states.
pub(super) const BYTES_PER_STATE_OF_CHAIN: usize = 500;
/// The same as a pair.
pub(super) const GIVE_UP: Option<(usize, usize)> = Some((CACHE_CLEARS, BYTES_PER_STATE));

/// The largest NFA that lazy DFAs are run on. One DFA state may name every NFA state, so beyond
/// this the simulation is as fast and takes less memory.
const MAX_DFA_STATES: usize = 50_000;

/// Compiles patterns, which are within their set's limits, into one NFA.
pub(super) fn compile(hirs: &[&Hir], reverse: bool) -> NFA {
    thompson::Compiler::new()
        .configure(
            thompson::Config::new()
                .utf8(false)
                .reverse(reverse)
                .which_captures(WhichCaptures::None)
                .nfa_size_limit(None),
        )
        .build_many_from_hir(hirs)
        .expect("patterns within the limits of a set have an NFA")
}

/// A lazy DFA over `nfa`, or `None` where one makes no sense.
pub(super) fn lazy_dfa(nfa: NFA, kind: MatchKind) -> Option<Box<dfa::DFA>> {
    lazy_dfa_with(nfa, kind, CACHE_CAPACITY, GIVE_UP).map(Box::new)
}

/// As [`lazy_dfa`], with a cache of `capacity` bytes that may give up once it was cleared so often
/// and gets fewer bytes out of each new state.
pub(super) fn lazy_dfa_with(
    nfa: NFA,
    kind: MatchKind,
    capacity: usize,
    give_up: Option<(usize, usize)>,
) -> Option<dfa::DFA> {
    if nfa.states().len() > MAX_DFA_STATES {
        return None;
    }
    dfa::Builder::new()
        .configure(
            dfa::Config::new()
                .match_kind(kind)
                .unicode_word_boundary(true)
                .cache_capacity(capacity)
                .skip_cache_capacity_check(true)
                .minimum_cache_clear_count(give_up.map(|(clears, _)| clears))
                .minimum_bytes_per_state(give_up.map(|(_, bytes)| bytes)),
        )
        .build_from_nfa(nfa)
        .ok()
}
