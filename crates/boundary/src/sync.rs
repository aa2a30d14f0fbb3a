//! The locks and threads of the standard library, or those of `loom` when it models the code.

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

/// Locks, whatever happened to the last holder: nothing of what is locked here is left half done
/// by a panic, since no code of a caller runs under a lock.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for a signal. It may also come without one.
pub fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condvar.wait(guard).unwrap_or_else(PoisonError::into_inner)
}

/// Waits for a signal, or as long as is said. In a model, where there is no time, for a signal.
pub fn wait_for<'a, T>(
    condvar: &Condvar,
    guard: MutexGuard<'a, T>,
    time: Duration,
) -> MutexGuard<'a, T> {
    condvar.wait_timeout(guard, time).unwrap_or_else(PoisonError::into_inner).0
}

/// Runs code of a caller that nobody waits for, such as a drop or a wake-up, where a panic of it
/// would take a thread along that others need. The panic has been printed by the hook.
pub fn quietly(run: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(run)) {
        discard(payload);
    }
}

/// Drops what a panic left that goes no further. That may panic in turn, with something else to
/// drop.
pub fn discard(mut payload: Box<dyn Any + Send>) {
    for _ in 0..8 {
        match catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            Ok(()) => return,
            Err(next) => payload = next,
        }
    }
    // It is made so that it never ends.
    std::mem::forget(payload);
}

#[cfg(not(loom))]
std::thread_local! {
    static SERVES: Cell<u64> = const { Cell::new(0) };
}

#[cfg(loom)]
loom::thread_local! {
    static SERVES: Cell<u64> = Cell::new(0);
}

/// Marks this thread, for as long as it runs, as one of the crew with this number.
pub fn set_crew(crew: u64) {
    SERVES.with(|serves| serves.set(crew));
}

/// The number of the crew that this thread is of; 0 if it is of none.
pub fn crew() -> u64 {
    SERVES.with(Cell::get)
}
