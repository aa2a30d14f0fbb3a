//! The callers' side of a shared batch: its answer, and the wait for the answer.

use std::mem;
use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use super::buffers::{BufferPool, Buffers};
use crate::convert::scan_error;
use dragnet::{Matches, Scan, ScanError};
use dragnet_boundary::Pool;
use dragnet_boundary::sync::{Condvar, Mutex, lock, quietly, wait, wait_for};

/// The pool of threads that scan.
pub(super) type ScanThreads = Pool<Box<dyn Scan>>;

/// Makes a batch due. Called when a caller begins to wait for it.
pub(super) type Flush = Box<dyn Fn(&Arc<SharedBatch>) + Send + Sync>;

/// The answer to a shared batch: its matches, except for the records whose scan failed.
pub(super) struct BatchAnswer {
    /// The records, merged into one batch, and their matches, indexed by record.
    pub(super) buffers: Buffers,
    /// The records whose scan failed, as ordered ranges that do not overlap, and the error of each.
    pub(super) failed: Vec<(Range<u32>, ScanError)>,
}

/// Records of several callers that are scanned together, and their answer, which is set once.
pub(super) struct SharedBatch {
    threads: Arc<ScanThreads>,
    /// Gets the memory of the answer when the last ticket is dropped.
    spare: Arc<BufferPool>,
    /// `None` if batches do not linger, because each is then due from the start.
    flush: Option<Flush>,
    answer: OnceLock<Result<BatchAnswer, ScanError>>,
    waiters: Mutex<Waiters>,
    answered: Condvar,
}

struct Waiters {
    is_answered: bool,
    wakers: Vec<Waker>,
}

impl SharedBatch {
    pub(super) fn new(
        threads: Arc<ScanThreads>,
        spare: Arc<BufferPool>,
        flush: Option<Flush>,
    ) -> SharedBatch {
        SharedBatch {
            threads,
            spare,
            flush,
            answer: OnceLock::new(),
            waiters: Mutex::new(Waiters { is_answered: false, wakers: Vec::new() }),
            answered: Condvar::new(),
        }
    }

    /// Sets the answer and wakes all waiters. Does nothing if there already is an answer: the batch
    /// missed its deadline, and its callers got that error.
    pub(super) fn finish(&self, answer: Result<BatchAnswer, ScanError>) {
        if self.answer.set(answer).is_err() {
            return;
        }
        let mut waiters = lock(&self.waiters);
        waiters.is_answered = true;
        let wakers = mem::take(&mut waiters.wakers);
        drop(waiters);
        self.answered.notify_all();
        for waker in wakers {
            quietly(|| waker.wake());
        }
    }

    pub(super) fn is_answered(&self) -> bool {
        self.answer.get().is_some()
    }

    /// Makes the batch due, because a caller is going to wait for it.
    pub(super) fn flush(self: &Arc<Self>) {
        if let Some(flush) = &self.flush {
            flush(self);
        }
    }

    /// Fails on the pool's own threads, where waiting for the answer could deadlock.
    pub(super) fn check_thread(&self) -> Result<(), ScanError> {
        self.threads.check_thread().map_err(|error| scan_error(&error))
    }

    /// Waits for the answer, at most until this time. Returns whether there is an answer.
    pub(super) fn wait(&self, until: Option<Instant>) -> bool {
        if self.is_answered() {
            return true;
        }
        let mut waiters = lock(&self.waiters);
        while !waiters.is_answered {
            waiters = match until {
                None => wait(&self.answered, waiters),
                Some(until) => match until.checked_duration_since(Instant::now()) {
                    Some(left) if left > Duration::ZERO => wait_for(&self.answered, waiters, left),
                    _ => return false,
                },
            };
        }
        true
    }

    /// Registers the waker of a task for the answer. Returns `false` if there already is an answer.
    ///
    /// `slot` is the index of the ticket's waker. It is `None` at the first call, which sets it; later
    /// calls replace the waker.
    pub(super) fn register(&self, slot: &mut Option<usize>, context: &Context<'_>) -> bool {
        // Wakers are cloned and dropped without the lock, since both run code of an executor.
        let waker = context.waker().clone();
        let mut waiters = lock(&self.waiters);
        if waiters.is_answered {
            return false;
        }
        let wakers = &mut waiters.wakers;
        let old = match *slot {
            Some(slot) => Some(mem::replace(&mut wakers[slot], waker)),
            None => {
                *slot = Some(wakers.len());
                wakers.push(waker);
                None
            }
        };
        drop(waiters);
        drop(old);
        true
    }

    /// Appends the matches of these records. The first of the records becomes the record
    /// `first_record` of the output.
    pub(super) fn read(
        &self,
        records: Range<u32>,
        first_record: u32,
        out: &mut Matches,
    ) -> Result<(), ScanError> {
        self.answer()?.read(records, first_record, out)
    }

    /// Appends the matches of one record of a segment, as record 0.
    pub(super) fn read_one(
        &self,
        segment: usize,
        index: u32,
        out: &mut Matches,
    ) -> Result<(), ScanError> {
        let answer = self.answer()?;
        let record = answer.buffers.merged_record(segment, index);
        answer.read(record..record + 1, 0, out)
    }

    fn answer(&self) -> Result<&BatchAnswer, ScanError> {
        match self.answer.get() {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(error)) => Err(error.clone()),
            None => Err(ScanError::TimedOut),
        }
    }
}

impl BatchAnswer {
    fn read(
        &self,
        records: Range<u32>,
        first_record: u32,
        out: &mut Matches,
    ) -> Result<(), ScanError> {
        // The first failed range that could overlap with these records.
        let next = self.failed.partition_point(|(failed, _)| failed.end <= records.start);
        if let Some((_, error)) =
            self.failed.get(next).filter(|(failed, _)| failed.start < records.end)
        {
            return Err(error.clone());
        }
        self.buffers.read(records, first_record, out);
        Ok(())
    }
}

impl Drop for SharedBatch {
    fn drop(&mut self) {
        if let Some(Ok(answer)) = self.answer.take() {
            self.spare.put_back(answer.buffers);
        }
    }
}

/// Consecutive records of a shared batch that all come from one scan of a caller.
pub(super) struct BatchRecords {
    pub(super) batch: Arc<SharedBatch>,
    pub(super) records: Range<u32>,
}
