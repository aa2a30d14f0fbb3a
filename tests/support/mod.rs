//! What all test suites share: the oracle, every scanner there is, and the ways to lay out a batch.
//!
//! A test never names a scanner. It hands patterns and records to [`Comparison`], which runs
//! whatever [`contenders`] lists, so a scanner that is in the list is in every test.

// Each suite is a crate of its own and uses its part of this.
#![allow(dead_code, unused_imports)]

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

pub(crate) use comparison::{BLOCK, Comparison, by_blocks};
pub(crate) use contenders::{Contender, Native, contenders, native, say};
pub(crate) use expect::not_tested;
pub(crate) use generate::{Case, case, config, patterns};
pub(crate) use node::Node;
pub(crate) use oracle::Oracle;
pub(crate) use records::{Piece, assemble, pieces};
pub(crate) use sample::{Rng, sample};
#[cfg(target_os = "linux")]
pub(crate) use server::{MEMORY, REGION, foreign, server, socket};
pub(crate) use spec::{Flags, Spec, set};
