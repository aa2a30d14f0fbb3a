//! The API of `native::Engine` and its scanners, apart from the matches: fallbacks, stop flags and
//! sharing between threads.

use std::thread;

use dragnet::native::{Engine, Fallback};
use dragnet::{Matches, Report, Scan, ScanError, StopFlag};
use dragnet_testkit::set;

use super::{ascii, batch_of, expected, is_refused};

#[test]
fn fallbacks_are_listed_with_reasons() {
    if is_refused() {
        return;
    }
    let set =
        set(&ascii(["ab", r"a\zb", "b+", r"\n(?m:^)", "(?:a|b)c", "x*", r"(?u:\b)a", "[^b]{3}"]));
    let engine = Engine::new(&set, Report::Patterns).unwrap();
    let fallbacks = engine.fallbacks();
    assert_eq!(fallbacks.iter().map(Fallback::pattern).collect::<Vec<_>>(), [1, 3, 5, 6]);
    assert!(fallbacks.iter().all(|fallback| !fallback.reason().is_empty()));
    assert!(engine.library().starts_with(char::is_alphabetic));
    assert!(engine.memory() > 0);
}

#[test]
fn a_raised_flag_stops_a_scan() {
    if is_refused() {
        return;
    }
    let set = set(&ascii(["a", "x*"]));
    let batch = batch_of([&b"aaa"[..]; 3]);
    for report in [Report::Patterns, Report::Spans] {
        let stop = StopFlag::new();
        let engine = Engine::new(&set, report).unwrap();
        let mut scanner = engine.scanner_with(stop.clone()).unwrap();
        let mut matches = Matches::new();
        scanner.scan(&batch.as_batch(), &mut matches).unwrap();
        let all = matches.clone();
        stop.raise();
        assert_eq!(scanner.scan(&batch.as_batch(), &mut matches), Err(ScanError::Stopped));
        assert!(matches.is_empty());
        stop.clear();
        scanner.scan(&batch.as_batch(), &mut matches).unwrap();
        assert_eq!(matches, all);
    }
}

#[test]
fn threads_share_an_engine() {
    if is_refused() {
        return;
    }
    let patterns = ascii(["a+b", "x*y", "^", "b(?:a|c)"]);
    let engine = Engine::new(&set(&patterns), Report::Spans).unwrap();
    let batch = batch_of([&b"aab"[..], b"xxy", b"", b"bac"].repeat(100));
    let expected = expected(&patterns, &batch.as_batch(), Report::Spans);
    thread::scope(|scope| {
        for _ in 0..4 {
            let mut scanner = engine.scanner().unwrap();
            let (batch, expected) = (&batch, &expected);
            scope.spawn(move || {
                let mut matches = Matches::new();
                for _ in 0..20 {
                    scanner.scan(&batch.as_batch(), &mut matches).unwrap();
                    assert_eq!(matches.as_slice(), expected);
                }
            });
        }
    });
}
