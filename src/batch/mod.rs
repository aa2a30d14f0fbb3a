//! Records to scan, as one buffer and its offsets.

mod buf;
mod error;
mod line_ends;

use std::ops::Range;

pub use buf::{BatchBuf, PADDING};
pub use error::{BatchError, MAX_BUFFER, MAX_RECORDS};

use crate::simd::Isa;

use error::{check_buffer, check_records};

/// Records to scan: one buffer, and the offsets at which its records begin and end.
///
/// Record `i` lies from offset `i` up to offset `i + 1`, without the terminator if the records are
/// lines. Records may be empty, may hold any byte, and need not be UTF-8. A batch borrows its buffer
/// and its offsets, so making one from data that is already flat copies nothing. A [`BatchBuf`] owns
/// both.
///
/// ```
/// use dragnet::Batch;
///
/// let mut offsets = Vec::new();
/// let batch = Batch::lines(b"one\n\nthree", &mut offsets)?;
/// assert_eq!(batch.iter().collect::<Vec<_>>(), [&b"one"[..], b"", b"three"]);
/// # Ok::<(), dragnet::BatchError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    buffer: &'a [u8],
    /// Empty for a batch without records, else one more than there are records. Sorted. Two
    /// neighbours are at least `terminator` apart, and the last offset less `terminator` is at most
    /// `buffer.len()`.
    offsets: &'a [u32],
    /// Number of bytes between the end of a record and the next offset: 1 for lines, else 0.
    terminator: u32,
}

impl<'a> Batch<'a> {
    /// Makes a batch over `buffer` in which record `i` lies from `offsets[i]` up to `offsets[i + 1]`,
    /// as in an Arrow binary array.
    ///
    /// The first offset need not be 0, and the last need not be the end of the buffer. No offsets, or
    /// one, make an empty batch. Nothing is copied; one pass validates the offsets.
    ///
    /// # Errors
    ///
    /// If the offsets are not sorted or are past the end of the buffer, or if there are more than
    /// [`MAX_BUFFER`] bytes or [`MAX_RECORDS`] records.
    pub fn from_offsets(buffer: &'a [u8], offsets: &'a [u32]) -> Result<Batch<'a>, BatchError> {
        Batch::with_terminator(buffer, offsets, 0)
    }

    /// Makes a batch of the lines of `buffer`.
    ///
    /// A line ends with `\n`, which is not part of the record; a `\r` before it is. A last line
    /// without `\n` is a record. There is no empty record after a final `\n`.
    ///
    /// `offsets` is cleared and filled. Reuse it for the next batch, which then allocates nothing.
    /// The buffer is read once and not copied.
    ///
    /// # Errors
    ///
    /// If the buffer is longer than [`MAX_BUFFER`].
    pub fn lines(buffer: &'a [u8], offsets: &'a mut Vec<u32>) -> Result<Batch<'a>, BatchError> {
        check_buffer(buffer.len())?;
        offsets.clear();
        offsets.push(0);
        // In range: a buffer of `MAX_BUFFER` bytes leaves one 32-bit offset to spare.
        append_line_ends(buffer, offsets);
        if buffer.last().is_some_and(|&last| last != b'\n') {
            offsets.push(buffer.len() as u32 + 1);
        }
        check_records(offsets.len() - 1)?;
        Ok(Batch { buffer, offsets, terminator: 1 })
    }

    /// Makes a batch of lines from offsets that [`Batch::lines`] has filled: record `i` lies from
    /// `offsets[i]` up to the terminator before `offsets[i + 1]`.
    ///
    /// Use it to keep a list of offsets beside its buffer. The buffer may continue after the last
    /// line.
    ///
    /// # Errors
    ///
    /// If two offsets are closer than the terminator, or if the last line ends past the end of the
    /// buffer, or if there are too many bytes or records.
    pub fn from_line_offsets(
        buffer: &'a [u8],
        offsets: &'a [u32],
    ) -> Result<Batch<'a>, BatchError> {
        Batch::with_terminator(buffer, offsets, 1)
    }

    fn with_terminator(
        buffer: &'a [u8],
        offsets: &'a [u32],
        terminator: u32,
    ) -> Result<Batch<'a>, BatchError> {
        check_buffer(buffer.len())?;
        check_records(offsets.len().saturating_sub(1))?;
        for (index, pair) in offsets.windows(2).enumerate() {
            let (previous, offset) = (pair[0], pair[1]);
            if offset.checked_sub(previous).is_none_or(|distance| distance < terminator) {
                return Err(BatchError::OffsetsNotSorted { index: index + 1, offset, previous });
            }
        }
        match offsets.last() {
            Some(&offset) if offset as usize > buffer.len() + terminator as usize => {
                Err(BatchError::OffsetPastEnd { offset, len: buffer.len() })
            }
            _ => Ok(Batch { buffer, offsets, terminator }),
        }
    }

    /// Returns the number of records.
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Returns whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns record `index`, or `None` past the end.
    pub fn record(&self, index: usize) -> Option<&'a [u8]> {
        (index < self.len()).then(|| &self.buffer[self.range(index)])
    }

    /// Iterates over the records in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + use<'a> {
        let batch = *self;
        (0..batch.len()).map(move |index| &batch.buffer[batch.range(index)])
    }

    /// Returns the range of record `index` in [`buffer`](Batch::buffer).
    ///
    /// # Panics
    ///
    /// If there is no such record.
    pub fn range(&self, index: usize) -> Range<usize> {
        let start = self.offsets[index];
        let end = self.offsets[index + 1] - self.terminator;
        start as usize..end as usize
    }

    /// Returns the whole buffer, including the bytes before, between and after the records.
    pub fn buffer(&self) -> &'a [u8] {
        self.buffer
    }

    /// Returns the batch of the records in `range`, numbered from 0. Copies nothing.
    ///
    /// # Panics
    ///
    /// If the range is not within the batch.
    pub fn slice(&self, range: Range<usize>) -> Batch<'a> {
        assert!(range.start <= range.end && range.end <= self.len(), "{range:?} out of range");
        if range.is_empty() {
            return Batch { offsets: &[], ..*self };
        }
        Batch { offsets: &self.offsets[range.start..=range.end], ..*self }
    }

    /// Splits the batch into consecutive ranges of records, each of at most `bytes` bytes of the
    /// buffer. A longer record gets a range of its own. No range is empty.
    ///
    /// Each range costs a binary search over the offsets.
    pub fn split_by_bytes(&self, bytes: usize) -> impl Iterator<Item = Range<usize>> + use<'a> {
        let offsets = self.offsets;
        let len = self.len();
        let mut first = 0;
        std::iter::from_fn(move || {
            let start = *offsets[..len].get(first)? as usize;
            // The offset that follows a record is at most one byte past its end.
            let ends = &offsets[first + 1..];
            let fits = ends.partition_point(|&end| end as usize <= start.saturating_add(bytes));
            let range = first..first + fits.max(1);
            first = range.end;
            Some(range)
        })
    }

    /// Returns the range of the buffer from the start of the first record to the end of the last
    /// one; `0..0` for a batch without records.
    pub fn extent(&self) -> Range<usize> {
        match self.len() {
            0 => 0..0,
            n => self.range(0).start..self.range(n - 1).end,
        }
    }

    /// Returns the raw offsets: one more than there are records, or none. Record `i` starts at
    /// offset `i` and ends [`terminator`](Batch::terminator) bytes before offset `i + 1`.
    pub fn offsets(&self) -> &'a [u32] {
        self.offsets
    }

    /// Returns the number of bytes between the end of a record and the next offset that belong to no
    /// record: 1 for lines, else 0.
    pub fn terminator(&self) -> u32 {
        self.terminator
    }
}

/// Appends the position after each `\n` of `buffer`, which has at most [`MAX_BUFFER`] bytes, to `offsets`.
pub(crate) fn append_line_ends(buffer: &[u8], offsets: &mut Vec<u32>) {
    line_ends::append(Isa::best(), buffer, offsets);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_newlines() {
        let cases: [(&[u8], &[&[u8]]); 7] = [
            (b"", &[]),
            (b"\n", &[b""]),
            (b"a", &[b"a"]),
            (b"a\n", &[b"a"]),
            (b"a\r\n\r\nb", &[b"a\r", b"\r", b"b"]),
            (b"\n\na", &[b"", b"", b"a"]),
            (b"\0\xFF\n\0", &[b"\0\xFF", b"\0"]),
        ];
        let mut offsets = Vec::new();
        for (buffer, expected) in cases {
            let batch = Batch::lines(buffer, &mut offsets).unwrap();
            assert_eq!(batch.len(), expected.len(), "{buffer:?}");
            assert_eq!(batch.iter().collect::<Vec<_>>(), expected, "{buffer:?}");
            for (index, record) in expected.iter().enumerate() {
                assert_eq!(batch.record(index), Some(*record), "{buffer:?}");
            }
            assert_eq!(batch.record(expected.len()), None);
        }
    }

    #[test]
    fn unsorted_or_out_of_range_offsets_are_rejected() {
        let cases: [(&[u32], Result<usize, BatchError>); 7] = [
            (&[], Ok(0)),
            (&[2], Ok(0)),
            (&[0, 3], Ok(1)),
            (&[1, 1, 2], Ok(2)),
            (&[0, 4], Err(BatchError::OffsetPastEnd { offset: 4, len: 3 })),
            (&[4], Err(BatchError::OffsetPastEnd { offset: 4, len: 3 })),
            (&[0, 2, 1], Err(BatchError::OffsetsNotSorted { index: 2, offset: 1, previous: 2 })),
        ];
        for (offsets, expected) in cases {
            let found = Batch::from_offsets(b"abc", offsets).map(|batch| batch.len());
            assert_eq!(found, expected, "{offsets:?}");
        }
    }

    #[test]
    fn slice_renumbers_records() {
        let mut offsets = Vec::new();
        let batch = Batch::lines(b"a\nbb\nccc", &mut offsets).unwrap();
        assert_eq!(batch.slice(1..3).iter().collect::<Vec<_>>(), [&b"bb"[..], b"ccc"]);
        assert_eq!(batch.slice(1..3).extent(), 2..8);
        assert!(batch.slice(2..2).is_empty());
        assert!(batch.slice(3..3).is_empty());
    }

    #[test]
    fn split_by_bytes_covers_each_record_once() {
        let mut offsets = Vec::new();
        let batch = Batch::lines(b"a\nbb\n\n\ncccccc\nd\n\n", &mut offsets).unwrap();
        let cases: [(usize, &[Range<usize>]); 5] = [
            (0, &[0..1, 1..2, 2..3, 3..4, 4..5, 5..6, 6..7]),
            (2, &[0..1, 1..2, 2..4, 4..5, 5..6, 6..7]),
            (3, &[0..1, 1..2, 2..4, 4..5, 5..7]),
            (5, &[0..2, 2..4, 4..5, 5..7]),
            (14, &[0..5, 5..7]),
        ];
        for (bytes, expected) in cases {
            assert_eq!(batch.split_by_bytes(bytes).collect::<Vec<_>>(), expected, "{bytes}");
        }
        assert!(batch.split_by_bytes(usize::MAX).eq(std::iter::once(0..7)));
        assert_eq!(batch.slice(3..3).split_by_bytes(9).next(), None);
        assert_eq!(Batch::from_offsets(b"", &[0]).unwrap().split_by_bytes(9).next(), None);
        assert!(batch.slice(4..7).split_by_bytes(7).eq([0..1, 1..3]));
    }
}
