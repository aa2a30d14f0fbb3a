//! Finds which of thousands of regular expressions match which of millions of records, and where.

#![deny(missing_docs)]

mod batch;
mod engine;
mod matches;
#[cfg(feature = "native")]
pub mod native;
mod pattern;
pub mod pure;
mod scan;
mod search;

pub use batch::{Batch, BatchBuf, BatchError, MAX_BUFFER, MAX_RECORDS};
pub use engine::{Backend, Engine, EngineError, Scanner};
pub use matches::{Match, Matches};
pub use pattern::{BuildError, Pattern, PatternError, PatternSet, PatternSetBuilder};
pub use scan::{Report, Scan, ScanError, StopFlag};
pub use search::Search;
