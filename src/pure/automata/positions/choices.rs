//! The positions of a pattern with the order in which a backtracking matcher would try them.
//!
//! Which positions can come next is a set; which of them is *preferred* depends on the order of
//! alternatives and on whether repetitions are greedy. `regex_automata`'s NFA has that order, as
//! the order of the branches of its states, and rules for repetitions of what may be empty that
//! [`graph`](super::graph) need not know. So the positions for spans are made from the NFA: each
//! state that reads a byte is a position, or several if it leads to several states. What comes
//! after a position is found by a walk over the states that read no byte, which yields the next
//! positions in the order of preference.
//!
//! The sets of these positions, for the backward pass of [`spans`](super::spans), are a
//! [`Graph`] as for any other automaton.

use std::ops::Range;

use regex_automata::nfa::thompson::{NFA, State};
use regex_automata::util::primitives::StateID;
use regex_syntax::hir::Look;

use crate::pure::literal::ByteSet;

use super::Direction;
use super::bits::Bits;
use super::graph::{ConditionalStep, Emptiness, Ends, Graph, Part, Position};
use super::looks::{self, Looks};

/// The largest number of states that the walks for all choices of a pattern may visit. Patterns of
/// real rule sets need up to ten for each position; a repeated alternation of many words needs as
/// many as the square of their number.
const MAX_VISITS: usize = 64 << 10;

/// What a match can continue with, at boundaries where some assertions hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    pub(super) looks: Looks,
    pub(super) next: Next,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The next byte is read at this position.
    Position(u16),
    /// The match ends.
    End,
}

/// The choices of a pattern, each list ordered by preference.
#[derive(Debug)]
pub(super) struct Choices {
    /// At the start of a match.
    pub(super) start: Box<[Choice]>,
    /// By position: after a byte has been read there.
    pub(super) after: Box<[Box<[Choice]>]>,
}

/// The positions of an NFA before their choices are known.
pub(super) struct NfaPositions {
    /// By position: the bytes that it reads, and the state after that.
    reads: Vec<(ByteSet, StateID)>,
    /// By state: its positions. Empty if it reads no byte.
    of_state: Vec<Range<usize>>,
}

impl NfaPositions {
    pub(super) fn new(nfa: &NFA) -> NfaPositions {
        let of_state = vec![0..0; nfa.states().len()];
        let mut positions = NfaPositions { reads: Vec::new(), of_state };
        // From the last state to the first one: the backward pass goes from a position to those
        // before it, and steps to the next higher number are the cheapest ones.
        for id in used_states(nfa).into_iter().rev() {
            let start = positions.reads.len();
            match nfa.state(id) {
                State::ByteRange { trans } => {
                    positions.add(start, (trans.start..=trans.end).collect(), trans.next);
                }
                State::Sparse(sparse) => {
                    for trans in &*sparse.transitions {
                        positions.add(start, (trans.start..=trans.end).collect(), trans.next);
                    }
                }
                State::Dense(dense) => {
                    for (byte, &next) in (0..=255u8).zip(&*dense.transitions) {
                        // State 0 stands for no transition.
                        if next != StateID::ZERO {
                            positions.add(start, ByteSet::from_iter([byte]), next);
                        }
                    }
                }
                _ => continue,
            }
            positions.of_state[id.as_usize()] = start..positions.reads.len();
        }
        positions
    }

    pub(super) fn len(&self) -> usize {
        self.reads.len()
    }

    /// Adds bytes of a state whose positions begin at `start`.
    fn add(&mut self, start: usize, bytes: ByteSet, next: StateID) {
        match self.reads[start..].iter_mut().find(|(_, known)| *known == next) {
            Some((set, _)) => *set = set.union(&bytes),
            None => self.reads.push((bytes, next)),
        }
    }

    /// The choices of the pattern, or `None` if there are too many, or if an assertion depends on
    /// more than the two bytes next to it.
    pub(super) fn choices(&self, nfa: &NFA) -> Option<Choices> {
        let visited = vec![(0, 0); nfa.states().len()];
        let mut walk = Walk { nfa, positions: self, left: MAX_VISITS, walks: 0, visited };
        let start = walk.choices(nfa.start_anchored())?;
        let after = self.reads.iter().map(|&(_, next)| walk.choices(next));
        Some(Choices { start, after: after.collect::<Option<_>>()? })
    }

    /// The automaton that reads backward: the positions before each one, those that a match can
    /// end with as its first ones, and those that it can start with as its last ones. There must
    /// be at most 64 * `N` positions.
    pub(super) fn backward<const N: usize>(&self, choices: &Choices) -> Option<Graph<N>> {
        let mut classes: Vec<ByteSet> = Vec::new();
        let positions = self.reads.iter().map(|(set, _)| {
            let class = classes.iter().position(|known| known == set).unwrap_or_else(|| {
                classes.push(*set);
                classes.len() - 1
            });
            Position { class, repeat: None, next: Bits::EMPTY }
        });
        let positions = positions.collect();
        let empty = Emptiness { always: false, when: Vec::new() };
        let whole = Part { first: Ends::none(), last: Ends::none(), empty };
        let mut graph = Graph { classes, positions, conditional: Vec::new(), whole };
        for choice in &choices.start {
            match choice.next {
                Next::Position(to) => {
                    graph.whole.last.add(choice.looks, Bits::single(usize::from(to)))?;
                }
                Next::End => graph.whole.empty.add(choice.looks)?,
            }
        }
        for (from, choices) in choices.after.iter().enumerate() {
            let before = Bits::single(from);
            for choice in choices {
                match choice.next {
                    Next::End => graph.whole.first.add(choice.looks, before)?,
                    Next::Position(next) if choice.looks == 0 => {
                        graph.positions[usize::from(next)].next |= before;
                    }
                    Next::Position(next) => graph.conditional.push(ConditionalStep {
                        from: usize::from(next),
                        to: before,
                        looks: choice.looks,
                    }),
                }
            }
        }
        graph.simplify_conditions(Direction::Backward);
        Some(graph)
    }
}

/// The states that an anchored search can reach, ascending. The others are those that skip bytes
/// before a match.
fn used_states(nfa: &NFA) -> Vec<StateID> {
    let mut used = vec![false; nfa.states().len()];
    let mut stack = vec![nfa.start_anchored()];
    while let Some(id) = stack.pop() {
        if std::mem::replace(&mut used[id.as_usize()], true) {
            continue;
        }
        match nfa.state(id) {
            State::ByteRange { trans } => stack.push(trans.next),
            State::Sparse(sparse) => stack.extend(sparse.transitions.iter().map(|t| t.next)),
            State::Dense(dense) => stack.extend(dense.transitions.iter()),
            State::Look { next, .. } | State::Capture { next, .. } => stack.push(*next),
            State::Union { alternates } => stack.extend(alternates.iter()),
            State::BinaryUnion { alt1, alt2 } => stack.extend([*alt1, *alt2]),
            State::Fail | State::Match { .. } => {}
        }
    }
    (0..used.len()).filter(|&index| used[index]).map(StateID::must).collect()
}

/// A walk over the states that read no byte.
struct Walk<'a> {
    nfa: &'a NFA,
    positions: &'a NfaPositions,
    /// The number of states that may still be visited.
    left: usize,
    /// The number of walks so far.
    walks: u32,
    /// By state: the number of the last walk that has come to it, and the assertions on its way
    /// there. A later way whose assertions include these leads nowhere new.
    visited: Vec<(u32, Looks)>,
}

impl Walk<'_> {
    /// What a match can continue with from `state`, in the order of preference.
    fn choices(&mut self, state: StateID) -> Option<Box<[Choice]>> {
        self.walks += 1;
        let mut choices = Vec::new();
        let mut stack = vec![(state, 0)];
        while let Some((state, looks)) = stack.pop() {
            let visited = &mut self.visited[state.as_usize()];
            if visited.0 == self.walks && visited.1 & !looks == 0 {
                continue;
            }
            // Of several ways, only the last is known, so that a choice may be there twice.
            *visited = (self.walks, looks);
            self.left = self.left.checked_sub(1)?;
            match self.nfa.state(state) {
                State::Look { look, next } => {
                    // The two crates represent assertions by the same bits.
                    let look = Look::from_repr(look.as_repr())?;
                    if !looks::is_decidable(look) {
                        return None;
                    }
                    stack.push((*next, looks | look.as_repr()));
                }
                State::Union { alternates } => {
                    stack.extend(alternates.iter().rev().map(|&next| (next, looks)));
                }
                State::BinaryUnion { alt1, alt2 } => {
                    stack.extend([(*alt2, looks), (*alt1, looks)]);
                }
                State::Capture { next, .. } => stack.push((*next, looks)),
                State::Fail => {}
                State::Match { .. } => {
                    choices.push(Choice { looks, next: Next::End });
                    if looks == 0 {
                        // Nothing is tried after this.
                        break;
                    }
                }
                State::ByteRange { .. } | State::Sparse(_) | State::Dense(_) => {
                    for position in self.positions.of_state[state.as_usize()].clone() {
                        choices.push(Choice { looks, next: Next::Position(position as u16) });
                    }
                }
            }
        }
        Some(choices.into())
    }
}
