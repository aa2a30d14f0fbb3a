//! Owners and pools of scanners.

use std::fmt;
use std::sync::Arc;

use super::coalesce::{Coalescer, ScanHandle};
use dragnet_boundary::OnDrop;

/// A coalescer that is closed on drop.
pub(super) struct CloseOnDrop {
    pub(super) coalescer: Arc<Coalescer>,
    pub(super) on_drop: OnDrop,
}

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.coalescer.close(self.on_drop == OnDrop::Reject);
    }
}

/// A thread that owns a scanner and scans for any number of callers. Records that arrive while it is
/// busy are coalesced into one batch, so that one scan serves many callers.
///
/// Use it for a scanner that must stay on one thread, or whose scan costs almost as much for one record
/// as for hundreds, such as one in a C library or in another process. A single record costs a round trip
/// between threads. Under load a record costs a small fraction of that, because all records of a batch
/// share one round trip.
///
/// ```
/// use dragnet_placement::ScanOwner;
/// use dragnet::{BatchBuf, Engine, Matches, PatternSet, Report, Scan};
///
/// let engine = Engine::new(&PatternSet::new([r"id=\d+", "error"])?, Report::Spans);
/// let owner = ScanOwner::of(&engine)?;
/// std::thread::scope(|scope| {
///     for i in 0..4 {
///         let mut handle = owner.handle();
///         scope.spawn(move || -> Result<(), dragnet::ScanError> {
///             let mut matches = Matches::new();
///             // Submit single records, and wait for them later:
///             let tickets = [handle.submit(b"all is well")?, handle.submit(b"error, id=7")?];
///             let [_, second] = tickets;
///             second.wait(&mut matches)?;
///             assert_eq!(matches.len(), 2);
///             // Or scan whole batches, as with any scanner:
///             let mut batch = BatchBuf::new();
///             batch.push(format!("id={i}").as_bytes()).expect("fits");
///             handle.scan(&batch.as_batch(), &mut matches)?;
///             assert_eq!(matches.as_slice()[0].range(), 0..4);
///             Ok(())
///         });
///     }
/// });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// When a scanner panics, all callers whose records it was scanning get
/// [`Panicked`](dragnet::ScanError::Panicked), and a new scanner is made.
///
/// When a scanner returns an error for a batch that several callers share, each *submission* (a single
/// record, or the records of one call of `scan`) is scanned once more, alone. So only the callers whose
/// records cause the error get it. This costs one scan for each submission in the batch. A scan that
/// was stopped or missed its deadline is not repeated: all callers get the error.
///
/// # Drop
///
/// Queued records are scanned or refused, as [configured](crate::ScanBuilder::on_drop). Then the scanner
/// is dropped on its thread, and the thread is joined, unless the drop runs on that thread. Handles and
/// tickets may outlive the owner.
pub struct ScanOwner {
    pub(super) inner: CloseOnDrop,
}

/// Threads that each own a scanner, behind one queue: for more records than one thread can scan.
///
/// A pool of one thread behaves like a [`ScanOwner`], whose documentation on errors and on the drop
/// applies to pools, too.
///
/// ```
/// use dragnet_placement::ScanPool;
/// use dragnet::{Engine, Matches, PatternSet, Report};
///
/// let engine = Engine::new(&PatternSet::new([r"\d+"])?, Report::Spans);
/// let pool = ScanPool::of(&engine, 3)?;
/// let handle = pool.handle();
/// let tickets: Vec<_> =
///     (0..100).map(|i| handle.submit(i.to_string().as_bytes())).collect::<Result<_, _>>()?;
/// let mut matches = Matches::new();
/// for (i, ticket) in tickets.into_iter().enumerate() {
///     ticket.wait(&mut matches)?;
///     assert_eq!(matches.as_slice()[0].range(), 0..i.to_string().len());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ScanPool {
    pub(super) inner: CloseOnDrop,
}

macro_rules! methods {
    ($Type:ident) => {
        impl $Type {
            /// Makes a handle to scan with, for one caller.
            pub fn handle(&self) -> ScanHandle {
                ScanHandle::new(Arc::clone(&self.inner.coalescer))
            }

            /// Returns the number of queued records, without those that are being scanned.
            pub fn queued(&self) -> usize {
                self.inner.coalescer.queued()
            }

            /// Returns how many threads run the flush timer, 0 or 1. For tests.
            #[doc(hidden)]
            pub fn flush_timers(&self) -> usize {
                self.inner.coalescer.flush_timers()
            }

            /// Returns how many threads were abandoned so far.
            pub fn abandoned(&self) -> usize {
                self.inner.coalescer.abandoned()
            }

            /// Returns how many abandoned threads are still stuck.
            pub fn stuck(&self) -> usize {
                self.inner.coalescer.stuck()
            }
        }

        impl fmt::Debug for $Type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($Type))
                    .field("queued", &self.queued())
                    .field("abandoned", &self.abandoned())
                    .field("stuck", &self.stuck())
                    .finish_non_exhaustive()
            }
        }
    };
}

methods!(ScanOwner);
methods!(ScanPool);
