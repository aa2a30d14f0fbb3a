//! The queue: the open batch, the sealed batches, and the counts of calls in progress. All of it is
//! behind one lock.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use super::buffers::Buffers;
use super::limits::Limits;
use super::local_buffer::{LocalBuffer, Quota, Segment, SegmentRecord};
use super::shared_batch::SharedBatch;

/// A quota is at most the limit of a batch divided by this, so that one batch can hold the quotas of
/// many handles.
const QUOTA_BATCH_DIVISOR: usize = 16;

/// A quota is at most the remaining room, in the batch and in the queue, divided by this, so that other
/// handles find room, too.
const QUOTA_ROOM_DIVISOR: usize = 4;

/// A batch whose scan has not started.
pub(super) struct QueuedBatch {
    pub(super) shared: Arc<SharedBatch>,
    pub(super) buffers: Buffers,
    /// Number of records. While the batch is open, this includes the quotas.
    records: usize,
    /// The length of all records, in bytes. While the batch is open, this includes the quotas.
    bytes: usize,
}

/// The batch that records are added to.
pub(super) struct OpenBatch {
    queued: QueuedBatch,
    /// The local buffers that have a segment in the batch, by the index of the segment.
    local_buffers: Vec<Arc<LocalBuffer>>,
    /// The indexes of the local buffers that may have a quota.
    with_quota: Vec<usize>,
    /// The time at which the batch becomes due even if no caller waits for it; `None` for never.
    pub(super) flush_at: Option<Instant>,
    /// Whether a caller waits for the batch.
    pub(super) is_awaited: bool,
}

impl OpenBatch {
    pub(super) fn new(
        shared: Arc<SharedBatch>,
        buffers: Buffers,
        flush_at: Option<Instant>,
    ) -> OpenBatch {
        OpenBatch {
            queued: QueuedBatch { shared, buffers, records: 0, bytes: 0 },
            local_buffers: Vec::new(),
            with_quota: Vec::new(),
            flush_at,
            is_awaited: false,
        }
    }
}

/// The state of the queue, which its lock protects.
#[derive(Default)]
pub(super) struct QueueState {
    pub(super) open: Option<OpenBatch>,
    sealed: VecDeque<QueuedBatch>,
    /// The length of all records in the open batch and the sealed batches, in bytes, with the quotas.
    queued_bytes: usize,
    /// Number of records in these batches, with the quotas.
    queued_records: usize,
    /// The callers that wait for room, each as a unique number, in the order of their arrival. Only the
    /// first one may take room, so that a caller with a long record is not overtaken forever.
    pub(super) room_waiters: VecDeque<u64>,
    /// The number of the next caller that waits for room.
    pub(super) next_room_waiter: u64,
    /// Jobs that were submitted and have not finished.
    pub(super) running_jobs: usize,
    /// The running jobs that have not claimed a batch yet.
    pub(super) unbound_jobs: usize,
    /// Calls in progress that bypass the queue, each with a large batch.
    pub(super) bypass_calls: usize,
    /// Whether a member runs the flush timer: waits until the open batch is due.
    pub(super) flush_timer_runs: bool,
    pub(super) is_closed: bool,
    /// Whether the queue was closed on one of the pool's threads, which can't wait until the queue is
    /// idle. The last job then shuts the pool down.
    pub(super) closed_by_member: bool,
}

/// The job to submit next.
pub(super) enum NextJob {
    /// A job that scans this batch.
    Bound(QueuedBatch),
    /// A job that claims a batch when it starts.
    Unbound,
}

impl QueueState {
    /// Returns whether a record of this many bytes fits into the queue. Revokes the quotas if it does
    /// not fit with them.
    pub(super) fn make_room(&mut self, bytes: usize, limits: &Limits) -> bool {
        self.has_room(bytes, limits) || self.revoke_quotas() && self.has_room(bytes, limits)
    }

    /// Returns whether a record of this many bytes fits into the queue. An empty queue has room for
    /// any record.
    pub(super) fn has_room(&self, bytes: usize, limits: &Limits) -> bool {
        self.queued_records == 0
            || self.queued_records < limits.queued_records
                && self.queued_bytes.saturating_add(bytes) <= limits.queued_bytes
    }

    /// Returns the number of queued records, without the quotas.
    pub(super) fn queued(&self) -> usize {
        let open = self.open.as_ref().map_or(0, |open| {
            let local = open.local_buffers.iter().map(|buffer| buffer.len()).sum::<usize>();
            open.queued.buffers.records.len() + local
        });
        self.sealed.iter().map(|batch| batch.records).sum::<usize>() + open
    }

    /// Returns whether no batch is queued and no call is in progress.
    pub(super) fn is_idle(&self) -> bool {
        self.running_jobs == 0
            && self.bypass_calls == 0
            && self.open.is_none()
            && self.sealed.is_empty()
    }

    /// Adds a record of a batch to the open batch. Returns the batch and the record's index in it.
    ///
    /// `previous` is the batch of the caller's previous record, and the index after that record. If this
    /// record gets that index in that batch, it continues the caller's submission; otherwise it starts a
    /// new one.
    pub(super) fn push(
        &mut self,
        record: &[u8],
        previous: Option<(&Arc<SharedBatch>, u32)>,
        limits: &Limits,
        open: impl FnOnce() -> OpenBatch,
    ) -> (Arc<SharedBatch>, u32) {
        let QueuedBatch { shared, buffers, .. } =
            &mut self.open_for(record.len(), limits, open).queued;
        let index = buffers.records.len() as u32;
        if buffers.records.push(record).is_err() {
            // A record in an empty batch fits, because its length was checked. A batch of several is
            // within the limits on batches, which are at most a quarter of the maximum length of a
            // `BatchBuf`.
            unreachable!("a shared batch fits into one buffer");
        }
        if !previous.is_some_and(|(batch, next)| Arc::ptr_eq(batch, shared) && next == index) {
            buffers.submissions.push(index);
        }
        let shared = Arc::clone(shared);
        self.count_record(record.len(), limits);
        (shared, index)
    }

    /// Adds a record to a handle's segment of the open batch, and grants the handle a quota.
    pub(super) fn push_local(
        &mut self,
        local: &Arc<LocalBuffer>,
        record: &[u8],
        limits: &Limits,
        open: impl FnOnce() -> OpenBatch,
    ) -> SegmentRecord {
        let OpenBatch { queued, local_buffers, .. } = self.open_for(record.len(), limits, open);
        let added = local.add(record, || {
            local_buffers.push(Arc::clone(local));
            Segment { batch: Arc::clone(&queued.shared), index: local_buffers.len() - 1 }
        });
        self.count_record(record.len(), limits);
        self.grant_quota(local, added.segment.index, limits);
        added
    }

    /// Returns the open batch, with room for a record. Opens a new one if necessary.
    fn open_for(
        &mut self,
        bytes: usize,
        limits: &Limits,
        open: impl FnOnce() -> OpenBatch,
    ) -> &mut OpenBatch {
        self.seal_if(|batch| batch.bytes.saturating_add(bytes) > limits.batch_bytes);
        self.open.get_or_insert_with(open)
    }

    fn count_record(&mut self, bytes: usize, limits: &Limits) {
        self.count(1, bytes);
        self.seal_if(|batch| {
            batch.records >= limits.batch_records || batch.bytes >= limits.batch_bytes
        });
    }

    /// Adds records, or a quota, to the counts of the queue and of the open batch.
    fn count(&mut self, records: usize, bytes: usize) {
        self.queued_records += records;
        self.queued_bytes += bytes;
        if let Some(open) = &mut self.open {
            open.queued.records += records;
            open.queued.bytes += bytes;
        }
    }

    /// Grants a quota, unless callers wait for room or little room is left.
    fn grant_quota(&mut self, local: &LocalBuffer, segment: usize, limits: &Limits) {
        // If there is no open batch, the record that was just added has filled and sealed it.
        let Some(open) = &mut self.open else { return };
        if !self.room_waiters.is_empty() {
            return;
        }
        let share = |batch_limit: usize, in_batch, queue_limit: usize, queued| {
            let in_queue = queue_limit.saturating_sub(queued);
            let room = batch_limit.saturating_sub(in_batch).min(in_queue);
            (batch_limit / QUOTA_BATCH_DIVISOR).min(room / QUOTA_ROOM_DIVISOR)
        };
        let quota = Quota {
            records: share(
                limits.batch_records,
                open.queued.records,
                limits.queued_records,
                self.queued_records,
            ),
            bytes: share(
                limits.batch_bytes,
                open.queued.bytes,
                limits.queued_bytes,
                self.queued_bytes,
            ),
        };
        if quota.records > 0 && quota.bytes > 0 {
            open.with_quota.push(segment);
            local.grant(quota);
            self.count(quota.records, quota.bytes);
        }
    }

    /// Revokes all quotas. Returns whether any of them was not used up.
    fn revoke_quotas(&mut self) -> bool {
        let Some(open) = &mut self.open else { return false };
        let mut unused = Quota::default();
        for index in open.with_quota.drain(..) {
            let Quota { records, bytes } = open.local_buffers[index].revoke();
            unused.records += records;
            unused.bytes += bytes;
        }
        open.queued.records -= unused.records;
        open.queued.bytes -= unused.bytes;
        self.queued_records -= unused.records;
        self.queued_bytes -= unused.bytes;
        unused.records + unused.bytes > 0
    }

    /// Seals the open batch if it is full. If it seems full only because unused quotas count, revokes
    /// these and keeps it open.
    fn seal_if(&mut self, is_full: impl Fn(&QueuedBatch) -> bool) {
        let is_open_full =
            |state: &QueueState| state.open.as_ref().is_some_and(|open| is_full(&open.queued));
        if is_open_full(self) && (!self.revoke_quotas() || is_open_full(self)) {
            self.seal();
        }
    }

    fn seal(&mut self) {
        self.revoke_quotas();
        let Some(OpenBatch { mut queued, local_buffers, .. }) = self.open.take() else { return };
        for (index, local) in local_buffers.iter().enumerate() {
            local.take_records(queued.buffers.segment(index));
        }
        self.sealed.push_back(queued);
    }

    /// Marks that a caller waits for this batch. Does nothing if the batch is sealed: then it is due
    /// anyway.
    pub(super) fn mark_awaited(&mut self, batch: &Arc<SharedBatch>) {
        if let Some(open) = &mut self.open
            && Arc::ptr_eq(&open.queued.shared, batch)
        {
            open.is_awaited = true;
        }
    }

    fn is_open_due(&self, limits: &Limits) -> bool {
        self.open.as_ref().is_some_and(|open| {
            open.is_awaited
                || self.is_closed
                || limits.linger.is_zero()
                || open.flush_at.is_some_and(|time| time <= Instant::now())
        })
    }

    /// Removes the first batch that is due.
    pub(super) fn take_due(&mut self, limits: &Limits) -> Option<QueuedBatch> {
        if self.sealed.is_empty() && self.is_open_due(limits) {
            self.seal();
        }
        let batch = self.sealed.pop_front()?;
        self.queued_records -= batch.records;
        self.queued_bytes -= batch.bytes;
        Some(batch)
    }

    /// Returns the job to submit now, and counts it as running. Returns `None` if no batch is due, if
    /// no member is free, or if a job that was submitted before will claim the batch.
    pub(super) fn next_job(&mut self, limits: &Limits) -> Option<NextJob> {
        if self.running_jobs >= limits.members {
            return None;
        }
        let next = if limits.deadline.is_some() {
            NextJob::Bound(self.take_due(limits)?)
        } else {
            if self.sealed.len() <= self.unbound_jobs
                && (self.sealed.len() < self.unbound_jobs || !self.is_open_due(limits))
            {
                return None;
            }
            self.unbound_jobs += 1;
            NextJob::Unbound
        };
        self.running_jobs += 1;
        Some(next)
    }

    /// Returns whether the open batch is not due, and a member is free to run the flush timer for it.
    pub(super) fn wants_flush_timer(&self, limits: &Limits) -> bool {
        self.open.is_some()
            && self.running_jobs + self.bypass_calls < limits.members
            && !self.is_open_due(limits)
    }
}
