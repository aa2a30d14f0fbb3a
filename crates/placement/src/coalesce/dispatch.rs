//! The calls that the coalescer submits to its pool: jobs, the flush timer, and large batches that
//! bypass the queue.
//!
//! [`Coalescer::dispatch`] decides which calls to submit. Every function that may make a batch due or
//! a member free calls it at the end, so jobs and the flush timer are submitted nowhere else.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use super::coalescer::Coalescer;
use super::job::{self, Job, poll_call};
use super::queue::{NextJob, QueueState, QueuedBatch};
use crate::convert::{closed_error, panic_error};
use dragnet::{Scan, ScanError};
use dragnet_boundary::sync::{MutexGuard, lock, wait};
use dragnet_boundary::{CallError, CancelFlag, Pending};

impl Coalescer {
    /// Submits jobs for the batches that are due, as long as members are free. Then starts or ends the
    /// flush timer, and wakes the threads that wait for room in the queue or for a closed queue to
    /// become idle.
    pub(super) fn dispatch<'a>(self: &'a Arc<Self>, mut state: MutexGuard<'a, QueueState>) {
        while let Some(next) = state.next_job(&self.limits) {
            self.notify_room(&state);
            drop(state);
            self.submit_job(next);
            state = lock(&self.queue);
        }
        if state.flush_timer_runs {
            if !state.wants_flush_timer(&self.limits) {
                self.due.notify_all();
            }
        } else if state.wants_flush_timer(&self.limits) {
            state.flush_timer_runs = true;
            drop(state);
            let timer = FlushTimer { coalescer: Arc::clone(self), has_run: false };
            // If the pool refuses the call, it drops the timer, which makes the batch due.
            let _ = self.threads.try_submit_from_any_thread(None, move |_, _| timer.run());
            return;
        }
        self.notify_room(&state);
        if state.is_closed && state.is_idle() {
            self.idle.notify_all();
            if state.closed_by_member {
                drop(state);
                self.threads.shut_down();
            }
        }
    }

    /// Submits a job. [`next_job`](QueueState::next_job) has counted it as running already.
    fn submit_job(self: &Arc<Self>, next: NextJob) {
        let job = Job::new(Arc::clone(self), next);
        let call = {
            let job = Arc::clone(&job);
            move |scanner: &mut Box<dyn Scan>, cancel: &CancelFlag| run_job(&job, scanner, cancel)
        };
        let error = match self.threads.try_submit_from_any_thread(self.limits.deadline, call) {
            Ok(pending) => poll_later(&job, pending),
            Err(error) => Some(error),
        };
        if let Some(error) = error {
            // No `dispatch` afterwards: the caller is `dispatch`, which continues with the next job.
            job.fail(&error);
        }
    }

    /// Runs `call`, which occupies a member although it bypasses the queue. Counts the member as busy
    /// meanwhile, so that it is not expected to run the flush timer.
    pub(super) fn bypass<R>(self: &Arc<Self>, call: impl FnOnce() -> R) -> Result<R, ScanError> {
        let mut state = lock(&self.queue);
        if state.is_closed {
            return Err(closed_error());
        }
        state.bypass_calls += 1;
        self.dispatch(state);
        let result = call();
        let mut state = lock(&self.queue);
        state.bypass_calls -= 1;
        self.dispatch(state);
        Ok(result)
    }

    /// Closes the queue: it accepts no more records. Scans the queued records or, if `reject` is set,
    /// answers them with an error. Waits until no call is in progress; but on one of the pool's own
    /// threads it returns at once, and the last job shuts the pool down.
    pub(crate) fn close(self: &Arc<Self>, reject: bool) {
        let mut state = lock(&self.queue);
        state.is_closed = true;
        state.closed_by_member = self.threads.check_thread().is_err();
        let mut refused = Vec::new();
        if reject {
            while let Some(batch) = state.take_due(&self.limits) {
                refused.push(batch);
            }
        }
        self.room.notify_all();
        self.dispatch(state);
        for batch in refused {
            batch.shared.finish(Err(closed_error()));
        }
        let mut state = lock(&self.queue);
        if state.closed_by_member {
            return;
        }
        while !state.is_idle() {
            state = wait(&self.idle, state);
        }
        drop(state);
        self.threads.shut_down();
    }
}

/// Runs a job on a member: claims a batch, scans it, answers it, and dispatches the next job.
fn run_job(job: &Job, scanner: &mut Box<dyn Scan>, cancel: &CancelFlag) {
    let coalescer = &job.coalescer;
    let Some(QueuedBatch { shared, buffers, .. }) = job.claim() else {
        return coalescer.dispatch(job.end());
    };
    match catch_unwind(AssertUnwindSafe(|| job::scan(&mut **scanner, cancel, buffers))) {
        Ok(answer) => {
            shared.finish(answer);
            // Dropped before the next job starts, so that it can reuse the memory of this batch.
            drop(shared);
            coalescer.dispatch(job.end());
        }
        Err(payload) => {
            let error = panic_error(payload);
            shared.finish(Err(error.clone()));
            drop(shared);
            coalescer.dispatch(job.end());
            // The panic continues, so that the pool replaces the scanner.
            resume_unwind(Box::new(error.to_string()));
        }
    }
}

/// Arranges that the result of a job's call is polled when its waker fires. Returns the error if the
/// call has already failed.
fn poll_later(job: &Arc<Job>, mut pending: Pending<()>) -> Option<CallError> {
    let waker = Waker::from(Arc::clone(job));
    // If the waker fires on another thread before `pending` is stored, it waits for this lock.
    let mut slot = lock(&job.pending);
    match poll_call(&mut pending, &mut Context::from_waker(&waker)) {
        Poll::Ready(error) => error,
        Poll::Pending => {
            *slot = Some(pending);
            None
        }
    }
}

/// The waker fires on a thread of the pool, when the call has ended or its deadline has passed.
impl Wake for Job {
    fn wake(self: Arc<Self>) {
        let pending = lock(&self.pending).take();
        let Some(mut pending) = pending else { return };
        let context = &mut Context::from_waker(Waker::noop());
        if let Poll::Ready(Some(error)) = poll_call(&mut pending, context) {
            self.fail(&error);
            self.coalescer.dispatch(lock(&self.coalescer.queue));
        }
    }
}

/// The flush timer: a call in which a free member waits until the open batch is due, so that no other
/// thread has to.
struct FlushTimer {
    coalescer: Arc<Coalescer>,
    has_run: bool,
}

impl FlushTimer {
    fn run(mut self) {
        self.has_run = true;
        self.coalescer.wait_until_due();
    }
}

/// Ends the timer. If the pool dropped the call without running it, no timer will make the open batch
/// due. The batch is then marked as awaited, so that its job is submitted now. If the pool refuses the
/// job, too, the callers get the pool's error instead of waiting forever.
impl Drop for FlushTimer {
    fn drop(&mut self) {
        let mut state = lock(&self.coalescer.queue);
        state.flush_timer_runs = false;
        if let Some(open) = &mut state.open {
            open.is_awaited |= !self.has_run;
        }
        self.coalescer.dispatch(state);
    }
}
