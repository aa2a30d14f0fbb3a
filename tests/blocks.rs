//! Matches in blocks: every scanner, wherever the callback ends the scan.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ops::ControlFlow::{self, Break, Continue};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex, PoisonError};
use std::thread;

use dragnet::{BatchBuf, Match, Matches, PatternSet, Report, Scan, ScanError, StopFlag};
use dragnet_testkit::{BLOCK, contenders};

/// Counts the bytes that are held, and the most that were.
struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all is left to the system's allocator; only sizes are counted.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(live, Ordering::Relaxed);
        // SAFETY: the caller keeps the promises of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the promises of `dealloc`, and `alloc` got it from there.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One test at a time: what another allocates would be counted.
fn alone() -> impl Drop {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Patterns of which libhs takes some and not others, in turns.
const PATTERNS: [&str; 6] = ["a", "x*", "[ab]", r"(?u:\b)a", "b+", "(?m:^)"];

fn set() -> PatternSet {
    PatternSet::new(PATTERNS).unwrap()
}

/// Records with this many matches of one pattern each, and few of others.
fn batch(records: usize, len: usize) -> BatchBuf {
    let mut batch = BatchBuf::new();
    for i in 0..records {
        batch.push(&[b'a', b'b', b'-', b'a'].repeat((len + i % 3) / 4)).unwrap();
    }
    batch
}

fn list(scanner: &mut dyn Scan, batch: &BatchBuf) -> Matches {
    let mut matches = Matches::new();
    scanner.scan(&batch.as_batch(), &mut matches).unwrap();
    matches
}

#[test]
fn what_comes_before_a_break_is_the_beginning_and_nothing_comes_after() {
    let _turn = alone();
    // Many blocks over several records, over one, and less than one.
    for batch in [batch(40, 400), batch(1, 30_000), batch(3, 20), BatchBuf::new()] {
        for (contender, report) in
            contenders().iter().flat_map(|c| [Report::Patterns, Report::Spans].map(|r| (c, r)))
        {
            let mut scanner = contender.scanner(&set(), report);
            let all = list(&mut *scanner, &batch);
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
                assert!(list(&mut *scanner, &batch) == all, "{name}: not usable again");
            }
        }
    }
}

/// Whether the contender scans where it is called.
fn is_engine(name: &str) -> bool {
    !["owner", "pool", "sidecar", "shadow"].iter().any(|place| name.contains(place))
}

#[test]
fn a_panic_goes_on_in_the_caller_and_the_scanner_is_usable_again() {
    let _turn = alone();
    let batch = batch(40, 400);
    for contender in contenders() {
        for report in [Report::Patterns, Report::Spans] {
            let mut scanner = contender.scanner(&set(), report);
            let all = list(&mut *scanner, &batch);
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
                assert!(list(&mut *scanner, &batch) == all, "{}: not usable", contender.name);
            }
        }
    }
}

#[test]
fn a_record_with_millions_of_matches_takes_no_more_memory_than_one_with_thousands() {
    let _turn = alone();
    // One that libhs takes and that is found by its literal, one by class, one that it leaves.
    for pattern in ["a", "(?:ab|-a)", "[^b]", "x*"] {
        let set = PatternSet::new([pattern]).unwrap();
        // Those who hand records to other threads hold the matches of one part, and shadows those
        // that they compare, as is documented.
        let holds = |name: &str| ["owner", "pool", "shadow"].iter().any(|p| name.contains(p));
        for contender in contenders().iter().filter(|contender| !holds(&contender.name)) {
            let peaks = [1 << 17, 1 << 21].map(|len| {
                let batch = batch(1, len);
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
            // The list would have 16 MiB more.
            let name = &contender.name;
            assert!(peaks[1] < peaks[0] + (1 << 20), "{name}, `{pattern}`: {peaks:?}");
        }
    }
}

#[test]
fn nothing_is_searched_behind_a_break_in_a_huge_record() {
    let _turn = alone();
    let batch = batch(1, 1 << 21);
    let set = PatternSet::new(["[^b]"]).unwrap();
    let engine = dragnet::pure::Engine::new(&set, Report::Spans);
    let steps = [Break(()), Continue(())].map(|answer| {
        let mut scanner = engine.scanner();
        assert_eq!(scanner.scan_with(&batch.as_batch(), &mut |_| answer), Ok(answer));
        scanner.steps()
    });
    // The record is read once to tell whether it matches, and then for one block.
    let len = batch.as_batch().buffer().len() as u64;
    assert!(steps[0] < len + (1 << 17) && steps[1] > 3 * len, "{steps:?}");
}

#[test]
fn scans_by_blocks_nest_and_run_on_several_threads_at_a_time() {
    let _turn = alone();
    let (outer_batch, inner_batch) = (batch(60, 300), batch(5, 40));
    for contender in contenders() {
        let mut outer = contender.scanner(&set(), Report::Spans);
        let mut inner = contender.scanner(&set(), Report::Patterns);
        let (all, few) = (list(&mut *outer, &outer_batch), list(&mut *inner, &inner_batch));
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
fn a_raised_flag_is_an_error_and_what_was_handed_out_before_is_the_beginning() {
    let _turn = alone();
    let batch = batch(200, 200);
    for contender in contenders() {
        let stop = StopFlag::new();
        let mut scanner = contender.scanner_with(&set(), Report::Spans, stop.clone());
        let all = list(&mut *scanner, &batch);
        let mut found = Vec::new();
        let mut each = |block: &[Match]| -> ControlFlow<()> {
            found.extend_from_slice(block);
            stop.raise();
            Continue(())
        };
        let answer = scanner.scan_with(&batch.as_batch(), &mut each);
        // Some find all of a part before they hand anything out. They may come to their end.
        if answer != Ok(Continue(())) || found != all.as_slice() || is_engine(&contender.name) {
            assert_eq!(answer, Err(ScanError::Stopped), "{}", contender.name);
        }
        assert!(!found.is_empty() && found == all.as_slice()[..found.len()], "{}", contender.name);
        stop.clear();
        assert!(list(&mut *scanner, &batch) == all, "{}", contender.name);
    }
}

/// Runs the server of a sidecar, where this program was started as one; else does nothing.
#[cfg(target_os = "linux")]
#[test]
fn the_other_process_serves() {
    dragnet_testkit::serve();
}
