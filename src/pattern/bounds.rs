//! Bounds on the spans of a pattern.

use std::ops::Range;

/// The bounds of one pattern, as set by the methods of [`Pattern`](super::Pattern) with the same names. All
/// are in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PatternBounds {
    /// See [`Pattern::min_offset`](super::Pattern::min_offset).
    pub min_offset: usize,
    /// See [`Pattern::max_offset`](super::Pattern::max_offset). `None` if there is no bound.
    pub max_offset: Option<usize>,
    /// See [`Pattern::min_length`](super::Pattern::min_length).
    pub min_length: usize,
}

impl PatternBounds {
    /// Whether every span is within the bounds.
    pub(crate) fn are_none(&self) -> bool {
        *self == PatternBounds::default()
    }

    /// Whether a span of a record is within the bounds.
    pub(crate) fn contain(&self, span: &Range<usize>) -> bool {
        span.start >= self.min_offset
            && self.max_offset.is_none_or(|max| span.end <= max)
            && span.len() >= self.min_length
    }
}
