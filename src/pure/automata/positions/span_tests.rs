//! Compares the spans with those of `regex_automata`'s `PikeVM`: on all small patterns and records,
//! and on larger random ones.

use std::ops::{ControlFlow, Range};

use proptest::prelude::*;
use regex_automata::nfa::thompson::pikevm::PikeVM;
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_syntax::hir::{Hir, Look};

use super::PositionScratch;
use super::spans::{MAX_RECORD, SpanPositions};
use super::tests::{combined, patterns, record, records};
use crate::pure::automata::lazy_dfa::compile;
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

fn found(spans: &SpanPositions, scratch: &mut PositionScratch, record: &[u8]) -> Vec<Range<usize>> {
    let (mut all, mut cursor) = (Vec::new(), SpanCursor::default());
    let flow = spans.for_each_span(scratch, record, &mut cursor, &mut |span| {
        all.push(span);
        ControlFlow::Continue(())
    });
    assert!(flow.is_continue());
    all
}

/// Compares the automata of `pattern` with every number of words.
fn check(pattern: &str, records: &[Vec<u8>]) {
    let hir = parse(pattern);
    // What never matches adds positions, so that the state needs more words.
    let padded = [70, 300, 3000].map(|len| parse(&format!("{pattern}|z{{{len}}}")));
    let automata: Vec<_> = [&hir].into_iter().chain(&padded).map(|hir| compile(&[hir])).collect();
    let of = |nfa| SpanPositions::new(nfa).or_else(|| SpanPositions::large(nfa)).unwrap();
    let automata: Vec<_> = automata.iter().map(of).collect();
    let vm = pikevm(&hir);
    let (mut cache, scratch) = (vm.create_cache(), &mut PositionScratch::default());
    for record in records {
        let expected: Vec<_> = vm.find_iter(&mut cache, record).map(|m| m.range()).collect();
        for spans in &automata {
            let found = found(spans, scratch, record);
            assert_eq!(found, expected, "{pattern} in {:?}", record.escape_ascii().to_string());
        }
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
        let automaton = SpanPositions::new(&compile(&[&parse(pattern)])).unwrap();
        let scratch = &mut PositionScratch::default();
        assert_eq!(found(&automaton, scratch, record.as_bytes()), spans, "{pattern}");
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
        if let Some(spans) = SpanPositions::new(&compile(&[&hir])) {
            for record in &records {
                let expected = expected(&hir, record);
                prop_assert_eq!(found(&spans, scratch, record), expected, "{}", pattern);
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
        let spans = SpanPositions::new(&compile(&[&parse(pattern)]));
        assert_eq!(spans.is_some(), accepted, "{pattern}");
    }
    for (pattern, accepted) in [("a{512}", false), ("a{4096}", true), ("a{4097}", false)] {
        let spans = SpanPositions::large(&compile(&[&parse(pattern)]));
        assert_eq!(spans.is_some(), accepted, "{pattern}");
    }
}

/// The walk over an NFA reads the assertions of `regex_automata`, and the tables those of
/// `regex_syntax`.
#[test]
fn both_crates_represent_assertions_alike() {
    let looks = [
        Look::Start,
        Look::End,
        Look::StartLF,
        Look::EndLF,
        Look::StartCRLF,
        Look::EndCRLF,
        Look::WordAscii,
        Look::WordAsciiNegate,
        Look::WordUnicode,
        Look::WordUnicodeNegate,
        Look::WordStartAscii,
        Look::WordEndAscii,
        Look::WordStartUnicode,
        Look::WordEndUnicode,
        Look::WordStartHalfAscii,
        Look::WordEndHalfAscii,
        Look::WordStartHalfUnicode,
        Look::WordEndHalfUnicode,
    ];
    for look in looks {
        let nfa = compile(&[&Hir::look(look)]);
        let found = nfa.look_set_any().iter().map(|look| look.as_repr()).collect::<Vec<_>>();
        assert_eq!(found, [look.as_repr()], "{look:?}");
    }
}

/// Matches that each read to the end of the record before it is known that they are short.
#[test]
fn steps_are_linear_whatever_the_matches() {
    let record = vec![b'A'; MAX_RECORD];
    for (pattern, words) in [(".*[^A-Z]|[A-Z]", 1), ("(?-u:A(?:[A-Z]*z)?)", 1), ("", 1)] {
        let spans = SpanPositions::new(&compile(&[&parse(pattern)])).unwrap();
        let (mut cursor, mut count) = (SpanCursor::default(), 0);
        let flow =
            spans.for_each_span(&mut PositionScratch::default(), &record, &mut cursor, &mut |_| {
                count += 1;
                ControlFlow::Continue(())
            });
        assert!(flow.is_continue() && count >= record.len(), "{pattern}: {count}");
        assert!(cursor.steps <= (words + 1) * (record.len() as u64 + 1), "{pattern}");
    }
}
