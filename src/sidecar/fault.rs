//! Lets the Nth system call of a thread fail, for tests.

use std::cell::Cell;

use rustix::io::Errno;

std::thread_local! {
    static PLAN: Cell<Option<(u32, Errno)>> = const { Cell::new(None) };
}

/// Lets the call after `after` others on this thread fail with `errno`.
pub(super) fn plan(after: u32, errno: Errno) {
    PLAN.set(Some((after, errno)));
}

/// Ends the plan. Returns whether the call has failed.
pub(super) fn end() -> bool {
    PLAN.take().is_none()
}

/// What the call that is about to be made fails with, if it does.
pub(super) fn next() -> Option<Errno> {
    let (after, errno) = PLAN.get()?;
    PLAN.set(after.checked_sub(1).map(|after| (after, errno)));
    (after == 0).then_some(errno)
}
