//! A set of NFA states that is cleared in the time that it took to fill it.

use regex_automata::util::primitives::StateID;

/// A set of NFA states, which keeps the order of insertion.
///
/// It is `regex_automata`'s `SparseSet` with a bit array in place of the sparse index. It may be
/// extended by its own members while it is read by position, which the closure computations of
/// this search do.
#[derive(Debug, Default)]
pub(super) struct StateSet {
    contains: Vec<bool>,
    list: Vec<StateID>,
}

impl StateSet {
    /// Empties the set, and makes room for the states of an NFA of this size.
    pub(super) fn reset(&mut self, states: usize) {
        for state in self.list.drain(..) {
            self.contains[state.as_usize()] = false;
        }
        if self.contains.len() < states {
            self.contains.resize(states, false);
        }
    }

    /// Inserts a state, and returns whether it was not in the set.
    pub(super) fn insert(&mut self, state: StateID) -> bool {
        let new = !std::mem::replace(&mut self.contains[state.as_usize()], true);
        if new {
            self.list.push(state);
        }
        new
    }

    /// The states in the order of insertion.
    pub(super) fn as_slice(&self) -> &[StateID] {
        &self.list
    }

    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        self.list.capacity() * size_of::<StateID>() + self.contains.capacity()
    }
}
