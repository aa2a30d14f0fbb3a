//! The place where the result of one call appears, and the state that the call is in.

use std::mem;
use std::task::{Context, Poll, Waker};
use std::thread;

use super::sync::{Condvar, Mutex, MutexGuard, lock, quietly, wait};
use super::{CallError, CancelFlag};

/// What a call ends with: a result, a panic, or an error if it did not run or was late.
pub(super) type Outcome<R> = Result<thread::Result<R>, CallError>;

/// One call, as those who wait for it, its thread and the watch of deadlines share it.
///
/// It gets one outcome, the first that there is, which is taken out once. Apart from that, it is
/// queued, then running, then over; a call that is given up while it runs already has its outcome,
/// which is that it timed out.
pub(super) struct Reply<R> {
    state: Mutex<State<R>>,
    answered: Condvar,
    stop: CancelFlag,
}

struct State<R> {
    phase: Phase,
    answer: Answer<R>,
    waker: Option<Waker>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Queued,
    /// On the thread of this number.
    Running(u64),
    GivenUp,
    Over,
}

enum Answer<R> {
    None,
    Some(Outcome<R>),
    Taken,
}

impl<R> Reply<R> {
    pub(super) fn new() -> Reply<R> {
        let state = State { phase: Phase::Queued, answer: Answer::None, waker: None };
        Reply { state: Mutex::new(state), answered: Condvar::new(), stop: CancelFlag::new() }
    }

    pub(super) fn stop(&self) -> &CancelFlag {
        &self.stop
    }

    /// Says that a thread begins with the call. Returns false if it must not, since it is late.
    pub(super) fn start(&self, thread: u64) -> bool {
        let mut state = lock(&self.state);
        let queued = state.phase == Phase::Queued;
        if queued {
            state.phase = Phase::Running(thread);
        }
        queued
    }

    /// Says that the call is over. Returns false if it was given up in the meantime.
    ///
    /// The outcome is dropped here if there is one already.
    pub(super) fn finish(&self, outcome: Outcome<R>) -> bool {
        let mut state = lock(&self.state);
        let kept = mem::replace(&mut state.phase, Phase::Over) != Phase::GivenUp;
        self.answer(state, outcome);
        kept
    }

    /// Gives the outcome to whoever waits for it, unless there is one already.
    fn answer(&self, mut state: MutexGuard<'_, State<R>>, outcome: Outcome<R>) {
        if !matches!(state.answer, Answer::None) {
            drop(state);
            quietly(|| drop(outcome));
            return;
        }
        state.answer = Answer::Some(outcome);
        let waker = state.waker.take();
        drop(state);
        // Whoever waits may take the outcome from here on, but `self` is there until this returns:
        // it is shared.
        self.answered.notify_all();
        if let Some(waker) = waker {
            quietly(|| waker.wake());
        }
    }

    /// Waits for the outcome and takes it out.
    pub(super) fn wait(&self) -> Outcome<R> {
        let mut state = lock(&self.state);
        loop {
            if let Some(outcome) = take(&mut state) {
                return outcome;
            }
            state = wait(&self.answered, state);
        }
    }

    /// Takes the outcome out, or sees to it that the task is woken when there is one.
    pub(super) fn poll(&self, context: &mut Context<'_>) -> Poll<Outcome<R>> {
        // Cloned and dropped without the lock, since both are code of an executor.
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

    /// Takes the outcome out if there is one.
    pub(super) fn try_take(&self) -> Option<Outcome<R>> {
        take(&mut lock(&self.state))
    }

    /// Whether there is an outcome, or was.
    pub(super) fn is_answered(&self) -> bool {
        !matches!(lock(&self.state).answer, Answer::None)
    }
}

fn take<R>(state: &mut State<R>) -> Option<Outcome<R>> {
    match mem::replace(&mut state.answer, Answer::Taken) {
        Answer::Some(outcome) => Some(outcome),
        Answer::Taken => Some(Err(CallError::Taken)),
        Answer::None => {
            state.answer = Answer::None;
            None
        }
    }
}

/// A call as the watch of deadlines knows it, whatever its result is.
pub(super) trait Timed: Send + Sync {
    /// Says that the deadline has passed: its caller gets to know, and the call is told to stop.
    /// Does nothing if it has an outcome. Returns whether it was still queued, and now is not to
    /// run any more.
    fn expire(&self) -> bool;

    /// Gives up the call if it still runs. Returns the thread that it runs on.
    fn give_up(&self) -> Option<u64>;
}

impl<R: Send> Timed for Reply<R> {
    fn expire(&self) -> bool {
        let mut state = lock(&self.state);
        if !matches!(state.answer, Answer::None) {
            return false;
        }
        let queued = state.phase == Phase::Queued;
        if queued {
            state.phase = Phase::Over;
        }
        self.stop.raise();
        self.answer(state, Err(CallError::TimedOut));
        queued
    }

    fn give_up(&self) -> Option<u64> {
        let mut state = lock(&self.state);
        let Phase::Running(thread) = state.phase else { return None };
        state.phase = Phase::GivenUp;
        Some(thread)
    }
}
