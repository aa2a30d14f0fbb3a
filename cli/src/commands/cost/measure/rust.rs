//! What it takes in Rust to be safe from C: panics and handles.

use std::hint::black_box;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::work::{Crossing, Record, work};
use dragnet_boundary::{Handle, Handles};

/// A panic that is caught before the work. The hook that prints panics is not called.
pub(super) struct Panic;

impl Crossing for Panic {
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

/// A value found by its handle, among as many others as a library might have.
pub(super) struct Lookup {
    handles: Handles<u64>,
    handle: Handle,
}

impl Lookup {
    pub(super) fn new() -> io::Result<Lookup> {
        let handles = Handles::new();
        let mut handle = Handle::from_bits(0);
        for _ in 0..1_000 {
            handle = handles.insert(0).map_err(io::Error::other)?;
        }
        Ok(Lookup { handles, handle })
    }
}

impl Crossing for Lookup {
    fn cross(&mut self, seed: u64, records: &[Record]) -> io::Result<u64> {
        let answer = self.handles.with(black_box(self.handle), |value| work(value ^ seed, records));
        answer.ok_or_else(|| io::Error::other("the handle was lost"))
    }
}
