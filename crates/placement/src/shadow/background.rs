//! What the scanning thread and the background share: the counts, and who is at work.

use std::any::Any;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use super::job::Job;
use super::{Difference, ShadowFailure, ShadowStats};
use dragnet::{PatternSet, ScanError};
use dragnet_boundary::{CallError, CancelFlag};

pub(super) type OnDifference = Box<dyn Fn(&Difference<'_>) + Send + Sync>;
pub(super) type OnFailure = Box<dyn Fn(&ShadowFailure) + Send + Sync>;

pub(super) struct Shared {
    pub(super) set: PatternSet,
    pub(super) on_difference: OnDifference,
    pub(super) on_failure: OnFailure,
    /// How many differences of a batch are reported.
    pub(super) limit: usize,
    /// How many jobs may be pending.
    pub(super) capacity: usize,
    /// How many bytes they may have, and how many may be kept for reuse.
    pub(super) max_bytes: usize,
    state: Mutex<State>,
    /// A job is no longer pending.
    ended: Condvar,
}

#[derive(Default)]
struct State {
    /// All counts but those of the batches seen.
    stats: ShadowStats,
    /// Bytes set aside for jobs, with those of jobs that were given up and hold them still.
    bytes: usize,
    free: Vec<Job>,
    free_bytes: usize,
    /// Jobs at work: one, and those that were given up a moment ago.
    running: Vec<Entry>,
    /// The thread that reports what was given up.
    watch: Option<ThreadId>,
}

/// A job at work.
pub(super) struct Entry {
    pub(super) batch: u64,
    pub(super) stop: CancelFlag,
    pub(super) thread: ThreadId,
    /// Whether it is counted already, as compared or failed.
    pub(super) settled: bool,
}

impl Shared {
    pub(super) fn new(
        set: PatternSet,
        (on_difference, on_failure): (OnDifference, OnFailure),
        limit: usize,
        (capacity, max_bytes): (usize, usize),
    ) -> Shared {
        Shared {
            set,
            on_difference,
            on_failure,
            limit,
            capacity,
            max_bytes,
            state: Mutex::default(),
            ended: Condvar::new(),
        }
    }

    /// No code of a caller runs under the lock, so nothing is left half done by a panic.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn stats(&self) -> ShadowStats {
        self.lock().stats
    }

    /// How many bytes more may be set aside; `None` if there is no place for another job.
    pub(super) fn room(&self) -> Option<usize> {
        let state = self.lock();
        (state.stats.pending < self.capacity as u64)
            .then(|| self.max_bytes.saturating_sub(state.bytes))
    }

    /// Counts a sampled batch that can't be compared.
    pub(super) fn skip(&self) {
        let mut state = self.lock();
        state.stats.sampled += 1;
        state.stats.skipped += 1;
    }

    /// A place for a job that takes this many bytes, and an empty job; or else counts the batch
    /// as skipped.
    pub(super) fn admit(&self, cost: usize) -> Option<Job> {
        let mut state = self.lock();
        let state = &mut *state;
        state.stats.sampled += 1;
        // The sum is at most the limit so far, so this does not overflow.
        let fits = cost <= self.max_bytes.saturating_sub(state.bytes);
        if !fits || state.stats.pending >= self.capacity as u64 {
            state.stats.skipped += 1;
            return None;
        }
        state.stats.pending += 1;
        state.bytes += cost;
        let job = state.free.pop().unwrap_or_default();
        state.free_bytes -= job.memory();
        Some(job)
    }

    /// A job is at work from now on.
    pub(super) fn enter(&self, entry: Entry) {
        self.lock().running.push(entry);
    }

    /// The second engine has an answer, with this many differences. Returns false if the job was
    /// given up meanwhile and counts as failed.
    pub(super) fn compared(&self, batch: u64, differences: u64) -> bool {
        let mut state = self.lock();
        if !state.settle(batch) {
            return false;
        }
        let stats = &mut state.stats;
        stats.compared += 1;
        stats.differing += u64::from(differences > 0);
        stats.differences += differences;
        stats.unreported += differences.saturating_sub(self.limit as u64);
        true
    }

    /// The second engine has no answer. Nothing happens if the job was given up meanwhile.
    pub(super) fn fail(&self, batch: u64, error: ScanError) {
        let mut state = self.lock();
        if state.settle(batch) {
            state.stats.failed += 1;
            drop(state);
            (self.on_failure)(&ShadowFailure { batch, error, abandoned: false });
        }
    }

    /// The thread at work was given up; called on the thread that found so.
    pub(super) fn abandoned(&self) {
        let mut state = self.lock();
        state.watch = Some(thread::current().id());
        // Its successor may be at work already, but was not told to stop. If it ended at the very
        // last moment, there is none, and nothing is lost.
        let stuck = state.running.iter_mut().find(|entry| entry.stop.is_raised());
        let Some(entry) = stuck else { return };
        let batch = entry.batch;
        // It is compared already if the report of a difference is what does not come back.
        if !std::mem::replace(&mut entry.settled, true) {
            state.stats.failed += 1;
        }
        drop(state);
        let _leave = Leave { shared: self, batch };
        (self.on_failure)(&ShadowFailure { batch, error: ScanError::TimedOut, abandoned: true });
    }

    /// A job is gone, whatever became of it.
    pub(super) fn end(&self, batch: u64, started: bool, cost: usize, job: Job) {
        let mut state = self.lock();
        state.bytes -= cost;
        let memory = job.memory();
        let is_kept =
            state.free.len() < self.capacity && state.free_bytes + memory <= self.max_bytes;
        let spare = if is_kept {
            state.free_bytes += memory;
            state.free.push(job);
            None
        } else {
            Some(job)
        };
        if !started {
            state.stats.skipped += 1;
            state.stats.pending -= 1;
            self.ended.notify_all();
        } else {
            self.leave(&mut state, batch);
        }
        drop(state);
        drop(spare);
    }

    /// Ends the wait for a job at work, unless that has ended.
    fn leave(&self, state: &mut State, batch: u64) {
        if let Some(at) = state.running.iter().position(|entry| entry.batch == batch) {
            let entry = state.running.swap_remove(at);
            if !entry.settled {
                // It panicked with no word of why.
                state.stats.failed += 1;
            }
            state.stats.pending -= 1;
            self.ended.notify_all();
        }
    }

    /// Waits until nothing is pending.
    pub(super) fn flush(&self, timeout: Option<Duration>) -> Result<(), CallError> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = self.lock();
        let me = thread::current().id();
        if state.watch == Some(me) || state.running.iter().any(|entry| entry.thread == me) {
            return Err(CallError::Reentrant);
        }
        while state.stats.pending > 0 {
            state = match deadline {
                None => self.ended.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Err(CallError::TimedOut);
                    }
                    self.ended.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        Ok(())
    }
}

impl State {
    /// Marks a job as counted. Returns false if it is so already.
    fn settle(&mut self, batch: u64) -> bool {
        match self.running.iter_mut().find(|entry| entry.batch == batch) {
            Some(entry) => !std::mem::replace(&mut entry.settled, true),
            None => false,
        }
    }
}

/// Ends the wait for a job that was given up, also when the report of it panics.
struct Leave<'a> {
    shared: &'a Shared,
    batch: u64,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.shared.leave(&mut self.shared.lock(), self.batch);
    }
}

/// What a panic said.
pub(super) fn message_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a value that is not a text")
        .to_owned()
}
