//! Conversions from the types of `dragnet-boundary` to those of `dragnet`.

use std::any::Any;
use std::sync::Arc;

use dragnet::{ScanError, StopFlag};
use dragnet_boundary::sync::{discard, panic_message};
use dragnet_boundary::{CallError, CancelFlag};

/// Converts the cancel flag of a call to the stop flag of the scanner that the call uses.
pub(crate) fn stop_flag(cancel: &CancelFlag) -> StopFlag {
    StopFlag::from(Arc::from(cancel.clone()))
}

/// Converts the error of a call that did not run or missed its deadline.
pub(crate) fn scan_error(error: &CallError) -> ScanError {
    match error {
        CallError::TimedOut => ScanError::TimedOut,
        CallError::Closed => closed_error(),
        other => ScanError::Unavailable { reason: other.to_string() },
    }
}

/// The error of a scan after the owner or pool was dropped.
pub(crate) fn closed_error() -> ScanError {
    ScanError::Unavailable { reason: "the owner of the scanner was dropped".to_owned() }
}

/// Converts the payload of a panic.
pub(crate) fn panic_error(payload: Box<dyn Any + Send>) -> ScanError {
    let message = panic_message(&*payload);
    discard(payload);
    ScanError::Panicked { message }
}
