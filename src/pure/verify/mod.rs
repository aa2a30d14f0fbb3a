//! Verifies candidates: decides which patterns match in a record, and reports the matches.
//!
//! A candidate says that a needle, a literal for instance, was found at some place. Most are
//! false alarms, so the checks run from cheap to expensive, and the first that fails ends the
//! matter:
//!
//! 1. The bytes after the literal must be possible there in some match (lookahead).
//! 2. Enough bytes of the record must remain, and the literal must lie where an anchored pattern
//!    can have it ([`Posting`]).
//! 3. The record must contain the run that the pattern requires besides ([`RequiredRuns`]).
//! 4. An automaton must match.
//!
//! The last step depends on where the literal stands in the pattern. If a part of the pattern
//! starts with it, two automata decide at the hit itself: one reads forward from there, one
//! backward (`anchored`); many patterns with the same literal share the forward one
//! ([`SharedLiterals`]). Otherwise the hits of a record are collected into clusters and the
//! pattern is searched once in the window around each (`windowed`).
//!
//! # Worst case
//!
//! The time is linear in the record for each pattern, whatever the record contains. An automaton
//! that is started at one hit after the other may read the same bytes again and again, so each
//! pattern has a budget of steps per record. When it is used up, the pattern is deferred: the rest
//! of the record is searched once, for all hits together.
//!
//! # Limits
//!
//! Each pattern has automata and caches of its own. They are built when first needed, and dropped
//! together when they exceed the memory limit of the scanner ([`VerifyCache`]).

mod anchored;
mod cache;
mod patterns;
mod postings;
mod required_run;
mod shared_literal;
mod tables;
mod verifier;
mod windowed;

pub(in crate::pure) use cache::VerifyCache;
pub(in crate::pure) use patterns::{Patterns, SpanLiterals, Split};
pub(in crate::pure) use postings::{Posting, Postings};
pub(in crate::pure) use required_run::{RequiredRunId, RequiredRuns};
pub(in crate::pure) use shared_literal::{SharedLiteralGroup, SharedLiterals};
pub(in crate::pure) use tables::{ExactNeedles, VerifyTables};
pub(in crate::pure) use verifier::{Record, Verifier};
