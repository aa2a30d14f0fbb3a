//! Tests of the language of combinations, and of the order in which they are reported.

use std::ops::ControlFlow;

use super::Combinations;
use crate::{Backend, BatchBuf, Engine, Matches, Pattern, PatternSet, Report, Scan};

/// Patterns `a` to `e`, called so; `b` and `c` share the start of their names.
fn set() -> PatternSet {
    PatternSet::builder()
        .pattern(Pattern::new("a").name("a"))
        .pattern(Pattern::new("b").name("x-b"))
        .pattern(Pattern::new("c").name("x-c"))
        .pattern(Pattern::new("d").name("not"))
        .pattern("e")
        .build()
        .unwrap()
}

/// Whether an expression holds in a record.
fn holds(expression: &str, record: &str) -> bool {
    let combinations = Combinations::new(&set(), [("c", expression)]).unwrap();
    let engine = Engine::with_backend(&set(), Report::Patterns, Backend::Pure).unwrap();
    let mut scanner = combinations.scanner(engine.scanner().unwrap()).only_combinations(true);
    let mut records = BatchBuf::new();
    records.push(record.as_bytes()).unwrap();
    let mut matches = Matches::new();
    scanner.scan(&records.as_batch(), &mut matches).unwrap();
    assert!(matches.iter().all(|m| combinations.name_of(m) == Some("c")));
    !matches.is_empty()
}

#[test]
fn expressions_hold_where_they_should() {
    for (expression, yes, no) in [
        ("a", "xa", "b"),
        ("#4", "e", "abcd"),
        (r#""not""#, "d", "abce"),
        ("not a", "", "a"),
        ("not not a", "a", ""),
        ("a or x-b and x-c", "a", "b"),
        ("(a or x-b) and x-c", "bc", "ab"),
        ("not a and x-b", "b", "ab"),
        ("not (a and x-b)", "a", "ab"),
        ("a or x-b or x-c", "c", "d"),
        ("any of x-*", "c", "ad"),
        ("any 2 of (a, x-*)", "ab", "a"),
        ("any 2 of (x-b, x-*, x-b)", "bc", "b"),
        ("all of (a, #4)", "ea", "e"),
        ("none of them", "f", "e"),
        ("any 5 of them", "abcde", "abcd"),
        ("any 0 of a", "", "-"),
        ("a and any of them", "a", "b"),
    ] {
        assert!(holds(expression, yes), "{expression} in {yes}");
        if no != "-" {
            assert!(!holds(expression, no), "{expression} in {no}");
        }
    }
}

#[test]
fn invalid_expressions_are_positioned_errors() {
    for (expression, position, reason) in [
        ("", 0, "a name is expected here, not the end"),
        ("a and", 5, "a name is expected here, not the end"),
        ("a b", 2, "`b` is not expected here"),
        ("(a", 2, "`)` is expected here, not the end"),
        ("a)", 1, "`)` is not expected here"),
        ("f", 0, r#"no pattern or earlier combination is called "f""#),
        ("#5", 0, "there is no pattern 5, the set has 5"),
        ("#99999999999999999999999", 0, "`#` needs the number of a pattern after it"),
        ("x-*", 0, "a name with `*` needs `any of` before it"),
        ("any of y*", 7, r#"no pattern's name starts with "y""#),
        ("any 2 a", 6, "`of` is expected here, not `a`"),
        ("any 99999999999 of a", 4, "the number `99999999999` is too large"),
        ("all of (a x-b)", 10, "`,` or `)` is expected here, not `x-b`"),
        ("all of ()", 8, "a name is expected here, not `)`"),
        ("a & b", 2, "'&' is not expected here"),
        (r#""a"#, 0, "the quote is not closed"),
        ("c", 0, r#"no pattern or earlier combination is called "c""#),
    ] {
        let error = Combinations::new(&set(), [("c", expression)]).unwrap_err();
        assert_eq!((error.position(), error.reason()), (position, reason), "{expression}");
    }
    let deep = format!("{}a", "not ".repeat(100_000));
    let error = Combinations::new(&set(), [("c", deep)]).unwrap_err();
    assert_eq!(error.reason(), "the expression nests deeper than 100");
    let error = Combinations::new(&set(), [("c", "a"), ("c", "a")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "combination c: there is an earlier combination of this name at byte 0"
    );
}

#[test]
fn combinations_follow_the_matches_of_their_record() {
    let combinations =
        Combinations::new(&set(), [("quiet", "none of them"), ("a", "x-b"), ("both", "#0 and a")]);
    // The name `a` stands for the pattern and for the earlier combination.
    let combinations = combinations.unwrap();
    let engine = Engine::with_backend(&set(), Report::Patterns, Backend::Pure).unwrap();
    let mut scanner = combinations.scanner(engine.scanner().unwrap());
    let mut records = BatchBuf::new();
    for record in ["", "b", "", "", "ab", ""] {
        records.push(record.as_bytes()).unwrap();
    }
    let expected = [(0, 5), (1, 1), (1, 6), (2, 5), (3, 5), (4, 0), (4, 1), (4, 6), (4, 7), (5, 5)];
    let mut matches = Matches::new();
    for _ in 0..2 {
        scanner.scan(&records.as_batch(), &mut matches).unwrap();
        let found: Vec<_> = matches.iter().map(|m| (m.record(), m.pattern())).collect();
        assert_eq!(found, expected);
        // A scan that ends early leaves nothing to the next one.
        let flow = scanner.scan_with(&records.as_batch(), &mut |_| ControlFlow::Break(())).unwrap();
        assert!(flow.is_break());
    }
}
