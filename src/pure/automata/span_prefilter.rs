//! Skips the parts of a record where no span of a pattern can start, by searching for literals.
//!
//! This is for patterns whose trimmed form starts with a literal. (The trimmed form of a pattern
//! lacks the optional parts at both of its ends; see `plan::trim`. The literals are chosen by
//! `plan::span_prefilter`.)
//! Every match of the pattern contains a match of the trimmed form that starts at most `head`
//! bytes after its own start, and every match of the trimmed form is also a match of the pattern.
//! So if `p` is the first position where the trimmed form matches, the leftmost match of the
//! pattern starts between `p - head` and `p`, and the search for it starts at `p - head`.
//!
//! The literal search reads a record in chunks of [`CHUNK`] bytes and only as far as needed, so
//! the memory for one record does not depend on how many literals it contains, and a caller that
//! stops at the first span does not pay for the rest of the record.
//!
//! For a record without the literal, all of this costs one pass of the multi-literal prefilter;
//! without it, a lazy DFA would read every byte. Where literals are dense but matches are not,
//! each literal costs one anchored test of the trimmed form, which counts against the budget of
//! [`span_cursor`](super::span_cursor).

use regex_syntax::hir::Hir;

use crate::pure::literal::{Bound, Literal};
use crate::pure::prefilter::{Candidate, LiteralSearch};
use crate::simd::Isa;

/// Finds the positions of a record where the trimmed form of one pattern can match.
#[derive(Debug)]
pub(crate) struct SpanPrefilter {
    prefilter: LiteralSearch,
    /// The trimmed form of the pattern.
    pub(super) trimmed: Hir,
    /// The largest distance from the start of a match of the pattern to the start of the trimmed
    /// form in it.
    head: Bound,
    /// The length of the longest literal, in bytes.
    longest: usize,
}

/// The bytes of a record that are searched for literals at a time.
const CHUNK: usize = 16 << 10;

/// The positions of one record where a literal starts, as far as the search has come.
#[derive(Debug, Default)]
pub(super) struct CandidatePositions {
    /// Ascending.
    list: Vec<u32>,
    /// The number of positions at the start of `list` that are before the cursor.
    passed: usize,
    /// The end of the searched part of the record. Every literal whose window (see
    /// [`Candidate::window_start`]) starts before it has been found, unless the literal starts
    /// before the cursor.
    searched: usize,
    candidates: Vec<Candidate>,
}

impl CandidatePositions {
    /// Prepares for another record.
    pub(super) fn clear(&mut self) {
        self.list.clear();
        self.passed = 0;
        self.searched = 0;
    }

    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        self.list.capacity() * size_of::<u32>()
            + self.candidates.capacity() * size_of::<Candidate>()
    }
}

impl SpanPrefilter {
    /// A prefilter for a pattern of which every trimmed match starts with one of `literals`, at
    /// most `head` bytes after the start of the whole match.
    pub(crate) fn new(literals: &[Literal], trimmed: Hir, head: Bound) -> SpanPrefilter {
        let prefilter = LiteralSearch::new(literals, Isa::best());
        let longest = literals.iter().map(Literal::len).max().unwrap_or(0);
        SpanPrefilter { prefilter, trimmed, head, longest }
    }

    /// The first position where a match of the whole pattern can start, if its trimmed form starts
    /// at `position`.
    pub(super) fn earliest_start(&self, position: usize) -> usize {
        self.head.map_or(0, |head| position.saturating_sub(head as usize))
    }

    /// Returns the first position where a literal starts at `at` or later. From call to call
    /// within a record, `at` must not decrease.
    pub(super) fn next_position(
        &self,
        record: &[u8],
        positions: &mut CandidatePositions,
        at: usize,
    ) -> Option<usize> {
        loop {
            let left = &positions.list[positions.passed..];
            positions.passed += left.partition_point(|&position| (position as usize) < at);
            let next = positions.list.get(positions.passed).map(|&position| position as usize);
            if positions.searched >= record.len() {
                return next;
            }
            // A literal is found once its window, which lies within it, is in the searched part. If
            // the searched part extends to the end of the longest literal that could start at
            // `next`, all literals that start there or earlier have been found. If not, a literal
            // before `next` may still be missing.
            if next.is_some_and(|position| position + self.longest <= positions.searched) {
                return next;
            }
            self.search_chunk(record, positions, at);
        }
    }

    /// Searches the next chunk of the record, skipping the bytes before `at`.
    fn search_chunk(&self, record: &[u8], positions: &mut CandidatePositions, at: usize) {
        // No window starts before its literal does, so literals from `at` on are not missed.
        let start = positions.searched.max(at).min(record.len());
        let end = record.len().min(start + CHUNK);
        let CandidatePositions { list, passed, searched, candidates } = positions;
        candidates.clear();
        self.prefilter.find(record, start..end, candidates);
        list.drain(..*passed);
        list.extend(candidates.iter().map(|candidate| candidate.start));
        list.sort_unstable();
        list.dedup();
        (*passed, *searched) = (0, end);
    }
}
