//! Estimated costs of the passes, to choose between them.
//!
//! The unit is the time in which Teddy with all masks passes over one byte with AVX2. The numbers
//! are rough; they only need to be right about which arrangement is cheaper.

use super::super::simd::Isa;

/// The cost of checking one position that a pass leaves.
pub(super) const CHECK: f64 = 25.0;

/// The costs of passing over text, before any candidate is checked.
pub(super) struct PassCosts {
    /// Teddy with all masks, per byte.
    pub(super) teddy: f64,
    /// The q-gram table, per position that is looked at.
    pub(super) qgrams: f64,
}

impl PassCosts {
    pub(super) fn of(isa: Isa) -> PassCosts {
        let (teddy, qgrams) = match () {
            _ if !isa.has_vectors() => (6.0, 6.0),
            _ if isa.has_gather() => (1.0, 1.6),
            // Without a gather instruction, table words are loaded one by one.
            _ => (1.6, 4.5),
        };
        PassCosts { teddy, qgrams }
    }
}
