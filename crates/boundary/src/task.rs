//! Calls as they stand in the queue, whatever they do and return.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::reply::{Outcome, Reply};
use super::sync::quietly;
use super::watch::Watched;
use super::{CallError, CancelFlag};

/// A queued call, and its deadline if it has one.
pub(super) struct Task<S> {
    pub(super) work: Box<dyn Work<S>>,
    pub(super) watched: Option<Watched>,
}

impl<S> Task<S> {
    /// Answers a call that does not run.
    pub(super) fn refuse(self, error: CallError) {
        quietly(|| {
            self.work.finish(error);
        });
        quietly(|| drop(self.watched));
    }
}

/// What a thread does with a call: it starts it, runs it and finishes it.
///
/// One that is dropped before it was finished is finished with [`CallError::Closed`], so that
/// nobody waits in vain.
pub(super) trait Work<S>: Send {
    /// Returns false if the call is late already; it is then not to be run.
    fn start(&self, thread: u64) -> bool;

    /// Runs the call and keeps its result. Returns whether it panicked.
    fn run(&mut self, value: &mut S) -> bool;

    /// Answers with the result or, if it did not run, with the error. Returns false if the call
    /// was given up while it ran.
    fn finish(self: Box<Self>, error: CallError) -> bool;
}

pub(super) struct Call<F, R> {
    function: Option<F>,
    outcome: Option<Outcome<R>>,
    finished: bool,
    reply: Arc<Reply<R>>,
}

impl<F, R> Call<F, R> {
    pub(super) fn new(function: F, reply: Arc<Reply<R>>) -> Call<F, R> {
        Call { function: Some(function), outcome: None, finished: false, reply }
    }

    fn conclude(&mut self, error: CallError) -> bool {
        // Before the answer: what the function borrows may be gone afterwards.
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
    fn start(&self, thread: u64) -> bool {
        self.reply.start(thread)
    }

    fn run(&mut self, value: &mut S) -> bool {
        let Some(function) = self.function.take() else { return false };
        let stop = self.reply.stop();
        // What a panic leaves behind in the value is as the owner is configured: kept, as the
        // caller has it, or dropped.
        let result = catch_unwind(AssertUnwindSafe(|| function(value, stop)));
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
