//! The trait of every scanner: the engines here, and the scanners of other packages that run them on
//! other threads or in other processes.

use std::ops::ControlFlow;

use crate::{Batch, Match, Matches, StopFlag};

/// The most matches in one block of [`Scan::scan_with`].
pub const MAX_BLOCK: usize = 4096;

/// Bytes of records that the provided [`Scan::scan_with`] scans at a time. Small enough that the
/// matches of a part usually fit in the cache of a core, large enough that the cost of a scan is
/// shared by many records.
const PART_BYTES: usize = 256 << 10;

/// Scans batches of records for a set of patterns.
///
/// Every implementation gives the same answers: those of a plain NFA simulation of one pattern over
/// one record at a time, ordered by record, then pattern, then start. A scanner is used by one thread
/// at a time and keeps its working memory from one scan to the next.
///
/// Two threads can't use one scanner at a time:
///
/// ```compile_fail,E0499
/// # use dragnet::{Batch, Matches, Scan, Scanner};
/// fn share(scanner: &mut Scanner, batch: &Batch<'_>) {
///     std::thread::scope(|scope| {
///         scope.spawn(|| scanner.scan(batch, &mut Matches::new()));
///         scope.spawn(|| scanner.scan(batch, &mut Matches::new()));
///     });
/// }
/// ```
///
/// nor through a shared reference:
///
/// ```compile_fail,E0596
/// # use std::sync::Arc;
/// # use dragnet::{Batch, Matches, Scan};
/// fn share<S: Scan>(scanner: Arc<S>, batch: &Batch<'_>) {
///     let _ = scanner.scan(batch, &mut Matches::new());
/// }
/// ```
pub trait Scan: Send {
    /// Scans every record of `batch` and replaces the contents of `out` with the matches.
    ///
    /// # Errors
    ///
    /// If the scan could not be completed; see [`ScanError`]. `out` is then empty, since an answer is
    /// complete or there is none. The scanner can be used again.
    fn scan(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError>;

    /// Scans every record of `batch` and passes the matches to `each`, in order, in blocks of 1 to
    /// [`MAX_BLOCK`] matches. Use it when the matches may be too many to hold at once.
    ///
    /// A block may end between two matches of one record. When `each` breaks, the scan ends early and
    /// returns [`ControlFlow::Break`]. A panic of `each` ends the scan and unwinds to the caller. The
    /// scanner can be used again after either.
    ///
    /// The provided implementation scans about 256 KiB of records at a time and holds all matches of
    /// such a part. The engines override it and hold less than 1 MiB of matches, however many a record has.
    ///
    /// # Errors
    ///
    /// As [`scan`](Scan::scan). Blocks passed to `each` before the error are correct; the number of
    /// matches that would have followed is unknown.
    fn scan_with(
        &mut self,
        batch: &Batch<'_>,
        each: &mut dyn FnMut(&[Match]) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, ScanError> {
        let mut matches = Matches::new();
        let mut block = Vec::new();
        for records in batch.split_by_bytes(PART_BYTES) {
            self.scan(&batch.slice(records.clone()), &mut matches)?;
            for part in matches.as_slice().chunks(MAX_BLOCK) {
                block.clear();
                block.extend(part.iter().map(|m| m.offset_record(records.start as u32)));
                if each(&block).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Replaces the flag that ends scans early. From the next scan on, a scan ends with
    /// [`ScanError::Stopped`] once `stop` is raised.
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

/// What a scanner reports for each pattern that matches in a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Report {
    /// One [`Match`] for each pair of record and pattern, [without a span](Match::span). Cheaper
    /// than spans: a scanner can stop at the first match of a pattern in a record.
    Patterns,
    /// One [`Match`] for each span: leftmost-first and non-overlapping, as `find_iter`
    /// of the regex crate yields them. The default.
    #[default]
    Spans,
}

/// Why a scan has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScanError {
    /// The scanner's [`StopFlag`] was raised.
    #[error("the scan was stopped")]
    Stopped,
    /// The C library returned an error code that should not occur.
    #[error("{library} failed with error {code}")]
    Native {
        /// Name and version of the library.
        library: String,
        /// The error code.
        code: i32,
    },
    /// The scan did not finish before its deadline.
    #[error("the scan exceeded its deadline")]
    TimedOut,
    /// The scanner panicked on the thread or in the process that it runs on.
    #[error("the scanner panicked: {message}")]
    Panicked {
        /// The message of the panic.
        message: String,
    },
    /// A record is longer than the scanner accepts.
    #[error("a record of {size} bytes exceeds the limit of {limit}")]
    TooLarge {
        /// Length of the record in bytes.
        size: usize,
        /// Length of the longest accepted record in bytes.
        limit: usize,
    },
    /// The thread or process that runs the scanner could not be started, or was lost on every
    /// attempt.
    #[error("{reason}")]
    Unavailable {
        /// What happened.
        reason: String,
    },
}
