//! What a shadow reports: counts, and failures of the second engine.

use dragnet::ScanError;

/// Counts of the batches that a [`Shadow`](super::Shadow) has scanned.
///
/// Each sampled batch is counted in exactly one of `skipped`, `compared`, `failed` and `pending`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShadowStats {
    /// Batches that the first engine was given.
    pub seen: u64,
    /// Batches that were selected for comparison: every nth batch, if the first engine has answered it.
    pub sampled: u64,
    /// Sampled batches that the second engine was not given, because there was no room in the
    /// background, because their turn did not come before the deadline, or because the caller ended the
    /// scan early, so that there was no complete answer.
    pub skipped: u64,
    /// Sampled batches that both engines have answered.
    pub compared: u64,
    /// Compared batches for which the answers differ.
    pub differing: u64,
    /// Sampled batches for which the second engine failed or was late.
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
    /// The reason. [`ScanError::TimedOut`] if the answer was late, and [`ScanError::Unavailable`] if
    /// the engine was lost and could not be made again.
    pub error: ScanError,
    /// Whether the thread was abandoned, because the engine did not stop when it was told to.
    pub abandoned: bool,
}
