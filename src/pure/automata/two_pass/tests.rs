//! Compares the two-pass search and the NFA simulation with `regex_automata`'s `PikeVM`.

use proptest::prelude::*;
use regex_automata::nfa::thompson::pikevm::PikeVM;
use regex_automata::util::syntax;

use super::super::lazy_dfa::compile;
use super::super::span_simulation::{SimulationCache, leftmost_span};
use super::*;

/// Small patterns that combine preferences, empty matches and assertions.
fn pattern() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(
        &[
            "a",
            "b",
            ".",
            "[ab]",
            "[^a]",
            "",
            "^",
            "$",
            r"\b",
            r"\B",
            "(?m:^)",
            "(?m:$)",
            "ab",
            "é",
            r"\w",
            r"(?-u:\b)",
        ][..],
    )
    .prop_map(str::to_owned);
    leaf.prop_recursive(4, 16, 3, |inner| {
        let repeat = prop::sample::select(&["*", "*?", "+", "+?", "?", "??", "{2}", "{0,2}?"][..]);
        prop_oneof![
            (inner.clone(), repeat).prop_map(|(p, r)| format!("(?:{p}){r}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}{b}")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("(?:{a}|{b})")),
        ]
    })
}

fn two_pass_spans(nfa: &NFA, record: &[u8]) -> Vec<Range<usize>> {
    let (mut cache, mut cursor) = (TwoPassCache::default(), SpanCursor::default());
    let mut spans = Vec::new();
    let flow =
        TwoPass::new(nfa.clone()).for_each_span(&mut cache, record, &mut cursor, &mut |span| {
            spans.push(span);
            ControlFlow::Continue(())
        });
    assert!(flow.is_continue());
    spans
}

fn simulated_spans(nfa: &NFA, record: &[u8]) -> Vec<Range<usize>> {
    let (mut cache, mut cursor) = (SimulationCache::default(), SpanCursor::default());
    let mut spans = Vec::new();
    while cursor.at <= record.len() {
        match leftmost_span(nfa, &mut cache, record, cursor.at, &mut 0) {
            Some(span) if cursor.accept(&span) => spans.push(span),
            Some(_) => {}
            None => break,
        }
    }
    spans
}

proptest! {
    #[test]
    fn finds_the_spans_of_the_pikevm_iterator(
        pattern in pattern(),
        record in prop::collection::vec(prop::sample::select(&b"aab \n\xC3\xA9"[..]), 0..40),
    ) {
        let vm = PikeVM::builder()
            .syntax(syntax::Config::new().utf8(false))
            .thompson(regex_automata::nfa::thompson::Config::new().utf8(false))
            .build(&pattern)
            .unwrap();
        let mut cache = vm.create_cache();
        let expected: Vec<_> = vm.find_iter(&mut cache, &record).map(|m| m.range()).collect();
        let hir = regex_syntax::ParserBuilder::new().utf8(false).build().parse(&pattern).unwrap();
        let nfa = compile(&[&hir]);
        prop_assert_eq!(two_pass_spans(&nfa, &record), &expected[..]);
        prop_assert_eq!(simulated_spans(&nfa, &record), expected);
    }
}
