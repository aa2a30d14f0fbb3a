//! One batch and its answer on their way through the background.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::thread;

use super::background::{Entry, Shared, message_of};
use super::difference::{describe, differences};
use dragnet::{Batch, BatchError, Match, Matches, Scan, ScanError};
use dragnet_boundary::{CancelFlag, MakeError};

/// Makes the second engine's scanner.
pub(super) type Make = dyn Fn() -> Result<Box<dyn Scan>, MakeError> + Send + Sync;

/// What the background's thread owns.
pub(super) struct Seat {
    /// None until it is made; the first one is made with the seat.
    pub(super) second: Option<Box<dyn Scan>>,
    pub(super) make: Arc<Make>,
    pub(super) found: Matches,
}

/// Zeroes behind the copied records, so that an engine that reads whole vectors needs no copy.
const PADDING: usize = 64;

/// Copies of a batch and of the first engine's answer. Used again and again.
#[derive(Default)]
pub(super) struct Job {
    buffer: Vec<u8>,
    offsets: Vec<u32>,
    terminator: u32,
    first: Vec<Match>,
}

impl Job {
    /// How many bytes a copy of a batch and this many matches takes.
    pub(super) fn cost(batch: &Batch<'_>, matches: usize) -> usize {
        let records = batch.extent().len() + PADDING;
        let offsets = size_of_val(batch.offsets());
        let answer = matches.saturating_mul(size_of::<Match>());
        records.saturating_add(offsets).saturating_add(answer)
    }

    /// Copies a batch: its bytes at one go.
    pub(super) fn fill(&mut self, batch: &Batch<'_>, first: &[Match]) {
        let extent = batch.extent();
        self.buffer.clear();
        self.buffer.reserve_exact(extent.len() + PADDING);
        self.buffer.extend_from_slice(&batch.buffer()[extent.clone()]);
        self.buffer.extend_from_slice(&[0; PADDING]);
        self.offsets.clear();
        if !batch.is_empty() {
            self.offsets.reserve_exact(batch.offsets().len());
            let base = batch.offsets()[0];
            self.offsets.extend(batch.offsets().iter().map(|&offset| offset - base));
        }
        self.terminator = batch.terminator();
        self.first.clear();
        self.first.reserve_exact(first.len());
        self.first.extend_from_slice(first);
    }

    /// The memory that it keeps, in bytes.
    pub(super) fn memory(&self) -> usize {
        self.buffer.capacity()
            + self.offsets.capacity() * size_of::<u32>()
            + self.first.capacity() * size_of::<Match>()
    }

    fn batch(&self) -> Result<Batch<'_>, BatchError> {
        match self.terminator {
            0 => Batch::from_offsets(&self.buffer, &self.offsets),
            _ => Batch::from_line_offsets(&self.buffer, &self.offsets),
        }
    }
}

/// A job in the queue or at work. However it ends, its drop says so.
pub(super) struct Ticket {
    pub(super) shared: Arc<Shared>,
    pub(super) job: Job,
    /// The number of its batch.
    pub(super) batch: u64,
    /// How many bytes were set aside for it.
    pub(super) cost: usize,
    pub(super) started: bool,
}

impl Ticket {
    /// Has the second engine answer, compares and reports.
    /// A panic of the second engine is reported and goes on, so that its owner drops it.
    pub(super) fn run(mut self, seat: &mut Seat, stop: &CancelFlag) {
        self.started = true;
        self.shared.enter(Entry {
            batch: self.batch,
            stop: stop.clone(),
            thread: thread::current().id(),
            settled: false,
        });
        // What a panic leaves behind is dropped and made again.
        match catch_unwind(AssertUnwindSafe(|| self.second(seat, stop))) {
            Ok(Ok(())) => self.compare(seat.found.as_slice()),
            Ok(Err(error)) => self.shared.fail(self.batch, error),
            Err(payload) => {
                let message = message_of(&*payload);
                self.shared.fail(self.batch, ScanError::Panicked { message });
                resume_unwind(payload);
            }
        }
    }

    fn second(&self, seat: &mut Seat, stop: &CancelFlag) -> Result<(), ScanError> {
        let second = match &mut seat.second {
            Some(second) => second,
            None => {
                let made = (seat.make)().map_err(|error| ScanError::Unavailable {
                    reason: format!("the second engine is lost: {error}"),
                })?;
                seat.second.insert(made)
            }
        };
        let batch = self.job.batch().map_err(|error| ScanError::Unavailable {
            reason: format!("the batch could not be copied: {error}"),
        })?;
        second.set_stop(crate::stop_flag(stop));
        second.scan(&batch, &mut seat.found).map_err(|error| match error {
            // Nothing but the deadline raises this flag.
            ScanError::Stopped if stop.is_raised() => ScanError::TimedOut,
            error => error,
        })
    }

    fn compare(&self, second: &[Match]) {
        let first = self.job.first.as_slice();
        let count = differences(first, second).count() as u64;
        if !self.shared.compared(self.batch, count) || count == 0 {
            return;
        }
        let Ok(records) = self.job.batch() else { return };
        for pairs in differences(first, second).take(self.shared.limit) {
            if let Some(difference) = describe(self.batch, &records, &self.shared.set, pairs) {
                (self.shared.on_difference)(&difference);
            }
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let job = std::mem::take(&mut self.job);
        self.shared.end(self.batch, self.started, self.cost, job);
    }
}
