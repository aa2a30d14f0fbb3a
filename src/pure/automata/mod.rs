//! The automata that decide whether a pattern matches, and where.

pub(super) mod dfa_group;
mod dfa_table;
pub(super) mod group_scanner;
mod interleave;
mod lazy_dfa;
mod nfa_simulation;
pub(super) mod pattern;
mod shift_and;
#[cfg(feature = "native")]
pub(super) mod span_finder;
mod span_prefilter;
mod spans;
mod two_pass;
