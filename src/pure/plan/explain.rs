//! Records how each pattern is searched, and describes it for people.
//!
//! The plan stores a [`Decision`] for each pattern when it is made, so `--explain` shows what a
//! scan does, and not a second computation that could differ.

use std::fmt;

use crate::pure::ids::{NeedleId, PatternIndex};
use crate::pure::literal::{Bound, Literal};

/// How the pure engine searches one pattern.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Explanation {
    /// The pattern matches every record, so nothing is searched.
    Always,
    /// The pattern matches no record, as `a^b` and `[a&&b]`, so nothing is searched.
    Never,
    /// The scan searches for literals, and verifies the pattern only around them.
    Literals {
        /// The literals, in the syntax of patterns; letters that match in both cases are in
        /// brackets. Every match of the pattern contains at least one of them.
        literals: Vec<String>,
        /// The largest distance from the start of a match to the start of the literal, in bytes.
        /// `None` if there is no bound.
        before: Option<u32>,
        /// The largest distance from the end of the literal to the end of a match, in bytes.
        /// `None` if there is no bound.
        after: Option<u32>,
        /// The number of literals expected in a million bytes of ordinary text. A rough estimate.
        per_million: f64,
    },
    /// The scan searches for a run of bytes of one class, and verifies the pattern around it.
    ByteRun {
        /// The minimum length of the run, in bytes.
        len: u32,
        /// The number of different bytes in the class.
        class_size: usize,
        /// The largest distance from the start of a match to the start of the run, in bytes.
        /// `None` if there is no bound.
        before: Option<u32>,
        /// The largest distance from the end of the run to the end of a match, in bytes.
        /// `None` if there is no bound.
        after: Option<u32>,
        /// The number of runs expected in a million bytes of ordinary text. A rough estimate.
        per_million: f64,
    },
    /// The scan searches for a sequence of classes. The pattern matches wherever it is found, so nothing is
    /// verified.
    ClassSequence {
        /// The minimum length of the sequence, in bytes.
        len: u32,
        /// The number of sequences expected in a million bytes of ordinary text. A rough estimate.
        per_million: f64,
    },
    /// An automaton reads every record: the pattern has no literals, byte run or class sequence to
    /// search for, or searching for them would cost more. Of many patterns that match only at the start of
    /// a record, it reads a few bytes.
    EveryRecord,
}

/// How one pattern is searched, as the plan decided.
#[derive(Debug)]
pub(super) enum Decision {
    Always,
    Never,
    Literals { needles: Box<[NeedleId]>, extent: NeedleExtent },
    ByteRun { len: u32, class_size: usize, extent: NeedleExtent },
    ClassSequence { len: u32, frequency: f64 },
    EveryRecord,
}

/// How far matches extend around a needle, and how often the needle is expected.
#[derive(Clone, Copy, Debug)]
pub(super) struct NeedleExtent {
    /// The largest distance from the start of a match to the start of the needle, in bytes.
    pub(super) before: Bound,
    /// The largest distance from the end of the needle to the end of a match, in bytes.
    pub(super) after: Bound,
    /// The expected number of needles per byte of ordinary text.
    pub(super) frequency: f64,
}

impl NeedleExtent {
    pub(super) fn new(before: Bound, after: Bound, frequency: f64) -> NeedleExtent {
        NeedleExtent { before, after, frequency }
    }
}

/// How each pattern of an engine is searched.
#[derive(Debug)]
pub(in crate::pure) struct Decisions {
    /// By pattern.
    pub(super) list: Vec<Decision>,
    /// The literals of all patterns, by needle: literals are numbered first.
    pub(super) literals: Vec<Literal>,
}

impl Decisions {
    /// The string that every match of every pattern contains, if the plan searches for nothing else.
    pub(in crate::pure) fn only_literal(&self) -> Option<Vec<u8>> {
        let [literal] = &self.literals[..] else { return None };
        let is_searched = |decision: &Decision| matches!(decision, Decision::Literals { .. });
        let is_string = literal.cubes().iter().all(|cube| cube.values().count() == 1);
        (is_string && self.list.iter().all(is_searched))
            .then(|| literal.cubes().iter().map(|cube| cube.value).collect())
    }

    /// Explains how a pattern is searched.
    pub(in crate::pure) fn explain(&self, pattern: PatternIndex) -> Explanation {
        match &self.list[pattern.index()] {
            Decision::Always => Explanation::Always,
            Decision::Never => Explanation::Never,
            Decision::EveryRecord => Explanation::EveryRecord,
            Decision::ClassSequence { len, frequency } => {
                Explanation::ClassSequence { len: *len, per_million: frequency * 1e6 }
            }
            Decision::ByteRun { len, class_size, extent } => Explanation::ByteRun {
                len: *len,
                class_size: *class_size,
                before: extent.before,
                after: extent.after,
                per_million: extent.frequency * 1e6,
            },
            Decision::Literals { needles, extent } => Explanation::Literals {
                literals: needles.iter().map(|n| to_syntax(&self.literals[n.index()])).collect(),
                before: extent.before,
                after: extent.after,
                per_million: extent.frequency * 1e6,
            },
        }
    }

    /// Heap memory in bytes.
    pub(in crate::pure) fn memory(&self) -> usize {
        let needles = |decision: &Decision| match decision {
            Decision::Literals { needles, .. } => size_of_val(&needles[..]),
            _ => 0,
        };
        size_of_val(&self.list[..])
            + self.list.iter().map(needles).sum::<usize>()
            + size_of_val(&self.literals[..])
            + self.literals.iter().map(|l| size_of_val(l.cubes())).sum::<usize>()
    }
}

/// The literal in the syntax of patterns.
fn to_syntax(literal: &Literal) -> String {
    let mut text = String::new();
    for cube in literal.cubes() {
        let bytes: Vec<String> =
            cube.values().map(|b| regex_syntax::escape(&b.escape_ascii().to_string())).collect();
        match &bytes[..] {
            [byte] => text += byte,
            bytes => text += &format!("[{}]", bytes.concat()),
        }
    }
    text
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// The number of literals that are listed.
        const SHOWN: usize = 4;
        match self {
            Explanation::Always => f.write_str("matches every record"),
            Explanation::Never => f.write_str("matches no record"),
            Explanation::EveryRecord => f.write_str(
                "no filter, an automaton reads every record: the pattern has no literals, byte run \
                 or class sequence to search for, or searching for them would cost more",
            ),
            Explanation::Literals { literals, before, after, per_million } => {
                let shown = literals[..literals.len().min(SHOWN)].join(", ");
                let noun = if literals.len() == 1 { "literal" } else { "literals" };
                write!(f, "{noun} {shown}")?;
                if literals.len() > SHOWN {
                    write!(f, " and {} more", literals.len() - SHOWN)?;
                }
                write_extent(f, *before, *after, *per_million)
            }
            Explanation::ClassSequence { len, per_million } => {
                write!(f, "classes of {len} bytes or more in sequence")?;
                write_expected(f, *per_million)?;
                f.write_str("; it matches wherever they are found")
            }
            Explanation::ByteRun { len, class_size, before, after, per_million } => {
                write!(f, "run of {len} bytes from a class of {class_size}")?;
                write_extent(f, *before, *after, *per_million)
            }
        }
    }
}

/// Writes how often the needle is expected and which part of a record is verified around it.
fn write_extent(
    f: &mut fmt::Formatter<'_>,
    before: Option<u32>,
    after: Option<u32>,
    per_million: f64,
) -> fmt::Result {
    write_expected(f, per_million)?;
    f.write_str("; verified ")?;
    let bytes = |bytes: u32| if bytes == 1 { "1 byte".into() } else { format!("{bytes} bytes") };
    match before {
        None => f.write_str("from the record's start")?,
        Some(0) => f.write_str("from its start")?,
        Some(before) => write!(f, "from {} before it", bytes(before))?,
    }
    match after {
        None => f.write_str(" to the record's end"),
        Some(0) => f.write_str(" to its end"),
        Some(after) => write!(f, " to {} after it", bytes(after)),
    }
}

/// Writes how often the needle is expected in ordinary text.
fn write_expected(f: &mut fmt::Formatter<'_>, per_million: f64) -> fmt::Result {
    match per_million {
        // More digits would suggest a precision that the estimate does not have.
        0.0..0.1 => f.write_str(", less than 0.1 expected")?,
        0.1..10.0 => write!(f, ", {per_million:.1} expected")?,
        _ => write!(f, ", {per_million:.0} expected")?,
    }
    f.write_str(" in a million bytes")
}
