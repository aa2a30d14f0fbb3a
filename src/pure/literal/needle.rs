//! The id of what the prefilter searches for.

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
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}
