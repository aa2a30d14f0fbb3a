//! Named cases: every scanner through the same table, against the oracle, and where a case says
//! what must be found, the oracle against that.

// A list of spans often has one.
#![allow(clippy::single_range_in_vec_init)]

mod case;
mod edges;
mod reported;
mod sizes;

use case::Case;
use dragnet_testkit::{Comparison, contenders};

/// Everything that is wrong with a case.
fn run(case: &Case) -> Result<(), String> {
    let mut comparison = Comparison::new(&case.specs);
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
fn what_tests_of_other_engines_have_caught_is_right_here() {
    run_all(&reported::cases());
}

#[test]
fn edges_are_right() {
    run_all(&edges::cases());
}

#[test]
fn every_size_around_a_limit_is_right() {
    run_all(&sizes::cases());
}

#[test]
fn no_two_cases_have_the_same_name() {
    let all = [reported::cases(), edges::cases(), sizes::cases()].concat();
    let mut names: Vec<_> = all.iter().map(|case| &case.name).collect();
    names.sort_unstable();
    let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

/// Runs the server of a sidecar, where this program was started as one; else does nothing.
#[cfg(target_os = "linux")]
#[test]
fn the_other_process_serves() {
    dragnet_testkit::serve();
}
