//! Compares the automata with a matcher that follows the HIR literally: on all small patterns and
//! records, and on larger random ones.

use std::collections::BTreeSet;

use proptest::prelude::*;
use regex_automata::util::look::{Look as AutomataLook, LookMatcher};
use regex_syntax::hir::{Class, HirKind};

use super::*;

pub(in crate::pure::automata) fn parse(pattern: &str) -> Hir {
    let parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
    parser.clone().parse(pattern).unwrap()
}

/// Where the matches of `hir` that start at `at` of `record` end.
fn ends(hir: &Hir, record: &[u8], at: usize) -> BTreeSet<usize> {
    match hir.kind() {
        HirKind::Empty => BTreeSet::from([at]),
        HirKind::Literal(literal) => {
            let found = record[at..].starts_with(&literal.0);
            found.then_some(at + literal.0.len()).into_iter().collect()
        }
        HirKind::Class(Class::Bytes(class)) => {
            let accepts = |b: &&u8| class.iter().any(|r| (r.start()..=r.end()).contains(*b));
            record.get(at).filter(accepts).map(|_| at + 1).into_iter().collect()
        }
        HirKind::Class(Class::Unicode(class)) => {
            let len = record.len().min(at + 4);
            let text = (at..=len).rev().find_map(|end| str::from_utf8(&record[at..end]).ok());
            let first = text.and_then(|text| text.chars().next());
            let accepts = |c: &char| class.iter().any(|r| (r.start()..=r.end()).contains(c));
            first.filter(accepts).map(|c| at + c.len_utf8()).into_iter().collect()
        }
        HirKind::Look(look) => {
            let look = AutomataLook::from_repr(look.as_repr()).unwrap();
            let holds = LookMatcher::new().matches(look, record, at);
            holds.then_some(at).into_iter().collect()
        }
        HirKind::Capture(capture) => ends(&capture.sub, record, at),
        HirKind::Concat(subs) => subs.iter().fold(BTreeSet::from([at]), |from, sub| {
            from.into_iter().flat_map(|at| ends(sub, record, at)).collect()
        }),
        HirKind::Alternation(subs) => subs.iter().flat_map(|sub| ends(sub, record, at)).collect(),
        HirKind::Repetition(repetition) => {
            let (mut from, mut found) = (BTreeSet::from([at]), BTreeSet::new());
            for copies in 0.. {
                if copies >= repetition.min {
                    let known = found.len();
                    found.extend(&from);
                    if repetition.max == Some(copies)
                        || repetition.max.is_none()
                            && copies > repetition.min
                            && known == found.len()
                    {
                        break;
                    }
                }
                from = from.iter().flat_map(|&at| ends(&repetition.sub, record, at)).collect();
            }
            found
        }
    }
}

/// The assertions about Unicode characters.
pub(super) const UNICODE_BOUNDARIES: [&str; 6] = [
    r"(?u:\b)",
    r"(?u:\B)",
    r"(?u:\b{start})",
    r"(?u:\b{end})",
    r"(?u:\b{start-half})",
    r"(?u:\b{end-half})",
];

/// The automata of a pattern in one size.
struct Automata {
    forward: ForwardPositions,
    backward: BackwardPositions,
}

impl Automata {
    /// `None` if the pattern has too many conditions in one of the directions.
    fn new(hir: &Hir, words: usize, max_copies: u32) -> Option<Automata> {
        let size = Size { words, max_copies };
        Some(Automata {
            forward: ForwardPositions(Words::with_size(hir, Direction::Forward, size)?),
            backward: BackwardPositions(Words::with_size(hir, Direction::Backward, size)?),
        })
    }

    /// Compares every search over every range of `record` with `ends` of each start.
    fn check(&self, pattern: &str, record: &[u8], ends: &[BTreeSet<usize>]) {
        let scratch = &mut PositionScratch::default();
        let any = |start: usize, end: usize| ends[start].range(..=end).next().is_some();
        for start in 0..=record.len() {
            for end in start..=record.len() {
                let context =
                    || format!("{pattern} {:?} {start}..{end}", record.escape_ascii().to_string());
                let mut steps = 0;
                let found = self.forward.starts_at(scratch, record, start..end, &mut steps);
                assert_eq!(found, any(start, end), "starts_at {}", context());
                let expected = (start..=end).any(|start| any(start, end));
                let found = self.forward.is_match(scratch, record, start..end, &mut 0);
                assert_eq!(found, expected, "is_match {}", context());
            }
            let found = self.backward.ends_at(scratch, record, start, &mut 0);
            let expected = ends.iter().any(|ends| ends.contains(&start));
            assert_eq!(found, expected, "ends_at {pattern} {record:?} {start}");
        }
    }
}

/// Where the matches of `hir` that start at each offset of `record` end.
pub(in crate::pure::automata) fn all_ends(hir: &Hir, record: &[u8]) -> Vec<BTreeSet<usize>> {
    (0..=record.len()).map(|at| ends(hir, record, at)).collect()
}

/// All records over `alphabet` of at most `len` bytes.
pub(in crate::pure::automata) fn records(alphabet: &[u8], len: usize) -> Vec<Vec<u8>> {
    let mut all = vec![Vec::new()];
    let mut longest = 0;
    for _ in 0..len {
        let from = std::mem::replace(&mut longest, all.len());
        for index in from..longest {
            all.extend(
                alphabet
                    .iter()
                    .map(|&byte| [&all[index][..], &[byte]].concat())
                    .collect::<Vec<_>>(),
            );
        }
    }
    all
}

/// All patterns of `size` operators and operands, of which these are the operands and the
/// repetitions.
pub(super) fn patterns(size: usize, operands: &[&str], repetitions: &[&str]) -> Vec<String> {
    if size == 1 {
        return operands.iter().map(|&operand| operand.to_owned()).collect();
    }
    let of = |size| patterns(size, operands, repetitions);
    let mut all = Vec::new();
    for operand in of(size - 1) {
        all.extend(repetitions.iter().map(|op| format!("(?:{operand}){op}")));
    }
    for left in 1..size - 1 {
        for (left, right) in of(left)
            .iter()
            .flat_map(|l| of(size - 1 - left).into_iter().map(move |r| (l.clone(), r)))
        {
            all.push(format!("{left}{right}"));
            all.push(format!("(?:{left}|{right})"));
        }
    }
    all
}

/// Compares the automata of `pattern` in several sizes with the matcher, if it has all of them.
fn check(pattern: &str, records: &[Vec<u8>]) -> Option<()> {
    let hir = parse(pattern);
    let natural = Size::of(&hir)?;
    // The positions of the pattern begin near the end of a word.
    let shifted = parse(&format!("(?:z{{61}}|{pattern})"));
    let automata = [
        Automata::new(&hir, natural.words, natural.max_copies)?,
        Automata::new(&hir, 8, 1)?,
        Automata::new(&hir, 8, 2)?,
        Automata::new(&shifted, 8, u32::MAX)?,
    ];
    for record in records {
        let ends = all_ends(&hir, record);
        automata.iter().for_each(|automata| automata.check(pattern, record, &ends));
    }
    Some(())
}

#[test]
fn agrees_on_all_small_patterns() {
    for (sizes, len) in [(1..=3, 5), (4..=4, 3)] {
        let records = records(b"ab\n", len);
        let operands = ["a", "b", "[^b]", r"\b", "^", r"(?m:$)"];
        let repetitions = ["*", "?", "{2}", "{1,3}", "{2,}"];
        let patterns = sizes.flat_map(|size| patterns(size, &operands, &repetitions));
        patterns.for_each(|pattern| check(&pattern, &records).unwrap());
    }
}

/// In records of whole and of broken characters.
#[test]
fn agrees_on_all_small_patterns_with_unicode_boundaries() {
    let records = records("a é".as_bytes(), 4);
    for boundary in UNICODE_BOUNDARIES {
        let operands = ["a", "(?s:.)", "é", boundary, "^"];
        let patterns = (1..=3).flat_map(|size| patterns(size, &operands, &["*", "?", "{2,}"]));
        patterns.for_each(|pattern| check(&pattern, &records).unwrap());
    }
}

/// A pattern with classes, characters of several bytes, assertions and counted repetitions.
fn pattern() -> impl Strategy<Value = String> {
    let operands = [
        "a",
        "b",
        "ab",
        "[ab]",
        "[^a]",
        "(?s:.)",
        r"[a\n]",
        "(?u:.)",
        "(?iu:k)",
        "(?u:[é-ü])",
        "é",
        r"\b",
        r"\B",
        "^",
        "$",
        "(?m:^)",
        "(?m:$)",
        "(?Rm:^)",
        "(?Rm:$)",
        r"\b{start}",
        r"\b{end}",
        r"\b{start-half}",
        r"\b{end-half}",
    ];
    let operands = [&operands[..], &UNICODE_BOUNDARIES].concat();
    let operators = ["*", "+", "?", "{3}", "{2,}", "{0,4}", "{2,6}", "{1,3}", "{5,6}"];
    combined(&operands, &operators)
}

/// A pattern that combines some of these operands and repetitions.
pub(super) fn combined(
    operands: &[&'static str],
    repetitions: &[&'static str],
) -> impl Strategy<Value = String> + use<> {
    let operands: Vec<String> = operands.iter().map(|&operand| operand.to_owned()).collect();
    let repetitions = repetitions.to_vec();
    prop::sample::select(operands).prop_recursive(4, 16, 4, move |inner| {
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 2..5).prop_map(|subs| subs.concat()),
            2 => prop::collection::vec(inner.clone(), 2..4)
                .prop_map(|subs| format!("(?:{})", subs.join("|"))),
            2 => (inner, prop::sample::select(repetitions.clone()))
                .prop_map(|(sub, repetition)| format!("(?:{sub}){repetition}")),
        ]
    })
}

/// A record of fewer than `max` parts, among them characters of several bytes, and a byte of one.
pub(super) fn record(max: usize) -> impl Strategy<Value = Vec<u8>> {
    let parts = ["a", "a", "b", "b", "ab", " ", "\n", "\r", "é", "\u{212A}", "k"];
    let parts = parts.map(|part| part.as_bytes().to_vec()).into_iter();
    let parts: Vec<_> = parts.chain([b"\xC3".to_vec()]).collect();
    prop::collection::vec(prop::sample::select(parts), 0..max).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn agrees_on_random_patterns(
        pattern in pattern(),
        records in prop::collection::vec(record(10), 1..6),
    ) {
        if Size::of(&parse(&pattern)).is_some_and(|size| size.words <= 2) {
            _ = check(&pattern, &records);
        }
    }

    /// Many counts at once, more than one word of ring, and counts that begin again.
    #[test]
    fn counters_overlap(
        min in 0..140u32,
        extra in prop::option::of(0..90u32),
        shape in prop::sample::select(&["aXc", "(?:aX)+c", "a?X[bc]", "aXbX", r"\bX\b"][..]),
        record in "[ab]{0,60}(?:[ab]{20,90}[abc ]){0,3}",
    ) {
        let max = extra.map_or(String::new(), |extra| (min + extra).to_string());
        let hir = parse(&shape.replace('X', &format!("[ab]{{{min},{max}}}")));
        let counted = Automata::new(&hir, 1, 1).unwrap();
        let record = record.as_bytes();
        let ends = all_ends(&hir, record);
        let scratch = &mut PositionScratch::default();
        let mut any = false;
        for start in 0..=record.len() {
            let expected = !ends[start].is_empty();
            any |= expected;
            let found = counted.forward.starts_at(scratch, record, start..record.len(), &mut 0);
            prop_assert_eq!(found, expected, "{} from {}", hir, start);
            let expected = ends.iter().any(|ends| ends.contains(&start));
            let found = counted.backward.ends_at(scratch, record, start, &mut 0);
            prop_assert_eq!(found, expected, "{} up to {}", hir, start);
        }
        let found = counted.forward.is_match(scratch, record, 0..record.len(), &mut 0);
        prop_assert_eq!(found, any, "{}", hir);
    }
}

#[test]
fn fewest_words_then_fewest_counters() {
    for (pattern, expected) in [
        ("a{64}", Some((1, u32::MAX))),
        ("a{65}", Some((1, 63))),
        ("a{60}b{60}", Some((1, 49))),
        ("a{60}b{20}", Some((1, 49))),
        ("(?:a{40}b){3}", Some((1, 39))),
        ("(?:ab){33}", Some((2, u32::MAX))),
        ("(?:a{9}b{5}){40}", Some((2, 4))),
        ("(?:ab){256}", Some((8, u32::MAX))),
        ("(?:ab){257}", None),
        ("a{100000}", Some((1, 255))),
        ("(?u:.)", Some((1, u32::MAX))),
        (r"(?u:\w)", None),
        ("(?:(?:(?:(?:ab){4000}){4000}){4000}){4000}", None),
    ] {
        let size = Size::of(&parse(pattern)).map(|size| (size.words, size.max_copies));
        assert_eq!(size, expected, "{pattern}");
    }
}

#[test]
fn large_patterns_have_many_words() {
    let words = |pattern: &str| Size::of_large(&parse(pattern)).map(|size| size.words);
    assert_eq!(words("(?:ab){1000}"), Some(32));
    assert_eq!(words("(?:ab){2000}"), Some(64));
    assert_eq!(words("(?:ab){2049}"), None);
    let nested =
        |depth| format!("{}{}{}", "(?:ab".repeat(depth), "c".repeat(600), ")?".repeat(depth));
    assert_eq!(words(&nested(15)), Some(32));
    assert_eq!(words(&nested(60)), None);

    let words: Vec<String> = (0..200).map(|n| format!("w{}", n * 7919)).collect();
    let hir = parse(&format!("(?:{}){{2}}", words.join("|")));
    let automaton = ForwardPositions::large(&hir).unwrap();
    let scratch = &mut PositionScratch::default();
    for (first, second) in [(0, 199), (199, 0), (17, 17)] {
        let record = format!("{}{}", words[first], words[second]);
        let record = record.as_bytes();
        assert!(automaton.starts_at(scratch, record, 0..record.len(), &mut 0));
        assert!(automaton.is_match(scratch, record, 0..record.len(), &mut 0));
        assert!(!automaton.is_match(scratch, record, 1..record.len(), &mut 0));
    }
}

#[test]
fn huge_counts_are_refused() {
    assert!(ForwardPositions::new(&parse("a{500000,500001}")).is_some());
    assert!(ForwardPositions::new(&parse("a{600000,600001}")).is_none());
    assert!(ForwardPositions::new(&parse("a{600000,}")).is_some());
}

/// With and without counters.
#[test]
fn anchored_searches_end_with_the_last_position() {
    let record = [&b"abb"[..], &[b'x'; 1000]].concat();
    for pattern in ["ab{9}", "a[bc]{200,300}"] {
        let (automaton, steps) = (ForwardPositions::new(&parse(pattern)).unwrap(), &mut 0);
        let scratch = &mut PositionScratch::default();
        assert!(!automaton.starts_at(scratch, &record, 0..record.len(), steps), "{pattern}");
        assert_eq!(*steps, 1 + 4, "{pattern}");
    }
}

/// All positions alive, all counters active, all conditions looked up: still one step for each word
/// of each byte.
#[test]
fn steps_are_linear_whatever_the_state() {
    let record = vec![b'a'; 10_000];
    for (pattern, words) in [
        ("(?:[ab][ab]){0,250}x", 8),
        ("[ab]{0,40}x", 1),
        ("(?:[ab]{5,400}){30}x", 1),
        (r"(?:a|\b|\B|^)*x", 1),
        (r"(?:\b?[ab]\B?){250}x", 4),
    ] {
        let hir = parse(pattern);
        let (forward, backward) =
            (ForwardPositions::new(&hir).unwrap(), BackwardPositions::new(&hir).unwrap());
        let scratch = &mut PositionScratch::default();
        let mut steps = 0;
        assert!(!forward.starts_at(scratch, &record, 0..record.len(), &mut steps), "{pattern}");
        assert!(steps <= words * (record.len() as u64 + 1), "{pattern}: {steps}");
        assert!(!backward.ends_at(scratch, &record, record.len(), &mut 0), "{pattern}");
        // The search for a match anywhere reads everything.
        steps = 0;
        assert!(!forward.is_match(scratch, &record, 0..record.len(), &mut steps), "{pattern}");
        assert_eq!(steps, words * (record.len() as u64 + 1), "{pattern}");
    }
}
