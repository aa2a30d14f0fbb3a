//! The automata that decide whether patterns match, and where. See the README of this directory.

pub(super) mod anchored_group;
pub(super) mod byte_patterns;
pub(super) mod captures;
mod determinizer;
pub(super) mod dfa_group;
mod dfa_table;
mod group_nfa;
pub(super) mod group_scanner;
pub(super) mod grouping;
mod hash;
mod interleave;
mod lazy_dfa;
mod lazy_search;
mod leading_literal;
mod nfa_builder;
pub(super) mod pattern;
mod pattern_memory;
pub(super) mod positions;
mod positions_use;
mod span_cursor;
pub(super) mod span_prefilter;
pub(super) mod span_search;
mod span_simulation;
mod spans;
pub(super) mod start_search;
mod text_change;
mod two_pass;
