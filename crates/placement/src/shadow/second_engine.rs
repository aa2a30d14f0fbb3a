//! The second engine, as the background thread owns it.

use std::sync::Arc;

use super::copy::BatchCopy;
use crate::convert::stop_flag;
use dragnet::{Matches, Scan, ScanError};
use dragnet_boundary::{CancelFlag, MakeError};

/// Makes the second engine's scanner.
pub(super) type MakeScanner = dyn Fn() -> Result<Box<dyn Scan>, MakeError> + Send + Sync;

/// The second engine's scanner, and the memory for its answers.
pub(super) struct SecondEngine {
    /// `None` after a panic or a hang, until the next comparison makes it again.
    pub(super) scanner: Option<Box<dyn Scan>>,
    pub(super) make: Arc<MakeScanner>,
    pub(super) answer: Matches,
}

impl SecondEngine {
    /// Scans a batch. Makes the scanner first if there is none. `cancel` is the flag of the call that
    /// scans.
    pub(super) fn scan(&mut self, copy: &BatchCopy, cancel: &CancelFlag) -> Result<(), ScanError> {
        let scanner = match &mut self.scanner {
            Some(scanner) => scanner,
            None => {
                let made = (self.make)().map_err(|error| ScanError::Unavailable {
                    reason: format!("the second engine could not be made again: {error}"),
                })?;
                self.scanner.insert(made)
            }
        };
        let batch = copy.batch().map_err(|error| ScanError::Unavailable {
            reason: format!("the batch could not be copied: {error}"),
        })?;
        scanner.set_stop(stop_flag(cancel));
        scanner.scan(&batch, &mut self.answer).map_err(|error| match error {
            // Only the deadline raises the cancel flag.
            ScanError::Stopped if cancel.is_raised() => ScanError::TimedOut,
            error => error,
        })
    }
}
