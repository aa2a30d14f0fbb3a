//! The errors of building a batch, and the limits that they report.

/// The longest buffer of a batch, in bytes.
///
/// Offsets are 32 bits wide, and the offset after an unterminated last line is one more than the
/// length of the buffer.
pub const MAX_BUFFER: usize = u32::MAX as usize - 1;

/// The largest number of records in a batch. There is one offset more than records, and both are
/// counted in 32 bits.
pub const MAX_RECORDS: usize = u32::MAX as usize - 1;

/// Why a batch could not be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// The buffer would be longer than [`MAX_BUFFER`]. Split the records over several batches.
    #[error("the batch would have {size} bytes, the limit is {MAX_BUFFER}")]
    BufferTooLong {
        /// Length of the buffer in bytes; `usize::MAX` if it overflows.
        size: usize,
    },
    /// There are more than [`MAX_RECORDS`] records.
    #[error("the batch would have {count} records, the limit is {MAX_RECORDS}")]
    TooManyRecords {
        /// Number of records.
        count: usize,
    },
    /// An offset is smaller than the offset before it.
    #[error("offset {index} is {offset}, less than the offset {previous} before it")]
    OffsetsNotSorted {
        /// Position of the offset in the list.
        index: usize,
        /// The offset.
        offset: u32,
        /// The offset before it.
        previous: u32,
    },
    /// The last offset is past the end of the buffer.
    #[error("the last offset is {offset}, but the buffer has {len} bytes")]
    OffsetPastEnd {
        /// The last offset.
        offset: u32,
        /// Length of the buffer in bytes.
        len: usize,
    },
}

pub(super) fn check_buffer(size: usize) -> Result<(), BatchError> {
    if size > MAX_BUFFER { Err(BatchError::BufferTooLong { size }) } else { Ok(()) }
}

pub(super) fn check_records(count: usize) -> Result<(), BatchError> {
    if count > MAX_RECORDS { Err(BatchError::TooManyRecords { count }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the limits without allocating buffers of 4 GiB.
    #[test]
    fn limits_fit_in_offsets_of_32_bits() {
        assert!(check_buffer(MAX_BUFFER).is_ok() && check_records(MAX_RECORDS).is_ok());
        let (size, count) = (MAX_BUFFER + 1, MAX_RECORDS + 1);
        assert_eq!(check_buffer(size), Err(BatchError::BufferTooLong { size }));
        assert_eq!(check_records(count), Err(BatchError::TooManyRecords { count }));
        // The offset after an unterminated last line of the longest buffer.
        assert!(u32::try_from(size).is_ok());
    }
}
