//! A shadow: a second engine that scans a sample of the batches in the background, to compare its
//! answers with those of the first engine.
//!
//! [`Shadow::scan`](dragnet::Scan::scan) runs the first engine, copies the records and the answer of a
//! sampled batch ([`copy`]), and queues a [`Comparison`](comparison::Comparison) on the thread that owns
//! the second engine. The [`Background`](background::Background) has what both threads share: the
//! counts, the memory of copies, and the limits on both. Whatever happens to a comparison, its drop
//! updates the counts, so that they always add up.

mod background;
mod builder;
mod comparison;
mod copy;
mod difference;
mod report;
mod scanner;
mod second_engine;

pub use builder::ShadowBuilder;
pub use difference::Difference;
pub use report::{ShadowFailure, ShadowStats};
pub use scanner::Shadow;
