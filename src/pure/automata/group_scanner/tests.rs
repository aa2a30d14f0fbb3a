//! Groups match where their patterns do, however they have been divided and joined.

use proptest::prelude::*;
use regex_automata::nfa::thompson::pikevm::PikeVM;

use super::super::{grouping, lazy_dfa};
use super::*;

/// Patterns with and without long repetitions, that match often or never or at either end; and
/// one with a Unicode word boundary, which a DFA cannot always decide.
const PATTERNS: [&str; 15] = [
    "(?-u)a.b",
    "(?-u)^b",
    "(?-u)^[ab]*c$",
    "(?-u)a[^c]*ca",
    "(?-u)b(?s:.)*bb",
    r"\bc\b",
    "(?-u)[ab]{3}",
    "(?-u)c$",
    "(?-u)a(?s:.){9}c",
    "(?-u)ca|bb",
    "(?-u)^(?:ab|c)+$",
    "x",
    "(?-u)b[ab]{12}b",
    "(?-u)b(?:[ab]{13}a|ca)",
    "(?-u)^a(?s:.)*c",
];

fn parse() -> Vec<Arc<Hir>> {
    let parser = regex_syntax::ParserBuilder::new().utf8(false).build();
    PATTERNS.iter().map(|pattern| parser.clone().parse(pattern).unwrap().into()).collect()
}

/// Compares the scanner with an oracle on each of `records`, and returns it as it is then.
fn check(records: &[Vec<u8>], limit: usize) -> GroupScanner {
    let hirs = parse();
    let indices = || (0..hirs.len()).map(PatternIndex::new);
    let groups =
        grouping::groups_for_records(indices().zip(hirs.iter().map(|hir| &**hir)).collect());
    let mut scanner = GroupScanner::new(&groups);
    scanner.workspace.limit = limit;
    let prepared = scanner.clone();
    let oracles: Vec<PikeVM> =
        hirs.iter().map(|hir| PikeVM::new_from_nfa(lazy_dfa::compile(&[hir])).unwrap()).collect();
    let matches = |pattern: PatternIndex, record: &[u8]| {
        let oracle = &oracles[pattern.index()];
        oracle.is_match(&mut oracle.create_cache(), record)
    };
    for record in records {
        let (mut found, mut undecided) = (Vec::new(), Vec::new());
        scanner.restart_if_due(&prepared);
        scanner.matching(&hirs, record, &mut found, &mut undecided);
        found.extend(undecided.into_iter().filter(|&pattern| matches(pattern, record)));
        found.sort();
        let expected: Vec<PatternIndex> = indices().filter(|&p| matches(p, record)).collect();
        assert_eq!(found, expected, "{}", record.escape_ascii());
    }
    scanner
}

fn records() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let byte = prop::sample::select(&b"aaaabbbbccc \n\xC3\xA9"[..]);
    prop::collection::vec(prop::collection::vec(byte, 0..90), 0..60)
}

proptest! {
    #[test]
    fn groups_match_where_their_patterns_do(records in records()) {
        check(&records, ALL_TABLES);
    }

    #[test]
    fn answers_do_not_depend_on_memory(records in records(), limit in 0usize..60_000) {
        check(&records, limit);
    }
}

/// Records of 100 random bits, written as two letters, which keep reaching new states.
fn noise(letters: [u8; 2], records: usize) -> Vec<Vec<u8>> {
    let mut seed = 1u32;
    let mut letter = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        letters[(seed >> 31) as usize]
    };
    (0..records).map(|_| (0..100).map(|_| letter()).collect()).collect()
}

#[test]
fn a_scanner_restarts_when_the_text_changes() {
    let mut records = noise(*b"ab", 40);
    assert!(!check(&records, ALL_TABLES).ungrouped.is_empty());
    // A text that is soon known.
    records.extend(vec![b"abc".to_vec(); 300]);
    assert!(!check(&records, ALL_TABLES).ungrouped.is_empty());
    records.extend(noise(*b"cx", 10));
    records.extend(vec![b"abc".to_vec(); 300]);
    let scanner = check(&records, ALL_TABLES);
    assert!(scanner.ungrouped.is_empty());
    assert!(scanner.readers.iter().any(|reader| reader.group.joined));
}

#[test]
fn groups_are_divided_and_joined() {
    let scanner = check(&noise(*b"ab", 40), ALL_TABLES);
    assert!(!scanner.ungrouped.is_empty());

    let scanner = check(&vec![b"abc".to_vec(); 2000], ALL_TABLES);
    assert!(scanner.readers.iter().any(|reader| reader.group.joined));
    assert!(scanner.readers.iter().all(|reader| !reader.group.kind.frequent));
    assert!(scanner.ungrouped.is_empty());

    let scanner = check(&vec![b"abababababababab".to_vec(); 200], ALL_TABLES);
    let frequent = scanner.readers.iter().filter(|reader| reader.group.kind.frequent);
    assert!(frequent.count() > 0 && scanner.readers.iter().all(|reader| reader.repeats < 10));
}
