//! What all test suites share: the oracle, every scanner there is, and the ways to lay out a batch.
//!
//! A test never names a scanner. It hands patterns and records to [`Comparison`], which runs
//! whatever [`contenders`] lists, so a scanner that is in the list is in every test.

#![allow(missing_docs, reason = "what it has is said at its items; only tests use it")]

mod comparison;
mod contenders;
mod expect;
mod generate;
mod node;
mod oracle;
mod placements;
mod records;
mod sample;
#[cfg(target_os = "linux")]
mod server;
mod shapes;
mod spec;

pub use comparison::{BLOCK, Comparison, by_blocks};
pub use contenders::{Contender, Native, contenders, engine_contenders, native, say};
pub use expect::not_tested;
pub use generate::{Case, case, config, patterns};
pub use node::Node;
pub use oracle::Oracle;
pub use records::{Piece, assemble, pieces};
pub use sample::{Rng, sample};
#[cfg(target_os = "linux")]
pub use server::{MEMORY, REGION, foreign, serve, server, socket};
pub use spec::{Flags, Spec, set};
