//! Crossings to another thread.

use std::io;

use super::work::{Crossing, Record, work};
use dragnet_boundary::{Builder, Owner, Pool, StartError};

/// How many threads the pool has.
const MEMBERS: usize = 2;

fn io_error(error: StartError) -> io::Error {
    match error {
        StartError::Spawn(error) => error,
        error => io::Error::other(error),
    }
}

/// A call to an owner.
pub(super) struct Owned(Owner<u64>);

impl Owned {
    pub(super) fn new() -> io::Result<Owned> {
        let owner = Builder::new("cost-owner").owner(|| Ok::<_, io::Error>(0));
        owner.map(Owned).map_err(io_error)
    }
}

impl Crossing for Owned {
    fn cross(&mut self, seed: u64, records: &[Record]) -> io::Result<u64> {
        self.0.call(|value| work(*value ^ seed, records)).map_err(io::Error::other)
    }
}

/// A call to a pool.
pub(super) struct Pooled(Pool<u64>);

impl Pooled {
    pub(super) fn new() -> io::Result<Pooled> {
        let pool = Builder::new("cost-pool").pool(MEMBERS, || Ok::<_, io::Error>(0));
        pool.map(Pooled).map_err(io_error)
    }
}

impl Crossing for Pooled {
    fn cross(&mut self, seed: u64, records: &[Record]) -> io::Result<u64> {
        self.0.call(|value| work(*value ^ seed, records)).map_err(io::Error::other)
    }
}
