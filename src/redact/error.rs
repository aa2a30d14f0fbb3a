//! Why something could not be redacted.

use std::io;

use crate::reader::ReadError;
use crate::{BatchError, ScanError};

/// Why something could not be redacted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RedactError {
    /// The stream could not be read or scanned to its end.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The writer failed.
    #[error("writing failed: {0}")]
    Write(#[source] io::Error),
    /// The scanner failed.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// The records don't fit in a batch.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// The scanner does not report spans: its engine was made with
    /// [`Report::Patterns`](crate::Report::Patterns).
    #[error("the scanner does not report spans; make its engine with `Report::Spans`")]
    NoSpans,
}
