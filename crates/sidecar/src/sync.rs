//! Atomics and futexes: those of the system, or loom's when the models run.

#[cfg(not(all(loom, test)))]
mod real {
    use std::sync::LazyLock;
    pub(crate) use std::sync::atomic::AtomicU32;

    pub(crate) use super::super::sys::{sleep, wake};

    /// A word that threads can sleep on.
    pub(crate) type Futex = AtomicU32;

    /// Whether the other process can run at the same time as this one, so that polling makes sense.
    pub(crate) fn is_parallel() -> bool {
        static PARALLEL: LazyLock<bool> =
            LazyLock::new(|| std::thread::available_parallelism().is_ok_and(|n| n.get() > 1));
        *PARALLEL
    }
}

#[cfg(not(all(loom, test)))]
pub(super) use real::*;

#[cfg(all(loom, test))]
pub(super) use super::simulated::futex::*;
