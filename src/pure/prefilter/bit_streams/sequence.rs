//! The patterns that are searched for by bit streams.

use regex_syntax::hir::Hir;

use super::build::{Builder, Marks};
use crate::pure::cost;

/// What is known of a pattern that is searched for as a sequence of classes. It matches wherever the sequence is
/// found.
#[derive(Clone, Debug)]
pub(crate) struct ClassSequence {
    /// The minimum length of a match, in bytes.
    pub(crate) len: u32,
    /// The expected number of matches per byte of ordinary text.
    pub(crate) frequency: f64,
    /// The cost of the operations, in nanoseconds per byte of the buffer.
    cost: f64,
}

/// The range of `len`, in bytes. Shorter sequences are too frequent to search for.
const LEN_RANGE: std::ops::RangeInclusive<usize> = 2..=1 << 16;

impl ClassSequence {
    /// The sequence of a pattern, or `None` if streams can't find all of it, or within the limits.
    pub(crate) fn of(hir: &Hir) -> Option<ClassSequence> {
        let len = hir.properties().minimum_len().filter(|len| LEN_RANGE.contains(len))?;
        let mut builder = Builder::new(cost::MAX_SEQUENCE_NS);
        let marks = builder.append(Marks::ANYWHERE, hir)?;
        marks.stream?;
        Some(ClassSequence { len: len as u32, frequency: marks.frequency, cost: builder.cost })
    }

    /// The cost of the search and of handling what it finds, in nanoseconds per byte.
    pub(crate) fn total_cost(&self) -> f64 {
        self.cost + cost::EXACT_MATCH_NS * self.frequency
    }
}
