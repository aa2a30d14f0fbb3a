//! What the prefilter reports.

use crate::pure::ids::NeedleId;

/// A place in the buffer where a needle was found, in bytes from the start of the buffer.
///
/// Buffers are shorter than 2^32 bytes, so 32 bits are enough, and a candidate has 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// The start of the part of the needle that was searched for first; candidates come in this
    /// order. It is within `start..end`.
    pub(crate) window: u32,
    /// The start of the needle.
    pub(crate) start: u32,
    /// The end of the needle.
    pub(crate) end: u32,
    /// The needle that was found.
    pub(crate) needle: NeedleId,
}
