//! The leftmost-first match by simulating an NFA, where lazy DFAs are unfit.
//!
//! This is Pike's simulation, as in `regex_automata`'s PikeVM, with the start of the match as the
//! only slot, and with a count of the bytes read: a search that has found its match stops as soon
//! as nothing better can come, and what that took has to be known to keep all searches of a
//! record together linear.

use std::ops::Range;

use regex_automata::nfa::thompson::{NFA, State};
use regex_automata::util::primitives::StateID;

/// Working memory.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    current: Threads,
    next: Threads,
    stack: Vec<StateID>,
}

/// States that consume a byte or accept, in the order of preference, and where the match that each
/// would end started.
#[derive(Debug, Default)]
struct Threads {
    list: Vec<(StateID, usize)>,
    /// All states that were reached, those that consume nothing included.
    reached: Vec<bool>,
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

impl Cache {
    /// Memory in bytes.
    pub(crate) fn memory(&self) -> usize {
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

/// The leftmost-first match of `record` that starts at `start` or later. Adds to `steps` how many
/// bytes were read.
pub(crate) fn find_one(
    nfa: &NFA,
    cache: &mut Cache,
    record: &[u8],
    start: usize,
    steps: &mut u64,
) -> Option<Range<usize>> {
    let states = nfa.states().len();
    cache.current.reset(states);
    cache.next.reset(states);
    let mut found: Option<Range<usize>> = None;
    for at in start..=record.len() {
        *steps += 1;
        if found.is_none() {
            // A match that starts here is less preferred than all that started before.
            follow(
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
            let (state, from) = cache.current.list[index];
            let next = match nfa.state(state) {
                State::ByteRange { trans } => trans.matches(record, at).then_some(trans.next),
                State::Sparse(sparse) => sparse.matches(record, at),
                State::Dense(dense) => dense.matches(record, at),
                State::Match { .. } => {
                    // Whatever is less preferred is given up.
                    found = Some(from..at);
                    break;
                }
                _ => None,
            };
            if let Some(next) = next {
                follow(nfa, &mut cache.next, &mut cache.stack, record, at + 1, (next, from));
            }
        }
        std::mem::swap(&mut cache.current, &mut cache.next);
        cache.next.reset(states);
    }
    found
}

/// Adds the states that `state` leads to without a byte.
fn follow(
    nfa: &NFA,
    threads: &mut Threads,
    stack: &mut Vec<StateID>,
    record: &[u8],
    at: usize,
    (state, from): (StateID, usize),
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
                threads.list.push((state, from));
            }
        }
    }
}
