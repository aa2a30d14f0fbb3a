//! Crossings to C and back on the same thread.
//!
//! The C functions are from the C library that every program is linked to, so that no C compiler is
//! needed. Each is called through a pointer that is opaque to the compiler, which knows these functions
//! and would otherwise replace the calls by code of its own.

use std::cell::Cell;
use std::ffi::{c_int, c_long, c_void};
use std::hint::black_box;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use super::work::{Crossing, Record, work};

type Compare = extern "C" fn(*const c_void, *const c_void) -> c_int;
type Labs = unsafe extern "C" fn(c_long) -> c_long;
type Bsearch = unsafe extern "C" fn(
    key: *const c_void,
    base: *const c_void,
    count: usize,
    size: usize,
    compare: Compare,
) -> *mut c_void;

mod library {
    use super::{Compare, c_long, c_void};

    unsafe extern "C" {
        pub(super) fn labs(number: c_long) -> c_long;
        pub(super) fn bsearch(
            key: *const c_void,
            base: *const c_void,
            count: usize,
            size: usize,
            compare: Compare,
        ) -> *mut c_void;
    }
}

/// C's `labs`, which does next to nothing, so a call takes as long as crossing to C. The work depends
/// on its result, so that the processor can't overlap the two.
#[derive(Clone, Copy)]
struct LabsCall(Labs);

impl LabsCall {
    fn new() -> LabsCall {
        LabsCall(black_box(library::labs as Labs))
    }

    fn call(self, seed: u64) -> u64 {
        // SAFETY: `labs` is defined for every number except the least `c_long`, and the argument is in
        // 0..=255.
        let seed = unsafe { (self.0)(c_long::from(seed as u8)) };
        seed as u64
    }
}

/// A C function.
pub(super) struct CCall(LabsCall);

impl CCall {
    pub(super) fn new() -> CCall {
        CCall(LabsCall::new())
    }
}

impl Crossing for CCall {
    fn cross(&mut self, seed: u64, records: &[Record]) -> io::Result<u64> {
        Ok(work(self.0.call(seed), records))
    }
}

/// A C function in a closure, called through a pointer within `catch_unwind`.
pub(super) struct GuardedCCall(Box<dyn Fn(u64) -> u64>);

impl GuardedCCall {
    pub(super) fn new() -> GuardedCCall {
        let function = LabsCall::new();
        GuardedCCall(black_box(Box::new(move |seed| function.call(seed))))
    }
}

impl Crossing for GuardedCCall {
    fn cross(&mut self, seed: u64, records: &[Record]) -> io::Result<u64> {
        match catch_unwind(AssertUnwindSafe(|| (self.0)(seed))) {
            Ok(seed) => Ok(work(seed, records)),
            Err(_) => Err(io::Error::other("the call panicked")),
        }
    }
}

/// A C function behind a mutex that no other thread locks.
pub(super) struct LockedCCall(Mutex<LabsCall>);

impl LockedCCall {
    pub(super) fn new() -> LockedCCall {
        LockedCCall(Mutex::new(LabsCall::new()))
    }
}

impl Crossing for LockedCCall {
    fn cross(&mut self, seed: u64, records: &[Record]) -> io::Result<u64> {
        // `black_box` hides from the compiler that no other thread can lock this mutex.
        let function = black_box(&self.0).lock().unwrap_or_else(PoisonError::into_inner);
        Ok(work(function.call(seed), records))
    }
}

/// A C function that calls back: C's `bsearch` over an array of one element, which calls the comparison
/// function exactly once. That function does the work.
pub(super) struct CCallback(Bsearch);

/// The key of the search, which carries the input and the output of the comparison.
struct SearchKey<'a> {
    seed: u64,
    records: &'a [Record],
    answer: Cell<u64>,
}

extern "C" fn compare(key: *const c_void, _element: *const c_void) -> c_int {
    // SAFETY: `bsearch` passes on the key that it was called with. `CCallback::cross` calls it with a
    // valid `SearchKey`, which it borrows until `bsearch` has returned.
    let key = unsafe { &*key.cast::<SearchKey<'_>>() };
    key.answer.set(work(key.seed, key.records));
    0
}

impl CCallback {
    pub(super) fn new() -> CCallback {
        CCallback(black_box(library::bsearch as Bsearch))
    }
}

impl Crossing for CCallback {
    fn cross(&mut self, seed: u64, records: &[Record]) -> io::Result<u64> {
        let key = SearchKey { seed, records, answer: Cell::new(0) };
        let element = 0_u8;
        // SAFETY: the array has one element of one byte, as the arguments say. `compare` reads nothing
        // but the key, which is a `SearchKey`.
        unsafe { (self.0)((&raw const key).cast(), (&raw const element).cast(), 1, 1, compare) };
        Ok(key.answer.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_crossing_does_the_work_once() {
        let records = [[7; 64], [9; 64]];
        let crossings: [Box<dyn Crossing>; 4] = [
            Box::new(CCall::new()),
            Box::new(GuardedCCall::new()),
            Box::new(LockedCCall::new()),
            Box::new(CCallback::new()),
        ];
        for mut crossing in crossings {
            assert_eq!(crossing.cross(0, &records).unwrap(), work(0, &records));
            assert_eq!(crossing.cross(0, &[]).unwrap(), work(0, &[]));
        }
    }
}
