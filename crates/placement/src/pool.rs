//! Owners and pools of scanners.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::gather::{Core, Limits, ScanHandle};
use dragnet::{Engine, MAX_BUFFER, Scan};
use dragnet_boundary::{Abandoned, Builder, OnDrop, OnPanic, StartError};

/// Sets up a [`ScanOwner`] or a [`ScanPool`].
///
/// ```
/// use std::time::Duration;
/// use dragnet_placement::ScanBuilder;
/// use dragnet::{Engine, PatternSet, Report};
///
/// let engine = Engine::new(&PatternSet::new(["error"])?, Report::Spans);
/// let pool = ScanBuilder::new("scans")
///     .round_records(1000)
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
    beneath: Builder,
    limits: Limits,
    on_drop: OnDrop,
}

impl ScanBuilder {
    /// A setup with this name, which its threads have: an owner's as it is, those of a pool with a
    /// number behind it.
    pub fn new(name: &str) -> ScanBuilder {
        let limits = Limits {
            round_bytes: 256 << 10,
            round_records: 4096,
            queued_bytes: 4 << 20,
            queued_records: 64 << 10,
            whole_bytes: 64 << 10,
            linger: Duration::ZERO,
            deadline: None,
            members: 1,
        };
        // What is queued is bounded here; beneath are never more calls than members and callers.
        let beneath = Builder::new(name).capacity(usize::MAX).on_panic(OnPanic::Rebuild);
        ScanBuilder { beneath, limits, on_drop: OnDrop::default() }
    }

    /// How many bytes of records are scanned at once at most, up to 1 GiB; 256 KiB if this is not
    /// called. A record that is longer is scanned alone.
    pub fn round_bytes(mut self, bytes: usize) -> ScanBuilder {
        self.limits.round_bytes = bytes.min(MAX_BUFFER / 4);
        self
    }

    /// How many records are scanned at once at most, at least one; 4096 if this is not called.
    pub fn round_records(mut self, records: usize) -> ScanBuilder {
        self.limits.round_records = records.clamp(1, MAX_BUFFER / 4);
        self
    }

    /// For how long records are gathered at most that nobody waits for, while a member is free;
    /// not at all if this is not called. Once somebody waits for one of them they are scanned at
    /// once, so a linger is no latency; it makes larger batches where callers submit far ahead of
    /// what they wait for.
    pub fn linger(mut self, linger: Duration) -> ScanBuilder {
        self.limits.linger = linger;
        self
    }

    /// How many bytes of records may be queued, without those that are being scanned; 4 MiB if
    /// this is not called. A longer record is taken when nothing else is queued.
    pub fn queued_bytes(mut self, bytes: usize) -> ScanBuilder {
        self.limits.queued_bytes = bytes;
        self
    }

    /// How many records may be queued, at least one, without those that are being scanned; 65536
    /// if this is not called.
    pub fn queued_records(mut self, records: usize) -> ScanBuilder {
        self.limits.queued_records = records.max(1);
        self
    }

    /// From which size on a batch is scanned as it is, without a copy, rather than gathered; 64
    /// KiB if this is not called. Each record counts 16 bytes beside its own. With a
    /// [deadline](ScanBuilder::deadline) every batch is gathered.
    pub fn whole_bytes(mut self, bytes: usize) -> ScanBuilder {
        self.limits.whole_bytes = bytes;
        self
    }

    /// How long the scan of a round may take, from when it is handed to the members, with the wait
    /// for one that is stuck; forever if this is not called.
    ///
    /// After that all who have records in it get [`TimedOut`](dragnet::ScanError::TimedOut) and the
    /// scanner's stop flag is raised. If it does not react within the [grace](ScanBuilder::grace)
    /// its thread is given up, and another one with a new scanner takes its place.
    pub fn deadline(mut self, deadline: Duration) -> ScanBuilder {
        self.limits.deadline = Some(deadline);
        self
    }

    /// How long a scanner may go on after it was told to stop; see [`Builder::grace`].
    pub fn grace(mut self, grace: Duration) -> ScanBuilder {
        self.beneath = self.beneath.grace(grace);
        self
    }

    /// How many threads may stand in for those that were given up and are still stuck; see
    /// [`Builder::spares`]. Once none is left, scans fail at once as
    /// [unavailable](dragnet::ScanError::Unavailable), with an error that says so.
    pub fn spares(mut self, threads: usize) -> ScanBuilder {
        self.beneath = self.beneath.spares(threads);
        self
    }

    /// What to call when a thread was given up; see [`Builder::on_abandoned`].
    pub fn on_abandoned(
        mut self,
        report: impl Fn(&Abandoned) + Send + Sync + 'static,
    ) -> ScanBuilder {
        self.beneath = self.beneath.on_abandoned(report);
        self
    }

    /// What becomes of queued records when the owner or pool is dropped: they are scanned, which
    /// the drop waits for, or refused as [unavailable](dragnet::ScanError::Unavailable).
    pub fn on_drop(mut self, policy: OnDrop) -> ScanBuilder {
        self.on_drop = policy;
        self
    }

    /// Starts a thread, which makes a scanner and owns it. Waits until it has.
    ///
    /// The maker is called again when a thread was given up or a scanner panicked.
    ///
    /// # Errors
    ///
    /// If there is no thread to be had, or the maker fails or panics. Nothing is left running.
    pub fn owner<S, E>(
        self,
        make: impl Fn() -> Result<S, E> + Send + Sync + 'static,
    ) -> Result<ScanOwner, StartError>
    where
        S: Scan + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        Ok(ScanOwner { placement: self.start(1, make)? })
    }

    /// Starts this many threads, at least one, of which each makes a scanner and owns it. Waits
    /// until they have. As for [`owner`](ScanBuilder::owner) otherwise.
    ///
    /// # Errors
    ///
    /// If there are not that many threads to be had, or the maker fails or panics on any. Nothing
    /// is left running.
    pub fn pool<S, E>(
        self,
        members: usize,
        make: impl Fn() -> Result<S, E> + Send + Sync + 'static,
    ) -> Result<ScanPool, StartError>
    where
        S: Scan + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        Ok(ScanPool { placement: self.start(members.max(1), make)? })
    }

    fn start<S, E>(
        self,
        members: usize,
        make: impl Fn() -> Result<S, E> + Send + Sync + 'static,
    ) -> Result<Placement, StartError>
    where
        S: Scan + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let boxed = move || make().map(|scanner| Box::new(scanner) as Box<dyn Scan>);
        let pool = self.beneath.pool(members, boxed)?;
        let core = Core::new(pool, Limits { members, ..self.limits });
        Ok(Placement { core, reject: self.on_drop == OnDrop::Reject })
    }
}

/// What is dropped with an owner or pool.
struct Placement {
    core: Arc<Core>,
    reject: bool,
}

impl Drop for Placement {
    fn drop(&mut self) {
        self.core.close(self.reject);
    }
}

/// A thread that owns a scanner, and scans for any number of others: their records are gathered
/// while it is busy, so that one scan serves them all.
///
/// For a scanner that must stay on one thread, or that costs as much for one record as for
/// hundreds: a library in C, another process. Handing in a record and taking its matches costs a
/// small part of a round trip between threads, since all that are gathered meanwhile share one.
/// One record alone takes one round trip.
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
///             // Single records, many on their way at a time:
///             let tickets = [handle.submit(b"all is well")?, handle.submit(b"error, id=7")?];
///             let [_, second] = tickets;
///             second.wait(&mut matches)?;
///             assert_eq!(matches.len(), 2);
///             // Or whole batches, as with any scanner:
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
/// A scanner that panics is made anew, and all whose records it was scanning get
/// [`Panicked`](dragnet::ScanError::Panicked). If it returns an error for records of several
/// callers, other than that it was stopped or late, the records of each are scanned once more
/// alone, so that only those get the error whose records cause it: as many scans as there are
/// submissions in the round.
///
/// # Dropping it
///
/// Records that are queued are scanned or refused, as [configured](ScanBuilder::on_drop); then the
/// scanner is dropped on its thread, and the thread is joined, unless this is that thread. Handles
/// and tickets may live on.
pub struct ScanOwner {
    placement: Placement,
}

/// Threads of which each owns a scanner, behind one queue: for more records than one thread can
/// scan. For one thread a pool is a [`ScanOwner`], and what is said there holds here.
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
    placement: Placement,
}

impl ScanOwner {
    /// An owner of a scanner of this engine, as [`ScanBuilder`] is set up at first.
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
    /// A pool of this many scanners of this engine, as [`ScanBuilder`] is set up at first.
    ///
    /// # Errors
    ///
    /// As [`ScanBuilder::pool`].
    pub fn of(engine: &Engine, members: usize) -> Result<ScanPool, StartError> {
        let engine = engine.clone();
        ScanBuilder::new("scan").pool(members, move || engine.scanner())
    }
}

macro_rules! placement {
    ($Type:ident) => {
        impl $Type {
            /// A handle to scan with, for one caller.
            pub fn handle(&self) -> ScanHandle {
                ScanHandle::new(Arc::clone(&self.placement.core))
            }

            /// How many records are queued, without those that are being scanned.
            pub fn queued(&self) -> usize {
                self.placement.core.queued()
            }

            /// How many threads wait with a time limit right now: one while there are records that
            /// nobody waits for and that are to linger, else none.
            #[doc(hidden)]
            pub fn timers(&self) -> usize {
                self.placement.core.timers()
            }

            /// How many threads were given up so far.
            pub fn abandoned(&self) -> usize {
                self.placement.core.abandoned()
            }

            /// How many threads that were given up are still stuck.
            pub fn stuck(&self) -> usize {
                self.placement.core.stuck()
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

placement!(ScanOwner);
placement!(ScanPool);
