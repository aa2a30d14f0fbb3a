//! Where scanning runs: on threads of its own, or twice, to compare two engines.

mod gather;
mod pool;
mod shadow;

pub use gather::{ScanHandle, Ticket};
pub use pool::{ScanBuilder, ScanOwner, ScanPool};
pub use shadow::{Difference, Shadow, ShadowBuilder, ShadowFailure, ShadowStats};
