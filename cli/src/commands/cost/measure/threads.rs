//! Crossings to other threads.

use std::io;

use super::work::{Crossing, Record, work};
use dragnet_boundary::{Builder, Owner, Pool, StartError};

/// Number of threads in the pool.
const POOL_THREADS: usize = 2;

fn io_error(error: StartError) -> io::Error {
    match error {
        StartError::Spawn(error) => error,
        error => io::Error::other(error),
    }
}

/// A call to the thread of an [`Owner`].
pub(super) struct OwnerCall(Owner<u64>);

impl OwnerCall {
    pub(super) fn new() -> io::Result<OwnerCall> {
        let owner = Builder::new("cost-owner").owner(|| Ok::<_, io::Error>(0));
        owner.map(OwnerCall).map_err(io_error)
    }
}

impl Crossing for OwnerCall {
    fn cross(&mut self, seed: u64, records: &[Record]) -> io::Result<u64> {
        self.0.call(|value| work(*value ^ seed, records)).map_err(io::Error::other)
    }
}

/// A call to whichever thread of a [`Pool`] is free first.
pub(super) struct PoolCall(Pool<u64>);

impl PoolCall {
    pub(super) fn new() -> io::Result<PoolCall> {
        let pool = Builder::new("cost-pool").pool(POOL_THREADS, || Ok::<_, io::Error>(0));
        pool.map(PoolCall).map_err(io_error)
    }
}

impl Crossing for PoolCall {
    fn cross(&mut self, seed: u64, records: &[Record]) -> io::Result<u64> {
        self.0.call(|value| work(*value ^ seed, records)).map_err(io::Error::other)
    }
}
