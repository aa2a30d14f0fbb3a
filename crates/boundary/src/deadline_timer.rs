//! Tracks the deadlines of calls, and reports those that have passed.
//!
//! One thread per owner or pool waits for the next deadline. Deadlines are in an ordered set, so
//! that adding, removing and finding the first one cost the logarithm of the number of calls. A
//! timer wheel would be faster for millions of calls; a queue of calls holds tens to thousands.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::reply::TimedCall;
use crate::sync::{Condvar, Mutex, lock, wait, wait_for};

/// A tracked call, numbered in the order of tracking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TimedId(u64);

/// The deadlines of the calls of one owner or pool. A call that has ended is removed at once, so
/// there are never more entries than calls.
pub(crate) struct DeadlineTimer {
    state: Mutex<TimerState>,
    /// Notified when a deadline becomes the first one, and when the timer is closed.
    changed: Condvar,
    grace: Duration,
}

struct TimerState {
    calls: HashMap<TimedId, Entry>,
    /// The entries of `calls`, ordered by the time of their next event.
    due: BTreeSet<(Instant, TimedId)>,
    next: u64,
    closed: bool,
}

struct Entry {
    call: Arc<dyn TimedCall>,
    /// When the next event is due: the deadline, then the end of the grace period.
    at: Instant,
    /// Whether the deadline has been reported.
    expired: bool,
}

/// An event that is due.
pub(crate) enum Due {
    /// The deadline of the call has passed.
    Expired(TimedId, Arc<dyn TimedCall>),
    /// The grace period after the deadline has passed as well.
    Stuck(Arc<dyn TimedCall>),
}

impl DeadlineTimer {
    pub(crate) fn new(grace: Duration) -> DeadlineTimer {
        let state =
            TimerState { calls: HashMap::new(), due: BTreeSet::new(), next: 0, closed: false };
        DeadlineTimer { state: Mutex::new(state), changed: Condvar::new(), grace }
    }

    /// Tracks a call until the returned value is dropped.
    pub(crate) fn track(
        self: &Arc<DeadlineTimer>,
        call: Arc<dyn TimedCall>,
        deadline: Instant,
    ) -> TrackedDeadline {
        let mut state = lock(&self.state);
        let id = TimedId(state.next);
        state.next += 1;
        state.calls.insert(id, Entry { call, at: deadline, expired: false });
        state.due.insert((deadline, id));
        let first = state.due.first() == Some(&(deadline, id));
        drop(state);
        if first {
            self.changed.notify_all();
        }
        TrackedDeadline { timer: Arc::clone(self), id }
    }

    /// Waits for the next event. Returns `None` once the timer is closed.
    pub(crate) fn next(&self) -> Option<Due> {
        let mut state = lock(&self.state);
        loop {
            if state.closed {
                return None;
            }
            let now = Instant::now();
            state = match state.due.first() {
                None => wait(&self.changed, state),
                Some(&(at, _)) if at > now => wait_for(&self.changed, state, at - now),
                Some(&(_, id)) => {
                    if let Some(due) = state.take_due(id, now.checked_add(self.grace)) {
                        return Some(due);
                    }
                    state
                }
            };
        }
    }

    /// Closes the timer: [`next`](DeadlineTimer::next) returns `None` from now on.
    pub(crate) fn close(&self) {
        lock(&self.state).closed = true;
        self.changed.notify_all();
    }
}

impl TimerState {
    /// Takes the event of a call. After the deadline, schedules the end of the grace period at
    /// `grace_end`, if the clock can represent it.
    fn take_due(&mut self, id: TimedId, grace_end: Option<Instant>) -> Option<Due> {
        let entry = self.calls.get_mut(&id)?;
        self.due.remove(&(entry.at, id));
        if entry.expired {
            let entry = self.calls.remove(&id)?;
            return Some(Due::Stuck(entry.call));
        }
        entry.expired = true;
        let call = Arc::clone(&entry.call);
        // The grace period starts when the flag is raised, which may be later than the deadline.
        if let Some(grace_end) = grace_end {
            entry.at = grace_end;
            self.due.insert((grace_end, id));
        }
        Some(Due::Expired(id, call))
    }
}

/// Lets time pass in models, which have no clock.
#[cfg(all(loom, test))]
impl DeadlineTimer {
    /// Returns the next event of the first call, if there is one.
    pub(crate) fn first(&self) -> Option<Due> {
        let mut state = lock(&self.state);
        let &(at, id) = state.due.first()?;
        state.take_due(id, Some(at))
    }
}

/// The entry of a tracked call; dropping it removes the entry.
pub(crate) struct TrackedDeadline {
    timer: Arc<DeadlineTimer>,
    id: TimedId,
}

impl TrackedDeadline {
    pub(crate) fn id(&self) -> TimedId {
        self.id
    }
}

impl Drop for TrackedDeadline {
    fn drop(&mut self) {
        let mut state = lock(&self.timer.state);
        if let Some(entry) = state.calls.remove(&self.id) {
            state.due.remove(&(entry.at, self.id));
            drop(state);
            // Without the lock: this may be the last reference to a result, whose drop is the
            // caller's code.
            drop(entry);
        }
    }
}
