//! The threads of an owner or a pool, with the status of each.
//!
//! The set is a plain list: an owner or a pool has few threads, and the list is searched only when
//! a thread starts or stops, not for each call.

use crate::sync::JoinHandle;

/// A thread, numbered in the order in which the threads of one owner or pool were started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WorkerId(u64);

#[cfg(all(loom, test))]
impl WorkerId {
    pub(crate) const fn new(number: u64) -> WorkerId {
        WorkerId(number)
    }
}

impl std::fmt::Display for WorkerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The threads of one owner or pool. Kept under the lock of [`Workers`](crate::workers::Workers).
#[derive(Default)]
pub(crate) struct WorkerSet {
    workers: Vec<Worker>,
    /// The number of the next worker; numbers are not reused.
    next: u64,
    /// Number of workers abandoned so far.
    pub(crate) abandoned: usize,
    /// Whether the owner or pool is being dropped.
    pub(crate) closing: bool,
    /// The thread that tracks deadlines, which the first call with a deadline starts.
    pub(crate) timer: Option<JoinHandle<()>>,
}

struct Worker {
    id: WorkerId,
    status: WorkerStatus,
    handle: Option<JoinHandle<()>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum WorkerStatus {
    /// Takes calls from the queue.
    Serving,
    /// Was abandoned, and is still stuck in its call.
    Stuck,
    /// Takes no more calls, and can be joined.
    Finished,
}

impl WorkerSet {
    fn count(&self, status: WorkerStatus) -> usize {
        self.workers.iter().filter(|worker| worker.status == status).count()
    }

    /// Returns the number of workers that take calls from the queue.
    pub(crate) fn serving(&self) -> usize {
        self.count(WorkerStatus::Serving)
    }

    /// Returns the number of abandoned workers that have not returned.
    pub(crate) fn stuck(&self) -> usize {
        self.count(WorkerStatus::Stuck)
    }

    /// Returns the id that the next added worker gets.
    pub(crate) fn next_id(&self) -> WorkerId {
        WorkerId(self.next)
    }

    /// Adds a serving worker, with the id that [`next_id`](WorkerSet::next_id) returns.
    pub(crate) fn add(&mut self, handle: JoinHandle<()>) {
        self.workers.push(Worker {
            id: self.next_id(),
            status: WorkerStatus::Serving,
            handle: Some(handle),
        });
        self.next += 1;
    }

    fn set_status(&mut self, id: WorkerId, status: WorkerStatus) {
        if let Some(worker) = self.workers.iter_mut().find(|worker| worker.id == id) {
            worker.status = status;
        }
    }

    /// Marks a worker as abandoned and stuck.
    pub(crate) fn abandon(&mut self, id: WorkerId) {
        self.set_status(id, WorkerStatus::Stuck);
        self.abandoned += 1;
    }

    /// Marks a worker that was stuck as serving again.
    pub(crate) fn readmit(&mut self, id: WorkerId) {
        self.set_status(id, WorkerStatus::Serving);
    }

    /// Removes a worker that was stuck and is about to end. It is not joined.
    pub(crate) fn forget(&mut self, id: WorkerId) {
        self.workers.retain(|worker| worker.id != id);
    }

    /// Marks a worker as finished.
    pub(crate) fn finish(&mut self, id: WorkerId) {
        self.set_status(id, WorkerStatus::Finished);
    }

    /// Takes the join handles of all finished workers.
    pub(crate) fn take_finished(&mut self) -> Vec<JoinHandle<()>> {
        let finished =
            self.workers.iter_mut().filter(|worker| worker.status == WorkerStatus::Finished);
        finished.filter_map(|worker| worker.handle.take()).collect()
    }
}
