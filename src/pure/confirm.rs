//! From candidates to matches: each pattern is tried once in each part of a record where it may
//! match.

use std::ops::{ControlFlow, Range};

use crate::sink::Sink;
use crate::{Match, Report};

use super::Engine;
use super::automaton;
use super::crowd::Crowd;
use super::owners::Owner;
use super::prefilter::{Candidate, Segments};
use super::state::{Chain, Record, State};

/// How many bytes may be read from the places of one pattern's literals, for each byte of the
/// record and besides, before the rest of the record is searched once instead.
const STEPS_PER_BYTE: u64 = 16;
const FREE_STEPS: u64 = 1024;
/// For how many such bytes one counts that is read back from a literal. The next literal of a long
/// record has all of the way back to go again.
const STEPS_PER_BYTE_BACK: u64 = 8;

impl Engine {
    /// Finds the literals and runs in a part of the buffer, in an order in which those of a record
    /// come together.
    pub(super) fn find(
        &self,
        state: &mut State,
        segments: &Segments<'_>,
        range: Range<usize>,
        out: &mut Vec<Candidate>,
    ) {
        let plan = &self.inner.plan;
        out.clear();
        if let Some(prefilter) = &plan.prefilter {
            prefilter.find(segments.buffer(), range.clone(), out);
        }
        for (run, progress) in plan.runs.iter().zip(&mut state.runs) {
            run.find(segments, range.clone(), progress, out);
        }
        if let (Some(streams), Some(progress)) = (&plan.streams, &mut state.streams) {
            streams.find(segments, range, progress, out);
        }
        let ordered = usize::from(plan.prefilter.is_some()) + plan.runs.len();
        if ordered > 1 || plan.streams.is_some() {
            out.sort_by_key(|candidate| candidate.window);
        }
    }

    /// Takes in a candidate, which lies in `record`.
    pub(super) fn candidate(&self, state: &mut State, record: Record<'_>, candidate: &Candidate) {
        if let Some(pattern) = self.inner.plan.sure(candidate.needle) {
            let searched = &mut state.searched[pattern as usize];
            searched.renew(state.epoch);
            if !searched.matched {
                searched.matched = true;
                state.matched.push(pattern);
            }
            return;
        }
        let literal = candidate.needle.index() as u32;
        let base = record.start as u32;
        let (start, end) = (candidate.start - base, candidate.end - base);
        let behind = &record.bytes[end as usize..];
        if !self.inner.plan.follows.allow(candidate.needle, behind) {
            return;
        }
        let (leading, others) = self.inner.plan.owners.of(literal);
        for owner in leading {
            self.try_at(state, record, owner, start, end);
        }
        for crowd in self.inner.plan.crowds(candidate.needle) {
            self.try_crowd(state, record, crowd, start);
        }
        if others.is_empty() {
            return;
        }
        let chain = &mut state.chains[candidate.needle.index()];
        if chain.epoch != state.epoch {
            *chain = Chain { epoch: state.epoch, start, end };
            state.touched.push(literal);
            return;
        }
        // Candidates come in the order of their windows, and so only nearly in that of their
        // starts.
        let gap = start.saturating_sub(chain.end).max(chain.start.saturating_sub(end));
        if self.inner.plan.owners.reach(literal).is_none_or(|reach| gap <= reach) {
            (chain.start, chain.end) = (chain.start.min(start), chain.end.max(end));
        } else {
            let done = std::mem::replace(chain, Chain { start, end, ..*chain });
            self.surround(state, record, literal, done);
        }
    }

    /// Confirms a pattern where a literal stands that the matches of its tail start with.
    fn try_at(&self, state: &mut State, record: Record<'_>, owner: &Owner, start: u32, end: u32) {
        let left = record.bytes.len() as u32 - start;
        if start > owner.last || !(owner.least..=owner.most).contains(&left) {
            return;
        }
        let (plan, pattern) = (&self.inner.plan, owner.pattern as usize);
        if !state.has_any(&plan.needs, owner.need.as_slice(), record) {
            return;
        }
        let searched = &mut state.searched[pattern];
        searched.renew(state.epoch);
        if searched.matched {
            return;
        }
        let head = plan.head(owner.pattern);
        let from = if head.is_some() { 0 } else { start };
        // Ordinary patterns fail within a few bytes, and from many places one after the other is
        // cheaper than from all at once. But if each goes on to the end of the record, one search
        // from here on has to do.
        if searched.deferred.is_some()
            || searched.steps > STEPS_PER_BYTE * record.bytes.len() as u64 + FREE_STEPS
        {
            return state.defer(owner.pattern, from);
        }
        let automaton = &self.inner.automata[pattern];
        let cache = &mut state.automata[pattern];
        let mut steps = 0;
        let found = if head.is_none() {
            let span = window(owner, start..end, record.bytes.len());
            let trimmed = &plan.trimmed[pattern];
            Some(automaton.is_match_at(trimmed, cache, record.bytes, span, &mut steps))
        } else {
            let (tail, at) = (plan.tail(owner.pattern), start as usize);
            automaton.tail_is_at(tail, cache, record.bytes, at, &mut steps)
        };
        searched.steps += steps;
        state.steps += steps;
        state.count_memory(owner.pattern);
        match found {
            Some(true) => self.tail_found(state, record, owner.pattern, start),
            Some(false) => {}
            None => state.defer(owner.pattern, from),
        }
    }

    /// Confirms patterns together where a literal stands that the matches of all their tails
    /// start with.
    fn try_crowd(&self, state: &mut State, record: Record<'_>, crowd: usize, start: u32) {
        let plan = &self.inner.plan;
        let Crowd { group, needs, least } = &plan.crowd_groups[crowd];
        if record.bytes.len() - (start as usize) < *least as usize
            || !state.has_any(&plan.needs, needs, record)
        {
            return;
        }
        let tried = &mut state.crowds[crowd];
        if tried.epoch != state.epoch {
            (tried.epoch, tried.steps) = (state.epoch, 0);
        }
        let mut steps = 0;
        let known = tried.steps <= STEPS_PER_BYTE * record.bytes.len() as u64 + FREE_STEPS && {
            let (rest, found) = (start as usize, &mut state.found);
            group.which_at(
                &|p| plan.tail(p),
                &mut tried.cache,
                record.bytes,
                rest,
                &mut steps,
                found,
            )
        };
        tried.steps += steps;
        state.steps += steps;
        if !known {
            // Together they can't be told, or not in time: each is searched for once.
            state.found.clear();
            for &pattern in &group.members {
                let from = if plan.head(pattern).is_some() { 0 } else { start };
                state.defer(pattern, from);
            }
            return;
        }
        while let Some(pattern) = state.found.pop() {
            self.tail_found(state, record, pattern, start);
        }
    }

    /// Takes in that the tail of a pattern matches from `start` on.
    fn tail_found(&self, state: &mut State, record: Record<'_>, pattern: u32, start: u32) {
        let searched = &mut state.searched[pattern as usize];
        searched.renew(state.epoch);
        if searched.matched || searched.deferred.is_some() {
            return;
        }
        if let Some(head) = self.inner.plan.head(pattern) {
            if searched.steps > STEPS_PER_BYTE * record.bytes.len() as u64 + FREE_STEPS {
                return state.defer(pattern, 0);
            }
            let cache = &mut state.automata[pattern as usize];
            let mut steps = 0;
            let found = self.inner.automata[pattern as usize].head_is_before(
                head,
                cache,
                record.bytes,
                start as usize,
                &mut steps,
            );
            searched.steps += STEPS_PER_BYTE_BACK * steps;
            state.steps += steps;
            state.count_memory(pattern);
            match found {
                Some(true) => {}
                Some(false) => return,
                None => return state.defer(pattern, 0),
            }
        }
        state.searched[pattern as usize].matched = true;
        state.matched.push(pattern);
    }

    /// Takes in that the patterns of a literal are to be confirmed around a chain of its places.
    /// Where such parts of the record touch, a pattern is searched for once; the search is put
    /// off until one comes that does not, or the record ends.
    fn surround(&self, state: &mut State, record: Record<'_>, literal: u32, chain: Chain) {
        for owner in self.inner.plan.owners.of(literal).1 {
            if !state.has_any(&self.inner.plan.needs, owner.need.as_slice(), record) {
                continue;
            }
            let span = window(owner, chain.start..chain.end, record.bytes.len());
            let searched = &mut state.searched[owner.pattern as usize];
            searched.renew(state.epoch);
            match &mut searched.waiting {
                waiting @ None => {
                    *waiting = Some(span);
                    state.pending.push(owner.pattern);
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

    /// Confirms all patterns that are waiting for it.
    fn confirm_pending(&self, state: &mut State, record: Record<'_>) {
        let mut touched = std::mem::take(&mut state.touched);
        for literal in touched.drain(..) {
            let chain = state.chains[literal as usize];
            self.surround(state, record, literal, chain);
        }
        state.touched = touched;
        while let Some(pattern) = state.pending.pop() {
            if let Some(span) = state.searched[pattern as usize].waiting.take() {
                self.confirm_within(state, record, pattern, span);
            }
        }
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

    /// Ends a record: confirms what is left to confirm, and reports until `out` breaks.
    pub(super) fn finish(
        &self,
        state: &mut State,
        record: Record<'_>,
        out: &mut impl Sink,
    ) -> ControlFlow<()> {
        if self.settle(state, record) {
            self.report(state, record, out)?;
            state.next_record();
        }
        ControlFlow::Continue(())
    }

    /// Confirms what is left to confirm of a record. Returns `false` if nothing was asked of it,
    /// and then has ended it.
    fn settle(&self, state: &mut State, record: Record<'_>) -> bool {
        let plan = &self.inner.plan;
        let nothing =
            state.touched.is_empty() && state.matched.is_empty() && state.deferred.is_empty();
        if nothing && !plan.every_record() {
            // Something may be known of this record all the same.
            state.epoch += 1;
            return false;
        }
        self.confirm_pending(state, record);
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

        if !plan.groups.is_empty() {
            let State { walkers, matched, ask, .. } = state;
            let steps = walkers.which(&plan.trimmed, record.bytes, matched, ask);
            state.steps += steps;
            while let Some(pattern) = state.ask.pop() {
                state.steps += record.bytes.len() as u64 + 1;
                let cache = &mut state.automata[pattern as usize];
                if self.is_match(pattern, cache, record.bytes, 0..record.bytes.len()) {
                    state.matched.push(pattern);
                }
                state.count_memory(pattern);
            }
        }
        state.matched.extend(&plan.always);
        state.matched.sort_unstable();
        true
    }

    /// Reports the patterns that match. When `out` breaks or panics, they are left to the next scan
    /// to be forgotten.
    fn report(
        &self,
        state: &mut State,
        record: Record<'_>,
        out: &mut impl Sink,
    ) -> ControlFlow<()> {
        let number = record.number as u32;
        for index in 0..state.matched.len() {
            let pattern = state.matched[index];
            let name = self.inner.numbers[pattern as usize];
            match self.inner.report {
                Report::Patterns => out.push(Match::new(number, name, 0..0))?,
                Report::Spans => {
                    let cache = &mut state.automata[pattern as usize];
                    let flow = self.inner.automata[pattern as usize].spans(
                        self.hir(pattern),
                        cache,
                        record.bytes,
                        &mut state.steps,
                        |span| {
                            let span = span.start as u32..span.end as u32;
                            out.push(Match::new(number, name, span))
                        },
                    );
                    state.count_memory(pattern);
                    flow?;
                }
            }
        }
        ControlFlow::Continue(())
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
