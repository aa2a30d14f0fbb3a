//! The pure-Rust engine.
//!
//! Each stage of a scan has a folder:
//!
//! ```text
//! plan       when the engine is compiled: how is each pattern searched?
//!  |
//! prefilter  one pass over the whole buffer of a batch finds candidates, for all patterns
//!  |
//! verify     around each candidate: which patterns match in its record?
//!  |
//! sink       the matches, in order
//! ```
//!
//! `plan` chooses literals, byte runs or class sequences that every match of a pattern contains
//! (`literal` extracts them from the pattern), and builds the filters and tables for the two other
//! stages. `prefilter` runs on the vector instructions in `simd`. `verify` decides with `automata`.
//! Patterns for which the plan finds nothing to search for share lazy DFAs that read every record.
//!
//! Start reading at [`Scanner`]: its `run` is the whole pipeline.
//!
//! # Worst case
//!
//! For each pattern, a scan takes time linear in the data, whatever the data is. Automata that are
//! started at many places of one record have a budget of steps; when it is used up, the rest of
//! the record is searched once for all places.

mod automata;
mod cost;
mod engine;
mod ids;
mod literal;
mod plan;
mod prefilter;
mod scanner;
#[allow(unsafe_code, reason = "vector instructions")]
mod simd;
#[cfg(feature = "native")]
mod span_finder;
mod verify;

pub use engine::Engine;
pub use plan::Explanation;
pub use scanner::Scanner;
pub use simd::Isa;
#[cfg(feature = "native")]
pub(crate) use span_finder::{SpanEngine, SpanFinder};
