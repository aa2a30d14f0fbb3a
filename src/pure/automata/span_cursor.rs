//! How far the search for all spans of a record has come, and how many steps it may take.
//!
//! A record is searched for one span after the other, by whichever automaton can decide. The
//! cursor is all that they share: an automaton that gives up leaves it where it is, and another
//! one continues from there.
//!
//! # Why a budget
//!
//! A leftmost-first search may have to read to the end of the record before it is known that a
//! short match is preferred. `.*[^A-Z]|[A-Z]` on a record of capitals does so for each of its
//! matches, so that an iterator over all matches takes quadratic time. Most patterns read only a
//! few bytes past a match. So searches run one after the other while they stay within
//! [`step_budget`], and the [two-pass search](super::two_pass), which is slower per byte but reads
//! each byte a fixed number of times, takes over when they do not.

use std::ops::Range;

/// Steps per byte of the record that all searches for the spans of one pattern may take together
/// before the two-pass search takes over. Ordinary patterns take between one and two: each byte is
/// read once forward, and those of matches once more backward.
const STEPS_PER_BYTE: u64 = 8;
/// Steps that are allowed on top, so that short records rarely need the two-pass search.
const FREE_STEPS: u64 = 4096;

/// The steps that searching `record` for all spans of one pattern may take before the two-pass
/// search takes over.
pub(super) fn step_budget(record: &[u8]) -> u64 {
    (record.len() as u64).saturating_mul(STEPS_PER_BYTE) + FREE_STEPS
}

/// How far the search for all spans of one record has come. It does not depend on the automaton,
/// so that another one can continue from here.
#[derive(Debug, Default)]
pub(crate) struct SpanCursor {
    /// Where the next search starts.
    pub(super) at: usize,
    /// Where the last span ended, if there was one.
    last_end: Option<usize>,
    /// The steps that automata have taken in this record.
    pub(super) steps: u64,
    /// The choices that backtracking has considered in this record.
    pub(super) considered: u64,
    /// Whether the lazy DFAs have failed in this record. They are not used again then.
    pub(super) dfas_failed: bool,
}

impl SpanCursor {
    /// The cursor of a search that starts at `at`, where the span before it ended if `after_span`.
    pub(super) fn starting_at(at: usize, after_span: bool) -> SpanCursor {
        SpanCursor { at, last_end: after_span.then_some(at), ..SpanCursor::default() }
    }

    /// Moves past the leftmost match from `at` on, and returns whether it is to be reported. An
    /// empty match right after another match is not, and the next search starts one byte later,
    /// as in the iterators of the `regex` crate.
    pub(super) fn accept(&mut self, span: &Range<usize>) -> bool {
        if span.is_empty() && self.last_end == Some(span.end) {
            // Such a match can only be where the search started.
            self.at += 1;
            return false;
        }
        self.at = span.end;
        self.last_end = Some(span.end);
        true
    }
}
