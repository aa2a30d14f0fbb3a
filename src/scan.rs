//! The trait that every engine and every placement of one implements.

use crate::{Batch, Matches};

/// Scans batches of records for a set of patterns.
///
/// Whatever implements it gives the same answers: those of a plain NFA simulation of one pattern
/// over one record at a time, ordered by record, then pattern, then start. A scanner is used by
/// one thread at a time and keeps its working memory from one scan to the next.
pub trait Scan: Send {
    /// Scans every record of `batch` and replaces what is in `out`.
    ///
    /// # Errors
    ///
    /// If the answer could not be had. `out` is then empty: an answer is complete or there is
    /// none. The scanner can be used again.
    fn scan(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError>;
}

impl<S: Scan + ?Sized> Scan for Box<S> {
    fn scan(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError> {
        (**self).scan(batch, out)
    }
}

/// What a scanner reports of each pattern that matches in a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Report {
    /// That it matches: one [`Match`](crate::Match) for each record and pattern, with the span
    /// `0..0`. The cheapest.
    #[default]
    Which,
    /// Where it matches: one [`Match`](crate::Match) for each of its leftmost-first,
    /// non-overlapping spans, as a find-iterator gives them.
    Spans,
}

/// Why a scan has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScanError {
    /// The scanner's [`StopFlag`](crate::StopFlag) was raised.
    #[error("the scan was stopped")]
    Stopped,
    /// The C library failed with an error code that should not occur.
    #[error("{library} failed with error {code}")]
    Native {
        /// The library's name and version.
        library: String,
        /// Its error code.
        code: i32,
    },
}
