//! What handles, tickets and members share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::errand::{self, Minder};
use super::round::Buffers;
use super::state::{Limits, State};
use super::{closed, scan_error};
use dragnet::PADDING;
use dragnet::{MAX_BUFFER, Scan, ScanError};
use dragnet_boundary::Pool;
use dragnet_boundary::sync::{Condvar, Mutex, MutexGuard, lock, wait, wait_for};

/// The longest record that is gathered.
pub(super) const LONGEST: usize = MAX_BUFFER - PADDING;

/// A blocking scan looks at its flag this often while it waits.
pub(super) const SLICE: Duration = Duration::from_millis(5);

/// How many rounds' memory is kept for later ones, for each member.
const SPARE: usize = 4;

/// The pool beneath, and what is gathered for it.
///
/// The lock of the state is never held while a call is sent or an answer given. Locks of lanes,
/// rounds and spare memory may be taken under it.
pub(crate) struct Core {
    pub(super) pool: Pool<Box<dyn Scan>>,
    pub(super) limits: Limits,
    pub(super) state: Mutex<State>,
    /// There is room, or another one's turn, or none will be.
    pub(super) room: Condvar,
    /// The open round is due, or the member that minds it has something else to do.
    due: Condvar,
    /// Nothing is under way.
    idle: Condvar,
    spare: Mutex<Vec<Buffers>>,
}

impl Core {
    pub(crate) fn new(pool: Pool<Box<dyn Scan>>, limits: Limits) -> Arc<Core> {
        Arc::new(Core {
            pool,
            limits,
            state: Mutex::new(State::default()),
            room: Condvar::new(),
            due: Condvar::new(),
            idle: Condvar::new(),
            spare: Mutex::new(Vec::new()),
        })
    }

    /// Refuses what would wait for itself.
    pub(super) fn check_thread(&self) -> Result<(), ScanError> {
        self.pool.check_thread().map_err(|error| scan_error(&error))
    }

    /// Sends errands for what is due, as far as members are free. Whatever changes the state ends
    /// with this.
    pub(super) fn dispatch<'a>(self: &'a Arc<Self>, mut state: MutexGuard<'a, State>) {
        while let Some(next) = state.next_errand(&self.limits) {
            self.tell_of_room(&state);
            drop(state);
            errand::send(self, next);
            state = lock(&self.state);
        }
        if state.minding {
            if !state.to_mind(&self.limits) {
                self.due.notify_all();
            }
        } else if state.to_mind(&self.limits) {
            state.minding = true;
            drop(state);
            let minder = Minder::new(Arc::clone(self));
            // If it is refused, it is dropped, and that sees to the round.
            let _ = self.pool.try_submit_from_any_thread(None, move |_, _| minder.mind());
            return;
        }
        self.tell_of_room(&state);
        if state.closed && state.is_idle() {
            self.idle.notify_all();
            if state.orphaned {
                drop(state);
                self.pool.shut_down();
            }
        }
    }

    pub(super) fn tell_of_room(&self, state: &State) {
        // All, since only the first in turn can go on and a signal finds any.
        if !state.turns.is_empty() && (state.closed || state.has_room(0, &self.limits)) {
            self.room.notify_all();
        }
    }

    /// Waits until the open round is due or the member is needed for something else.
    pub(super) fn mind(&self) {
        let mut state = lock(&self.state);
        while state.to_mind(&self.limits) {
            let ripe = state.open.as_ref().and_then(|open| open.ripe);
            state = match ripe {
                None => wait(&self.due, state),
                Some(ripe) => {
                    let left = ripe.saturating_duration_since(Instant::now());
                    wait_for(&self.due, state, left)
                }
            };
        }
    }

    /// Runs a call that counts as one that needs a member.
    pub(super) fn whole<R>(self: &Arc<Self>, call: impl FnOnce() -> R) -> Result<R, ScanError> {
        let mut state = lock(&self.state);
        if state.closed {
            return Err(closed());
        }
        state.whole += 1;
        self.dispatch(state);
        let result = call();
        let mut state = lock(&self.state);
        state.whole -= 1;
        self.dispatch(state);
        Ok(result)
    }

    /// Takes no more records. Those that are queued are scanned, or refused if `reject` is set;
    /// waits for that, unless this is one of the pool's own threads.
    pub(crate) fn close(self: &Arc<Self>, reject: bool) {
        let mut state = lock(&self.state);
        state.closed = true;
        state.orphaned = self.pool.check_thread().is_err();
        let mut refused = Vec::new();
        if reject {
            while let Some(load) = state.take_due(&self.limits) {
                refused.push(load);
            }
        }
        self.room.notify_all();
        self.dispatch(state);
        for load in refused {
            load.round.finish(Err(closed()));
        }
        let mut state = lock(&self.state);
        if state.orphaned {
            return;
        }
        while !state.is_idle() {
            state = wait(&self.idle, state);
        }
        drop(state);
        self.pool.shut_down();
    }

    pub(crate) fn queued(&self) -> usize {
        lock(&self.state).queued()
    }

    pub(crate) fn timers(&self) -> usize {
        usize::from(lock(&self.state).minding)
    }

    pub(crate) fn abandoned(&self) -> usize {
        self.pool.abandoned()
    }

    pub(crate) fn stuck(&self) -> usize {
        self.pool.stuck()
    }

    /// Memory for a round.
    pub(super) fn buffers(&self) -> Buffers {
        lock(&self.spare).pop().unwrap_or_default()
    }

    /// Keeps the memory of a round for the next ones.
    pub(super) fn recycle(&self, mut buffers: Buffers) {
        buffers.clear();
        let mut spare = lock(&self.spare);
        if spare.len() < SPARE * self.limits.members {
            spare.push(buffers);
        }
    }
}
