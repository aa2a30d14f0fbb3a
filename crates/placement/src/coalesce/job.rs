//! A job: a call to the pool that scans one shared batch.
//!
//! This module has the life of a job and the scan. `dispatch` submits jobs and runs them.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::buffers::Buffers;
use super::coalescer::Coalescer;
use super::queue::{NextJob, QueueState, QueuedBatch};
use super::shared_batch::{BatchAnswer, SharedBatch};
use crate::convert::{scan_error, stop_flag};
use dragnet::{Matches, Scan, ScanError};
use dragnet_boundary::sync::{Mutex, MutexGuard, lock};
use dragnet_boundary::{CallError, CancelFlag, Pending};

/// A call to the pool that scans one shared batch.
pub(super) struct Job {
    pub(super) coalescer: Arc<Coalescer>,
    /// Its lock is taken under the lock of the queue, or alone.
    state: Mutex<JobState>,
    /// The pool's pending result, polled when its waker fires.
    pub(super) pending: Mutex<Option<Pending<()>>>,
}

struct JobState {
    /// The batch, until its scan starts.
    queued: Option<QueuedBatch>,
    /// The batch that has to be answered.
    batch: Option<Arc<SharedBatch>>,
    /// Whether the job may still claim a batch.
    is_unbound: bool,
    /// Whether the job no longer counts as running.
    is_over: bool,
}

impl Job {
    pub(super) fn new(coalescer: Arc<Coalescer>, next: NextJob) -> Arc<Job> {
        let queued = match next {
            NextJob::Bound(queued) => Some(queued),
            NextJob::Unbound => None,
        };
        let state = JobState {
            batch: queued.as_ref().map(|queued| Arc::clone(&queued.shared)),
            is_unbound: queued.is_none(),
            queued,
            is_over: false,
        };
        Arc::new(Job { coalescer, state: Mutex::new(state), pending: Mutex::new(None) })
    }

    /// Takes the batch to scan. An unbound job claims one; `None` if no batch is due any more.
    pub(super) fn claim(&self) -> Option<QueuedBatch> {
        let mut queue = lock(&self.coalescer.queue);
        let mut state = lock(&self.state);
        if mem::take(&mut state.is_unbound) {
            queue.unbound_jobs -= 1;
            state.queued = queue.take_due(&self.coalescer.limits);
            self.coalescer.notify_room(&queue);
            state.batch = state.queued.as_ref().map(|queued| Arc::clone(&queued.shared));
        }
        state.queued.take()
    }

    /// Ends the job: it no longer counts as running, and its batch has an answer.
    pub(super) fn end(&self) -> MutexGuard<'_, QueueState> {
        let mut queue = lock(&self.coalescer.queue);
        let mut state = lock(&self.state);
        state.batch = None;
        if !mem::replace(&mut state.is_over, true) {
            queue.running_jobs -= 1;
        }
        queue
    }

    /// Answers the batch of a job whose call did not run or is late, and ends the job.
    pub(super) fn fail(&self, error: &CallError) {
        // An unbound job claims a batch for the error: the next job would fail in the same way.
        let queued = self.claim();
        let batch = lock(&self.state).batch.take();
        if let Some(batch) = batch {
            batch.finish(Err(scan_error(error)));
        }
        if let Some(queued) = queued {
            self.coalescer.spare.put_back(queued.buffers);
        }
        drop(self.end());
    }
}

/// Polls a call. Returns the error of a call that did not run or was late. A panic is no error here,
/// because the job has already answered with it.
pub(super) fn poll_call(
    pending: &mut Pending<()>,
    context: &mut Context<'_>,
) -> Poll<Option<CallError>> {
    match catch_unwind(AssertUnwindSafe(|| pin!(pending).poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(outcome)) => Poll::Ready(outcome.err()),
        Err(_) => Poll::Ready(None),
    }
}

/// Scans a batch with the scanner of a member. The cancel flag is that of the call.
pub(super) fn scan(
    scanner: &mut dyn Scan,
    cancel: &CancelFlag,
    buffers: Buffers,
) -> Result<BatchAnswer, ScanError> {
    scanner.set_stop(stop_flag(cancel));
    scan_merged(scanner, cancel, buffers).map_err(|error| match error {
        // Only the deadline raises this flag.
        ScanError::Stopped if cancel.is_raised() => ScanError::TimedOut,
        error => error,
    })
}

/// Merges a batch and scans it. If the scan fails, scans each submission alone, so that only the
/// callers whose records cause the error get it.
fn scan_merged(
    scanner: &mut dyn Scan,
    cancel: &CancelFlag,
    mut buffers: Buffers,
) -> Result<BatchAnswer, ScanError> {
    buffers.merge();
    let Buffers { records, matches, submissions, .. } = &mut buffers;
    let batch = records.as_batch();
    let mut failed = Vec::new();
    match scanner.scan(&batch, matches) {
        Ok(()) => {}
        Err(error @ (ScanError::Stopped | ScanError::TimedOut)) => return Err(error),
        Err(error) if submissions.len() < 2 => return Err(error),
        Err(_) => {
            matches.clear();
            let mut found = Matches::new();
            let ends = submissions[1..].iter().copied().chain([batch.len() as u32]);
            for submission in submissions.iter().zip(ends).map(|(&start, end)| start..end) {
                if cancel.is_raised() {
                    return Err(ScanError::Stopped);
                }
                let range = submission.start as usize..submission.end as usize;
                match scanner.scan(&batch.slice(range), &mut found) {
                    Ok(()) => {
                        let start = submission.start;
                        matches.extend(found.iter().map(|m| m.offset_record(start)));
                    }
                    Err(error) => failed.push((submission, error)),
                }
            }
        }
    }
    buffers.index_matches();
    Ok(BatchAnswer { buffers, failed })
}
