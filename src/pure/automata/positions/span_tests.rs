//! Compares the spans, found in both ways, with those of `regex_automata`'s `PikeVM`: on all small
//! patterns and records, and on larger random ones.

use std::ops::{ControlFlow, Range};

use proptest::prelude::*;
use regex_automata::nfa::thompson::pikevm::PikeVM;
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::{Anchored, Input};
use regex_syntax::hir::Hir;

use super::tests::{combined, patterns, record, records};
use super::{Backtracking, PositionScratch, Program};
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

/// The ways of backtracking, by the number of those that come before: a plain search, one at marked starts, and
/// one with a memo.
const WAYS: Range<usize> = 0..3;
const WITH_MEMO: usize = 2;

/// The spans of a record, without the first `skipped` ways of searching. `None` if that takes too long.
fn spans(
    (program, hir): (&Program, &Hir),
    skipped: usize,
    scratch: &mut PositionScratch,
    record: &[u8],
) -> Option<Vec<Range<usize>>> {
    let (mut all, mut cursor) = (Vec::new(), SpanCursor::default());
    let mut add = |span| {
        all.push(span);
        ControlFlow::Continue(())
    };
    let history = &mut Backtracking::without_first(skipped);
    let flow = program.spans(hir, history, scratch, (record, record.len()), &mut cursor, &mut add);
    flow.ok().map(|flow| {
        assert!(flow.is_continue());
        all
    })
}

/// Requires a program to find the spans `expected` in `record`, in each way.
fn check_record(
    (program, hir): (&Program, &Hir),
    pattern: &str,
    scratch: &mut PositionScratch,
    record: &[u8],
    expected: &[Range<usize>],
) {
    for skipped in WAYS {
        let found = spans((program, hir), skipped, scratch, record).expect("the budget suffices");
        let text = record.escape_ascii();
        assert_eq!(found, expected, "{pattern} in {text}, ways skipped: {skipped}");
        for anchored in [Anchored::No, Anchored::Yes] {
            let input = &Input::new(record).anchored(anchored);
            let history = &mut Backtracking::without_first(skipped);
            let is_match = match skipped {
                0 => program.is_match(history, scratch, input, &mut 0),
                WITH_MEMO => program.is_match_with_memo(history, scratch, input, &mut 0),
                _ => continue,
            };
            let first = expected.first();
            let is_expected = first.is_some_and(|span| anchored == Anchored::No || span.start == 0);
            let is_right = is_match.map_or(skipped == 0, |is_match| is_match == is_expected);
            assert!(is_right, "{pattern} in {text}, {anchored:?}, ways skipped: {skipped}");
        }
    }
}

fn check(pattern: &str, records: &[Vec<u8>]) {
    let hir = parse(pattern);
    let program = Program::new(&hir).unwrap();
    let vm = pikevm(&hir);
    let (mut cache, scratch) = (vm.create_cache(), &mut PositionScratch::default());
    for record in records {
        let expected: Vec<_> = vm.find_iter(&mut cache, record).map(|m| m.range()).collect();
        check_record((&program, &hir), pattern, scratch, record, &expected);
    }
}

#[test]
fn all_small_patterns_have_the_pikevms_spans() {
    for (sizes, len) in [(1..=3, 4), (4..=4, 3)] {
        let records = records(b"ab\n", len);
        let operands = ["a", "b", "[ab]", "[a&&b]", "", r"(?-u:\b)", "(?m:^)"];
        let repetitions = ["*", "*?", "+?", "??", "{1,2}", "{1,4}", "{0,4}?"];
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
        let hir = parse(pattern);
        let program = Program::new(&hir).unwrap();
        let scratch = &mut PositionScratch::default();
        check_record((&program, &hir), pattern, scratch, record.as_bytes(), &spans);
    }
}

/// A pattern that combines preferences, empty matches, assertions and characters of several bytes.
fn pattern() -> impl Strategy<Value = String> {
    let operands = [
        "a",
        "b",
        "ab",
        "[ab]",
        "[a&&b]",
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
        if let Some(program) = Program::new(&hir) {
            for record in &records {
                let expected = expected(&hir, record);
                check_record((&program, &hir), &pattern, scratch, record, &expected);
            }
        }
    }
}

#[test]
fn large_patterns_are_refused() {
    for (pattern, accepted) in [
        ("(?:ab){2048}", true),
        ("(?:ab){2049}", false),
        ("a{100000}", true),
        (r"(?-u:\w)", true),
        (r"\ba", false),
        // A choice for each pair of words.
        ("(?:(?:a|b|c|d|e|f|g|h|ij|kl|mn|op){8})*", true),
    ] {
        assert_eq!(Program::new(&parse(pattern)).is_some(), accepted, "{pattern}");
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

/// Matches that each read to the end of the record before it is known that they are short, and runs that
/// overlap.
#[test]
fn steps_are_linear_whatever_the_matches() {
    for (pattern, matches) in [
        (".*[^A-Z]|[A-Z]", true),
        ("(?-u:A(?:[A-Z]*z)?)", true),
        ("", true),
        ("(?-u:(?:A{1,500}){1,4}z)", false),
        ("(?-u:(?:.{0,300}?.{20,300})*z)", false),
        ("(?-u:A{0,99}A{0,99}?A{0,99}z|A{9,}z)", false),
    ] {
        let hir = parse(pattern);
        let program = Program::new(&hir).unwrap();
        for skipped in WAYS {
            let steps = [2000, 4000].map(|len| {
                let (mut cursor, mut count) = (SpanCursor::default(), 0);
                let found = &mut |_| {
                    count += 1;
                    ControlFlow::Continue(())
                };
                let history = &mut Backtracking::without_first(skipped);
                let (scratch, record) = (&mut PositionScratch::default(), vec![b'A'; len]);
                let result =
                    program.spans(&hir, history, scratch, (&record, len), &mut cursor, found);
                assert!(result.is_ok_and(|flow| flow.is_continue()), "{pattern}");
                assert_eq!(count >= len, matches, "{pattern}: {count}");
                cursor.steps
            });
            assert!(steps[1] <= 3 * steps[0], "{pattern}: {steps:?}, ways skipped: {skipped}");
        }
    }
}
