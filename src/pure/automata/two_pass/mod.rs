//! Finds all spans of one pattern in one record in linear time, whatever the pattern is.
//!
//! Finding one leftmost-first match after another is quadratic in the worst case: each search may
//! have to read to the end of the record to establish that a short match is preferred. This search
//! establishes it beforehand for all positions:
//!
//! 1. A [backward pass](viable) computes for each position the NFA states from which a match can
//!    still be reached: the viable states.
//! 2. A forward pass starts a match at each position where the start state is viable, and at each
//!    choice takes the first branch that is viable. That branch is the preferred one that
//!    succeeds, so the pass never backtracks.
//!
//! This is the two-pass greedy matching of Frisch and Cardelli ("Greedy Regular Expression
//! Matching", ICALP 2004), with look-around, and with a `regex` iterator's rules for the next match
//! on top.
//!
//! For a record of `n` bytes and an NFA of `m` states, the search takes `O(n * m)` time, each byte
//! being processed three times, and `O(sqrt(n) * m)` memory. It is much slower than a lazy
//! DFA on ordinary patterns, so it is used only once a record has exhausted the
//! [step budget](super::span_cursor) of faster automata.

mod state_set;
#[cfg(test)]
mod tests;
mod viable;

use std::ops::{ControlFlow, Range};

use regex_automata::nfa::thompson::{NFA, State};
use regex_automata::util::primitives::{NonMaxUsize, StateID};

use super::span_cursor::SpanCursor;
use state_set::StateSet;
use viable::{Predecessors, ViableStates, assertion_holds};

/// The two-pass search for one pattern. Shared by all scanners.
#[derive(Debug)]
pub(super) struct TwoPass {
    nfa: NFA,
    back: Predecessors,
}

/// Working memory.
#[derive(Debug, Default)]
pub(super) struct TwoPassCache {
    viable: ViableStates,
    visited: StateSet,
    stack: Vec<Frame>,
}

/// What is left to do of the search for a state at one position.
#[derive(Debug)]
enum Frame {
    /// Follow the path through this state.
    Explore(StateID),
    /// The path that went through a capture state has failed: give this slot its value from before.
    Restore(usize, Option<NonMaxUsize>),
}

impl TwoPassCache {
    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        self.viable.memory() + self.visited.memory() + self.stack.capacity() * size_of::<Frame>()
    }
}

impl TwoPass {
    pub(super) fn new(nfa: NFA) -> TwoPass {
        let back = Predecessors::new(&nfa);
        TwoPass { nfa, back }
    }

    /// Calls `found` with each span of `record` from `cursor.at` on, until `found` returns
    /// `Break`.
    pub(super) fn for_each_span(
        &self,
        cache: &mut TwoPassCache,
        record: &[u8],
        cursor: &mut SpanCursor,
        found: &mut impl FnMut(Range<usize>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if cursor.at > record.len() {
            return ControlFlow::Continue(());
        }
        cache.viable.run(&self.nfa, &self.back, record, cursor.at..record.len());
        cursor.steps += 2 * (record.len() - cursor.at + 1) as u64;

        let start = self.nfa.start_anchored();
        let mut at = cursor.at;
        while at <= record.len() {
            cache.viable.load(&self.nfa, &self.back, record, at);
            if !contains(cache.viable.get(at), start) {
                at += 1;
                continue;
            }
            let end = self.end_of_match(cache, record, start, at, &mut []);
            // The cursor requires a rejected empty match to be where the search started.
            cursor.at = at;
            if cursor.accept(&(at..end)) {
                found(at..end)?;
            }
            at = cursor.at;
        }
        cursor.at = record.len() + 1;
        ControlFlow::Continue(())
    }

    /// Finds the preferred match that starts at `span.start` and ends at or before `span.end`, and writes
    /// the positions of its groups into `slots`. All slots must be `None`.
    pub(super) fn groups(
        &self,
        cache: &mut TwoPassCache,
        record: &[u8],
        span: Range<usize>,
        slots: &mut [Option<NonMaxUsize>],
    ) {
        let (at, start) = (span.start, self.nfa.start_anchored());
        cache.viable.run(&self.nfa, &self.back, record, span);
        cache.viable.load(&self.nfa, &self.back, record, at);
        if contains(cache.viable.get(at), start) {
            self.end_of_match(cache, record, start, at, slots);
        }
    }

    /// Returns the end of the preferred match that continues from `state` at `at`, and writes the
    /// positions of its groups into `slots`, as far as there are slots. The state must be viable there.
    fn end_of_match(
        &self,
        cache: &mut TwoPassCache,
        record: &[u8],
        mut state: StateID,
        mut at: usize,
        slots: &mut [Option<NonMaxUsize>],
    ) -> usize {
        loop {
            cache.viable.load(&self.nfa, &self.back, record, at);
            let preferred = self.preferred_state(cache, record, state, at, slots);
            let next = match self.nfa.state(preferred) {
                State::ByteRange { trans } => trans.matches(record, at).then_some(trans.next),
                State::Sparse(sparse) => sparse.matches(record, at),
                State::Dense(dense) => dense.matches(record, at),
                _ => None,
            };
            match next {
                Some(next) => state = next,
                None => return at,
            }
            at += 1;
        }
    }

    /// Returns the most preferred of the viable states that consume a byte or accept, among those
    /// that `state` reaches without a byte.
    fn preferred_state(
        &self,
        cache: &mut TwoPassCache,
        record: &[u8],
        state: StateID,
        at: usize,
        slots: &mut [Option<NonMaxUsize>],
    ) -> StateID {
        let TwoPassCache { viable, visited, stack } = cache;
        let viable = viable.get(at);
        visited.reset(self.nfa.states().len());
        stack.clear();
        stack.push(Frame::Explore(state));
        while let Some(frame) = stack.pop() {
            let state = match frame {
                Frame::Explore(state) => state,
                Frame::Restore(slot, before) => {
                    slots[slot] = before;
                    continue;
                }
            };
            if !contains(viable, state) || !visited.insert(state) {
                continue;
            }
            match self.nfa.state(state) {
                State::Look { next, .. } => {
                    if assertion_holds(&self.nfa, state, record, at) {
                        stack.push(Frame::Explore(*next));
                    }
                }
                State::Union { alternates } => {
                    stack.extend(alternates.iter().rev().map(|&state| Frame::Explore(state)));
                }
                State::BinaryUnion { alt1, alt2 } => {
                    stack.extend([Frame::Explore(*alt2), Frame::Explore(*alt1)]);
                }
                State::Capture { next, slot, .. } => {
                    let slot = slot.as_usize();
                    if let Some(value) = slots.get_mut(slot) {
                        stack.push(Frame::Restore(slot, *value));
                        *value = NonMaxUsize::new(at);
                    }
                    stack.push(Frame::Explore(*next));
                }
                State::ByteRange { .. }
                | State::Sparse(_)
                | State::Dense(_)
                | State::Match { .. } => return state,
                State::Fail => {}
            }
        }
        // Unreachable, since a viable state leads to one of these. In a release build, ending the
        // match here at least keeps the loop of the caller finite.
        debug_assert!(false, "a viable state leads nowhere");
        self.back.any_accepting().unwrap_or(state)
    }
}

fn contains(sorted: &[StateID], state: StateID) -> bool {
    sorted.binary_search(&state).is_ok()
}
