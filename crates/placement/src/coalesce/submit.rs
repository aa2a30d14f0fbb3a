//! Adds records to the queue, and waits for room if it is full.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::coalescer::Coalescer;
use super::local_buffer::{LocalBuffer, SegmentRecord};
use super::queue::{OpenBatch, QueueState};
use super::shared_batch::{BatchRecords, Flush, SharedBatch};
use crate::convert::closed_error;
use dragnet::{MAX_BUFFER, PADDING, ScanError, StopFlag};
use dragnet_boundary::sync::{MutexGuard, lock, wait, wait_for};

/// The longest record that fits into a batch, in bytes.
const MAX_RECORD: usize = MAX_BUFFER - PADDING;

/// The interval at which a caller that waits polls its stop flag. A person does not notice a delay of
/// 5 ms, and each waiting caller wakes up only 200 times per second.
pub(super) const STOP_POLL: Duration = Duration::from_millis(5);

/// How long a caller waits for room.
#[derive(Clone, Copy)]
pub(super) enum WaitForRoom<'a> {
    No,
    Forever,
    /// Until the flag is raised.
    UntilStopped(&'a StopFlag),
}

/// Why a record was not added.
pub(super) enum SubmitError {
    /// The queue is full, and the caller does not wait.
    Full,
    Scan(ScanError),
}

impl From<SubmitError> for ScanError {
    fn from(error: SubmitError) -> ScanError {
        match error {
            SubmitError::Scan(error) => error,
            SubmitError::Full => ScanError::Unavailable { reason: "the queue is full".to_owned() },
        }
    }
}

impl Coalescer {
    /// Adds one record to the open batch. If the quota suffices, this takes only the lock of the local
    /// buffer; otherwise it takes the lock of the queue, and gets a new quota.
    ///
    /// A record within a quota needs no call of `dispatch`, because it neither opens nor seals a batch:
    /// the counts of the batch have included it from the moment when the quota was granted.
    pub(super) fn submit(
        self: &Arc<Self>,
        local: &Arc<LocalBuffer>,
        record: &[u8],
        wait: WaitForRoom<'_>,
    ) -> Result<SegmentRecord, SubmitError> {
        self.check_thread().map_err(SubmitError::Scan)?;
        if let Some(added) = local.try_add(record) {
            return Ok(added);
        }
        let mut state = self.admit(lock(&self.queue), record, wait)?;
        let added = state.push_local(local, record, &self.limits, || self.open_batch());
        self.dispatch(state);
        Ok(added)
    }

    /// Adds the records of a batch to one or more shared batches, and calls `add` with the place of the
    /// records in each. Marks the batches as awaited, because the caller is going to wait for them.
    ///
    /// If this fails, the records that were already added are scanned, but nobody reads their matches.
    pub(super) fn submit_batch<'r>(
        self: &Arc<Self>,
        records: impl Iterator<Item = &'r [u8]>,
        wait: WaitForRoom<'_>,
        add: impl FnMut(BatchRecords),
    ) -> Result<(), SubmitError> {
        self.check_thread().map_err(SubmitError::Scan)?;
        let added = self.push_all(records, wait, add);
        if added.is_err() {
            // Submits jobs for the records that were added before the error.
            self.dispatch(lock(&self.queue));
        }
        added
    }

    fn push_all<'r>(
        self: &Arc<Self>,
        records: impl Iterator<Item = &'r [u8]>,
        wait: WaitForRoom<'_>,
        mut add: impl FnMut(BatchRecords),
    ) -> Result<(), SubmitError> {
        let mut state = lock(&self.queue);
        let mut last: Option<BatchRecords> = None;
        for record in records {
            state = self.admit(state, record, wait)?;
            let previous = last.as_ref().map(|last| (&last.batch, last.records.end));
            let (batch, index) = state.push(record, previous, &self.limits, || self.open_batch());
            match &mut last {
                Some(last) if Arc::ptr_eq(&last.batch, &batch) && last.records.end == index => {
                    last.records.end += 1;
                }
                _ => {
                    let next = BatchRecords { batch, records: index..index + 1 };
                    if let Some(last) = last.replace(next) {
                        add(last);
                    }
                }
            }
        }
        if let Some(last) = last {
            state.mark_awaited(&last.batch);
            add(last);
        }
        self.dispatch(state);
        Ok(())
    }

    /// Waits until there is room for a record.
    fn admit<'a>(
        self: &'a Arc<Self>,
        mut state: MutexGuard<'a, QueueState>,
        record: &[u8],
        wait: WaitForRoom<'_>,
    ) -> Result<MutexGuard<'a, QueueState>, SubmitError> {
        let size = record.len();
        if size > MAX_RECORD {
            return Err(SubmitError::Scan(ScanError::TooLarge { size, limit: MAX_RECORD }));
        }
        if !state.room_waiters.is_empty() || !state.make_room(size, &self.limits) {
            state = self.wait_for_room(state, size, wait)?;
        }
        if state.is_closed {
            return Err(SubmitError::Scan(closed_error()));
        }
        Ok(state)
    }

    /// Waits for room, after the callers that already wait for it. Returns early if the queue is
    /// closed.
    fn wait_for_room<'a>(
        self: &'a Arc<Self>,
        mut state: MutexGuard<'a, QueueState>,
        bytes: usize,
        limit: WaitForRoom<'_>,
    ) -> Result<MutexGuard<'a, QueueState>, SubmitError> {
        if let WaitForRoom::No = limit {
            return Err(SubmitError::Full);
        }
        let waiter = state.next_room_waiter;
        state.next_room_waiter += 1;
        state.room_waiters.push_back(waiter);
        // The records that this caller has just added may have to be scanned before there is room.
        self.dispatch(state);
        state = lock(&self.queue);
        let result = loop {
            let is_first = state.room_waiters.front() == Some(&waiter);
            if state.is_closed || is_first && state.make_room(bytes, &self.limits) {
                break Ok(());
            }
            if let WaitForRoom::UntilStopped(stop) = limit
                && stop.is_raised()
            {
                break Err(SubmitError::Scan(ScanError::Stopped));
            }
            // Only a scan of the queued records makes room, so the open batch must not linger now.
            if let Some(open) = &mut state.open
                && !open.is_awaited
            {
                open.is_awaited = true;
                self.dispatch(state);
                state = lock(&self.queue);
                continue;
            }
            state = match limit {
                WaitForRoom::UntilStopped(_) => wait_for(&self.room, state, STOP_POLL),
                _ => wait(&self.room, state),
            };
        };
        state.room_waiters.retain(|&other| other != waiter);
        if !state.room_waiters.is_empty() {
            self.room.notify_all();
        }
        result.map(|()| state)
    }

    fn open_batch(self: &Arc<Self>) -> OpenBatch {
        let linger = self.limits.linger;
        let (flush, flush_at) = if linger.is_zero() {
            (None, None)
        } else {
            let coalescer = Arc::clone(self);
            let flush: Flush = Box::new(move |batch| coalescer.flush(batch));
            (Some(flush), Instant::now().checked_add(linger))
        };
        let (threads, spare) = (Arc::clone(&self.threads), Arc::clone(&self.spare));
        let batch = SharedBatch::new(threads, spare, flush);
        OpenBatch::new(Arc::new(batch), self.spare.take(), flush_at)
    }

    /// Makes a batch due, because a caller waits for it.
    fn flush(self: &Arc<Self>, batch: &Arc<SharedBatch>) {
        let mut state = lock(&self.queue);
        state.mark_awaited(batch);
        self.dispatch(state);
    }
}
