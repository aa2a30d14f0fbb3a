//! The flag that tells running work to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Tells running work, such as a call into C or a scan, from any thread, to stop.
///
/// Clones share one flag. Whoever works looks at it now and then: scanners do between records, or
/// more often, and end with [`ScanError::Stopped`](crate::ScanError::Stopped). It stays raised
/// until it is [cleared](StopFlag::clear).
#[derive(Clone, Debug, Default)]
pub struct StopFlag {
    raised: Arc<AtomicBool>,
}

impl StopFlag {
    /// A flag that is not raised.
    pub fn new() -> StopFlag {
        StopFlag::default()
    }

    /// Raises the flag: work that watches it ends early.
    pub fn raise(&self) {
        self.raised.store(true, Ordering::Relaxed);
    }

    /// Lowers the flag, so that what watches it can be used again.
    pub fn clear(&self) {
        self.raised.store(false, Ordering::Relaxed);
    }

    /// Whether the flag is raised. Costs a plain load.
    pub fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Relaxed)
    }

    /// The flag as one byte in memory, 0 or 1, for C to poll; valid as long as any clone is.
    ///
    /// C must read it as an atomic (`_Atomic uint8_t`), since it changes at any time, and must not
    /// write to it.
    pub fn as_ptr(&self) -> *const u8 {
        self.raised.as_ptr().cast()
    }
}
