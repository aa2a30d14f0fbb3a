//! The state of one call: whether it is queued, running or over, and its result.
//!
//! This is a one-shot channel with two additions: a deadline can end the wait of the receiver, and
//! can mark a running call as abandoned, so that its worker learns of that when the call returns.

use std::mem;
use std::task::{Context, Poll, Waker};
use std::thread;

use crate::sync::{Condvar, Mutex, MutexGuard, lock, quietly, wait};
use crate::worker_set::WorkerId;
use crate::{CallError, CancelFlag};

/// How a call ends: with a result, with a panic, or with an error if it did not run or was late.
pub(crate) type Outcome<R> = Result<thread::Result<R>, CallError>;

/// One call, shared by its caller, its worker and the deadline timer.
///
/// The first outcome is kept, and can be taken once. Independently, the call is queued, then
/// running, then over. A running call that is abandoned already has its outcome,
/// [`CallError::TimedOut`].
pub(crate) struct Reply<R> {
    state: Mutex<ReplyState<R>>,
    /// Notified when the outcome is stored.
    answered: Condvar,
    cancel: CancelFlag,
}

struct ReplyState<R> {
    phase: Phase,
    answer: Answer<R>,
    /// The waker of the future that was polled last.
    waker: Option<Waker>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Queued,
    Running(WorkerId),
    /// The call runs, but its worker is marked as stuck.
    Abandoned,
    /// The call has returned, or will never run.
    Over,
}

enum Answer<R> {
    None,
    Some(Outcome<R>),
    /// The waiter has taken the outcome.
    Taken,
}

impl<R> Reply<R> {
    pub(crate) fn new() -> Reply<R> {
        let state = ReplyState { phase: Phase::Queued, answer: Answer::None, waker: None };
        Reply { state: Mutex::new(state), answered: Condvar::new(), cancel: CancelFlag::new() }
    }

    pub(crate) fn cancel_flag(&self) -> &CancelFlag {
        &self.cancel
    }

    /// Marks the call as running on a worker. Returns `false` if it must not run, because its
    /// deadline has passed.
    pub(crate) fn start(&self, worker: WorkerId) -> bool {
        let mut state = lock(&self.state);
        let queued = state.phase == Phase::Queued;
        if queued {
            state.phase = Phase::Running(worker);
        }
        queued
    }

    /// Marks the call as over, with this outcome unless it already has one. Returns `false` if the
    /// call was abandoned in the meantime.
    pub(crate) fn finish(&self, outcome: Outcome<R>) -> bool {
        let mut state = lock(&self.state);
        let kept = mem::replace(&mut state.phase, Phase::Over) != Phase::Abandoned;
        self.answer(state, outcome);
        kept
    }

    /// Stores the outcome and wakes its waiter, unless there already is an outcome.
    fn answer(&self, mut state: MutexGuard<'_, ReplyState<R>>, outcome: Outcome<R>) {
        if !matches!(state.answer, Answer::None) {
            drop(state);
            quietly(|| drop(outcome));
            return;
        }
        state.answer = Answer::Some(outcome);
        let waker = state.waker.take();
        drop(state);
        // The waiter may take the outcome and drop its reference from here on. `self` stays alive,
        // because the caller of this function holds a reference too.
        self.answered.notify_all();
        if let Some(waker) = waker {
            quietly(|| waker.wake());
        }
    }

    /// Waits for the outcome and takes it.
    pub(crate) fn wait(&self) -> Outcome<R> {
        let mut state = lock(&self.state);
        loop {
            if let Some(outcome) = take(&mut state) {
                return outcome;
            }
            state = wait(&self.answered, state);
        }
    }

    /// Takes the outcome, or registers the waker for it.
    pub(crate) fn poll(&self, context: &mut Context<'_>) -> Poll<Outcome<R>> {
        // Wakers are cloned and dropped without the lock, since both run code of an executor.
        let waker = context.waker().clone();
        let mut state = lock(&self.state);
        if let Some(outcome) = take(&mut state) {
            return Poll::Ready(outcome);
        }
        let old = state.waker.replace(waker);
        drop(state);
        drop(old);
        Poll::Pending
    }

    /// Takes the outcome, if there is one.
    pub(crate) fn try_take(&self) -> Option<Outcome<R>> {
        take(&mut lock(&self.state))
    }

    /// Returns whether there is an outcome, or was one before it was taken.
    pub(crate) fn is_answered(&self) -> bool {
        !matches!(lock(&self.state).answer, Answer::None)
    }
}

fn take<R>(state: &mut ReplyState<R>) -> Option<Outcome<R>> {
    match mem::replace(&mut state.answer, Answer::Taken) {
        Answer::Some(outcome) => Some(outcome),
        Answer::Taken => Some(Err(CallError::Taken)),
        Answer::None => {
            state.answer = Answer::None;
            None
        }
    }
}

/// A call as the deadline timer sees it, without the type of its result.
pub(crate) trait TimedCall: Send + Sync {
    /// Ends the wait for the call with [`CallError::TimedOut`] and raises its flag. Does nothing if
    /// it already has an outcome. Returns whether the call was still queued; it then never runs.
    fn expire(&self) -> bool;

    /// Abandons the call if it is running. Returns its worker.
    fn abandon(&self) -> Option<WorkerId>;
}

impl<R: Send> TimedCall for Reply<R> {
    fn expire(&self) -> bool {
        let mut state = lock(&self.state);
        if !matches!(state.answer, Answer::None) {
            return false;
        }
        let queued = state.phase == Phase::Queued;
        if queued {
            state.phase = Phase::Over;
        }
        self.cancel.raise();
        self.answer(state, Err(CallError::TimedOut));
        queued
    }

    fn abandon(&self) -> Option<WorkerId> {
        let mut state = lock(&self.state);
        let Phase::Running(worker) = state.phase else { return None };
        state.phase = Phase::Abandoned;
        Some(worker)
    }
}
