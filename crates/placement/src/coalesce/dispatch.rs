//! The calls that the coalescer submits to its pool: jobs, the flush timer, and large batches that
//! bypass the queue.
//!
//! [`Coalescer::dispatch`] decides which calls to submit. Every change of the queue that can make a
//! batch due or a member free ends with it, so no call is submitted from anywhere else.

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
    /// flush timer, and wakes the threads that wait for room or for the end.
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

    /// Submits a job, which already counts as running.
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
            // `dispatch` continues with the next job.
            job.fail(&error);
        }
    }

    /// Runs a call that occupies a member, outside of the queue.
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
    /// refuses them. Waits until no call is in progress, unless this is one of the pool's threads.
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
            // Before the next job, which can then use the memory of this batch.
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

/// Polls a call when its waker fires. Returns the error of a call that has already failed.
fn poll_later(job: &Arc<Job>, mut pending: Pending<()>) -> Option<CallError> {
    let waker = Waker::from(Arc::clone(job));
    // The waker may fire during the poll. It then waits for this lock.
    let mut slot = lock(&job.pending);
    match poll_call(&mut pending, &mut Context::from_waker(&waker)) {
        Poll::Ready(error) => error,
        Poll::Pending => {
            *slot = Some(pending);
            None
        }
    }
}

/// Runs on a thread of the pool, when the call is over or late.
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

/// If the call did not run, the batch is due at once: its job then fails with the reason.
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
