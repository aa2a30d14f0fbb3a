//! From patterns to operations on bit streams.

use std::collections::HashMap;

use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};

use super::super::super::literal::ByteSet;

/// What makes the bits of a stream from those of others, which are named by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Node {
    /// The bytes of a class that are in records.
    Class(ByteSet),
    /// Where records start and where they end.
    Starts,
    Ends,
    /// Where `of` is and no record starts.
    Inner {
        of: u32,
    },
    /// Where one is and the other is not, and where both are or none.
    Differ(u32, u32),
    Same(u32, u32),
    /// `from` moved on by some places, where `of` is as well.
    Step {
        from: u32,
        by: u32,
        of: u32,
    },
    /// `from`, and what `Step` makes of it.
    Spread {
        from: u32,
        by: u32,
        of: u32,
    },
    Either(u32, u32),
    Shift(u32),
    /// `from`, and from there on as long as `of` goes on.
    Star {
        from: u32,
        of: u32,
    },
}

/// The longest way that a stream is moved at once: less than a word.
const MAX_SHIFT: u32 = 63;
/// Repetitions of more than one byte are written out up to so many copies.
const MAX_COPIES: u32 = 16;
const MAX_ALTERNATIVES: usize = 16;
/// Of one pattern no more parts are looked at.
const MAX_LOOKS: u32 = 1000;

/// What operations cost, in nanoseconds for each byte, about.
const CLASS_COST: f64 = 0.02;
const STAR_COST: f64 = 0.02;
const STEP_COST: f64 = 0.003;
/// How often another byte of a class that a word can be made of follows one.
const GOES_ON: f64 = 0.82;
/// Neighbouring bytes tell much about one another.
const DEPENDENCE: f64 = 0.7;

/// Where matches of a part of a pattern can end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marks {
    /// A bit for each place, or `None` if that is anywhere.
    pub(super) row: Option<u32>,
    /// How far behind the last byte its bit is: not at all, or one place.
    pub(super) lag: u32,
    /// Whether no byte was read up to there, if that is the same wherever there is a bit.
    begin: Option<bool>,
    /// Whether a match of all up to there ends wherever there is a bit.
    pub(super) exact: bool,
    /// How often there is one, expected for each byte of ordinary text.
    pub(super) frequency: f64,
}

impl Marks {
    pub(super) const ANYWHERE: Marks =
        Marks { row: None, lag: 0, begin: Some(true), exact: true, frequency: 1.0 };
    /// The same where nothing is known.
    const UNKNOWN: Marks = Marks { row: None, lag: 0, begin: None, exact: false, frequency: 1.0 };
}

/// Streams, each made once.
pub(super) struct Builder {
    pub(super) nodes: Vec<Node>,
    numbers: HashMap<Node, u32>,
    /// What all nodes cost.
    pub(super) cost: f64,
    /// Once they cost more, nothing more is told apart.
    limit: f64,
    /// How many parts of patterns were looked at. Where there is nothing to be told, that costs no
    /// operations, however often parts are repeated.
    looks: u32,
}

impl Builder {
    pub(super) fn new(limit: f64) -> Builder {
        Builder { nodes: Vec::new(), numbers: HashMap::new(), cost: 0.0, limit, looks: 0 }
    }

    /// Whether what is looked for costs too much.
    pub(super) fn is_over(&self) -> bool {
        self.cost > self.limit || self.looks > MAX_LOOKS && self.limit.is_finite()
    }

    fn node(&mut self, node: Node) -> u32 {
        let number = self.nodes.len() as u32;
        *self.numbers.entry(node).or_insert_with(|| {
            self.cost += match node {
                Node::Class(_) | Node::Starts | Node::Ends => CLASS_COST,
                Node::Star { .. } => STAR_COST,
                _ => STEP_COST,
            };
            self.nodes.push(node);
            number
        })
    }

    /// Where a match of `hir` can end that starts where `marks` are: there at least.
    pub(super) fn after(&mut self, marks: Marks, hir: &Hir) -> Marks {
        self.looks = self.looks.saturating_add(1);
        if self.is_over() {
            return Marks::UNKNOWN;
        }
        match hir.kind() {
            HirKind::Empty => marks,
            HirKind::Look(look) => self.look(marks, *look),
            HirKind::Literal(literal) => literal
                .0
                .iter()
                .fold(marks, |marks, &b| self.step(marks, ByteSet::from_iter([b]), 1)),
            HirKind::Class(class) => match single(class) {
                Some(set) => self.step(marks, set, 1),
                None => self.uniform(marks, hir),
            },
            HirKind::Capture(capture) => self.after(marks, &capture.sub),
            HirKind::Concat(subs) => subs.iter().fold(marks, |marks, sub| self.after(marks, sub)),
            HirKind::Alternation(subs) if subs.len() > MAX_ALTERNATIVES => self.uniform(marks, hir),
            HirKind::Alternation(subs) => {
                let mut ends = subs.iter().map(|sub| self.after(marks, sub)).collect::<Vec<_>>();
                let first = ends.swap_remove(0);
                ends.into_iter().fold(first, |all, end| self.either(all, end))
            }
            HirKind::Repetition(repetition) => self.repeated(marks, hir, repetition),
        }
    }

    fn repeated(&mut self, marks: Marks, hir: &Hir, repetition: &Repetition) -> Marks {
        let Repetition { min, max, .. } = *repetition;
        if let HirKind::Class(class) = repetition.sub.kind()
            && let Some(set) = single(class)
        {
            return self.counted(marks, set, min, max);
        }
        if let HirKind::Literal(literal) = repetition.sub.kind()
            && let [byte] = literal.0[..]
        {
            return self.counted(marks, ByteSet::from_iter([byte]), min, max);
        }
        let sub = &repetition.sub;
        if min > MAX_COPIES {
            return self.uniform(marks, hir);
        }
        let mut all = (0..min).fold(marks, |marks, _| self.after(marks, sub));
        match max {
            Some(max) if max - min <= MAX_COPIES => {
                let mut last = all;
                for _ in min..max {
                    last = self.after(last, sub);
                    all = self.either(all, last);
                }
                all
            }
            _ => {
                let (class, ..) = super::super::super::literal::bytes_of(sub);
                self.counted(Marks { exact: false, ..all }, class, 0, None)
            }
        }
    }

    /// As if any of the bytes of `hir` could be anywhere in it.
    fn uniform(&mut self, marks: Marks, hir: &Hir) -> Marks {
        let (class, min) = super::super::super::literal::bytes_of(hir);
        let max = super::super::super::literal::longest(hir);
        self.counted(Marks { exact: false, ..marks }, class, min, max)
    }

    fn counted(&mut self, marks: Marks, set: ByteSet, min: u32, max: Option<u32>) -> Marks {
        let least = self.step(marks, set, min);
        if max == Some(min) {
            return least;
        }
        // From anywhere on, more of them may follow or not.
        let Some(row) = least.row else { return Marks::UNKNOWN };
        if least.lag > 0 {
            // More of them are marked in another place.
            let one = self.step(least, set, 1);
            let more = self.counted(one, set, 0, max.map(|max| max - min - 1));
            return self.either(least, more);
        }
        let goes_on = goes_on(&set);
        let Some(max) = max else {
            let of = self.run(set, 1);
            let row = Some(self.node(Node::Star { from: row, of }));
            let frequency = (least.frequency / (1.0 - goes_on)).min(1.0);
            return Marks { row, frequency, ..least };
        };
        let (mut row, mut have, most) = (row, 0, max - min);
        while have < most && !self.is_over() {
            // What is marked goes on for any number up to `have`.
            let by = (have + 1).min(most - have).min(MAX_SHIFT);
            let of = self.run(set, by);
            row = self.node(Node::Spread { from: row, by, of });
            have += by;
        }
        if have < most {
            return Marks::UNKNOWN;
        }
        let times = (1.0 / (1.0 - goes_on)).min(f64::from(most + 1));
        Marks { row: Some(row), frequency: (least.frequency * times).min(1.0), ..least }
    }

    /// Where `count` bytes of a class end behind `marks`.
    fn step(&mut self, marks: Marks, set: ByteSet, count: u32) -> Marks {
        let (mut marks, mut left) = (marks, count);
        while left > 0 {
            if self.is_over() {
                return Marks::UNKNOWN;
            }
            // The first byte of a match may be the first one of a record, and no other.
            let begin = marks.begin != Some(false);
            let count = if begin { 1 } else { left.min(MAX_SHIFT) };
            let of = if begin { self.node(Node::Class(set)) } else { self.run(set, count) };
            let row = match marks.row {
                None => of,
                Some(from) => self.node(Node::Step { from, by: count - marks.lag, of }),
            };
            let class = set.frequency();
            let first = if marks.row.is_none() { class } else { class.powf(DEPENDENCE) };
            let frequency = marks.frequency * first * goes_on(&set).powi(count as i32 - 1);
            marks = Marks { row: Some(row), lag: 0, begin: Some(false), frequency, ..marks };
            left -= count;
        }
        marks
    }

    /// Where as many bytes of a class end that follow one another, none of them the first of a
    /// record.
    fn run(&mut self, set: ByteSet, count: u32) -> u32 {
        let of = self.node(Node::Class(set));
        self.node(Node::Starts);
        let (mut row, mut have) = (self.node(Node::Inner { of }), 1);
        while have < count {
            let by = have.min(count - have);
            row = self.node(Node::Step { from: row, by, of: row });
            have += by;
        }
        row
    }

    fn either(&mut self, a: Marks, b: Marks) -> Marks {
        let frequency = (a.frequency + b.frequency).min(1.0);
        let exact = a.exact && b.exact && a.begin == b.begin;
        let begin = a.begin.filter(|_| a.begin == b.begin);
        match (a.row, b.row) {
            (Some(first), Some(second)) if a.lag == b.lag => {
                let row = Some(self.node(Node::Either(first, second)));
                Marks { row, lag: a.lag, begin, exact, frequency }
            }
            (Some(_), Some(_)) => {
                let [a, b] = [a, b].map(|marks| self.behind(marks));
                self.either(a, b)
            }
            _ => Marks::UNKNOWN,
        }
    }

    /// The same marks behind the last byte.
    fn behind(&mut self, marks: Marks) -> Marks {
        match marks.row {
            Some(row) if marks.lag == 0 => {
                Marks { row: Some(self.node(Node::Shift(row))), lag: 1, ..marks }
            }
            _ => marks,
        }
    }

    fn look(&mut self, marks: Marks, look: Look) -> Marks {
        // Without knowing on which side of it a record may end, a place can't be judged.
        let Some(begin) = marks.begin else { return Marks { exact: false, ..marks } };
        let (of, part) = match look {
            Look::Start => (self.node(Node::Starts), 0.02),
            Look::End => (self.node(Node::Ends), 0.02),
            Look::WordAscii | Look::WordAsciiNegate => {
                // Where one record ends and the next one starts, only one of the bytes on both sides
                // is in the record.
                let behind = self.node(Node::Class(words()));
                self.node(Node::Starts);
                let before = self.node(Node::Shift(behind));
                let (before, behind) = if begin {
                    (self.node(Node::Inner { of: before }), behind)
                } else {
                    (before, self.node(Node::Inner { of: behind }))
                };
                match look {
                    Look::WordAscii => (self.node(Node::Differ(before, behind)), 0.4),
                    _ => (self.node(Node::Same(before, behind)), 0.7),
                }
            }
            // What these tell is left to the automata.
            _ => return Marks { exact: false, ..marks },
        };
        let frequency = marks.frequency * part;
        let row = match marks.row {
            None => of,
            Some(from) => self.node(Node::Step { from, by: 1 - marks.lag, of }),
        };
        // Where one record starts another one may end.
        let exact =
            marks.exact && !matches!((look, begin), (Look::Start, false) | (Look::End, true));
        Marks { row: Some(row), lag: 1, exact, frequency, ..marks }
    }

    /// The streams that a node is made of.
    pub(super) fn sources(&self, node: Node) -> Vec<u32> {
        match node {
            Node::Class(_) | Node::Starts | Node::Ends => Vec::new(),
            Node::Inner { of } => vec![of, self.numbers[&Node::Starts]],
            Node::Step { from, of, .. }
            | Node::Spread { from, of, .. }
            | Node::Star { from, of } => {
                vec![from, of]
            }
            Node::Either(a, b) | Node::Differ(a, b) | Node::Same(a, b) => vec![a, b],
            Node::Shift(a) => vec![a],
        }
    }
}

/// The bytes of a class, if each of its characters is a single one.
fn single(class: &Class) -> Option<ByteSet> {
    match class {
        Class::Unicode(chars) if !chars.is_ascii() => None,
        _ => Some(ByteSet::of(class)),
    }
}

fn goes_on(set: &ByteSet) -> f64 {
    let class = set.frequency().sqrt();
    if set.contains(b' ') { class.min(0.98) } else { class.min(GOES_ON) }
}

pub(super) fn words() -> ByteSet {
    (0..=255u8).filter(|b| b.is_ascii_alphanumeric() || *b == b'_').collect()
}
