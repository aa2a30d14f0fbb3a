//! What the engine does for each pattern, in words that people can check.

use std::fmt;

use regex_syntax::hir::Hir;

use super::literal::Literal;
use super::plan::Handle;

/// How one pattern is searched.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Search {
    /// It matches every record, so nothing is searched.
    Always,
    /// One of some literals is looked for, and the pattern is confirmed only around it.
    Literals {
        /// The literals, as they would stand in a pattern; letters that match in both cases are
        /// in brackets.
        literals: Vec<String>,
        /// From the start of a match to the literal's start, at most, in bytes.
        before: Option<u32>,
        /// From the literal's end to the end of a match, at most, in bytes.
        after: Option<u32>,
        /// At how many of a million bytes of ordinary text a literal is expected to stand.
        per_million: f64,
    },
    /// A long run of bytes of one class is looked for, and the pattern is confirmed around it.
    Run {
        /// How many bytes the run has at least.
        len: u32,
        /// How many different bytes there may be in it.
        class: usize,
        /// As for literals.
        before: Option<u32>,
        /// As for literals.
        after: Option<u32>,
        /// As for literals.
        per_million: f64,
    },
    /// No literal is required, or none that is rare enough; an automaton reads every record.
    EveryRecord,
}

impl Search {
    pub(super) fn of(trimmed: &Hir, always: bool) -> Search {
        if always {
            return Search::Always;
        }
        match Handle::of(trimmed) {
            Handle::Nothing => Search::EveryRecord,
            Handle::Run(run) => Search::Run {
                len: run.len,
                class: (0..=255).filter(|&b| run.class.contains(b)).count(),
                before: run.before,
                after: run.after,
                per_million: run.frequency * 1e6,
            },
            Handle::Literals(required) => Search::Literals {
                literals: required.literals.iter().map(show).collect(),
                before: required.before,
                after: required.after,
                per_million: required.frequency * 1e6,
            },
        }
    }
}

fn show(literal: &Literal) -> String {
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

impl fmt::Display for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 4;
        match self {
            Search::Always => f.write_str("matches every record"),
            Search::EveryRecord => f.write_str("an automaton over every record: no rare literal"),
            Search::Literals { literals, before, after, per_million } => {
                let shown = literals[..literals.len().min(SHOWN)].join(", ");
                write!(f, "literal {shown}")?;
                if literals.len() > SHOWN {
                    write!(f, " and {} more", literals.len() - SHOWN)?;
                }
                place(f, before, after, *per_million)
            }
            Search::Run { len, class, before, after, per_million } => {
                write!(f, "run of {len} bytes out of {class}")?;
                place(f, before, after, *per_million)
            }
        }
    }
}

fn place(
    f: &mut fmt::Formatter<'_>,
    before: &Option<u32>,
    after: &Option<u32>,
    per_million: f64,
) -> fmt::Result {
    let bytes = |bound: &Option<u32>| match bound {
        None => "any number of".to_owned(),
        Some(bytes) => format!("up to {bytes}"),
    };
    write!(f, "; {} bytes before it and {} behind", bytes(before), bytes(after))?;
    write!(f, "; expected {per_million:.1} times in a million bytes")
}
