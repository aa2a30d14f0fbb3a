//! The state that the scanning thread and the background thread share: the counts, the limits, and the
//! running comparisons.

use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use super::copy::BatchCopy;
use super::difference::Difference;
use super::report::{ShadowFailure, ShadowStats};
use dragnet::{PatternSet, ScanError};
use dragnet_boundary::{CallError, CancelFlag};

pub(super) type OnDifference = Box<dyn Fn(&Difference<'_>) + Send + Sync>;
pub(super) type OnFailure = Box<dyn Fn(&ShadowFailure) + Send + Sync>;

/// The shared state of a shadow.
pub(super) struct Background {
    pub(super) set: PatternSet,
    pub(super) on_difference: OnDifference,
    pub(super) on_failure: OnFailure,
    /// Maximum number of differences that are reported for a batch.
    pub(super) max_differences: usize,
    /// Maximum number of pending comparisons.
    pub(super) capacity: usize,
    /// Maximum size of the copies of all pending comparisons, in bytes. The memory that is kept for later
    /// copies may take as much again.
    pub(super) max_bytes: usize,
    state: Mutex<BackgroundState>,
    /// Notified when a comparison is no longer pending.
    ended: Condvar,
}

#[derive(Default)]
struct BackgroundState {
    /// All counts except `seen`, which the scanning thread keeps.
    stats: ShadowStats,
    /// Number of bytes reserved for copies, including the copies of abandoned comparisons that still
    /// run.
    reserved_bytes: usize,
    /// Memory for later copies.
    spare: Vec<BatchCopy>,
    /// The size of that memory, in bytes.
    spare_bytes: usize,
    /// The comparison that is running, if any, and abandoned comparisons until `on_failure` returns.
    running: Vec<RunningComparison>,
    /// The thread that calls `on_failure` for abandoned comparisons; `None` before the first of them.
    deadline_timer: Option<ThreadId>,
}

/// A comparison that is running.
pub(super) struct RunningComparison {
    pub(super) batch: u64,
    pub(super) cancel: CancelFlag,
    pub(super) thread: ThreadId,
    /// Whether the batch is already counted as compared or failed.
    pub(super) is_counted: bool,
}

impl Background {
    pub(super) fn new(
        set: PatternSet,
        (on_difference, on_failure): (OnDifference, OnFailure),
        max_differences: usize,
        (capacity, max_bytes): (usize, usize),
    ) -> Background {
        Background {
            set,
            on_difference,
            on_failure,
            max_differences,
            capacity,
            max_bytes,
            state: Mutex::default(),
            ended: Condvar::new(),
        }
    }

    /// Ignores poisoning: no caller's code runs under the lock, so a panic can't leave the state half
    /// changed.
    fn lock(&self) -> MutexGuard<'_, BackgroundState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn stats(&self) -> ShadowStats {
        self.lock().stats
    }

    /// Returns how many bytes can be reserved; `None` if the maximum number of comparisons is pending.
    pub(super) fn room(&self) -> Option<usize> {
        let state = self.lock();
        (state.stats.pending < self.capacity as u64)
            .then(|| self.max_bytes.saturating_sub(state.reserved_bytes))
    }

    /// Counts a sampled batch that can't be compared.
    pub(super) fn skip(&self) {
        let mut state = self.lock();
        state.stats.sampled += 1;
        state.stats.skipped += 1;
    }

    /// Reserves room for a copy of this many bytes, and returns memory for it. If there is no room,
    /// counts the batch as skipped and returns `None`.
    pub(super) fn reserve(&self, bytes: usize) -> Option<BatchCopy> {
        let mut state = self.lock();
        let state = &mut *state;
        state.stats.sampled += 1;
        // `reserved_bytes` never exceeds the limit, so the sum does not overflow.
        let fits = bytes <= self.max_bytes.saturating_sub(state.reserved_bytes);
        if !fits || state.stats.pending >= self.capacity as u64 {
            state.stats.skipped += 1;
            return None;
        }
        state.stats.pending += 1;
        state.reserved_bytes += bytes;
        let copy = state.spare.pop().unwrap_or_default();
        state.spare_bytes -= copy.allocated();
        Some(copy)
    }

    /// Registers a comparison as running.
    pub(super) fn start(&self, comparison: RunningComparison) {
        self.lock().running.push(comparison);
    }

    /// Counts a batch that both engines have answered, with this many differences. Returns `false` if
    /// the comparison was abandoned in the meantime, and is counted as failed.
    pub(super) fn count_compared(&self, batch: u64, differences: u64) -> bool {
        let mut state = self.lock();
        if !state.mark_counted(batch) {
            return false;
        }
        let stats = &mut state.stats;
        stats.compared += 1;
        stats.differing += u64::from(differences > 0);
        stats.differences += differences;
        stats.unreported += differences.saturating_sub(self.max_differences as u64);
        true
    }

    /// Counts and reports that the second engine failed. Does nothing if the comparison was abandoned
    /// in the meantime.
    pub(super) fn fail(&self, batch: u64, error: ScanError) {
        let mut state = self.lock();
        if state.mark_counted(batch) {
            state.stats.failed += 1;
            drop(state);
            (self.on_failure)(&ShadowFailure { batch, error, abandoned: false });
        }
    }

    /// Counts and reports that the running comparison was abandoned. Runs on the deadline timer's
    /// thread.
    pub(super) fn abandon(&self) {
        let mut state = self.lock();
        state.deadline_timer = Some(thread::current().id());
        // The replacement thread may already run the next comparison, but the cancel flag of that one
        // is not raised. If the stuck comparison has just ended after all, there is nothing to report.
        let stuck = state.running.iter_mut().find(|running| running.cancel.is_raised());
        let Some(stuck) = stuck else { return };
        let batch = stuck.batch;
        // The batch is already counted as compared if `on_difference` is stuck, not the second engine.
        if !mem::replace(&mut stuck.is_counted, true) {
            state.stats.failed += 1;
        }
        drop(state);
        let _remove = RemoveOnDrop { background: self, batch };
        (self.on_failure)(&ShadowFailure { batch, error: ScanError::TimedOut, abandoned: true });
    }

    /// Ends a comparison. Counts its batch as skipped if it never started, and as failed if it was not
    /// counted before. Keeps its memory for later copies, as far as the limits allow.
    pub(super) fn end(&self, batch: u64, has_started: bool, reserved: usize, copy: BatchCopy) {
        let mut state = self.lock();
        state.reserved_bytes -= reserved;
        let allocated = copy.allocated();
        let is_kept =
            state.spare.len() < self.capacity && state.spare_bytes + allocated <= self.max_bytes;
        let excess = if is_kept {
            state.spare_bytes += allocated;
            state.spare.push(copy);
            None
        } else {
            Some(copy)
        };
        if !has_started {
            state.stats.skipped += 1;
            state.stats.pending -= 1;
            self.ended.notify_all();
        } else {
            self.remove_running(&mut state, batch);
        }
        drop(state);
        // Freed without the lock.
        drop(excess);
    }

    /// Removes a comparison from the running ones. Does nothing if it was removed before.
    fn remove_running(&self, state: &mut BackgroundState, batch: u64) {
        if let Some(index) = state.running.iter().position(|running| running.batch == batch) {
            let running = state.running.swap_remove(index);
            if !running.is_counted {
                // It panicked before it could count its batch.
                state.stats.failed += 1;
            }
            state.stats.pending -= 1;
            self.ended.notify_all();
        }
    }

    /// Waits until no comparison is pending.
    pub(super) fn flush(&self, timeout: Option<Duration>) -> Result<(), CallError> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = self.lock();
        let current = thread::current().id();
        if state.deadline_timer == Some(current)
            || state.running.iter().any(|running| running.thread == current)
        {
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

impl BackgroundState {
    /// Marks a running comparison as counted. Returns `false` if it already was.
    fn mark_counted(&mut self, batch: u64) -> bool {
        match self.running.iter_mut().find(|running| running.batch == batch) {
            Some(running) => !mem::replace(&mut running.is_counted, true),
            None => false,
        }
    }
}

/// Removes an abandoned comparison on drop, so that it is also removed if `on_failure` panics.
struct RemoveOnDrop<'a> {
    background: &'a Background,
    batch: u64,
}

impl Drop for RemoveOnDrop<'_> {
    fn drop(&mut self) {
        self.background.remove_running(&mut self.background.lock(), self.batch);
    }
}
