//! The spans of one pattern in one record, by lazy DFAs: forward to an end, back to its start.

use std::ops::Range;

use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::{Anchored, Input};

/// How many steps per byte of the record all searches together may take before the rest is left
/// to [`linear`](super::two_pass).
///
/// A leftmost-first search may have to read to the end of the record to know that a short match
/// is the one, as `.*[^A-Z]|[A-Z]` does on capitals, and would do so for each match. Ordinary
/// patterns read few bytes past a match.
const STEPS_PER_BYTE: u64 = 8;
/// Steps that are free, so that short records never change method.
const FREE_STEPS: u64 = 4096;

/// How far a search for all spans has come. It can be carried on by another method.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Where the next search starts.
    pub(crate) at: usize,
    /// Where the last match ended, if there was one.
    pub(crate) last_end: Option<usize>,
    /// How many steps automata took so far.
    pub(crate) steps: u64,
}

impl Progress {
    /// Takes in the leftmost match from `at` on, and tells whether it counts: an empty match
    /// right behind another match does not, and the search goes on one byte later.
    pub(crate) fn accept(&mut self, span: &Range<usize>) -> bool {
        if span.is_empty() && self.last_end == Some(span.end) {
            // The match was where this search started; the next one starts a byte later.
            self.at += 1;
            return false;
        }
        self.at = span.end;
        self.last_end = Some(span.end);
        true
    }
}

/// The DFAs of one pattern with their caches.
pub(crate) struct Dfas<'a> {
    pub(crate) forward: &'a DFA,
    pub(crate) forward_cache: &'a mut Cache,
    pub(crate) reverse: &'a DFA,
    pub(crate) reverse_cache: &'a mut Cache,
}

/// The DFAs can't tell, or it would take too long: carry on with another method.
#[derive(Debug)]
pub(crate) struct Unfit;

/// How many steps a search for all spans of `record` may take before it is finished by another
/// method.
pub(crate) fn budget(record: &[u8]) -> u64 {
    (record.len() as u64).saturating_mul(STEPS_PER_BYTE) + FREE_STEPS
}

/// The leftmost-first span of `record` that starts at `progress.at` or later.
pub(crate) fn find_one(
    dfas: &mut Dfas<'_>,
    record: &[u8],
    progress: &mut Progress,
) -> Result<Option<Range<usize>>, Unfit> {
    let start = progress.at;
    let Some(end) = forward(dfas, record, start, &mut progress.steps)? else { return Ok(None) };
    Ok(Some(backward(dfas, record, start..end, &mut progress.steps)?..end))
}

/// Whether a match starts where `input` does, by a walk that ends as soon as it is known. Adds the
/// bytes read to `steps`.
pub(crate) fn starts_with_match(
    dfa: &DFA,
    cache: &mut Cache,
    input: &Input<'_>,
    steps: &mut u64,
) -> Result<bool, Unfit> {
    let (record, span) = (input.haystack(), input.get_span());
    let mut state = dfa.start_state_forward(cache, input).map_err(|_| Unfit)?;
    let bytes = &record[span.range()];
    if let Some(found) = walk(dfa, cache, &mut state, bytes.iter(), steps)? {
        return Ok(found);
    }
    // The byte behind the span decides what holds at its end.
    state = match record.get(span.end) {
        Some(&behind) => dfa.next_state(cache, state, behind).map_err(|_| Unfit)?,
        None => dfa.next_eoi_state(cache, state).map_err(|_| Unfit)?,
    };
    if state.is_quit() { Err(Unfit) } else { Ok(state.is_match()) }
}

/// Whether a match of a reverse DFA's pattern ends at `end`, by a walk back that ends as soon as
/// it is known. Adds the bytes read to `steps`.
pub(crate) fn ends_with_match(
    dfa: &DFA,
    cache: &mut Cache,
    record: &[u8],
    end: usize,
    steps: &mut u64,
) -> Result<bool, Unfit> {
    let input = Input::new(record).span(0..end).anchored(Anchored::Yes);
    let mut state = dfa.start_state_reverse(cache, &input).map_err(|_| Unfit)?;
    if let Some(found) = walk(dfa, cache, &mut state, record[..end].iter().rev(), steps)? {
        return Ok(found);
    }
    state = dfa.next_eoi_state(cache, state).map_err(|_| Unfit)?;
    if state.is_quit() { Err(Unfit) } else { Ok(state.is_match()) }
}

/// Walks along `bytes` until it is known whether there is a match, and tells if that is so before
/// their end. Adds the bytes read to `steps`, and one for what is behind them.
#[inline(always)]
fn walk<'a>(
    dfa: &DFA,
    cache: &mut Cache,
    state: &mut LazyStateID,
    bytes: impl ExactSizeIterator<Item = &'a u8>,
    steps: &mut u64,
) -> Result<Option<bool>, Unfit> {
    let len = bytes.len() as u64;
    for (count, &byte) in (1..).zip(bytes) {
        let next = dfa.next_state(cache, *state, byte).map_err(|_| Unfit)?;
        if next == *state {
            // Nothing new, and no step that the next one has to wait for: most of a long walk, as
            // along `.*`, stays where it is.
            continue;
        }
        *state = next;
        if next.is_tagged() {
            match Tag::of(next) {
                Tag::Match | Tag::Dead => {
                    *steps += count;
                    return Ok(Some(next.is_match()));
                }
                Tag::Quit => return Err(Unfit),
                Tag::Other => {}
            }
        }
    }
    *steps += len + 1;
    Ok(None)
}

/// The end of the leftmost-first match that starts at `start` or later.
fn forward(
    dfas: &mut Dfas<'_>,
    record: &[u8],
    start: usize,
    steps: &mut u64,
) -> Result<Option<usize>, Unfit> {
    let (dfa, cache) = (dfas.forward, &mut *dfas.forward_cache);
    let input = Input::new(record).span(start..record.len());
    let mut state = dfa.start_state_forward(cache, &input).map_err(|_| Unfit)?;
    let mut end = None;
    for (at, &byte) in record.iter().enumerate().skip(start) {
        state = dfa.next_state(cache, state, byte).map_err(|_| Unfit)?;
        if state.is_tagged() {
            // Matches are told one byte late, so that the byte behind one can be looked at.
            match Tag::of(state) {
                Tag::Match => end = Some(at),
                Tag::Dead => {
                    *steps += (at - start + 1) as u64;
                    return Ok(end);
                }
                Tag::Quit => return Err(Unfit),
                Tag::Other => {}
            }
        }
    }
    *steps += (record.len() - start + 1) as u64;
    state = dfa.next_eoi_state(cache, state).map_err(|_| Unfit)?;
    Ok(if state.is_match() { Some(record.len()) } else { end })
}

/// The start of the match that ends at `span.end`: the leftmost one from `span.start` on.
fn backward(
    dfas: &mut Dfas<'_>,
    record: &[u8],
    span: Range<usize>,
    steps: &mut u64,
) -> Result<usize, Unfit> {
    let (dfa, cache) = (dfas.reverse, &mut *dfas.reverse_cache);
    let input = Input::new(record).span(span.clone()).anchored(Anchored::Yes);
    let mut state = dfa.start_state_reverse(cache, &input).map_err(|_| Unfit)?;
    let mut start = None;
    for at in span.clone().rev() {
        state = dfa.next_state(cache, state, record[at]).map_err(|_| Unfit)?;
        if state.is_tagged() {
            match Tag::of(state) {
                Tag::Match => start = Some(at + 1),
                Tag::Dead => {
                    *steps += (span.end - at) as u64;
                    return start.ok_or(Unfit);
                }
                Tag::Quit => return Err(Unfit),
                Tag::Other => {}
            }
        }
    }
    *steps += (span.len() + 1) as u64;
    // The byte before the span decides what holds at its start.
    state = match span.start.checked_sub(1) {
        Some(before) => dfa.next_state(cache, state, record[before]).map_err(|_| Unfit)?,
        None => dfa.next_eoi_state(cache, state).map_err(|_| Unfit)?,
    };
    match Tag::of(state) {
        Tag::Match => Ok(span.start),
        Tag::Quit => Err(Unfit),
        // A match that was found forward is found backward; if not, the other method decides.
        Tag::Dead | Tag::Other => start.ok_or(Unfit),
    }
}

/// What a tagged state means.
enum Tag {
    Match,
    Dead,
    Quit,
    Other,
}

impl Tag {
    fn of(state: LazyStateID) -> Tag {
        if state.is_match() {
            Tag::Match
        } else if state.is_dead() {
            Tag::Dead
        } else if state.is_quit() {
            Tag::Quit
        } else {
            Tag::Other
        }
    }
}
