//! The trait that every engine and every placement of one implements.

use std::ops::ControlFlow;

use crate::{Batch, Match, Matches, StopFlag};

/// The most matches in one block of [`Scan::scan_with`].
pub const MAX_BLOCK: usize = 4096;

/// How many bytes of records the provided [`Scan::scan_with`] scans at a time, about.
const PART: usize = 256 << 10;

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

    /// Scans every record of `batch` and hands the matches to `each`, in order and in blocks of at
    /// most a few thousand: for results that are too many to hold at once. No block is empty, and
    /// the edges of blocks mean nothing; one may lie amid the matches of a record.
    ///
    /// When `each` breaks, the scan ends early, and returns that it did. A panic of `each` ends it
    /// too, and goes on in the caller. The scanner can be used again after both.
    ///
    /// As it is provided, this scans some 256 KiB of records after the other, each with all its
    /// matches in memory; the engines do better, and hold one block, whatever a record has.
    ///
    /// # Errors
    ///
    /// As [`scan`](Scan::scan). The blocks before it are as they would have been; how many
    /// matches would have followed is not known.
    fn scan_with(
        &mut self,
        batch: &Batch<'_>,
        each: &mut dyn FnMut(&[Match]) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, ScanError> {
        let mut matches = Matches::new();
        let mut block = Vec::new();
        for records in batch.split_by_bytes(PART) {
            self.scan(&batch.slice(records.clone()), &mut matches)?;
            for some in matches.as_slice().chunks(MAX_BLOCK) {
                block.clear();
                block.extend(some.iter().map(|m| m.offset_record(records.start as u32)));
                if each(&block).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Watches another flag from the next scan on: once it is raised, scans end with
    /// [`ScanError::Stopped`].
    fn set_stop(&mut self, stop: StopFlag);
}

impl<S: Scan + ?Sized> Scan for Box<S> {
    fn scan(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError> {
        (**self).scan(batch, out)
    }

    fn scan_with(
        &mut self,
        batch: &Batch<'_>,
        each: &mut dyn FnMut(&[Match]) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, ScanError> {
        (**self).scan_with(batch, each)
    }

    fn set_stop(&mut self, stop: StopFlag) {
        (**self).set_stop(stop);
    }
}

/// What a scanner reports of each pattern that matches in a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Report {
    /// That it matches: one [`Match`](crate::Match) for each record and pattern, with the span
    /// `0..0`. The cheapest.
    #[default]
    Patterns,
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
    /// The answer did not come back in time.
    #[error("the scan did not come back in time")]
    TimedOut,
    /// The scanner panicked on the thread that it runs on.
    #[error("the scanner panicked: {message}")]
    Panicked {
        /// What the panic said.
        message: String,
    },
    /// A record is longer than the place that it would be scanned in takes.
    #[error("a record of {size} bytes is over the limit of {limit}")]
    TooLarge {
        /// How long it is, in bytes.
        size: usize,
        /// How long it may be.
        limit: usize,
    },
    /// The place where the scan was to run can't be had, or did not answer however often it was
    /// tried.
    #[error("{reason}")]
    Unavailable {
        /// What happened.
        reason: String,
    },
}
