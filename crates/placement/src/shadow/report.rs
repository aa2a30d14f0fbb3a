//! The reports of a shadow: counts, and failures of the second engine.

use dragnet::ScanError;

/// Counts of the batches that a [`Shadow`](super::Shadow) has scanned.
///
/// Each sampled batch is counted in exactly one of `skipped`, `compared`, `failed` and `pending`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShadowStats {
    /// Batches that the first engine has scanned, with or without an error.
    pub seen: u64,
    /// Batches that were selected for comparison: every nth batch, unless the first engine failed.
    pub sampled: u64,
    /// Sampled batches that were not compared: there was no room in the background, they were still
    /// queued at their deadline, all background threads were stuck, or the caller ended the first
    /// engine's scan early, so that its answer was incomplete.
    pub skipped: u64,
    /// Sampled batches that both engines have answered.
    pub compared: u64,
    /// Compared batches for which the answers differ.
    pub differing: u64,
    /// Sampled batches for which the second engine failed or missed the deadline.
    pub failed: u64,
    /// Sampled batches that are still in the background.
    pub pending: u64,
    /// Pairs of a record and a pattern for which the answers differ, in all batches together.
    pub differences: u64,
    /// Differences that were not reported, because their batch was over the
    /// [limit](super::ShadowBuilder::differences).
    pub unreported: u64,
}

/// A batch that the second engine of a [`Shadow`](super::Shadow) did not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShadowFailure {
    /// The number of the batch, from 0, in the order that [`ShadowStats::seen`] counts.
    pub batch: u64,
    /// The reason. [`ScanError::TimedOut`] if the engine missed the deadline, and
    /// [`ScanError::Unavailable`] if the engine panicked or hung before and could not be made again.
    pub error: ScanError,
    /// Whether the thread was abandoned, because the engine did not stop after its stop flag was
    /// raised.
    pub abandoned: bool,
}
