//! The list of a crew's threads, and how many of each kind there are.

use super::sync::JoinHandle;

/// The threads of a crew.
#[derive(Default)]
pub(super) struct Roster {
    threads: Vec<Thread>,
    /// The number of the next thread; numbers are not used again.
    next: u64,
    /// How many were given up, ever.
    pub(super) given_up: usize,
    /// Whether no more calls come.
    pub(super) closing: bool,
    /// The thread that watches deadlines, if it was needed.
    pub(super) watch: Option<JoinHandle<()>>,
}

struct Thread {
    number: u64,
    status: Status,
    handle: Option<JoinHandle<()>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    /// Takes calls from the queue.
    Serves,
    /// Is stuck in a call.
    GivenUp,
    /// Takes no more calls, and is to be joined.
    Left,
}

impl Roster {
    fn count(&self, status: Status) -> usize {
        self.threads.iter().filter(|thread| thread.status == status).count()
    }

    /// How many threads serve the queue.
    pub(super) fn serving(&self) -> usize {
        self.count(Status::Serves)
    }

    /// How many threads were given up and have not come back.
    pub(super) fn stuck(&self) -> usize {
        self.count(Status::GivenUp)
    }

    /// The number that the next thread has.
    pub(super) fn next_number(&self) -> u64 {
        self.next
    }

    /// Adds a thread of the next number that serves the queue.
    pub(super) fn add(&mut self, handle: JoinHandle<()>) {
        self.threads.push(Thread {
            number: self.next,
            status: Status::Serves,
            handle: Some(handle),
        });
        self.next += 1;
    }

    fn set(&mut self, number: u64, status: Status) {
        if let Some(thread) = self.threads.iter_mut().find(|thread| thread.number == number) {
            thread.status = status;
        }
    }

    /// Counts a thread as stuck.
    pub(super) fn give_up(&mut self, number: u64) {
        self.set(number, Status::GivenUp);
        self.given_up += 1;
    }

    /// Counts a thread that was stuck as serving.
    pub(super) fn take_back(&mut self, number: u64) {
        self.set(number, Status::Serves);
    }

    /// Forgets a thread that was stuck and is about to end. Nobody waits for it.
    pub(super) fn forget(&mut self, number: u64) {
        self.threads.retain(|thread| thread.number != number);
    }

    /// Counts a thread as one that serves no more.
    pub(super) fn leave(&mut self, number: u64) {
        self.set(number, Status::Left);
    }

    /// What to join of the threads that have left.
    pub(super) fn take_left(&mut self) -> Vec<JoinHandle<()>> {
        let left = self.threads.iter_mut().filter(|thread| thread.status == Status::Left);
        left.filter_map(|thread| thread.handle.take()).collect()
    }
}
