//! What a caller scans with.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use super::core::{Core, SLICE};
use super::intake::{Patience, Refused};
use super::lane::Lane;
use super::round::Piece;
use super::{Ticket, panicked, scan_error};
use dragnet::{Batch, Matches, Scan, ScanError, StopFlag};

/// What a record counts beside its bytes where a batch is measured, so that one of many empty
/// records counts as large too.
const RECORD: usize = 16;

/// Scans on the threads of a [`ScanOwner`](super::super::ScanOwner) or
/// [`ScanPool`](super::super::ScanPool), for one caller; each takes its own, or clones one.
///
/// A batch that is scanned through it is gathered with the records of other callers, which copies
/// it once, into the batch that is scanned. One that is
/// [large](super::super::ScanBuilder::whole_bytes) is scanned as it is, where it is, in a call of
/// its own, unless there is a [deadline](super::super::ScanBuilder::deadline): a call that may be
/// given up can't borrow.
///
/// A raised [stop flag](Scan::set_stop) ends this handle's scan and harms no other caller: records
/// that were gathered are scanned, but their matches are lost. A scan that waits looks at the flag
/// every 5 ms. A large batch that is borrowed is waited for until its scanner has stopped.
/// Records that are [submitted](ScanHandle::submit) do not watch the flag, except while they wait
/// for room.
///
/// It may outlive its owner or pool; scans are then refused as
/// [unavailable](ScanError::Unavailable), as they are on the threads of that pool itself, where
/// they would wait for themselves.
pub struct ScanHandle {
    core: Arc<Core>,
    lane: Arc<Lane>,
    stop: Option<StopFlag>,
    /// Where the parts of the batch in hand are.
    pieces: Vec<Piece>,
}

impl ScanHandle {
    pub(crate) fn new(core: Arc<Core>) -> ScanHandle {
        ScanHandle { core, lane: Arc::default(), stop: None, pieces: Vec::new() }
    }

    /// Hands in a record, which is copied, and returns a ticket for its matches. If as much is
    /// queued as may be, waits for room.
    ///
    /// It takes no allocation but those for new rounds and for a handle's first record in each.
    /// Most records take only a lock that is the handle's own, so threads that share a handle
    /// are in each other's way, and threads with one each are not.
    ///
    /// # Errors
    ///
    /// If the record was not taken: there is no pool any more, or the flag of this handle was
    /// raised while it waited for room.
    pub fn submit(&self, record: &[u8]) -> Result<Ticket, ScanError> {
        self.hand_in(record, self.patience()).map_err(|refused| match refused {
            Refused::Error(error) => error,
            Refused::Full => ScanError::Unavailable { reason: "the queue is full".to_owned() },
        })
    }

    /// As [`submit`](ScanHandle::submit), but returns `None` if there is no room, or others wait
    /// for it.
    ///
    /// # Errors
    ///
    /// If there is no pool any more.
    pub fn try_submit(&self, record: &[u8]) -> Result<Option<Ticket>, ScanError> {
        match self.hand_in(record, Patience::None) {
            Ok(ticket) => Ok(Some(ticket)),
            Err(Refused::Full) => Ok(None),
            Err(Refused::Error(error)) => Err(error),
        }
    }

    fn hand_in(&self, record: &[u8], patience: Patience<'_>) -> Result<Ticket, Refused> {
        self.core.submit(&self.lane, record, patience).map(Ticket::new)
    }

    fn patience(&self) -> Patience<'_> {
        self.stop.as_ref().map_or(Patience::Forever, Patience::Unless)
    }

    fn check_stop(&self) -> Result<(), ScanError> {
        if self.stop.as_ref().is_some_and(StopFlag::is_raised) {
            return Err(ScanError::Stopped);
        }
        Ok(())
    }

    fn gathered(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError> {
        let mut pieces = std::mem::take(&mut self.pieces);
        let added = self.core.add(batch.iter(), self.patience(), |piece| pieces.push(piece));
        let read = match added {
            Ok(()) => pieces.iter().try_fold(0, |base, piece| {
                self.wait(piece)?;
                piece.round.read(piece.records.clone(), base, out)?;
                Ok(base + (piece.records.end - piece.records.start))
            }),
            Err(Refused::Error(error)) => Err(error),
            Err(Refused::Full) => {
                Err(ScanError::Unavailable { reason: "the queue is full".to_owned() })
            }
        };
        pieces.clear();
        self.pieces = pieces;
        read.map(drop)
    }

    fn wait(&self, piece: &Piece) -> Result<(), ScanError> {
        if self.stop.is_none() {
            piece.round.wait(None);
            return Ok(());
        }
        while !piece.round.wait(Instant::now().checked_add(SLICE)) {
            self.check_stop()?;
        }
        Ok(())
    }

    /// Scans a batch where it is.
    fn whole(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError> {
        self.core.check_thread()?;
        let stop = self.stop.clone().unwrap_or_default();
        let out = &mut *out;
        let scanned = self.core.whole(|| {
            catch_unwind(AssertUnwindSafe(|| {
                self.core.pool.call(|scanner| {
                    if stop.is_raised() {
                        return Err(ScanError::Stopped);
                    }
                    scanner.set_stop(stop);
                    scanner.scan(batch, out)
                })
            }))
        })?;
        match scanned {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => Err(scan_error(&error)),
            Err(payload) => Err(panicked(payload)),
        }
    }
}

impl Scan for ScanHandle {
    fn scan(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError> {
        out.clear();
        self.check_stop()?;
        if batch.is_empty() {
            return Ok(());
        }
        let limits = &self.core.limits;
        let size = batch.extent().len().saturating_add(batch.len().saturating_mul(RECORD));
        let scanned = if limits.deadline.is_none() && size >= limits.whole_bytes {
            self.whole(batch, out)
        } else {
            self.gathered(batch, out)
        };
        scanned.inspect_err(|_| out.clear())
    }

    fn set_stop(&mut self, stop: StopFlag) {
        self.stop = Some(stop);
    }
}

/// A handle for another caller, with the same flag.
impl Clone for ScanHandle {
    fn clone(&self) -> ScanHandle {
        ScanHandle { stop: self.stop.clone(), ..ScanHandle::new(Arc::clone(&self.core)) }
    }
}

impl fmt::Debug for ScanHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScanHandle").finish_non_exhaustive()
    }
}
