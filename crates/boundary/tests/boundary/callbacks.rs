//! Callbacks from C: their panics do not unwind into C, and a handle finds its own value or
//! nothing.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, Weak};
use std::thread;

use dragnet_boundary::{Handle, Handles, PanicGuard, contain_panics};

use super::libc;
use super::support::panic_message;

thread_local! {
    /// The guard of the callback. `qsort` has no context argument that could pass it.
    static GUARD: Cell<*const PanicGuard> = const { Cell::new(std::ptr::null()) };
    /// Number of callback bodies that have run, and the number at which the body panics.
    static CALLS: Cell<(usize, usize)> = const { Cell::new((0, usize::MAX)) };
}

extern "C" fn compare(a: *const c_void, b: *const c_void) -> c_int {
    // SAFETY: `sort` stores the address of a guard that lives until `qsort` returns, and `qsort`
    // passes pointers to two elements of the array of `u32`.
    let (guard, a, b) = unsafe { (&*GUARD.get(), *a.cast::<u32>(), *b.cast::<u32>()) };
    guard.run(0, || {
        let (calls, panics_at) = CALLS.get();
        CALLS.set((calls + 1, panics_at));
        assert_ne!(calls, panics_at, "at comparison");
        a.cmp(&b) as c_int
    })
}

/// Sorts with C's `qsort`. It can't be stopped, so after a panic the callback reports that all
/// elements are equal, which ends the sort soon.
fn sort(values: &mut [u32]) {
    contain_panics(|guard| {
        GUARD.set(guard);
        // SAFETY: `values` has `values.len()` elements of four bytes, and `compare` reads two of
        // them and does not unwind.
        unsafe { libc::qsort(values.as_mut_ptr().cast(), values.len(), 4, compare) };
    });
}

#[test]
fn a_callbacks_panic_resumes_after_c_returns() {
    let shuffled: Vec<u32> = (0..100).map(|i| i * 37 % 100).collect();
    let mut sorted = shuffled.clone();
    CALLS.set((0, usize::MAX));
    sort(&mut sorted);
    assert!(sorted.iter().copied().eq(0..100));
    let (calls, _) = CALLS.get();
    for panics_at in [0, 1, 57, calls - 1] {
        let mut values = shuffled.clone();
        CALLS.set((0, panics_at));
        let message = panic_message(|| sort(&mut values));
        assert!(message.contains("at comparison"), "{message}");
        assert_eq!(CALLS.get().0, panics_at + 1, "no body runs after a panic");
        // `qsort` ran to its end, so no element is lost.
        values.sort();
        assert_eq!(values, sorted);
    }
    // The next call has a guard of its own, which has seen no panic.
    let mut again = shuffled;
    CALLS.set((0, usize::MAX));
    sort(&mut again);
    assert_eq!(again, sorted);
}

#[test]
fn the_first_of_several_panics_is_resumed() {
    let message = panic_message(|| {
        contain_panics(|guard| {
            assert_eq!(guard.run(-1, || 3), 3);
            assert_eq!(guard.run(-1, || panic!("first")), -1);
            assert!(guard.has_panicked());
            thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| assert_eq!(guard.run(-1, || panic!("later")), -1));
                }
            });
        })
    });
    assert_eq!(message, "first");
    // Of two panics at the same time either may be resumed, and the other one must not end the
    // process.
    let barrier = Barrier::new(2);
    let message = panic_message(|| {
        contain_panics(|guard| {
            thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        let body = || {
                            barrier.wait();
                            panic!("both");
                        };
                        assert_eq!(guard.run(-1, body), -1);
                    });
                }
            });
        })
    });
    assert_eq!(message, "both");
}

#[test]
fn the_result_is_dropped_before_a_panic_resumes() {
    let result = Arc::new(());
    let held = Arc::downgrade(&result);
    panic_message(|| {
        contain_panics(|guard| {
            guard.run((), || panic!());
            result
        })
    });
    assert_eq!(held.strong_count(), 0);
}

#[cfg(target_pointer_width = "64")]
static WANTED: Handles<u32> = Handles::new();

/// Compares the value of a handle with an item. The key is no address but a handle, which `bsearch`
/// passes to its callback unread.
#[cfg(target_pointer_width = "64")]
extern "C" fn find(key: *const c_void, item: *const c_void) -> c_int {
    // SAFETY: `bsearch` passes a pointer to an element of the array of `u32`.
    let item = unsafe { *item.cast::<u32>() };
    WANTED.with(Handle::from_pointer(key), |wanted| wanted.cmp(&item) as c_int).unwrap_or(-1)
}

#[test]
#[cfg(target_pointer_width = "64")]
fn a_callback_finds_its_value_until_removal() {
    let items: Vec<u32> = (0..100).map(|i| 2 * i).collect();
    let search = |handle: Handle| {
        let (key, base) = (handle.to_pointer(), items.as_ptr().cast());
        // SAFETY: `items` has `items.len()` elements of four bytes, and `find` does not unwind.
        let found = unsafe { libc::bsearch(key, base, items.len(), 4, find).cast::<u32>() };
        // SAFETY: `bsearch` returns null or a pointer to an element of `items`, which outlives it.
        unsafe { found.as_ref() }.copied()
    };
    let handles = [10, 11, 98].map(|wanted| WANTED.insert(wanted).unwrap());
    assert_eq!(handles.map(search), [Some(10), None, Some(98)]);
    assert_eq!(WANTED.remove(handles[0]).as_deref(), Some(&10));
    assert!(WANTED.remove(handles[0]).is_none());
    // A late callback finds nothing, also after another value has taken the slot.
    let others: Vec<Handle> = (0..64).map(|_| WANTED.insert(98).unwrap()).collect();
    assert_eq!(handles.map(search), [None, None, Some(98)]);
    for handle in others.into_iter().chain(handles) {
        WANTED.remove(handle);
    }
    assert!(WANTED.is_empty());
}

/// A value that removes another one from its registry when it is dropped.
struct Nested {
    registry: Weak<Handles<Nested>>,
    inner: Option<Handle>,
}

impl Drop for Nested {
    fn drop(&mut self) {
        if let (Some(registry), Some(inner)) = (self.registry.upgrade(), self.inner) {
            registry.remove(inner);
        }
    }
}

#[test]
fn a_value_may_use_its_own_registry() {
    let registry = Arc::new(Handles::new());
    let nested = |inner| Nested { registry: Arc::downgrade(&registry), inner };
    let inner = registry.insert(nested(None)).unwrap();
    let outer = registry.insert(nested(Some(inner))).unwrap();
    assert_eq!(registry.len(), 2);
    registry.with(outer, |value| {
        registry.remove(outer);
        assert!(registry.get(outer).is_none());
        // The value is removed, but lives until this function returns.
        assert_eq!(value.inner, Some(inner));
        assert_eq!(registry.len(), 1);
    });
    assert!(registry.is_empty());
}

#[test]
fn concurrent_look_ups_find_no_other_value() {
    let registry = Handles::new();
    // The last handle of each thread that adds values, for a thread that looks them up late.
    let last = [const { std::sync::atomic::AtomicU64::new(0) }; 4];
    let done = AtomicBool::new(false);
    let found = thread::scope(|scope| {
        let adders: Vec<_> = (0..4_u64)
            .map(|adder| {
                let (registry, last) = (&registry, &last);
                scope.spawn(move || {
                    for _ in 0..2000 {
                        let handle = registry.insert(adder).unwrap();
                        last[adder as usize].store(handle.to_bits(), Ordering::SeqCst);
                        assert_eq!(registry.with(handle, |value| *value), Some(adder));
                        assert_eq!(registry.remove(handle).as_deref(), Some(&adder));
                        assert_eq!(registry.get(handle), None);
                    }
                })
            })
            .collect();
        let late_look_ups = scope.spawn(|| {
            let mut found = 0;
            while !done.load(Ordering::SeqCst) {
                for (adder, bits) in (0..).zip(&last) {
                    let handle = Handle::from_bits(bits.load(Ordering::SeqCst));
                    if let Some(value) = registry.get(handle) {
                        assert_eq!(*value, adder);
                        found += 1;
                    }
                }
            }
            found
        });
        let results: Vec<_> = adders.into_iter().map(|adder| adder.join()).collect();
        done.store(true, Ordering::SeqCst);
        results.into_iter().for_each(|result| result.unwrap());
        late_look_ups.join().unwrap()
    });
    eprintln!("{found} late look-ups found a value");
    assert!(registry.is_empty());
}
