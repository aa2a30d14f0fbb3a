//! The shared memory and what is done with its words; or what stands for them when `loom` models
//! the code.

#[cfg(not(all(loom, test)))]
mod real {
    use std::sync::LazyLock;
    pub(in crate::sidecar) use std::sync::atomic::AtomicU32;

    pub(in crate::sidecar) use super::super::memory::Mapping as Memory;
    pub(in crate::sidecar) use super::super::sys::{sleep, wake};

    /// A word to sleep on.
    pub(in crate::sidecar) type Futex = AtomicU32;

    /// Whether the other side can run while this one does.
    pub(in crate::sidecar) fn is_parallel() -> bool {
        static PARALLEL: LazyLock<bool> =
            LazyLock::new(|| std::thread::available_parallelism().is_ok_and(|n| n.get() > 1));
        *PARALLEL
    }
}

#[cfg(not(all(loom, test)))]
pub(super) use real::*;

#[cfg(all(loom, test))]
pub(super) use super::model::memory::*;
