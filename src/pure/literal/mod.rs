//! Literals and byte runs that every match of a pattern contains.
//!
//! A scan searches for the literals of all patterns in one pass and verifies a pattern only where
//! one of its literals is found, so the choice of literals decides how fast a set is.
//! [`required_literals`] finds, for one pattern, a set of literals of which every match contains at
//! least one, and bounds how far from the literal the match can extend. [`filter_run`] is for
//! patterns without a rare literal: it finds a long run of bytes of one class. [`Lookaheads`] are
//! the bytes that can follow a literal, to reject most candidates before any automaton starts.
//!
//! Deriving required literals from the structure of a regex is the idea of Cox, "Regular Expression
//! Matching with a Trigram Index" (2012), and of RE2's `FilteredRE2`. Here sets are compared by the
//! expected frequency in text and by the cost of verification, and distances are kept. Hyperscan
//! finds literals by analyzing its NFA graphs instead (Wang et al., NSDI 2019), which also sees
//! those that no single subexpression shows; a walk over the HIR is simpler and linear.
//!
//! The files, from the bottom up: `cube` (literals), `byte_set`, `distance`,
//! `byte_frequency`; then `required` (a set of literals and its cost) and `lookahead`; then
//! `part_literals` (the literals of each part of a pattern), `anchor` (those that start a part), and
//! `extract`, which chooses among both. `byte_run` and `early_decision`, beside these, import from the first
//! groups only.

mod anchor;
pub(crate) mod byte_frequency;
mod byte_run;
mod byte_set;
mod cube;
mod distance;
mod early_decision;
mod extract;
mod lookahead;
mod part_literals;
mod required;

pub(crate) use anchor::{anchor_literals, parts, split_at_part};
pub(crate) use byte_run::{ByteRun, any_run, filter_run, match_bytes};
pub(crate) use byte_set::ByteSet;
pub(crate) use cube::{Cube, Literal};
pub(crate) use distance::{
    Bound, add_bounds, fixed_match_len, matches_only_at_end, matches_only_at_start, max_match_len,
};
pub(crate) use early_decision::is_decided_early;
pub(crate) use extract::required_literals;
pub(crate) use lookahead::{Lookaheads, after_each, first_bytes, union_lookaheads};
pub(crate) use required::RequiredLiterals;
