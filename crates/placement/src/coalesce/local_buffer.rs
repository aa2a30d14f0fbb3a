//! The buffer of one handle, to which single records are added without the lock of the queue.

use std::mem;
use std::sync::Arc;

use super::shared_batch::SharedBatch;
use dragnet::BatchBuf;
use dragnet_boundary::sync::{Mutex, lock};

/// How much a handle may add to the open batch without the lock of the queue: a number of records, and
/// the sum of their lengths in bytes. The queue and the batch count it as used when it is granted; what
/// is unused is subtracted when it is revoked.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Quota {
    pub(super) records: usize,
    pub(super) bytes: usize,
}

/// A handle's segment of the open batch, and the rest of its quota.
///
/// Its lock may be taken while the lock of the queue is held. Only the threads that share the handle
/// contend on it. It has records or a quota only while it is one of the open batch's local buffers:
/// sealing the batch takes both.
#[derive(Default)]
pub(super) struct LocalBuffer {
    state: Mutex<LocalState>,
}

#[derive(Default)]
struct LocalState {
    records: BatchBuf,
    /// `None` while the handle has no segment in the open batch.
    segment: Option<Arc<Segment>>,
    quota: Quota,
}

/// The segment of a batch that a handle fills.
///
/// Tickets refer to it rather than to the batch, so that the tickets of different handles do not
/// contend on one reference count.
pub(super) struct Segment {
    pub(super) batch: Arc<SharedBatch>,
    /// The index of the segment within the batch.
    pub(super) index: usize,
}

/// A record in a segment.
pub(super) struct SegmentRecord {
    pub(super) segment: Arc<Segment>,
    /// The index of the record within the segment.
    pub(super) index: u32,
}

impl LocalState {
    fn push(&mut self, record: &[u8]) -> u32 {
        let index = self.records.len() as u32;
        if self.records.push(record).is_err() {
            // A record in an empty batch fits, because its length was checked. A batch of several is
            // within the limits on batches, which are at most a quarter of the maximum length of a
            // `BatchBuf`.
            unreachable!("a segment fits into one buffer");
        }
        index
    }
}

impl LocalBuffer {
    /// Adds a record if the quota suffices.
    pub(super) fn try_add(&self, record: &[u8]) -> Option<SegmentRecord> {
        let mut state = lock(&self.state);
        let Quota { records, bytes } = state.quota;
        if records == 0 || bytes < record.len() {
            return None;
        }
        let segment = Arc::clone(state.segment.as_ref()?);
        state.quota = Quota { records: records - 1, bytes: bytes - record.len() };
        let index = state.push(record);
        Some(SegmentRecord { segment, index })
    }

    /// Adds a record that the queue has admitted. The caller holds the lock of the queue, as for all
    /// following methods. `make_segment` is called if the handle has no segment in the open batch.
    pub(super) fn add(
        &self,
        record: &[u8],
        make_segment: impl FnOnce() -> Segment,
    ) -> SegmentRecord {
        let mut state = lock(&self.state);
        let segment = Arc::clone(state.segment.get_or_insert_with(|| Arc::new(make_segment())));
        let index = state.push(record);
        SegmentRecord { segment, index }
    }

    pub(super) fn grant(&self, quota: Quota) {
        let mut state = lock(&self.state);
        state.quota.records += quota.records;
        state.quota.bytes += quota.bytes;
    }

    /// Takes back the rest of the quota.
    pub(super) fn revoke(&self) -> Quota {
        mem::take(&mut lock(&self.state).quota)
    }

    /// Swaps the records with `records`, which is empty. The caller has revoked the quota.
    pub(super) fn take_records(&self, records: &mut BatchBuf) {
        let mut state = lock(&self.state);
        debug_assert_eq!(state.quota.records, 0, "the quota was revoked");
        state.segment = None;
        mem::swap(&mut state.records, records);
    }

    pub(super) fn len(&self) -> usize {
        lock(&self.state).records.len()
    }
}
