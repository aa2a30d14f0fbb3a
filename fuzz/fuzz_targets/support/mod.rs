//! What the tests have, the oracle and the comparison with it, for the fuzzer's cases.

// The tests use more of it.
#![allow(dead_code, unused_imports)]

#[path = "../../../tests/support/comparison.rs"]
mod comparison;
#[path = "../../../tests/support/contenders.rs"]
mod contenders;
mod draw;
#[path = "../../../tests/support/node.rs"]
mod node;
#[path = "../../../tests/support/oracle.rs"]
mod oracle;
#[path = "../../../tests/support/sample.rs"]
mod sample;
#[path = "../../../tests/support/shapes.rs"]
mod shapes;
#[path = "../../../tests/support/spec.rs"]
mod spec;

/// Engines alone: what runs on other threads or in other processes is too slow to fuzz.
mod placements {
    pub(super) fn placements() -> Vec<super::Contender> {
        Vec::new()
    }
}

pub(crate) use comparison::Comparison;
pub(crate) use contenders::{Contender, contenders};
pub(crate) use draw::{Case, case};
pub(crate) use node::Node;
pub(crate) use oracle::Oracle;
pub(crate) use sample::{Rng, sample};
pub(crate) use spec::{Flags, Spec, set};
