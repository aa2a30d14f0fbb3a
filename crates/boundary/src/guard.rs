//! Keeps panics from unwinding into C.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::sync::discard;

/// Catches the panics of callbacks, which must not unwind into C, so that they go on on the Rust
/// side of the C function; see [`contain_panics`].
///
/// Callbacks may run on any thread.
#[derive(Default)]
pub struct PanicGuard {
    payload: Mutex<Option<Box<dyn Any + Send>>>,
}

impl PanicGuard {
    /// Runs the body of a callback. If it panics, keeps the panic and returns `stop`, the value
    /// that tells C to end early.
    ///
    /// After a panic no more bodies run, and this returns `stop` at once, since C may not listen.
    /// Without a panic this costs a lock that nobody holds.
    pub fn run<R>(&self, stop: R, body: impl FnOnce() -> R) -> R {
        if self.has_panicked() {
            return stop;
        }
        // What the body leaves half done is seen by whoever catches the panic after it goes on, as
        // it would be without C in between.
        match catch_unwind(AssertUnwindSafe(body)) {
            Ok(result) => result,
            Err(payload) => {
                let mut first = self.payload();
                if first.is_none() {
                    *first = Some(payload);
                } else {
                    // Of panics at the same time one goes on.
                    drop(first);
                    discard(payload);
                }
                stop
            }
        }
    }

    /// Whether a body has panicked.
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

/// Calls a C function that calls back, with a guard for the callbacks, and returns what it does.
///
/// `call` makes the C call, and lets the callbacks know the guard, for example by the `void *`
/// that C passes on. They put what they do in [`PanicGuard::run`].
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
///     // SAFETY: the key is the guard below, and the items are what is searched in.
///     let (guard, item) = unsafe { (&*key.cast::<PanicGuard>(), *item.cast::<u8>()) };
///     guard.run(0, || if item == 13 { panic!("unlucky") } else { 42 - c_int::from(item) })
/// }
///
/// let search = |items: &[u8]| {
///     contain_panics(|guard| {
///         let key = std::ptr::from_ref(guard).cast();
///         // SAFETY: there are as many items of one byte as is said.
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
/// If a callback did, with the same panic, once the C function has returned. What `call` returns
/// is dropped then.
pub fn contain_panics<R>(call: impl FnOnce(&PanicGuard) -> R) -> R {
    let guard = PanicGuard::default();
    let result = call(&guard);
    let payload = guard.payload().take();
    match payload {
        None => result,
        Some(payload) => {
            // C has ended, so what it returned can be freed.
            drop(result);
            resume_unwind(payload)
        }
    }
}
