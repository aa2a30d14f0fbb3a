//! Two safety measures of the boundary to C, each without a call of C: caught panics, and handles.

use std::hint::black_box;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::work::{Crossing, Record, work};
use dragnet_boundary::{Handle, Handles};

/// Number of values in the table in which one is looked up.
const HANDLE_COUNT: usize = 1_000;

/// A panic that is caught before the work. The hook that prints panics does not run.
pub(super) struct CaughtPanic;

impl Crossing for CaughtPanic {
    fn cross(&mut self, seed: u64, records: &[Record]) -> io::Result<u64> {
        let caught = catch_unwind(AssertUnwindSafe(|| {
            if black_box(true) {
                resume_unwind(Box::new(seed));
            }
        }));
        match caught.map_err(|payload| payload.downcast::<u64>()) {
            Err(Ok(seed)) => Ok(work(*seed, records)),
            _ => Err(io::Error::other("the panic was lost")),
        }
    }
}

/// A value that is looked up by its handle.
pub(super) struct HandleLookup {
    handles: Handles<u64>,
    handle: Handle,
}

impl HandleLookup {
    pub(super) fn new() -> io::Result<HandleLookup> {
        let handles = Handles::new();
        let mut handle = Handle::from_bits(0);
        for _ in 0..HANDLE_COUNT {
            handle = handles.insert(0).map_err(io::Error::other)?;
        }
        Ok(HandleLookup { handles, handle })
    }
}

impl Crossing for HandleLookup {
    fn cross(&mut self, seed: u64, records: &[Record]) -> io::Result<u64> {
        let answer = self.handles.with(black_box(self.handle), |value| work(value ^ seed, records));
        answer.ok_or_else(|| io::Error::other("the handle was lost"))
    }
}
