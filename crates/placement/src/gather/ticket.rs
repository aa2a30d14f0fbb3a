//! What a caller has of a record that it handed in.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::lane::{Added, Part};
use super::round::Round;
use dragnet::{Matches, ScanError};

/// A record on its way: wait for its matches, or await them; no runtime is needed.
///
/// Waiting for it, or polling it, makes its round due: it is scanned as soon as a member is free,
/// with all records that are in it by then. Dropping it loses the answer, and nothing else. The
/// memory of a round is used again when the last of its tickets is gone.
///
/// On the threads that scan, such as in a waker, a ticket can be read once it
/// [is done](Ticket::is_done); waiting there fails.
#[must_use = "the record is scanned, but its matches are lost"]
pub struct Ticket {
    part: Arc<Part>,
    /// The record's number in it.
    number: u32,
    /// Where the round keeps the waker of the task that polls this.
    waker: Option<usize>,
}

impl Ticket {
    pub(super) fn new((part, number): Added) -> Ticket {
        Ticket { part, number, waker: None }
    }

    fn round(&self) -> &Round {
        &self.part.round
    }

    /// Whether there is an answer, so that waiting takes no time.
    pub fn is_done(&self) -> bool {
        self.round().is_answered()
    }

    /// Waits for the answer, and replaces what is in `out` with the record's matches, as those of
    /// record 0.
    ///
    /// # Errors
    ///
    /// What the scan ended with, for this record. `out` is then empty.
    pub fn wait(self, out: &mut Matches) -> Result<(), ScanError> {
        out.clear();
        self.want()?;
        self.round().wait(None);
        self.read(out)
    }

    /// As [`wait`](Ticket::wait), but no longer than this. Returns whether there is an answer; if
    /// not, the record stays where it is and can be waited for again.
    ///
    /// # Errors
    ///
    /// As [`wait`](Ticket::wait).
    pub fn wait_within(&self, time: Duration, out: &mut Matches) -> Result<bool, ScanError> {
        out.clear();
        self.want()?;
        // A time that the clock can't express never comes.
        if !self.round().wait(Instant::now().checked_add(time)) {
            return Ok(false);
        }
        self.read(out).map(|()| true)
    }

    fn want(&self) -> Result<(), ScanError> {
        let round = &self.part.round;
        if !round.is_answered() {
            round.core.check_thread()?;
            round.core.want(round);
        }
        Ok(())
    }

    fn read(&self, out: &mut Matches) -> Result<(), ScanError> {
        self.round().read_one(self.part.segment, self.number, out)
    }
}

/// Polled again after it was ready, it gives the same answer again.
impl Future for Ticket {
    type Output = Result<Matches, ScanError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Ticket { part, waker, .. } = &mut *self;
        if !part.round.is_answered() && part.round.wake_later(waker, context) {
            // After the waker is in place, since the answer may come at once.
            part.round.core.want(&part.round);
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
