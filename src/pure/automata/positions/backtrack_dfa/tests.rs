//! Tests the limits of the DFA, and compares its matches and starts with the reference matcher.

use super::super::tests::{all_ends, parse, records};
use super::*;

fn end(dfa: &mut BacktrackDfa, program: &Program, record: &[u8]) -> Option<Option<usize>> {
    dfa.end_of_match::<false>(program, record, 0..record.len(), &mut 0).ok()
}

/// Which of the last 13 bytes are `a` is a state of its own.
#[test]
fn a_dfa_fails_rather_than_taking_more_time_or_memory() {
    let program = Program::new(&parse("(?:a|b)*a(?:a|b){12}c")).unwrap();
    let dfa = &mut BacktrackDfa::new(&program).unwrap();
    let record = |number: u32| {
        let bit = |at: u32| b"ab"[number.rotate_left(at) as usize & 1];
        (0..32).map(bit).collect::<Vec<u8>>()
    };
    // Records that need no new states are read without a budget.
    assert_eq!(end(dfa, &program, &record(0)), Some(None));
    dfa.budget = 0;
    assert_eq!(end(dfa, &program, &record(0)), Some(None));
    assert!(!dfa.has_failed());
    let mut largest = 0;
    for number in 0..10_000_u32 {
        dfa.fill_budget();
        end(dfa, &program, &record(number.wrapping_mul(0x9E37_79B9)));
        largest = largest.max(dfa.memory());
        if dfa.has_failed() {
            break;
        }
    }
    assert!(dfa.has_failed());
    assert_eq!(end(dfa, &program, &record(12_345)), None);
    assert!(largest < (MAX_ENTRIES * 2 + MAX_KEYS) * 2, "{largest}");

    let dfa = &mut BacktrackDfa::new(&program).unwrap();
    dfa.budget = BYTES_PER_TRANSITION;
    assert_eq!(end(dfa, &program, b"ab"), None);
    assert!(dfa.has_failed());
    // A full budget does not revive it.
    dfa.fill_budget();
    assert_eq!(end(dfa, &program, b"ab"), None);
}

#[test]
fn known_entries_need_no_budget() {
    for (pattern, record, span, expected) in [
        // The span ends before the record does.
        ("[ab]*c", "aab", 0..1, None),
        // Dead, after a match and at once.
        ("ab?", "axx", 0..3, Some(1)),
        ("ab", "b", 0..1, None),
        // The same states again.
        ("(?:ab)*c", "ababa", 0..4, None),
        ("(?:ab)*c", "aba", 0..3, None),
    ] {
        let program = Program::new(&parse(pattern)).unwrap();
        let dfa = &mut BacktrackDfa::new(&program).unwrap();
        for budget in [MAX_BUDGET, 0] {
            dfa.budget = budget;
            let end = dfa.end_of_match::<false>(&program, record.as_bytes(), span.clone(), &mut 0);
            assert_eq!(end.ok(), Some(expected), "{pattern} with a budget of {budget}");
        }
    }
}

/// Many classes make long rows, so that the limit on entries is reached before the one on keys.
#[test]
fn a_dfa_has_a_limited_number_of_entries() {
    let letters: Vec<String> = ('d'..='z').chain('A'..='Z').map(String::from).collect();
    let pattern = format!("(?:a|b)*a(?:a|b){{9}}c|{}", letters.join("|"));
    let program = Program::new(&parse(&pattern)).unwrap();
    let dfa = &mut BacktrackDfa::new(&program).unwrap();
    for number in 0..10_000_u32 {
        let bits = number.wrapping_mul(0x9E37_79B9);
        let record: Vec<u8> = (0..32).map(|at| b"ab"[(bits >> at & 1) as usize]).collect();
        dfa.fill_budget();
        end(dfa, &program, &record);
        // The table grows by a quarter, not by doubling.
        let entries = &dfa.table.entries;
        assert!(entries.capacity() <= entries.len() + entries.len() / 4 + dfa.table.stride);
        if dfa.has_failed() {
            break;
        }
    }
    assert!(dfa.has_failed());
    let (entries, stride) = (dfa.table.entries.len(), dfa.table.stride);
    assert!((MAX_ENTRIES - stride..=MAX_ENTRIES).contains(&entries), "{entries}");
}

#[test]
fn the_budget_grows_up_to_a_limit() {
    let program = Program::new(&parse("ab")).unwrap();
    let dfa = &mut BacktrackDfa::new(&program).unwrap();
    dfa.spend_budget();
    dfa.add_budget(BYTES_PER_TRANSITION + 1);
    assert_eq!(end(dfa, &program, b"b"), Some(None));
    assert!(dfa.budget < BYTES_PER_TRANSITION);
    dfa.add_budget(u64::MAX);
    assert_eq!(dfa.budget, MAX_BUDGET);
}

#[test]
fn undecided_searches_fail_the_dfa_if_they_are_many() {
    let program = Program::new(&regex_syntax::parse(r"a+\b").unwrap()).unwrap();
    let dfa = &mut BacktrackDfa::new(&program).unwrap();
    for _ in 0..2 {
        assert_eq!(end(dfa, &program, "aa-é".as_bytes()), Some(Some(2)));
        assert_eq!(end(dfa, &program, "aaé".as_bytes()), None);
    }
    let mut undecided = 2;
    while !dfa.has_failed() {
        assert_eq!(end(dfa, &program, "aa-é".as_bytes()), Some(Some(2)));
        assert_eq!(end(dfa, &program, "aaé".as_bytes()), None);
        undecided += 1;
    }
    // Each round adds `UNDECIDED_SEARCH` and takes off 1, but the first takes off nothing. The DFA fails in the round that
    // exceeds `MAX_UNDECIDED`.
    assert_eq!(undecided, 2 + (MAX_UNDECIDED - UNDECIDED_SEARCH) / (UNDECIDED_SEARCH - 1));
    // More threads than there may be.
    let words: Vec<String> = (1..=65).map(|len| format!("a{{{len}}}b")).collect();
    let program = Program::new(&parse(&words.join("|"))).unwrap();
    let dfa = &mut BacktrackDfa::new(&program).unwrap();
    assert_eq!(end(dfa, &program, b"c"), Some(None));
    assert_eq!(end(dfa, &program, b"ab"), None);
    assert!(!dfa.has_failed());
}

#[test]
fn searches_end_where_nothing_can_match() {
    let program = Program::new(&parse("ab+c")).unwrap();
    let dfa = &mut BacktrackDfa::new(&program).unwrap();
    for (record, expected) in [("xbbbbb", 1), ("abxbbb", 3), ("abbbcbbb", 6)] {
        for before in ["", "--"] {
            let (record, mut read) = (before.to_owned() + record, 5);
            let span = before.len()..record.len();
            dfa.end_of_match::<false>(&program, record.as_bytes(), span, &mut read).unwrap();
            assert_eq!(read, 5 + expected, "{record}");
        }
    }
}

#[test]
fn transitions_cost_as_much_as_their_choices() {
    let alternatives = ('b'..='z').map(|other| format!("[a{other}]{other}"));
    let alternatives = alternatives.collect::<Vec<_>>().join("|");
    for (pattern, choices) in [("[ab]b", 1), (&alternatives, 25)] {
        let program = Program::new(&parse(pattern)).unwrap();
        let dfa = &mut BacktrackDfa::new(&program).unwrap();
        let before = dfa.budget;
        dfa.compute(&program, dfa.starts[EDGE], dfa.classes[usize::from(b'a')].into()).unwrap();
        assert_eq!(before - dfa.budget, BYTES_PER_TRANSITION + choices, "{pattern}");
    }
}

#[test]
fn runs_are_counted_up_to_a_limit() {
    for (pattern, accepted) in
        [("a{4,65535}", true), ("a{4,65536}", false), ("a{65535,}", true), ("a{65536,}", false)]
    {
        let program = Program::new(&parse(pattern)).unwrap();
        assert_eq!(BacktrackDfa::new(&program).is_some(), accepted, "{pattern}");
    }
    let program = Program::new(&parse("a{4,6}b|a{2}?")).unwrap();
    let dfa = &mut BacktrackDfa::new(&program).unwrap();
    for (record, expected) in [("aaab", 2), ("aaaab", 5), ("aaaaaab", 7), ("aaaaaaab", 2)] {
        dfa.fill_budget();
        assert_eq!(end(dfa, &program, record.as_bytes()), Some(Some(expected)), "{record}");
    }
}

#[test]
fn starts_after_other_than_ascii_are_kept() {
    let program = Program::new(&regex_syntax::parse(r"\bab").unwrap()).unwrap();
    let dfa = &mut BacktrackDfa::new(&program).unwrap();
    let record = "éab xab -ab".as_bytes();
    for _ in 0..2 {
        for at in 0..record.len() {
            dfa.fill_budget();
            let _ = dfa.end_of_match::<false>(&program, record, at..record.len(), &mut 0);
        }
    }
    // Whether a word ends with the character before the first one is not decided by the DFA.
    assert_eq!(dfa.next_start(record, 0..record.len()), Some(2));
    assert_eq!(dfa.next_start(record, 3..record.len()), Some(10));
}

/// Those at which nothing can match within four bytes are no starts.
#[test]
fn starts_are_dropped_by_the_bytes_after_them() {
    let program = Program::new(&parse(r"\bab?cd|\bx")).unwrap();
    let dfa = &mut BacktrackDfa::new(&program).unwrap();
    let record = b"abcc ac abcd aab x1 acd";
    // As long as no entry is known, every offset may be a start.
    assert_eq!(dfa.next_start(record, 0..record.len()), Some(0));
    for _ in 0..4 {
        for at in 0..record.len() {
            dfa.fill_budget();
            dfa.end_of_match::<false>(&program, record, at..record.len(), &mut 0).unwrap();
        }
    }
    let mut at = 0;
    let starts: Vec<usize> = std::iter::from_fn(|| {
        let start = dfa.next_start(record, at..record.len())?;
        at = start + 1;
        Some(start)
    })
    .collect();
    assert_eq!(starts, [8, 17, 20]);
    assert_eq!(dfa.next_start(record, 9..17), None);
    assert_eq!(dfa.next_start(record, record.len()..record.len()), None);
}

#[test]
fn no_start_of_a_match_is_skipped() {
    let patterns = ["ab", "a|ab+c", "[ab]c?", r"\bab", "a(?:b|bc|bca)", "[ab]{1,3}c", r"a\b|bb"];
    let records = records(b"abc ", 5);
    for pattern in patterns {
        let hir = parse(pattern);
        let program = Program::new(&hir).unwrap();
        let dfa = &mut BacktrackDfa::new(&program).unwrap();
        for record in &records {
            let begins: Vec<bool> = all_ends(&hir, record).iter().map(|e| !e.is_empty()).collect();
            for at in 0..record.len() {
                dfa.fill_budget();
                let end = dfa.end_of_match::<false>(&program, record, at..record.len(), &mut 0);
                assert_eq!(end.unwrap().is_some(), begins[at], "{pattern} {record:?} {at}");
                let expected = (at..record.len()).find(|&at| begins[at]);
                let start = dfa.next_start(record, at..record.len());
                assert!(
                    expected.is_none_or(|expected| start.is_some_and(|start| start <= expected)),
                    "{pattern} {record:?} from {at}: {start:?}"
                );
            }
        }
    }
}
