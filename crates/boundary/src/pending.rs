//! The handle of a call that nobody waits for yet.

use std::fmt;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::reply::{Outcome, Reply};
use super::{CallError, CancelFlag, sync};

/// A call on its way: wait for it, or await it; it needs no runtime.
///
/// Dropping it lets the call go on, and drops its result when it comes. To end the call early,
/// raise its [`stop`](Pending::stop) flag, if it looks at that.
///
/// # Panics
///
/// If the call panicked, whoever takes its result goes on with that panic.
#[must_use = "the result of the call is lost; the call itself goes on"]
pub struct Pending<R> {
    pub(super) reply: Arc<Reply<R>>,
    /// The crew that the call is for.
    pub(super) crew: u64,
}

impl<R> Pending<R> {
    /// Waits for the result.
    ///
    /// # Errors
    ///
    /// If the call did not run, or did not come back before its deadline; and, unless it has its
    /// result already, if this is a thread that the call may have to run on.
    pub fn wait(self) -> Result<R, CallError> {
        if sync::crew() == self.crew {
            return resume(self.reply.try_take().unwrap_or(Err(CallError::Reentrant)));
        }
        resume(self.reply.wait())
    }

    /// Whether there is a result, an error or a panic, so that [`wait`](Pending::wait) does not.
    pub fn is_done(&self) -> bool {
        self.reply.is_answered()
    }

    /// The flag that tells the call to stop; its deadline raises it too.
    pub fn stop(&self) -> &CancelFlag {
        self.reply.stop()
    }
}

/// Polled again after it was ready, it gives [`CallError::Taken`].
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

/// The result, or the panic, of a call.
pub(super) fn resume<R>(outcome: Outcome<R>) -> Result<R, CallError> {
    match outcome? {
        Ok(result) => Ok(result),
        Err(payload) => resume_unwind(payload),
    }
}
