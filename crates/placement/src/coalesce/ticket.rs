//! The pending result of a submitted record.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::local_buffer::SegmentRecord;
use super::shared_batch::SharedBatch;
use dragnet::{Matches, ScanError};

/// The pending matches of a submitted record: [`wait`](Ticket::wait) for them, or poll the ticket as a
/// future, with or without an async runtime.
///
/// Waiting for a ticket, or polling it, flushes its batch: the batch is scanned as soon as a thread of
/// the pool is free. Dropping a ticket loses the matches of its record and affects nothing else. The
/// memory of a batch is reused after the last of its tickets is dropped.
///
/// On the threads of the pool itself, such as in a waker, a ticket can be read once it
/// [is done](Ticket::is_done). Waiting for it there fails.
#[must_use = "the record is scanned, but its matches are lost"]
pub struct Ticket {
    record: SegmentRecord,
    /// The slot in which the batch keeps the waker of the task that polls this ticket.
    waker: Option<usize>,
}

impl Ticket {
    pub(super) fn new(record: SegmentRecord) -> Ticket {
        Ticket { record, waker: None }
    }

    fn batch(&self) -> &Arc<SharedBatch> {
        &self.record.segment.batch
    }

    /// Returns whether there is an answer, so that a wait returns at once.
    pub fn is_done(&self) -> bool {
        self.batch().is_answered()
    }

    /// Waits for the answer, and replaces the contents of `out` with the record's matches. Each match
    /// has the record number 0.
    ///
    /// # Errors
    ///
    /// The error of the scan of this record. `out` is then empty.
    pub fn wait(self, out: &mut Matches) -> Result<(), ScanError> {
        out.clear();
        self.flush()?;
        self.batch().wait(None);
        self.read(out)
    }

    /// As [`wait`](Ticket::wait), but waits at most for `time`. Returns `false` if there is no answer
    /// by then: the record stays queued, and the ticket can be waited for again.
    ///
    /// # Errors
    ///
    /// As [`wait`](Ticket::wait).
    pub fn wait_within(&self, time: Duration, out: &mut Matches) -> Result<bool, ScanError> {
        out.clear();
        self.flush()?;
        // A time that the clock can't represent never comes.
        if !self.batch().wait(Instant::now().checked_add(time)) {
            return Ok(false);
        }
        self.read(out).map(|()| true)
    }

    /// Makes the batch due before a wait.
    fn flush(&self) -> Result<(), ScanError> {
        let batch = self.batch();
        if !batch.is_answered() {
            batch.check_thread()?;
            batch.flush();
        }
        Ok(())
    }

    fn read(&self, out: &mut Matches) -> Result<(), ScanError> {
        self.batch().read_one(self.record.segment.index, self.record.index, out)
    }
}

/// Unlike most futures, a ticket may be polled after it was ready. It returns the same answer again.
impl Future for Ticket {
    type Output = Result<Matches, ScanError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Ticket { record, waker } = &mut *self;
        let batch = &record.segment.batch;
        if !batch.is_answered() && batch.register(waker, context) {
            // Registered before the flush: the answer may come at once, and must find the waker.
            batch.flush();
            return Poll::Pending;
        }
        let mut matches = Matches::new();
        Poll::Ready(self.read(&mut matches).map(|()| matches))
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("done", &self.is_done()).finish_non_exhaustive()
    }
}
