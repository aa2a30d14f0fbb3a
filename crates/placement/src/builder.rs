//! The configuration of owners and pools of scanners.

use std::error::Error;
use std::time::Duration;

use super::coalesce::{Coalescer, Limits};
use super::owner::{CloseOnDrop, ScanOwner, ScanPool};
use dragnet::{Engine, MAX_BUFFER, Scan};
use dragnet_boundary::{Abandoned, Builder, OnDrop, OnPanic, StartError};

/// Maximum value of [`ScanBuilder::batch_bytes`] and of [`ScanBuilder::batch_records`]: 2^30 - 1.
///
/// This is a quarter of the maximum length of a buffer, so that a batch of this size and its padding
/// always fit into one buffer.
const MAX_BATCH: usize = MAX_BUFFER / 4;

/// Configures and starts a [`ScanOwner`] or a [`ScanPool`].
///
/// ```
/// use std::time::Duration;
/// use dragnet_placement::ScanBuilder;
/// use dragnet::{Engine, PatternSet, Report};
///
/// let engine = Engine::new(&PatternSet::new(["error"])?, Report::Spans);
/// let pool = ScanBuilder::new("scans")
///     .batch_records(1000)
///     .deadline(Duration::from_secs(10))
///     .pool(2, move || engine.scanner())?;
/// let ticket = pool.handle().submit(b"an error")?;
/// let mut matches = dragnet::Matches::new();
/// ticket.wait(&mut matches)?;
/// assert_eq!(matches.as_slice()[0].range(), 3..8);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ScanBuilder {
    threads: Builder,
    limits: Limits,
    on_drop: OnDrop,
}

impl ScanBuilder {
    /// Makes a builder with the default configuration.
    ///
    /// `name` is the name of an owner's thread. The threads of a pool are named `{name}-{number}`.
    pub fn new(name: &str) -> ScanBuilder {
        let limits = Limits {
            batch_bytes: 256 << 10,
            batch_records: 4096,
            queued_bytes: 4 << 20,
            queued_records: 64 << 10,
            bypass_bytes: 64 << 10,
            linger: Duration::ZERO,
            deadline: None,
            members: 1,
        };
        // The coalescer bounds its queue of records. The pool's queue of calls needs no bound: it never
        // holds more calls than there are members and callers.
        let threads = Builder::new(name).capacity(usize::MAX).on_panic(OnPanic::Rebuild);
        ScanBuilder { threads, limits, on_drop: OnDrop::default() }
    }

    /// Sets the maximum number of bytes in a shared batch, up to 1 GiB. 256 KiB by default. A longer
    /// record is scanned alone.
    pub fn batch_bytes(mut self, bytes: usize) -> ScanBuilder {
        self.limits.batch_bytes = bytes.min(MAX_BATCH);
        self
    }

    /// Sets the maximum number of records in a shared batch, from 1 to 2^30 - 1. 4096 by default.
    pub fn batch_records(mut self, records: usize) -> ScanBuilder {
        self.limits.batch_records = records.clamp(1, MAX_BATCH);
        self
    }

    /// Sets the maximum delay before a batch that no caller waits for is flushed. Zero by default: a
    /// batch is scanned as soon as a thread is free.
    ///
    /// Callers that wait are not delayed: a batch is flushed as soon as a caller waits for one of its
    /// records. A linger makes batches larger where callers submit records long before they wait for
    /// them.
    pub fn linger(mut self, linger: Duration) -> ScanBuilder {
        self.limits.linger = linger;
        self
    }

    /// Sets the maximum number of bytes in the queue; batches that are being scanned do not count. 4
    /// MiB by default. A record longer than that is accepted when the queue is empty.
    pub fn queued_bytes(mut self, bytes: usize) -> ScanBuilder {
        self.limits.queued_bytes = bytes;
        self
    }

    /// Sets the maximum number of records in the queue, at least one; batches that are being scanned do
    /// not count. 65,536 by default.
    pub fn queued_records(mut self, records: usize) -> ScanBuilder {
        self.limits.queued_records = records.max(1);
        self
    }

    /// Sets the smallest batch, in bytes, that bypasses the queue: it is scanned in place, without a
    /// copy, in a call of its own. 64 KiB by default. Each record counts 16 bytes in addition to its
    /// length.
    ///
    /// With a [deadline](ScanBuilder::deadline) no batch bypasses the queue.
    pub fn bypass_bytes(mut self, bytes: usize) -> ScanBuilder {
        self.limits.bypass_bytes = bytes;
        self
    }

    /// Sets how long the scan of a shared batch may take. The time starts when the batch is submitted
    /// to the pool, so it includes the wait for a thread that is stuck. No deadline by default.
    ///
    /// When the deadline passes, all callers with records in the batch get
    /// [`TimedOut`](dragnet::ScanError::TimedOut), and the scanner's stop flag is raised. If the scanner
    /// does not stop within the [grace period](ScanBuilder::grace), its thread is abandoned, and a new
    /// thread with a new scanner takes its place.
    pub fn deadline(mut self, deadline: Duration) -> ScanBuilder {
        self.limits.deadline = Some(deadline);
        self
    }

    /// Sets how long a scanner may continue after its stop flag was raised; see [`Builder::grace`].
    pub fn grace(mut self, grace: Duration) -> ScanBuilder {
        self.threads = self.threads.grace(grace);
        self
    }

    /// Sets how many additional threads may run in place of abandoned ones that are still stuck; see
    /// [`Builder::spares`]. Once all of them are stuck, scans fail at once with
    /// [`Unavailable`](dragnet::ScanError::Unavailable).
    pub fn spares(mut self, threads: usize) -> ScanBuilder {
        self.threads = self.threads.spares(threads);
        self
    }

    /// Sets a function to call when a thread is abandoned; see [`Builder::on_abandoned`].
    pub fn on_abandoned(
        mut self,
        report: impl Fn(&Abandoned) + Send + Sync + 'static,
    ) -> ScanBuilder {
        self.threads = self.threads.on_abandoned(report);
        self
    }

    /// Sets what a drop of the owner or pool does with queued records. With [`OnDrop::Drain`] it waits
    /// until they are scanned; with [`OnDrop::Reject`] they fail with
    /// [`Unavailable`](dragnet::ScanError::Unavailable).
    pub fn on_drop(mut self, policy: OnDrop) -> ScanBuilder {
        self.on_drop = policy;
        self
    }

    /// Starts a thread that makes a scanner with `make` and owns it. Returns once the scanner is made.
    ///
    /// `make` is called again after the scanner has panicked or its thread was abandoned.
    ///
    /// # Errors
    ///
    /// If the system can't start a thread, or `make` fails or panics. No thread is then left running.
    pub fn owner<S, E>(
        self,
        make: impl Fn() -> Result<S, E> + Send + Sync + 'static,
    ) -> Result<ScanOwner, StartError>
    where
        S: Scan + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        Ok(ScanOwner { inner: self.start(1, make)? })
    }

    /// Starts `members` threads, at least one, each of which makes a scanner with `make` and owns it.
    /// Returns once all scanners are made.
    ///
    /// As for an [`owner`](ScanBuilder::owner), `make` is called again after a scanner has panicked or
    /// its thread was abandoned.
    ///
    /// # Errors
    ///
    /// If the system can't start that many threads, or `make` fails or panics on any of them. No thread
    /// is then left running.
    pub fn pool<S, E>(
        self,
        members: usize,
        make: impl Fn() -> Result<S, E> + Send + Sync + 'static,
    ) -> Result<ScanPool, StartError>
    where
        S: Scan + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        Ok(ScanPool { inner: self.start(members.max(1), make)? })
    }

    fn start<S, E>(
        self,
        members: usize,
        make: impl Fn() -> Result<S, E> + Send + Sync + 'static,
    ) -> Result<CloseOnDrop, StartError>
    where
        S: Scan + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let boxed = move || make().map(|scanner| Box::new(scanner) as Box<dyn Scan>);
        let pool = self.threads.pool(members, boxed)?;
        let coalescer = Coalescer::new(pool, Limits { members, ..self.limits });
        Ok(CloseOnDrop { coalescer, on_drop: self.on_drop })
    }
}

impl ScanOwner {
    /// Starts an owner of a scanner of this engine, with the default configuration.
    ///
    /// # Errors
    ///
    /// As [`ScanBuilder::owner`].
    pub fn of(engine: &Engine) -> Result<ScanOwner, StartError> {
        let engine = engine.clone();
        ScanBuilder::new("scan").owner(move || engine.scanner())
    }
}

impl ScanPool {
    /// Starts a pool of `members` scanners of this engine, with the default configuration.
    ///
    /// # Errors
    ///
    /// As [`ScanBuilder::pool`].
    pub fn of(engine: &Engine, members: usize) -> Result<ScanPool, StartError> {
        let engine = engine.clone();
        ScanBuilder::new("scan").pool(members, move || engine.scanner())
    }
}
