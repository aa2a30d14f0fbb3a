//! Groups match where their patterns do, however they have been divided and joined.

use proptest::prelude::*;
use regex_automata::nfa::thompson::pikevm::PikeVM;

use super::super::dfa_group::GroupKind;
use super::super::{grouping, lazy_dfa, positions};
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
        let (due, next) = (scanner.text.is_due(), scanner.text.next());
        scanner.restart_if_due(&prepared);
        assert!(!due || scanner.text == next);
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

/// Makes a group for each pattern. Returns the groups and the parsed patterns.
fn one_group_each(patterns: &[&str]) -> (Vec<Arc<DfaGroup>>, Vec<Arc<Hir>>) {
    let hirs: Vec<Arc<Hir>> =
        patterns.iter().map(|pattern| positions::tests::parse(pattern).into()).collect();
    let group = |(index, hir): (usize, &Arc<Hir>)| {
        let members = vec![PatternIndex::new(index)];
        Arc::new(DfaGroup::new(members, GroupKind::of(hir), 10, 256 << 10))
    };
    (hirs.iter().enumerate().map(group).collect(), hirs)
}

/// Reads a record, and returns the steps and the patterns that match.
fn read(scanner: &mut GroupScanner, hirs: &[Arc<Hir>], record: &[u8]) -> (u64, Vec<usize>) {
    let (mut found, mut undecided) = (Vec::new(), Vec::new());
    let steps = scanner.matching(hirs, record, &mut found, &mut undecided);
    assert!(undecided.is_empty());
    let mut found: Vec<usize> = found.into_iter().map(PatternIndex::index).collect();
    found.sort();
    (steps, found)
}

#[test]
fn each_group_costs_one_pass() {
    let (groups, hirs) = one_group_each(&["ab", "b.c", "c"]);
    let mut scanner = GroupScanner::new(&groups);
    for _ in 0..2 {
        assert_eq!(read(&mut scanner, &hirs, b"aabc"), (15, vec![0, 2]));
        assert_eq!(scanner.readers.len(), 3);
    }
}

#[test]
fn tables_are_emptied_above_the_limit() {
    let (groups, hirs) = one_group_each(&["ab", "b.c"]);
    let mut scanner = GroupScanner::new(&groups);
    read(&mut scanner, &hirs, b"abc");
    for (spare, expected) in [(0, false), (-1, true)] {
        scanner.workspace.limit = scanner.workspace.used.saturating_add_signed(spare);
        scanner.workspace.computed = 0;
        scanner.matching(&hirs, b"abc", &mut Vec::new(), &mut Vec::new());
        assert_eq!(scanner.workspace.computed > 0, expected);
    }
}

#[test]
fn nothing_is_computed_above_the_limit() {
    let (groups, hirs) = one_group_each(&["ab"]);
    let mut scanner = GroupScanner::new(&groups);
    scanner.workspace.limit = 0;
    // The first computation starts at the limit, and the next one would exceed it.
    let (mut found, mut undecided) = (Vec::new(), Vec::new());
    scanner.matching(&hirs, b"abc", &mut found, &mut undecided);
    assert_eq!((found.len(), undecided.len(), scanner.workspace.computed), (0, 1, 1));
}

#[test]
fn groups_are_joined_when_they_have_settled() {
    let (groups, hirs) = one_group_each(&["ab", "b.c", "c"]);
    let mut scanner = GroupScanner::new(&groups);
    for bytes in (10..=SETTLED).step_by(10) {
        read(&mut scanner, &hirs, b"aabcaabcaa");
        let joined = scanner.readers.iter().any(|reader| reader.group.joined);
        assert_eq!(joined, bytes == SETTLED);
    }
}

#[test]
fn a_prepared_scanner_begins_with_joined_groups() {
    let (groups, hirs) = one_group_each(&["ab", "b.c", "c"]);
    let mut scanner = GroupScanner::prepared(&groups, &hirs);
    assert!(scanner.waiting.is_empty());
    assert!(scanner.readers.iter().any(|reader| reader.group.joined));
    assert_eq!((scanner.settled, scanner.workspace.computed), (0, 0));
    // Reading the sample has computed all transitions of this record.
    read(&mut scanner, &hirs, b"a common word");
    assert_eq!(scanner.workspace.computed, 0);
}

#[test]
fn the_only_group_can_be_divided() {
    let (groups, hirs) = one_group_each(&["b[ab]{12}b", "b(?:[ab]{13}a|ca)"]);
    let both = DfaGroup::join(&groups[0], &groups[1]).unwrap();
    let mut scanner = GroupScanner::new(&[Arc::new(both)]);
    for record in noise(*b"ab", 40) {
        scanner.matching(&hirs, &record, &mut Vec::new(), &mut Vec::new());
    }
    assert_eq!(scanner.readers.len() + scanner.ungrouped.len(), 2);
}

/// Joins three groups, each of `pattern` alone with a table of `states` states. Returns, in ascending order, the number
/// of members of each resulting group, and whether it keeps the tables of its halves.
fn joined(pattern: &str, states: usize) -> Vec<(usize, bool)> {
    let (groups, hirs) = one_group_each(&[pattern; 3]);
    let mut scanner = GroupScanner::new(&groups);
    for record in noise(*b"ab", 10).concat().chunks(20) {
        scanner.settled = 0;
        read(&mut scanner, &hirs, record);
        scanner.readers.iter_mut().for_each(|reader| reader.table.reset_budget());
    }
    assert!(scanner.readers.iter().all(|reader| reader.table.states() == states));
    scanner.regroup(&hirs, SETTLED);
    read(&mut scanner, &hirs, b"ab");
    let groups = scanner.readers.iter();
    let mut groups: Vec<_> =
        groups.map(|reader| (reader.group.members.len(), reader.halves.is_some())).collect();
    groups.sort();
    groups
}

#[test]
fn only_small_groups_are_joined_three_at_once() {
    assert_eq!(joined("a[ab]{3}c", 17), [(3, false)]);
    assert_eq!(joined("a[ab]{4}c", 33), [(1, false), (2, true)]);
}

#[test]
fn patterns_that_match_often_are_moved() {
    for (repeats, expected) in [(10, false), (11, true)] {
        let (groups, hirs) = one_group_each(&["a", "b"]);
        let both = DfaGroup::join(&groups[0], &groups[1]).unwrap();
        let mut scanner = GroupScanner::new(&[Arc::new(both)]);
        read(&mut scanner, &hirs, b"ab");
        (scanner.readers[0].repeats, scanner.readers[0].repeated) = (repeats, 1);
        scanner.split_frequent(&hirs, 10 * BYTES_PER_REPEAT);
        assert_eq!(scanner.waiting.len() == 2, expected);
    }
}

#[test]
fn a_scanner_with_patterns_anywhere_is_not_empty() {
    let (groups, hirs) = one_group_each(&["a"]);
    let mut scanner = GroupScanner::new(&groups);
    assert!(!scanner.is_empty());
    read(&mut scanner, &hirs, b"a");
    assert!(scanner.waiting.is_empty() && !scanner.is_empty());
    scanner.readers.clear();
    assert!(scanner.is_empty());
    scanner.ungrouped.push(PatternIndex::new(0));
    assert!(!scanner.is_empty());
}
