//! The pending result of a submitted call.

use std::fmt;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use crate::reply::{Outcome, Reply};
use crate::sync::WorkersId;
use crate::{CallError, CancelFlag, sync};

/// A submitted call. Wait for its result, or await it with any async runtime.
///
/// Dropping it does not end the call; its result is then dropped. To end the call early, raise its
/// [`cancel_flag`](Pending::cancel_flag), which the call has to poll.
///
/// # Panics
///
/// If the call panicked, the panic is resumed where the result is taken.
#[must_use = "the result of the call is lost; the call itself still runs"]
pub struct Pending<R> {
    pub(crate) reply: Arc<Reply<R>>,
    /// The workers that run the call.
    pub(crate) workers: WorkersId,
}

impl<R> Pending<R> {
    /// Waits for the result.
    ///
    /// # Errors
    ///
    /// If the call did not run or did not return before its deadline. On a thread of the same owner
    /// or pool, [`CallError::Reentrant`] unless the call has already returned.
    pub fn wait(self) -> Result<R, CallError> {
        if sync::current_workers() == Some(self.workers) {
            return resume(self.reply.try_take().unwrap_or(Err(CallError::Reentrant)));
        }
        resume(self.reply.wait())
    }

    /// Returns whether the call has ended, with a result, an error or a panic, so that
    /// [`wait`](Pending::wait) does not block.
    pub fn is_done(&self) -> bool {
        self.reply.is_answered()
    }

    /// Returns the flag that asks the call to return early. Its deadline raises the same flag.
    pub fn cancel_flag(&self) -> &CancelFlag {
        self.reply.cancel_flag()
    }
}

/// Polling again after the result was returned yields [`CallError::Taken`].
impl<R> Future for Pending<R> {
    type Output = Result<R, CallError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(resume(ready!(self.reply.poll(context))))
    }
}

impl<R> fmt::Debug for Pending<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("done", &self.is_done()).finish_non_exhaustive()
    }
}

/// Returns the result of a call, or resumes its panic.
pub(crate) fn resume<R>(outcome: Outcome<R>) -> Result<R, CallError> {
    match outcome? {
        Ok(result) => Ok(result),
        Err(payload) => resume_unwind(payload),
    }
}
