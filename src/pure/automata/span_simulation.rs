//! Finds the leftmost-first span by simulating an NFA, where lazy DFAs cannot decide.
//!
//! Whether a pattern matches at all is decided by another simulation, `regex_automata`'s `PikeVM`
//! (see [`pattern`](super::pattern)).
//!
//! This is Pike's simulation: a list of threads, one for each NFA state that the input can have
//! reached, in the order in which a backtracking matcher would try them; so the first thread that
//! accepts is the preferred match, and all threads after it can be dropped. Each thread carries
//! one slot, the position where its match started.
//!
//! `regex_automata`'s `PikeVM` does the same, with slots for all captures. It is not used here,
//! because it does not report how many bytes a search has read. A search ends as soon as no thread
//! can lead to a better match, and what it has read counts against the budget that keeps all
//! searches of a record together linear (see [`span_cursor`](super::span_cursor)).
//!
//! The time for each byte is proportional to the size of the NFA at worst; the memory is that of
//! two lists of its states.

use std::ops::Range;

use regex_automata::nfa::thompson::{NFA, State};
use regex_automata::util::primitives::StateID;

/// Working memory, which can be used with any NFA.
#[derive(Debug, Default)]
pub(super) struct SimulationCache {
    current: Threads,
    next: Threads,
    stack: Vec<StateID>,
}

/// The threads at one position.
#[derive(Debug, Default)]
struct Threads {
    /// States that consume a byte or accept, most preferred first, and where the match of each
    /// thread started.
    list: Vec<(StateID, usize)>,
    /// By state: whether it has been reached. Includes the states that consume nothing, which
    /// have no thread.
    reached: Vec<bool>,
    /// The states that have been reached, so that a reset does not touch all others.
    touched: Vec<StateID>,
}

impl Threads {
    fn reset(&mut self, states: usize) {
        self.list.clear();
        for state in self.touched.drain(..) {
            self.reached[state.as_usize()] = false;
        }
        self.reached.resize(states, false);
    }
}

impl SimulationCache {
    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        [&self.current, &self.next]
            .map(|threads| {
                threads.list.capacity() * size_of::<(StateID, usize)>()
                    + threads.reached.capacity()
                    + threads.touched.capacity() * size_of::<StateID>()
            })
            .iter()
            .sum::<usize>()
            + self.stack.capacity() * size_of::<StateID>()
    }
}

/// Finds the leftmost-first match of `record` that starts at `from` or later. Adds the bytes read
/// to `steps`, and one more for the end of the record.
pub(super) fn leftmost_span(
    nfa: &NFA,
    cache: &mut SimulationCache,
    record: &[u8],
    from: usize,
    steps: &mut u64,
) -> Option<Range<usize>> {
    let states = nfa.states().len();
    cache.current.reset(states);
    cache.next.reset(states);
    let mut found: Option<Range<usize>> = None;
    for at in from..=record.len() {
        *steps += 1;
        if found.is_none() {
            // A match that starts here is less preferred than all that started before, so its
            // threads come last.
            add_threads(
                nfa,
                &mut cache.current,
                &mut cache.stack,
                record,
                at,
                (nfa.start_anchored(), at),
            );
        }
        if cache.current.list.is_empty() && (found.is_some() || nfa.is_always_start_anchored()) {
            break;
        }
        for index in 0..cache.current.list.len() {
            let (state, start) = cache.current.list[index];
            let next = match nfa.state(state) {
                State::ByteRange { trans } => trans.matches(record, at).then_some(trans.next),
                State::Sparse(sparse) => sparse.matches(record, at),
                State::Dense(dense) => dense.matches(record, at),
                State::Match { .. } => {
                    // The threads that follow are less preferred than this match.
                    found = Some(start..at);
                    break;
                }
                _ => None,
            };
            if let Some(next) = next {
                add_threads(nfa, &mut cache.next, &mut cache.stack, record, at + 1, (next, start));
            }
        }
        std::mem::swap(&mut cache.current, &mut cache.next);
        cache.next.reset(states);
    }
    found
}

/// Adds threads for the states that `state` leads to at position `at` without consuming a byte,
/// most preferred first.
fn add_threads(
    nfa: &NFA,
    threads: &mut Threads,
    stack: &mut Vec<StateID>,
    record: &[u8],
    at: usize,
    (state, start): (StateID, usize),
) {
    stack.push(state);
    while let Some(state) = stack.pop() {
        if std::mem::replace(&mut threads.reached[state.as_usize()], true) {
            continue;
        }
        threads.touched.push(state);
        match nfa.state(state) {
            State::Look { look, next } => {
                if nfa.look_matcher().matches(*look, record, at) {
                    stack.push(*next);
                }
            }
            State::Union { alternates } => stack.extend(alternates.iter().rev()),
            State::BinaryUnion { alt1, alt2 } => stack.extend([*alt2, *alt1]),
            State::Capture { next, .. } => stack.push(*next),
            State::Fail => {}
            State::ByteRange { .. } | State::Sparse(_) | State::Dense(_) | State::Match { .. } => {
                threads.list.push((state, start));
            }
        }
    }
}
