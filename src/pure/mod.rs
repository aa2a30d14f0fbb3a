//! The pure-Rust engine.
//!
//! The steps of a search, each in a folder of this name:
//!
//! ```text
//! plan       once, when the engine is compiled: how is each pattern searched?
//!
//!            in each scan, for one part of the buffer after the other:
//! prefilter  a few passes find candidates, for all patterns
//!  |
//! verify     in the record of each candidate: which patterns match there?
//!  |
//! (sink)     src/sink.rs, shared by both engines: receives the matches, in order
//! ```
//!
//! `plan` chooses literals, byte runs or class sequences that every match of a pattern contains
//! (`literal` extracts the first two from the pattern, `prefilter::bit_streams` the third), and
//! builds the filters and tables for the two steps of a scan. `prefilter` runs on the vector
//! instructions in `src/simd`. `verify` decides with `automata`. Patterns without a filter, for which
//! the plan finds nothing that is worth searching for, share lazy DFAs that read every record;
//! `verify` runs them, too.
//!
//! Start reading at [`Scanner`]: its `run` is the whole pipeline.
//!
//! # Worst case
//!
//! For each pattern, a scan takes time linear in the data, whatever the data is. Automata that are
//! started at many positions of one record have a budget of steps; when it is used up, the rest of
//! the record is searched once for all positions.

mod automata;
mod cost;
mod engine;
mod ids;
mod literal;
mod mechanism;
mod plan;
mod prefilter;
mod reported_group;
mod scanner;
mod span_finder;
mod verify;
mod window_finder;

pub use crate::simd::Isa;
pub(crate) use automata::captures::{CaptureAutomata, CaptureCache, Slots};
pub use engine::Engine;
#[cfg(dragnet_mechanisms)]
pub use mechanism::{MECHANISMS, switch_off};
pub use plan::Explanation;
pub use scanner::Scanner;
pub(crate) use span_finder::{SpanEngine, SpanFinder};
pub(crate) use window_finder::{Window, WindowAutomata, WindowCache};
