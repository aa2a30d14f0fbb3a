//! Wraps functions of the C standard library with each part of this crate.
//!
//! The C side is a table of numbers that `calloc` allocated, `qsort` sorts and `bsearch` searches:
//!
//! - [`CBuffer`] frees the table with `free`, exactly once.
//! - An [`Owner`](dragnet_boundary::Owner) keeps it on one thread, since a C pointer is not `Send`.
//! - [`contain_panics`] lets a comparison panic without unwinding into `qsort`.
//! - [`Handles`] lets the callback of `bsearch` find its value, or nothing once the value was removed.
//! - [`call_within`](dragnet_boundary::Owner::call_within) ends a sort that takes too long.
//!
//! Run it with `cargo run -p dragnet-boundary --example qsort`.

use std::cell::Cell;
use std::cmp::Ordering;
use std::error::Error;
use std::ffi::{c_int, c_void};
use std::panic::{self, AssertUnwindSafe};
use std::ptr::{self, NonNull};
use std::thread;
use std::time::Duration;

use dragnet_boundary::{
    Builder, CBuffer, CMemoryError, CallError, Handle, Handles, PanicGuard, Release, contain_panics,
};

type Compare = extern "C" fn(*const c_void, *const c_void) -> c_int;

unsafe extern "C" {
    fn calloc(count: usize, size: usize) -> *mut c_void;
    fn free(pointer: *mut c_void);
    fn qsort(base: *mut c_void, count: usize, size: usize, compare: Compare);
    fn bsearch(
        key: *const c_void,
        base: *const c_void,
        count: usize,
        size: usize,
        compare: Compare,
    ) -> *const c_void;
}

/// Frees memory of C's `malloc` family.
enum Free {}

// SAFETY: `free` accepts every pointer of `calloc`, on any thread, and does not unwind.
unsafe impl<T> Release<T> for Free {
    unsafe fn release(pointer: NonNull<T>) {
        // SAFETY: the caller promises a pointer of `calloc` that is not freed or used afterwards.
        unsafe { free(pointer.as_ptr().cast()) }
    }
}

/// A table of numbers in memory of C.
struct Table {
    numbers: CBuffer<u32, Free>,
}

/// The context of a running sort.
struct SortContext<'a, F> {
    guard: &'a PanicGuard,
    compare: F,
}

thread_local! {
    /// The address of this thread's [`SortContext`]: `qsort` has no argument to pass it to the
    /// callback.
    static CONTEXT: Cell<*const c_void> = const { Cell::new(ptr::null()) };
}

extern "C" fn compare_numbers<F>(a: *const c_void, b: *const c_void) -> c_int
where
    F: Fn(u32, u32) -> Ordering,
{
    // SAFETY: `Table::sort` stores the address of a context with the same `F`, which it keeps until
    // `qsort` has returned, and `qsort` passes pointers to two elements of the table.
    let (context, a, b) = unsafe {
        (&*CONTEXT.get().cast::<SortContext<'_, F>>(), *a.cast::<u32>(), *b.cast::<u32>())
    };
    // `qsort` can't be stopped. After a panic all elements count as equal, which ends the sort
    // soon.
    context.guard.run(0, || (context.compare)(a, b) as c_int)
}

/// The numbers that searches look for.
static WANTED: Handles<u32> = Handles::new();

extern "C" fn compare_wanted(key: *const c_void, element: *const c_void) -> c_int {
    // SAFETY: `bsearch` passes the key of `Table::contains`, which is the integer of a handle, and
    // a pointer to an element of the table.
    let (handle, element) = unsafe { (Handle::from_bits(*key.cast()), *element.cast::<u32>()) };
    // The handle of a removed number finds nothing, and the search fails.
    WANTED.with(handle, |wanted| wanted.cmp(&element) as c_int).unwrap_or(-1)
}

impl Table {
    fn new(numbers: &[u32]) -> Result<Table, CMemoryError> {
        // SAFETY: `calloc` returns null or room for that many numbers, all zero, which `Free`
        // frees.
        let mut table = unsafe {
            let start = calloc(numbers.len(), size_of::<u32>());
            CBuffer::<u32, Free>::from_raw(start.cast(), numbers.len())?
        };
        table.copy_from_slice(numbers);
        Ok(Table { numbers: table })
    }

    /// Sorts with `qsort`. A panic of `compare` is resumed after `qsort` has returned.
    fn sort<F: Fn(u32, u32) -> Ordering>(&mut self, compare: F) {
        contain_panics(|guard| {
            let context = SortContext { guard, compare };
            CONTEXT.set(ptr::from_ref(&context).cast());
            let (base, count) = (self.numbers.as_mut_ptr().cast(), self.numbers.len());
            // SAFETY: the table has `count` elements of four bytes. `compare_numbers` finds a
            // context with its `F`, which lives until the end of this block, and does not unwind.
            unsafe { qsort(base, count, size_of::<u32>(), compare_numbers::<F>) };
        });
    }

    /// Searches a sorted table for the number of a handle with `bsearch`.
    fn contains(&self, wanted: Handle) -> bool {
        let (key, base) = (wanted.to_bits(), self.numbers.as_ptr().cast());
        // SAFETY: the table has that many elements of four bytes, and `compare_wanted` expects a
        // key that is the integer of a handle, and does not unwind.
        let found = unsafe {
            bsearch(
                ptr::from_ref(&key).cast(),
                base,
                self.numbers.len(),
                size_of::<u32>(),
                compare_wanted,
            )
        };
        !found.is_null()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let numbers: Vec<u32> = (0..100).map(|i| i * 37 % 100).collect();
    let owner = Builder::new("table")
        .grace(Duration::from_secs(10))
        .on_abandoned(|report| eprintln!("{} threads are stuck in C", report.stuck))
        .owner(move || Table::new(&numbers))?;

    // Calls run on the owner's thread, and the caller gets their results.
    owner.call(|table| table.sort(|a, b| a.cmp(&b)))?;
    assert!(owner.call(|table| table.numbers.is_sorted())?);

    // C gets a handle in place of a pointer. Once the value is removed, the handle finds nothing.
    let wanted = WANTED.insert(42)?;
    assert!(owner.call(|table| table.contains(wanted))?);
    WANTED.remove(wanted);
    assert!(!owner.call(|table| table.contains(wanted))?);

    // The panic of a callback reaches the caller, and the owner keeps its thread and its table. The
    // panic is expected, so it is not printed.
    panic::set_hook(Box::new(|_| {}));
    let panics = || owner.call(|table| table.sort(|_, _| panic!("no order")));
    let payload = panic::catch_unwind(AssertUnwindSafe(panics)).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"no order"));
    let _ = panic::take_hook();

    // This sort would take seconds. Its deadline raises the flag, and the comparisons stop waiting,
    // so the thread is kept. If they ignored the flag, the thread would be abandoned after the
    // grace period.
    let late = owner.call_within(Duration::from_millis(100), |table, cancel| {
        table.sort(|a, b| {
            if !cancel.is_raised() {
                thread::sleep(Duration::from_millis(10));
            }
            b.cmp(&a)
        });
    });
    assert!(matches!(late, Err(CallError::TimedOut)));
    let (first, last) = owner.call(|table| (table.numbers[0], table.numbers[99]))?;
    println!("sorted from {first} to {last}, {} threads abandoned", owner.abandoned());
    Ok(())
}
