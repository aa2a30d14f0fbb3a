//! The working memory of a scanner, for the record in hand and from one record to the next.

use std::ops::Range;

use super::Engine;
use super::automaton;
use super::need::{self, Needs};
use super::prefilter::{BitStreamProgress, BitStreams, RunProgress};
use super::shared;
use super::walkers::Walkers;

/// What the automata of a scanner may hold together, in bytes, and for each pattern besides.
const MEMORY: usize = 64 << 20;
const MEMORY_PER_PATTERN: usize = 16 << 10;

/// The working memory of a scanner, for the record in hand and from one record to the next.
pub(super) struct State {
    /// Counts records over all scans, so that what was kept for an earlier one is seen as stale.
    pub(super) epoch: u64,
    pub(super) chains: Vec<Chain>,
    /// The literals with a chain in this record.
    pub(super) touched: Vec<u32>,
    pub(super) searched: Vec<Searched>,
    /// The patterns found to match in this record.
    pub(super) matched: Vec<u32>,
    /// The patterns with a part of this record that waits to be searched.
    pub(super) pending: Vec<u32>,
    /// The patterns to search this record for from a place on.
    pub(super) deferred: Vec<u32>,
    pub(super) automata: Vec<automaton::Cache>,
    pub(super) walkers: Walkers,
    /// The patterns that groups can't tell of a record; empty between records.
    pub(super) ask: Vec<u32>,
    pub(super) crowds: Vec<Crowd>,
    /// What a crowd finds at one place; empty between places.
    pub(super) found: Vec<u32>,
    pub(super) runs: Vec<RunProgress>,
    pub(super) streams: Option<BitStreamProgress>,
    pub(super) needs: Vec<need::Known>,
    /// What each pattern's automata were found to hold last, and all together.
    counted: Vec<usize>,
    memory: usize,
    memory_limit: usize,
    /// How many steps automata took at most; what the tests of linear time count.
    pub(super) steps: u64,
}

/// From the first to the last place of one literal in a record, as far as they are near one
/// another.
#[derive(Clone, Copy, Default)]
pub(super) struct Chain {
    pub(super) epoch: u64,
    pub(super) start: u32,
    pub(super) end: u32,
}

/// What has been searched of a record for one pattern.
#[derive(Clone, Default)]
pub(super) struct Searched {
    pub(super) epoch: u64,
    pub(super) matched: bool,
    /// Nothing ends a match between these two, unless it started before the first.
    pub(super) start: u32,
    pub(super) end: u32,
    /// A part that is still to be searched.
    pub(super) waiting: Option<Range<usize>>,
    /// How many bytes were read from the places of leading literals on, and back from them.
    pub(super) steps: u64,
    /// If such places are no longer tried, because all together would take too long: the first
    /// of them.
    pub(super) deferred: Option<u32>,
}

/// The working memory of patterns that are confirmed together.
pub(super) struct Crowd {
    pub(super) cache: shared::Cache,
    pub(super) epoch: u64,
    /// How many bytes were read in this record.
    pub(super) steps: u64,
}

impl Crowd {
    fn new(group: &shared::Group) -> Crowd {
        Crowd { cache: group.create_cache(), epoch: 0, steps: 0 }
    }
}

/// A record of the batch: its number, and where it lies in the buffer.
#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    pub(super) number: usize,
    pub(super) start: usize,
    pub(super) bytes: &'a [u8],
}

impl Searched {
    /// Forgets what was searched of another record.
    pub(super) fn renew(&mut self, epoch: u64) {
        if self.epoch != epoch {
            *self = Searched { epoch, ..Searched::default() };
        }
    }
}

impl State {
    pub(super) fn new(engine: &Engine) -> State {
        let inner = &engine.inner;
        State {
            epoch: 0,
            chains: vec![Chain::default(); inner.plan.owners.handles()],
            touched: Vec::new(),
            searched: vec![Searched::default(); inner.numbers.len()],
            matched: Vec::new(),
            pending: Vec::new(),
            deferred: Vec::new(),
            automata: std::iter::repeat_with(automaton::Cache::default)
                .take(inner.numbers.len())
                .collect(),
            walkers: Walkers::new(&inner.plan.groups),
            ask: Vec::new(),
            crowds: inner.plan.crowd_groups.iter().map(|crowd| Crowd::new(&crowd.group)).collect(),
            found: Vec::new(),
            needs: inner.plan.needs.create_cache(),
            runs: vec![RunProgress::default(); inner.plan.runs.len()],
            streams: inner.plan.streams.as_ref().map(BitStreams::progress),
            counted: vec![0; inner.numbers.len()],
            memory: 0,
            memory_limit: MEMORY + MEMORY_PER_PATTERN * inner.numbers.len(),
            steps: 0,
        }
    }

    pub(super) fn next_record(&mut self) {
        self.epoch += 1;
        self.touched.clear();
        self.pending.clear();
        self.deferred.clear();
        self.matched.clear();
    }

    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        size_of_val(&self.chains[..])
            + size_of_val(&self.searched[..])
            + self.memory
            + self.walkers.memory()
            + self.streams.as_ref().map_or(0, BitStreamProgress::memory)
            + self.crowds.iter().map(|crowd| crowd.cache.memory()).sum::<usize>()
    }

    /// Takes in that the record is to be searched for a pattern once, from a place on or an earlier
    /// one.
    pub(super) fn defer(&mut self, pattern: u32, from: u32) {
        let searched = &mut self.searched[pattern as usize];
        searched.renew(self.epoch);
        match &mut searched.deferred {
            Some(earlier) => *earlier = from.min(*earlier),
            None if searched.matched => {}
            None => {
                searched.deferred = Some(from);
                self.deferred.push(pattern);
            }
        }
    }

    /// Whether the record has one of the runs that are needed besides a literal, if any is.
    pub(super) fn has_any(&mut self, needs: &Needs, any: &[u32], record: Record<'_>) -> bool {
        let epoch = self.epoch;
        any.is_empty()
            || any.iter().any(|&n| needs.are_met(n, &mut self.needs, epoch, record.bytes))
    }

    /// Counts what a pattern's automata hold, after they were used, and drops all automata if
    /// they hold too much together.
    pub(super) fn count_memory(&mut self, pattern: u32) {
        let counted = &mut self.counted[pattern as usize];
        let now = self.automata[pattern as usize].memory();
        self.memory = self.memory + now - *counted;
        *counted = now;
        if self.memory > self.memory_limit {
            self.automata.fill_with(automaton::Cache::default);
            self.counted.fill(0);
            self.memory = 0;
        }
    }
}
