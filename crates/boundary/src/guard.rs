//! Keeps panics of callbacks from unwinding into C.
//!
//! Rust aborts the process when a panic leaves an `extern "C"` function. With `extern "C-unwind"`
//! it would unwind through the frames of C instead, which skips their clean-up: locks stay locked,
//! and memory leaks. Here the panic is stored while C returns, and resumed afterwards.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::sync::discard;

/// Catches the panics of callbacks, so that they do not unwind into C; see [`contain_panics`].
///
/// Callbacks may run on any thread.
#[derive(Default)]
pub struct PanicGuard {
    payload: Mutex<Option<Box<dyn Any + Send>>>,
}

impl PanicGuard {
    /// Runs the body of a callback. If it panics, stores the panic and returns `stop`, the value
    /// that asks the C function to return early.
    ///
    /// After a panic, further callbacks of the same C call return `stop` without running their
    /// body: C may call back again before it stops. Without a panic, the guard costs one
    /// uncontended lock.
    pub fn run<R>(&self, stop: R, body: impl FnOnce() -> R) -> R {
        if self.has_panicked() {
            return stop;
        }
        // Unwind safe: the panic is resumed by `contain_panics`, so whoever catches it there sees
        // the same half-done state as without C in between.
        match catch_unwind(AssertUnwindSafe(body)) {
            Ok(result) => result,
            Err(payload) => {
                let mut first = self.payload();
                if first.is_none() {
                    *first = Some(payload);
                } else {
                    // Of panics on several threads, the first is resumed.
                    drop(first);
                    discard(payload);
                }
                stop
            }
        }
    }

    /// Returns whether the body of a callback has panicked.
    pub fn has_panicked(&self) -> bool {
        self.payload().is_some()
    }

    fn payload(&self) -> MutexGuard<'_, Option<Box<dyn Any + Send>>> {
        self.payload.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for PanicGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PanicGuard")
            .field("has_panicked", &self.has_panicked())
            .finish_non_exhaustive()
    }
}

/// Calls a C function that calls back, and resumes the panic of a callback after it has returned.
///
/// `call` makes the C call, and passes the address of the guard to the callbacks, for example as
/// the `void *` argument that C passes on. The callbacks run their body in [`PanicGuard::run`].
///
/// ```
/// use std::ffi::{c_int, c_void};
/// use dragnet_boundary::{PanicGuard, contain_panics};
///
/// unsafe extern "C" {
///     fn bsearch(
///         key: *const c_void,
///         base: *const c_void,
///         count: usize,
///         size: usize,
///         compare: extern "C" fn(*const c_void, *const c_void) -> c_int,
///     ) -> *const c_void;
/// }
///
/// extern "C" fn compare(key: *const c_void, item: *const c_void) -> c_int {
///     // SAFETY: `bsearch` passes the key, which is the guard below, and one of the items.
///     let (guard, item) = unsafe { (&*key.cast::<PanicGuard>(), *item.cast::<u8>()) };
///     guard.run(0, || if item == 13 { panic!("unlucky") } else { 42 - c_int::from(item) })
/// }
///
/// let search = |items: &[u8]| {
///     contain_panics(|guard| {
///         let key = std::ptr::from_ref(guard).cast();
///         // SAFETY: `items` has `items.len()` items of one byte.
///         let found = unsafe { bsearch(key, items.as_ptr().cast(), items.len(), 1, compare) };
///         !found.is_null()
///     })
/// };
/// assert!(search(&[5, 20, 42, 50]));
/// assert!(!search(&[5, 20, 50]));
/// assert!(std::panic::catch_unwind(|| search(&[13])).is_err());
/// ```
///
/// # Panics
///
/// If a callback panicked: with the same panic, after the C function has returned. The result of
/// `call` is dropped first.
pub fn contain_panics<R>(call: impl FnOnce(&PanicGuard) -> R) -> R {
    let guard = PanicGuard::default();
    let result = call(&guard);
    let payload = guard.payload().take();
    match payload {
        None => result,
        Some(payload) => {
            // The C function has returned, so its result is no longer in use and can be freed.
            drop(result);
            resume_unwind(payload)
        }
    }
}
