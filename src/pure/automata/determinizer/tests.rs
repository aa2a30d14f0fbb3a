//! What the determinizer finds in short texts is what a simulation of each pattern finds.

use regex_automata::nfa::thompson::pikevm::PikeVM;
use regex_syntax::hir::Hir;

use super::super::lazy_dfa;
use super::*;

/// Assertions of each kind, at the start, inside and at the end of a match, and where they can
/// never hold; optional parts and repetitions; and patterns that match only where a record
/// starts.
const PATTERNS: [&str; 24] = [
    "a",
    r"\ba",
    r"a\b",
    r"\Ba",
    r"a\B",
    r"a\b\B",
    r"\b{start}a|x",
    r"a\b{end}",
    r"\b{start-half}a",
    r"a\b{end-half}",
    "^a",
    "a$",
    "(?m)^a",
    "(?m)a$",
    "(?Rm)^a",
    "(?Rm)a$",
    r"(?m) ^|\bx",
    r"(?:^|a)(?s:.)",
    r"a(?:\b|\n)$",
    "a?a a?",
    "(?:a |b){2,3}",
    "[^a]{3}$",
    r"^(?:a|\n)+$",
    r"(?:\b|a)(?:\B|$) ?a",
];

fn parse(pattern: &str, unicode: bool) -> Hir {
    let mut parser = regex_syntax::ParserBuilder::new();
    parser.utf8(false).unicode(unicode).build().parse(pattern).unwrap()
}

/// The patterns that match in `text`, as bits, or `None` if the determinizer quits.
fn matches(determinizer: &Determinizer, text: &[u8]) -> Option<u64> {
    let (mut starts, mut builder) = (determinizer.unknown_start_steps(), KeyBuilder::default());
    determinizer.start(&mut builder);
    let mut found = 0;
    for &byte in text {
        if determinizer.quits(byte) {
            return None;
        }
        let (from, class) = (builder.key().to_vec(), determinizer.classes[usize::from(byte)]);
        determinizer.step(&from, class, &mut starts, &mut builder);
        found |= matches_of(builder.key());
        if determinizer.is_dead(builder.key()) {
            return Some(found);
        }
    }
    let from = builder.key().to_vec();
    Some(found | determinizer.end_matches(&from, &mut builder))
}

#[test]
fn all_short_texts_match_as_the_simulation_says() {
    const BYTES: &[u8] = b"ab \n\r\xC3";
    for unicode in [false, true] {
        let hirs = PATTERNS.map(|pattern| parse(pattern, unicode));
        let groups = hirs.iter().map(|hir| vec![hir]).chain([hirs.iter().collect()]);
        let groups: Vec<(Determinizer, Vec<PikeVM>)> = groups
            .map(|group| {
                let oracle = |hir: &&Hir| PikeVM::new_from_nfa(lazy_dfa::compile(&[*hir])).unwrap();
                let oracles = group.iter().map(oracle).collect();
                (Determinizer::new(GroupNfa::new(&group, false).unwrap()), oracles)
            })
            .collect();
        for (determinizer, oracles) in &groups {
            let mut caches: Vec<_> = oracles.iter().map(PikeVM::create_cache).collect();
            let texts = (0..=5).flat_map(|len| (0..BYTES.len().pow(len)).map(move |n| (len, n)));
            for (len, number) in texts {
                let digit = |place| BYTES[number / BYTES.len().pow(place) % BYTES.len()];
                let text: Vec<u8> = (0..len).map(digit).collect();
                let Some(found) = matches(determinizer, &text) else { continue };
                let expected = oracles.iter().zip(&mut caches).enumerate().fold(
                    0,
                    |bits, (index, (oracle, cache))| {
                        bits | u64::from(oracle.is_match(cache, &text[..])) << index
                    },
                );
                assert_eq!(found, expected, "{}", text.escape_ascii());
            }
        }
    }
}

#[test]
fn states_from_which_nothing_matches_are_dead() {
    for (pattern, text, dead) in
        [("^ab", "b", true), ("^ab", "a", false), ("(?m)^ab", "b", false), ("ab", "b", false)]
    {
        let determinizer =
            Determinizer::new(GroupNfa::new(&[&parse(pattern, false)], false).unwrap());
        let (mut starts, mut builder) = (determinizer.unknown_start_steps(), KeyBuilder::default());
        determinizer.start(&mut builder);
        let from = builder.key().to_vec();
        let class = determinizer.classes[usize::from(text.as_bytes()[0])];
        determinizer.step(&from, class, &mut starts, &mut builder);
        assert_eq!(determinizer.is_dead(builder.key()), dead, "{pattern}");
    }
}
