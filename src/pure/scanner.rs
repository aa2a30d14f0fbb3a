//! One scan: candidates from the prefilter, grouped by record, confirmed pattern by pattern.

use std::ops::Range;

use crate::{Batch, Match, Matches, Report, Scan, ScanError, StopFlag};

use super::Engine;
use super::automaton;
use super::plan::Owner;
use super::prefilter::{Candidate, Progress};
use super::shared;

/// How much of the buffer is filtered before its candidates are confirmed, in bytes: few enough
/// that the records are still in the cache.
const CHUNK: usize = 64 << 10;
/// What the automata of a scanner may hold together, in bytes, and for each pattern besides.
const MEMORY: usize = 64 << 20;
const MEMORY_PER_PATTERN: usize = 16 << 10;

/// Scans batches with the pure-Rust engine. Made by [`Engine::scanner`], for one thread.
pub struct Scanner {
    engine: Engine,
    stop: StopFlag,
    candidates: Vec<Candidate>,
    state: State,
}

impl std::fmt::Debug for Scanner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scanner").field("engine", &self.engine).finish_non_exhaustive()
    }
}

/// The working memory of a scanner, for the record in hand and from one record to the next.
struct State {
    /// Counts records over all scans, so that what was kept for an earlier one is seen as stale.
    epoch: u64,
    chains: Vec<Chain>,
    /// The literals with a chain in this record.
    touched: Vec<u32>,
    searched: Vec<Searched>,
    /// The patterns found to match in this record.
    matched: Vec<u32>,
    /// The patterns with a part of this record to be searched; empty between records.
    pending: Vec<u32>,
    /// The patterns to search this record for from a place on.
    deferred: Vec<u32>,
    automata: Vec<automaton::Cache>,
    groups: Vec<shared::Cache>,
    crowds: Vec<Crowd>,
    /// What a crowd finds at one place; empty between places.
    found: Vec<u32>,
    runs: Vec<Progress>,
    /// What each pattern's automata were found to hold last, and all together.
    counted: Vec<usize>,
    memory: usize,
    memory_limit: usize,
    /// How many steps automata took at most; what the tests of linear time count.
    steps: u64,
}

/// From the first to the last place of one literal in a record, as far as they are near one
/// another.
#[derive(Clone, Copy, Default)]
struct Chain {
    epoch: u64,
    start: u32,
    end: u32,
}

/// What has been searched of a record for one pattern.
#[derive(Clone, Default)]
struct Searched {
    epoch: u64,
    matched: bool,
    /// Nothing ends a match between these two, unless it started before the first.
    start: u32,
    end: u32,
    /// A part that is still to be searched.
    waiting: Option<Range<usize>>,
    /// How many bytes were read from the places of leading literals on.
    steps: u64,
    /// If such places are no longer tried, because all together would take too long: the first
    /// of them.
    deferred: Option<u32>,
}

/// How many bytes may be read from the places of one pattern's literals, for each byte of the
/// record and besides, before the rest of the record is searched once instead.
const STEPS_PER_BYTE: u64 = 16;
const FREE_STEPS: u64 = 1024;

/// The working memory of patterns that are confirmed together.
struct Crowd {
    cache: shared::Cache,
    epoch: u64,
    /// How many bytes were read in this record.
    steps: u64,
}

impl Crowd {
    fn new(group: &shared::Group) -> Crowd {
        Crowd { cache: group.create_cache(), epoch: 0, steps: 0 }
    }
}

/// A record of the batch: its number, and where it lies in the buffer.
#[derive(Clone, Copy)]
struct Record<'a> {
    number: usize,
    start: usize,
    bytes: &'a [u8],
}

impl Scanner {
    pub(super) fn new(engine: Engine, stop: StopFlag) -> Scanner {
        let inner = &engine.inner;
        let state = State {
            epoch: 0,
            chains: vec![Chain::default(); inner.plan.handles()],
            touched: Vec::new(),
            searched: vec![Searched::default(); inner.numbers.len()],
            matched: Vec::new(),
            pending: Vec::new(),
            deferred: Vec::new(),
            automata: std::iter::repeat_with(automaton::Cache::default)
                .take(inner.numbers.len())
                .collect(),
            groups: inner.plan.groups.iter().map(shared::Group::create_cache).collect(),
            crowds: inner.plan.crowd_groups.iter().map(Crowd::new).collect(),
            found: Vec::new(),
            runs: vec![Progress::default(); inner.plan.runs.len()],
            counted: vec![0; inner.numbers.len()],
            memory: 0,
            memory_limit: MEMORY + MEMORY_PER_PATTERN * inner.numbers.len(),
            steps: 0,
        };
        Scanner { engine, stop, candidates: Vec::new(), state }
    }

    /// The memory that this scanner holds for itself, in bytes. It grows with what is found, up
    /// to a bound that depends on the number of patterns alone.
    pub fn memory(&self) -> usize {
        size_of_val(&self.state.chains[..])
            + size_of_val(&self.state.searched[..])
            + self.candidates.capacity() * size_of::<Candidate>()
            + self.state.memory
            + self.state.groups.iter().map(shared::Cache::memory).sum::<usize>()
            + self.state.crowds.iter().map(|crowd| crowd.cache.memory()).sum::<usize>()
    }

    /// An upper bound of the steps that automata have taken in all scans so far.
    #[doc(hidden)]
    pub fn steps(&self) -> u64 {
        self.state.steps
    }

    fn run(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError> {
        if batch.is_empty() {
            return Ok(());
        }
        let inner = &*self.engine.inner;
        let extent = batch.extent();
        let mut cursor = Cursor { batch, record: 0 };
        let searching = inner.plan.prefilter.is_some() || !inner.plan.runs.is_empty();
        let mut part = if searching { extent.start } else { extent.end };
        while part < extent.end {
            if self.stop.is_raised() {
                return Err(ScanError::Stopped);
            }
            let end = extent.end.min(part + CHUNK);
            self.engine.find(&mut self.state, batch, part..end, &mut self.candidates);
            for candidate in &self.candidates {
                let start = candidate.start as usize;
                if start < cursor.start() {
                    // It began in an earlier record and ends in this one.
                    continue;
                }
                while let Some(next) = cursor.next_towards(start, inner.plan.every_record()) {
                    self.engine.finish(&mut self.state, cursor.get(), out);
                    if self.stop.is_raised() {
                        return Err(ScanError::Stopped);
                    }
                    cursor.record = next;
                }
                let record = cursor.get();
                if candidate.end as usize <= record.start + record.bytes.len() {
                    self.engine.candidate(&mut self.state, record, candidate);
                }
            }
            part = end;
        }
        self.engine.finish(&mut self.state, cursor.get(), out);
        if inner.plan.every_record() {
            while cursor.record + 1 < batch.len() {
                if self.stop.is_raised() {
                    return Err(ScanError::Stopped);
                }
                cursor.record += 1;
                self.engine.finish(&mut self.state, cursor.get(), out);
            }
        }
        Ok(())
    }
}

impl Scan for Scanner {
    fn scan(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError> {
        out.clear();
        // What an earlier scan left behind when it was stopped is not of this batch.
        self.state.next_record();
        self.state.runs.fill_with(Progress::default);
        self.run(batch, out).inspect_err(|_| out.clear())
    }
}

/// The record in hand.
struct Cursor<'a, 'b> {
    batch: &'a Batch<'b>,
    record: usize,
}

impl<'b> Cursor<'_, 'b> {
    fn start(&self) -> usize {
        self.batch.offsets()[self.record] as usize
    }

    fn get(&self) -> Record<'b> {
        let range = self.batch.range(self.record);
        let start = range.start;
        Record { number: self.record, start, bytes: &self.batch.buffer()[range] }
    }

    /// The record to go on with on the way to the one that holds `at`: that record, or the next
    /// one if each has to be looked at. `None` once it is reached. `at` is not before the record
    /// in hand.
    fn next_towards(&self, at: usize, every: bool) -> Option<usize> {
        let next = self.batch.record_at(self.record, at);
        (next > self.record).then_some(if every { self.record + 1 } else { next })
    }
}

impl Engine {
    /// Finds the literals and runs in a part of the buffer, in an order in which those of a record
    /// come together.
    fn find(
        &self,
        state: &mut State,
        batch: &Batch<'_>,
        range: Range<usize>,
        out: &mut Vec<Candidate>,
    ) {
        let plan = &self.inner.plan;
        out.clear();
        if let Some(prefilter) = &plan.prefilter {
            prefilter.find(&batch.buffer()[..batch.extent().end], range.clone(), out);
        }
        for (run, progress) in plan.runs.iter().zip(&mut state.runs) {
            run.find(batch, range.clone(), progress, out);
        }
        if usize::from(plan.prefilter.is_some()) + plan.runs.len() > 1 {
            out.sort_by_key(|candidate| candidate.window);
        }
    }

    /// Takes in a candidate, which lies in `record`.
    fn candidate(&self, state: &mut State, record: Record<'_>, candidate: &Candidate) {
        let base = record.start as u32;
        let (start, end) = (candidate.start - base, candidate.end - base);
        let (leading, others) = self.inner.plan.owners(candidate.literal);
        for owner in leading {
            self.try_at(state, record, owner, start, end);
        }
        for crowd in self.inner.plan.crowds(candidate.literal) {
            self.try_crowd(state, record, crowd, start);
        }
        if others.is_empty() {
            return;
        }
        let chain = &mut state.chains[candidate.literal as usize];
        if chain.epoch != state.epoch {
            *chain = Chain { epoch: state.epoch, start, end };
            state.touched.push(candidate.literal);
            return;
        }
        // Candidates come in the order of their windows, and so only nearly in that of their
        // starts.
        let gap = start.saturating_sub(chain.end).max(chain.start.saturating_sub(end));
        if self.inner.plan.reach(candidate.literal).is_none_or(|reach| gap <= reach) {
            (chain.start, chain.end) = (chain.start.min(start), chain.end.max(end));
        } else {
            let done = std::mem::replace(chain, Chain { start, end, ..*chain });
            self.confirm(state, record, candidate.literal, done);
        }
    }

    /// Confirms a pattern where a literal stands that its matches start with.
    fn try_at(&self, state: &mut State, record: Record<'_>, owner: &Owner, start: u32, end: u32) {
        let searched = &mut state.searched[owner.pattern as usize];
        searched.renew(state.epoch);
        if searched.matched {
            return;
        }
        if let Some(from) = &mut searched.deferred {
            *from = start.min(*from);
            return;
        }
        // Ordinary patterns fail within a few bytes, and from many places one after the other is
        // cheaper than from all at once. But if each goes on to the end of the record, one search
        // from here on has to do.
        if searched.steps > STEPS_PER_BYTE * record.bytes.len() as u64 + FREE_STEPS {
            searched.deferred = Some(start);
            state.deferred.push(owner.pattern);
            return;
        }
        let span = window(owner, start..end, record.bytes.len());
        let mut steps = 0;
        let found = self.inner.automata[owner.pattern as usize].is_match_at(
            &self.inner.plan.trimmed[owner.pattern as usize],
            &mut state.automata[owner.pattern as usize],
            record.bytes,
            span,
            &mut steps,
        );
        searched.steps += steps;
        state.steps += steps;
        if found {
            searched.matched = true;
            state.matched.push(owner.pattern);
        }
        state.count_memory(owner.pattern);
    }

    /// Confirms patterns together where a literal stands that the matches of all start with.
    fn try_crowd(&self, state: &mut State, record: Record<'_>, crowd: usize, start: u32) {
        let plan = &self.inner.plan;
        let group = &plan.crowd_groups[crowd];
        let tried = &mut state.crowds[crowd];
        if tried.epoch != state.epoch {
            (tried.epoch, tried.steps) = (state.epoch, 0);
        }
        let mut steps = 0;
        let known = tried.steps <= STEPS_PER_BYTE * record.bytes.len() as u64 + FREE_STEPS && {
            let (rest, found) = (start as usize, &mut state.found);
            group.which_at(&plan.trimmed, &mut tried.cache, record.bytes, rest, &mut steps, found)
        };
        tried.steps += steps;
        state.steps += steps;
        if known {
            for pattern in state.found.drain(..) {
                let searched = &mut state.searched[pattern as usize];
                searched.renew(state.epoch);
                if !std::mem::replace(&mut searched.matched, true) {
                    state.matched.push(pattern);
                }
            }
            return;
        }
        // Together they can't be told, or not in time: each is searched for once from here on.
        state.found.clear();
        for &pattern in &group.members {
            let searched = &mut state.searched[pattern as usize];
            searched.renew(state.epoch);
            match &mut searched.deferred {
                Some(from) => *from = start.min(*from),
                None if searched.matched => {}
                None => {
                    searched.deferred = Some(start);
                    state.deferred.push(pattern);
                }
            }
        }
    }

    /// Confirms all patterns of a literal around a chain of its places.
    fn confirm(&self, state: &mut State, record: Record<'_>, literal: u32, chain: Chain) {
        for owner in self.inner.plan.owners(literal).1 {
            let span = window(owner, chain.start..chain.end, record.bytes.len());
            self.confirm_within(state, record, owner.pattern, span);
        }
    }

    /// Confirms the patterns of all literals that have a chain in the record. A pattern with many
    /// of them is searched for once where their surroundings touch.
    fn confirm_touched(&self, state: &mut State, record: Record<'_>) {
        let mut touched = std::mem::take(&mut state.touched);
        let mut pending = std::mem::take(&mut state.pending);
        for literal in touched.drain(..) {
            let chain = state.chains[literal as usize];
            for owner in self.inner.plan.owners(literal).1 {
                let span = window(owner, chain.start..chain.end, record.bytes.len());
                let searched = &mut state.searched[owner.pattern as usize];
                searched.renew(state.epoch);
                let waiting = &mut searched.waiting;
                match waiting {
                    None => {
                        *waiting = Some(span);
                        pending.push(owner.pattern);
                    }
                    Some(other) if span.start <= other.end && other.start <= span.end => {
                        *other = span.start.min(other.start)..span.end.max(other.end);
                    }
                    Some(other) => {
                        let done = std::mem::replace(other, span);
                        self.confirm_within(state, record, owner.pattern, done);
                    }
                }
            }
        }
        for pattern in pending.drain(..) {
            if let Some(span) = state.searched[pattern as usize].waiting.take() {
                self.confirm_within(state, record, pattern, span);
            }
        }
        (state.touched, state.pending) = (touched, pending);
    }

    /// Searches a part of the record for a pattern, unless that was done.
    fn confirm_within(
        &self,
        state: &mut State,
        record: Record<'_>,
        pattern: u32,
        span: Range<usize>,
    ) {
        let searched = &mut state.searched[pattern as usize];
        searched.renew(state.epoch);
        if searched.matched
            || (searched.start as usize <= span.start && span.end <= searched.end as usize)
        {
            return;
        }
        state.steps += span.len() as u64 + 1;
        let cache = &mut state.automata[pattern as usize];
        if self.is_match(pattern, cache, record.bytes, span.clone()) {
            searched.matched = true;
            state.matched.push(pattern);
        } else if span.len() > (searched.end - searched.start) as usize {
            (searched.start, searched.end) = (span.start as u32, span.end as u32);
        }
        state.count_memory(pattern);
    }

    /// Ends a record: confirms what is left to confirm, and reports.
    fn finish(&self, state: &mut State, record: Record<'_>, out: &mut Matches) {
        let plan = &self.inner.plan;
        let nothing =
            state.touched.is_empty() && state.matched.is_empty() && state.deferred.is_empty();
        if nothing && !plan.every_record() {
            return;
        }
        self.confirm_touched(state, record);
        while let Some(pattern) = state.deferred.pop() {
            let searched = &state.searched[pattern as usize];
            if !searched.matched
                && let Some(from) = searched.deferred
            {
                let span = from as usize..record.bytes.len();
                state.steps += span.len() as u64 + 1;
                let cache = &mut state.automata[pattern as usize];
                if self.is_match(pattern, cache, record.bytes, span) {
                    state.matched.push(pattern);
                }
            }
        }

        for (index, group) in plan.groups.iter().enumerate() {
            state.steps += record.bytes.len() as u64 + 1;
            let cache = &mut state.groups[index];
            if !group.which(&plan.trimmed, cache, record.bytes, &mut state.matched) {
                for &member in &group.members {
                    state.steps += record.bytes.len() as u64 + 1;
                    let cache = &mut state.automata[member as usize];
                    if self.is_match(member, cache, record.bytes, 0..record.bytes.len()) {
                        state.matched.push(member);
                    }
                    state.count_memory(member);
                }
            }
        }
        state.matched.extend(&plan.always);
        self.report(state, record, out);
        state.next_record();
    }

    fn report(&self, state: &mut State, record: Record<'_>, out: &mut Matches) {
        let mut matched = std::mem::take(&mut state.matched);
        matched.sort_unstable();
        let number = record.number as u32;
        for pattern in matched.drain(..) {
            let name = self.inner.numbers[pattern as usize];
            match self.inner.report {
                Report::Which => out.push(Match::new(number, name, 0..0)),
                Report::Spans => {
                    let cache = &mut state.automata[pattern as usize];
                    state.steps += self.inner.automata[pattern as usize].spans(
                        self.hir(pattern),
                        cache,
                        record.bytes,
                        |span| {
                            let span = span.start as u32..span.end as u32;
                            out.push(Match::new(number, name, span));
                        },
                    );
                    state.count_memory(pattern);
                }
            }
        }
        state.matched = matched;
    }

    fn is_match(
        &self,
        pattern: u32,
        cache: &mut automaton::Cache,
        record: &[u8],
        span: Range<usize>,
    ) -> bool {
        let trimmed = &self.inner.plan.trimmed[pattern as usize];
        self.inner.automata[pattern as usize].is_match(trimmed, cache, record, span)
    }
}

/// The part of a record of `len` bytes that a match with a literal in `places` can lie in.
fn window(owner: &Owner, places: Range<u32>, len: usize) -> Range<usize> {
    let start = owner.before.map_or(0, |before| places.start.saturating_sub(before) as usize);
    let end = owner.after.map_or(len, |after| (places.end.saturating_add(after) as usize).min(len));
    start..end
}

impl Searched {
    /// Forgets what was searched of another record.
    fn renew(&mut self, epoch: u64) {
        if self.epoch != epoch {
            *self = Searched { epoch, ..Searched::default() };
        }
    }
}

impl State {
    fn next_record(&mut self) {
        self.epoch += 1;
        self.touched.clear();
        self.deferred.clear();
        self.matched.clear();
    }

    /// Counts what a pattern's automata hold, after they were used, and drops all automata if
    /// they hold too much together.
    fn count_memory(&mut self, pattern: u32) {
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
