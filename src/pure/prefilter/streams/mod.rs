//! Patterns that are made of classes, as operations on streams of bits.
//!
//! Each class of bytes is a stream with one bit for each byte of the buffer, and so is each part
//! of a pattern: its bits are where a match of all up to there ends. To go on by one class is to
//! move all bits by one place and to keep those where the class is, 64 places at a time and
//! several words of them with one instruction; repetitions are additions, which carry a bit to the
//! end of a run of ones. This is how Cameron and others match regular expressions ("Bitwise Data
//! Parallelism in Regular Expression Matching", PACT 2014; icgrep). Here all patterns share what
//! streams they have in common, and what is left in the end is looked at by automata, so that the
//! operations may leave out what would be dear.

mod build;
mod run;
#[cfg(test)]
mod tests;

use regex_syntax::hir::Hir;

use super::super::literal::{Bound, add, longest, parts};
use super::arch::Level;
use build::{Builder, Marks};

pub(crate) use run::Progress;
pub(super) use run::{Kind, combine};
use run::{Op, Output};

/// A part of a pattern that is looked for by streams.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// Which of the parts of the top-level concatenation: from and to.
    from: usize,
    to: usize,
    /// How many bytes it has at least.
    pub(crate) len: u32,
    /// From the start of a match to the last `len` bytes of the part, at most.
    pub(crate) before: Bound,
    /// From the end of the part to the end of the match, at most.
    pub(crate) after: Bound,
    /// Whether there is a match wherever it is.
    pub(crate) exact: bool,
    /// How often it is expected at a given position of ordinary text.
    pub(crate) frequency: f64,
    /// What the operations cost, in nanoseconds for each byte of the buffer.
    pub(crate) cost: f64,
}

/// No more parts of a concatenation are tried.
const MAX_PARTS: usize = 24;
/// What the operations for one pattern may cost.
const MAX_COST: f64 = 0.6;
/// What it costs to confirm a candidate, in nanoseconds, and to take in a match that needs no
/// confirmation.
const MATCH_COST: f64 = 15.0;
/// No frequency is so low that it could be relied upon.
const GUESS: f64 = 3e-3;
const CANDIDATE_COST: f64 = 80.0;
/// How many bytes a part may have at least, to be of use and to be counted.
const LENS: std::ops::RangeInclusive<usize> = 2..=1 << 16;

impl Part {
    /// The part of `hir` that costs the least to search for.
    pub(crate) fn of(hir: &Hir) -> Option<Part> {
        let parts = parts(hir);
        let mut best: Option<Part> = None;
        for from in 0..parts.len().min(MAX_PARTS) {
            let mut builder = Builder::new(MAX_COST);
            let mut marks = Marks::ANYWHERE;
            for to in from + 1..=parts.len() {
                marks = builder.after(marks, &parts[to - 1]);
                if builder.is_over() {
                    break;
                }
                let sure = |hir: &Hir| hir.properties().minimum_len().unwrap_or(0);
                let len: usize = parts[from..to].iter().map(sure).sum();
                if marks.row.is_none() || !LENS.contains(&len) {
                    continue;
                }
                let all = |parts: &[Hir]| parts.iter().map(longest).fold(Some(0), add);
                let len = len as u32;
                let part = Part {
                    from,
                    to,
                    len,
                    before: add(all(&parts[..from]), all(&parts[from..to]).map(|max| max - len)),
                    after: all(&parts[to..]),
                    exact: marks.exact && to - from == parts.len(),
                    frequency: marks.frequency,
                    cost: builder.cost,
                };
                if best.as_ref().is_none_or(|best| part.total() < best.total()) {
                    best = Some(part);
                }
            }
        }
        best
    }

    /// What it costs to search for the part and to confirm what is found.
    pub(crate) fn total(&self) -> f64 {
        if self.exact {
            self.cost + MATCH_COST * self.frequency
        } else {
            // How often it is there is only a guess.
            self.cost + CANDIDATE_COST * self.frequency.max(GUESS)
        }
    }
}

/// The operations for all patterns that are searched by streams.
#[derive(Debug)]
pub(crate) struct Streams {
    ops: Vec<Op>,
    /// How many streams are needed at once.
    slots: usize,
    outputs: Vec<Output>,
    level: Level,
}

impl Streams {
    /// The number of each pattern is what its candidates carry.
    pub(crate) fn new<'a>(
        patterns: impl IntoIterator<Item = (u32, &'a Hir, &'a Part)>,
        level: Level,
    ) -> Streams {
        let mut builder = Builder::new(f64::INFINITY);
        let mut ends = Vec::new();
        for (number, hir, part) in patterns {
            let parts = &parts(hir)[part.from..part.to];
            let marks = parts.iter().fold(Marks::ANYWHERE, |marks, hir| builder.after(marks, hir));
            if let Some(row) = marks.row {
                ends.push((
                    row,
                    Output { lag: marks.lag, len: part.len, exact: part.exact, number },
                ));
            }
        }
        ends.sort_by_key(|(row, output)| (*row, output.number));
        let (ops, slots) = schedule(&builder, &ends);
        let outputs = ends.into_iter().map(|(_, output)| output).collect();
        Streams { ops, slots, outputs, level }
    }

    /// How many patterns are searched for.
    pub(crate) fn len(&self) -> usize {
        self.outputs.len()
    }

    /// Memory in bytes.
    pub(crate) fn memory(&self) -> usize {
        size_of_val(&self.ops[..]) + size_of_val(&self.outputs[..])
    }
}

/// Puts the nodes that are needed in order, in as few places as they have to be kept in at once.
fn schedule(builder: &Builder, ends: &[(u32, Output)]) -> (Vec<Op>, usize) {
    let nodes = &builder.nodes;
    let mut last = vec![None; nodes.len()];
    for (row, _) in ends {
        last[*row as usize] = Some(*row as usize);
    }
    for index in (0..nodes.len()).rev() {
        if last[index].is_some() {
            for source in builder.sources(nodes[index]) {
                last[source as usize] = last[source as usize].max(Some(index));
            }
        }
    }
    let (mut ops, mut free, mut slots) = (Vec::new(), Vec::new(), 0u32);
    let mut places = vec![0u32; nodes.len()];
    let mut output = 0;
    for (index, &node) in nodes.iter().enumerate() {
        let Some(end) = last[index] else { continue };
        let slot = free.pop().unwrap_or_else(|| {
            slots += 1;
            slots - 1
        });
        places[index] = slot;
        let sources = builder.sources(node);
        let sources_at = [0, 1].map(|n| sources.get(n).map_or(0, |s| places[*s as usize]));
        ops.push(Op::new(node, slot, sources_at));
        while let Some((row, _)) = ends.get(output)
            && *row as usize == index
        {
            ops.push(Op::tell(output as u32, slot));
            output += 1;
        }
        let mut done = sources;
        done.dedup();
        free.extend(
            done.iter().filter(|s| last[**s as usize] == Some(index)).map(|s| places[*s as usize]),
        );
        if end == index {
            free.push(slot);
        }
    }
    (ops, slots as usize)
}
