//! The native engine on its own: its answers, the patterns that it leaves to the pure engine, and
//! the memory that it reads.
//!
//! `tests/answers` compares every scanner, this one included, with the oracle. The tests here have
//! cases that are difficult for libhs in particular, and are quick enough to run under valgrind.
#![cfg(feature = "native")]

mod agreement;
mod api;
mod batches;
#[cfg(unix)]
mod padding;

use dragnet::{Backend, Batch, BatchBuf, Engine, EngineError, Match, Matches, Report, Scan};
use dragnet_testkit::{Native, Oracle, Spec, native, not_tested, set};

/// Whether the library failed its self-test, so that there is no native engine to test.
fn is_refused() -> bool {
    match native() {
        Native::Refused(error @ EngineError::SelfTest { .. }) => {
            not_tested("native", &error.to_string());
            true
        }
        _ => false,
    }
}

/// Patterns without Unicode. Their other flags are inline.
fn ascii<'a>(regexes: impl IntoIterator<Item = &'a str>) -> Vec<Spec> {
    regexes.into_iter().map(|regex| Spec::new(regex, "-u")).collect()
}

fn batch_of<'a>(records: impl IntoIterator<Item = &'a [u8]>) -> BatchBuf {
    let mut batch = BatchBuf::new();
    for record in records {
        batch.push(record).unwrap();
    }
    batch
}

/// Returns the matches that the oracle finds.
fn expected(specs: &[Spec], batch: &Batch<'_>, report: Report) -> Vec<Match> {
    let spans = Oracle::new(specs).spans(batch.iter());
    match report {
        Report::Spans => spans,
        Report::Patterns => Oracle::patterns(&spans),
    }
}

/// Compares the native engine with the oracle.
#[track_caller]
fn check(specs: &[Spec], batch: &Batch<'_>) {
    for report in [Report::Patterns, Report::Spans] {
        let engine = Engine::with_backend(&set(specs), report, Backend::Native).unwrap();
        let mut found = Matches::new();
        engine.scanner().unwrap().scan(batch, &mut found).unwrap();
        let expected = expected(specs, batch, report);
        if found.as_slice() == expected {
            continue;
        }
        let describe = |m: &Match| {
            let record = batch.record(m.record()).unwrap().escape_ascii();
            format!("{m:?} of {:?} in \"{record}\"", specs[m.pattern()])
        };
        let missed = expected.iter().filter(|m| !found.as_slice().contains(m)).map(describe);
        let invented = found.iter().filter(|m| !expected.contains(m)).map(describe);
        let (missed, invented): (Vec<_>, Vec<_>) = (missed.collect(), invented.collect());
        panic!("{report:?}: missed {missed:#?}, invented {invented:#?}");
    }
}
