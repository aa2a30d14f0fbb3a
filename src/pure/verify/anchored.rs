//! Verifies patterns at a known position: at a hit, if their tail starts with the needle, so that a match
//! must start (or, for a pattern in two parts, pass) exactly there; or at the start of the record, if they
//! match only there and a few bytes mostly decide.
//!
//! The forward automaton runs from the hit and stops as soon as the answer is known, for an
//! ordinary pattern within a few bytes. If the pattern has a head, a reverse automaton then runs
//! backward from the hit. This is cheaper than a search of a window, which would start at the
//! earliest position where a match can begin.

use std::ops::Range;

use crate::pure::ids::PatternIndex;

use super::cache::VerifyCache;
use super::postings::{Place, Posting};
use super::tables::VerifyTables;

/// The steps that verifying the hits of one pattern may take, per byte of the record, before the
/// rest of the record is searched once instead. A step is a byte read, times the words of the
/// automaton's state.
///
/// Ordinary patterns fail within a few bytes, and then verifying hit by hit costs less than one
/// search for all hits. The budget bounds the time where each attempt reads to the end of the
/// record.
const STEPS_PER_BYTE: u64 = 16;

/// The steps that are allowed in addition, whatever the length of the record.
const FREE_STEPS: u64 = 1024;

/// The number of steps that a byte read backward counts as. Each later hit is farther from the
/// start of the record, so a search that reads back to the start takes longer from hit to hit, and
/// the budget has to run out sooner.
const STEPS_PER_BYTE_BACK: u64 = 8;

/// The length of a record, in bytes, up to which it is checked for a required run, or for the byte pairs of a
/// head, before the first hit is verified. The check reads every byte at worst. In a longer record it would
/// cost more than it saves if there are few hits, so it waits until they have taken some steps.
const MAX_LEN_TO_CHECK: u64 = 1024;

/// The number of bytes to check that cost no more than one step of an automaton.
const CHECKED_BYTES_PER_STEP: u64 = 8;

/// The number of steps that one pattern may take in `record`.
#[inline]
fn budget(record: &[u8]) -> u64 {
    STEPS_PER_BYTE * record.len() as u64 + FREE_STEPS
}

/// Verifies the pattern of a posting whose place is no window, after the hit `start..end` of `record`.
pub(super) fn verify(
    tables: &VerifyTables,
    cache: &mut VerifyCache,
    record: &[u8],
    posting: &Posting,
    start: u32,
    end: u32,
) {
    if posting.exact {
        return cache.set_matched(posting.pattern, Some(start));
    }
    let from = if posting.place == Place::RecordStart { 0 } else { start };
    let remaining = record.len() as u32 - from;
    if start > posting.max_start || !(posting.min_len..=posting.max_remaining).contains(&remaining)
    {
        return;
    }
    if posting.place == Place::RecordStart {
        verify_record_start(tables, cache, record, posting.pattern);
        return;
    }
    if let Some(run) = posting.required_run {
        let steps = cache.steps_in_record(posting.pattern);
        if record.len() as u64 <= MAX_LEN_TO_CHECK + CHECKED_BYTES_PER_STEP * steps
            && !cache.has_any_run(&tables.required_runs, &[run], record)
        {
            return;
        }
    }
    let window = posting.window(start..end, record.len());
    verify_pattern(tables, cache, record, posting.pattern, start, window);
}

/// Verifies a pattern at the start of a record, where all of its matches are, unless that was done for this record. Returns
/// whether an automaton has read anything.
fn verify_record_start(
    tables: &VerifyTables,
    cache: &mut VerifyCache,
    record: &[u8],
    pattern: PatternIndex,
) -> bool {
    debug_assert!(tables.patterns.head(pattern).is_none(), "its tail is not all of it");
    let status = &mut cache.status[pattern.index()];
    status.enter_record(cache.epoch);
    if status.matched || status.end > 0 {
        return false;
    }
    // Nothing is left to be searched after this.
    status.end = record.len() as u32;
    if !tables.patterns.record_starts.allow(pattern, record) {
        return false;
    }
    let mut steps = 0;
    let found = tables.patterns.automata(pattern).is_match_at(
        tables.patterns.tail(pattern),
        &mut cache.memory_of(pattern),
        record,
        0..record.len(),
        &mut steps,
    );
    cache.steps += steps;
    cache.measure(pattern);
    if found {
        cache.set_matched(pattern, None);
    }
    true
}

/// Verifies one pattern at a hit that starts at `start`. If its tail is the whole trimmed form, its
/// match lies in `window`. Returns whether an automaton has read anything.
fn verify_pattern(
    tables: &VerifyTables,
    cache: &mut VerifyCache,
    record: &[u8],
    pattern: PatternIndex,
    start: u32,
    window: Range<usize>,
) -> bool {
    let patterns = &tables.patterns;
    if !is_head_allowed(tables, cache, record, pattern, start) {
        return false;
    }
    let status = &mut cache.status[pattern.index()];
    status.enter_record(cache.epoch);
    if status.matched {
        status.add_hit(start);
        return false;
    }
    let head = patterns.head(pattern);
    let from = if head.is_some() { 0 } else { start };
    if status.deferred.is_some() || status.steps > budget(record) {
        cache.defer(pattern, from);
        return false;
    }
    let automata = patterns.automata(pattern);
    let memory = &mut cache.memory_of(pattern);
    let mut steps = 0;
    let tail = patterns.tail(pattern);
    let found = if head.is_none() {
        // The tail is the whole trimmed form.
        Some(automata.is_match_at(tail, memory, record, window, &mut steps))
    } else {
        automata.tail_starts_at(tail, memory, record, start as usize, &mut steps)
    };
    cache.status[pattern.index()].steps += steps;
    cache.steps += steps;
    cache.measure(pattern);
    match found {
        Some(true) => complete_match(tables, cache, record, pattern, start),
        Some(false) => {}
        None => cache.defer(pattern, from),
    }
    true
}

/// Whether the head of a pattern can match before a hit that starts at `start`, as far as its byte pairs say.
#[inline]
fn is_head_allowed(
    tables: &VerifyTables,
    cache: &mut VerifyCache,
    record: &[u8],
    pattern: PatternIndex,
    start: u32,
) -> bool {
    let long = u64::from(start).saturating_sub(MAX_LEN_TO_CHECK);
    if long > 0 && long > CHECKED_BYTES_PER_STEP * cache.steps_in_record(pattern) {
        return true;
    }
    let VerifyCache { pairs, epoch, steps, .. } = cache;
    tables.patterns.head_pairs.allow(pattern, pairs, *epoch, &record[..start as usize], steps)
}

/// Verifies the patterns of a shared-literal group at a hit that starts at `start`.
pub(super) fn verify_group(
    tables: &VerifyTables,
    cache: &mut VerifyCache,
    record: &[u8],
    index: usize,
    start: u32,
) {
    let group = tables.shared.group(index);
    let is_new = cache.shared[index].enter_record(cache.epoch);
    let from_start = group.place == Place::RecordStart;
    if from_start && !is_new {
        // Its members were verified after an earlier hit.
        return;
    }
    let start = if from_start { 0 } else { start };
    if record.len() - (start as usize) < group.min_len as usize
        || !cache.has_any_run(&tables.required_runs, &group.required_runs, record)
    {
        return;
    }
    let group_cache = &mut cache.shared[index];
    if !group_cache.uses_dfa() {
        let window = start as usize..record.len();
        let members = group.dfa.members.iter();
        let verify = |&&member: &&_| match from_start {
            true => verify_record_start(tables, cache, record, member),
            false => verify_pattern(tables, cache, record, member, start, window.clone()),
        };
        let verified = members.filter(verify).count();
        cache.shared[index].verified += verified;
        return;
    }
    let mut steps = 0;
    let decided = group_cache.steps <= budget(record)
        && group.dfa.matching_at(
            &|pattern| tables.patterns.tail(pattern),
            &mut group_cache.dfa,
            record,
            start as usize,
            &mut steps,
            &mut cache.members,
        );
    group_cache.steps += steps;
    cache.steps += steps;
    cache.measure_shared(index);
    if !decided {
        // The DFA gave up, or the budget is used up: each member is searched once by itself.
        cache.members.clear();
        for &pattern in &group.dfa.members {
            let from = if tables.patterns.head(pattern).is_some() { 0 } else { start };
            cache.defer(pattern, from);
        }
        return;
    }
    while let Some(pattern) = cache.members.pop() {
        if is_head_allowed(tables, cache, record, pattern, start) {
            complete_match(tables, cache, record, pattern, start);
        }
    }
}

/// Completes a match of a pattern whose tail matches from `start` on: records that the pattern
/// matches, if it has no head or if its head matches up to `start`.
fn complete_match(
    tables: &VerifyTables,
    cache: &mut VerifyCache,
    record: &[u8],
    pattern: PatternIndex,
    start: u32,
) {
    let status = &mut cache.status[pattern.index()];
    status.enter_record(cache.epoch);
    if status.matched {
        return status.add_hit(start);
    }
    if status.deferred.is_some() {
        return;
    }
    if let Some(head) = tables.patterns.head(pattern) {
        if status.steps > budget(record) {
            return cache.defer(pattern, 0);
        }
        let mut steps = 0;
        let found = tables.patterns.automata(pattern).head_ends_at(
            head,
            &mut cache.memory_of(pattern),
            record,
            start as usize,
            &mut steps,
        );
        cache.status[pattern.index()].steps += STEPS_PER_BYTE_BACK * steps;
        cache.steps += steps;
        cache.measure(pattern);
        match found {
            Some(true) => {}
            Some(false) => return,
            None => return cache.defer(pattern, 0),
        }
    }
    cache.set_matched(pattern, Some(start));
}
