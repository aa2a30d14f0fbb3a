//! Why a stream could not be scanned to its end.

use std::io;

use crate::ScanError;

/// Why a stream could not be scanned to its end. Every variant names a place in the stream, as an
/// offset in the text that is searched; see [Positions](super#positions).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The reader returned an error. A read that was interrupted is repeated, and is no error.
    #[error("reading failed at byte {offset}: {source}")]
    Io {
        /// The number of bytes that were read before.
        offset: u64,
        /// The reader's error.
        source: io::Error,
    },
    /// A record is longer than [`ReaderScan::max_record`](super::ReaderScan::max_record) allows.
    #[error("the record at byte {offset} is longer than {limit} bytes")]
    RecordTooLong {
        /// Where the record starts.
        offset: u64,
        /// The length of the longest record that is accepted, in bytes.
        limit: usize,
    },
    /// The scanner failed.
    #[error("scanning failed in the block at byte {offset}: {source}")]
    Scan {
        /// Where the records start that were scanned together, none of which may have been searched.
        offset: u64,
        /// The scanner's error.
        source: ScanError,
    },
}
