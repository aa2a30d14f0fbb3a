//! Finds all spans of one pattern in one record in two passes, without a cache.
//!
//! 1. A pass from the end of the record to its start computes for each byte the positions that it
//!    can be read at on the way to the end of a match: the *viable* positions.
//! 2. From each offset where a match can start, a pass forward takes at each step the most
//!    preferred of the [choices](super::program) that is viable. It never has to go back.
//!
//! This is the greedy matching of Frisch and Cardelli ("Greedy Regular Expression Matching", ICALP
//! 2004), as in [`two_pass`](crate::pure::automata::two_pass), with the sets of the first pass in
//! machine words. It takes time linear in the record, whatever the pattern is: 2.2 ns for each byte
//! with sets of one word, 6 to 10 with four or eight (AMD EPYC, Zen 4). Lazy DFAs, which have to be
//! built for each pattern and thread, are used only where this is not possible.
//!
//! # Limits
//!
//! The first pass stores its sets, so that the length of records is [limited](SpanPositions::fits).
//! Counters have no place in the sets, so that all repetitions are written out, and patterns with
//! more than 4096 positions have no such automaton.

use std::ops::{ControlFlow, Range};

use super::automaton::Automaton;
use super::backtrack::Untried;
use super::bits::Bits;
use super::looks::{self, Looks};
use super::program::{Choice, Program};
use super::search::{PositionScratch, hold};
use super::{Words, with_automaton};
use crate::pure::automata::span_cursor::SpanCursor;

/// The longest record that is searched in this way, in bytes. The passes read every byte, and in
/// long records the literals of a pattern skip most of them. A guess: no other limit was measured.
pub(in crate::pure::automata) const MAX_RECORD: usize = 4096;

/// The largest memory for the sets of one record, in words: 256 KiB.
const MAX_VIABLE_WORDS: usize = 32 << 10;

/// The automaton that finds the spans of one pattern: it reads backward.
#[derive(Debug)]
pub(in crate::pure::automata) struct SpanPositions(Words);

/// Working memory, which can be used with any pattern.
#[derive(Debug, Default)]
pub(super) struct SpanScratch {
    /// By byte of the record: its viable positions, as words.
    viable: Vec<u64>,
    /// By offset in the record, as bits: whether a match can start there.
    starts: Vec<u64>,
    pub(super) untried: Untried,
}

impl SpanScratch {
    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        size_of::<u64>()
            * (self.viable.capacity() + self.starts.capacity() + self.untried.capacity())
    }
}

impl SpanPositions {
    /// The automaton of a pattern, or `None` if it has more than 512 positions.
    pub(in crate::pure::automata) fn new(program: &Program) -> Option<SpanPositions> {
        Some(SpanPositions(match program.len().div_ceil(64) {
            0 | 1 => Words::One(backward(program)?),
            2 => Words::Two(backward(program)?),
            3 | 4 => Words::Four(backward(program)?),
            5..=8 => Words::Eight(backward(program)?),
            _ => return None,
        }))
    }

    /// As [`SpanPositions::new`], for patterns that are too large for that: up to eight times as many
    /// positions, and proportionally slower.
    pub(in crate::pure::automata) fn large(program: &Program) -> Option<SpanPositions> {
        Some(SpanPositions(match program.len().div_ceil(64) {
            9..=32 => Words::Many(backward(program)?),
            33..=64 => Words::Most(backward(program)?),
            _ => return None,
        }))
    }

    /// Whether a record of `len` bytes can be searched.
    pub(in crate::pure::automata) fn fits(&self, len: usize) -> bool {
        let words = with_automaton!(&self.0, spans => spans.words());
        len <= MAX_RECORD && len * words <= MAX_VIABLE_WORDS
    }

    /// Calls `found` with every span of `record` from `cursor.at` on, until `found` returns
    /// `Break`. The length of the record must [fit](SpanPositions::fits). `program` is the one that
    /// this automaton was made from.
    pub(in crate::pure::automata) fn for_each_span(
        &self,
        program: &Program,
        scratch: &mut PositionScratch,
        record: &[u8],
        cursor: &mut SpanCursor,
        found: &mut impl FnMut(Range<usize>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let scratch = &mut scratch.spans;
        with_automaton!(&self.0, spans => {
            spans.for_each_span(program, scratch, record, cursor, found)
        })
    }
}

fn backward<const N: usize>(program: &Program) -> Option<Box<Automaton<N>>> {
    Automaton::new(program.backward()?).map(Box::new)
}

impl<const N: usize> Automaton<N> {
    /// The number of words of a set.
    fn words(&self) -> usize {
        N
    }

    fn for_each_span(
        &self,
        program: &Program,
        scratch: &mut SpanScratch,
        record: &[u8],
        cursor: &mut SpanCursor,
        found: &mut impl FnMut(Range<usize>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if cursor.at > record.len() {
            return ControlFlow::Continue(());
        }
        self.compute_viable(scratch, record, cursor.at);
        cursor.steps += (N * (record.len() - cursor.at + 1)) as u64;
        while let Some(start) = next_set(&scratch.starts, cursor.at) {
            let end = end_of_match::<N>(program, &scratch.viable, record, start);
            cursor.steps += (end - start) as u64;
            // The cursor requires a rejected empty match to be where the search started.
            cursor.at = start;
            if cursor.accept(&(start..end)) {
                found(start..end)?;
            }
        }
        cursor.at = record.len() + 1;
        ControlFlow::Continue(())
    }

    /// Computes `scratch` for the bytes and offsets from `from` on.
    fn compute_viable(&self, scratch: &mut SpanScratch, record: &[u8], from: usize) {
        let automaton = self;
        let (viable, starts) = (&mut scratch.viable, &mut scratch.starts);
        viable.resize(viable.len().max(N * record.len()), 0);
        starts.clear();
        starts.resize(record.len() / 64 + 1, 0);
        let mut set_start = |at: usize| starts[at / 64] |= 1 << (at % 64);
        if automaton.is_empty_at(record, record.len()) {
            set_start(record.len());
        }
        let mut branches = (Bits::EMPTY, Bits::EMPTY);
        let mut next = automaton.first_at(record, record.len());
        for at in (from..record.len()).rev() {
            let state = next & automaton.reading(record[at]);
            viable[N * at..][..N].copy_from_slice(state.words());
            next = automaton.plain_next(state) | automaton.first_at(record, at);
            let mut is_start = automaton.is_empty_at(record, at);
            if state.intersects(automaton.special) {
                is_start |=
                    state.intersects(automaton.last.any) && automaton.ends_at(state, record, at);
                next |= automaton.special_next(state, &mut branches, record, at);
            }
            if is_start {
                set_start(at);
            }
        }
    }
}

/// The end of the preferred match that starts at `at`, which must be a start.
fn end_of_match<const N: usize>(
    program: &Program,
    viable: &[u64],
    record: &[u8],
    mut at: usize,
) -> usize {
    let mut choices = program.choices(program.start);
    loop {
        let mut holding = None;
        let chosen = choices.iter().find(|&&Choice { looks, position, .. }| {
            let viable = position == Choice::END || {
                let (word, bit) = (usize::from(position) / 64, position % 64);
                at < record.len() && viable[N * at + word] >> bit & 1 != 0
            };
            viable && (looks == 0 || holds_at(looks, &mut holding, record, at))
        });
        match chosen.map(|choice| choice.position) {
            Some(Choice::END) => return at,
            Some(position) => {
                choices = program.choices(program.after(position));
                at += 1;
            }
            None => {
                debug_assert!(false, "a viable position leads nowhere");
                return at;
            }
        }
    }
}

/// Whether the assertions `looks` hold at offset `at`. `holding` keeps those that do.
fn holds_at(looks: Looks, holding: &mut Option<Looks>, record: &[u8], at: usize) -> bool {
    hold(looks, *holding.get_or_insert_with(|| looks::holding_at(record, at)))
}

/// The first offset from `from` on whose bit is set.
fn next_set(bits: &[u64], from: usize) -> Option<usize> {
    let mut index = from / 64;
    let mut word = bits.get(index)? & (u64::MAX << (from % 64));
    while word == 0 {
        index += 1;
        word = *bits.get(index)?;
    }
    Some(64 * index + word.trailing_zeros() as usize)
}
