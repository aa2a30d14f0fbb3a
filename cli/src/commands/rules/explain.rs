//! Says in a sentence how a rule is searched.
//!
//! The library's own explanation has literals in the syntax of patterns. Here they are as people write
//! them, and frequencies are per megabyte.

use dragnet::{Explanation, pure};

/// The number of literals that are listed.
const SHOWN: usize = 4;

/// Returns the sentence for a rule, without a period.
pub(super) fn sentence(explanation: &Explanation) -> String {
    match explanation {
        Explanation::Pure { strategy, fallback_reason: None } => pure_sentence(strategy),
        Explanation::Pure { strategy, fallback_reason: Some(reason) } => {
            format!("{}; not by the C library: {reason}", pure_sentence(strategy))
        }
        other => other.to_string(),
    }
}

fn pure_sentence(strategy: &pure::Explanation) -> String {
    match strategy {
        pure::Explanation::Literals { literals, before, after, per_million } => {
            let shown: Vec<String> =
                literals.iter().take(SHOWN).map(|literal| readable(literal)).collect();
            let more = match literals.len().saturating_sub(SHOWN) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let noun = if literals.len() == 1 { "literal" } else { "literals" };
            let extent = extent(*before, *after);
            format!("{noun} {}{more}, {}; {extent}", shown.join(", "), expected(*per_million))
        }
        pure::Explanation::ByteRun { len, class_size, before, after, per_million } => format!(
            "run of {len} bytes, each one of {class_size} values, {}; {}",
            expected(*per_million),
            extent(*before, *after)
        ),
        pure::Explanation::ClassSequence { len, per_million } => format!(
            "{len} bytes or more of given classes in sequence, {}; it matches wherever they are",
            expected(*per_million)
        ),
        other => other.to_string(),
    }
}

/// How often something is expected in ordinary text.
fn expected(per_million: f64) -> String {
    match per_million {
        // More digits would suggest a precision that the estimate does not have.
        0.0..0.1 => "expected less than once in 10 MB".to_owned(),
        0.1..0.95 => format!("expected once in {:.0} MB", 1.0 / per_million),
        0.95..1.5 => "expected once per MB".to_owned(),
        _ => format!("expected {per_million:.0} times per MB"),
    }
}

/// Which part of a line is checked around a place.
fn extent(before: Option<u32>, after: Option<u32>) -> String {
    let bytes = |bytes: u32| if bytes == 1 { "1 byte".into() } else { format!("{bytes} bytes") };
    let from = match before {
        None => "from the line's start".to_owned(),
        Some(0) => "from its start".to_owned(),
        Some(before) => format!("from {} before it", bytes(before)),
    };
    match after {
        None => format!("checked {from} to the line's end"),
        Some(0) => format!("checked {from} to its end"),
        Some(after) => format!("checked {from} to {} after it", bytes(after)),
    }
}

/// Returns a literal in quotes, as people write it: letters that match in both cases are in lower case,
/// with a remark. The argument is in the syntax of patterns.
fn readable(literal: &str) -> String {
    let mut text = String::new();
    let mut folds = false;
    let mut rest = literal.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => text.extend(rest.next()),
            '[' => {
                let class: Vec<char> = rest.by_ref().take_while(|&c| c != ']').collect();
                match class[..] {
                    [upper, lower] if upper.to_ascii_lowercase() == lower && upper != lower => {
                        text.push(lower);
                        folds = true;
                    }
                    _ => text.extend(['['].into_iter().chain(class).chain([']'])),
                }
            }
            c => text.push(c),
        }
    }
    match folds {
        true => format!("\"{text}\" in any case"),
        false => format!("\"{text}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_as_people_write_them() {
        let cases = [
            (r"key=", r#""key=""#),
            (r"AGE\-SECRET\-KEY\-1", r#""AGE-SECRET-KEY-1""#),
            (r"[Pp][Aa][Ss][Ss]_1", r#""pass_1" in any case"#),
            (r"a[bc]", r#""a[bc]""#),
            (r"\\x00\\tb", r#""\x00\tb""#),
            (r"\[x\]", r#""[x]""#),
        ];
        for (literal, expected) in cases {
            assert_eq!(readable(literal), expected);
        }
    }

    #[test]
    fn frequencies_are_per_megabyte() {
        let cases = [
            (0.0, "expected less than once in 10 MB"),
            (0.2, "expected once in 5 MB"),
            (1.2, "expected once per MB"),
            (1.7, "expected 2 times per MB"),
            (385.3, "expected 385 times per MB"),
        ];
        for (per_million, sentence) in cases {
            assert_eq!(expected(per_million), sentence);
        }
    }
}
