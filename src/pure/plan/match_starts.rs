//! Chooses what a search for the starts of matches looks for.
//!
//! The search is in [`automata::start_search`](crate::pure::automata::start_search), where the condition on
//! the needle is explained: the part of the pattern before it, the head, can't match its first byte. It
//! must also be rare, since an automaton starts at each needle. Either is decided for each boundary
//! between parts of the pattern's concatenation, and within literals for each of their bytes.
//!
//! Unlike the literals of a [`Strategy`], a needle may be a frequent byte: the records are known to match, and
//! a needle need only be rarer than what a DFA reads in the time of one.

use memchr::memmem;
use regex_syntax::hir::{self, Hir, HirKind, Repetition};

use crate::pure::automata::start_search::{Needle, StartSearch};
use crate::pure::literal::byte_frequency::{of_byte, of_literal};
use crate::pure::literal::{ByteSet, Literal, after_each, match_bytes, parts};

use super::span_prefilter::span_literals;
use super::strategy::Strategy;
use super::trim::{Trimmed, trim, without_captures};

/// The highest frequency of a needle, per byte.
const MAX_FREQUENCY: f64 = 1.0 / 32.0;

/// What a needle costs that has a head, as a multiple of one that a match starts with. A guess.
const HEAD_COST: f64 = 2.0;

/// The number of parts before which a needle is looked for. Bounds the time to choose one.
const MAX_PARTS: usize = 64;

/// A needle that was found in a pattern.
struct Choice {
    cost: f64,
    needle: Needle,
    head: Hir,
}

/// The search for the starts of the matches of `hir`, or `None` if no needle is rare enough.
pub(in crate::pure) fn start_search(hir: &Hir) -> Option<StartSearch> {
    let Choice { needle, head, .. } = choose(hir)?;
    StartSearch::new(needle, &head)
}

fn choose(hir: &Hir) -> Option<Choice> {
    let hir = without_captures(hir);
    let mut best: Option<Choice> = None;
    let mut consider = |frequency: f64, head: Hir, needle: &dyn Fn() -> Needle| {
        let has_head = head.properties().maximum_len() != Some(0);
        let cost = frequency * if has_head { HEAD_COST } else { 1.0 };
        if frequency <= MAX_FREQUENCY && best.as_ref().is_none_or(|best| cost < best.cost) {
            best = Some(Choice { cost, needle: needle(), head });
        }
    };
    let parts = &opened_parts(&hir)[..];
    let first_bytes = after_each(parts);
    let mut head_bytes = ByteSet::EMPTY;
    for (index, part) in parts.iter().enumerate().take(MAX_PARTS) {
        let head = &parts[..index];
        if let HirKind::Literal(hir::Literal(literal)) = part.kind() {
            for (at, &byte) in literal.iter().enumerate() {
                let (before, needle) = literal.split_at(at);
                if !head_bytes.contains(byte) {
                    let before = (at > 0).then(|| Hir::literal(before));
                    let head = Hir::concat(head.iter().cloned().chain(before).collect());
                    consider(frequency(needle), head, &|| {
                        Needle::Literal(memmem::Finder::new(needle).into_owned().into())
                    });
                }
                head_bytes = head_bytes.union(&ByteSet::from_iter([byte]));
            }
            continue;
        }
        if let Some(first) = first_bytes[index].first() {
            let bytes: Vec<u8> = first.iter().take(4).collect();
            if let 1..=3 = bytes.len()
                && !bytes.iter().any(|&byte| head_bytes.contains(byte))
            {
                let last = bytes[bytes.len() - 1];
                let padded = [0, 1, 2].map(|index| bytes.get(index).copied().unwrap_or(last));
                consider(first.frequency(), Hir::concat(head.to_vec()), &|| Needle::Bytes(padded));
            }
        }
        head_bytes = head_bytes.union(&match_bytes(part).0);
    }
    let Trimmed { hir: trimmed, head } = trim(&hir);
    if head == Some(0)
        && let Some(literals) = span_literals(&Strategy::of(&trimmed), head)
    {
        consider(literals.literals.iter().map(of_literal).sum(), Hir::empty(), &|| {
            Needle::Literals(literals.prefilter(&trimmed).into())
        });
    }
    best
}

/// The parts of the concatenation `hir`. The first copy of a repetition is opened, since a literal in it may be
/// a needle.
fn opened_parts(hir: &Hir) -> Vec<Hir> {
    let mut opened = Vec::new();
    for part in parts(hir) {
        match part.kind() {
            HirKind::Repetition(repetition)
                if repetition.min > 0
                    && matches!(
                        repetition.sub.kind(),
                        HirKind::Concat(_) | HirKind::Literal(_)
                    ) =>
            {
                opened.extend_from_slice(parts(&repetition.sub));
                opened.push(Hir::repetition(Repetition {
                    min: repetition.min - 1,
                    max: repetition.max.map(|max| max - 1),
                    ..repetition.clone()
                }));
            }
            _ => opened.push(part.clone()),
        }
    }
    opened
}

/// The frequency of a literal: no higher than that of its rarest byte.
fn frequency(literal: &[u8]) -> f64 {
    let rarest = literal.iter().map(|&byte| of_byte(byte)).fold(1.0, f64::min);
    of_literal(&Literal::exact(literal)).min(rarest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_never_matches_the_first_byte_of_the_needle() {
        let cases = [
            ("user=[a-z]+", Some(("user=", ""))),
            (r"\buser=[a-z]+", Some(("user=", r"\b"))),
            (r"(\w+)@(\w+\.)+com", Some(("@", r"\w+"))),
            (r"([a-z]+)key=", Some(("=", "[a-z]+key"))),
            (r"[0-9]+key=", Some(("key=", "[0-9]+"))),
            // The first copy of a repetition has it.
            ("(?:[0-9a-f]{2}:){5}", Some((":", "[0-9a-f]{2}"))),
            // One of few bytes, also if a part may be empty.
            ("[a-z]+ ?[=:][a-z]+", Some((":=", "[a-z]+ ?"))),
            ("[a-z]+(?:=[0-9])?[:=]", Some((":=", "[a-z]+"))),
            // Any literal of a set.
            (r"\b(?:GET|POST) ", Some(("literals", ""))),
            // Frequent bytes.
            ("[a-d]+ [a-d]+", None),
            // The head matches the byte.
            (r"\S+@", None),
            ("(?:[a-z]@|b)@", None),
            // The needle is not in all matches.
            ("[a-z]+(?:@|[0-9]+)", None),
            ("(?:[a-z]+@)?[0-9]", None),
            ("[a-z]+|[0-9]@", None),
            ("", None),
        ];
        let parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
        let parse = |regex: &str| parser.clone().parse(regex).unwrap();
        for (regex, expected) in cases {
            let found = choose(&parse(regex)).map(|Choice { needle, head, .. }| {
                let needle = match needle {
                    Needle::Literal(literal) => literal.needle().to_vec(),
                    Needle::Bytes(bytes) => ByteSet::from_iter(bytes).iter().collect(),
                    Needle::Literals(_) => b"literals".to_vec(),
                };
                (String::from_utf8(needle).unwrap(), head)
            });
            let expected = expected.map(|(needle, head)| (needle.to_owned(), parse(head)));
            assert_eq!(found, expected, "{regex}");
        }
    }
}
