//! Draws the cases of the fuzzer.

mod draw;

pub(crate) use draw::{Case, case};
