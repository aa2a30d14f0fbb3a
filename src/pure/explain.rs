//! What the engine does for each pattern, in words that people can check.

use std::fmt;

use regex_syntax::hir::Hir;

use super::literal::{self, Literal};

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
    /// No literal is required, or none that is rare enough; an automaton reads every record.
    EveryRecord,
}

impl Search {
    pub(super) fn of(trimmed: &Hir, always: bool) -> Search {
        if always {
            return Search::Always;
        }
        match literal::required(trimmed) {
            None => Search::EveryRecord,
            Some(required) => Search::Literals {
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
                let place = |bound: &Option<u32>| match bound {
                    None => "any number".to_owned(),
                    Some(bytes) => format!("up to {bytes}"),
                };
                let (before, after) = (place(before), place(after));
                write!(f, "; {before} bytes before it and {after} behind")?;
                write!(f, "; expected {per_million:.1} times in a million bytes")
            }
        }
    }
}
