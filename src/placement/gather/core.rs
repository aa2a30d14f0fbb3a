//! What handles, tickets and members share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::errand::{self, Minder};
use super::round::{Buffers, Piece, Round};
use super::state::{Limits, Load, Open, State};
use super::{closed, scan_error};
use crate::batch::PADDING;
use crate::boundary::Pool;
use crate::boundary::sync::{Condvar, Mutex, MutexGuard, lock, wait, wait_for};
use crate::{MAX_BUFFER, Scan, ScanError, StopFlag};

/// The longest record that is gathered.
const LONGEST: usize = MAX_BUFFER - PADDING;

/// A blocking scan looks at its flag this often while it waits.
pub(super) const SLICE: Duration = Duration::from_millis(5);

/// How many rounds' memory is kept for later ones, for each member.
const SPARE: usize = 4;

/// How a caller waits for room.
#[derive(Clone, Copy)]
pub(super) enum Patience<'a> {
    None,
    Forever,
    /// Until the flag is raised.
    Unless(&'a StopFlag),
}

/// Why records were not taken.
pub(super) enum Refused {
    Full,
    Error(ScanError),
}

/// The pool beneath, and what is gathered for it.
///
/// The lock of the state is never held while a call is sent or an answer given. Locks of rounds
/// and of spare memory may be taken under it.
pub(in crate::placement) struct Core {
    pub(super) pool: Pool<Box<dyn Scan>>,
    pub(super) limits: Limits,
    pub(super) state: Mutex<State>,
    /// There is room, or another one's turn, or none will be.
    room: Condvar,
    /// The open round is due, or the member that minds it has something else to do.
    due: Condvar,
    /// Nothing is under way.
    idle: Condvar,
    spare: Mutex<Vec<Buffers>>,
}

impl Core {
    pub(in crate::placement) fn new(pool: Pool<Box<dyn Scan>>, limits: Limits) -> Arc<Core> {
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

    /// Adds records to rounds, and tells which they are in. Whoever waits for them says so at
    /// once with `wanted`. If not all are taken, those that are have no reader, and no harm is
    /// done.
    pub(super) fn add<'r>(
        self: &Arc<Self>,
        records: impl Iterator<Item = &'r [u8]>,
        patience: Patience<'_>,
        wanted: bool,
        take: impl FnMut(Piece),
    ) -> Result<(), Refused> {
        self.check_thread().map_err(Refused::Error)?;
        let added = self.add_all(records, patience, wanted, take);
        if added.is_err() {
            // Some may have been taken.
            self.dispatch(lock(&self.state));
        }
        added
    }

    fn add_all<'r>(
        self: &Arc<Self>,
        records: impl Iterator<Item = &'r [u8]>,
        patience: Patience<'_>,
        wanted: bool,
        mut take: impl FnMut(Piece),
    ) -> Result<(), Refused> {
        let mut state = lock(&self.state);
        let mut last: Option<Piece> = None;
        for record in records {
            if record.len() > LONGEST {
                let error = ScanError::TooLarge { size: record.len(), limit: LONGEST };
                return Err(Refused::Error(error));
            }
            if !state.turns.is_empty() || !state.has_room(record.len(), &self.limits) {
                state = self.wait_for_room(state, record.len(), patience)?;
            }
            if state.closed {
                return Err(Refused::Error(closed()));
            }
            self.push(&mut state, record, &mut last, &mut take);
        }
        if let Some(piece) = last {
            if wanted {
                want(&mut state, &piece.round);
            }
            take(piece);
        }
        self.dispatch(state);
        Ok(())
    }

    /// Appends a record to the open round.
    fn push(
        self: &Arc<Self>,
        state: &mut State,
        record: &[u8],
        last: &mut Option<Piece>,
        take: &mut impl FnMut(Piece),
    ) {
        let limits = &self.limits;
        if state.open.as_ref().is_some_and(|open| {
            let bytes = open.load.buffers.records.bytes();
            bytes.saturating_add(record.len()) > limits.round_bytes
        }) {
            state.seal();
        }
        let open = state.open.get_or_insert_with(|| self.open());
        let Load { round, buffers } = &mut open.load;
        let number = buffers.records.len() as u32;
        if buffers.records.push(record).is_err() {
            // It fits: its length was looked at, and the round is empty or below its limit.
            unreachable!("a round is shorter than a batch");
        }
        state.queued_records += 1;
        state.queued_bytes += record.len();
        match last {
            Some(piece) if Arc::ptr_eq(&piece.round, round) && piece.records.end == number => {
                piece.records.end += 1;
            }
            _ => {
                buffers.parts.push(number);
                let piece = Piece { round: Arc::clone(round), records: number..number + 1 };
                if let Some(before) = last.replace(piece) {
                    take(before);
                }
            }
        }
        if buffers.records.len() >= limits.round_records
            || buffers.records.bytes() >= limits.round_bytes
        {
            state.seal();
        }
    }

    fn open(self: &Arc<Self>) -> Open {
        let buffers = lock(&self.spare).pop().unwrap_or_default();
        let round = Arc::new(Round::new(Arc::clone(self)));
        let linger = self.limits.linger;
        let ripe = if linger.is_zero() { None } else { Instant::now().checked_add(linger) };
        Open { load: Load { round, buffers }, ripe, wanted: false }
    }

    fn wait_for_room<'a>(
        self: &'a Arc<Self>,
        mut state: MutexGuard<'a, State>,
        bytes: usize,
        patience: Patience<'_>,
    ) -> Result<MutexGuard<'a, State>, Refused> {
        if let Patience::None = patience {
            return Err(Refused::Full);
        }
        let turn = state.next_turn;
        state.next_turn += 1;
        state.turns.push_back(turn);
        // What this caller added so far is among what has to be scanned to make room.
        self.dispatch(state);
        state = lock(&self.state);
        let result = loop {
            let first = state.turns.front() == Some(&turn);
            if state.closed || first && state.has_room(bytes, &self.limits) {
                break Ok(());
            }
            if let Patience::Unless(stop) = patience
                && stop.is_raised()
            {
                break Err(Refused::Error(ScanError::Stopped));
            }
            // What is queued makes room only once it is scanned.
            if let Some(open) = &mut state.open
                && !open.wanted
            {
                open.wanted = true;
                self.dispatch(state);
                state = lock(&self.state);
                continue;
            }
            state = match patience {
                Patience::Unless(_) => wait_for(&self.room, state, SLICE),
                _ => wait(&self.room, state),
            };
        };
        state.turns.retain(|&other| other != turn);
        if !state.turns.is_empty() {
            self.room.notify_all();
        }
        result.map(|()| state)
    }

    /// Says that somebody waits for the round.
    pub(super) fn want(self: &Arc<Self>, round: &Arc<Round>) {
        let mut state = lock(&self.state);
        want(&mut state, round);
        self.dispatch(state);
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
            let _ = self.pool.pass_on(None, move |_, _| minder.mind());
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
    pub(in crate::placement) fn close(self: &Arc<Self>, reject: bool) {
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

    pub(in crate::placement) fn queued(&self) -> usize {
        lock(&self.state).queued_records
    }

    pub(in crate::placement) fn timers(&self) -> usize {
        usize::from(lock(&self.state).minding)
    }

    pub(in crate::placement) fn given_up(&self) -> usize {
        self.pool.given_up()
    }

    pub(in crate::placement) fn stuck(&self) -> usize {
        self.pool.stuck()
    }

    /// Keeps the memory of a round for the next ones.
    pub(super) fn recycle(&self, mut buffers: Buffers) {
        buffers.records.clear();
        buffers.matches.clear();
        buffers.parts.clear();
        let mut spare = lock(&self.spare);
        if spare.len() < SPARE * self.limits.members {
            spare.push(buffers);
        }
    }
}

fn want(state: &mut State, round: &Arc<Round>) {
    if let Some(open) = &mut state.open
        && Arc::ptr_eq(&open.load.round, round)
    {
        open.wanted = true;
    }
}
