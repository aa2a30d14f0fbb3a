//! The limits that a [`ScanBuilder`](crate::ScanBuilder) sets.

use std::time::Duration;

/// The limits on batches and on the queue.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Maximum number of bytes in a batch. A longer record is alone in its batch.
    pub(crate) batch_bytes: usize,
    /// Maximum number of records in a batch.
    pub(crate) batch_records: usize,
    /// Maximum number of bytes that wait for a member. A longer record is queued alone.
    pub(crate) queued_bytes: usize,
    /// Maximum number of records that wait for a member.
    pub(crate) queued_records: usize,
    /// Size of the smallest batch that bypasses the queue, in bytes.
    pub(crate) bypass_bytes: usize,
    /// Maximum delay before a batch that no caller waits for is flushed.
    pub(crate) linger: Duration,
    /// Maximum time from the submission of a job to its answer.
    pub(crate) deadline: Option<Duration>,
    /// Number of threads in the pool.
    pub(crate) members: usize,
}
