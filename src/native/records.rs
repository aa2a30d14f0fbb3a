//! Records in the form that C scans: flat, with readable padding after each of them.
//!
//! libhs loads whole vectors and may read past the end of a record, so every record that it gets
//! must be followed by [`PADDING`] readable bytes. Most records of a batch are: the next records
//! follow them in the buffer. Those near the end of a borrowed buffer are not, and they alone are
//! copied ([`PaddedTail`]); copying every batch would cost a pass over all of its bytes. The buffer
//! of a [`BatchBuf`](crate::BatchBuf) has the padding built in, so nothing of it is copied.

use crate::Batch;
use crate::batch::PADDING;

/// Capacity in bytes that a [`PaddedTail`] keeps from one scan to the next. Larger copies, which
/// only a record longer than this needs, are freed after the scan.
const KEPT_CAPACITY: usize = 1 << 20;

/// Records in one buffer, each of them followed by at least [`PADDING`] bytes of that buffer.
///
/// Record `i` lies from `offsets[i]` up to `offsets[i + 1] - terminator`. There is one more offset
/// than there are records, or no offset if there are no records.
#[derive(Clone, Copy)]
pub(super) struct PaddedRecords<'a> {
    buffer: &'a [u8],
    offsets: &'a [u32],
    terminator: u32,
    base: u32,
}

impl<'a> PaddedRecords<'a> {
    /// The longest prefix of the records of `batch` that are followed by padding in its buffer.
    /// Takes a binary search.
    pub(super) fn prefix_of(batch: &Batch<'a>) -> PaddedRecords<'a> {
        let count = match batch.buffer().len().checked_sub(PADDING) {
            None => 0,
            Some(last_end) => {
                // Record `i` ends at offset `i + 1` less the terminator, and ends ascend.
                let ends = batch.offsets().get(1..).unwrap_or(&[]);
                ends.partition_point(|&end| (end - batch.terminator()) as usize <= last_end)
            }
        };
        let prefix = batch.slice(0..count);
        PaddedRecords::new(prefix.buffer(), prefix.offsets(), prefix.terminator(), 0)
    }

    /// # Panics
    ///
    /// If the last record is not followed by [`PADDING`] bytes. The records before it end before
    /// it does.
    fn new(buffer: &'a [u8], offsets: &'a [u32], terminator: u32, base: u32) -> PaddedRecords<'a> {
        if let [_, .., last] = *offsets {
            let end = (last - terminator) as usize;
            assert!(end + PADDING <= buffer.len(), "the last record lacks its padding");
        }
        PaddedRecords { buffer, offsets, terminator, base }
    }

    /// The number of records.
    pub(super) fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    pub(super) fn buffer(&self) -> &'a [u8] {
        self.buffer
    }

    pub(super) fn offsets(&self) -> &'a [u32] {
        self.offsets
    }

    /// The number of bytes between the end of a record and the next offset.
    pub(super) fn terminator(&self) -> u32 {
        self.terminator
    }

    /// The index in the batch of the first of these records.
    pub(super) fn base(&self) -> u32 {
        self.base
    }
}

/// Buffers for a copy of the last records of a batch, with padding after them.
#[derive(Debug, Default)]
pub(super) struct PaddedTail {
    buffer: Vec<u8>,
    offsets: Vec<u32>,
}

impl PaddedTail {
    /// Copies the records of `batch` from record `first` on.
    pub(super) fn copy(&mut self, batch: &Batch<'_>, first: usize) -> PaddedRecords<'_> {
        let tail = batch.slice(first..batch.len());
        let extent = tail.extent();
        self.buffer.clear();
        self.buffer.reserve(extent.len() + PADDING);
        self.buffer.extend_from_slice(&tail.buffer()[extent.clone()]);
        self.buffer.resize(extent.len() + PADDING, 0);
        self.offsets.clear();
        // Both casts are lossless: offsets and record indexes of a batch have 32 bits. The extent
        // starts at the first offset, so the subtraction does not overflow.
        let moved = tail.offsets().iter().map(|offset| offset - extent.start as u32);
        self.offsets.extend(moved);
        PaddedRecords::new(&self.buffer, &self.offsets, tail.terminator(), first as u32)
    }

    /// Frees the memory in excess of [`KEPT_CAPACITY`].
    pub(super) fn trim(&mut self) {
        self.buffer.clear();
        self.buffer.shrink_to(KEPT_CAPACITY);
        self.offsets.clear();
        self.offsets.shrink_to(KEPT_CAPACITY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BatchBuf;

    fn bounds(records: PaddedRecords<'_>) -> impl Iterator<Item = (usize, usize)> {
        let terminator = records.terminator;
        records.offsets.windows(2).map(move |w| (w[0] as usize, (w[1] - terminator) as usize))
    }

    #[test]
    fn prefix_and_tail_have_padding() {
        let mut offsets = Vec::new();
        for len in [0, 1, 2, 62, 63, 64, 65, 66, 127, 128, 129, 300] {
            for every in [1, 2, 7, 64, 1000] {
                for last in [&b""[..], b"\n", b"\n\n\n"] {
                    let mut text: Vec<u8> =
                        (0..len).map(|i| if i % every == 0 { b'\n' } else { b'a' }).collect();
                    text.extend_from_slice(last);
                    let batch = Batch::lines(&text, &mut offsets).unwrap();
                    let prefix = PaddedRecords::prefix_of(&batch);
                    let is_padded = |record: usize| batch.range(record).end + PADDING <= text.len();
                    assert!((0..prefix.len()).all(is_padded));
                    assert!(!(prefix.len()..batch.len()).any(is_padded));
                    assert_eq!(bounds(prefix).count(), prefix.len());

                    let mut tail = PaddedTail::default();
                    let copy = tail.copy(&batch, prefix.len());
                    assert_eq!(copy.len(), batch.len() - prefix.len());
                    assert_eq!(copy.base() as usize, prefix.len());
                    assert_eq!(bounds(copy).count(), copy.len());
                    for (i, (start, end)) in bounds(copy).enumerate() {
                        assert!(end + PADDING <= copy.buffer.len());
                        let record = batch.record(prefix.len() + i).unwrap();
                        assert_eq!(&copy.buffer[start..end], record);
                    }
                }
            }
        }
    }

    #[test]
    fn an_owned_batch_needs_no_copy() {
        let mut batch = BatchBuf::new();
        for record in [&b"a"[..], b"", &[b'b'; 100], b""] {
            batch.push(record).unwrap();
            let batch = batch.as_batch();
            assert_eq!(PaddedRecords::prefix_of(&batch).len(), batch.len());
        }
    }
}
