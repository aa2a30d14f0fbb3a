//! Tests with a lazy DFA whether a match starts at a position, for patterns that start with a literal.
//!
//! A candidate has been found by its literal, which a DFA of the whole pattern would read once more, one
//! dependent table load for each byte. So the literal is compared at once, and the DFA is one of the rest of
//! the pattern, which starts after the literal. For a secret such as `\btoken_[0-9A-Za-z]{16}\b`, that is
//! a quarter less time. Assertions before the literal are looked up without an automaton.
//!
//! Position automata could be shortened in the same way. They would need a second automaton for searches
//! that do not start at a candidate, which is built with the engine and not on first use.

use std::ops::Range;

use memchr::memmem;
use regex_automata::hybrid::dfa;
use regex_automata::{Anchored, Input, MatchKind};
use regex_syntax::hir::{self, Hir, HirKind};

use super::lazy_dfa::{build_for_pattern, compile};
use super::lazy_search::{self, Undecided};
use super::positions::looks::{self, Looks};

/// A pattern as assertions, a literal after them, and the rest.
#[derive(Debug)]
pub(super) struct LeadingLiteral {
    looks: Looks,
    literal: Box<[u8]>,
    /// `None` if nothing comes after the literal.
    rest: Option<Box<dfa::DFA>>,
}

impl LeadingLiteral {
    /// Returns `None` if the pattern does not start with a literal, or if no DFA can search the rest.
    pub(super) fn new(hir: &Hir) -> Option<LeadingLiteral> {
        let HirKind::Concat(parts) = hir.kind() else { return None };
        let looks = parts.iter().map_while(|part| match part.kind() {
            HirKind::Look(look) => Some(*look),
            _ => None,
        });
        let looks: Vec<hir::Look> = looks.collect();
        let (first, rest) = parts[looks.len()..].split_first()?;
        let HirKind::Literal(hir::Literal(literal)) = first.kind() else { return None };
        let rest = match rest {
            [] => None,
            _ => {
                let rest = Hir::concat(rest.to_vec());
                Some(build_for_pattern(compile(&[&rest]), MatchKind::LeftmostFirst)?)
            }
        };
        let looks = looks.iter().fold(0, |all, look| all | look.as_repr());
        Some(LeadingLiteral { looks, literal: literal.clone(), rest })
    }

    /// Tests whether a match starts at `span.start` and lies within `span` of `record`. Adds the bytes read
    /// to `steps`. `cache` is created on first use.
    pub(super) fn starts_at(
        &self,
        cache: &mut Option<Box<dfa::Cache>>,
        record: &[u8],
        span: Range<usize>,
        steps: &mut u64,
    ) -> Result<bool, Undecided> {
        *steps += self.literal.len() as u64;
        let is_here = record[span.clone()].starts_with(&self.literal)
            && self.looks & !looks::holding_at(record, span.start, self.looks) == 0;
        let Some(dfa) = self.rest.as_ref().filter(|_| is_here) else { return Ok(is_here) };
        let cache = cache.get_or_insert_with(|| dfa.create_cache().into());
        let rest = span.start + self.literal.len()..span.end;
        let input = Input::new(record).span(rest).anchored(Anchored::Yes).earliest(true);
        lazy_search::starts_at(dfa, cache, &input, steps)
    }
}

/// A literal that every match of a pattern contains.
#[derive(Debug)]
pub(crate) struct ContainedLiteral {
    pub(crate) finder: memmem::Finder<'static>,
    /// The largest distance from the start of a match to the literal in it, in bytes.
    pub(crate) before: Option<usize>,
}

impl ContainedLiteral {
    /// Chooses a literal that every match starts with, if there is one, and else the longest.
    pub(super) fn new(hir: &Hir) -> Option<ContainedLiteral> {
        let mut all = Vec::new();
        add_literals(hir, Some(0), &mut all);
        let rank = |(literal, before): &(&[u8], Option<usize>)| {
            (*before == Some(0), literal.len(), before.is_some())
        };
        let (literal, before) = all.into_iter().max_by_key(rank)?;
        Some(ContainedLiteral { finder: memmem::Finder::new(literal).into_owned(), before })
    }
}

/// Adds the literals that every match of `hir` contains, each with the largest distance from the start of a
/// match to it, if `hir` is at most `before` bytes after that.
fn add_literals<'h>(
    hir: &'h Hir,
    mut before: Option<usize>,
    all: &mut Vec<(&'h [u8], Option<usize>)>,
) {
    match hir.kind() {
        HirKind::Literal(hir::Literal(literal)) => all.push((literal, before)),
        HirKind::Capture(capture) => add_literals(&capture.sub, before, all),
        // The first one of all.
        HirKind::Repetition(repetition) if repetition.min > 0 => {
            add_literals(&repetition.sub, before, all);
        }
        HirKind::Concat(parts) => {
            for part in parts {
                add_literals(part, before, all);
                let len = part.properties().maximum_len();
                before = before.zip(len).and_then(|(before, len)| before.checked_add(len));
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_matches_at_their_start_only() {
        let cases = [
            (r"\bab\d+\b", "ab1 ab2x éab3 xab4 -ab5", vec![0, 21]),
            (r"(?m)^ab", "ab\nab ab", vec![0, 3]),
            (r"\B\Bab(?:c|)", "abab éab", vec![2, 7]),
        ];
        for (regex, record, expected) in cases {
            let parts = LeadingLiteral::new(&regex_syntax::parse(regex).unwrap()).unwrap();
            let (mut cache, mut steps) = (None, 0);
            let mut is_start = |at: usize| {
                let rest = at..record.len();
                parts.starts_at(&mut cache, record.as_bytes(), rest, &mut steps).unwrap()
            };
            let found: Vec<usize> = (0..=record.len()).filter(|&at| is_start(at)).collect();
            assert_eq!(found, expected, "{regex}");
        }
    }

    #[test]
    fn what_is_outside_of_the_span_is_no_part_of_a_match() {
        let parts = LeadingLiteral::new(&regex_syntax::parse(r"ab\d").unwrap()).unwrap();
        for (end, expected) in [(0, false), (1, false), (2, false), (3, true)] {
            assert_eq!(parts.starts_at(&mut None, b"ab1", 0..end, &mut 0).unwrap(), expected);
        }
    }

    #[test]
    fn the_first_or_the_longest_literal_is_chosen() {
        let cases = [
            (r"\b(ab)c+def", Some(("ab", Some(0)))),
            (r"(?m)^ab\d", Some(("ab", Some(0)))),
            (r"(?:ab)+cde", Some(("ab", Some(0)))),
            (r"a?bc", Some(("bc", Some(1)))),
            (r"(?-u)\d{2,4}-\w+@", Some(("-", Some(4)))),
            (r"\w+@(\w+\.)+com", Some(("com", None))),
            (r"(?:ab|cd)e", Some(("e", Some(2)))),
            (r"\b", None),
            (r"(?i)ab", None),
            (r"(?:abc)*|d", None),
        ];
        for (regex, expected) in cases {
            let found = ContainedLiteral::new(&regex_syntax::parse(regex).unwrap());
            let found = found.as_ref().map(|literal| (literal.finder.needle(), literal.before));
            let expected = expected.map(|(literal, before)| (literal.as_bytes(), before));
            assert_eq!(found, expected, "{regex}");
        }
    }

    #[test]
    fn other_patterns_have_no_leading_literal() {
        for regex in ["a", r"\d+a", "(?i)k", r"\b(?:a|b)", r"\b"] {
            assert!(LeadingLiteral::new(&regex_syntax::parse(regex).unwrap()).is_none(), "{regex}");
        }
    }
}
