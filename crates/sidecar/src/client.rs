//! The client: a [`Scan`] whose work is done by a server in another process.
//!
//! A batch is split into chunks. Several chunks are in flight at a time, so that this process
//! copies records and receives matches while the server scans. Chunks are answered in the order of
//! their submission, so two queues suffice: the oldest chunk always belongs to the oldest batch
//! without an outcome.
//!
//! A chunk keeps its region of shared memory until it is answered. So a lost server costs no copy: the
//! next one gets the same regions, and scans all chunks again that have no answer yet. The
//! implementation is in three files: [`chunks`] for sending and answering, [`recovery`] for lost
//! servers, [`splitting`] for sizes.

use std::collections::VecDeque;
use std::fmt;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

mod chunks;
mod recovery;
mod splitting;

use super::connection::{Connection, SessionRequest};
use super::connection_error::ConnectionError;
use super::connector::Connector;
use super::error::SidecarError;
use super::region::Region;
use super::sequence::{Generation, RegionIndex, SLOTS, Sequence};
use dragnet::{Backend, Batch, Match, Matches, Scan, ScanError, StopFlag};

/// The capacity, in matches, that a list keeps from one batch to the next: 1 MiB of memory.
const MAX_KEPT_MATCHES: usize = 1 << 16;

/// The settings of a client, as its builder collects them.
#[derive(Clone, Copy, Debug)]
pub(super) struct SidecarConfig {
    pub(super) max_attempts: u32,
    /// The wait before the first reconnection, and the longest wait.
    pub(super) backoff: (Duration, Duration),
    /// The length of a chunk, in bytes of records.
    pub(super) chunk_bytes: usize,
    pub(super) max_in_flight: usize,
}

/// Scans in another process, which may crash, hang or be killed at any time without harm.
///
/// The records are copied once, into memory that both processes map. `dragnet serve` searches them
/// there; a [`Server`](super::Server) without [`search_in_place`](super::Server::search_in_place)
/// copies them once more. A batch is sent in chunks, several of which are in flight at a time, so that
/// copying, scanning and receiving overlap. If the server exits or stays silent, another one is
/// started, and all chunks that have no answer are sent again. The result is the complete and exact
/// answer, or an error that says what happened; never a part of an answer.
///
/// The patterns are sent once per server and compiled there. The server may have the native backend
/// even if this process was built without it.
///
/// ```no_run
/// use dragnet_sidecar::Sidecar;
/// use dragnet::{BatchBuf, Matches, PatternSet, Report, Scan};
///
/// let set = PatternSet::new(["error", r"\bid=[0-9a-f]{8}\b"])?;
/// let mut sidecar = Sidecar::builder(&set, Report::Spans).spawn("dragnet")?;
///
/// let mut records = BatchBuf::new();
/// records.push(b"error, id=deadbeef")?;
/// let mut matches = Matches::new();
/// sidecar.scan(&records.as_batch(), &mut matches)?;
/// assert_eq!(matches.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Several batches at a time
///
/// [`submit`](Sidecar::submit) sends a batch without waiting for its answer; [`wait`](Sidecar::wait)
/// waits for the oldest batch that was submitted.
///
/// # Drop
///
/// Dropping a sidecar kills the server that was started for it, and waits for its end. A server that
/// listens at a socket keeps running.
///
/// # Memory
///
/// A server that runs out of memory exits and is replaced. If this process runs out of memory for the
/// matches, it aborts, like any Rust program whose `Vec` can't grow. A match takes 16 bytes.
pub struct Sidecar {
    config: SidecarConfig,
    connector: Connector,
    request: SessionRequest,
    stop: StopFlag,
    connection: Option<Connection>,
    /// The number of the oldest chunk in this connection.
    oldest: Sequence,
    /// The chunks in flight, the oldest first.
    chunks: VecDeque<PendingChunk>,
    /// The batches that were submitted and not delivered, the oldest first.
    batches: VecDeque<PendingBatch>,
    /// Memory for records. A region is in use while a chunk in flight names it.
    regions: [Option<Region>; SLOTS],
    /// The generation of the newest region.
    generation: Generation,
    /// The matches of the oldest chunk that were received so far.
    found: Vec<Match>,
    /// Empty lists of delivered batches, kept so that later batches reuse their memory.
    spare: Vec<Vec<Match>>,
    /// How many servers were lost since the last answer.
    losses: u32,
    restarts: u64,
}

/// Some records of a batch, in flight.
#[derive(Debug)]
struct PendingChunk {
    region: RegionIndex,
    /// The number of its first record in the batch.
    base: u32,
    /// How many servers were lost while this chunk was the oldest one. It counts against
    /// [`SidecarConfig::max_attempts`].
    attempts: u32,
    /// Whether its batch still waits for it.
    is_wanted: bool,
    /// Whether it is the last chunk of its batch.
    is_last: bool,
    /// How many of its matches were passed to the caller's callback, over all servers that answered.
    delivered: usize,
    /// How many blocks of its answer were taken in this connection.
    taken: u32,
}

/// The callback that receives the matches of a batch block by block.
type OnBlock<'a> = &'a mut dyn FnMut(&[Match]) -> ControlFlow<()>;

/// A batch that was submitted.
struct PendingBatch {
    matches: Vec<Match>,
    /// Set when all chunks are answered, or the batch has failed.
    outcome: Option<Result<(), ScanError>>,
}

impl Sidecar {
    /// Connects to a first server, so that errors of the set-up are reported at once.
    pub(super) fn start(
        config: SidecarConfig,
        connector: Connector,
        request: SessionRequest,
    ) -> Result<Sidecar, SidecarError> {
        let mut sidecar = Sidecar {
            config,
            connector,
            request,
            stop: StopFlag::new(),
            connection: None,
            oldest: Sequence::default(),
            chunks: VecDeque::new(),
            batches: VecDeque::new(),
            regions: [const { None }; SLOTS],
            generation: Generation::default(),
            found: Vec::new(),
            spare: Vec::new(),
            losses: 0,
            restarts: 0,
        };
        let mut attempts = 0;
        loop {
            match sidecar.connect() {
                Ok(()) => return Ok(sidecar),
                Err(ConnectionError::Refused(reason)) => return Err(SidecarError::Refused(reason)),
                Err(ConnectionError::System(context, error)) => {
                    return Err(SidecarError::System { context, error });
                }
                Err(error) => {
                    attempts += 1;
                    if attempts >= sidecar.config.max_attempts {
                        return Err(SidecarError::Unavailable(error.after_attempts(attempts)));
                    }
                    sidecar.back_off();
                }
            }
        }
    }

    /// The backend of the current server; `None` if a server was lost and not replaced yet.
    pub fn backend(&self) -> Option<Backend> {
        self.connection.as_ref().map(Connection::backend)
    }

    /// Why the server fell back from the native to the pure backend; `None` if it did not.
    pub fn fallback_reason(&self) -> Option<&str> {
        let reason = self.connection.as_ref().map(Connection::fallback_reason);
        reason.filter(|reason| !reason.is_empty())
    }

    /// The process id of the current server; `None` if there is no server, or it was not started by
    /// this sidecar.
    pub fn server_pid(&self) -> Option<u32> {
        self.connection.as_ref()?.server_pid()
    }

    /// How many servers were lost and replaced so far.
    pub fn restarts(&self) -> u64 {
        self.restarts
    }

    /// Sends a batch, without waiting for its answer. Blocks while the
    /// [maximum number of chunks](super::SidecarBuilder::max_in_flight) is in flight.
    ///
    /// # Errors
    ///
    /// If a record is longer than the server accepts, or the stop flag is raised. The batch is not
    /// submitted then. All later errors are returned by [`wait`](Sidecar::wait).
    pub fn submit(&mut self, batch: &Batch<'_>) -> Result<(), ScanError> {
        self.submit_with(batch, &mut Sidecar::receive_oldest)
    }

    /// Submits a batch. Calls `receive_oldest` to end the oldest chunk when too many are in flight.
    fn submit_with(
        &mut self,
        batch: &Batch<'_>,
        receive_oldest: &mut dyn FnMut(&mut Sidecar),
    ) -> Result<(), ScanError> {
        if self.stop.is_raised() {
            return Err(ScanError::Stopped);
        }
        self.check_record_sizes(batch)?;
        let mut matches = self.spare.pop().unwrap_or_default();
        matches.clear();
        let outcome = if batch.is_empty() { Some(Ok(())) } else { None };
        self.batches.push_back(PendingBatch { matches, outcome });
        let number = self.batches.len() - 1;
        let (head, tail) = self.split_head(batch);
        for (records, base) in [(head, 0), (tail, head.len())] {
            for mut rest in records.split_by_bytes(self.chunk_bytes()) {
                while !rest.is_empty() {
                    while self.chunks.len() >= self.config.max_in_flight && self.is_pending(number)
                    {
                        receive_oldest(self);
                    }
                    if !self.is_pending(number) {
                        // The batch has failed, which `wait` reports.
                        return Ok(());
                    }
                    let range = self.prefix_that_fits(&records, &rest);
                    rest.start = range.end;
                    let base = (base + range.start) as u32;
                    let is_last = base as usize + range.len() == batch.len();
                    self.send(&records.slice(range), base, is_last);
                }
            }
        }
        Ok(())
    }

    /// Submits a batch and waits for it. Batches that were submitted before are answered first, and
    /// stay in the queue.
    fn scan_newest(
        &mut self,
        batch: &Batch<'_>,
        out: &mut Matches,
        receive_oldest: &mut dyn FnMut(&mut Sidecar),
    ) -> Result<(), ScanError> {
        self.submit_with(batch, receive_oldest)?;
        while self.batches.back().is_some_and(|batch| batch.outcome.is_none()) {
            receive_oldest(self);
        }
        match self.batches.pop_back() {
            Some(batch) => self.deliver(batch, out),
            None => Ok(()),
        }
    }

    /// Waits for the oldest batch that was submitted, and replaces the contents of `out` by its
    /// matches. Returns `Ok(false)` if no batch was submitted.
    ///
    /// # Errors
    ///
    /// As [`scan`](Scan::scan). An error ends one batch; only a raised stop flag ends all batches that
    /// were submitted.
    pub fn wait(&mut self, out: &mut Matches) -> Result<bool, ScanError> {
        out.clear();
        while self.batches.front().is_some_and(|batch| batch.outcome.is_none()) {
            self.receive_oldest();
        }
        let Some(batch) = self.batches.pop_front() else { return Ok(false) };
        self.deliver(batch, out).map(|()| true)
    }

    /// Moves the matches of a batch that has an outcome to `out`.
    fn deliver(&mut self, mut batch: PendingBatch, out: &mut Matches) -> Result<(), ScanError> {
        let outcome = batch.outcome.unwrap_or(Ok(()));
        if outcome.is_ok() {
            out.extend_from_slice(&batch.matches);
        }
        batch.matches.clear();
        batch.matches.shrink_to(MAX_KEPT_MATCHES);
        if self.spare.len() < SLOTS {
            self.spare.push(batch.matches);
        }
        outcome
    }

    /// Whether the batch at this position of the queue has no outcome yet.
    fn is_pending(&self, number: usize) -> bool {
        self.batches.get(number).is_some_and(|batch| batch.outcome.is_none())
    }
}

impl Scan for Sidecar {
    fn scan(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError> {
        out.clear();
        self.scan_newest(batch, out, &mut Sidecar::receive_oldest)
    }

    /// Holds one block of matches at a time. If a server is lost while it answers a chunk, the
    /// matches that it had delivered are not delivered again.
    fn scan_with(
        &mut self,
        batch: &Batch<'_>,
        each: &mut dyn FnMut(&[Match]) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, ScanError> {
        let mut panicked = None;
        let mut guarded = |block: &[Match]| {
            // Unwind safe: the panic resumes below, and nothing uses the state of `each` in between.
            match catch_unwind(AssertUnwindSafe(|| each(block))) {
                Ok(flow) => flow,
                Err(payload) => {
                    panicked = Some(payload);
                    ControlFlow::Break(())
                }
            }
        };
        let mut on_block: Option<OnBlock<'_>> = Some(&mut guarded);
        let mut flow = ControlFlow::Continue(());
        let mut receive_oldest = |sidecar: &mut Sidecar| {
            if sidecar.receive_oldest_with(&mut on_block).is_break() {
                flow = ControlFlow::Break(());
            }
        };
        let outcome = self.scan_newest(batch, &mut Matches::new(), &mut receive_oldest);
        if let Some(payload) = panicked {
            resume_unwind(payload);
        }
        outcome.map(|()| flow)
    }

    fn set_stop(&mut self, stop: StopFlag) {
        self.stop = stop;
    }
}

impl fmt::Debug for Sidecar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sidecar")
            .field("backend", &self.backend())
            .field("server_pid", &self.server_pid())
            .field("restarts", &self.restarts)
            .finish_non_exhaustive()
    }
}
