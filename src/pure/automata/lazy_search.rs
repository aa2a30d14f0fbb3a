//! Searches with the lazy DFAs of one pattern, each of which counts the bytes that it reads.
//!
//! [`starts_at`] and [`ends_at`] test whether a match starts or ends at a given position.
//! [`leftmost_span`] runs a forward DFA to the end of the leftmost-first match and a reverse DFA
//! from there back to its start.
//!
//! `regex_automata` has searches of its own for all of these. They are not used, because they do
//! not report how far they read, and the callers need that: every candidate position of a record
//! may start a search, and only a budget for all of them together keeps the time linear. The counts
//! are exact up to one step for the end of the input.
//!
//! In all of them, matches are reported one byte late, as in `regex_automata`: the byte after a
//! match decides whether an assertion at its end holds. So each search ends with one more
//! transition, for the byte after its range or for the end of the record.

use std::ops::Range;

use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::{Anchored, Input};

/// The lazy DFA cannot decide: it has met a byte outside ASCII and has to decide a Unicode word
/// boundary, or it has given up (see [`lazy_dfa`](super::lazy_dfa)). The caller has to use
/// another automaton.
#[derive(Debug)]
pub(super) struct Undecided;

/// The DFAs for the spans of one pattern, with their caches.
pub(super) struct SpanDfas<'a> {
    /// Unanchored, leftmost-first.
    pub(super) forward: &'a DFA,
    pub(super) forward_cache: &'a mut Cache,
    /// Of the reversed pattern, with all matches, so that it finds the leftmost start.
    pub(super) reverse: &'a DFA,
    pub(super) reverse_cache: &'a mut Cache,
}

/// Finds the leftmost-first span of `record` that starts at `from` or later. Adds the bytes read
/// to `steps`.
pub(super) fn leftmost_span(
    dfas: &mut SpanDfas<'_>,
    record: &[u8],
    from: usize,
    steps: &mut u64,
) -> Result<Option<Range<usize>>, Undecided> {
    let input = Input::new(record).range(from..);
    let end = leftmost_end(dfas.forward, dfas.forward_cache, &input, steps)?;
    let Some(end) = end else { return Ok(None) };
    let start = start_of(dfas.reverse, dfas.reverse_cache, record, from..end, steps)?;
    // The forward DFA has found this match, so the reverse DFA finds its start. If the two
    // ever disagreed, the caller's other automaton would decide.
    Ok(Some(start.ok_or(Undecided)?..end))
}

/// Tests whether a match starts where `input`, which must be anchored, does. Returns as soon as
/// that is known. Adds the bytes read to `steps`.
pub(super) fn starts_at(
    dfa: &DFA,
    cache: &mut Cache,
    input: &Input<'_>,
    steps: &mut u64,
) -> Result<bool, Undecided> {
    let (record, span) = (input.haystack(), input.get_span());
    let mut state = dfa.start_state_forward(cache, input).map_err(|_| Undecided)?;
    let bytes = &record[span.range()];
    if let Some(found) = run(dfa, cache, &mut state, bytes.iter(), steps)? {
        return Ok(found);
    }
    // The byte after the span decides which assertions hold at its end.
    state = match record.get(span.end) {
        Some(&next) => dfa.next_state(cache, state, next).map_err(|_| Undecided)?,
        None => dfa.next_eoi_state(cache, state).map_err(|_| Undecided)?,
    };
    if state.is_quit() { Err(Undecided) } else { Ok(state.is_match()) }
}

/// Tests whether a match ends at `end`, with the DFA of the reversed pattern. Returns as soon as
/// that is known. Adds the bytes read to `steps`.
pub(super) fn ends_at(
    dfa: &DFA,
    cache: &mut Cache,
    record: &[u8],
    end: usize,
    steps: &mut u64,
) -> Result<bool, Undecided> {
    let input = Input::new(record).span(0..end).anchored(Anchored::Yes);
    let mut state = dfa.start_state_reverse(cache, &input).map_err(|_| Undecided)?;
    if let Some(found) = run(dfa, cache, &mut state, record[..end].iter().rev(), steps)? {
        return Ok(found);
    }
    state = dfa.next_eoi_state(cache, state).map_err(|_| Undecided)?;
    if state.is_quit() { Err(Undecided) } else { Ok(state.is_match()) }
}

/// Runs the DFA over `bytes` until it reaches a match state or the dead state. Returns whether
/// that state is a match, or `None` if `bytes` end first. Adds the bytes read to `steps`, and one
/// for the transition that is left to the caller.
#[inline(always)]
fn run<'a>(
    dfa: &DFA,
    cache: &mut Cache,
    state: &mut LazyStateID,
    bytes: impl ExactSizeIterator<Item = &'a u8>,
    steps: &mut u64,
) -> Result<Option<bool>, Undecided> {
    let len = bytes.len() as u64;
    for (count, &byte) in (1..).zip(bytes) {
        let next = next_state(dfa, cache, *state, byte)?;
        if next == *state {
            // A long search, as along `.*`, mostly stays in one state. The branch predictor
            // learns that, and then a step need not wait for the table load of the step before.
            continue;
        }
        *state = next;
        if next.is_tagged() {
            match StateTag::of(next) {
                StateTag::Match | StateTag::Dead => {
                    *steps += count;
                    return Ok(Some(next.is_match()));
                }
                StateTag::Quit => return Err(Undecided),
                StateTag::Other => {}
            }
        }
    }
    *steps += len + 1;
    Ok(None)
}

/// The state after one more byte. Most transitions are between untagged states, for which the table load
/// need not wait until the tag has been removed from the state before.
#[inline(always)]
fn next_state(
    dfa: &DFA,
    cache: &mut Cache,
    state: LazyStateID,
    byte: u8,
) -> Result<LazyStateID, Undecided> {
    if !state.is_tagged() {
        let next = dfa.next_state_untagged(cache, state, byte);
        if !next.is_unknown() {
            return Ok(next);
        }
    }
    dfa.next_state(cache, state, byte).map_err(|_| Undecided)
}

/// Finds the end of the leftmost-first match that starts where `input` does or later, or only there if
/// `input` is anchored. It must extend to the end of its record. Adds the bytes read to `steps`.
pub(super) fn leftmost_end(
    dfa: &DFA,
    cache: &mut Cache,
    input: &Input<'_>,
    steps: &mut u64,
) -> Result<Option<usize>, Undecided> {
    let (record, from) = (input.haystack(), input.start());
    let mut state = dfa.start_state_forward(cache, input).map_err(|_| Undecided)?;
    let mut end = None;
    for (at, &byte) in record.iter().enumerate().skip(from) {
        let next = next_state(dfa, cache, state, byte)?;
        if next == state && !next.is_tagged() {
            // As in `run`: what comes before a match mostly stays in one state.
            continue;
        }
        state = next;
        if state.is_tagged() {
            match StateTag::of(state) {
                StateTag::Match => end = Some(at),
                StateTag::Dead => {
                    *steps += (at - from + 1) as u64;
                    return Ok(end);
                }
                StateTag::Quit => return Err(Undecided),
                StateTag::Other => {}
            }
        }
    }
    *steps += (record.len() - from + 1) as u64;
    state = dfa.next_eoi_state(cache, state).map_err(|_| Undecided)?;
    Ok(if state.is_match() { Some(record.len()) } else { end })
}

/// Finds the leftmost start of a match that ends at `span.end`, of those that are not before
/// `span.start`, with a DFA of the reversed pattern that reports all matches. Adds the bytes read to
/// `steps`.
pub(super) fn start_of(
    dfa: &DFA,
    cache: &mut Cache,
    record: &[u8],
    span: Range<usize>,
    steps: &mut u64,
) -> Result<Option<usize>, Undecided> {
    let input = Input::new(record).span(span.clone()).anchored(Anchored::Yes);
    let mut state = dfa.start_state_reverse(cache, &input).map_err(|_| Undecided)?;
    let mut start = None;
    for at in span.clone().rev() {
        let next = next_state(dfa, cache, state, record[at])?;
        if next == state && !next.is_tagged() {
            continue;
        }
        state = next;
        if state.is_tagged() {
            match StateTag::of(state) {
                StateTag::Match => start = Some(at + 1),
                StateTag::Dead => {
                    *steps += (span.end - at) as u64;
                    return Ok(start);
                }
                StateTag::Quit => return Err(Undecided),
                StateTag::Other => {}
            }
        }
    }
    *steps += (span.len() + 1) as u64;
    // The byte before the span decides which assertions hold at its start.
    state = match span.start.checked_sub(1) {
        Some(before) => dfa.next_state(cache, state, record[before]).map_err(|_| Undecided)?,
        None => dfa.next_eoi_state(cache, state).map_err(|_| Undecided)?,
    };
    match StateTag::of(state) {
        StateTag::Match => Ok(Some(span.start)),
        StateTag::Quit => Err(Undecided),
        StateTag::Dead | StateTag::Other => Ok(start),
    }
}

/// The meaning of a tagged state id, for which searches leave their inner loop.
enum StateTag {
    Match,
    Dead,
    Quit,
    /// A start state, or one that is not built yet.
    Other,
}

impl StateTag {
    fn of(state: LazyStateID) -> StateTag {
        if state.is_match() {
            StateTag::Match
        } else if state.is_dead() {
            StateTag::Dead
        } else if state.is_quit() {
            StateTag::Quit
        } else {
            StateTag::Other
        }
    }
}
