//! Finds where matches of a pattern can start, by searching for bytes instead of reading every byte.
//!
//! In a record that matches, most bytes belong to no match. A lazy DFA reads them all. If every match
//! contains a rare byte or literal, its needle, it is faster to search for that:
//!
//! 1. The *needle* is the first thing that is searched for, from the end of the match before on.
//! 2. The *head* is the part of the pattern before the needle. A reverse DFA of it reads back from the
//!    needle to the leftmost start, and not beyond the end of the match before.
//! 3. Whether there is a match from that start on is decided by the caller, for whom [`Starts::end_of_match`]
//!    runs the forward DFA of the pattern.
//!
//! The `regex` crate does the same and calls it reverse inner. There, `(?:ab.c|b)@` finds `b@` in `ab@c@`,
//! which is not the leftmost match. Here, the needle is one whose first byte the head can't match. So the
//! first needle at or after the start of a match is the one of that match, no other start is possible for it,
//! and the leftmost start at which the head matches is the right one. For the same reason no byte is
//! read backward twice.
//!
//! # Limits
//!
//! Forward searches that fail may read far, and needles may be frequent without a match. So the steps of
//! both are limited, and the caller then continues in another way, from [`Starts::at`] on.

use memchr::memmem;
use regex_automata::MatchKind;
use regex_automata::hybrid::dfa;
use regex_syntax::hir::Hir;

use super::lazy_dfa::{build_for_pattern, compile_reverse};
use super::lazy_search::{self, Undecided};
use super::span_cursor::step_budget;
use super::span_prefilter::SpanPrefilter;
use super::spans::{SpanAutomata, SpanCache};

/// The bytes that a DFA reads in the time of a needle without a match. A guess.
const FAILURE_BYTES: usize = 32;

/// The bytes that needles without a match may cost in addition to those that were passed.
const FREE_FAILURE_BYTES: usize = 256;

/// What every match of a pattern contains.
#[derive(Debug)]
pub(crate) enum Needle {
    Literal(Box<memmem::Finder<'static>>),
    /// Any of one to three bytes, the last one repeated if there are fewer.
    Bytes([u8; 3]),
    /// Any of several literals, which no match has anything before.
    Literals(Box<SpanPrefilter>),
}

/// The needle and the head of a pattern.
#[derive(Debug)]
pub(crate) struct StartSearch {
    needle: Needle,
    /// The reverse DFA of the head. `None` if it matches the empty string only: then a match starts
    /// with the needle.
    head: Option<Box<dfa::DFA>>,
}

impl StartSearch {
    /// The search for a pattern of which every match is one of `head` and then `needle`, whose
    /// first byte no match of `head` may contain. Returns `None` if the head has no DFA.
    pub(crate) fn new(needle: Needle, head: &Hir) -> Option<StartSearch> {
        let head = match head.properties().maximum_len() {
            Some(0) => None,
            _ => Some(build_for_pattern(compile_reverse(head), MatchKind::All)?),
        };
        Some(StartSearch { needle, head })
    }

    /// The offset of the first needle at `at` or later.
    fn next_needle(&self, cache: &mut SpanCache, record: &[u8], at: usize) -> Option<usize> {
        let rest = &record[at..];
        let skipped = match &self.needle {
            Needle::Literal(literal) => literal.find(rest),
            Needle::Bytes([a, b, c]) if b == c && a == b => memchr::memchr(*a, rest),
            Needle::Bytes([a, b, c]) if b == c => memchr::memchr2(*a, *b, rest),
            Needle::Bytes([a, b, c]) => memchr::memchr3(*a, *b, *c, rest),
            Needle::Literals(literals) => {
                return literals.next_position(record, &mut cache.positions, at);
            }
        };
        skipped.map(|skipped| at + skipped)
    }
}

/// The offsets of one record at which matches can start, from left to right.
pub(crate) struct Starts<'a> {
    search: &'a StartSearch,
    automata: &'a SpanAutomata,
    hir: &'a Hir,
    cache: &'a mut SpanCache,
    record: &'a [u8],
    /// All matches before this offset have been found.
    at: usize,
    /// The needle after the start that was returned last.
    needle: usize,
    steps: u64,
    /// The needles without a match.
    failures: usize,
}

impl<'a> Starts<'a> {
    pub(super) fn new(
        search: &'a StartSearch,
        (automata, hir): (&'a SpanAutomata, &'a Hir),
        cache: &'a mut SpanCache,
        record: &'a [u8],
    ) -> Starts<'a> {
        if let Needle::Literals(_) = search.needle {
            cache.positions.clear();
        }
        Starts { search, automata, hir, cache, record, at: 0, needle: 0, steps: 0, failures: 0 }
    }

    /// The offset where another search has to continue if this one fails.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Returns the offset at which the next match starts if there is one with the next needle, or `None` if
    /// there are no further matches. It must be accepted or rejected before the next call.
    ///
    /// Fails if another search is likely to be faster.
    pub(super) fn next(&mut self) -> Result<Option<usize>, Undecided> {
        while self.at <= self.record.len()
            && let Some(needle) = self.search.next_needle(self.cache, self.record, self.at)
        {
            if self.failures * FAILURE_BYTES > needle + FREE_FAILURE_BYTES
                || self.steps > step_budget(self.record)
            {
                return Err(Undecided);
            }
            self.needle = needle;
            let start = match &self.search.head {
                None => Some(needle),
                Some(dfa) => {
                    let cache = self.cache.head.get_or_insert_with(|| dfa.create_cache().into());
                    let before = self.at..needle;
                    lazy_search::start_of(dfa, cache, self.record, before, &mut self.steps)?
                }
            };
            match start {
                Some(start) => return Ok(Some(start)),
                None => self.reject(),
            }
        }
        Ok(None)
    }

    /// Whether the caller may read `bytes` bytes from the last start on. Counts them.
    pub(super) fn may_read(&mut self, bytes: usize) -> bool {
        let steps = self.steps + bytes as u64;
        let may_read = steps <= step_budget(self.record);
        if may_read {
            self.steps = steps;
        }
        may_read
    }

    /// The end of the leftmost-first match that starts at `start`, or `None` if there is none.
    pub(super) fn end_of_match(&mut self, start: usize) -> Result<Option<usize>, Undecided> {
        self.automata.end_at(self.hir, self.cache, self.record, start, &mut self.steps)
    }

    /// No match starts at the last start.
    pub(super) fn reject(&mut self) {
        self.failures += 1;
        self.at = self.needle + 1;
    }

    /// A match from the last start on ends at `end`.
    pub(super) fn accept(&mut self, end: usize) {
        // No match is empty, since each contains the needle.
        self.at = end;
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::super::lazy_dfa::compile;
    use super::super::span_simulation::{SimulationCache, leftmost_span};
    use super::*;
    use crate::pure::plan::start_search;

    fn parse(regex: &str) -> Hir {
        let parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
        parser.clone().parse(regex).unwrap()
    }

    /// The spans until the search fails, where it failed, and the steps.
    fn spans(regex: &str, record: &[u8]) -> (Vec<Range<usize>>, Option<usize>, u64) {
        let hir = parse(regex);
        let search = start_search(&hir).expect("there is a needle");
        let (automata, mut cache) = (SpanAutomata::default(), SpanCache::default());
        let mut starts = Starts::new(&search, (&automata, &hir), &mut cache, record);
        let mut found = Vec::new();
        loop {
            match starts.next() {
                Err(Undecided) => return (found, Some(starts.at()), starts.steps),
                Ok(None) => return (found, None, starts.steps),
                Ok(Some(start)) => match starts.end_of_match(start).unwrap() {
                    None => starts.reject(),
                    Some(end) => {
                        found.push(start..end);
                        starts.accept(end);
                    }
                },
            }
        }
    }

    #[test]
    fn the_same_spans_are_found_as_by_simulation() {
        let regexes = [
            r"@a+",
            r"\b@a*",
            r"[ab]+@",
            r"a*[ab]@b?",
            r"(?:ab?|b)[@=]a*?b",
            r"(?:b[ab]*@)+c?",
            r"\ba?b\b@(?:a|b$)",
            r"^ab?@b?",
            r"(?:ab|b)@@",
            r"(?m)^b*@$",
            r"\B[ab]{2}@\b",
            r"@b|=b",
            r"(?i)@B[ab]*=",
        ];
        // All records of up to five bytes of this alphabet.
        let alphabet = b"ab@=\n";
        for regex in regexes {
            let hir = parse(regex);
            let (nfa, mut cache) = (compile(&[&hir]), SimulationCache::default());
            for len in 0..=5 {
                for number in 0..alphabet.len().pow(len) {
                    let digit = |place| number / alphabet.len().pow(place) % alphabet.len();
                    let record: Vec<u8> = (0..len).map(|place| alphabet[digit(place)]).collect();
                    let (mut expected, mut at) = (Vec::new(), 0);
                    while let Some(span) = leftmost_span(&nfa, &mut cache, &record, at, &mut 0) {
                        at = span.end;
                        expected.push(span);
                    }
                    let found = spans(regex, &record);
                    assert_eq!((found.0, found.1), (expected, None), "{regex} {record:?}");
                }
            }
        }
    }

    #[test]
    fn steps_are_linear() {
        for (regex, part) in
            [(r"a+@[^x]*x", "a@"), (r"a+@[^x]*x", "aaaaaaa @"), (r"@[^x]*x", "@bcdefgh")]
        {
            let record = part.repeat(10_000).into_bytes();
            let (found, failed_at, steps) = spans(regex, &record);
            assert!(found.is_empty() && failed_at.is_some(), "{regex}");
            // The last search may read the whole record.
            let limit = step_budget(&record) + 2 * record.len() as u64 + 2;
            assert!(steps <= limit, "{regex}: {steps} steps in {} bytes", record.len());
        }
    }

    #[test]
    fn frequent_needles_without_matches_end_the_search() {
        let record = "@ ".repeat(1000);
        let (_, failed_at, _) = spans("@[^ ]", record.as_bytes());
        assert!(failed_at.is_some_and(|at| at < 100), "{failed_at:?}");
        // Matches make up for nothing, but they are no failures.
        let record = "@a".repeat(1000);
        assert_eq!(spans("@[^ ]", record.as_bytes()).1, None);
    }
}
