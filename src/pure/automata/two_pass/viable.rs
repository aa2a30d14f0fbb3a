//! The backward pass: at each position of a record, the NFA states from which the rest of the
//! record can still lead to a match.
//!
//! The pass runs the NFA against its transitions, from the end of the record to its start. A state
//! is viable at a position if it accepts, if the byte there takes it to a state that is viable at
//! the next position, or if it reaches a viable state without a byte.
//!
//! # Memory
//!
//! A record of `n` bytes has `n + 1` such sets, too many to keep. As in Hirschberg's and other
//! checkpointing schemes, the pass keeps only every `b`-th set, with `b` about `sqrt(n)`. The
//! forward pass reads positions in ascending order, so when it enters a block of `b` positions,
//! the sets of that block are computed again from the checkpoint at its end. That is twice the
//! time, and memory for `2 * sqrt(n)` sets.

use std::ops::Range;

use regex_automata::nfa::thompson::{NFA, State};
use regex_automata::util::primitives::StateID;

use super::state_set::StateSet;

/// The transitions of an NFA, reversed.
#[derive(Debug)]
pub(super) struct Predecessors {
    /// By state: the transitions that lead to it.
    incoming: Vec<Vec<Transition>>,
    accepting: Vec<StateID>,
}

/// A transition, named by the state that it comes from.
#[derive(Clone, Copy, Debug)]
enum Transition {
    /// Consumes no byte.
    Epsilon(StateID),
    /// Consumes no byte, and exists only where the assertion of the state holds.
    Look(StateID),
    /// Consumes a byte of this inclusive range.
    Byte(StateID, u8, u8),
}

/// The viable states of one record. Blocks are numbered from the position where the pass ends.
#[derive(Debug, Default)]
pub(super) struct ViableStates {
    /// The first position.
    base: usize,
    /// The last position.
    end: usize,
    /// Positions per block.
    block_len: usize,
    /// The sets at the first position of each block, and after them an empty set, from which the
    /// last block is computed.
    checkpoints: Vec<Vec<StateID>>,
    /// The sets at each position of the loaded block.
    block: Vec<Vec<StateID>>,
    /// The number of the loaded block.
    loaded: Option<usize>,
    set: StateSet,
}

impl Predecessors {
    pub(super) fn new(nfa: &NFA) -> Predecessors {
        let mut incoming = vec![Vec::new(); nfa.states().len()];
        let mut accepting = Vec::new();
        for (index, state) in nfa.states().iter().enumerate() {
            let from = StateID::new_unchecked(index);
            let mut add = |to: StateID, edge: Transition| incoming[to.as_usize()].push(edge);
            match state {
                State::ByteRange { trans } => {
                    add(trans.next, Transition::Byte(from, trans.start, trans.end));
                }
                State::Sparse(sparse) => {
                    for trans in &sparse.transitions {
                        add(trans.next, Transition::Byte(from, trans.start, trans.end));
                    }
                }
                State::Dense(dense) => {
                    // State 0 always fails. In a dense state it stands for the bytes that have no
                    // transition.
                    for (byte, &next) in (0..=255).zip(&dense.transitions[..]) {
                        if next != StateID::ZERO {
                            add(next, Transition::Byte(from, byte, byte));
                        }
                    }
                }
                State::Look { next, .. } => add(*next, Transition::Look(from)),
                State::Union { alternates } => {
                    for &next in alternates {
                        add(next, Transition::Epsilon(from));
                    }
                }
                State::BinaryUnion { alt1, alt2 } => {
                    add(*alt1, Transition::Epsilon(from));
                    add(*alt2, Transition::Epsilon(from));
                }
                State::Capture { next, .. } => add(*next, Transition::Epsilon(from)),
                State::Fail => {}
                State::Match { .. } => accepting.push(from),
            }
        }
        Predecessors { incoming, accepting }
    }

    /// A state that accepts, if the NFA has one.
    pub(super) fn any_accepting(&self) -> Option<StateID> {
        self.accepting.first().copied()
    }

    /// Replaces the states that are viable at `at + 1` with those that are viable at `at`, sorted.
    fn step_back(
        &self,
        nfa: &NFA,
        set: &mut StateSet,
        record: &[u8],
        at: usize,
        states: &mut Vec<StateID>,
    ) {
        set.reset(self.incoming.len());
        if let Some(&byte) = record.get(at) {
            for state in states.iter() {
                for transition in &self.incoming[state.as_usize()] {
                    if let Transition::Byte(from, low, high) = *transition
                        && (low..=high).contains(&byte)
                    {
                        set.insert(from);
                    }
                }
            }
        }
        for &state in &self.accepting {
            set.insert(state);
        }
        let mut next = 0;
        while let Some(&state) = set.as_slice().get(next) {
            next += 1;
            for transition in &self.incoming[state.as_usize()] {
                match *transition {
                    Transition::Epsilon(from) => {
                        set.insert(from);
                    }
                    Transition::Look(from) if assertion_holds(nfa, from, record, at) => {
                        set.insert(from);
                    }
                    Transition::Look(_) | Transition::Byte(..) => {}
                }
            }
        }
        states.clear();
        states.extend_from_slice(set.as_slice());
        states.sort_unstable();
    }
}

/// Whether the assertion of a look-around state holds at `at`. True for every other state.
pub(super) fn assertion_holds(nfa: &NFA, state: StateID, record: &[u8], at: usize) -> bool {
    match nfa.state(state) {
        State::Look { look, .. } => nfa.look_matcher().matches(*look, record, at),
        _ => true,
    }
}

impl ViableStates {
    /// Runs the backward pass from the end of `span` to its start, and keeps the checkpoints. Matches
    /// that end after `span` are ignored.
    pub(super) fn run(
        &mut self,
        nfa: &NFA,
        back: &Predecessors,
        record: &[u8],
        span: Range<usize>,
    ) {
        let Range { start: base, end } = span;
        let positions = end - base + 1;
        (self.base, self.end) = (base, end);
        self.block_len = (positions as f64).sqrt().ceil() as usize;
        let blocks = (end - base) / self.block_len + 1;
        self.checkpoints.truncate(0);
        self.checkpoints.resize(blocks + 1, Vec::new());
        self.loaded = None;
        let mut states = Vec::new();
        for at in (base..=end).rev() {
            back.step_back(nfa, &mut self.set, record, at, &mut states);
            if (at - base).is_multiple_of(self.block_len) {
                self.checkpoints[(at - base) / self.block_len] = states.clone();
            }
        }
    }

    /// Computes the sets of the block that contains `at`, unless it is loaded. Blocks must be
    /// loaded in ascending order, and [`ViableStates::run`] must have been called for `record`.
    pub(super) fn load(&mut self, nfa: &NFA, back: &Predecessors, record: &[u8], at: usize) {
        let number = (at - self.base) / self.block_len;
        if self.loaded == Some(number) {
            return;
        }
        self.loaded = Some(number);
        let first = self.base + number * self.block_len;
        let last = (first + self.block_len - 1).min(self.end);
        let mut states = std::mem::take(&mut self.checkpoints[number + 1]);
        let mut block = std::mem::take(&mut self.block);
        block.resize(self.block_len, Vec::new());
        for at in (first..=last).rev() {
            back.step_back(nfa, &mut self.set, record, at, &mut states);
            let slot = &mut block[at - first];
            slot.clear();
            slot.extend_from_slice(&states);
        }
        self.block = block;
    }

    /// The states that are viable at `at`, sorted. The block of `at` must be loaded.
    pub(super) fn get(&self, at: usize) -> &[StateID] {
        &self.block[(at - self.base) % self.block_len]
    }

    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        self.checkpoints.iter().chain(&self.block).map(Vec::capacity).sum::<usize>()
            * size_of::<StateID>()
            + self.set.memory()
    }
}
