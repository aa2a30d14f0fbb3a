//! libhs with an allocator that counts, and that fails: every allocation is freed once, and each
//! failure is an error or a right answer.
#![cfg(feature = "native")]

use dragnet_testkit as expect;
use std::collections::HashSet;
use std::ffi::{c_int, c_void};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;
use std::sync::Mutex;

use dragnet::{
    Backend, BatchBuf, Engine, EngineError, Match, Matches, PatternSet, Report, Scan, ScanError,
};

unsafe extern "C" {
    fn malloc(size: usize) -> *mut c_void;
    fn free(pointer: *mut c_void);
    fn hs_set_allocator(
        allocate: Option<unsafe extern "C" fn(usize) -> *mut c_void>,
        release: Option<unsafe extern "C" fn(*mut c_void)>,
    ) -> c_int;
}

struct Heap {
    /// The addresses that are not freed yet.
    live: Option<HashSet<usize>>,
    /// How many allocations succeed before one fails; then, all do again.
    until_failure: Option<usize>,
    /// How many times something was freed that was not there.
    strays: usize,
}

static HEAP: Mutex<Heap> = Mutex::new(Heap { live: None, until_failure: None, strays: 0 });

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
    // SAFETY: any size will do.
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
        // SAFETY: it is from `allocate`, and was not freed since.
        unsafe { free(pointer) };
    } else {
        heap.strays += 1;
    }
}

/// Lets the allocation after so many fail, or none.
fn fail_after(count: Option<usize>) {
    HEAP.lock().unwrap().until_failure = count;
}

/// Whether the failure that was asked for is still to come.
fn is_to_fail() -> bool {
    HEAP.lock().unwrap().until_failure.is_some()
}

/// Checks that all is freed, and each once.
fn assert_clean(when: &str) {
    let heap = HEAP.lock().unwrap();
    let live = heap.live.as_ref().map_or(0, HashSet::len);
    assert_eq!((live, heap.strays), (0, 0), "alive, freed twice: {when}");
}

#[derive(Debug)]
enum Trouble {
    Engine(EngineError),
    Scan(ScanError),
}

/// How the callback ends.
#[derive(Clone, Copy, Debug)]
enum End {
    All,
    Break,
    Panic,
}

/// All that there is to do with an engine, and whether the answers are right.
fn everything(report: Report, expected: &[Match], end: End) -> Result<bool, Trouble> {
    let set = patterns();
    let batch = records();
    let engine = Engine::with_backend(&set, report, Backend::Native).map_err(Trouble::Engine)?;
    let mut scanner = engine.scanner().map_err(Trouble::Scan)?;
    let mut matches = Matches::new();
    scanner.scan(&batch.as_batch(), &mut matches).map_err(Trouble::Scan)?;
    let mut found = Vec::new();
    let mut each = |block: &[Match]| {
        found.extend_from_slice(block);
        match end {
            End::All => ControlFlow::Continue(()),
            End::Break => ControlFlow::Break(()),
            End::Panic => panic!("in the callback"),
        }
    };
    let flow = scanner.scan_with(&batch.as_batch(), &mut each).map_err(Trouble::Scan)?;
    let right = match end {
        End::All => flow.is_continue() && found == expected,
        End::Break => flow.is_break() && found == expected[..found.len()] && !found.is_empty(),
        End::Panic => false,
    };
    Ok(matches.as_slice() == expected && right)
}

/// For libhs, for the pure engine, and one that libhs refuses when it compiles it.
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

// One test: the allocator is the whole library's, and must be set before anything else is done.
#[test]
fn each_allocation_of_libhs_can_fail_and_all_are_freed_once() {
    // SAFETY: nothing else of libhs runs, and both functions are those of one heap.
    assert_eq!(unsafe { hs_set_allocator(Some(allocate), Some(release)) }, 0);

    // The self-test, which libhs must not fail for good because memory was short once.
    let mut refused = 0;
    for count in 0.. {
        fail_after(Some(count));
        let nothing = PatternSet::new([""; 0]).unwrap();
        let answer = Engine::with_backend(&nothing, Report::Patterns, Backend::Native);
        let failed = !is_to_fail();
        fail_after(None);
        match answer {
            Err(EngineError::Library { library, reason }) if failed => {
                assert!(library.contains('.') && !reason.is_empty());
                refused += 1;
            }
            Err(EngineError::SelfTest { .. } | EngineError::TooOld { .. }) if count == 0 => {
                expect::not_tested("native-memory", "the library is refused");
                return;
            }
            Err(error) => panic!("failing after {count}: {error}"),
            Ok(_) => {
                // It passed, and will not be tested again.
                assert_clean("the self-test");
                break;
            }
        }
        assert_clean("a self-test without memory");
        // The failures of one self-test are all alike; it takes long.
        if count == 8 {
            let nothing = PatternSet::new([""; 0]).unwrap();
            Engine::with_backend(&nothing, Report::Patterns, Backend::Native).unwrap();
            assert_clean("the self-test");
            break;
        }
    }
    assert!(refused > 0);

    for report in [Report::Patterns, Report::Spans] {
        let expected = expected(report);
        assert!(expected.len() > 1000);
        let (mut errors, mut answers) = (0, 0);
        for count in 0.. {
            fail_after(Some(count));
            let answer = everything(report, &expected, End::All);
            let clean = is_to_fail();
            fail_after(None);
            match answer {
                Ok(right) => {
                    assert!(right, "{report:?}, failing after {count}");
                    answers += 1;
                }
                Err(Trouble::Engine(EngineError::Library { reason, .. })) => {
                    assert!(!clean && !reason.is_empty());
                    errors += 1;
                }
                Err(Trouble::Scan(ScanError::Native { library, code })) => {
                    assert!(!clean && code < 0 && !library.is_empty());
                    errors += 1;
                }
                Err(trouble) => panic!("{report:?}, failing after {count}: {trouble:?}"),
            }
            assert_clean("a run");
            if clean {
                break;
            }
        }
        eprintln!("{report:?}: {errors} errors, {answers} answers");
        // The scratch can't be had in some runs, and the last run is a whole one.
        assert!(errors > 0 && answers > 0);

        assert!(everything(report, &expected, End::Break).unwrap());
        assert_clean("a break");
        let panic = catch_unwind(AssertUnwindSafe(|| everything(report, &expected, End::Panic)));
        assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"in the callback"));
        assert_clean("a panic");
    }
}
