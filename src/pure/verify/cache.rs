//! The working memory of a scanner, for the record in hand and from one record to the next.

use std::ops::Range;

use super::required_run::{self, Needs};
use crate::pure::Engine;
use crate::pure::automata::anchored_group::AnchoredGroupCache;
use crate::pure::automata::dfa_group::DfaGroup;
use crate::pure::automata::group_scanner::GroupScanner;
use crate::pure::automata::pattern as automaton;
use crate::pure::ids::PatternIndex;
use crate::pure::prefilter::{Progress, StreamProgress, Streams};

/// What the automata of a scanner may hold together, in bytes, and for each pattern besides.
const MEMORY: usize = 64 << 20;
const MEMORY_PER_PATTERN: usize = 16 << 10;

/// The working memory of a scanner, for the record in hand and from one record to the next.
pub(in crate::pure) struct State {
    /// Counts records over all scans, so that what was kept for an earlier one is seen as stale.
    pub(in crate::pure) epoch: u64,
    pub(in crate::pure) chains: Vec<Chain>,
    /// The literals with a chain in this record.
    pub(in crate::pure) touched: Vec<u32>,
    pub(in crate::pure) searched: Vec<Searched>,
    /// The patterns found to match in this record.
    pub(in crate::pure) matched: Vec<u32>,
    /// The patterns with a part of this record that waits to be searched.
    pub(in crate::pure) pending: Vec<u32>,
    /// The patterns to search this record for from a place on.
    pub(in crate::pure) deferred: Vec<u32>,
    pub(in crate::pure) automata: Vec<automaton::PatternCache>,
    pub(in crate::pure) group_scanner: GroupScanner,
    /// The patterns that groups can't tell of a record; empty between records.
    pub(in crate::pure) ask: Vec<PatternIndex>,
    pub(in crate::pure) crowds: Vec<Crowd>,
    /// What a crowd finds at one place; empty between places.
    pub(in crate::pure) found: Vec<PatternIndex>,
    pub(in crate::pure) runs: Vec<Progress>,
    pub(in crate::pure) streams: Option<StreamProgress>,
    pub(in crate::pure) needs: Vec<required_run::Known>,
    /// What each pattern's automata were found to hold last, and all together.
    counted: Vec<usize>,
    memory: usize,
    memory_limit: usize,
    /// How many steps automata took at most; what the tests of linear time count.
    pub(in crate::pure) steps: u64,
}

/// From the first to the last place of one literal in a record, as far as they are near one
/// another.
#[derive(Clone, Copy, Default)]
pub(in crate::pure) struct Chain {
    pub(in crate::pure) epoch: u64,
    pub(in crate::pure) start: u32,
    pub(in crate::pure) end: u32,
}

/// What has been searched of a record for one pattern.
#[derive(Clone, Default)]
pub(in crate::pure) struct Searched {
    pub(in crate::pure) epoch: u64,
    pub(in crate::pure) matched: bool,
    /// Nothing ends a match between these two, unless it started before the first.
    pub(in crate::pure) start: u32,
    pub(in crate::pure) end: u32,
    /// A part that is still to be searched.
    pub(in crate::pure) waiting: Option<Range<usize>>,
    /// How many bytes were read from the places of leading literals on, and back from them.
    pub(in crate::pure) steps: u64,
    /// If such places are no longer tried, because all together would take too long: the first
    /// of them.
    pub(in crate::pure) deferred: Option<u32>,
}

/// The working memory of patterns that are confirmed together.
pub(in crate::pure) struct Crowd {
    pub(in crate::pure) cache: AnchoredGroupCache,
    pub(in crate::pure) epoch: u64,
    /// How many bytes were read in this record.
    pub(in crate::pure) steps: u64,
}

impl Crowd {
    fn new(group: &DfaGroup) -> Crowd {
        Crowd { cache: AnchoredGroupCache::new(group), epoch: 0, steps: 0 }
    }
}

/// A record of the batch: its number, and where it lies in the buffer.
#[derive(Clone, Copy)]
pub(in crate::pure) struct Record<'a> {
    pub(in crate::pure) number: usize,
    pub(in crate::pure) start: usize,
    pub(in crate::pure) bytes: &'a [u8],
}

impl Searched {
    /// Forgets what was searched of another record.
    pub(in crate::pure) fn renew(&mut self, epoch: u64) {
        if self.epoch != epoch {
            *self = Searched { epoch, ..Searched::default() };
        }
    }
}

impl State {
    pub(in crate::pure) fn new(engine: &Engine) -> State {
        let inner = &engine.inner;
        State {
            epoch: 0,
            chains: vec![Chain::default(); inner.plan.owners.handles()],
            touched: Vec::new(),
            searched: vec![Searched::default(); inner.numbers.len()],
            matched: Vec::new(),
            pending: Vec::new(),
            deferred: Vec::new(),
            automata: std::iter::repeat_with(automaton::PatternCache::default)
                .take(inner.numbers.len())
                .collect(),
            group_scanner: GroupScanner::new(&inner.plan.groups),
            ask: Vec::new(),
            crowds: inner.plan.crowd_groups.iter().map(|crowd| Crowd::new(&crowd.group)).collect(),
            found: Vec::new(),
            needs: inner.plan.needs.create_cache(),
            runs: vec![Progress::default(); inner.plan.runs.len()],
            streams: inner.plan.streams.as_ref().map(Streams::progress),
            counted: vec![0; inner.numbers.len()],
            memory: 0,
            memory_limit: MEMORY + MEMORY_PER_PATTERN * inner.numbers.len(),
            steps: 0,
        }
    }

    pub(in crate::pure) fn next_record(&mut self) {
        self.epoch += 1;
        self.touched.clear();
        self.pending.clear();
        self.deferred.clear();
        self.matched.clear();
    }

    /// Memory in bytes.
    pub(in crate::pure) fn memory(&self) -> usize {
        size_of_val(&self.chains[..])
            + size_of_val(&self.searched[..])
            + self.memory
            + self.group_scanner.memory()
            + self.streams.as_ref().map_or(0, StreamProgress::memory)
            + self.crowds.iter().map(|crowd| crowd.cache.memory()).sum::<usize>()
    }

    /// Takes in that the record is to be searched for a pattern once, from a place on or an earlier
    /// one.
    pub(in crate::pure) fn defer(&mut self, pattern: u32, from: u32) {
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
    pub(in crate::pure) fn has_any(
        &mut self,
        needs: &Needs,
        any: &[u32],
        record: Record<'_>,
    ) -> bool {
        let epoch = self.epoch;
        any.is_empty()
            || any.iter().any(|&n| needs.are_met(n, &mut self.needs, epoch, record.bytes))
    }

    /// Counts what a pattern's automata hold, after they were used, and drops all automata if
    /// they hold too much together.
    pub(in crate::pure) fn count_memory(&mut self, pattern: u32) {
        let counted = &mut self.counted[pattern as usize];
        let now = self.automata[pattern as usize].memory();
        self.memory = self.memory + now - *counted;
        *counted = now;
        if self.memory > self.memory_limit {
            self.automata.fill_with(automaton::PatternCache::default);
            self.counted.fill(0);
            self.memory = 0;
        }
    }
}
