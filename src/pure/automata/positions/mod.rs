//! Bit-parallel position automata: they decide whether one pattern matches, without a cache and
//! without warm-up.
//!
//! Each byte or class of a pattern is a position; the state of a search is the set of positions at
//! which the last byte can have been read, as bits of one to eight machine words (Glushkov 1961;
//! Navarro and Raffinot 2002). Long counted repetitions of a class are one position with a counter.
//! The README of this directory explains the method with an example.
//!
//! Lazy DFAs, which were used for this before, are as fast once all their states are built. But
//! verification asks for a few bytes of each of thousands of patterns, so that most of the time
//! went into building states, for each thread again. A position automaton is built once, in
//! microseconds, is shared by all threads, and always decides.
//!
//! # Limits
//!
//! Patterns with more than 512 positions, or with classes of very many characters, as Unicode's `\w`, have no
//! position automaton; [`pattern`](super::pattern) uses lazy DFAs for them. Up to 4096 positions are possible
//! where these give up. Where matches start and end is found by backtracking over the positions
//! ([`Program`]).

mod automaton;
mod backtrack;
mod backtrack_dfa;
mod backtrack_dfa_use;
mod backtrack_search;
mod bits;
mod byte_index;
mod characters;
mod counter;
mod graph;
pub(super) mod looks;
mod memo;
mod nodes;
mod program;
mod search;
mod size;
#[cfg(test)]
pub(super) mod span_tests;
mod starts;
#[cfg(test)]
pub(super) mod tests;
mod threads;

use std::ops::Range;

use regex_syntax::hir::{Class, Hir, HirKind};

use automaton::Automaton;
use characters::Characters;
use graph::Graph;
use search::{Anywhere, EndsAt, StartsAt};
use size::Size;

pub(super) use backtrack::Backtracking;
pub(super) use program::Program;
pub(crate) use search::PositionScratch;

/// A class of more bytes within characters is large.
const LARGE_CLASS: usize = 32;

/// Whether a pattern has a class with more than [`LARGE_CLASS`] bytes within characters, as Unicode's `\w`.
pub(crate) fn has_large_class(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Class(Class::Unicode(class)) => {
            Characters::new(class).is_none_or(|characters| characters.bytes.len() > LARGE_CLASS)
        }
        HirKind::Repetition(repetition) => has_large_class(&repetition.sub),
        HirKind::Capture(capture) => has_large_class(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(has_large_class),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => false,
    }
}

/// The direction in which an automaton reads a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Forward,
    Backward,
}

/// An automaton that reads forward from where a match begins.
#[derive(Debug)]
pub(super) struct ForwardPositions(Words);

/// An automaton that reads backward from where a match ends.
#[derive(Debug)]
pub(super) struct BackwardPositions(Words);

/// An automaton by the number of words of its state.
#[derive(Debug)]
enum Words {
    One(Box<Automaton<1>>),
    Two(Box<Automaton<2>>),
    Four(Box<Automaton<4>>),
    Eight(Box<Automaton<8>>),
    Many(Box<Automaton<32>>),
    Most(Box<Automaton<64>>),
}

/// Calls a method of the automaton, whatever its number of words is.
macro_rules! with_automaton {
    ($words:expr, $automaton:ident => $call:expr) => {
        match $words {
            Words::One($automaton) => $call,
            Words::Two($automaton) => $call,
            Words::Four($automaton) => $call,
            Words::Eight($automaton) => $call,
            Words::Many($automaton) => $call,
            Words::Most($automaton) => $call,
        }
    };
}

impl ForwardPositions {
    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        with_automaton!(&self.0, automaton => automaton.memory())
    }

    /// The automaton of `hir`, or `None` if it is too large.
    pub(super) fn new(hir: &Hir) -> Option<ForwardPositions> {
        Words::new(hir, Direction::Forward).map(ForwardPositions)
    }

    /// As [`ForwardPositions::new`], for patterns that are too large for that: up to eight times as
    /// many positions, and proportionally slower.
    pub(super) fn large(hir: &Hir) -> Option<ForwardPositions> {
        let size = Size::of_large(hir)?;
        Words::with_size(hir, Direction::Forward, size).map(ForwardPositions)
    }

    /// Tests whether a match lies within `span` of `record`. Counts as [`ForwardPositions::starts_at`].
    pub(super) fn is_match(
        &self,
        scratch: &mut PositionScratch,
        record: &[u8],
        span: Range<usize>,
        steps: &mut u64,
    ) -> bool {
        with_automaton!(&self.0, a => a.search::<Anywhere>(record, span, scratch, steps))
    }

    /// Tests whether a match starts at `span.start` and lies within `span` of `record`. Adds the
    /// words of states that it computed to `steps`, one for each word of each byte.
    pub(super) fn starts_at(
        &self,
        scratch: &mut PositionScratch,
        record: &[u8],
        span: Range<usize>,
        steps: &mut u64,
    ) -> bool {
        with_automaton!(&self.0, a => a.search::<StartsAt>(record, span, scratch, steps))
    }
}

impl BackwardPositions {
    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        with_automaton!(&self.0, automaton => automaton.memory())
    }

    /// The automaton of `hir`, under the same conditions as [`ForwardPositions::new`].
    pub(super) fn new(hir: &Hir) -> Option<BackwardPositions> {
        Words::new(hir, Direction::Backward).map(BackwardPositions)
    }

    /// Tests whether a match ends at `end` of `record`. Counts as [`ForwardPositions::starts_at`].
    pub(super) fn ends_at(
        &self,
        scratch: &mut PositionScratch,
        record: &[u8],
        end: usize,
        steps: &mut u64,
    ) -> bool {
        with_automaton!(&self.0, a => a.search::<EndsAt>(record, 0..end, scratch, steps))
    }
}

impl Words {
    fn new(hir: &Hir, direction: Direction) -> Option<Words> {
        Words::with_size(hir, direction, Size::of(hir)?)
    }

    fn with_size(hir: &Hir, direction: Direction, size: Size) -> Option<Words> {
        Some(match size.words {
            1 => Words::One(automaton(hir, direction, size)?),
            2 => Words::Two(automaton(hir, direction, size)?),
            4 => Words::Four(automaton(hir, direction, size)?),
            8 => Words::Eight(automaton(hir, direction, size)?),
            32 => Words::Many(automaton(hir, direction, size)?),
            _ => Words::Most(automaton(hir, direction, size)?),
        })
    }
}

fn automaton<const N: usize>(
    hir: &Hir,
    direction: Direction,
    size: Size,
) -> Option<Box<Automaton<N>>> {
    let graph = Graph::new(hir, direction, size.max_copies)?;
    Automaton::new(graph).map(Box::new)
}
