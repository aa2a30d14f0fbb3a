//! Named cases: tables of patterns and records, on which every scanner is compared with the oracle,
//! and the oracle with the matches that a case lists.

#![allow(clippy::single_range_in_vec_init, reason = "a list of spans often has one")]

mod case;
mod contract;
mod other_engines;
mod own;
mod sizes;

use case::Case;
use dragnet_testkit::{Comparison, contenders};

/// Checks the oracle against the matches that a case lists, and all scanners against the oracle.
///
/// # Errors
///
/// A description of the first wrong answer.
fn run(case: &Case) -> Result<(), String> {
    let mut comparison = Comparison::with_placements(&case.specs, case.placed);
    if let Some(expected) = &case.expected {
        let spans = comparison.expected(&case.records);
        let spans: Vec<_> = spans.iter().map(|m| (m.record(), m.pattern(), m.range())).collect();
        if spans != *expected {
            return Err(format!("the oracle finds {spans:?}, the case says {expected:?}"));
        }
    }
    comparison.batch(&case.records)
}

fn run_all(cases: &[Case]) {
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let difference = run(case).err()?;
            Some(format!("{} ({})\n{difference}", case.name, case.source))
        })
        .collect();
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n\n"));
    assert!(!cases.is_empty() && !contenders().is_empty(), "nothing was tested");
}

#[test]
fn bugs_of_other_engines_are_not_ours() {
    run_all(&other_engines::cases());
}

#[test]
fn edges_of_the_contract_are_right() {
    run_all(&contract::cases());
}

#[test]
fn bugs_that_random_tests_found_stay_fixed() {
    run_all(&own::cases());
}

#[test]
fn every_size_around_a_limit_is_right() {
    run_all(&sizes::cases());
}

#[test]
fn no_two_cases_have_the_same_name() {
    let all = [other_engines::cases(), contract::cases(), own::cases(), sizes::cases()].concat();
    let mut names: Vec<_> = all.iter().map(|case| &case.name).collect();
    names.sort_unstable();
    let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert!(twice.is_empty(), "{twice:?}");
}
