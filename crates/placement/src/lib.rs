//! Where scanning runs: on threads of its own, or twice, to compare two engines.

#![forbid(unsafe_code)]

mod gather;
mod pool;
mod shadow;

pub use gather::{ScanHandle, Ticket};
pub use pool::{ScanBuilder, ScanOwner, ScanPool};
pub use shadow::{Difference, Shadow, ShadowBuilder, ShadowFailure, ShadowStats};

/// Returns the flag of a running call as the flag that its scanner polls.
fn stop_flag(cancel: &dragnet_boundary::CancelFlag) -> dragnet::StopFlag {
    dragnet::StopFlag::from(std::sync::Arc::from(cancel.clone()))
}
