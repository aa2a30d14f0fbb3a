//! A bounded first-in, first-out queue between threads.

use std::collections::VecDeque;
use std::time::Instant;

use super::sync::{Condvar, Mutex, MutexGuard, lock, wait, wait_for};

/// How long to wait for a place in a queue.
#[derive(Clone, Copy, Debug)]
pub(super) enum Patience {
    /// Not at all.
    None,
    Until(Instant),
    Forever,
}

/// Why a queue did not take an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is full, or others wait for a place.
    Full,
    /// It was full for as long as the item could wait.
    TimedOut,
    /// Nobody is there to take items out.
    Halted,
    /// It takes no more items.
    Closed,
}

/// Takes items in the order in which they came, and those who wait for a place too.
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    /// There is an item, or there will be none.
    filled: Condvar,
    /// There is a place, or another one's turn, or no use in waiting.
    moved: Condvar,
    capacity: usize,
}

struct State<T> {
    items: VecDeque<T>,
    /// Who waits for a place, first come first. A condition variable alone lets newcomers overtake
    /// those who wait, without bound.
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
    /// A queue of at most this many items, at least one.
    pub(super) fn new(capacity: usize) -> Queue<T> {
        let state = State {
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

    /// Appends an item, or gives it back.
    pub(super) fn push(&self, item: T, patience: Patience) -> Result<(), (T, Refusal)> {
        let mut state = lock(&self.state);
        if state.gate == Gate::Open
            && (!state.turns.is_empty() || state.items.len() >= self.capacity)
        {
            if let Patience::None = patience {
                return Err((item, Refusal::Full));
            }
            let turn = state.next_turn;
            state.next_turn += 1;
            state.turns.push_back(turn);
            let refusal;
            (state, refusal) = self.wait_for_turn(state, turn, patience);
            // Whoever was behind may be the first now.
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

    /// Waits until there is a place and it is this one's turn, or the gate is not open.
    fn wait_for_turn<'a>(
        &'a self,
        mut state: MutexGuard<'a, State<T>>,
        turn: u64,
        patience: Patience,
    ) -> (MutexGuard<'a, State<T>>, Option<Refusal>) {
        loop {
            let first = state.turns.front() == Some(&turn);
            if state.gate != Gate::Open || first && state.items.len() < self.capacity {
                return (state, None);
            }
            state = match patience {
                Patience::None | Patience::Forever => wait(&self.moved, state),
                Patience::Until(end) => match end.checked_duration_since(Instant::now()) {
                    Some(left) if !left.is_zero() => wait_for(&self.moved, state, left),
                    _ => return (state, Some(Refusal::TimedOut)),
                },
            };
        }
    }

    /// Takes the first item, waiting for one; `None` once the queue is closed and empty.
    pub(super) fn pop(&self) -> Option<T> {
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

    /// Takes out the first item that is wanted, wherever it is.
    pub(super) fn remove(&self, wanted: impl FnMut(&T) -> bool) -> Option<T> {
        let mut state = lock(&self.state);
        let position = state.items.iter().position(wanted)?;
        let item = state.items.remove(position);
        self.wake_waiting(state);
        item
    }

    fn wake_waiting(&self, state: MutexGuard<'_, State<T>>) {
        // All, since only the first in turn can go on and a signal finds any.
        if !state.turns.is_empty() {
            drop(state);
            self.moved.notify_all();
        }
    }

    /// Takes no more items. Those that are there can still be popped.
    pub(super) fn close(&self) {
        self.shut(Gate::Closed, false);
    }

    /// Takes no more items, and gives out those that are there.
    pub(super) fn close_and_clear(&self) -> VecDeque<T> {
        self.shut(Gate::Closed, true)
    }

    /// Takes no items until it is resumed, and gives out those that are there.
    pub(super) fn halt(&self) -> VecDeque<T> {
        self.shut(Gate::Halted, true)
    }

    fn shut(&self, gate: Gate, clear: bool) -> VecDeque<T> {
        let mut state = lock(&self.state);
        // Nothing opens what is closed.
        if state.gate != Gate::Closed {
            state.gate = gate;
        }
        let items = if clear { std::mem::take(&mut state.items) } else { VecDeque::new() };
        drop(state);
        self.filled.notify_all();
        self.moved.notify_all();
        items
    }

    /// Takes items again if it was halted.
    pub(super) fn resume(&self) {
        let mut state = lock(&self.state);
        if state.gate == Gate::Halted {
            state.gate = Gate::Open;
        }
    }

    /// How many items wait.
    pub(super) fn len(&self) -> usize {
        lock(&self.state).items.len()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{Patience, Queue, Refusal};
    use std::sync::mpsc;
    use std::thread;
    use std::time::{Duration, Instant};

    /// Waits until `count` producers wait for their turn.
    fn until_waiting<T>(queue: &Queue<T>, count: usize) {
        while super::lock(&queue.state).turns.len() != count {
            thread::yield_now();
        }
    }

    #[test]
    fn items_leave_in_the_order_they_came_and_none_after_the_last() {
        let queue = Queue::new(3);
        for item in 0..3 {
            queue.push(item, Patience::None).unwrap();
        }
        assert_eq!(queue.push(3, Patience::None), Err((3, Refusal::Full)));
        assert_eq!(queue.remove(|&item| item == 1), Some(1));
        assert_eq!(queue.remove(|&item| item == 1), None);
        queue.push(4, Patience::None).unwrap();
        queue.close();
        assert_eq!(queue.push(5, Patience::Forever), Err((5, Refusal::Closed)));
        assert_eq!([(); 4].map(|()| queue.pop()), [Some(0), Some(2), Some(4), None]);
    }

    #[test]
    fn who_waits_for_a_place_gets_it_in_turn_and_newcomers_do_not_overtake() {
        let queue = Queue::new(1);
        queue.push(0, Patience::None).unwrap();
        thread::scope(|scope| {
            for item in 1..=4 {
                let queue = &queue;
                scope.spawn(move || queue.push(item, Patience::Forever).unwrap());
                until_waiting(queue, item);
            }
            assert_eq!(queue.pop(), Some(0));
            // The place is free or taken by the first in turn, but never a newcomer's.
            assert_eq!(queue.push(9, Patience::None), Err((9, Refusal::Full)));
            assert_eq!([(); 4].map(|()| queue.pop()), [1, 2, 3, 4].map(Some));
        });
    }

    #[test]
    fn a_wait_for_a_place_ends_in_time_and_lets_the_next_one_go_on() {
        let queue = Queue::new(1);
        queue.push(0, Patience::None).unwrap();
        let (send, receive) = mpsc::channel();
        thread::scope(|scope| {
            let first = scope.spawn(|| {
                let end = Instant::now() + Duration::from_millis(50);
                queue.push(1, Patience::Until(end))
            });
            until_waiting(&queue, 1);
            scope.spawn(|| send.send(queue.push(2, Patience::Forever)));
            assert_eq!(first.join().unwrap(), Err((1, Refusal::TimedOut)));
            assert_eq!((queue.pop(), queue.pop()), (Some(0), Some(2)));
            assert_eq!(receive.recv().unwrap(), Ok(()));
        });
    }

    #[test]
    fn closing_wakes_all_who_wait() {
        let queue = Queue::new(1);
        queue.push(0, Patience::None).unwrap();
        let empty = Queue::<u8>::new(1);
        thread::scope(|scope| {
            let waiting = &queue;
            let producers =
                [1, 2].map(|item| scope.spawn(move || waiting.push(item, Patience::Forever)));
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
    fn a_halted_queue_takes_items_again_once_resumed_and_a_closed_one_never() {
        let queue = Queue::new(2);
        queue.push(0, Patience::None).unwrap();
        assert_eq!(queue.halt(), [0]);
        assert_eq!(queue.push(1, Patience::Forever), Err((1, Refusal::Halted)));
        queue.resume();
        assert_eq!((queue.push(2, Patience::None), queue.len()), (Ok(()), 1));
        queue.close();
        queue.resume();
        assert_eq!(queue.push(3, Patience::None), Err((3, Refusal::Closed)));
        assert!(queue.halt().eq(&[2]));
        assert_eq!(queue.pop(), None);
    }
}
