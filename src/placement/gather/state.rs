//! What is gathered and what is under way.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::round::{Buffers, Round};

/// How much is gathered, and for how long.
#[derive(Clone, Debug)]
pub(in crate::placement) struct Limits {
    /// At most so many bytes, unless a single record is longer, and records in a round.
    pub(in crate::placement) round_bytes: usize,
    pub(in crate::placement) round_records: usize,
    /// At most so many bytes, unless a single record is longer, and records that wait for a
    /// member.
    pub(in crate::placement) queued_bytes: usize,
    pub(in crate::placement) queued_records: usize,
    /// A batch of this size or more is not gathered.
    pub(in crate::placement) whole_bytes: usize,
    pub(in crate::placement) linger: Duration,
    pub(in crate::placement) deadline: Option<Duration>,
    pub(in crate::placement) members: usize,
}

/// A round that was not scanned yet.
pub(super) struct Load {
    pub(super) round: Arc<Round>,
    pub(super) buffers: Buffers,
}

pub(super) struct Open {
    pub(super) load: Load,
    /// When it is due although nobody waits for it; `None` for never.
    pub(super) ripe: Option<Instant>,
    /// Somebody waits for it.
    pub(super) wanted: bool,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) open: Option<Open>,
    pub(super) sealed: VecDeque<Load>,
    /// Of what is open and sealed.
    pub(super) queued_bytes: usize,
    pub(super) queued_records: usize,
    /// Who waits for room, first come first.
    pub(super) turns: VecDeque<u64>,
    pub(super) next_turn: u64,
    /// Errands that were sent and are not over.
    pub(super) running: usize,
    /// Those of them that have no round yet.
    pub(super) unclaimed: usize,
    /// Batches that are scanned as they are, each in a call of its own.
    pub(super) whole: usize,
    /// A member waits until the open round is due.
    pub(super) minding: bool,
    pub(super) closed: bool,
    /// It was closed on one of its own threads, so that nobody waits for the end.
    pub(super) orphaned: bool,
}

/// What to send.
pub(super) enum Next {
    /// An errand that takes this round along.
    Bound(Load),
    /// An errand that claims the round which is due when it begins.
    Unbound,
}

impl State {
    pub(super) fn has_room(&self, bytes: usize, limits: &Limits) -> bool {
        self.queued_records == 0
            || self.queued_records < limits.queued_records
                && self.queued_bytes.saturating_add(bytes) <= limits.queued_bytes
    }

    fn open_is_due(&self, limits: &Limits) -> bool {
        self.open.as_ref().is_some_and(|open| {
            open.wanted
                || self.closed
                || limits.linger.is_zero()
                || open.ripe.is_some_and(|ripe| ripe <= Instant::now())
        })
    }

    pub(super) fn seal(&mut self) {
        self.sealed.extend(self.open.take().map(|open| open.load));
    }

    /// Takes out the first round that is due.
    pub(super) fn take_due(&mut self, limits: &Limits) -> Option<Load> {
        if self.sealed.is_empty() && self.open_is_due(limits) {
            self.seal();
        }
        let load = self.sealed.pop_front()?;
        self.queued_records -= load.buffers.records.len();
        self.queued_bytes -= load.buffers.records.bytes();
        Some(load)
    }

    /// What to send now, counted as sent; `None` if no round is due, or no member is free for it.
    pub(super) fn next_errand(&mut self, limits: &Limits) -> Option<Next> {
        if self.running >= limits.members {
            return None;
        }
        let next = if limits.deadline.is_some() {
            Next::Bound(self.take_due(limits)?)
        } else {
            if self.sealed.len() <= self.unclaimed
                && (self.sealed.len() < self.unclaimed || !self.open_is_due(limits))
            {
                return None;
            }
            self.unclaimed += 1;
            Next::Unbound
        };
        self.running += 1;
        Some(next)
    }

    /// Whether there is an open round that is not due, and a free member to mind it.
    pub(super) fn to_mind(&self, limits: &Limits) -> bool {
        self.open.is_some()
            && self.running + self.whole < limits.members
            && !self.open_is_due(limits)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.running == 0 && self.whole == 0 && self.open.is_none() && self.sealed.is_empty()
    }
}
