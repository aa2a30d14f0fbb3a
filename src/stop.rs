//! The flag that ends a running scan early.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Ends running scans early, from any thread.
///
/// Clones share one flag. A scanner polls its flag from time to time, and ends the scan with
/// [`ScanError::Stopped`](crate::ScanError::Stopped) when the flag is raised. The pure engine polls
/// after each 64 KiB of the buffer that it filters and between the records that it verifies, the
/// native engine between records. Neither polls while an automaton reads one record, so a very long
/// record delays the end. The flag stays raised until it is [cleared](StopFlag::clear).
///
/// The flag is an `Arc<AtomicBool>`, and converts from and into one, so that a signal handler or
/// another library can raise it:
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicBool, Ordering};
///
/// use dragnet::StopFlag;
///
/// let shared = Arc::new(AtomicBool::new(false));
/// let stop = StopFlag::from(Arc::clone(&shared));
/// shared.store(true, Ordering::Relaxed);
/// assert!(stop.is_raised());
/// ```
#[derive(Clone, Debug, Default)]
pub struct StopFlag {
    raised: Arc<AtomicBool>,
}

impl StopFlag {
    /// Returns a flag that is not raised.
    pub fn new() -> StopFlag {
        StopFlag::default()
    }

    /// Raises the flag: scans that poll it end early.
    pub fn raise(&self) {
        self.raised.store(true, Ordering::Relaxed);
    }

    /// Lowers the flag, so that the scanners that poll it can be used again.
    pub fn clear(&self) {
        self.raised.store(false, Ordering::Relaxed);
    }

    /// Returns whether the flag is raised. Costs one relaxed load.
    pub fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Relaxed)
    }

    /// Returns the address of the flag, one byte that is 0 or 1, for C code to poll as an
    /// `_Atomic uint8_t`. The address is valid while any clone of the flag exists.
    #[cfg(feature = "native")]
    pub(crate) fn as_ptr(&self) -> *const u8 {
        self.raised.as_ptr().cast()
    }
}

impl From<Arc<AtomicBool>> for StopFlag {
    fn from(raised: Arc<AtomicBool>) -> StopFlag {
        StopFlag { raised }
    }
}

impl From<StopFlag> for Arc<AtomicBool> {
    fn from(stop: StopFlag) -> Arc<AtomicBool> {
        stop.raised
    }
}
