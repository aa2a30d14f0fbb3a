//! Queued calls. The types of their functions and results are erased, so that one queue holds them
//! all.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::deadline_timer::TrackedDeadline;
use crate::reply::{Outcome, Reply};
use crate::sync::quietly;
use crate::worker_set::WorkerId;
use crate::{CallError, CancelFlag};

/// A queued call, and its deadline if it has one.
pub(crate) struct Task<S> {
    pub(crate) work: Box<dyn Work<S>>,
    pub(crate) deadline: Option<TrackedDeadline>,
}

impl<S> Task<S> {
    /// Fails a call that does not run.
    pub(crate) fn refuse(self, error: CallError) {
        quietly(|| {
            self.work.finish(error);
        });
        quietly(|| drop(self.deadline));
    }
}

/// The steps in which a worker executes a call: start, run, finish.
///
/// A call that is dropped unfinished fails with [`CallError::Closed`], so that its caller never
/// waits forever.
pub(crate) trait Work<S>: Send {
    /// Marks the call as running. Returns `false` if its deadline has passed; it must then not run.
    fn start(&self, worker: WorkerId) -> bool;

    /// Runs the call and stores its result. Returns whether it panicked.
    fn run(&mut self, value: &mut S) -> bool;

    /// Answers with the result or, if the call did not run, with the error. Returns `false` if the
    /// call was abandoned while it ran.
    fn finish(self: Box<Self>, error: CallError) -> bool;
}

/// A call: its function until it has run, then its outcome until the reply takes it.
pub(crate) struct Call<F, R> {
    function: Option<F>,
    outcome: Option<Outcome<R>>,
    /// Whether the reply has its outcome.
    finished: bool,
    reply: Arc<Reply<R>>,
}

impl<F, R> Call<F, R> {
    pub(crate) fn new(function: F, reply: Arc<Reply<R>>) -> Call<F, R> {
        Call { function: Some(function), outcome: None, finished: false, reply }
    }

    /// Drops the function if it did not run, and passes the outcome to the reply: the result or, if
    /// the call did not run, the error. Returns `false` if the call was abandoned while it ran.
    fn conclude(&mut self, error: CallError) -> bool {
        // Before the answer, because the values that the function borrows may be gone after it.
        let function = self.function.take();
        quietly(|| drop(function));
        self.finished = true;
        self.reply.finish(self.outcome.take().unwrap_or(Err(error)))
    }
}

impl<S, F, R> Work<S> for Call<F, R>
where
    F: FnOnce(&mut S, &CancelFlag) -> R + Send,
    R: Send,
{
    fn start(&self, worker: WorkerId) -> bool {
        self.reply.start(worker)
    }

    fn run(&mut self, value: &mut S) -> bool {
        let Some(function) = self.function.take() else { return false };
        let cancel = self.reply.cancel_flag();
        // Unwind safe: the caller resumes the panic, and `OnPanic` decides whether the value, which
        // may be half changed, is kept.
        let result = catch_unwind(AssertUnwindSafe(|| function(value, cancel)));
        let panicked = result.is_err();
        self.outcome = Some(Ok(result));
        panicked
    }

    fn finish(mut self: Box<Self>, error: CallError) -> bool {
        self.conclude(error)
    }
}

impl<F, R> Drop for Call<F, R> {
    fn drop(&mut self) {
        if !self.finished {
            self.conclude(CallError::Closed);
        }
    }
}
