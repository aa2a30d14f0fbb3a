//! The numbers that the stages of the pure engine pass to one another, each kind as a type of its
//! own.
//!
//! A pattern has a number in the caller's [`PatternSet`](crate::PatternSet), which matches report,
//! and an index among the patterns of this engine, by which all tables are indexed. They differ where
//! the engine has only some of the set's patterns. A plain `u32` is always the number; the index is a
//! [`PatternIndex`].

/// The index of a pattern among the patterns of one engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PatternIndex(u32);

impl PatternIndex {
    /// Indexes fit in 32 bits: a set has no more patterns.
    pub(crate) fn new(index: usize) -> PatternIndex {
        debug_assert!(u32::try_from(index).is_ok());
        PatternIndex(index as u32)
    }

    /// The index of the pattern in tables of all patterns.
    #[inline]
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// Identifies a needle of an engine: a literal, a byte run, or a class sequence.
///
/// All needles of an engine have one numbering, so that a candidate leads to its patterns by one
/// index whatever kind it is: literals come first, then byte runs, then class sequences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NeedleId(u32);

impl NeedleId {
    pub(crate) const FIRST: NeedleId = NeedleId(0);

    /// The id with this index. Indexes fit in 32 bits: each needle takes tens of bytes of memory.
    pub(crate) fn new(index: usize) -> NeedleId {
        debug_assert!(u32::try_from(index).is_ok());
        NeedleId(index as u32)
    }

    /// The index of the needle in tables of all needles.
    #[inline]
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}
