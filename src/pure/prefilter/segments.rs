//! Segments of a buffer that no needle may cross.
//!
//! Byte runs and class sequences have no fixed length, so their searches must know where to stop.
//! They see a buffer and offsets only; that segments are the records of a batch is the business of
//! the caller. Literals don't need this: a literal that crosses an edge is dropped afterwards.

use std::ops::Range;

/// A buffer, and the consecutive segments that it is divided into.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segments<'a> {
    /// Ends with the last segment.
    buffer: &'a [u8],
    /// Ascending; one more than there are segments, or empty.
    offsets: &'a [u32],
    /// The length of the separator after each segment, in bytes: 0 or 1.
    separator: u32,
}

impl<'a> Segments<'a> {
    /// Segment `i` starts at `offsets[i]` and ends `separator` bytes before `offsets[i + 1]`.
    pub(crate) fn new(buffer: &'a [u8], offsets: &'a [u32], separator: u32) -> Segments<'a> {
        let segments = Segments { buffer, offsets, separator };
        let end = match segments.len() {
            0 => 0,
            len => segments.range(len - 1).end,
        };
        Segments { buffer: &buffer[..end], ..segments }
    }

    /// The buffer up to the end of the last segment.
    pub(crate) fn buffer(&self) -> &'a [u8] {
        self.buffer
    }

    /// The number of segments.
    pub(super) fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// The offsets that [`Segments::new`] got.
    pub(super) fn offsets(&self) -> &'a [u32] {
        self.offsets
    }

    /// The length of the separator after each segment.
    pub(super) fn separator(&self) -> u32 {
        self.separator
    }

    /// The position of a segment in the buffer.
    pub(super) fn range(&self, segment: usize) -> Range<usize> {
        let end = self.offsets[segment + 1] - self.separator;
        self.offsets[segment] as usize..end as usize
    }

    /// The last segment from `from` on that starts at or before `at`, given that `from` itself
    /// does.
    ///
    /// A galloping search (Bentley and Yao, 1976): its time is logarithmic in the number of
    /// segments that it passes, so short steps cost little.
    pub(crate) fn segment_at(&self, from: usize, at: usize) -> usize {
        // The last offset starts no segment, so it is left out.
        let starts = &self.offsets[from + 1..self.len()];
        let mut step = 1;
        while step <= starts.len() && starts[step - 1] as usize <= at {
            step *= 2;
        }
        let (low, high) = (step / 2, starts.len().min(step - 1));
        from + low + starts[low..high].partition_point(|&next| next as usize <= at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_found_by_position() {
        let offsets = [3, 3, 5, 5, 5, 9, 12, 12, 13, 20, 21];
        let segments = Segments::new(&[0; 21], &offsets, 0);
        for at in 3..25 {
            let expected = (0..10).rev().find(|&r| offsets[r] as usize <= at).unwrap();
            for from in (0..=expected).filter(|&from| offsets[from] as usize <= at) {
                assert_eq!(segments.segment_at(from, at), expected, "{at} from {from}");
            }
        }
    }
}
