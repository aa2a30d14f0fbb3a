//! A batch that owns its records.

use super::Batch;
use super::error::{BatchError, check_buffer, check_records};

/// Readable bytes that a [`BatchBuf`] keeps after its last record, so that a C library that loads
/// whole vectors stays inside the allocation.
///
/// A borrowed [`Batch`] needs no such padding: the native engine copies the last records of a buffer
/// that ends without it.
pub const PADDING: usize = 64;

/// A batch that owns its records in one buffer. Records are pushed one by one; clearing the batch
/// keeps its memory.
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
    /// The bytes of all records, then `PADDING` zero bytes that belong to no record.
    buffer: Vec<u8>,
    /// One more than there are records.
    offsets: Vec<u32>,
}

impl BatchBuf {
    /// Returns an empty batch.
    pub fn new() -> BatchBuf {
        BatchBuf { buffer: vec![0; PADDING], offsets: vec![0] }
    }

    /// Returns an empty batch with room for `records` records of `bytes` bytes in total. It still
    /// grows beyond that.
    pub fn with_capacity(records: usize, bytes: usize) -> BatchBuf {
        let mut batch = BatchBuf::new();
        batch.offsets.reserve(records);
        batch.buffer.reserve(bytes);
        batch
    }

    /// Copies a record to the end of the batch. Costs time in proportion to the record, amortized.
    ///
    /// # Errors
    ///
    /// If the records and their [`PADDING`] would take more than [`MAX_BUFFER`](crate::MAX_BUFFER)
    /// bytes, or if there would be more than [`MAX_RECORDS`](crate::MAX_RECORDS) records. The batch
    /// is then unchanged.
    pub fn push(&mut self, record: &[u8]) -> Result<(), BatchError> {
        let end = self.bytes().saturating_add(record.len());
        check_buffer(end.saturating_add(PADDING))?;
        check_records(self.len() + 1)?;
        self.buffer.truncate(self.bytes());
        self.buffer.extend_from_slice(record);
        self.buffer.extend_from_slice(&[0; PADDING]);
        // In range: `end` is at most `MAX_BUFFER`.
        self.offsets.push(end as u32);
        Ok(())
    }

    /// Copies all records of another batch to the end of this one, with one copy of its bytes.
    ///
    /// # Errors
    ///
    /// As [`BatchBuf::push`]. The batch is then unchanged.
    pub fn append(&mut self, other: &BatchBuf) -> Result<(), BatchError> {
        let before = self.bytes();
        check_buffer(before.saturating_add(other.buffer.len()))?;
        check_records(self.len().saturating_add(other.len()))?;
        self.buffer.truncate(before);
        // Includes the padding of `other`, which becomes that of the whole batch.
        self.buffer.extend_from_slice(&other.buffer);
        // In range: the sum is at most `MAX_BUFFER`.
        self.offsets.extend(other.offsets[1..].iter().map(|&end| before as u32 + end));
        Ok(())
    }

    /// Removes all records and keeps the memory.
    pub fn clear(&mut self) {
        self.buffer.clear();
        self.buffer.resize(PADDING, 0);
        self.offsets.truncate(1);
    }

    /// Returns the number of records.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Returns whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the length of all records together, in bytes.
    pub fn bytes(&self) -> usize {
        self.buffer.len() - PADDING
    }

    /// Borrows the records as a batch, for scanning.
    pub fn as_batch(&self) -> Batch<'_> {
        Batch { buffer: &self.buffer, offsets: &self.offsets, terminator: 0 }
    }
}

impl Default for BatchBuf {
    fn default() -> BatchBuf {
        BatchBuf::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn append_equals_pushing_each_record() {
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
    fn clear_keeps_the_padding() {
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
