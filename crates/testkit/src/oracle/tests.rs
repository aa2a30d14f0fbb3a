//! Answers of the oracle, each worked out by hand or taken from another engine.

#![allow(clippy::single_range_in_vec_init, reason = "a list of spans often has one")]

use std::ops::Range;

use super::program::Program;
use super::search::{Groups, matches};
use crate::Spec;

fn spans(program: &Program, record: &[u8]) -> Vec<Range<usize>> {
    matches(program, record).iter().map(|groups| groups[0].unwrap()..groups[1].unwrap()).collect()
}

/// Asserts the groups of all matches of a pattern in a record, without group 0. `None` is a group that
/// took no part.
fn check_groups(regex: &str, record: &str, expected: &[&[Option<Range<usize>>]]) {
    let expected: Vec<Groups> = (expected.iter())
        .map(|groups| {
            groups
                .iter()
                .flat_map(|g| [g.as_ref().map(|g| g.start), g.as_ref().map(|g| g.end)])
                .collect()
        })
        .collect();
    let found = matches(&Program::new(&Spec::new(regex, "")), record.as_bytes());
    let found: Vec<Groups> = found.iter().map(|groups| groups[2..].to_vec()).collect();
    assert_eq!(found, expected, "{regex:?}");
}

/// Asserts the spans of a pattern in a record.
fn check(flags: &str, regex: &str, record: impl AsRef<[u8]>, expected: &[Range<usize>]) {
    let found = spans(&Program::new(&Spec::new(regex, flags)), record.as_ref());
    assert_eq!(found, expected, "{regex:?} flags {flags:?}");
}

/// As `check`, for a pattern that matches all of the record if it `matches`, and nothing otherwise.
fn check_all(flags: &str, regex: &str, record: impl AsRef<[u8]>, matches: bool) {
    let record = record.as_ref();
    let found = spans(&Program::new(&Spec::new(format!(r"\A(?:{regex})\z"), flags)), record);
    assert_eq!(found.len(), usize::from(matches), "{regex:?} flags {flags:?} in {record:?}");
}

#[test]
fn alternatives_are_tried_in_their_order() {
    // The first three are those of golang/go#13812 and rust-lang/regex #1360, and a greedy one.
    check("", "a.*?c|a.*?b", "abc", &[0..3]);
    check("", ".*ab|.*.*", "abc", &[0..2, 2..3]);
    check("", "a.*c|a.*b", "abcb", &[0..3]);
    check("", "a|ab", "ab", &[0..1]);
    check("", "ab|a", "ab", &[0..2]);
    check("", "(?:a|ab)(?:c|bcd)", "abcd", &[0..4]);
    check("", "(?:a|ab)(?:bcd|c)", "abc", &[0..3]);
    check("", "|a", "a", &[0..0, 1..1]);
    check("", "b|(?:)|a", "ab", &[0..0, 1..2]);
}

#[test]
fn repetitions_prefer_more_or_fewer() {
    check("", "a{2,4}", "aaaaaaa", &[0..4, 4..7]);
    check("", "a{2,4}?", "aaaaaaa", &[0..2, 2..4, 4..6]);
    check("", "a{2}", "aaaaa", &[0..2, 2..4]);
    check("", "a{2,}?b", "caaab", &[1..5]);
    check("", "a??b??c", "abc", &[0..3]);
    check("U", "a+?|b+", "aabb", &[0..2, 2..3, 3..4]);
    check("", "(?U)a+(?-U)b+", "aabb", &[0..4]);
    check("", "(?:ab?){2,3}?c", "xababac", &[1..7]);
    check("", "a{0}b", "ab", &[1..2]);
}

#[test]
fn an_empty_iteration_ends_a_loop() {
    // The cases of rust-lang/regex #779: the first iteration matches the empty string.
    check("", "(?:|a)*", "aaa", &[0..0, 1..1, 2..2, 3..3]);
    check("", "(?:|a)+", "aaa", &[0..0, 1..1, 2..2, 3..3]);
    check("", "(?:a|)+", "aaa", &[0..3]);
    check("", "(?:a*)*b", "aab", &[0..3]);
    check("", "(?:a??)*?b", "aab", &[0..3]);
    // Loops in loops: as in the `regex` crate.
    check("", "(?:a|(?:.*?)*?)*", "abc", &[0..2, 3..3]);
    check("", "(?:^)*a", "aa", &[0..1, 1..2]);
    check("", r"(?:\b){5}a", "a a", &[0..1, 2..3]);
    check("", "^{65535}{65535}a", "aa", &[0..1]);
}

#[test]
fn groups_are_those_of_the_preferred_path() {
    check_groups("(a+)(b)?", "aab a", &[&[Some(0..2), Some(2..3)], &[Some(4..5), None]]);
    check_groups("(a|ab)(c|bcd)(d*)", "abcd", &[&[Some(0..1), Some(1..4), Some(4..4)]]);
    check_groups("((a)|(b))c", "bc", &[&[Some(0..1), None, Some(0..1)]]);
    // What a failed path stored is undone.
    check_groups("(?:(a)b|(a)c)", "ac", &[&[None, Some(0..1)]]);
    check_groups("(?:(a)|b)*c|(?:a|b)*", "ab", &[&[None]]);
    // The last iteration counts, and one that a group takes no part in does not clear it.
    check_groups("(?:(a)|b)*", "aab", &[&[Some(1..2)]]);
    check_groups("(a)*?b", "aab", &[&[Some(1..2)]]);
    check_groups("(?:(a)|(b)){2}", "ba", &[&[Some(1..2), Some(0..1)]]);
    // An iteration that would be empty does not happen.
    check_groups("(a*)*", "aa", &[&[Some(0..2)]]);
    check_groups("(a|b*)*", "ab", &[&[Some(1..2)]]);
    check_groups("(a*)+", "b", &[&[Some(0..0)], &[Some(1..1)]]);
    check_groups("(a){0}(b)", "b", &[&[None, Some(0..1)]]);
}

#[test]
fn an_empty_match_does_not_touch_the_match_before() {
    check("", "a*", "baac", &[0..0, 1..3, 4..4]);
    check("", "", "ab", &[0..0, 1..1, 2..2]);
    check("", r"\b|a", "a", &[0..0, 1..1]);
    check("", "0*|a", "0a", &[0..1, 2..2]);
    // Bytes count, not characters.
    check("", "", "é", &[0..0, 1..1, 2..2]);
}

#[test]
fn flags_last_to_the_end_of_their_group() {
    check("", "a(?i)b|c", "aBCc", &[0..2, 2..3, 3..4]);
    check("", "(?:a(?i)b|c)c", "aBC CC", &[]);
    check("", "(?:a(?i)b|c)c", "aBcC", &[0..3]);
    check("", "((?i)a)b", "AB Ab", &[3..5]);
    check("i", "a(?-i:b)c", "AbC aBc", &[0..3]);
    check("x", "a b # c\nc", "abc", &[0..3]);
    check("s-u", "(?-s:.)+|(?u:.)", b"a\n\xFF", &[0..1, 1..2, 2..3]);
}

#[test]
fn classes_and_case_are_those_of_the_flags() {
    check("", r"\w", "é", &[0..2]);
    check("-u", r"\w", "é", &[]);
    check("-u", r"\xFF", b"\xFF", &[0..1]);
    check("", r"\xFF", "ÿ", &[0..2]);
    check("i", "k", "K\u{212A}", &[0..1, 1..4]);
    check("i-u", "k", "K\u{212A}", &[0..1]);
    check("i-u", "é", "éÉ", &[0..2]);
    check("i", "[^k]", "K\u{212A}a", &[4..5]);
    check("", r"[\p{Greek}&&\pL--α]", "αβ", &[2..4]);
    check("-u", r"[^a\n]", b"a\xE9\n", &[1..2]);
    check("", "[^a]", b"\xE9\xC3\xA9", &[1..3]);
    check("", r"[^\s\S]|b", "ab", &[1..2]);
    check("", "(?-u:[^a])", "é", &[0..1, 1..2]);
    // A surrogate, an overlong form, and a number above the last character are no UTF-8.
    check("s", ".", b"\xED\xA0\x80\xC0\x80\xF4\x90\x80\x80", &[]);
    check("s", ".", "\u{10FFFF}", &[0..4]);
}

#[test]
fn dots_stop_at_line_ends() {
    check("-u", ".+", b"a\xFF\r\nb", &[0..3, 4..5]);
    check("R-u", ".+", b"a\xFF\r\nb", &[0..2, 4..5]);
    check("", ".+", b"a\xFF\xC3\xA9\nb", &[0..1, 2..4, 5..6]);
    check("R", ".+", "a\r\nb", &[0..1, 3..4]);
    check("Rs", ".+", "a\r\nb", &[0..4]);
}

#[test]
fn anchors_hold_at_the_ends_of_records_or_lines() {
    check("", "^|$", "a\nb", &[0..0, 3..3]);
    check("m", "^|$", "a\n", &[0..0, 1..1, 2..2]);
    check("m", r"\A|\z", "a\n", &[0..0, 2..2]);
    check("mR", "^", "a\r\n\rb\n", &[0..0, 3..3, 4..4, 6..6]);
    check("mR", "$", "a\r\n\rb\n", &[1..1, 3..3, 5..5, 6..6]);
    check("m", "$", "a\r\n", &[2..2, 3..3]);
    check("R", "^|$", "a\r\n", &[0..0, 3..3]);
}

#[test]
fn word_boundaries_look_at_both_sides() {
    check("-u", r"\b", "ab c", &[0..0, 2..2, 3..3, 4..4]);
    check("-u", r"\B", "ab c", &[1..1]);
    check("-u", r"\b", "é", &[]);
    check("", r"\b", "é", &[0..0, 2..2]);
    check("", r"\B", "é", &[]);
    check("-u", r"\B", "é", &[0..0, 1..1, 2..2]);
    // Both sides have to be UTF-8 for `\B`, one of them a word character for `\b`.
    check("", r"\b", b"\xFFa\xFF", &[1..1, 2..2]);
    check("", r"\B", b"\xFF-a-", &[4..4]);
    // Continuation bytes that belong to no character are skipped after one, and not before one.
    check("", r"\ba|\bb", b"a\xA9b", &[0..1]);
    check("", r"\ba|\bb", b"a\xA9\xA9\xA9b", &[0..1]);
    check("", r"\ba|\bb", b"a\xA9\xA9\xA9\xA9b", &[0..1, 5..6]);
    check("", r"\ba|\bb", b"a\xE9b", &[0..1, 2..3]);
    check("", r"\b{start}", "ab c", &[0..0, 3..3]);
    check("", r"\b{end}", "ab c", &[2..2, 4..4]);
    check("", r"\<|\>", "ab", &[0..0, 2..2]);
    check("-u", r"\b{start-half}", "a -", &[0..0, 2..2, 3..3]);
    check("-u", r"\b{end-half}", "a -", &[1..1, 2..2, 3..3]);
    check("", r"\b{start-half}", b"\xFF-", &[0..0, 2..2]);
    check("", r"\b{end-half}", b"-\xFF", &[0..0, 2..2]);
}

#[test]
fn a_search_is_not_exponential() {
    let record = "a".repeat(2000);
    check("", "(?:a|a)*b", &record, &[]);
    check("", "(?:a*)*b", &record, &[]);
    check("", "(?:a|aa)+$", &record, &[0..2000]);
    check("", "(?:a?){60}a{60}$", "a".repeat(60), &[0..60]);
    check_all("", "(?:x+x+)+y", "x".repeat(500), false);
    // Long enough to exhaust the stack of a recursive matcher.
    check("", "(?:a|b)*", "ab".repeat(200_000), &[0..400_000]);
}

/// All records of up to `len` letters.
fn records(letters: &[u8], len: usize) -> Vec<Vec<u8>> {
    let mut all = vec![Vec::new()];
    let mut last = 0;
    for _ in 0..len {
        let longer: Vec<Vec<u8>> = all[last..]
            .iter()
            .flat_map(|record| letters.iter().map(|letter| [&record[..], &[*letter]].concat()))
            .collect();
        last = all.len();
        all.extend(longer);
    }
    all
}

#[test]
fn small_patterns_match_what_they_are_defined_to() {
    // The language of each pattern, defined without a regex.
    type Language = fn(&[u8]) -> bool;
    let languages: [(&str, Language); 6] = [
        ("(?:a|b)*abb", |r| r.ends_with(b"abb")),
        ("a*b*", |r| r.is_sorted()),
        ("(?:aa|bb)+", |r| !r.is_empty() && r.len() % 2 == 0 && r.chunks(2).all(|c| c[0] == c[1])),
        ("[ab]{2,4}?", |r| (2..=4).contains(&r.len())),
        ("(?:b|ab?)*", |_| true),
        ("b*(?:ab*ab*)*", |r| r.iter().filter(|&&b| b == b'a').count() % 2 == 0),
    ];
    for (regex, language) in languages {
        for record in records(b"ab", 7) {
            check_all("-u", regex, &record, language(&record));
        }
    }
}
