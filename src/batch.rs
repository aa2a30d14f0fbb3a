//! What to look in: records as one buffer and its offsets.

use std::ops::Range;

/// The longest buffer that a batch can have, in bytes. Offsets are 32 bits wide, and the offset
/// behind an unterminated last line lies one past the buffer's end.
pub const MAX_BUFFER: usize = u32::MAX as usize - 1;

/// The most records that a batch can have.
pub const MAX_RECORDS: usize = u32::MAX as usize - 1;

/// Readable bytes that a [`BatchBuf`] keeps after its last record, so that a C library that loads
/// whole vectors stays inside the allocation.
///
/// A borrowed [`Batch`] needs no such padding: the native engine copies the last records of a buffer
/// that ends without it.
pub const PADDING: usize = 64;

/// Why a batch could not be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// The buffer would be longer than [`MAX_BUFFER`]. Split the records over several batches.
    #[error("{size} bytes are more than the {MAX_BUFFER} that a batch can hold")]
    BufferTooLong {
        /// How long the buffer would be, in bytes; `usize::MAX` if that does not fit.
        size: usize,
    },
    /// More than [`MAX_RECORDS`] records.
    #[error("{count} records are more than the {MAX_RECORDS} that a batch can hold")]
    TooManyRecords {
        /// How many records there would be.
        count: usize,
    },
    /// An offset is smaller than the one before it.
    #[error("offset {index} is {offset}, which is before its predecessor {previous}")]
    OffsetsNotSorted {
        /// The position of the offset in the list.
        index: usize,
        /// The offset.
        offset: u32,
        /// The one before it.
        previous: u32,
    },
    /// The last offset lies behind the buffer.
    #[error("the last offset is {offset}, but the buffer has {len} bytes")]
    OffsetPastEnd {
        /// The last offset.
        offset: u32,
        /// The length of the buffer.
        len: usize,
    },
}

/// Records to scan: one buffer, and the offsets at which its records begin and end.
///
/// Record `i` lies from offset `i` up to offset `i + 1`, less the terminator if the records are
/// lines. Records may be empty, may hold any byte, and need not be UTF-8. A batch borrows both
/// its parts, so making one from data that is already flat copies nothing; [`BatchBuf`] owns
/// them.
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
    /// Empty for a batch without records, else one more than there are records. Sorted. The last
    /// one, less `terminator`, is at most `buffer.len()`; every two neighbours are at least
    /// `terminator` apart.
    offsets: &'a [u32],
    /// How many bytes at the end of each record do not belong to it: 1 for lines, else 0.
    terminator: u32,
}

impl<'a> Batch<'a> {
    /// A batch over `buffer` with record `i` from `offsets[i]` up to `offsets[i + 1]`, as in an
    /// Arrow binary array. The first offset need not be 0, nor the last the buffer's end. No
    /// offsets, or a single one, make an empty batch. Nothing is copied; the offsets are
    /// validated in one pass.
    ///
    /// # Errors
    ///
    /// If the offsets are not sorted or pass the end, or the sizes do not fit.
    pub fn from_offsets(buffer: &'a [u8], offsets: &'a [u32]) -> Result<Batch<'a>, BatchError> {
        check_buffer(buffer.len())?;
        check_records(offsets.len().saturating_sub(1))?;
        for (index, pair) in offsets.windows(2).enumerate() {
            if pair[0] > pair[1] {
                return Err(BatchError::OffsetsNotSorted {
                    index: index + 1,
                    offset: pair[1],
                    previous: pair[0],
                });
            }
        }
        match offsets.last() {
            Some(&offset) if offset as usize > buffer.len() => {
                Err(BatchError::OffsetPastEnd { offset, len: buffer.len() })
            }
            _ => Ok(Batch { buffer, offsets, terminator: 0 }),
        }
    }

    /// A batch of the lines of `buffer`. Lines end with `\n`, which is not part of them; a `\r`
    /// before it is. A last line without `\n` counts, an empty one after the last `\n` does not.
    ///
    /// `offsets` is cleared and filled; keep it to build the next batch without allocating. The
    /// buffer is read once and not copied.
    ///
    /// # Errors
    ///
    /// If the buffer is longer than [`MAX_BUFFER`].
    pub fn lines(buffer: &'a [u8], offsets: &'a mut Vec<u32>) -> Result<Batch<'a>, BatchError> {
        check_buffer(buffer.len())?;
        offsets.clear();
        offsets.push(0);
        // In range: the buffer's length fits with one to spare.
        offsets.extend(memchr::memchr_iter(b'\n', buffer).map(|at| at as u32 + 1));
        if buffer.last().is_some_and(|&last| last != b'\n') {
            offsets.push(buffer.len() as u32 + 1);
        }
        check_records(offsets.len() - 1)?;
        Ok(Batch { buffer, offsets, terminator: 1 })
    }

    /// A batch of lines from offsets that [`Batch::lines`] filled: record `i` lies from
    /// `offsets[i]` up to the terminator before `offsets[i + 1]`. With it a list of offsets can be
    /// kept beside its buffer, and the buffer may go on behind the last line.
    ///
    /// # Errors
    ///
    /// If two offsets are not at least a terminator apart, or the last line passes the end.
    pub fn from_line_offsets(
        buffer: &'a [u8],
        offsets: &'a [u32],
    ) -> Result<Batch<'a>, BatchError> {
        check_buffer(buffer.len())?;
        check_records(offsets.len().saturating_sub(1))?;
        for (index, pair) in offsets.windows(2).enumerate() {
            if pair[0] >= pair[1] {
                return Err(BatchError::OffsetsNotSorted {
                    index: index + 1,
                    offset: pair[1],
                    previous: pair[0],
                });
            }
        }
        match offsets.last() {
            Some(&offset) if offset as usize > buffer.len() + 1 => {
                Err(BatchError::OffsetPastEnd { offset, len: buffer.len() })
            }
            _ => Ok(Batch { buffer, offsets, terminator: 1 }),
        }
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The record with this number, or `None` past the end.
    pub fn record(&self, index: usize) -> Option<&'a [u8]> {
        (index < self.len()).then(|| &self.buffer[self.range(index)])
    }

    /// The records in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + use<'a> {
        let batch = *self;
        (0..batch.len()).map(move |index| &batch.buffer[batch.range(index)])
    }

    /// Where the record lies in [`buffer`](Batch::buffer).
    ///
    /// # Panics
    ///
    /// If there is no such record.
    pub fn range(&self, index: usize) -> Range<usize> {
        let start = self.offsets[index];
        let end = self.offsets[index + 1] - self.terminator;
        start as usize..end as usize
    }

    /// The whole buffer, with whatever lies before, between and behind the records.
    pub fn buffer(&self) -> &'a [u8] {
        self.buffer
    }

    /// The batch of the records in `range` alone, which are numbered from 0 in it. Costs nothing.
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
            // The offset behind a record, which is at most one byte beyond its end.
            let behind = &offsets[first + 1..];
            let fits = behind.partition_point(|&end| end as usize <= start.saturating_add(bytes));
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

    /// The last record from `record` on that begins at `at` or before, where `record` itself does.
    /// Takes time in proportion to the logarithm of how far that is.
    pub(crate) fn record_at(&self, record: usize, at: usize) -> usize {
        // The offset behind the last record need not be passed: nothing is there.
        let behind = &self.offsets[record + 1..self.len()];
        let mut step = 1;
        while step <= behind.len() && behind[step - 1] as usize <= at {
            step *= 2;
        }
        let (low, high) = (step / 2, behind.len().min(step - 1));
        record + low + behind[low..high].partition_point(|&next| next as usize <= at)
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

/// A batch that owns its records: one buffer that is filled by pushing and reused by clearing.
///
/// ```
/// use dragnet::BatchBuf;
///
/// let mut records = BatchBuf::new();
/// records.push(b"one")?;
/// records.push(b"")?;
/// assert_eq!(records.as_batch().len(), 2);
/// records.clear();
/// assert!(records.as_batch().is_empty());
/// # Ok::<(), dragnet::BatchError>(())
/// ```
#[derive(Clone, Debug)]
pub struct BatchBuf {
    /// The records, and behind them `PADDING` zero bytes that belong to none.
    buffer: Vec<u8>,
    /// One more than there are records.
    offsets: Vec<u32>,
}

impl BatchBuf {
    /// An empty batch.
    pub fn new() -> BatchBuf {
        BatchBuf { buffer: vec![0; PADDING], offsets: vec![0] }
    }

    /// An empty batch with room for this many records and bytes before it allocates again.
    pub fn with_capacity(records: usize, bytes: usize) -> BatchBuf {
        let mut batch = BatchBuf::new();
        batch.offsets.reserve(records);
        batch.buffer.reserve(bytes);
        batch
    }

    /// Adds a record, which is copied to the end of the buffer.
    ///
    /// # Errors
    ///
    /// If the sizes do not fit; the batch is then as it was.
    pub fn push(&mut self, record: &[u8]) -> Result<(), BatchError> {
        let end = self.bytes().saturating_add(record.len());
        check_buffer(end.saturating_add(PADDING))?;
        check_records(self.len() + 1)?;
        self.buffer.truncate(self.bytes());
        self.buffer.extend_from_slice(record);
        self.buffer.extend_from_slice(&[0; PADDING]);
        // In range: checked above.
        self.offsets.push(end as u32);
        Ok(())
    }

    /// Appends all records of another batch with one copy of its bytes.
    ///
    /// # Errors
    ///
    /// If the sizes do not fit. The batch is then unchanged.
    pub fn append(&mut self, other: &BatchBuf) -> Result<(), BatchError> {
        let before = self.bytes();
        check_buffer(before.saturating_add(other.buffer.len()))?;
        check_records(self.len().saturating_add(other.len()))?;
        self.buffer.truncate(before);
        // With the padding behind them.
        self.buffer.extend_from_slice(&other.buffer);
        // In range: checked above.
        self.offsets.extend(other.offsets[1..].iter().map(|&end| before as u32 + end));
        Ok(())
    }

    /// Removes all records and keeps the memory.
    pub fn clear(&mut self) {
        self.buffer.clear();
        self.buffer.resize(PADDING, 0);
        self.offsets.truncate(1);
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes all records have together.
    pub fn bytes(&self) -> usize {
        self.buffer.len() - PADDING
    }

    /// The records as a batch, for scanning.
    pub fn as_batch(&self) -> Batch<'_> {
        Batch { buffer: &self.buffer, offsets: &self.offsets, terminator: 0 }
    }
}

impl Default for BatchBuf {
    fn default() -> BatchBuf {
        BatchBuf::new()
    }
}

fn check_buffer(size: usize) -> Result<(), BatchError> {
    if size > MAX_BUFFER { Err(BatchError::BufferTooLong { size }) } else { Ok(()) }
}

fn check_records(count: usize) -> Result<(), BatchError> {
    if count > MAX_RECORDS { Err(BatchError::TooManyRecords { count }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No buffer of this size is made: they take 4 GiB.
    #[test]
    fn offsets_of_32_bits_are_enough_for_what_is_taken() {
        assert!(check_buffer(MAX_BUFFER).is_ok() && check_records(MAX_RECORDS).is_ok());
        let (size, count) = (MAX_BUFFER + 1, MAX_RECORDS + 1);
        assert_eq!(check_buffer(size), Err(BatchError::BufferTooLong { size }));
        assert_eq!(check_records(count), Err(BatchError::TooManyRecords { count }));
        // The last offset is the end of the longest buffer, and one more than that is still a number.
        assert!(u32::try_from(size).is_ok());
    }

    #[test]
    fn lines_are_what_lies_between_newlines() {
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
    fn an_appended_batch_is_as_if_its_records_were_pushed() {
        let parts: [&[&[u8]]; 5] = [&[], &[b"a", b""], &[], &[b"bcd"], &[b"", b"e"]];
        let (mut appended, mut pushed) = (BatchBuf::new(), BatchBuf::new());
        for part in parts {
            let mut other = BatchBuf::new();
            for record in part {
                other.push(record).unwrap();
                pushed.push(record).unwrap();
            }
            appended.append(&other).unwrap();
            assert_eq!((&appended.buffer, &appended.offsets), (&pushed.buffer, &pushed.offsets));
        }
    }

    #[test]
    fn offsets_are_validated() {
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
    fn slices_renumber_their_records() {
        let mut offsets = Vec::new();
        let batch = Batch::lines(b"a\nbb\nccc", &mut offsets).unwrap();
        assert_eq!(batch.slice(1..3).iter().collect::<Vec<_>>(), [&b"bb"[..], b"ccc"]);
        assert_eq!(batch.slice(1..3).extent(), 2..8);
        assert!(batch.slice(2..2).is_empty());
        assert!(batch.slice(3..3).is_empty());
    }

    #[test]
    fn parts_are_as_long_as_they_may_be_and_hold_every_record_once() {
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

    #[test]
    fn records_are_found_by_position() {
        let offsets = [3, 3, 5, 5, 5, 9, 12, 12, 13, 20, 21];
        let batch = Batch::from_offsets(&[0; 21], &offsets).unwrap();
        for at in 3..25 {
            let expected = (0..10).rev().find(|&r| offsets[r] as usize <= at).unwrap();
            for from in (0..=expected).filter(|&from| offsets[from] as usize <= at) {
                assert_eq!(batch.record_at(from, at), expected, "{at} from {from}");
            }
        }
    }

    #[test]
    fn what_does_not_fit_leaves_the_batch_as_it_was() {
        assert!(check_buffer(MAX_BUFFER).is_ok());
        assert!(check_buffer(MAX_BUFFER + 1).is_err());
        assert!(check_records(MAX_RECORDS + 1).is_err());
    }

    #[test]
    fn an_owned_batch_is_padded_and_reusable() {
        let mut batch = BatchBuf::with_capacity(2, 4);
        for _ in 0..2 {
            batch.push(b"ab").unwrap();
            batch.push(b"").unwrap();
            batch.push(b"c").unwrap();
            assert_eq!(batch.as_batch().iter().collect::<Vec<_>>(), [&b"ab"[..], b"", b"c"]);
            assert_eq!(batch.as_batch().buffer().len(), 3 + PADDING);
            assert_eq!((batch.len(), batch.bytes()), (3, 3));
            batch.clear();
            assert_eq!((batch.len(), batch.bytes()), (0, 0));
        }
    }
}
