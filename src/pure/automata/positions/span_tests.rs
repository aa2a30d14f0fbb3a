//! Compares the spans, found in each way, with those of `regex_automata`'s `PikeVM`: on all small
//! patterns and records, and on larger random ones.

use std::ops::{ControlFlow, Range};

use proptest::prelude::*;
use regex_automata::nfa::thompson::pikevm::PikeVM;
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::{Anchored, Input};
use regex_syntax::hir::Hir;

use super::tests::{UNICODE_BOUNDARIES, combined, patterns, record, records};
use super::{Backtracking, PositionScratch, Program};
use crate::pure::automata::span_cursor::SpanCursor;

fn parse(pattern: &str) -> Hir {
    regex_syntax::ParserBuilder::new().utf8(false).build().parse(pattern).unwrap()
}

/// `PikeVM` needs the capture of the whole match to report spans.
pub(in crate::pure::automata) fn pikevm(hir: &Hir) -> PikeVM {
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

/// The ways of backtracking, by number.
const PLAIN: usize = 0;
const WITH_MEMO: usize = 1;

/// The spans of a record. `None` if that takes too long or is impossible.
fn spans(
    program: &Program,
    history: &mut Backtracking,
    scratch: &mut PositionScratch,
    record: &[u8],
) -> Option<Vec<Range<usize>>> {
    let (mut all, mut cursor) = (Vec::new(), SpanCursor::default());
    let mut add = |span| {
        all.push(span);
        ControlFlow::Continue(())
    };
    let place = (record, record.len());
    let flow = program.spans(history, scratch, true, place, &mut cursor, &mut add);
    flow.ok().map(|flow| {
        assert!(flow.is_continue());
        all
    })
}

/// Requires a program to find the spans `expected` in `record`, in each way, and by the DFA of `by_dfa`.
fn check_record(
    (program, pattern): (&Program, &str),
    scratch: &mut PositionScratch,
    by_dfa: &mut Backtracking,
    record: &[u8],
    expected: &[Range<usize>],
) {
    let text = record.escape_ascii();
    for way in [None, Some(PLAIN), Some(WITH_MEMO)] {
        let history = &mut way.map_or_else(Backtracking::default, Backtracking::only);
        match spans(program, history, scratch, record) {
            Some(found) => assert_eq!(found, expected, "{pattern} in {text}, way {way:?}"),
            None => assert!(
                way == Some(PLAIN),
                "{pattern} in {text}: the budget of way {way:?} does not suffice"
            ),
        }
    }
    let found = spans(program, by_dfa, scratch, record);
    assert_eq!(found.as_deref(), Some(expected), "{pattern} in {text}, by the DFA");
    keep(pattern, by_dfa);
}

/// Requires the DFA to have decided every search, unless the pattern has Unicode word boundaries, and prepares it for
/// the next record.
fn keep(pattern: &str, by_dfa: &mut Backtracking) {
    let is_undecided = UNICODE_BOUNDARIES.iter().any(|boundary| pattern.contains(boundary));
    match by_dfa.working_dfa() {
        Some(dfa) => {
            assert!(dfa.undecided() == 0 || is_undecided, "{pattern}");
            dfa.fill_budget();
        }
        // It has run out of budget, or there is none for single bytes.
        None => *by_dfa = Backtracking::with_dfa(),
    }
}

/// Requires a program to decide as the simulation does whether there is a match within each part of `record`, and
/// whether one starts there.
fn check_parts(
    (program, pattern): (&Program, &str),
    vm: &PikeVM,
    scratch: &mut PositionScratch,
    by_dfa: &mut Backtracking,
    record: &[u8],
) {
    let cache = &mut vm.create_cache();
    for start in 0..=record.len() {
        for end in start..=record.len() {
            for anchored in [Anchored::No, Anchored::Yes] {
                let input = &Input::new(record).span(start..end).anchored(anchored);
                let expected = vm.is_match(cache, input.clone());
                let history = &mut Backtracking::default();
                let plain = program.is_match(history, scratch, false, input, &mut 0);
                assert!(plain.is_err() || plain.is_ok_and(|found| found == expected), "{input:?}");
                let found = program.is_match(by_dfa, scratch, true, input, &mut 0);
                assert!(found.is_err() || found.is_ok_and(|found| found == expected), "{input:?}");
                keep(pattern, by_dfa);
                let with_memo = program.is_match_with_memo(history, scratch, input, &mut 0);
                assert!(with_memo.is_ok_and(|found| found == expected), "{input:?}");
            }
        }
    }
}

fn check(pattern: &str, records: &[Vec<u8>]) {
    let hir = parse(pattern);
    let program = Program::new(&hir).unwrap();
    let vm = pikevm(&hir);
    let (mut cache, scratch) = (vm.create_cache(), &mut PositionScratch::default());
    let by_dfa = &mut Backtracking::with_dfa();
    for record in records {
        let expected: Vec<_> = vm.find_iter(&mut cache, record).map(|m| m.range()).collect();
        check_record((&program, pattern), scratch, by_dfa, record, &expected);
        if record.len() < 3 {
            check_parts((&program, pattern), &vm, scratch, by_dfa, record);
        }
    }
    assert!(by_dfa.working_dfa().is_some() || program.is_byte, "{pattern}");
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

/// In records of whole and of broken characters.
#[test]
fn all_small_patterns_with_unicode_boundaries_have_the_pikevms_spans() {
    let records = records("a é".as_bytes(), 4);
    for boundary in UNICODE_BOUNDARIES {
        let operands = ["a", "(?s-u:.)", "é", boundary, ""];
        let patterns = (1..=3).flat_map(|size| patterns(size, &operands, &["*", "*?", "{2,}"]));
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
        let (scratch, by_dfa) = (&mut PositionScratch::default(), &mut Backtracking::with_dfa());
        check_record((&program, pattern), scratch, by_dfa, record.as_bytes(), &spans);
    }
}

/// Alternatives that begin with the same run, and with similar ones.
#[test]
fn alternatives_that_begin_with_runs_have_the_pikevms_spans() {
    let parts =
        ["a+b", "a+?b", "a+ba", "a{1,2}b+", "(?:a+b){2}", "(?:a+b){1,2}c", "a+", "a{2}b", ""];
    let records = records(b"abc", 5);
    for first in parts {
        for second in parts {
            check(&format!("{first}|{second}"), &records);
            check(&format!("(?:{first}|{second}|{second}c|{first}a)+?c"), &records);
        }
    }
}

/// Starts are passed by up to four bytes, also at the end of a part and of the record.
#[test]
fn starts_in_parts_of_records_are_not_missed() {
    let records = records(b"abc", 6);
    for pattern in ["[ab]c|[ab]b?a", "[ab]{3}c|a", r"(?-u:\b)a[bc]?c|bcb$", "[abc]{2}a{2}|[ab]c{3}"]
    {
        let hir = parse(pattern);
        let (program, vm) = (Program::new(&hir).unwrap(), pikevm(&hir));
        let (scratch, by_dfa) = (&mut PositionScratch::default(), &mut Backtracking::with_dfa());
        for record in &records {
            check_parts((&program, pattern), &vm, scratch, by_dfa, record);
        }
    }
}

/// Also after a match that ends within the run of the next one.
#[test]
fn bounded_runs_before_a_byte_have_the_pikevms_spans() {
    for pattern in ["[ab]{1,4}:a?", "[ab]{2,4}:(?:ab)?", "[ab]{4}:a*", r"(?-u:\b)[ab]{1,4}:"] {
        check(pattern, &records(b"ab:", 7));
    }
}

/// Matches that do not begin at the start of a run of the class that they begin with.
#[test]
fn matches_may_begin_within_a_run() {
    for (pattern, record, span) in [
        (r"(?-u:(?:\Ba)*b)", "aab", 1..3),
        (r"(?-u:\Ba+b)", "aab", 1..3),
        ("a{2,4}b", "aaaaab", 1..6),
    ] {
        let hir = parse(pattern);
        let program = Program::new(&hir).unwrap();
        let (scratch, by_dfa) = (&mut PositionScratch::default(), &mut Backtracking::with_dfa());
        check_record((&program, pattern), scratch, by_dfa, record.as_bytes(), &[span]);
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
    let operands = [&operands[..], &UNICODE_BOUNDARIES].concat();
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
            let vm = pikevm(&hir);
            let by_dfa = &mut Backtracking::with_dfa();
            for record in &records {
                let expected = expected(&hir, record);
                check_record((&program, &pattern), scratch, by_dfa, record, &expected);
                check_parts((&program, &pattern), &vm, scratch, by_dfa, &record[..record.len().min(12)]);
            }
        }
    }
}

#[test]
fn large_patterns_are_refused() {
    for (pattern, accepted) in [
        ("(?:ab){8192}", true),
        ("(?:ab){8192}c", false),
        ("a{100000}", true),
        ("(?:a{4}b{4}){8192}", true),
        ("(?:a{4}b{4}){8192}c{4}", false),
        (r"(?-u:\w)", true),
        (r"\ba", true),
        // A choice for each pair of words.
        ("(?:(?:a|b|c|d|e|f|g|h|ij|kl|mn|op){8})*", true),
    ] {
        assert_eq!(Program::new(&parse(pattern)).is_some(), accepted, "{pattern}");
    }
}

/// Patterns of which every part is empty, or which have too many parts.
#[test]
fn parts_that_are_empty_are_bounded() {
    for (pattern, accepted) in [
        ("(?:){1000}", true),
        (r"(?:(?-u:\b)|a){70000}", false),
        ("(?:(((((((((ab)))))))))){8000}", false),
    ] {
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
        for (way, by_dfa) in [(None, false), (Some(WITH_MEMO), false), (None, true)] {
            let steps = [2000, 4000].map(|len| {
                let (mut cursor, mut count) = (SpanCursor::default(), 0);
                let found = &mut |_| {
                    count += 1;
                    ControlFlow::Continue(())
                };
                let history = &mut match way {
                    _ if by_dfa => Backtracking::with_dfa(),
                    Some(way) => Backtracking::only(way),
                    None => Backtracking::default(),
                };
                let (scratch, record) = (&mut PositionScratch::default(), vec![b'A'; len]);
                let place = (&record[..], len);
                let result = program.spans(history, scratch, true, place, &mut cursor, found);
                assert!(result.is_ok_and(|flow| flow.is_continue()), "{pattern}");
                assert_eq!(count >= len, matches, "{pattern}: {count}");
                cursor.steps
            });
            assert!(steps[1] <= 3 * steps[0], "{pattern}: {steps:?}, way {way:?}, DFA {by_dfa}");
        }
    }
}
