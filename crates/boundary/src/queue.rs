//! A bounded first-in, first-out queue between threads, fair to producers that wait for room.
//!
//! One mutex guards the items, and two condition variables wake consumers and producers. Fairness
//! is a list of turns: only the producer that has waited longest may take free room.
//!
//! `std::sync::mpsc::sync_channel` and `crossbeam-channel` lack two operations. When the deadline of a
//! queued call passes, its item is removed from the middle. When an owner has no usable thread, its
//! queue refuses items for a while and then accepts them again.

use std::collections::VecDeque;
use std::time::Instant;

use crate::sync::{Condvar, Mutex, MutexGuard, lock, wait, wait_for};

/// How long to wait for room in a queue.
#[derive(Clone, Copy, Debug)]
pub(crate) enum WaitLimit {
    /// Do not wait.
    None,
    Until(Instant),
    Forever,
}

/// Why a queue did not take an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The queue is full, or others wait for room.
    Full,
    /// The queue was full until the time limit.
    TimedOut,
    /// The queue is halted, since no worker takes items.
    Halted,
    /// The queue is closed.
    Closed,
}

/// A bounded queue. Items leave in the order in which they were pushed, and producers that wait for
/// room are served in the order in which they started to wait.
pub(crate) struct Queue<T> {
    state: Mutex<QueueState<T>>,
    /// Notified when an item is pushed, or the queue is closed.
    filled: Condvar,
    /// Notified when there is room, when another producer is first in line, and when the queue is
    /// halted or closed.
    moved: Condvar,
    capacity: usize,
}

struct QueueState<T> {
    items: VecDeque<T>,
    /// The producers that wait for room, in order. With a condition variable alone, a newcomer
    /// could overtake a waiting producer without bound.
    turns: VecDeque<u64>,
    next_turn: u64,
    gate: Gate,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Gate {
    Open,
    Halted,
    Closed,
}

impl<T> Queue<T> {
    /// Returns an empty queue for at most `capacity` items, and at least one.
    pub(crate) fn new(capacity: usize) -> Queue<T> {
        let state = QueueState {
            items: VecDeque::new(),
            turns: VecDeque::new(),
            next_turn: 0,
            gate: Gate::Open,
        };
        Queue {
            state: Mutex::new(state),
            filled: Condvar::new(),
            moved: Condvar::new(),
            capacity: capacity.max(1),
        }
    }

    /// Appends an item, or returns it with the reason why it was refused.
    pub(crate) fn push(&self, item: T, limit: WaitLimit) -> Result<(), (T, Refusal)> {
        let mut state = lock(&self.state);
        if state.gate == Gate::Open
            && (!state.turns.is_empty() || state.items.len() >= self.capacity)
        {
            if let WaitLimit::None = limit {
                return Err((item, Refusal::Full));
            }
            let turn = state.next_turn;
            state.next_turn += 1;
            state.turns.push_back(turn);
            let refusal;
            (state, refusal) = self.wait_for_turn(state, turn, limit);
            // The producer after this one may now be first in line.
            state.turns.retain(|&other| other != turn);
            if !state.turns.is_empty() {
                self.moved.notify_all();
            }
            if let Some(refusal) = refusal {
                return Err((item, refusal));
            }
        }
        match state.gate {
            Gate::Open => {
                state.items.push_back(item);
                drop(state);
                self.filled.notify_one();
                Ok(())
            }
            Gate::Halted => Err((item, Refusal::Halted)),
            Gate::Closed => Err((item, Refusal::Closed)),
        }
    }

    /// Waits until there is room and `turn` is first in line, or the queue is not open.
    fn wait_for_turn<'a>(
        &'a self,
        mut state: MutexGuard<'a, QueueState<T>>,
        turn: u64,
        limit: WaitLimit,
    ) -> (MutexGuard<'a, QueueState<T>>, Option<Refusal>) {
        loop {
            let first = state.turns.front() == Some(&turn);
            if state.gate != Gate::Open || first && state.items.len() < self.capacity {
                return (state, None);
            }
            state = match limit {
                WaitLimit::None | WaitLimit::Forever => wait(&self.moved, state),
                WaitLimit::Until(end) => match end.checked_duration_since(Instant::now()) {
                    Some(left) if !left.is_zero() => wait_for(&self.moved, state, left),
                    _ => return (state, Some(Refusal::TimedOut)),
                },
            };
        }
    }

    /// Waits for an item and takes the first one. Returns `None` once the queue is closed and
    /// empty.
    pub(crate) fn pop(&self) -> Option<T> {
        let mut state = lock(&self.state);
        loop {
            if let Some(item) = state.items.pop_front() {
                self.wake_waiting(state);
                return Some(item);
            }
            if state.gate == Gate::Closed {
                return None;
            }
            state = wait(&self.filled, state);
        }
    }

    /// Removes the first item that satisfies `wanted`, wherever it is.
    pub(crate) fn remove(&self, wanted: impl FnMut(&T) -> bool) -> Option<T> {
        let mut state = lock(&self.state);
        let position = state.items.iter().position(wanted)?;
        let item = state.items.remove(position);
        self.wake_waiting(state);
        item
    }

    fn wake_waiting(&self, state: MutexGuard<'_, QueueState<T>>) {
        // All of them: only the first in line can proceed, and `notify_one` wakes an arbitrary one.
        if !state.turns.is_empty() {
            drop(state);
            self.moved.notify_all();
        }
    }

    /// Closes the queue. Its items can still be popped.
    pub(crate) fn close(&self) {
        self.shut(Gate::Closed, false);
    }

    /// Closes the queue and returns its items.
    pub(crate) fn close_and_clear(&self) -> VecDeque<T> {
        self.shut(Gate::Closed, true)
    }

    /// Halts the queue until it is resumed, and returns its items.
    pub(crate) fn halt(&self) -> VecDeque<T> {
        self.shut(Gate::Halted, true)
    }

    fn shut(&self, gate: Gate, clear: bool) -> VecDeque<T> {
        let mut state = lock(&self.state);
        // A closed queue stays closed.
        if state.gate != Gate::Closed {
            state.gate = gate;
        }
        let items = if clear { std::mem::take(&mut state.items) } else { VecDeque::new() };
        drop(state);
        self.filled.notify_all();
        self.moved.notify_all();
        items
    }

    /// Opens the queue again if it was halted.
    pub(crate) fn resume(&self) {
        let mut state = lock(&self.state);
        if state.gate == Gate::Halted {
            state.gate = Gate::Open;
        }
    }

    /// Returns the number of items.
    pub(crate) fn len(&self) -> usize {
        lock(&self.state).items.len()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{Queue, Refusal, WaitLimit};
    use std::sync::mpsc;
    use std::thread;
    use std::time::{Duration, Instant};

    /// Waits until `count` producers wait for room.
    fn until_waiting<T>(queue: &Queue<T>, count: usize) {
        while super::lock(&queue.state).turns.len() != count {
            thread::yield_now();
        }
    }

    #[test]
    fn items_leave_in_order() {
        let queue = Queue::new(3);
        for item in 0..3 {
            queue.push(item, WaitLimit::None).unwrap();
        }
        assert_eq!(queue.push(3, WaitLimit::None), Err((3, Refusal::Full)));
        assert_eq!(queue.remove(|&item| item == 1), Some(1));
        assert_eq!(queue.remove(|&item| item == 1), None);
        queue.push(4, WaitLimit::None).unwrap();
        queue.close();
        assert_eq!(queue.push(5, WaitLimit::Forever), Err((5, Refusal::Closed)));
        assert_eq!([(); 4].map(|()| queue.pop()), [Some(0), Some(2), Some(4), None]);
    }

    #[test]
    fn newcomers_do_not_overtake_waiting_producers() {
        let queue = Queue::new(1);
        queue.push(0, WaitLimit::None).unwrap();
        thread::scope(|scope| {
            for item in 1..=4 {
                let queue = &queue;
                scope.spawn(move || queue.push(item, WaitLimit::Forever).unwrap());
                until_waiting(queue, item);
            }
            assert_eq!(queue.pop(), Some(0));
            // The room belongs to the first in line, whether it has taken it yet or not.
            assert_eq!(queue.push(9, WaitLimit::None), Err((9, Refusal::Full)));
            assert_eq!([(); 4].map(|()| queue.pop()), [1, 2, 3, 4].map(Some));
        });
    }

    #[test]
    fn a_timed_out_producer_unblocks_the_next() {
        let queue = Queue::new(1);
        queue.push(0, WaitLimit::None).unwrap();
        let (send, receive) = mpsc::channel();
        thread::scope(|scope| {
            let first = scope.spawn(|| {
                let end = Instant::now() + Duration::from_millis(50);
                queue.push(1, WaitLimit::Until(end))
            });
            until_waiting(&queue, 1);
            scope.spawn(|| send.send(queue.push(2, WaitLimit::Forever)));
            assert_eq!(first.join().unwrap(), Err((1, Refusal::TimedOut)));
            assert_eq!((queue.pop(), queue.pop()), (Some(0), Some(2)));
            assert_eq!(receive.recv().unwrap(), Ok(()));
        });
    }

    #[test]
    fn closing_wakes_all_waiters() {
        let queue = Queue::new(1);
        queue.push(0, WaitLimit::None).unwrap();
        let empty = Queue::<u8>::new(1);
        thread::scope(|scope| {
            let waiting = &queue;
            let producers =
                [1, 2].map(|item| scope.spawn(move || waiting.push(item, WaitLimit::Forever)));
            let consumer = scope.spawn(|| empty.pop());
            until_waiting(&queue, 2);
            assert_eq!(queue.close_and_clear(), [0]);
            empty.close();
            for (item, producer) in (1..).zip(producers) {
                assert_eq!(producer.join().unwrap(), Err((item, Refusal::Closed)));
            }
            assert_eq!(consumer.join().unwrap(), None);
        });
    }

    #[test]
    fn halted_queues_resume_and_closed_ones_do_not() {
        let queue = Queue::new(2);
        queue.push(0, WaitLimit::None).unwrap();
        assert_eq!(queue.halt(), [0]);
        assert_eq!(queue.push(1, WaitLimit::Forever), Err((1, Refusal::Halted)));
        queue.resume();
        assert_eq!((queue.push(2, WaitLimit::None), queue.len()), (Ok(()), 1));
        queue.close();
        queue.resume();
        assert_eq!(queue.push(3, WaitLimit::None), Err((3, Refusal::Closed)));
        assert!(queue.halt().eq(&[2]));
        assert_eq!(queue.pop(), None);
    }
}
