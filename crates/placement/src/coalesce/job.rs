//! A job: a call to the pool that scans one shared batch.
//!
//! This module has the states of a job, from its claim of a batch to its end, and the scan itself.
//! `dispatch` submits jobs and runs them.

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
    /// The batch, until the job ends or fails.
    batch: Option<Arc<SharedBatch>>,
    /// Whether the job has yet to claim a batch.
    is_unbound: bool,
    /// Whether the job has ended, so that it no longer counts as running.
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

    /// Takes the batch to scan. An unbound job first claims the next batch that is due. Returns `None`
    /// if no batch is due any more, or the batch was taken before.
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

    /// Ends the job, whose batch has an answer: it no longer counts as running. Returns the locked
    /// queue, on which the caller calls `dispatch`.
    pub(super) fn end(&self) -> MutexGuard<'_, QueueState> {
        let mut queue = lock(&self.coalescer.queue);
        let mut state = lock(&self.state);
        state.batch = None;
        if !mem::replace(&mut state.is_over, true) {
            queue.running_jobs -= 1;
        }
        queue
    }

    /// Answers the batch of a job whose call did not run or missed its deadline, and ends the job.
    pub(super) fn fail(&self, error: &CallError) {
        // An unbound job claims a batch to answer it with the error: if the batch stayed in the queue,
        // the next job for it would fail in the same way, without end.
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

/// Polls the result of a call. Returns the error of a call that did not run or missed its deadline. A
/// panic is no error here, because the job has already answered its batch with it.
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

/// Scans a batch with the scanner of a member. `cancel` is the flag of the call that scans.
pub(super) fn scan(
    scanner: &mut dyn Scan,
    cancel: &CancelFlag,
    buffers: Buffers,
) -> Result<BatchAnswer, ScanError> {
    scanner.set_stop(stop_flag(cancel));
    scan_merged(scanner, cancel, buffers).map_err(|error| match error {
        // Only the deadline raises the cancel flag.
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
