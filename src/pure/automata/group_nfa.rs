//! The NFA of a group of patterns, without empty transitions.
//!
//! A state is everything that can follow at one place of a pattern: the [steps](Step) that read a byte
//! or cross an assertion, and the patterns that end there. States are made from the end of the
//! patterns to their start, each from what follows it. So an alternation is the union of the steps of
//! its branches, and no transition without a byte is ever needed, except back to a loop that is still
//! open; those are replaced by the steps of the loop in the end.
//!
//! `regex_automata` makes a Thompson NFA, which is smaller in the worst case, but determinizing then
//! has to follow chains of empty transitions at each step, and building it takes five times as long.
//! For groups, both are most of the first pass over a text.
//!
//! Equal states are made once: `(?:ab|cb)d` has one state after `a` and `c`. And patterns that start
//! with the same parts share their states, as long as the parts are equal. Both keep the sets of
//! states small that are the states of the group's DFA.
//!
//! # Limits
//!
//! Steps are copied into each union, so nested optional parts such as `(?:a?b?c?){100}` take space
//! that grows with the square of their number. An NFA with too many steps is not
//! [built](super::nfa_builder).

use regex_syntax::hir::Hir;

use crate::pure::literal::{self, ByteSet};

use super::nfa_builder::NfaBuilder;
use super::positions::looks::Looks;

/// A state, as an index.
pub(super) type StateId = u32;

/// A step from one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Step {
    /// For a step that reads a byte: an index into [`GroupNfa::sets`]. For one that crosses an
    /// assertion: [`LOOK`], and the assertion's [`Looks`].
    pub(super) over: u32,
    pub(super) to: StateId,
}

/// Tag of [`Step::over`]: an assertion.
pub(super) const LOOK: u32 = 1 << 30;
/// Tag of [`Step::over`]: no byte. The step leads back to a loop.
pub(super) const EMPTY: u32 = 1 << 31;

impl Step {
    /// The assertion that a step crosses.
    pub(super) fn looks(self) -> Looks {
        self.over & !LOOK
    }
}

/// The NFA of up to 64 patterns.
#[derive(Debug)]
pub(super) struct GroupNfa {
    /// The different sets of bytes that steps read.
    pub(super) sets: Vec<ByteSet>,
    pub(super) steps: Vec<Step>,
    pub(super) states: Vec<State>,
    /// All assertions.
    pub(super) looks: Looks,
    /// Whether there are Unicode word boundaries. In `looks` and in steps they are those of ASCII.
    pub(super) unicode_boundary: bool,
}

/// A state: its steps over bytes, then those over assertions.
#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    pub(super) start: u32,
    pub(super) looks: u32,
    pub(super) end: u32,
    /// The patterns that match on entering the state, as bits.
    pub(super) matches: u64,
}

impl GroupNfa {
    /// The state before all patterns.
    pub(super) const START: StateId = 0;

    /// The NFA of `hirs`, of which there are at most 64. With `to_record_end`, all of them match at
    /// the end of the record, if they match anywhere before. `None` if it is too large.
    pub(super) fn new(hirs: &[&Hir], to_record_end: bool) -> Option<GroupNfa> {
        let mut builder = NfaBuilder::default();
        let members = hirs.iter().enumerate().map(|(index, hir)| {
            let end = builder.add(&[], 1 << index);
            let end = if to_record_end { builder.until_record_end(end) } else { end };
            (literal::parts(hir), end)
        });
        let members = members.collect();
        let start = builder.members(members);
        builder.finish(start)
    }

    pub(super) fn len(&self) -> usize {
        self.states.len()
    }

    /// Heap memory in bytes.
    pub(super) fn memory(&self) -> usize {
        self.sets.capacity() * size_of::<ByteSet>()
            + self.steps.capacity() * size_of::<Step>()
            + self.states.capacity() * size_of::<State>()
    }

    /// The steps of a state that read a byte.
    #[inline]
    pub(super) fn byte_steps(&self, state: StateId) -> &[Step] {
        let State { start, looks, .. } = self.states[state as usize];
        &self.steps[start as usize..looks as usize]
    }

    /// The steps of a state that cross an assertion.
    #[inline]
    pub(super) fn look_steps(&self, state: StateId) -> &[Step] {
        let State { looks, end, .. } = self.states[state as usize];
        &self.steps[looks as usize..end as usize]
    }

    /// Whether a state has steps.
    #[inline]
    pub(super) fn continues(&self, state: StateId) -> bool {
        let State { start, end, .. } = self.states[state as usize];
        start < end
    }

    /// The patterns that match on entering the state, as bits.
    #[inline]
    pub(super) fn matches(&self, state: StateId) -> u64 {
        self.states[state as usize].matches
    }

    /// Whether a step that reads a byte reads this one.
    #[inline]
    pub(super) fn reads(&self, step: Step, byte: u8) -> bool {
        self.sets[step.over as usize].contains(byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(patterns: &[&str]) -> Option<usize> {
        let parser = regex_syntax::ParserBuilder::new().utf8(false).unicode(false).build();
        let hirs: Vec<Hir> = patterns.iter().map(|p| parser.clone().parse(p).unwrap()).collect();
        GroupNfa::new(&hirs.iter().collect::<Vec<_>>(), false).map(|nfa| nfa.len())
    }

    #[test]
    fn equal_states_and_common_starts_are_made_once() {
        for (patterns, expected) in [
            (&["abc"][..], 4),
            (&["[ab]*c"], 2),
            // After `a` and after `c`, the same can follow.
            (&["(?:ab|cb)d"], 4),
            (&["a?b?c?d"], 5),
            (&["(?:a*b)*c"], 3),
            (&["x[ab]*y", "x[ab]*y"], 3),
            (&["x[ab]*y", "x[ab]*z"], 4),
            (&["x[ab]*y", "w[ab]*z"], 5),
        ] {
            assert_eq!(states(patterns), Some(expected), "{patterns:?}");
        }
    }

    #[test]
    fn an_nfa_that_is_too_large_is_not_built() {
        assert!(states(&["(?:a?b?c?d?){100}"]).is_some());
        assert_eq!(states(&["(?:a?b?c?d?){400}"]), None);
    }
}
