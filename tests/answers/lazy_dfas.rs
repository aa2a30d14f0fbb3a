//! The lazy DFAs of `regex-automata`, which verify matches, compared with its NFA simulation in every
//! way in which the engine uses them.
//!
//! They are tested apart from the engine because a wrong answer of theirs is rare and easily hidden:
//! the full DFAs of the same crate are wrong about 1 random pattern in 75,000.

use std::ops::Range;

use proptest::prelude::*;
use proptest::sample::Index;
use regex_automata::hybrid::{dfa, regex};
use regex_automata::nfa::thompson::{self, pikevm::PikeVM};
use regex_automata::util::iter::Searcher;
use regex_automata::{Anchored, Input, MatchError, MatchKind, PatternSet};
use regex_syntax::hir::Hir;

use dragnet_testkit::{Case, Spec, case, config, drawn, patterns};

/// Capacities of a lazy DFA's cache, in bytes: the default, and the smallest, with which it clears its
/// cache again and again.
const CACHES: [Option<usize>; 2] = [None, Some(0)];

proptest! {
    #![proptest_config(config(600))]

    #[test]
    fn lazy_dfas_find_the_spans_of_the_simulation(
        case in drawn(|choices| case(choices, patterns, 1)),
        ends in any::<(Index, Index)>(),
    ) {
        for spec in &case.specs {
            let hir = spec.hir();
            let vm = PikeVM::new_from_nfa(nfa(std::slice::from_ref(&hir), false)).unwrap();
            for capacity in CACHES {
                let lazy = lazy_regex(&hir, capacity);
                for record in &case.batches[0] {
                    let window = window(record, &ends);
                    for (range, anchored) in [
                        (0..record.len(), Anchored::No),
                        (window.clone(), Anchored::No),
                        (window, Anchored::Yes),
                    ] {
                        let input = Input::new(record).range(range).anchored(anchored);
                        check_regex(spec, &vm, &lazy, &input)?;
                    }
                }
            }
        }
    }

    #[test]
    fn lazy_dfas_of_many_patterns_find_which_match(
        case in drawn(|choices| case(choices, patterns, 1)),
    ) {
        let Case { specs, batches } = &case;
        let hirs: Vec<Hir> = specs.iter().map(Spec::hir).collect();
        let machines: Vec<PikeVM> = hirs
            .iter()
            .map(|hir| PikeVM::new_from_nfa(nfa(std::slice::from_ref(hir), false)).unwrap())
            .collect();
        for capacity in CACHES {
            let lazy = lazy_dfa(&hirs, false, capacity, MatchKind::All);
            let mut cache = lazy.create_cache();
            for record in &batches[0] {
                let mut found = PatternSet::new(specs.len());
                let answer =
                    lazy.try_which_overlapping_matches(&mut cache, &Input::new(record), &mut found);
                // It gives up at a byte that is not ASCII if the pattern has a Unicode word boundary.
                if answer.is_err() {
                    continue;
                }
                for (index, vm) in machines.iter().enumerate() {
                    let expected = vm.is_match(&mut vm.create_cache(), Input::new(record));
                    let found = found.contains(regex_automata::PatternID::must(index));
                    prop_assert_eq!(
                        found, expected,
                        "{:?} in b\"{}\", cache of {:?}",
                        specs[index], record.escape_ascii(), capacity
                    );
                }
            }
        }
    }
}

/// Compares all spans of one pattern in one input, and whether it has any.
fn check_regex(
    spec: &Spec,
    vm: &PikeVM,
    lazy: &regex::Regex,
    input: &Input<'_>,
) -> Result<(), TestCaseError> {
    let mut cache = vm.create_cache();
    let expected: Vec<Range<usize>> =
        vm.find_iter(&mut cache, input.clone()).map(|m| m.range()).collect();
    let mut cache = lazy.create_cache();
    let found: Result<Vec<Range<usize>>, MatchError> = Searcher::new(input.clone())
        .into_matches_iter(|input| lazy.try_search(&mut cache, input))
        .map(|m| m.map(|m| m.range()))
        .collect();
    if let Ok(found) = found {
        prop_assert_eq!(found, expected.clone(), "{:?} in {:?}", spec, input);
    }
    let earliest = lazy.try_search(&mut cache, &input.clone().earliest(true));
    if let Ok(found) = earliest {
        prop_assert_eq!(found.is_some(), !expected.is_empty(), "{:?} in {:?}", spec, input);
    }
    Ok(())
}

fn window(record: &[u8], ends: &(Index, Index)) -> Range<usize> {
    let (a, b) = (ends.0.index(record.len() + 1), ends.1.index(record.len() + 1));
    a.min(b)..a.max(b)
}

fn nfa(hirs: &[Hir], reverse: bool) -> thompson::NFA {
    let captures =
        if reverse { thompson::WhichCaptures::None } else { thompson::WhichCaptures::Implicit };
    thompson::NFA::compiler()
        .configure(thompson::Config::new().utf8(false).reverse(reverse).which_captures(captures))
        .build_many_from_hir(hirs)
        .unwrap()
}

fn lazy_dfa(hirs: &[Hir], reverse: bool, capacity: Option<usize>, kind: MatchKind) -> dfa::DFA {
    let mut config = dfa::Config::new().match_kind(kind).unicode_word_boundary(true);
    if let Some(capacity) = capacity {
        config = config.cache_capacity(capacity).skip_cache_capacity_check(true);
    }
    dfa::DFA::builder().configure(config).build_from_nfa(nfa(hirs, reverse)).unwrap()
}

fn lazy_regex(hir: &Hir, capacity: Option<usize>) -> regex::Regex {
    let hirs = std::slice::from_ref(hir);
    let forward = lazy_dfa(hirs, false, capacity, MatchKind::LeftmostFirst);
    let reverse = lazy_dfa(hirs, true, capacity, MatchKind::All);
    regex::Regex::builder().build_from_dfas(forward, reverse)
}
