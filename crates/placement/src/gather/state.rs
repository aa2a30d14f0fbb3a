//! What is gathered and what is under way.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::lane::{Added, Credit, Lane, Part};
use super::round::{Buffers, Round};

/// A handle gets credit for this share of a round at most,
const SHARE: usize = 16;
/// and for this share of what is left of it, so that the others find some too.
const LEFT: usize = 4;

/// How much is gathered, and for how long.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// At most so many bytes, unless a single record is longer, and records in a round.
    pub(crate) round_bytes: usize,
    pub(crate) round_records: usize,
    /// At most so many bytes, unless a single record is longer, and records that wait for a
    /// member.
    pub(crate) queued_bytes: usize,
    pub(crate) queued_records: usize,
    /// A batch of this size or more is not gathered.
    pub(crate) whole_bytes: usize,
    pub(crate) linger: Duration,
    pub(crate) deadline: Option<Duration>,
    pub(crate) members: usize,
}

/// A round that was not scanned yet.
pub(super) struct Load {
    pub(super) round: Arc<Round>,
    pub(super) buffers: Buffers,
    /// How much is in it; while it is open, with all credit.
    records: usize,
    bytes: usize,
}

pub(super) struct Open {
    load: Load,
    /// Those that have a segment in it, by its number.
    lanes: Vec<Arc<Lane>>,
    /// Those of them that may have credit.
    credited: Vec<usize>,
    /// When it is due although nobody waits for it; `None` for never.
    pub(super) ripe: Option<Instant>,
    /// Somebody waits for it.
    pub(super) wanted: bool,
}

impl Open {
    pub(super) fn new(round: Arc<Round>, buffers: Buffers, ripe: Option<Instant>) -> Open {
        let load = Load { round, buffers, records: 0, bytes: 0 };
        Open { load, lanes: Vec::new(), credited: Vec::new(), ripe, wanted: false }
    }

    pub(super) fn round(&self) -> &Arc<Round> {
        &self.load.round
    }
}

#[derive(Default)]
pub(super) struct State {
    pub(super) open: Option<Open>,
    pub(super) sealed: VecDeque<Load>,
    /// Of what is open and sealed, with all credit.
    queued_bytes: usize,
    queued_records: usize,
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
    /// Whether a record may be queued, with credit taken back if need be.
    pub(super) fn make_room(&mut self, bytes: usize, limits: &Limits) -> bool {
        self.has_room(bytes, limits) || self.revoke() && self.has_room(bytes, limits)
    }

    pub(super) fn has_room(&self, bytes: usize, limits: &Limits) -> bool {
        self.queued_records == 0
            || self.queued_records < limits.queued_records
                && self.queued_bytes.saturating_add(bytes) <= limits.queued_bytes
    }

    /// How many records are queued, without those for which there is only credit.
    pub(super) fn queued(&self) -> usize {
        let open = self.open.as_ref().map_or(0, |open| {
            let lanes = open.lanes.iter().map(|lane| lane.len()).sum::<usize>();
            open.load.buffers.records.len() + lanes
        });
        self.sealed.iter().map(|load| load.records).sum::<usize>() + open
    }

    /// Counts what the open round gets.
    fn count(&mut self, records: usize, bytes: usize) {
        self.queued_records += records;
        self.queued_bytes += bytes;
        if let Some(open) = &mut self.open {
            open.load.records += records;
            open.load.bytes += bytes;
        }
    }

    /// Takes back all credit. Returns whether there was any.
    fn revoke(&mut self) -> bool {
        let Some(open) = &mut self.open else { return false };
        let mut unused = Credit::default();
        for number in open.credited.drain(..) {
            let Credit { records, bytes } = open.lanes[number].revoke();
            unused.records += records;
            unused.bytes += bytes;
        }
        open.load.records -= unused.records;
        open.load.bytes -= unused.bytes;
        self.queued_records -= unused.records;
        self.queued_bytes -= unused.bytes;
        unused.records + unused.bytes > 0
    }

    /// Seals the open round if that is `full`, also without its credit.
    fn seal_if(&mut self, full: impl Fn(&Load) -> bool) {
        let is_full = |state: &State| state.open.as_ref().is_some_and(|open| full(&open.load));
        if is_full(self) && (!self.revoke() || is_full(self)) {
            self.seal();
        }
    }

    /// The open round, with room for a record; a new one if need be.
    fn open_for(
        &mut self,
        bytes: usize,
        limits: &Limits,
        open: impl FnOnce() -> Open,
    ) -> &mut Open {
        self.seal_if(|load| load.bytes.saturating_add(bytes) > limits.round_bytes);
        self.open.get_or_insert_with(open)
    }

    /// Adds a record to the open round, behind what all share; tells which round and the record's
    /// number in it. A record that does not follow upon `last` begins a new submission.
    pub(super) fn push(
        &mut self,
        record: &[u8],
        last: Option<(&Arc<Round>, u32)>,
        limits: &Limits,
        open: impl FnOnce() -> Open,
    ) -> (Arc<Round>, u32) {
        let Load { round, buffers, .. } = &mut self.open_for(record.len(), limits, open).load;
        let number = buffers.records.len() as u32;
        if buffers.records.push(record).is_err() {
            // It fits: its length was looked at, and the round is empty or below its limit.
            unreachable!("a round is shorter than a batch");
        }
        if !last.is_some_and(|(before, next)| Arc::ptr_eq(before, round) && next == number) {
            buffers.parts.push(number);
        }
        let round = Arc::clone(round);
        self.count_record(record.len(), limits);
        (round, number)
    }

    /// Adds a record to a lane's segment of the open round, and gives the lane credit for more.
    pub(super) fn enter(
        &mut self,
        lane: &Arc<Lane>,
        record: &[u8],
        limits: &Limits,
        open: impl FnOnce() -> Open,
    ) -> Added {
        let Open { load, lanes, .. } = self.open_for(record.len(), limits, open);
        let (part, number) = lane.enter(record, || {
            lanes.push(Arc::clone(lane));
            Part { round: Arc::clone(&load.round), segment: lanes.len() - 1 }
        });
        self.count_record(record.len(), limits);
        self.give(lane, part.segment, limits);
        (part, number)
    }

    fn count_record(&mut self, bytes: usize, limits: &Limits) {
        self.count(1, bytes);
        self.seal_if(|load| {
            load.records >= limits.round_records || load.bytes >= limits.round_bytes
        });
    }

    /// Gives credit, unless somebody waits for room or there is little.
    fn give(&mut self, lane: &Lane, number: usize, limits: &Limits) {
        // Else the record sealed the round.
        let Some(open) = &mut self.open else { return };
        if !self.turns.is_empty() {
            return;
        }
        let share = |round: usize, in_round, queue: usize, queued| {
            let left = round.saturating_sub(in_round).min(queue.saturating_sub(queued));
            (round / SHARE).min(left / LEFT)
        };
        let credit = Credit {
            records: share(
                limits.round_records,
                open.load.records,
                limits.queued_records,
                self.queued_records,
            ),
            bytes: share(
                limits.round_bytes,
                open.load.bytes,
                limits.queued_bytes,
                self.queued_bytes,
            ),
        };
        if credit.records > 0 && credit.bytes > 0 {
            open.credited.push(number);
            lane.give(credit);
            self.count(credit.records, credit.bytes);
        }
    }

    fn open_is_due(&self, limits: &Limits) -> bool {
        self.open.as_ref().is_some_and(|open| {
            open.wanted
                || self.closed
                || limits.linger.is_zero()
                || open.ripe.is_some_and(|ripe| ripe <= Instant::now())
        })
    }

    fn seal(&mut self) {
        self.revoke();
        let Some(Open { mut load, lanes, .. }) = self.open.take() else { return };
        for (number, lane) in lanes.iter().enumerate() {
            lane.leave(load.buffers.segment(number));
        }
        self.sealed.push_back(load);
    }

    /// Takes out the first round that is due.
    pub(super) fn take_due(&mut self, limits: &Limits) -> Option<Load> {
        if self.sealed.is_empty() && self.open_is_due(limits) {
            self.seal();
        }
        let load = self.sealed.pop_front()?;
        self.queued_records -= load.records;
        self.queued_bytes -= load.bytes;
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
