//! The shared memory and what is done with its words; or what stands for them when `loom` models
//! the code.

#[cfg(not(all(loom, test)))]
mod real {
    use std::sync::LazyLock;
    pub(crate) use std::sync::atomic::AtomicU32;

    pub(crate) use super::super::memory::Mapping as Memory;
    pub(crate) use super::super::sys::{sleep, wake};

    /// A word to sleep on.
    pub(crate) type Futex = AtomicU32;

    /// Whether the other side can run while this one does.
    pub(crate) fn is_parallel() -> bool {
        static PARALLEL: LazyLock<bool> =
            LazyLock::new(|| std::thread::available_parallelism().is_ok_and(|n| n.get() > 1));
        *PARALLEL
    }
}

#[cfg(not(all(loom, test)))]
pub(super) use real::*;

#[cfg(all(loom, test))]
pub(super) use super::model::memory::*;
