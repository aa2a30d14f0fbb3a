//! An occurrence of a needle, as the prefilter reports it.

use crate::pure::ids::NeedleId;

/// An occurrence of a needle. All positions are in bytes from the start of the buffer.
///
/// Buffers are shorter than 2^32 bytes, so 32 bits are enough, and a candidate has 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// The start of the window, the part of the needle that was searched for first. It is within
    /// `start..end`, and candidates are ordered by it.
    pub(crate) window_start: u32,
    /// The start of the needle.
    pub(crate) start: u32,
    /// The end of the needle.
    pub(crate) end: u32,
    /// The needle that was found.
    pub(crate) needle: NeedleId,
}
