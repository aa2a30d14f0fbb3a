//! Scanners that search for some of their patterns only.

use proptest::prelude::*;

use dragnet::pure::{self, Isa};
use dragnet::{Backend, BatchBuf, Engine, Match, Matches, PatternSet, Report, Scan};
use dragnet_testkit::{Case, Choices, Native, Oracle, case, config, drawn, native, patterns, set};

/// A scanner of an engine with its own method to choose patterns.
enum Scanner {
    Any(Box<dragnet::Scanner>),
    Pure(Box<pure::Scanner>),
}

impl Scanner {
    fn enable(&mut self, enabled: &[bool]) {
        match self {
            Scanner::Any(scanner) => scanner.enable(|number| enabled[number]),
            Scanner::Pure(scanner) => scanner.enable(|number| enabled[number]),
        }
    }

    fn scan(&mut self, records: &BatchBuf, out: &mut Matches) {
        match self {
            Scanner::Any(scanner) => scanner.scan(&records.as_batch(), out),
            Scanner::Pure(scanner) => scanner.scan(&records.as_batch(), out),
        }
        .unwrap();
    }
}

/// A scanner of each backend and of each instruction set.
fn scanners(set: &PatternSet, report: Report) -> Vec<(String, Scanner)> {
    let mut scanners = Vec::new();
    for backend in [Backend::Pure, Backend::Native] {
        if backend == Backend::Native && !matches!(native(), Native::Accepted) {
            continue;
        }
        let scanner = Engine::with_backend(set, report, backend).unwrap().scanner().unwrap();
        scanners.push((backend.to_string(), Scanner::Any(scanner.into())));
    }
    for isa in Isa::available() {
        let scanner = pure::Engine::with_isa(set, report, isa).scanner();
        scanners.push((isa.to_string(), Scanner::Pure(scanner.into())));
    }
    scanners
}

/// Patterns, records, and which patterns are enabled in each scan.
#[derive(Debug)]
struct Subsets {
    case: Case,
    enabled: Vec<Vec<bool>>,
}

fn subsets(choices: &mut dyn Choices) -> Subsets {
    let case = case(choices, patterns, 1);
    let enabled = choices.list(1, 3, |choices| case.specs.iter().map(|_| choices.flag()).collect());
    Subsets { case, enabled }
}

proptest! {
    #![proptest_config(config(150))]

    #[test]
    fn disabled_patterns_are_not_reported(subsets in drawn(subsets)) {
        let Subsets { case, enabled } = subsets;
        let set = set(&case.specs);
        let mut records = BatchBuf::new();
        for record in &case.batches[0] {
            records.push(record).unwrap();
        }
        let spans = Oracle::new(&case.specs).spans(case.batches[0].iter().map(Vec::as_slice));
        for report in [Report::Patterns, Report::Spans] {
            let all =
                if report == Report::Spans { spans.clone() } else { Oracle::patterns(&spans) };
            for (name, mut scanner) in scanners(&set, report) {
                let mut found = Matches::new();
                // At last, all patterns are enabled again.
                for enabled in enabled.iter().chain([&vec![true; set.len()]]) {
                    scanner.enable(enabled);
                    for _ in 0..2 {
                        scanner.scan(&records, &mut found);
                        let expected: Vec<Match> =
                            all.iter().filter(|m| enabled[m.pattern()]).copied().collect();
                        prop_assert_eq!(found.as_slice(), &expected[..], "{}", &name);
                    }
                }
            }
        }
    }
}
