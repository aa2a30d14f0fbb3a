//! The handle through which a caller scans.

use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use super::coalescer::Coalescer;
use super::local_buffer::LocalBuffer;
use super::shared_batch::BatchRecords;
use super::submit::{STOP_POLL, SubmitError, WaitForRoom};
use super::ticket::Ticket;
use crate::convert::{panic_error, scan_error};
use dragnet::{Batch, Matches, Scan, ScanError, StopFlag};

/// Number of bytes that each record counts in addition to its length when the size of a batch is
/// compared with [`bypass_bytes`](crate::ScanBuilder::bypass_bytes), so that a batch of many empty
/// records is large, too.
const RECORD_OVERHEAD_BYTES: usize = 16;

/// Scans on the threads of a [`ScanOwner`](crate::ScanOwner) or [`ScanPool`](crate::ScanPool), for one
/// caller. Each caller makes its own handle, or clones one.
///
/// The records of a batch that is scanned through a handle are copied into batches that all callers
/// share. A [large](crate::ScanBuilder::bypass_bytes) batch is scanned in place instead, in a call of its
/// own, unless there is a [deadline](crate::ScanBuilder::deadline): a call that may be abandoned can't
/// borrow the caller's records.
///
/// A raised [stop flag](Scan::set_stop) ends the scan of this handle and of no other caller. A scan
/// that waits for a shared batch polls the flag every 5 ms; its records are still scanned, but their
/// matches are lost. A scan in place returns when its scanner has stopped.
/// [`submit`](ScanHandle::submit) checks the flag only while it waits for room in the queue, and
/// tickets ignore it.
///
/// A handle may outlive its owner or pool. Its scans then fail with
/// [`Unavailable`](ScanError::Unavailable). So do scans on the threads of the pool itself, where they
/// could deadlock.
pub struct ScanHandle {
    coalescer: Arc<Coalescer>,
    local: Arc<LocalBuffer>,
    stop: Option<StopFlag>,
    /// Scratch memory of [`scan`](Scan::scan): the places of its records in shared batches.
    parts: Vec<BatchRecords>,
}

impl ScanHandle {
    pub(crate) fn new(coalescer: Arc<Coalescer>) -> ScanHandle {
        ScanHandle { coalescer, local: Arc::default(), stop: None, parts: Vec::new() }
    }

    /// Copies a record into the queue and returns a ticket for its matches. If the queue is full, waits
    /// for room.
    ///
    /// Memory is allocated only for a new batch and for a handle's first record in a batch. Most calls
    /// take only a lock of this handle. So threads that share a handle contend with each other on every
    /// record, and threads that each have a handle rarely do.
    ///
    /// # Errors
    ///
    /// If the record was not queued: the owner or pool was dropped, the record is too long for a batch,
    /// or the stop flag of this handle was raised while it waited for room.
    pub fn submit(&self, record: &[u8]) -> Result<Ticket, ScanError> {
        Ok(self.submit_record(record, self.wait_for_room())?)
    }

    /// As [`submit`](ScanHandle::submit), but returns `None` instead of waiting if there is no room, or
    /// if other callers wait for room.
    ///
    /// # Errors
    ///
    /// If the owner or pool was dropped, or the record is too long for a batch.
    pub fn try_submit(&self, record: &[u8]) -> Result<Option<Ticket>, ScanError> {
        match self.submit_record(record, WaitForRoom::No) {
            Ok(ticket) => Ok(Some(ticket)),
            Err(SubmitError::Full) => Ok(None),
            Err(SubmitError::Scan(error)) => Err(error),
        }
    }

    fn submit_record(&self, record: &[u8], wait: WaitForRoom<'_>) -> Result<Ticket, SubmitError> {
        self.coalescer.submit(&self.local, record, wait).map(Ticket::new)
    }

    fn wait_for_room(&self) -> WaitForRoom<'_> {
        self.stop.as_ref().map_or(WaitForRoom::Forever, WaitForRoom::UntilStopped)
    }

    fn check_stop(&self) -> Result<(), ScanError> {
        if self.stop.as_ref().is_some_and(StopFlag::is_raised) {
            return Err(ScanError::Stopped);
        }
        Ok(())
    }

    /// Scans a batch together with the records of other callers.
    fn scan_coalesced(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError> {
        let mut parts = mem::take(&mut self.parts);
        let add = |part| parts.push(part);
        let submitted = self.coalescer.submit_batch(batch.iter(), self.wait_for_room(), add);
        let read = submitted.map_err(ScanError::from).and_then(|()| {
            parts.iter().try_fold(0, |first_record, part| {
                self.wait(part)?;
                part.batch.read(part.records.clone(), first_record, out)?;
                Ok(first_record + (part.records.end - part.records.start))
            })
        });
        parts.clear();
        self.parts = parts;
        read.map(drop)
    }

    fn wait(&self, part: &BatchRecords) -> Result<(), ScanError> {
        if self.stop.is_none() {
            part.batch.wait(None);
            return Ok(());
        }
        while !part.batch.wait(Instant::now().checked_add(STOP_POLL)) {
            self.check_stop()?;
        }
        Ok(())
    }

    /// Scans a batch in place, in a call of its own.
    fn scan_bypassing(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError> {
        self.coalescer.check_thread()?;
        let stop = self.stop.clone().unwrap_or_default();
        let scanned = self.coalescer.bypass(|| {
            catch_unwind(AssertUnwindSafe(|| {
                self.coalescer.threads.call(|scanner| {
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
            Err(payload) => Err(panic_error(payload)),
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
        let limits = &self.coalescer.limits;
        let overhead = batch.len().saturating_mul(RECORD_OVERHEAD_BYTES);
        let size = batch.extent().len().saturating_add(overhead);
        let scanned = if limits.deadline.is_none() && size >= limits.bypass_bytes {
            self.scan_bypassing(batch, out)
        } else {
            self.scan_coalesced(batch, out)
        };
        scanned.inspect_err(|_| out.clear())
    }

    fn set_stop(&mut self, stop: StopFlag) {
        self.stop = Some(stop);
    }
}

/// Makes a handle for another caller, with the same stop flag.
impl Clone for ScanHandle {
    fn clone(&self) -> ScanHandle {
        ScanHandle { stop: self.stop.clone(), ..ScanHandle::new(Arc::clone(&self.coalescer)) }
    }
}

impl fmt::Debug for ScanHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScanHandle").finish_non_exhaustive()
    }
}
