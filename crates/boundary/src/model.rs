//! Models of the queue and the workers, which `loom` runs through all interleavings; see `ci/loom`.
//!
//! Models have no clock. A deadline passes in a step of a thread of its own, so the interleavings
//! include every moment at which it can pass.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use loom::model::Builder as Model;
use loom::thread;

use crate::builder::{Builder, OnDrop};
use crate::queue::{Queue, Refusal, WaitLimit};
use crate::reply::{Reply, TimedCall};
use crate::worker_set::WorkerId;
use crate::workers::Workers;
use crate::{CallError, CancelFlag, MakeError};

/// Checks all interleavings. Feasible only for models with few threads and few steps.
fn check_all(model: impl Fn() + Send + Sync + 'static) {
    loom::model(model);
}

/// Checks all interleavings with at most this many preemptions, for models with too many
/// interleavings to check all. A thread that blocks does not count as preempted.
fn check(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = Model::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 10_000;
    builder.check(model);
}

/// Counts an outcome over all interleavings, so that a test can check that its model reaches every
/// outcome.
fn count_outcome(outcome: &AtomicUsize) {
    outcome.fetch_add(1, Ordering::Relaxed);
}

fn drain(queue: &Queue<u32>) -> Vec<u32> {
    std::iter::from_fn(|| queue.pop()).collect()
}

#[test]
fn items_of_two_producers_leave_once_and_in_order() {
    check(3, || {
        let queue = Arc::new(Queue::new(1));
        let producers = [10, 20].map(|first| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                for item in [first, first + 1] {
                    queue.push(item, WaitLimit::Forever).unwrap();
                }
            })
        });
        let consumer = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || drain(&queue))
        };
        for producer in producers {
            producer.join().unwrap();
        }
        queue.close();
        let items = consumer.join().unwrap();
        assert_eq!(items.iter().copied().filter(|i| *i < 20).collect::<Vec<_>>(), [10, 11]);
        assert_eq!(items.iter().copied().filter(|i| *i >= 20).collect::<Vec<_>>(), [20, 21]);
        assert_eq!(items.len(), 4);
    });
}

#[test]
fn closing_amid_pushes_loses_no_item() {
    for discard in [false, true] {
        check_all(move || {
            let queue = Arc::new(Queue::new(1));
            let producers = [1, 2].map(|item| {
                let queue = Arc::clone(&queue);
                thread::spawn(move || queue.push(item, WaitLimit::Forever))
            });
            let mut returned = Vec::new();
            if discard {
                returned.extend(queue.close_and_clear());
            } else {
                queue.close();
            }
            for producer in producers {
                if let Err((item, refusal)) = producer.join().unwrap() {
                    assert_eq!(refusal, Refusal::Closed);
                    returned.push(item);
                }
            }
            returned.extend(drain(&queue));
            returned.sort();
            assert_eq!(returned, [1, 2]);
        });
    }
}

#[test]
fn removing_an_item_wakes_a_waiting_producer() {
    check_all(|| {
        let queue = Arc::new(Queue::new(1));
        queue.push(1, WaitLimit::None).unwrap();
        let producer = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.push(2, WaitLimit::Forever).unwrap())
        };
        assert_eq!(queue.remove(|&item| item == 1), Some(1));
        producer.join().unwrap();
        assert_eq!(queue.pop(), Some(2));
    });
}

#[test]
fn each_freed_slot_goes_to_a_waiting_producer() {
    check(3, || {
        let queue = Arc::new(Queue::new(2));
        for item in [1, 2] {
            queue.push(item, WaitLimit::None).unwrap();
        }
        let producers = [3, 4].map(|item| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.push(item, WaitLimit::Forever).unwrap())
        });
        assert_eq!([queue.pop(), queue.pop()], [Some(1), Some(2)]);
        // Both producers proceed without another `pop`.
        for producer in producers {
            producer.join().unwrap();
        }
        assert_eq!(queue.len(), 2);
    });
}

#[test]
fn a_late_call_ends_in_exactly_one_way() {
    static OUTCOMES: [AtomicUsize; 4] = [const { AtomicUsize::new(0) }; 4];
    check_all(|| {
        let reply = Arc::new(Reply::new());
        let thread = {
            let reply = Arc::clone(&reply);
            thread::spawn(move || reply.start(WorkerId::new(7)).then(|| reply.finish(Ok(Ok(())))))
        };
        let late_in_queue = reply.expire();
        let abandoned = reply.abandon();
        let kept = thread.join().unwrap();
        let in_time = reply.wait().is_ok();
        count_outcome(match (late_in_queue, kept, abandoned, in_time) {
            (true, None, None, false) => &OUTCOMES[0],
            (false, Some(true), None, true) => &OUTCOMES[1],
            (false, Some(true), None, false) => &OUTCOMES[2],
            (false, Some(false), Some(_), false) => &OUTCOMES[3],
            other => panic!("{other:?}"),
        });
    });
    assert!(OUTCOMES.iter().all(|seen| seen.load(Ordering::Relaxed) > 0));
}

/// Workers whose values count the calls that they have run.
fn workers(members: usize, spares: usize, on_drop: OnDrop) -> Arc<Workers<Cell<u32>>> {
    let config = Builder::new("model").capacity(1).spares(spares).on_drop(on_drop);
    Workers::start(config, members, Box::new(|| Ok::<_, MakeError>(Cell::new(0)))).unwrap()
}

fn count(value: &mut Cell<u32>, _: &CancelFlag) -> u32 {
    value.set(value.get() + 1);
    value.get()
}

/// Queues a call with a deadline that never passes by the clock, only when [`pass_deadlines`] takes
/// it from the timer.
fn enqueue_timed(workers: &Arc<Workers<Cell<u32>>>) -> Arc<Reply<u32>> {
    workers.enqueue(count, true, Some(Instant::now() + Duration::from_secs(3600))).unwrap()
}

/// Starts a thread that lets the first call's deadline and then its grace period pass, each at any
/// moment.
fn pass_deadlines(workers: &Arc<Workers<Cell<u32>>>) -> thread::JoinHandle<()> {
    let workers = Arc::clone(workers);
    thread::spawn(move || {
        for _ in 0..2 {
            if let Some(due) = workers.timer().first() {
                workers.handle_due(due);
            }
        }
    })
}

#[test]
fn shutdown_answers_both_of_two_callers() {
    check(2, || {
        let workers = workers(1, 0, OnDrop::Drain);
        let other = {
            let workers = Arc::clone(&workers);
            thread::spawn(move || workers.call(|value| count(value, &CancelFlag::new())).unwrap())
        };
        let mine = workers.enqueue(count, true, None).unwrap();
        let other = other.join().unwrap();
        workers.shut_down();
        assert!(mine.is_answered());
        assert_eq!(mine.wait().unwrap().unwrap() + other, 1 + 2);
    });
}

#[test]
fn a_rejecting_shutdown_answers_every_call() {
    check(3, || {
        let workers = workers(1, 0, OnDrop::Reject);
        let calls = [(); 2].map(|()| workers.enqueue(count, true, None).unwrap());
        workers.shut_down();
        let mut ran = 0;
        for call in calls {
            assert!(call.is_answered());
            match call.wait() {
                Ok(result) => {
                    ran += 1;
                    assert_eq!(result.unwrap(), ran);
                }
                Err(error) => assert!(matches!(error, CallError::Closed)),
            }
        }
    });
}

#[test]
fn a_deadline_at_any_moment_affects_one_call() {
    static OUTCOMES: [AtomicUsize; 3] = [const { AtomicUsize::new(0) }; 3];
    check(2, || {
        let workers = workers(1, 1, OnDrop::Drain);
        let late = enqueue_timed(&workers);
        let timer = pass_deadlines(&workers);
        let other = workers.enqueue(count, true, None).unwrap();
        let served = other.wait().unwrap().unwrap();
        timer.join().unwrap();
        assert!(late.is_answered());
        let abandoned = workers.abandoned();
        match late.wait() {
            // The call was in time, so its worker was not abandoned.
            Ok(result) => {
                assert_eq!((result.unwrap(), abandoned), (1, 0));
                count_outcome(&OUTCOMES[0]);
            }
            Err(error) => {
                assert!(matches!(error, CallError::TimedOut));
                count_outcome(&OUTCOMES[1 + abandoned]);
            }
        }
        // Served by the first worker (as its first or second call) or by its replacement.
        assert!(served == 1 || served == 2 && abandoned == 0);
        workers.shut_down();
        // An abandoned worker is not joined, but it ends by itself: the model waits for all
        // threads.
    });
    // In time; late, but the worker finished; late, and the worker was abandoned.
    assert!(OUTCOMES.iter().all(|seen| seen.load(Ordering::Relaxed) > 0));
}

#[test]
fn calls_run_again_after_all_workers_were_stuck() {
    static OUTCOMES: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];
    check(2, || {
        let workers = workers(1, 0, OnDrop::Drain);
        let late = enqueue_timed(&workers);
        let timer = pass_deadlines(&workers);
        // The call runs, or is refused: when it is submitted, or later in the queue.
        let refused = match workers.enqueue(count, true, None) {
            Ok(call) => call.wait().err(),
            Err(error) => Some(error),
        };
        count_outcome(&OUTCOMES[usize::from(refused.is_some())]);
        if let Some(error) = refused {
            assert!(matches!(error, CallError::Exhausted { stuck: 1 }));
            assert!(matches!(late.wait(), Err(CallError::TimedOut)));
        }
        timer.join().unwrap();
        // The stuck call returns eventually, and its worker serves the next call.
        while workers.stuck() > 0 {
            thread::yield_now();
        }
        workers.call(|value| value.get()).unwrap();
        workers.shut_down();
    });
    assert!(OUTCOMES.iter().all(|seen| seen.load(Ordering::Relaxed) > 0));
}

#[test]
fn shutdown_ends_while_the_last_worker_is_stuck() {
    static ABANDONED: AtomicUsize = AtomicUsize::new(0);
    check(2, || {
        let workers = workers(1, 0, OnDrop::Drain);
        let late = enqueue_timed(&workers);
        let timer = pass_deadlines(&workers);
        workers.shut_down();
        assert!(late.is_answered());
        timer.join().unwrap();
        ABANDONED.fetch_add(workers.abandoned(), Ordering::Relaxed);
    });
    assert!(ABANDONED.load(Ordering::Relaxed) > 0);
}
