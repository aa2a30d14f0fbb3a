//! What the engine does for each pattern, in words that people can check.

use std::fmt;

use crate::pure::literal::Literal;
use crate::pure::plan::strategy::Handle;

/// How one pattern is searched.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Explanation {
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
    /// Bytes of certain classes one after the other are looked for, and the pattern is confirmed
    /// around them.
    Classes {
        /// How many bytes that is at least.
        len: u32,
        /// Whether the pattern matches wherever they are, so that nothing is confirmed.
        exact: bool,
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

impl Explanation {
    pub(in crate::pure) fn of(handle: Handle, always: bool) -> Explanation {
        if always {
            return Explanation::Always;
        }
        match handle {
            Handle::Nothing => Explanation::EveryRecord,
            Handle::Classes(part) => Explanation::Classes {
                len: part.len,
                exact: part.exact,
                before: part.before,
                after: part.after,
                per_million: part.frequency * 1e6,
            },
            Handle::Run(run) => Explanation::Run {
                len: run.len,
                class: (0..=255).filter(|&b| run.class.contains(b)).count(),
                before: run.before,
                after: run.after,
                per_million: run.frequency * 1e6,
            },
            Handle::Literals(required) => Explanation::Literals {
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

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 4;
        match self {
            Explanation::Always => f.write_str("matches every record"),
            Explanation::EveryRecord => f.write_str(
                "no filter, an automaton reads every record: every literal and run that is \
                 required is too frequent, or none is",
            ),
            Explanation::Literals { literals, before, after, per_million } => {
                let shown = literals[..literals.len().min(SHOWN)].join(", ");
                let all = if literals.len() == 1 { "literal" } else { "literals" };
                write!(f, "{all} {shown}")?;
                if literals.len() > SHOWN {
                    write!(f, " and {} more", literals.len() - SHOWN)?;
                }
                place(f, *before, *after, *per_million)
            }
            Explanation::Classes { len, exact, before, after, per_million } => {
                write!(f, "classes of {len} bytes or more in sequence")?;
                if *exact {
                    expected(f, *per_million)?;
                    return f.write_str("; it matches wherever they are");
                }
                place(f, *before, *after, *per_million)
            }
            Explanation::Run { len, class, before, after, per_million } => {
                write!(f, "run of {len} bytes out of {class}")?;
                place(f, *before, *after, *per_million)
            }
        }
    }
}

/// Why it is searched by that, and what is to be confirmed around it.
fn place(
    f: &mut fmt::Formatter<'_>,
    before: Option<u32>,
    after: Option<u32>,
    per_million: f64,
) -> fmt::Result {
    expected(f, per_million)?;
    f.write_str("; confirmed ")?;
    let bytes = |bytes: u32| if bytes == 1 { "1 byte".into() } else { format!("{bytes} bytes") };
    match before {
        None => f.write_str("from the record's start")?,
        Some(0) => f.write_str("from its start")?,
        Some(before) => write!(f, "from {} before it", bytes(before))?,
    }
    match after {
        None => f.write_str(" to the record's end"),
        Some(0) => f.write_str(" to its end"),
        Some(after) => write!(f, " to {} behind it", bytes(after)),
    }
}

fn expected(f: &mut fmt::Formatter<'_>, per_million: f64) -> fmt::Result {
    match per_million {
        // Sums of guesses: more digits would pretend to know.
        0.0..0.1 => f.write_str(", less than 0.1 expected")?,
        0.1..10.0 => write!(f, ", {per_million:.1} expected")?,
        _ => write!(f, ", {per_million:.0} expected")?,
    }
    f.write_str(" in a million bytes")
}

#[cfg(test)]
mod tests {
    use crate::{Pattern, PatternSet, Report};

    #[test]
    fn a_search_is_told_in_words() {
        let cases = [
            ("", "matches every record"),
            ("AKIA[0-9A-Z]{16}", "literal AKIA, "),
            ("AKIA[0-9A-Z]{16}", "; confirmed from its start to 16 bytes behind it"),
            ("(?i)keq.1", "literal [Kk][Ee][Qq]"),
            ("x.*qzx", "; confirmed from the record's start to its end"),
            ("q[ab]xy", "literals qaxy, qbxy, 0.3 expected in a million bytes"),
            (r"\bsecret_[0-9]\w{0,9}=", " to 11 bytes behind it"),
            ("[A-Z]secret", "; confirmed from 1 byte before it to its end"),
            ("qz1x|qz2x|qz3x|qz4x|qz5x|qz6x", "literals qz1x, qz2x, qz3x, qz4x and 2 more, "),
            (r"q\.x\xFF\n", r"literal q\.x\\xff\\n"),
            ("[0-9]{3}[a-f]", "classes of 4 bytes or more in sequence, "),
            ("[0-9]{3}[a-f]", " in a million bytes; it matches wherever they are"),
            (r"[0-9]{3,9}\b{start}[a-f]{30}", "run of 30 bytes out of 6, "),
            (r"[0-9]{3,9}\b{start}[a-f]{30}", "; confirmed from 3 bytes before it to its end"),
            ("[a-z]+", "no filter, an automaton reads every record: "),
        ];
        for (pattern, expected) in cases {
            let set = PatternSet::new([Pattern::new(pattern).unicode(false)]).unwrap();
            let engine = crate::pure::Engine::new(&set, Report::Patterns);
            let text = engine.explain(0).unwrap().to_string();
            assert!(text.contains(expected), "{pattern}: {text}");
            assert_eq!(engine.explain(1), None);
        }
    }
}
