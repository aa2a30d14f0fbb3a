//! Lets the Nth system call of a thread fail, for tests.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::Errno;

/// Which call of a thread fails, and with what.
#[derive(Debug)]
pub(super) struct Plan {
    after: u32,
    errno: Errno,
    failed: Arc<AtomicBool>,
}

std::thread_local! {
    static PLAN: RefCell<Option<Plan>> = const { RefCell::new(None) };
    static NEXT_THREAD: RefCell<Option<Plan>> = const { RefCell::new(None) };
}

impl Plan {
    /// Lets the call after `after` others fail with `errno`. The second value tells whether it has.
    pub(super) fn new(after: u32, errno: Errno) -> (Plan, Arc<AtomicBool>) {
        let failed = Arc::new(AtomicBool::new(false));
        (Plan { after, errno, failed: Arc::clone(&failed) }, failed)
    }

    /// Makes this the plan of the calling thread.
    pub(super) fn begin(self) {
        PLAN.set(Some(self));
    }

    /// Makes this the plan of the next thread that the calling thread starts.
    pub(super) fn begin_in_next_thread(self) {
        NEXT_THREAD.set(Some(self));
    }
}

/// Ends the plans that the calling thread has.
pub(super) fn end() {
    PLAN.set(None);
    NEXT_THREAD.set(None);
}

/// The plan for the thread that is about to be started.
pub(super) fn for_next_thread() -> Option<Plan> {
    NEXT_THREAD.take()
}

/// What the call that is about to be made fails with, if it does.
pub(super) fn next() -> Option<Errno> {
    PLAN.with_borrow_mut(|place| {
        let plan = place.as_mut()?;
        if let Some(after) = plan.after.checked_sub(1) {
            plan.after = after;
            return None;
        }
        let plan = place.take()?;
        plan.failed.store(true, Ordering::SeqCst);
        Some(plan.errno)
    })
}
