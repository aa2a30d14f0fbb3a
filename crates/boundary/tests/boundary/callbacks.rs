//! C calls back into Rust: panics stay on the Rust side, and handles find their values only.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, Weak};
use std::thread;

use dragnet_boundary::{Handle, Handles, PanicGuard, contain_panics};

use super::c;
use super::support::panic_of;

thread_local! {
    /// What the callback of `qsort`, which gives it no context, is to use.
    static GUARD: Cell<*const PanicGuard> = const { Cell::new(std::ptr::null()) };
    /// How often bodies have run, and at which time one is to panic.
    static CALLS: Cell<(usize, usize)> = const { Cell::new((0, usize::MAX)) };
}

extern "C" fn compare(a: *const c_void, b: *const c_void) -> c_int {
    // SAFETY: `sort` keeps the guard while `qsort` runs, which passes elements of its array.
    let (guard, a, b) = unsafe { (&*GUARD.get(), *a.cast::<u32>(), *b.cast::<u32>()) };
    guard.run(0, || {
        let (calls, panics_at) = CALLS.get();
        CALLS.set((calls + 1, panics_at));
        assert_ne!(calls, panics_at, "at comparison");
        a.cmp(&b) as c_int
    })
}

/// Sorts with C's `qsort`. Its only way to stop early is that all are equal.
fn sort(values: &mut [u32]) {
    contain_panics(|guard| {
        GUARD.set(guard);
        // SAFETY: the array is as long as is said, and its elements as large; the callback reads
        // two of them.
        unsafe { c::qsort(values.as_mut_ptr().cast(), values.len(), 4, compare) };
    });
}

#[test]
fn a_panic_in_a_callback_goes_on_when_c_has_returned_and_no_more_bodies_run() {
    let shuffled: Vec<u32> = (0..100).map(|i| i * 37 % 100).collect();
    let mut sorted = shuffled.clone();
    CALLS.set((0, usize::MAX));
    sort(&mut sorted);
    assert!(sorted.iter().copied().eq(0..100));
    let (calls, _) = CALLS.get();
    for panics_at in [0, 1, 57, calls - 1] {
        let mut values = shuffled.clone();
        CALLS.set((0, panics_at));
        let message = panic_of(|| sort(&mut values));
        assert!(message.contains("at comparison"), "{message}");
        assert_eq!(CALLS.get().0, panics_at + 1, "bodies ran after the panic");
        // C has gone on to its end: the array is whole.
        values.sort();
        assert_eq!(values, sorted);
    }
    // The next call has another guard.
    let mut again = shuffled;
    CALLS.set((0, usize::MAX));
    sort(&mut again);
    assert_eq!(again, sorted);
}

#[test]
fn the_first_panic_of_several_threads_goes_on() {
    let message = panic_of(|| {
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
    // Both at once: either may go on, and the other one must not end the process.
    let together = Barrier::new(2);
    let message = panic_of(|| {
        contain_panics(|guard| {
            thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        let body = || {
                            together.wait();
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
fn what_c_returned_is_dropped_before_a_panic_goes_on() {
    let result = Arc::new(());
    let held = Arc::downgrade(&result);
    panic_of(|| {
        contain_panics(|guard| {
            guard.run((), || panic!());
            result
        })
    });
    assert_eq!(held.strong_count(), 0);
}

#[cfg(target_pointer_width = "64")]
static WANTED: Handles<u32> = Handles::new();

/// The key is a handle, not an address: `bsearch` only passes it on.
#[cfg(target_pointer_width = "64")]
extern "C" fn find(key: *const c_void, item: *const c_void) -> c_int {
    // SAFETY: `bsearch` passes elements of its array.
    let item = unsafe { *item.cast::<u32>() };
    WANTED.with(Handle::from_pointer(key), |wanted| wanted.cmp(&item) as c_int).unwrap_or(-1)
}

#[test]
#[cfg(target_pointer_width = "64")]
fn a_callback_finds_its_value_by_handle_until_that_is_removed() {
    let items: Vec<u32> = (0..100).map(|i| 2 * i).collect();
    let search = |handle: Handle| {
        let (key, base) = (handle.to_pointer(), items.as_ptr().cast());
        // SAFETY: the array is as long as is said, and its elements as large.
        let found = unsafe { c::bsearch(key, base, items.len(), 4, find).cast::<u32>() };
        // SAFETY: it is null or an element.
        unsafe { found.as_ref() }.copied()
    };
    let handles = [10, 11, 98].map(|wanted| WANTED.insert(wanted).unwrap());
    assert_eq!(handles.map(search), [Some(10), None, Some(98)]);
    assert_eq!(WANTED.remove(handles[0]).as_deref(), Some(&10));
    assert!(WANTED.remove(handles[0]).is_none());
    // A late callback finds nothing, also when there is another value in that place.
    let others: Vec<Handle> = (0..64).map(|_| WANTED.insert(98).unwrap()).collect();
    assert_eq!(handles.map(search), [None, None, Some(98)]);
    for handle in others.into_iter().chain(handles) {
        WANTED.remove(handle);
    }
    assert!(WANTED.is_empty());
}

/// A value that uses the registry while it is dropped.
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
fn values_may_use_the_registry_while_they_are_used_or_dropped() {
    let registry = Arc::new(Handles::new());
    let nested = |inner| Nested { registry: Arc::downgrade(&registry), inner };
    let inner = registry.insert(nested(None)).unwrap();
    let outer = registry.insert(nested(Some(inner))).unwrap();
    assert_eq!(registry.len(), 2);
    registry.with(outer, |value| {
        registry.remove(outer);
        assert!(registry.get(outer).is_none());
        // It lives as long as it is used.
        assert_eq!(value.inner, Some(inner));
        assert_eq!(registry.len(), 1);
    });
    assert!(registry.is_empty());
}

#[test]
fn threads_find_their_own_values_or_none_while_others_add_and_remove() {
    let registry = Handles::new();
    let known = [const { std::sync::atomic::AtomicU64::new(0) }; 4];
    let done = AtomicBool::new(false);
    let found = thread::scope(|scope| {
        let owners: Vec<_> = (0..4_u64)
            .map(|owner| {
                let (registry, known) = (&registry, &known);
                scope.spawn(move || {
                    for _ in 0..2000 {
                        let handle = registry.insert(owner).unwrap();
                        known[owner as usize].store(handle.to_bits(), Ordering::SeqCst);
                        assert_eq!(registry.with(handle, |value| *value), Some(owner));
                        assert_eq!(registry.remove(handle).as_deref(), Some(&owner));
                        assert_eq!(registry.get(handle), None);
                    }
                })
            })
            .collect();
        let late = scope.spawn(|| {
            let mut found = 0;
            while !done.load(Ordering::SeqCst) {
                for (owner, bits) in (0..).zip(&known) {
                    let handle = Handle::from_bits(bits.load(Ordering::SeqCst));
                    if let Some(value) = registry.get(handle) {
                        assert_eq!(*value, owner);
                        found += 1;
                    }
                }
            }
            found
        });
        let ended: Vec<_> = owners.into_iter().map(|owner| owner.join()).collect();
        done.store(true, Ordering::SeqCst);
        ended.into_iter().for_each(|ended| ended.unwrap());
        late.join().unwrap()
    });
    eprintln!("{found} late look-ups found a value");
    assert!(registry.is_empty());
}
