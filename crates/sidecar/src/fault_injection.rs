//! Makes the Nth system call of a thread fail, for tests.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::Errno;

/// Makes one system call of a thread fail.
#[derive(Debug)]
pub(super) struct Fault {
    /// The number of calls that still succeed before the one that fails.
    after: u32,
    errno: Errno,
    has_failed: Arc<AtomicBool>,
}

std::thread_local! {
    static CURRENT: RefCell<Option<Fault>> = const { RefCell::new(None) };
    static NEXT_THREAD: RefCell<Option<Fault>> = const { RefCell::new(None) };
}

impl Fault {
    /// Makes the call after `after` others fail with `errno`. The flag is set once it has failed.
    pub(super) fn new(after: u32, errno: Errno) -> (Fault, Arc<AtomicBool>) {
        let has_failed = Arc::new(AtomicBool::new(false));
        (Fault { after, errno, has_failed: Arc::clone(&has_failed) }, has_failed)
    }

    /// Injects this fault into the calling thread.
    pub(super) fn inject(self) {
        CURRENT.set(Some(self));
    }

    /// Injects this fault into the next thread that the calling thread starts.
    pub(super) fn inject_into_next_thread(self) {
        NEXT_THREAD.set(Some(self));
    }
}

/// Removes the faults of the calling thread.
pub(super) fn clear() {
    CURRENT.set(None);
    NEXT_THREAD.set(None);
}

/// Takes the fault for the thread that is about to be started.
pub(super) fn for_next_thread() -> Option<Fault> {
    NEXT_THREAD.take()
}

/// The error of the system call that is about to be made, if it is to fail.
pub(super) fn next() -> Option<Errno> {
    CURRENT.with_borrow_mut(|current| {
        let fault = current.as_mut()?;
        if let Some(after) = fault.after.checked_sub(1) {
            fault.after = after;
            return None;
        }
        let fault = current.take()?;
        fault.has_failed.store(true, Ordering::SeqCst);
        Some(fault.errno)
    })
}
