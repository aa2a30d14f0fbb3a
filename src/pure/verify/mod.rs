//! Decides which patterns match in a record, by its candidates and otherwise, and reports the
//! matches.
//!
//! Patterns without a filter have no candidates. They are decided at the end of each record,
//! whether it has candidates or not, by DFA groups that read all of it
//! ([`group_scanner`](super::automata::group_scanner)). The rest of this page is about the others.
//!
//! A candidate is an occurrence of a needle, such as a literal, in the buffer; in the record that
//! it lies in, it is a hit. Most hits are false alarms, so the checks run from cheap to expensive,
//! and a hit that fails one is dropped:
//!
//! 1. The bytes after the literal must be able to follow it in a match (lookahead).
//! 2. Unless the pattern is verified in a window (see below), enough bytes of the record must
//!    remain; and if it matches only at the start or the end of a record, the literal must be near
//!    enough to that ([`Posting`]).
//! 3. If the pattern is verified at the start of the record, this must begin with bytes that it
//!    allows there (`record_start`).
//! 4. For other patterns, the record must also contain the byte run that the pattern requires
//!    ([`RequiredRuns`]).
//! 5. An automaton must match.
//!
//! Patterns that are nothing but their literals match at every hit of these and need no check
//! ([`ExactNeedles`]). The last step depends on the position of the literal in the pattern. A pattern that matches only at
//! the start of a record, and which its first bytes mostly decide, is verified there, once for all
//! of its hits. If a part of another pattern starts with the literal, two automata
//! decide at the hit itself: one reads forward from there, one backward (`anchored`). Many patterns
//! with the same literal share the forward one once that literal is found often
//! ([`SharedLiterals`]). The byte pairs that the second one requires must lie before the hit
//! (`head_pairs`); this is checked before an automaton of a single pattern starts.
//! Otherwise the hits of a record are collected into clusters and the pattern is searched once in
//! the window around each (`windowed`).
//!
//! Where spans are reported, those of the patterns that match are searched for several records together, one pattern
//! after the other (`span_batch`). If a span can start at one offset only and all spans have the same length, there is
//! nothing to search.
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
//! Each pattern has automata of its own, which all scanners share. Most of them are position
//! automata or, for large patterns, programs of backtracking. These are built with the engine and
//! need no memory in the scanner. For the lazy DFAs of the few other patterns, each scanner has
//! caches, made when first needed. When the caches of a scanner exceed its memory limit, it drops
//! all of them together ([`VerifyCache`]); the automata stay.

mod anchored;
mod cache;
mod head_pairs;
mod patterns;
mod postings;
#[cfg(test)]
mod random_patterns;
mod record_start;
mod required_run;
mod shared_literal;
mod span_batch;
mod tables;
mod verifier;
mod windowed;

pub(in crate::pure) use cache::VerifyCache;
pub(in crate::pure) use patterns::{Patterns, SpanLiterals, Split, TrimmedPatterns};
pub(in crate::pure) use postings::{Place, Posting, Postings};
pub(in crate::pure) use required_run::{RequiredRunId, RequiredRuns};
pub(in crate::pure) use shared_literal::{SharedLiteralGroup, SharedLiterals};
pub(in crate::pure) use tables::{ExactNeedles, VerifyTables};
pub(in crate::pure) use verifier::{Record, Verifier};
