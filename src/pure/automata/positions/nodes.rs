//! The nodes of a pattern: Thompson's construction, from the end of the pattern to its start.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::ops::Range;

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use crate::pure::literal::ByteSet;

use super::super::hash::Mixer;
use super::characters::Characters;
use super::looks::Looks;

/// The largest number of positions. Lists of words for the detection of attacks have several thousand.
pub(super) const MAX_POSITIONS: usize = 16 << 10;
/// A bounded repetition of a class is one [`Node::Run`] if it has at least as many copies. A run is
/// slower to enter than a byte is to read.
const MIN_RUN: u32 = 4;
/// The largest number of parts of the HIR that are visited, with repetitions written out. More than
/// [`MAX_POSITIONS`] only if many parts are empty.
const MAX_PARTS: usize = 64 << 10;

/// A place in the pattern. Nodes are known by their index.
#[derive(Debug)]
pub(super) enum Node {
    /// The end of the pattern.
    Match,
    /// A byte is read at this position.
    Byte(u16),
    /// The run with this number begins.
    Run(u16),
    /// One of these [`Builder::alternatives`] comes next, in the order of preference.
    Split(Range<u32>),
    /// The assertion must hold.
    Look(Looks, u32),
}

/// A repetition of a class: it reads from `min` to `max` bytes.
#[derive(Debug)]
pub(super) struct Repeat {
    pub(super) set: u16,
    /// At least 1.
    pub(super) min: u32,
    /// `u32::MAX` if there is no limit.
    pub(super) max: u32,
    pub(super) greedy: bool,
    /// The node after it.
    pub(super) next: u32,
}

/// Makes the nodes of a pattern, from its end to its start.
#[derive(Debug, Default)]
pub(super) struct Builder {
    pub(super) nodes: Vec<Node>,
    pub(super) alternatives: Vec<u32>,
    pub(super) sets: Sets,
    /// By position: its class, and the node after it.
    pub(super) positions: Vec<(u16, u32)>,
    pub(super) runs: Vec<Repeat>,
    /// The number of parts visited.
    parts: usize,
}

impl Builder {
    /// Makes the nodes of a part of the pattern which continues at `next`. Returns where it begins.
    pub(super) fn part(&mut self, hir: &Hir, next: u32) -> Option<u32> {
        self.parts += 1;
        if self.parts > MAX_PARTS {
            return None;
        }
        match hir.kind() {
            HirKind::Empty => Some(next),
            HirKind::Literal(literal) => {
                let mut sets = literal.0.iter().rev().map(|&byte| ByteSet::from_iter([byte]));
                sets.try_fold(next, |next, set| self.byte(set, next))
            }
            HirKind::Class(class) => self.class(class, next),
            HirKind::Look(look) => Some(self.node(Node::Look(look.as_repr(), next))),
            HirKind::Repetition(repetition) => self.repetition(repetition, next),
            HirKind::Capture(capture) => self.part(&capture.sub, next),
            HirKind::Concat(subs) => {
                subs.iter().rev().try_fold(next, |next, sub| self.part(sub, next))
            }
            HirKind::Alternation(subs) => {
                let starts = subs.iter().map(|sub| self.part(sub, next));
                let starts = starts.collect::<Option<Vec<_>>>()?;
                Some(self.split(&starts))
            }
        }
    }

    fn class(&mut self, class: &Class, next: u32) -> Option<u32> {
        if let Some(set) = ByteSet::of_byte_class(class) {
            return self.byte(set, next);
        }
        let Class::Unicode(class) = class else { return None };
        let characters = Characters::new(class)?;
        let mut nodes: Vec<u32> = Vec::with_capacity(characters.bytes.len());
        for &(set, following) in &characters.bytes {
            let following = following.map_or(next, |index| nodes[index]);
            nodes.push(self.byte(set, following)?);
        }
        // Their order does not matter: at most one of them is in a match.
        let heads: Vec<u32> = characters.heads().map(|head| nodes[head]).collect();
        Some(self.split(&heads))
    }

    fn repetition(&mut self, repetition: &Repetition, next: u32) -> Option<u32> {
        let Repetition { min, max, greedy, ref sub } = *repetition;
        let order = |sub: u32, next: u32| if greedy { [sub, next] } else { [next, sub] };
        if max.unwrap_or(min) >= MIN_RUN
            && let Some(set) = ByteSet::of_byte(sub)
        {
            let run = self.run(set, repetition, next)?;
            return Some(if min == 0 { self.split(&order(run, next)) } else { run });
        }
        let mut begin = next;
        match max {
            Some(max) => {
                for _ in min..max {
                    let copy = self.part(sub, begin)?;
                    begin = self.split(&order(copy, next));
                }
            }
            None => {
                let at = self.alternatives.len();
                let repeat = self.split(&[0, 0]);
                let copy = self.part(sub, repeat)?;
                self.alternatives[at..at + 2].copy_from_slice(&order(copy, next));
                // `None` if a part of it never matches, as `[a&&b]`; the others may be empty.
                let may_be_empty = sub.properties().minimum_len().is_none_or(|len| len == 0);
                begin = match min {
                    0 if may_be_empty => self.split(&order(copy, next)),
                    0 => repeat,
                    _ => copy,
                };
            }
        }
        let copies = if max.is_none() { min.saturating_sub(1) } else { min };
        for _ in 0..copies {
            begin = self.part(sub, begin)?;
        }
        Some(begin)
    }

    fn byte(&mut self, set: ByteSet, next: u32) -> Option<u32> {
        let set = self.sets.number_of(set);
        self.positions.push((set, next));
        let position = self.positions.len() - 1;
        (position < MAX_POSITIONS).then(|| self.node(Node::Byte(position as u16)))
    }

    fn run(&mut self, set: ByteSet, repetition: &Repetition, next: u32) -> Option<u32> {
        let &Repetition { min, max, greedy, .. } = repetition;
        let set = self.sets.number_of(set);
        let max = max.unwrap_or(u32::MAX);
        self.runs.push(Repeat { set, min: min.max(1), max, greedy, next });
        let run = self.runs.len() - 1;
        (run < MAX_POSITIONS).then(|| self.node(Node::Run(run as u16)))
    }

    fn split(&mut self, alternatives: &[u32]) -> u32 {
        let start = self.alternatives.len() as u32;
        self.alternatives.extend_from_slice(alternatives);
        self.node(Node::Split(start..self.alternatives.len() as u32))
    }

    fn node(&mut self, node: Node) -> u32 {
        self.nodes.push(node);
        self.nodes.len() as u32 - 1
    }
}

/// The different classes of a pattern, by number.
#[derive(Debug)]
pub(super) struct Sets {
    pub(super) list: Vec<ByteSet>,
    /// By byte: the number of the class of this byte alone, or [`Sets::NONE`]. Most classes are such.
    bytes: [u16; 256],
    /// The numbers of the others.
    numbers: HashMap<ByteSet, u16, BuildHasherDefault<Mixer>>,
}

const _: () = assert!(3 * MAX_POSITIONS < Sets::NONE as usize);

impl Sets {
    /// There are fewer sets: at most one for each position, each run and each loop.
    const NONE: u16 = u16::MAX;

    /// The number of a class, which is added if it is new.
    pub(super) fn number_of(&mut self, set: ByteSet) -> u16 {
        let number = match set.only_byte() {
            Some(byte) => &mut self.bytes[usize::from(byte)],
            None => self.numbers.entry(set).or_insert(Sets::NONE),
        };
        if *number == Sets::NONE {
            *number = self.list.len() as u16;
            self.list.push(set);
        }
        *number
    }
}

impl Default for Sets {
    fn default() -> Sets {
        Sets { list: Vec::new(), bytes: [Sets::NONE; 256], numbers: HashMap::default() }
    }
}
