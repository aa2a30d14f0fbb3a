//! Keeps the deadlines of calls, and tells when one has passed.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::reply::Timed;
use super::sync::{Condvar, Mutex, lock, wait, wait_for};

/// The deadlines of a crew's calls. A call that is over is forgotten at once, so that there are
/// never more than there are calls.
pub(super) struct Watch {
    state: Mutex<State>,
    changed: Condvar,
    grace: Duration,
}

struct State {
    /// The calls by their numbers, and when to look at each.
    calls: HashMap<u64, Entry>,
    due: BTreeSet<(Instant, u64)>,
    next: u64,
    closed: bool,
}

struct Entry {
    call: Arc<dyn Timed>,
    at: Instant,
    /// Whether it has been told to stop.
    late: bool,
}

/// What is due.
pub(super) enum Due {
    /// The deadline of the call with this number has passed.
    Late(u64, Arc<dyn Timed>),
    /// It has been late for as long as it may be.
    Stuck(Arc<dyn Timed>),
}

impl Watch {
    pub(super) fn new(grace: Duration) -> Watch {
        let state = State { calls: HashMap::new(), due: BTreeSet::new(), next: 0, closed: false };
        Watch { state: Mutex::new(state), changed: Condvar::new(), grace }
    }

    /// Watches a call until what is returned is dropped.
    pub(super) fn enter(self: &Arc<Watch>, call: Arc<dyn Timed>, deadline: Instant) -> Watched {
        let mut state = lock(&self.state);
        let number = state.next;
        state.next += 1;
        state.calls.insert(number, Entry { call, at: deadline, late: false });
        state.due.insert((deadline, number));
        let first = state.due.first() == Some(&(deadline, number));
        drop(state);
        if first {
            self.changed.notify_all();
        }
        Watched { watch: Arc::clone(self), number }
    }

    /// Waits until something is due; `None` once the watch is closed.
    pub(super) fn next(&self) -> Option<Due> {
        let mut state = lock(&self.state);
        loop {
            if state.closed {
                return None;
            }
            let now = Instant::now();
            state = match state.due.first() {
                None => wait(&self.changed, state),
                Some(&(at, _)) if at > now => wait_for(&self.changed, state, at - now),
                Some(&(_, number)) => {
                    if let Some(due) = state.take_due(number, now.checked_add(self.grace)) {
                        return Some(due);
                    }
                    state
                }
            };
        }
    }

    /// Ends the watch: [`next`](Watch::next) returns `None` from now on.
    pub(super) fn close(&self) {
        lock(&self.state).closed = true;
        self.changed.notify_all();
    }
}

impl State {
    /// Takes out the call of this number, or, if it is to be looked at again, its next look.
    fn take_due(&mut self, number: u64, again: Option<Instant>) -> Option<Due> {
        let entry = self.calls.get_mut(&number)?;
        self.due.remove(&(entry.at, number));
        if entry.late {
            let entry = self.calls.remove(&number)?;
            return Some(Due::Stuck(entry.call));
        }
        entry.late = true;
        let call = Arc::clone(&entry.call);
        // The grace begins when the call gets to know, which may be later than its deadline.
        if let Some(again) = again {
            entry.at = again;
            self.due.insert((again, number));
        }
        Some(Due::Late(number, call))
    }
}

/// What a clock would find due, in models, where there is none.
#[cfg(all(loom, test))]
impl Watch {
    /// The next look at the first call, if there is one.
    pub(super) fn first(&self) -> Option<Due> {
        let mut state = lock(&self.state);
        let &(at, number) = state.due.first()?;
        state.take_due(number, Some(at))
    }
}

/// A call that is being watched, until this is dropped.
pub(super) struct Watched {
    watch: Arc<Watch>,
    number: u64,
}

impl Watched {
    pub(super) fn number(&self) -> u64 {
        self.number
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let mut state = lock(&self.watch.state);
        if let Some(entry) = state.calls.remove(&self.number) {
            state.due.remove(&(entry.at, self.number));
            drop(state);
            // It may be the last to hold a result that nobody took.
            drop(entry);
        }
    }
}
