//! Crossings to C and back on the same thread.
//!
//! The C functions are those of the C library that every program has: they are there without a C
//! compiler. Each is called through a pointer that the compiler can't follow, since it knows these
//! functions and would put its own code in their place.

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

/// C's `labs`, which does next to nothing: what it takes is what the call takes. The work waits
/// for what it returns, so that the processor can't do both at the same time.
#[derive(Clone, Copy)]
struct Function(Labs);

impl Function {
    fn new() -> Function {
        Function(black_box(library::labs as Labs))
    }

    fn call(self, seed: u64) -> u64 {
        // SAFETY: any number but the least has an absolute value, and so has a byte.
        let seed = unsafe { (self.0)(c_long::from(seed as u8)) };
        seed as u64
    }
}

/// A C function.
pub(super) struct Plain(Function);

impl Plain {
    pub(super) fn new() -> Plain {
        Plain(Function::new())
    }
}

impl Crossing for Plain {
    fn cross(&mut self, seed: u64, records: &[Record]) -> io::Result<u64> {
        Ok(work(self.0.call(seed), records))
    }
}

/// A C function behind an indirect call, in `catch_unwind`.
pub(super) struct Guarded(Box<dyn Fn(u64) -> u64>);

impl Guarded {
    pub(super) fn new() -> Guarded {
        let function = Function::new();
        Guarded(black_box(Box::new(move |seed| function.call(seed))))
    }
}

impl Crossing for Guarded {
    fn cross(&mut self, seed: u64, records: &[Record]) -> io::Result<u64> {
        match catch_unwind(AssertUnwindSafe(|| (self.0)(seed))) {
            Ok(seed) => Ok(work(seed, records)),
            Err(_) => Err(io::Error::other("it panicked")),
        }
    }
}

/// A C function, with a mutex held that nobody else wants.
pub(super) struct Locked(Mutex<Function>);

impl Locked {
    pub(super) fn new() -> Locked {
        Locked(Mutex::new(Function::new()))
    }
}

impl Crossing for Locked {
    fn cross(&mut self, seed: u64, records: &[Record]) -> io::Result<u64> {
        // By reference, as those who share it have it.
        let function = black_box(&self.0).lock().unwrap_or_else(PoisonError::into_inner);
        Ok(work(function.call(seed), records))
    }
}

/// A C function that calls back: C's `bsearch` in one element, which compares exactly once. The
/// comparison does the work.
pub(super) struct Callback(Bsearch);

struct Job<'a> {
    seed: u64,
    records: &'a [Record],
    answer: Cell<u64>,
}

extern "C" fn compare(key: *const c_void, _element: *const c_void) -> c_int {
    // SAFETY: the key is the job below, which is there while `bsearch` runs.
    let job = unsafe { &*key.cast::<Job<'_>>() };
    job.answer.set(work(job.seed, job.records));
    0
}

impl Callback {
    pub(super) fn new() -> Callback {
        Callback(black_box(library::bsearch as Bsearch))
    }
}

impl Crossing for Callback {
    fn cross(&mut self, seed: u64, records: &[Record]) -> io::Result<u64> {
        let job = Job { seed, records, answer: Cell::new(0) };
        let element = 0_u8;
        // SAFETY: there is one element of one byte; the comparison reads the key as what it is.
        unsafe { (self.0)((&raw const job).cast(), (&raw const element).cast(), 1, 1, compare) };
        Ok(job.answer.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_the_work_done_once() {
        let records = [[7; 64], [9; 64]];
        let crossings: [Box<dyn Crossing>; 4] = [
            Box::new(Plain::new()),
            Box::new(Guarded::new()),
            Box::new(Locked::new()),
            Box::new(Callback::new()),
        ];
        for mut crossing in crossings {
            assert_eq!(crossing.cross(0, &records).unwrap(), work(0, &records));
            assert_eq!(crossing.cross(0, &[]).unwrap(), work(0, &[]));
        }
    }
}
