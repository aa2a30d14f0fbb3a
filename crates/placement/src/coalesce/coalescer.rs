//! The state that handles, tickets and the members of the pool share.

use std::sync::Arc;
use std::time::Instant;

use super::buffers::BufferPool;
use super::limits::Limits;
use super::queue::QueueState;
use super::shared_batch::ScanThreads;
use crate::convert::scan_error;
use dragnet::ScanError;
use dragnet_boundary::sync::{Condvar, Mutex, lock, wait, wait_for};

/// Number of batches, per member, whose memory is kept for later batches. A member under load uses about
/// four: one that it scans, one that is open, and two that are answered but whose tickets callers still
/// read.
const SPARE_BUFFERS_PER_MEMBER: usize = 4;

/// A pool of scanners, and the queue of records for it.
///
/// The lock of the queue is never held while a job is submitted or a batch is answered. The locks of
/// local buffers, batches, jobs and spare buffers may be taken under it.
///
/// The methods that submit calls to the pool are in `dispatch`, those that add records in `submit`.
pub(crate) struct Coalescer {
    pub(super) threads: Arc<ScanThreads>,
    pub(super) limits: Limits,
    pub(super) queue: Mutex<QueueState>,
    /// Notified when there may be room for the first of the callers that wait for it, when another caller
    /// becomes the first, and when the queue is closed.
    pub(super) room: Condvar,
    /// Notified when the open batch is due, or the member that runs the flush timer is needed.
    pub(super) due: Condvar,
    /// Notified when the queue is closed and idle.
    pub(super) idle: Condvar,
    pub(super) spare: Arc<BufferPool>,
}

impl Coalescer {
    pub(crate) fn new(threads: ScanThreads, limits: Limits) -> Arc<Coalescer> {
        Arc::new(Coalescer {
            threads: Arc::new(threads),
            queue: Mutex::new(QueueState::default()),
            room: Condvar::new(),
            due: Condvar::new(),
            idle: Condvar::new(),
            spare: Arc::new(BufferPool::new(SPARE_BUFFERS_PER_MEMBER * limits.members)),
            limits,
        })
    }

    /// Fails on the pool's own threads, where waiting for the pool could deadlock.
    pub(super) fn check_thread(&self) -> Result<(), ScanError> {
        self.threads.check_thread().map_err(|error| scan_error(&error))
    }

    /// Wakes the callers that wait for room, if there is some or the queue is closed.
    pub(super) fn notify_room(&self, state: &QueueState) {
        // Wakes all: only the first in line may continue, and `notify_one` might wake another.
        if !state.room_waiters.is_empty() && (state.is_closed || state.has_room(0, &self.limits)) {
            self.room.notify_all();
        }
    }

    /// Runs the flush timer: waits until the open batch is due, or the queue no longer wants a timer.
    pub(super) fn wait_until_due(&self) {
        let mut state = lock(&self.queue);
        while state.wants_flush_timer(&self.limits) {
            let flush_at = state.open.as_ref().and_then(|open| open.flush_at);
            state = match flush_at {
                None => wait(&self.due, state),
                Some(time) => {
                    let left = time.saturating_duration_since(Instant::now());
                    wait_for(&self.due, state, left)
                }
            };
        }
    }

    pub(crate) fn queued(&self) -> usize {
        lock(&self.queue).queued()
    }

    pub(crate) fn flush_timers(&self) -> usize {
        usize::from(lock(&self.queue).flush_timer_runs)
    }

    pub(crate) fn abandoned(&self) -> usize {
        self.threads.abandoned()
    }

    pub(crate) fn stuck(&self) -> usize {
        self.threads.stuck()
    }
}
