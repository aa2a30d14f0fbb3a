//! Where scanning runs: on threads of its own, or twice, to compare two engines.

mod shadow;

pub use shadow::{Difference, Shadow, ShadowBuilder, ShadowFailure, ShadowStats};
