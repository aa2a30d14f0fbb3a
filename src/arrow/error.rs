//! The errors of scanning columns.

use arrow_schema::DataType;

use crate::{BatchError, ScanError};

/// Why a column could not be scanned, or a result could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ColumnError {
    /// The array has neither strings nor bytes, or is a dictionary of them.
    #[error("a column of type {0} has no strings or bytes to scan")]
    UnsupportedType(DataType),
    /// A value is longer than [`MAX_BUFFER`](crate::MAX_BUFFER).
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// The scan has no answer.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// The scanner reports no spans: its engine was made with
    /// [`Report::Patterns`](crate::Report::Patterns).
    #[error("the scanner does not report spans; make its engine with `Report::Spans`")]
    NoSpans,
    /// The result would have more entries or bytes than 32-bit offsets can number, which is
    /// 2^31 - 1. Scan the column in slices.
    #[error("the result has more than {} {what}, scan the column in slices", i32::MAX)]
    ResultTooLarge {
        /// The unit: `matches` or `bytes`.
        what: &'static str,
    },
}
