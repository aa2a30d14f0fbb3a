//! The trait that every engine and every placement of one implements.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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
    /// The scanner's [`StopFlag`] was raised.
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

/// Tells a running scan, from any thread, to stop.
///
/// Clones share one flag. Scanners look at it between records, or more often. It stays raised
/// until it is [cleared](StopFlag::clear).
#[derive(Clone, Debug, Default)]
pub struct StopFlag {
    raised: Arc<AtomicBool>,
}

impl StopFlag {
    /// A flag that is not raised.
    pub fn new() -> StopFlag {
        StopFlag::default()
    }

    /// Raises the flag: scans that watch it end with [`ScanError::Stopped`].
    pub fn raise(&self) {
        self.raised.store(true, Ordering::Relaxed);
    }

    /// Lowers the flag, so that its scanner can be used again.
    pub fn clear(&self) {
        self.raised.store(false, Ordering::Relaxed);
    }

    /// Whether the flag is raised.
    pub fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Relaxed)
    }

    /// The flag as one byte in memory, for C to poll; valid as long as any clone is.
    #[cfg(feature = "native")]
    pub(crate) fn as_ptr(&self) -> *const u8 {
        self.raised.as_ptr().cast()
    }
}
