//! Compares the spans, found in both ways, with those of `regex_automata`'s `PikeVM`: on all small
//! patterns and records, and on larger random ones.

use std::ops::{ControlFlow, Range};

use proptest::prelude::*;
use regex_automata::nfa::thompson::pikevm::PikeVM;
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_syntax::hir::Hir;

use super::spans::{MAX_RECORD, SpanPositions};
use super::tests::{combined, patterns, record, records};
use super::{PositionScratch, Program};
use crate::pure::automata::span_cursor::SpanCursor;

fn parse(pattern: &str) -> Hir {
    regex_syntax::ParserBuilder::new().utf8(false).build().parse(pattern).unwrap()
}

/// `PikeVM` needs the capture of the whole match to report spans.
fn pikevm(hir: &Hir) -> PikeVM {
    let config = thompson::Config::new().utf8(false).which_captures(WhichCaptures::Implicit);
    let nfa = thompson::Compiler::new().configure(config).build_from_hir(hir).unwrap();
    PikeVM::new_from_nfa(nfa).unwrap()
}

/// The spans that an iterator over the matches of `PikeVM` yields.
fn expected(hir: &Hir, record: &[u8]) -> Vec<Range<usize>> {
    let vm = pikevm(hir);
    let mut cache = vm.create_cache();
    vm.find_iter(&mut cache, record).map(|found| found.range()).collect()
}

/// The two ways to find the spans of a pattern.
struct Automata {
    program: Program,
    positions: SpanPositions,
}

impl Automata {
    fn new(hir: &Hir) -> Option<Automata> {
        let program = Program::new(hir)?;
        let positions = SpanPositions::new(&program).or_else(|| SpanPositions::large(&program))?;
        Some(Automata { program, positions })
    }

    /// The spans in two passes, if `backtracks` after those that backtracking finds.
    fn spans(
        &self,
        backtracks: bool,
        scratch: &mut PositionScratch,
        record: &[u8],
    ) -> Vec<Range<usize>> {
        let (mut all, mut cursor) = (Vec::new(), SpanCursor::default());
        let mut add = |span| {
            all.push(span);
            ControlFlow::Continue(())
        };
        if !backtracks
            || self.program.backtrack(scratch, record, record.len(), &mut cursor, &mut add).is_err()
        {
            let program = &self.program;
            let flow =
                self.positions.for_each_span(program, scratch, record, &mut cursor, &mut add);
            assert!(flow.is_continue());
        }
        all
    }

    /// Requires both ways to find the spans `expected` in `record`.
    fn check(
        &self,
        pattern: &str,
        scratch: &mut PositionScratch,
        record: &[u8],
        expected: &[Range<usize>],
    ) {
        for backtracks in [false, true] {
            let found = self.spans(backtracks, scratch, record);
            let text = record.escape_ascii();
            assert_eq!(found, expected, "{pattern} in {text}, backtracking: {backtracks}");
        }
        if let Ok(found) = self.program.is_match(scratch, record, 0..record.len()) {
            assert_eq!(found, !expected.is_empty(), "{pattern} in {}", record.escape_ascii());
        }
    }
}

/// Compares the automata of `pattern` with every number of words.
fn check(pattern: &str, records: &[Vec<u8>]) {
    let hir = parse(pattern);
    // What never matches adds positions, so that the state needs more words.
    let padded = [70, 300, 3000].map(|len| parse(&format!("{pattern}|z{{{len}}}")));
    let hirs = [&hir].into_iter().chain(&padded);
    let automata: Vec<_> = hirs.map(|hir| Automata::new(hir).unwrap()).collect();
    let vm = pikevm(&hir);
    let (mut cache, scratch) = (vm.create_cache(), &mut PositionScratch::default());
    for record in records {
        let expected: Vec<_> = vm.find_iter(&mut cache, record).map(|m| m.range()).collect();
        automata.iter().for_each(|automata| automata.check(pattern, scratch, record, &expected));
    }
}

#[test]
fn all_small_patterns_have_the_pikevms_spans() {
    for (sizes, len) in [(1..=3, 4), (4..=4, 3)] {
        let records = records(b"ab\n", len);
        let operands = ["a", "b", "[ab]", "", r"(?-u:\b)", "(?m:^)"];
        let repetitions = ["*", "*?", "+?", "??", "{1,2}"];
        let patterns = sizes.flat_map(|size| patterns(size, &operands, &repetitions));
        patterns.for_each(|pattern| check(&pattern, &records));
    }
}

#[test]
fn alternatives_keep_their_order() {
    let one = |span| vec![span];
    for (pattern, record, spans) in [
        ("a.*?c|a.*?b", "abc", one(0..3)),
        ("a.*c|a.*b", "abcb", one(0..3)),
        (".*ab|.*.*", "abc", vec![0..2, 2..3]),
        ("a|ab", "abab", vec![0..1, 2..3]),
        ("(?:a|ab)(?:c|bcd)", "abcd", one(0..4)),
        ("(?:a*?)*?b", "aab", one(0..3)),
        ("", "ab", vec![0..0, 1..1, 2..2]),
        ("a*|b", "baab", vec![0..0, 1..3, 4..4]),
    ] {
        let automata = Automata::new(&parse(pattern)).unwrap();
        automata.check(pattern, &mut PositionScratch::default(), record.as_bytes(), &spans);
    }
}

/// A pattern that combines preferences, empty matches, assertions and characters of several bytes.
fn pattern() -> impl Strategy<Value = String> {
    let operands = [
        "a",
        "b",
        "ab",
        "[ab]",
        "[^a]",
        ".",
        "(?-u:.)",
        "é",
        "(?i:k)",
        "[é-ü]",
        "",
        r"(?-u:\b)",
        r"(?-u:\B)",
        "^",
        "$",
        "(?m:^)",
        "(?m:$)",
        "(?Rm:$)",
        r"(?-u:\b{start})",
        r"(?-u:\b{end-half})",
    ];
    let repetitions = ["*", "*?", "+", "+?", "?", "??", "{3}", "{2,}?", "{0,4}", "{1,3}?"];
    combined(&operands, &repetitions)
}

proptest! {
    #[test]
    fn random_patterns_have_the_pikevms_spans(
        pattern in pattern(),
        records in prop::collection::vec(record(90), 1..6),
    ) {
        let hir = parse(&pattern);
        let scratch = &mut PositionScratch::default();
        if let Some(automata) = Automata::new(&hir) {
            for record in &records {
                automata.check(&pattern, scratch, record, &expected(&hir, record));
            }
        }
    }
}

#[test]
fn large_patterns_are_refused() {
    for (pattern, accepted) in [
        ("a{512}", true),
        ("a{513}", false),
        (r"\w", false),
        (r"(?-u:\w)", true),
        (r"\ba", false),
        // A choice for each pair of words.
        ("(?:(?:a|b|c|d|e|f|g|h|ij|kl|mn|op){8})*", true),
    ] {
        let program = Program::new(&parse(pattern));
        let spans = program.as_ref().and_then(SpanPositions::new);
        assert_eq!(spans.is_some(), accepted, "{pattern}");
    }
    for (pattern, accepted) in [("a{512}", false), ("a{4096}", true), ("a{4097}", false)] {
        let program = Program::new(&parse(pattern));
        let spans = program.as_ref().and_then(SpanPositions::large);
        assert_eq!(spans.is_some(), accepted, "{pattern}");
    }
}

/// Patterns of which every part is empty, or which have too many of them.
#[test]
fn parts_that_are_empty_are_bounded() {
    for (pattern, accepted) in [("(?:){1000}", true), (r"(?:(?-u:\b)|a){70000}", false)] {
        let hir = regex_syntax::ParserBuilder::new().unicode(false).build().parse(pattern);
        assert_eq!(Program::new(&hir.unwrap()).is_some(), accepted, "{pattern}");
    }
}

/// Matches that each read to the end of the record before it is known that they are short.
#[test]
fn steps_are_linear_whatever_the_matches() {
    let record = vec![b'A'; MAX_RECORD];
    for (pattern, words) in [(".*[^A-Z]|[A-Z]", 1), ("(?-u:A(?:[A-Z]*z)?)", 1), ("", 1)] {
        let Automata { program, positions } = Automata::new(&parse(pattern)).unwrap();
        let (mut cursor, mut count) = (SpanCursor::default(), 0);
        let scratch = &mut PositionScratch::default();
        let flow = positions.for_each_span(&program, scratch, &record, &mut cursor, &mut |_| {
            count += 1;
            ControlFlow::Continue(())
        });
        assert!(flow.is_continue() && count >= record.len(), "{pattern}: {count}");
        assert!(cursor.steps <= (words + 1) * (record.len() as u64 + 1), "{pattern}");
    }
}
