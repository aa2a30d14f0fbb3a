//! How records come in, and what happens when there is no room for them.

use std::sync::Arc;
use std::time::Instant;

use super::closed;
use super::core::{Core, LONGEST, SLICE};
use super::lane::{Added, Lane};
use super::round::{Piece, Round};
use super::state::{Open, State};
use dragnet::{ScanError, StopFlag};
use dragnet_boundary::sync::{MutexGuard, lock, wait, wait_for};

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

impl Core {
    /// Adds one record to the open round: without the state if the lane has credit, or else with
    /// it, and then there is credit for the next ones.
    ///
    /// A record more in a round that is open changes nothing about what there is to do, so only
    /// the first one of a round has to see to that, and that one has no credit.
    pub(super) fn submit(
        self: &Arc<Self>,
        lane: &Arc<Lane>,
        record: &[u8],
        patience: Patience<'_>,
    ) -> Result<Added, Refused> {
        self.check_thread().map_err(Refused::Error)?;
        if let Some(added) = lane.add(record) {
            return Ok(added);
        }
        let mut state = self.admit(lock(&self.state), record, patience)?;
        let added = state.enter(lane, record, &self.limits, || self.open());
        self.dispatch(state);
        Ok(added)
    }

    /// Adds the records of a batch to rounds, and tells which they are in. Whoever does this waits
    /// for them at once. If not all are taken, those that are have no reader, and no harm is done.
    pub(super) fn add<'r>(
        self: &Arc<Self>,
        records: impl Iterator<Item = &'r [u8]>,
        patience: Patience<'_>,
        take: impl FnMut(Piece),
    ) -> Result<(), Refused> {
        self.check_thread().map_err(Refused::Error)?;
        let added = self.add_all(records, patience, take);
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
        mut take: impl FnMut(Piece),
    ) -> Result<(), Refused> {
        let mut state = lock(&self.state);
        let mut last: Option<Piece> = None;
        for record in records {
            state = self.admit(state, record, patience)?;
            let before = last.as_ref().map(|piece| (&piece.round, piece.records.end));
            let (round, number) = state.push(record, before, &self.limits, || self.open());
            match &mut last {
                Some(piece) if Arc::ptr_eq(&piece.round, &round) && piece.records.end == number => {
                    piece.records.end += 1;
                }
                _ => {
                    let piece = Piece { round, records: number..number + 1 };
                    if let Some(before) = last.replace(piece) {
                        take(before);
                    }
                }
            }
        }
        if let Some(piece) = last {
            want(&mut state, &piece.round);
            take(piece);
        }
        self.dispatch(state);
        Ok(())
    }

    /// Lets a record in once there is room.
    fn admit<'a>(
        self: &'a Arc<Self>,
        mut state: MutexGuard<'a, State>,
        record: &[u8],
        patience: Patience<'_>,
    ) -> Result<MutexGuard<'a, State>, Refused> {
        let size = record.len();
        if size > LONGEST {
            return Err(Refused::Error(ScanError::TooLarge { size, limit: LONGEST }));
        }
        if !state.turns.is_empty() || !state.make_room(size, &self.limits) {
            state = self.wait_for_room(state, size, patience)?;
        }
        if state.closed {
            return Err(Refused::Error(closed()));
        }
        Ok(state)
    }

    fn open(self: &Arc<Self>) -> Open {
        let buffers = self.buffers();
        let round = Arc::new(Round::new(Arc::clone(self)));
        let linger = self.limits.linger;
        let ripe = if linger.is_zero() { None } else { Instant::now().checked_add(linger) };
        Open::new(round, buffers, ripe)
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
            if state.closed || first && state.make_room(bytes, &self.limits) {
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
        // Without a linger a round is due anyway.
        if !self.limits.linger.is_zero() {
            let mut state = lock(&self.state);
            want(&mut state, round);
            self.dispatch(state);
        }
    }
}

fn want(state: &mut State, round: &Arc<Round>) {
    if let Some(open) = &mut state.open
        && Arc::ptr_eq(open.round(), round)
    {
        open.wanted = true;
    }
}
