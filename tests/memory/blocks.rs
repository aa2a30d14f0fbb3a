//! `Scan::scan_with` of every scanner: the matches are right wherever the callback breaks or
//! panics, and a scan never holds all matches in memory.

use std::ops::ControlFlow::{self, Break, Continue};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::Barrier;
use std::sync::atomic::Ordering;
use std::thread;

use dragnet::{BatchBuf, Match, Matches, PatternSet, Report, Scan, ScanError, StopFlag};
use dragnet_testkit::{BLOCK, contenders};

use crate::{LIVE, PEAK, alone};

/// Patterns that libhs can search for and others that it can't, in turn.
const PATTERNS: [&str; 6] = ["a", "x*", "[ab]", r"(?u:\b)a", "b+", "(?m:^)"];

fn set() -> PatternSet {
    PatternSet::new(PATTERNS).unwrap()
}

/// Returns `records` records of about `len` bytes. Some patterns match about once per byte, others
/// rarely.
fn batch(records: usize, len: usize) -> BatchBuf {
    let mut batch = BatchBuf::new();
    for i in 0..records {
        batch.push(&[b'a', b'b', b'-', b'a'].repeat((len + i % 3) / 4)).unwrap();
    }
    batch
}

fn scan_all(scanner: &mut dyn Scan, batch: &BatchBuf) -> Matches {
    let mut matches = Matches::new();
    scanner.scan(&batch.as_batch(), &mut matches).unwrap();
    matches
}

#[test]
fn a_break_ends_the_scan_after_the_block() {
    let _turn = alone();
    // Many blocks in several records, many in one record, less than one block, and no records.
    for batch in [batch(40, 400), batch(1, 30_000), batch(3, 20), BatchBuf::new()] {
        for (contender, report) in
            contenders().iter().flat_map(|c| [Report::Patterns, Report::Spans].map(|r| (c, r)))
        {
            let mut scanner = contender.scanner(&set(), report);
            let all = scan_all(&mut *scanner, &batch);
            for last in 1..=all.len().div_ceil(BLOCK) + 1 {
                let (mut found, mut blocks) = (Vec::new(), 0);
                let flow = scanner.scan_with(&batch.as_batch(), &mut |block| {
                    found.extend_from_slice(block);
                    blocks += 1;
                    assert!(blocks <= last, "{}: called again", contender.name);
                    if blocks == last { Break(()) } else { Continue(()) }
                });
                let name = &contender.name;
                assert_eq!(flow, Ok(if blocks == last { Break(()) } else { Continue(()) }));
                assert!(found == all.as_slice()[..found.len()], "{name}: not the beginning");
                assert!(blocks == last || found.len() == all.len(), "{name}: not all");
                assert!(scan_all(&mut *scanner, &batch) == all, "{name}: not usable again");
            }
        }
    }
}

/// Whether the contender scans on the calling thread.
fn is_engine(name: &str) -> bool {
    !["owner", "pool", "sidecar", "shadow"].iter().any(|place| name.contains(place))
}

#[test]
fn a_panic_reaches_the_caller_and_spares_the_scanner() {
    let _turn = alone();
    let batch = batch(40, 400);
    for contender in contenders() {
        for report in [Report::Patterns, Report::Spans] {
            let mut scanner = contender.scanner(&set(), report);
            let all = scan_all(&mut *scanner, &batch);
            for last in 1..=all.len().div_ceil(BLOCK) {
                let mut blocks = 0;
                let panic = catch_unwind(AssertUnwindSafe(|| {
                    scanner.scan_with(&batch.as_batch(), &mut |_| {
                        blocks += 1;
                        if blocks == last { panic_any(last) } else { Continue(()) }
                    })
                }));
                let payload = panic.expect_err("the callback panics");
                assert_eq!(payload.downcast_ref(), Some(&last), "{}", contender.name);
                assert_eq!(blocks, last, "{}", contender.name);
                assert!(scan_all(&mut *scanner, &batch) == all, "{}: not usable", contender.name);
            }
        }
    }
}

#[test]
fn memory_does_not_grow_with_the_matches_of_a_record() {
    assert_memory_does_not_grow(&|len| batch(1, len));
}

#[test]
fn memory_does_not_grow_with_the_matches_of_many_records() {
    // Short enough to be searched together.
    assert_memory_does_not_grow(&|len| batch(len / 256, 256));
}

/// Scans two batches that `batch_of` makes for a length, and compares the peaks of the memory.
fn assert_memory_does_not_grow(batch_of: &dyn Fn(usize) -> BatchBuf) {
    let _turn = alone();
    // Patterns that libhs searches for by a literal and by a class, and one that it can't.
    for pattern in ["a", "(?:ab|-a)", "[^b]", "x*"] {
        let set = PatternSet::new([pattern]).unwrap();
        // Scanners on other threads hold all matches of one part of a batch, and shadows hold the
        // matches that they compare; both are documented.
        let holds_matches =
            |name: &str| ["owner", "pool", "shadow"].iter().any(|p| name.contains(p));
        for contender in contenders().iter().filter(|contender| !holds_matches(&contender.name)) {
            let peaks = [1 << 17, 1 << 21].map(|len| {
                let batch = batch_of(len);
                let mut scanner = contender.scanner(&set, Report::Spans);
                let (mut count, mut last) = (0usize, None::<Match>);
                let before = LIVE.load(Ordering::Relaxed);
                PEAK.store(before, Ordering::Relaxed);
                let flow = scanner.scan_with(&batch.as_batch(), &mut |block| {
                    assert!(last.is_none_or(|last| last < block[0]));
                    last = block.last().copied();
                    count += block.len();
                    Continue(())
                });
                assert_eq!(flow, Ok(Continue(())), "{}", contender.name);
                assert!(count >= len / 2, "{}: {count} of `{pattern}`", contender.name);
                PEAK.load(Ordering::Relaxed) - before
            });
            // A list would take 16 MiB more for the longer batch.
            let name = &contender.name;
            assert!(peaks[1] < peaks[0] + (1 << 20), "{name}, `{pattern}`: {peaks:?}");
        }
    }
}

#[test]
fn a_break_ends_the_search_of_a_huge_record() {
    let _turn = alone();
    let batch = batch(1, 1 << 21);
    let set = PatternSet::new(["[^b]"]).unwrap();
    let engine = dragnet::pure::Engine::new(&set, Report::Spans);
    let steps = [Break(()), Continue(())].map(|answer| {
        let mut scanner = engine.scanner();
        assert_eq!(scanner.scan_with(&batch.as_batch(), &mut |_| answer), Ok(answer));
        scanner.steps()
    });
    // The record is read once to find whether it matches, and then for one block.
    let len = batch.as_batch().buffer().len() as u64;
    assert!(steps[0] < len + (1 << 17) && steps[1] > 3 * len, "{steps:?}");
}

#[test]
fn scans_by_blocks_nest_and_run_in_parallel() {
    let _turn = alone();
    let (outer_batch, inner_batch) = (batch(60, 300), batch(5, 40));
    for contender in contenders() {
        let mut outer = contender.scanner(&set(), Report::Spans);
        let mut inner = contender.scanner(&set(), Report::Patterns);
        let (all, few) = (scan_all(&mut *outer, &outer_batch), scan_all(&mut *inner, &inner_batch));
        let start = Barrier::new(3);
        thread::scope(|scope| {
            for _ in 0..3 {
                let mut outer = contender.scanner(&set(), Report::Spans);
                let mut inner = contender.scanner(&set(), Report::Patterns);
                let (all, few, start) = (&all, &few, &start);
                let (outer_batch, inner_batch) = (&outer_batch, &inner_batch);
                scope.spawn(move || {
                    start.wait();
                    let (mut found, mut round) = (Vec::new(), 0);
                    let flow = outer.scan_with(&outer_batch.as_batch(), &mut |block| {
                        found.extend_from_slice(block);
                        round += 1;
                        let mut nested = Vec::new();
                        let answer = if round % 2 == 0 { Break(()) } else { Continue(()) };
                        let flow = inner.scan_with(&inner_batch.as_batch(), &mut |block| {
                            nested.extend_from_slice(block);
                            answer
                        });
                        assert_eq!(flow, Ok(answer));
                        let first = &few.as_slice()[..nested.len()];
                        assert!(!nested.is_empty() && nested == first);
                        assert!(answer.is_break() || nested.len() == few.len());
                        Continue(())
                    });
                    assert_eq!(flow, Ok(Continue(())));
                    assert!(found == all.as_slice() && round > 1, "{}", contender.name);
                });
            }
        });
    }
}

#[test]
fn a_raised_flag_stops_between_blocks_with_an_error() {
    let _turn = alone();
    let batch = batch(200, 200);
    for contender in contenders() {
        let stop = StopFlag::new();
        let mut scanner = contender.scanner_with(&set(), Report::Spans, stop.clone());
        let all = scan_all(&mut *scanner, &batch);
        let mut found = Vec::new();
        let mut each = |block: &[Match]| -> ControlFlow<()> {
            found.extend_from_slice(block);
            stop.raise();
            Continue(())
        };
        let answer = scanner.scan_with(&batch.as_batch(), &mut each);
        // Scanners on other threads find all matches of a part before they hand out any, so the scan
        // may end before the flag is seen.
        if answer != Ok(Continue(())) || found != all.as_slice() || is_engine(&contender.name) {
            assert_eq!(answer, Err(ScanError::Stopped), "{}", contender.name);
        }
        assert!(!found.is_empty() && found == all.as_slice()[..found.len()], "{}", contender.name);
        stop.clear();
        assert!(scan_all(&mut *scanner, &batch) == all, "{}", contender.name);
    }
}
