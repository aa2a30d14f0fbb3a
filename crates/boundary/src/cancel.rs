//! The flag that asks a running call to return early.
//!
//! Its accesses are relaxed, because the flag publishes no other data.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Asks a running call to return early, from any thread.
///
/// Clones share one flag. The flag is cooperative: the running code polls it, or passes
/// [`as_ptr`](CancelFlag::as_ptr) to C code that polls it.
/// [`call_within`](crate::Owner::call_within) raises the flag of a call whose deadline has passed.
///
/// The flag is an `Arc<AtomicBool>`, and converts from and into one, so that code with a flag type
/// of its own can share it:
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicBool, Ordering};
///
/// use dragnet_boundary::CancelFlag;
///
/// let shared = Arc::new(AtomicBool::new(false));
/// let flag = CancelFlag::from(Arc::clone(&shared));
/// shared.store(true, Ordering::Relaxed);
/// assert!(flag.is_raised());
/// ```
#[derive(Clone, Debug, Default)]
pub struct CancelFlag {
    raised: Arc<AtomicBool>,
}

impl CancelFlag {
    /// Returns a flag that is not raised.
    pub fn new() -> CancelFlag {
        CancelFlag::default()
    }

    /// Raises the flag. It stays raised.
    pub fn raise(&self) {
        self.raised.store(true, Ordering::Relaxed);
    }

    /// Returns whether the flag is raised. Costs one relaxed load.
    pub fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Relaxed)
    }

    /// Returns the address of the flag, one byte that is 0 or 1, for C code to poll. The address is
    /// valid while any clone of the flag exists.
    ///
    /// C code must read the byte as an atomic (`_Atomic uint8_t`), because it changes at any time,
    /// and must not write to it.
    pub fn as_ptr(&self) -> *const u8 {
        self.raised.as_ptr().cast()
    }
}

impl From<Arc<AtomicBool>> for CancelFlag {
    fn from(raised: Arc<AtomicBool>) -> CancelFlag {
        CancelFlag { raised }
    }
}

impl From<CancelFlag> for Arc<AtomicBool> {
    fn from(flag: CancelFlag) -> Arc<AtomicBool> {
        flag.raised
    }
}
