//! libhs with an allocator that counts and can fail: libhs's objects are freed exactly once, and a
//! failed allocation leads to an error or to the right answer.
//!
//! The allocator is a global of the library and must be set before the library allocates anything.
//! So this is a program with a single test.
#![cfg(feature = "native")]

use std::collections::HashSet;
use std::ffi::{c_int, c_void};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;
use std::sync::Mutex;

use dragnet::{
    Backend, BatchBuf, Engine, EngineError, Match, Matches, PatternSet, Report, Scan, ScanError,
};
use dragnet_testkit::not_tested;

unsafe extern "C" {
    fn malloc(size: usize) -> *mut c_void;
    fn free(pointer: *mut c_void);
    fn hs_set_allocator(
        allocate: Option<unsafe extern "C" fn(usize) -> *mut c_void>,
        release: Option<unsafe extern "C" fn(*mut c_void)>,
    ) -> c_int;
}

struct Heap {
    /// The addresses of live allocations. `None` before the first.
    live: Option<HashSet<usize>>,
    /// The number of allocations that succeed before one fails; `None` if none is to fail.
    until_failure: Option<usize>,
    /// The number of frees of an address that was not live.
    invalid_frees: usize,
}

static HEAP: Mutex<Heap> = Mutex::new(Heap { live: None, until_failure: None, invalid_frees: 0 });

unsafe extern "C" fn allocate(size: usize) -> *mut c_void {
    let mut heap = HEAP.lock().unwrap();
    match &mut heap.until_failure {
        Some(0) => {
            heap.until_failure = None;
            return null_mut();
        }
        Some(left) => *left -= 1,
        None => {}
    }
    // SAFETY: `malloc` accepts any size.
    let pointer = unsafe { malloc(size.max(1)) };
    heap.live.get_or_insert_default().insert(pointer.addr());
    pointer
}

unsafe extern "C" fn release(pointer: *mut c_void) {
    if pointer.is_null() {
        return;
    }
    let mut heap = HEAP.lock().unwrap();
    if heap.live.get_or_insert_default().remove(&pointer.addr()) {
        // SAFETY: `allocate` got the address from `malloc`, and it was live until now.
        unsafe { free(pointer) };
    } else {
        heap.invalid_frees += 1;
    }
}

/// Makes one allocation fail, after `count` more have succeeded.
fn fail_after(count: usize) {
    HEAP.lock().unwrap().until_failure = Some(count);
}

/// Lets all allocations succeed from here on, and returns whether one has failed since
/// [`fail_after`].
fn end_failing() -> bool {
    HEAP.lock().unwrap().until_failure.take().is_none()
}

#[track_caller]
fn assert_all_freed_once() {
    let heap = HEAP.lock().unwrap();
    let live = heap.live.as_ref().map_or(0, HashSet::len);
    assert_eq!((live, heap.invalid_frees), (0, 0), "live allocations, invalid frees");
}

#[derive(Debug)]
enum Failure {
    Engine(EngineError),
    Scan(ScanError),
}

/// How the callback of `scan_with` returns.
#[derive(Clone, Copy, Debug)]
enum CallbackEnd {
    Continue,
    Break,
    Panic,
}

/// Builds an engine and scans in both ways. Returns whether the answers are right.
fn build_and_scan(report: Report, expected: &[Match], end: CallbackEnd) -> Result<bool, Failure> {
    let set = patterns();
    let batch = records();
    let engine = Engine::with_backend(&set, report, Backend::Native).map_err(Failure::Engine)?;
    let mut scanner = engine.scanner().map_err(Failure::Scan)?;
    let mut matches = Matches::new();
    scanner.scan(&batch.as_batch(), &mut matches).map_err(Failure::Scan)?;
    let mut found = Vec::new();
    let mut each = |block: &[Match]| {
        found.extend_from_slice(block);
        match end {
            CallbackEnd::Continue => ControlFlow::Continue(()),
            CallbackEnd::Break => ControlFlow::Break(()),
            CallbackEnd::Panic => panic!("in the callback"),
        }
    };
    let flow = scanner.scan_with(&batch.as_batch(), &mut each).map_err(Failure::Scan)?;
    let is_right = match end {
        CallbackEnd::Continue => flow.is_continue() && found == expected,
        CallbackEnd::Break => {
            flow.is_break() && found == expected[..found.len()] && !found.is_empty()
        }
        CallbackEnd::Panic => false,
    };
    Ok(matches.as_slice() == expected && is_right)
}

fn build_nothing() -> Result<Engine, EngineError> {
    let nothing = PatternSet::new([""; 0]).unwrap();
    Engine::with_backend(&nothing, Report::Patterns, Backend::Native)
}

/// Patterns for libhs, for the pure engine, and one that libhs refuses when it compiles it.
fn patterns() -> PatternSet {
    PatternSet::new(["a+b", "x*", "b[0-9]{3}", "(?:ab){10000}", r"(?i-u)error\b", "[a-c]{5}"])
        .unwrap()
}

fn records() -> BatchBuf {
    let mut batch = BatchBuf::new();
    for i in 0..400 {
        batch.push(format!("aab b{i} Error abcab {}", "b123".repeat(i % 9)).as_bytes()).unwrap();
    }
    batch
}

fn expected(report: Report) -> Vec<Match> {
    let engine = Engine::with_backend(&patterns(), report, Backend::Pure).unwrap();
    let mut matches = Matches::new();
    engine.scanner().unwrap().scan(&records().as_batch(), &mut matches).unwrap();
    matches.as_slice().to_vec()
}

#[test]
fn every_allocation_can_fail_and_is_freed_once() {
    // SAFETY: no other function of libhs runs, and `release` frees what `allocate` allocates.
    assert_eq!(unsafe { hs_set_allocator(Some(allocate), Some(release)) }, 0);

    // The self-test. If it ends for lack of memory, it must run again for the next engine.
    let mut unfinished = 0;
    for count in 0.. {
        fail_after(count);
        let answer = build_nothing();
        let has_failed = end_failing();
        match answer {
            Err(EngineError::Library { library, reason }) if has_failed => {
                assert!(library.contains('.') && !reason.is_empty());
                unfinished += 1;
            }
            Err(EngineError::SelfTest { .. } | EngineError::TooOld { .. }) if count == 0 => {
                not_tested("native-memory", "the library is refused");
                return;
            }
            Err(error) => panic!("failing after {count}: {error}"),
            Ok(_) => {
                // The self-test has passed and does not run again.
                assert_all_freed_once();
                break;
            }
        }
        assert_all_freed_once();
        // The self-test takes long, and its later allocations fail like the first ones.
        if count == 8 {
            build_nothing().unwrap();
            assert_all_freed_once();
            break;
        }
    }
    assert!(unfinished > 0);

    for report in [Report::Patterns, Report::Spans] {
        let expected = expected(report);
        assert!(expected.len() > 1000);
        let (mut errors, mut answers) = (0, 0);
        for count in 0.. {
            fail_after(count);
            let answer = build_and_scan(report, &expected, CallbackEnd::Continue);
            let has_failed = end_failing();
            match answer {
                Ok(is_right) => {
                    assert!(is_right, "{report:?}, failing after {count}");
                    answers += 1;
                }
                Err(Failure::Engine(EngineError::Library { reason, .. })) => {
                    assert!(has_failed && !reason.is_empty());
                    errors += 1;
                }
                Err(Failure::Scan(ScanError::Native { library, code })) => {
                    assert!(has_failed && code < 0 && !library.is_empty());
                    errors += 1;
                }
                Err(failure) => panic!("{report:?}, failing after {count}: {failure:?}"),
            }
            assert_all_freed_once();
            if !has_failed {
                break;
            }
        }
        // There are errors, because a scanner can't be built without memory for its scratch space. There
        // are answers, because no allocation fails in the last run.
        eprintln!("{report:?}: {errors} errors, {answers} answers");
        assert!(errors > 0 && answers > 0);

        assert!(build_and_scan(report, &expected, CallbackEnd::Break).unwrap());
        assert_all_freed_once();
        let panic = catch_unwind(AssertUnwindSafe(|| {
            build_and_scan(report, &expected, CallbackEnd::Panic)
        }));
        assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"in the callback"));
        assert_all_freed_once();
    }
}
