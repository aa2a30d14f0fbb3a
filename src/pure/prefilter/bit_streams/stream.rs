//! Streams as nodes of a graph: each is a class, an edge of segments, or made from other streams.

use crate::pure::literal::ByteSet;

/// Identifies a stream of a [`Builder`](super::build::Builder).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct StreamId(u32);

impl StreamId {
    pub(super) fn new(index: usize) -> StreamId {
        StreamId(index as u32)
    }

    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// How the bits of a stream are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Stream {
    /// The bytes of a class that are in segments.
    Class(ByteSet),
    /// The first byte of each segment.
    SegmentStarts,
    /// The place after the last byte of each segment.
    SegmentEnds,
    /// The bits of a stream where no segment starts.
    ExceptStarts(StreamId),
    /// The bits that exactly one of two streams has.
    Xor(StreamId, StreamId),
    /// The bits that both of two streams have or neither.
    Xnor(StreamId, StreamId),
    /// The bits of `from`, advanced by some places, where `of` has bits too.
    Advance { from: StreamId, by: u32, of: StreamId },
    /// The bits of `from`, and those that `Advance` gives.
    Extend { from: StreamId, by: u32, of: StreamId },
    /// The bits that one of two streams has.
    Or(StreamId, StreamId),
    /// The bits of a stream, advanced by one place.
    Next(StreamId),
    /// The bits of `from`, and all following places as long as `of` continues.
    Star { from: StreamId, of: StreamId },
}
