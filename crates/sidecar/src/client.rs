//! The client: it sends parts of batches, and sees to it that each is answered, whatever happens to
//! the server.

use std::collections::VecDeque;
use std::fmt;
use std::ops::{ControlFlow, Range};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

mod parts;
mod recovery;

use self::recovery::gave_up;
use super::builder::SidecarBuilder;
use super::connection::{Ask, Connection, Fault};
use super::control::SLOTS;
use super::error::SidecarError;
use super::launch::Launch;
use super::region::{Layout, Region};
use dragnet::{Backend, Batch, Match, Matches, PatternSet, Report, Scan, ScanError, StopFlag};

/// Memory for the matches of a part that is kept from one to the next, in matches.
const KEPT: usize = 1 << 16;

/// How a client is set up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Config {
    pub(super) tries: u32,
    pub(super) backoff: (Duration, Duration),
    pub(super) part: usize,
    pub(super) in_flight: usize,
}

/// Scans in another process, which may crash, hang or be killed at any time without harm.
///
/// The records are copied once, into memory that both processes see, and searched there. A batch
/// goes over in parts, several of them on their way at a time, so that copying, scanning and taking
/// results over go on side by side. If the server is gone or silent, another one is started and what
/// it had not answered is sent again, so that the answer is complete and exact, or an error that
/// says what happened; never a part of an answer.
///
/// The patterns are sent once and compiled in the server, which may have a native engine where this
/// process has none.
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
/// [`begin`](Sidecar::begin) sends a batch and does not wait; [`finish`](Sidecar::finish) waits for
/// the batch that was begun first.
///
/// # Dropping it
///
/// A server that was started for it is killed and waited for; one that listens goes on.
///
/// # Memory
///
/// A server that has no memory left ends, and is replaced. If this process has none left for the
/// matches, it ends, as any Rust program does whose list can't grow; records that match everywhere
/// take 16 bytes per match.
pub struct Sidecar {
    config: Config,
    launch: Launch,
    ask: Ask,
    stop: StopFlag,
    connection: Option<Connection>,
    /// The number of the oldest part in this connection.
    first: u32,
    /// The parts that are on their way, the oldest first.
    parts: VecDeque<Part>,
    /// The batches that were begun and not finished, the oldest first.
    batches: VecDeque<Pending>,
    /// Where records are put; some hold those of a part on its way.
    regions: [Option<Region>; SLOTS],
    generation: u32,
    /// The matches of the oldest part so far.
    found: Vec<Match>,
    /// Lists of batches that were finished, to be used again.
    spare: Vec<Vec<Match>>,
    /// How often a server was lost in a row.
    lost: u32,
    restarts: u64,
}

/// Some records of a batch, on their way.
#[derive(Debug)]
struct Part {
    region: usize,
    /// The number of the first record in its batch.
    base: u32,
    /// How often a server was lost while it had this part to answer.
    tries: u32,
    /// Whether this is of a batch that still waits for it.
    wanted: bool,
    last: bool,
    /// How many of its matches were handed out by blocks, whoever found them.
    handed: usize,
    /// How many blocks of its answer were taken in this connection.
    taken: u32,
}

/// Whom the matches of a batch are handed to, if it is by blocks.
type Each<'a> = &'a mut dyn FnMut(&[Match]) -> ControlFlow<()>;

/// A batch that was begun.
struct Pending {
    matches: Vec<Match>,
    /// Set once all its parts are answered, or it has failed.
    outcome: Option<Result<(), ScanError>>,
}

impl Sidecar {
    /// Sets up how to get to a server, and what to ask of it.
    pub fn builder(set: &PatternSet, report: Report) -> SidecarBuilder {
        SidecarBuilder::new(set, report)
    }

    /// Starts with a first connection, so that what is wrong is known at once.
    pub(super) fn start(config: Config, launch: Launch, ask: Ask) -> Result<Sidecar, SidecarError> {
        let mut sidecar = Sidecar {
            config,
            launch,
            ask,
            stop: StopFlag::new(),
            connection: None,
            first: 0,
            parts: VecDeque::new(),
            batches: VecDeque::new(),
            regions: [const { None }; SLOTS],
            generation: 0,
            found: Vec::new(),
            spare: Vec::new(),
            lost: 0,
            restarts: 0,
        };
        let mut tries = 0;
        loop {
            match sidecar.connect() {
                Ok(()) => return Ok(sidecar),
                Err(Fault::Refused(reason)) => return Err(SidecarError::Refused(reason)),
                Err(Fault::System(what, error)) => {
                    return Err(SidecarError::System { what, error });
                }
                Err(fault) => {
                    tries += 1;
                    if tries >= sidecar.config.tries {
                        return Err(SidecarError::Unavailable(gave_up(tries, &fault)));
                    }
                    sidecar.back_off();
                }
            }
        }
    }

    /// The backend that the server runs, of the last connection that there was.
    pub fn backend(&self) -> Option<Backend> {
        self.connection.as_ref().map(|connection| connection.backend)
    }

    /// Why the server did not take the native backend, if it was to and did not.
    pub fn fallback_reason(&self) -> Option<&str> {
        let fallback_reason =
            self.connection.as_ref().map(|connection| connection.fallback_reason.as_str());
        fallback_reason.filter(|fallback_reason| !fallback_reason.is_empty())
    }

    /// The process of the server, if there is one that was started for this client.
    pub fn process(&self) -> Option<u32> {
        self.connection.as_ref()?.process()
    }

    /// How often a server was lost and replaced so far.
    pub fn restarts(&self) -> u64 {
        self.restarts
    }

    /// Sends a batch. Waits only if as many parts are on their way as may be, for the oldest.
    ///
    /// # Errors
    ///
    /// If a record is too long, or the flag is raised. The batch is then not begun. Whatever goes
    /// wrong later is told by [`finish`](Sidecar::finish).
    pub fn begin(&mut self, batch: &Batch<'_>) -> Result<(), ScanError> {
        self.begin_with(batch, &mut Sidecar::answer_oldest)
    }

    /// As [`begin`](Sidecar::begin), with what is done to see the oldest part through.
    fn begin_with(
        &mut self,
        batch: &Batch<'_>,
        answer_oldest: &mut dyn FnMut(&mut Sidecar),
    ) -> Result<(), ScanError> {
        if self.stop.is_raised() {
            return Err(ScanError::Stopped);
        }
        self.check_sizes(batch)?;
        let mut matches = self.spare.pop().unwrap_or_default();
        matches.clear();
        let outcome = if batch.is_empty() { Some(Ok(())) } else { None };
        self.batches.push_back(Pending { matches, outcome });
        let number = self.batches.len() - 1;
        // A short first part, so that the server begins early.
        let (head, rest) = self.divide(batch);
        for (records, base) in [(head, 0), (rest, head.len())] {
            for mut rest in records.split_by_bytes(self.part()) {
                while !rest.is_empty() {
                    while self.parts.len() >= self.config.in_flight && self.is_wanted(number) {
                        answer_oldest(self);
                    }
                    if !self.is_wanted(number) {
                        // It has failed already, which is told when it is finished.
                        return Ok(());
                    }
                    let range = self.fitting(&records, &rest);
                    rest.start = range.end;
                    let base = (base + range.start) as u32;
                    let last = base as usize + range.len() == batch.len();
                    self.send(&records.slice(range), base, last);
                }
            }
        }
        Ok(())
    }

    /// Begins a batch and waits for it. Those that were begun before come first, and keep their place
    /// in the list.
    fn scan_newest(
        &mut self,
        batch: &Batch<'_>,
        out: &mut Matches,
        answer_oldest: &mut dyn FnMut(&mut Sidecar),
    ) -> Result<(), ScanError> {
        self.begin_with(batch, answer_oldest)?;
        while self.batches.back().is_some_and(|batch| batch.outcome.is_none()) {
            answer_oldest(self);
        }
        match self.batches.pop_back() {
            Some(batch) => self.deliver(batch, out),
            None => Ok(()),
        }
    }

    /// Waits for the batch that was begun first, and replaces what is in `out` by its matches.
    /// `Ok(false)` if none was begun.
    ///
    /// # Errors
    ///
    /// As [`scan`](Scan::scan). The other batches that were begun are not affected, unless it is
    /// that the flag was raised, which stops them all.
    pub fn finish(&mut self, out: &mut Matches) -> Result<bool, ScanError> {
        out.clear();
        while self.batches.front().is_some_and(|batch| batch.outcome.is_none()) {
            self.answer_oldest();
        }
        let Some(batch) = self.batches.pop_front() else { return Ok(false) };
        self.deliver(batch, out).map(|()| true)
    }

    fn deliver(&mut self, mut batch: Pending, out: &mut Matches) -> Result<(), ScanError> {
        let outcome = batch.outcome.unwrap_or(Ok(()));
        if outcome.is_ok() {
            out.extend_from_slice(&batch.matches);
        }
        batch.matches.clear();
        batch.matches.shrink_to(KEPT);
        if self.spare.len() < SLOTS {
            self.spare.push(batch.matches);
        }
        outcome
    }

    /// Whether the batch in this place of the list has no outcome yet.
    fn is_wanted(&self, number: usize) -> bool {
        self.batches.get(number).is_some_and(|batch| batch.outcome.is_none())
    }

    /// The first records, some of the bytes of a part, and the others.
    fn divide<'b>(&self, batch: &Batch<'b>) -> (Batch<'b>, Batch<'b>) {
        let head = batch.split_by_bytes(self.part() / 4).next().unwrap_or(0..0).end;
        (batch.slice(0..head), batch.slice(head..batch.len()))
    }

    /// How many bytes of records a part has, about: what was set, or what fits with the offsets.
    fn part(&self) -> usize {
        self.config.part.min(usize::try_from(self.most() / 2).unwrap_or(usize::MAX))
    }

    /// The longest region that the server takes.
    fn most(&self) -> u64 {
        self.connection.as_ref().map_or(u64::MAX, |connection| connection.most)
    }

    /// As many of the records in a range, from its first one on, as the server takes with their
    /// offsets, which may be longer than the records.
    fn fitting(&self, records: &Batch<'_>, range: &Range<usize>) -> Range<usize> {
        let mut end = range.end;
        while end - range.start > 1
            && Layout::of(&records.slice(range.start..end)).1 as u64 > self.most()
        {
            end = range.start + (end - range.start) / 2;
        }
        range.start..end
    }

    /// Refuses records that are longer than the server takes.
    fn check_sizes(&self, batch: &Batch<'_>) -> Result<(), ScanError> {
        let most = self.most();
        // A part that is not over its usual length never is.
        if batch.extent().len() <= self.part() {
            return Ok(());
        }
        let over = |range: Range<usize>| {
            let (_, len) = Layout::of(&batch.slice(range.clone()));
            (len as u64 > most).then(|| batch.range(range.start).len())
        };
        match batch.split_by_bytes(self.part()).filter(|range| range.len() == 1).find_map(over) {
            None => Ok(()),
            Some(size) => Err(ScanError::TooLarge {
                size,
                limit: usize::try_from(most).unwrap_or(usize::MAX).saturating_sub(128),
            }),
        }
    }
}

impl Scan for Sidecar {
    fn scan(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError> {
        out.clear();
        self.scan_newest(batch, out, &mut Sidecar::answer_oldest)
    }

    /// Holds one block of matches at a time. One that another server had found before it was lost is
    /// not handed out again.
    fn scan_with(
        &mut self,
        batch: &Batch<'_>,
        each: &mut dyn FnMut(&[Match]) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, ScanError> {
        let mut panicked = None;
        let mut guarded = |block: &[Match]| {
            // What it leaves half done is seen by whoever catches the panic after it went on.
            match catch_unwind(AssertUnwindSafe(|| each(block))) {
                Ok(flow) => flow,
                Err(payload) => {
                    panicked = Some(payload);
                    ControlFlow::Break(())
                }
            }
        };
        let mut each: Option<Each<'_>> = Some(&mut guarded);
        let mut flow = ControlFlow::Continue(());
        let mut answer_oldest = |sidecar: &mut Sidecar| {
            if sidecar.hand_out_oldest(&mut each).is_break() {
                flow = ControlFlow::Break(());
            }
        };
        let outcome = self.scan_newest(batch, &mut Matches::new(), &mut answer_oldest);
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
            .field("process", &self.process())
            .field("restarts", &self.restarts)
            .finish_non_exhaustive()
    }
}
