//! The locks and threads of the standard library, or those of `loom` in a build with `--cfg loom`.
//! Also functions that contain the panics of foreign code.

#[cfg(not(loom))]
pub use std::{
    sync::{Condvar, Mutex, MutexGuard},
    thread::{Builder, JoinHandle},
};

#[cfg(loom)]
pub use loom::{
    sync::{Condvar, Mutex, MutexGuard},
    thread::{Builder, JoinHandle},
};

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;
use std::time::Duration;

/// Locks a mutex and ignores poisoning: no caller's code runs under these locks, so a panic can't
/// leave the data half changed.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for a notification. May return spuriously.
pub fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condvar.wait(guard).unwrap_or_else(PoisonError::into_inner)
}

/// Waits for a notification, at most for `time`. May return spuriously. Models have no clock and
/// wait for a notification alone.
pub fn wait_for<'a, T>(
    condvar: &Condvar,
    guard: MutexGuard<'a, T>,
    time: Duration,
) -> MutexGuard<'a, T> {
    condvar.wait_timeout(guard, time).unwrap_or_else(PoisonError::into_inner).0
}

/// Runs foreign code that returns nothing, such as a destructor or a waker, and ignores its panic,
/// so that it does not end a thread that others need. The panic hook has already printed the panic.
pub fn quietly(run: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(run)) {
        discard(payload);
    }
}

/// Maximum number of payloads that [`discard`] drops, where the drop of each one panics with the next
/// one. Any bound would do: hardly any payload panics in its destructor.
const MAX_NESTED_PAYLOADS: usize = 8;

/// Drops the payload of a panic that is not resumed. The drop may itself panic, with another
/// payload to drop.
pub fn discard(mut payload: Box<dyn Any + Send>) {
    for _ in 0..MAX_NESTED_PAYLOADS {
        match catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            Ok(()) => return,
            Err(next) => payload = next,
        }
    }
    // The next payload is leaked, so that this ends.
    std::mem::forget(payload);
}

/// Returns the message of a panic.
pub fn panic_message(payload: &(dyn Any + Send)) -> String {
    let message = payload.downcast_ref::<&str>().copied();
    message
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(not a string)")
        .to_owned()
}

#[cfg(not(loom))]
std::thread_local! {
    static CURRENT: Cell<Option<WorkersId>> = const { Cell::new(None) };
}

#[cfg(loom)]
loom::thread_local! {
    static CURRENT: Cell<Option<WorkersId>> = Cell::new(None);
}

/// Identifies the workers of one owner or pool within this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkersId(pub u64);

/// Marks this thread, until it ends, as a thread of these workers.
pub fn set_current_workers(workers: WorkersId) {
    CURRENT.with(|current| current.set(Some(workers)));
}

/// Returns the workers that this thread belongs to, if any.
pub fn current_workers() -> Option<WorkersId> {
    CURRENT.with(Cell::get)
}
