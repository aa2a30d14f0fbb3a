//! The part of a pattern that is searched for by bit streams.

use regex_syntax::hir::Hir;

use super::build::{Builder, Marks};
use crate::pure::cost;
use crate::pure::literal::{Bound, add_bounds, max_match_len, parts};

/// Consecutive parts of a pattern's concatenation, searched for as a sequence of classes.
#[derive(Clone, Debug)]
pub(crate) struct ClassSequence {
    /// The first part.
    from: usize,
    /// The part after the last.
    to: usize,
    /// The minimum length of a match of these parts, in bytes.
    pub(crate) len: u32,
    /// The largest distance from the start of a match of the pattern to the last `len` bytes of a
    /// match of these parts.
    pub(crate) before: Bound,
    /// The largest distance from the end of a match of these parts to the end of the match.
    pub(crate) after: Bound,
    /// Whether the pattern matches wherever the sequence is found, so that nothing is verified.
    pub(crate) exact: bool,
    /// The expected number of ends per byte of ordinary text.
    pub(crate) frequency: f64,
    /// The cost of the operations, in nanoseconds per byte of the buffer.
    pub(crate) cost: f64,
}

/// The number of parts, from the first one on, at which a sequence may start.
const MAX_PARTS: usize = 24;
/// The minimum lengths that a sequence may have, in bytes: less is not worth searching for.
const LENS: std::ops::RangeInclusive<usize> = 2..=1 << 16;

impl ClassSequence {
    /// The sequence of parts of `hir` with the lowest [total cost](ClassSequence::total_cost), or
    /// `None` if none is within the limits.
    ///
    /// Tries each start with each end after it, one [`Builder`] per start, whose limit on the cost
    /// also bounds the time.
    pub(crate) fn cheapest(hir: &Hir) -> Option<ClassSequence> {
        let parts = parts(hir);
        let mut best: Option<ClassSequence> = None;
        for from in 0..parts.len().min(MAX_PARTS) {
            let mut builder = Builder::new(cost::MAX_SEQUENCE_NS);
            let mut marks = Marks::ANYWHERE;
            for to in from + 1..=parts.len() {
                marks = builder.append(marks, &parts[to - 1]);
                if builder.is_over_limit() {
                    break;
                }
                let min_len = |hir: &Hir| hir.properties().minimum_len().unwrap_or(0);
                let len: usize = parts[from..to].iter().map(min_len).sum();
                if marks.stream.is_none() || !LENS.contains(&len) {
                    continue;
                }
                let max_len =
                    |parts: &[Hir]| parts.iter().map(max_match_len).fold(Some(0), add_bounds);
                let len = len as u32;
                let sequence = ClassSequence {
                    from,
                    to,
                    len,
                    before: add_bounds(
                        max_len(&parts[..from]),
                        max_len(&parts[from..to]).map(|max| max - len),
                    ),
                    after: max_len(&parts[to..]),
                    exact: marks.exact && to - from == parts.len(),
                    frequency: marks.frequency,
                    cost: builder.cost,
                };
                if best.as_ref().is_none_or(|best| sequence.total_cost() < best.total_cost()) {
                    best = Some(sequence);
                }
            }
        }
        best
    }

    /// The cost of the search and of handling what it finds, in nanoseconds per byte.
    pub(crate) fn total_cost(&self) -> f64 {
        if self.exact {
            self.cost + cost::EXACT_MATCH_NS * self.frequency
        } else {
            self.cost + cost::CANDIDATE_NS * self.frequency.max(cost::MIN_SEQUENCE_FREQUENCY)
        }
    }

    /// The parts of `hir`, the pattern that this sequence was made for.
    pub(super) fn parts_of<'a>(&self, hir: &'a Hir) -> &'a [Hir] {
        &parts(hir)[self.from..self.to]
    }
}
