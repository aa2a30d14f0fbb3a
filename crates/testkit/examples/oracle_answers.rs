//! Prints random patterns and records with the oracle's answers, to be checked by `compare_with_re.py`.
//!
//! The patterns have the same meaning in the `regex` crate and in Python's `re` over bytes. What the
//! two define differently is not generated, or written in each dialect:
//!
//! - Unicode is off, and flags are set for a group only.
//! - `$` of Python also matches before a last line feed, so it is written `\Z`, as `\z` is.
//! - What is repeated more than once can't match the empty string: the two end empty loops differently.
//!   So the groups of an iteration that matches nothing, on which the two disagree, are not compared.
//! - A loop does not contain another one, which Python would take exponential time for.
//! - There are no possessive repetitions, lookarounds, backreferences, half word boundaries, flags
//!   `U` and `R`, or set operations in classes, which only one of the two has.
//!
//! Usage: `oracle_answers SEED PATTERNS`. Each line is a JSON object: the pattern in both dialects, and
//! a list of records, each with its bytes as characters up to U+00FF, and its matches. A match is a list of
//! the spans of its groups, the whole match first; the span of a group that took no part is [-1, -1].

use std::fmt::Write as _;
use std::io::Write as _;
use std::ops::Range;

use dragnet_testkit::{Choices, Found, Oracle, Rng, Spec, sample};

/// Records for each pattern.
const RECORDS: usize = 10;

/// The maximum length of a record, in bytes. It bounds the time of Python's backtracking.
const MAX_LEN: usize = 12;

/// The maximum depth of patterns.
const MAX_DEPTH: usize = 4;

const ATOMS: &[&str] = &[
    "a", "b", "c", "ab", "ba", ".", "[ab]", "[^a]", "[b-c]", r"[^\n]", r"[\w-]", r"\w", r"\d",
    r"\s", r"\W", r"\D", r"\S", r"\n", r"\x00", r"\xFF", "A",
];

/// Assertions, and how Python writes them.
const LOOKS: &[(&str, &str)] = &[
    ("^", "^"),
    ("$", r"\Z"),
    (r"\A", r"\A"),
    (r"\z", r"\Z"),
    ("(?m:^)", "(?m:^)"),
    ("(?m:$)", "(?m:$)"),
    (r"\b", r"\b"),
    (r"\B", r"\B"),
];

const BOUNDED: &[&str] = &["?", "{2}", "{1,2}", "{0,3}", "{2,3}"];

const UNBOUNDED: &[&str] = &["*", "+", "{2,}"];

const FLAGS: &[&str] = &["i", "s", "is", "-i", "-s", "i-s"];

const LETTERS: &[u8] = b"aaabbbccABC01_- \n\0\xFF";

/// A pattern in both dialects.
#[derive(Clone, Default)]
struct Both {
    regex: String,
    python: String,
    /// Whether it may match the empty string.
    may_be_empty: bool,
    /// Whether it has an unbounded repetition.
    is_unbounded: bool,
}

impl Both {
    fn new(regex: &str, python: &str, may_be_empty: bool) -> Both {
        let (regex, python) = (regex.to_owned(), python.to_owned());
        Both { regex, python, may_be_empty, is_unbounded: false }
    }

    fn wrapped(self, open: &str, close: &str) -> Both {
        Both {
            regex: format!("{open}{}{close}", self.regex),
            python: format!("{open}{}{close}", self.python),
            ..self
        }
    }

    fn concat(parts: &[Both]) -> Both {
        Both {
            regex: parts.iter().map(|part| part.regex.as_str()).collect(),
            python: parts.iter().map(|part| part.python.as_str()).collect(),
            may_be_empty: parts.iter().all(|part| part.may_be_empty),
            is_unbounded: parts.iter().any(|part| part.is_unbounded),
        }
    }

    /// The alternatives in a group.
    fn either(parts: &[Both]) -> Both {
        let join = |text: fn(&Both) -> &str| parts.iter().map(text).collect::<Vec<_>>().join("|");
        let (regex, python) = (join(|part| &part.regex), join(|part| &part.python));
        let may_be_empty = parts.iter().any(|part| part.may_be_empty);
        let is_unbounded = parts.iter().any(|part| part.is_unbounded);
        Both { regex, python, may_be_empty, is_unbounded }.wrapped("(?:", ")")
    }
}

fn leaf(choices: &mut dyn Choices) -> Both {
    match choices.weighted(&[8, 1, 1]) {
        0 => {
            let atom = choices.pick(ATOMS);
            Both::new(atom, atom, false)
        }
        1 => Both::new("(?:)", "(?:)", true),
        _ => {
            let (regex, python) = choices.pick(LOOKS);
            Both::new(regex, python, true)
        }
    }
}

fn repeat(choices: &mut dyn Choices, body: Both) -> Both {
    // A loop in a loop would make Python's backtracking exponential.
    let is_loop = !body.may_be_empty && !body.is_unbounded && choices.flag();
    let count = match (is_loop, body.may_be_empty) {
        (true, _) => choices.pick(UNBOUNDED),
        (false, true) => "?",
        (false, false) => choices.pick(BOUNDED),
    };
    let lazy = if choices.flag() { "?" } else { "" };
    let may_be_empty = body.may_be_empty || ["?", "*", "{0,3}"].contains(&count);
    let is_unbounded = body.is_unbounded || is_loop;
    Both { may_be_empty, is_unbounded, ..body }.wrapped("(?:", &format!("){count}{lazy}"))
}

fn tree(choices: &mut dyn Choices, depth: usize) -> Both {
    if depth == 0 {
        return leaf(choices);
    }
    let inner = |choices: &mut dyn Choices| tree(choices, depth - 1);
    choices.one_of(&[
        (3, &leaf),
        (5, &|choices| Both::concat(&choices.list(2, 4, inner))),
        (3, &|choices| Both::either(&choices.list(2, 4, inner))),
        // Alternatives with a common prefix.
        (2, &|choices| {
            let atom = leaf(choices);
            let prefix = repeat(choices, atom);
            let alternative =
                |choices: &mut dyn Choices| Both::concat(&[prefix.clone(), inner(choices)]);
            Both::either(&choices.list(2, 3, alternative))
        }),
        (3, &|choices| {
            let body = inner(choices);
            repeat(choices, body)
        }),
        (3, &|choices| inner(choices).wrapped("(", ")")),
        (1, &|choices| {
            let open = format!("(?{}:", choices.pick(FLAGS));
            inner(choices).wrapped(&open, ")")
        }),
    ])
}

/// A record that is likely to have matches.
fn record(rng: &mut Rng, spec: &Spec) -> Vec<u8> {
    let mut record = Vec::new();
    while record.len() < MAX_LEN && rng.below(8) > 0 {
        match rng.below(2) {
            0 => sample(&spec.hir(), rng, &mut record),
            _ => record.push(*rng.pick(LETTERS)),
        }
    }
    record.truncate(MAX_LEN);
    record
}

/// A JSON string with a character for each byte.
fn json(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => write!(out, "\\{}", char::from(byte)),
            b' '..=b'~' => write!(out, "{}", char::from(byte)),
            _ => write!(out, "\\u{byte:04x}"),
        }
        .expect("writing to a string does not fail");
    }
    out + "\""
}

fn main() -> std::io::Result<()> {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse().expect("a number"));
    let (Some(seed), Some(patterns)) = (args.next(), args.next()) else {
        panic!("usage: oracle_answers SEED PATTERNS");
    };
    let mut rng = Rng::new(seed);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for _ in 0..patterns {
        let both = tree(&mut rng, MAX_DEPTH);
        let spec = Spec::new(both.regex.as_str(), "-u");
        let mut oracle = Oracle::new(std::slice::from_ref(&spec));
        let records: Vec<String> = (0..RECORDS)
            .map(|_| {
                let record = record(&mut rng, &spec);
                let groups = |found: &Found| {
                    let span = |group: &Option<Range<usize>>| match group {
                        Some(group) => format!("[{}, {}]", group.start, group.end),
                        None => "[-1, -1]".to_owned(),
                    };
                    let spans: Vec<String> = found.groups.iter().map(span).collect();
                    format!("[{}]", spans.join(", "))
                };
                let found: Vec<String> = oracle.groups(&record).iter().map(groups).collect();
                format!("[{}, [{}]]", json(&record), found.join(", "))
            })
            .collect();
        writeln!(
            out,
            r#"{{"regex": {}, "python": {}, "records": [{}]}}"#,
            json(both.regex.as_bytes()),
            json(both.python.as_bytes()),
            records.join(", "),
        )?;
    }
    out.flush()
}
