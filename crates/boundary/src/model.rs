//! The queue and the threads behind it, run by `loom` through all orders in which their steps can
//! happen; see `ci/loom`. What happens when a deadline passes is a step like any other here, so it
//! happens at every moment that it can.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use loom::model::Builder as Model;
use loom::thread;

use super::builder::{Builder, OnDrop};
use super::crew::Crew;
use super::queue::{Patience, Queue, Refusal};
use super::reply::{Reply, Timed};
use super::{CallError, CancelFlag, MakeError};

/// All orders of the steps of few threads that have few steps.
fn check_all(model: impl Fn() + Send + Sync + 'static) {
    loom::model(model);
}

/// All orders in which a thread is interrupted at most this often while it could go on, since
/// there would be too many otherwise. Waiting does not count.
fn check(interruptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = Model::new();
    builder.preemption_bound = Some(interruptions);
    builder.max_branches = 10_000;
    builder.check(model);
}

/// Notes, over all orders, that something came to be, so that no model misses what it is for.
fn seen(outcome: &AtomicUsize) {
    outcome.fetch_add(1, Ordering::Relaxed);
}

fn drain(queue: &Queue<u32>) -> Vec<u32> {
    std::iter::from_fn(|| queue.pop()).collect()
}

#[test]
fn every_item_of_two_producers_leaves_once_and_in_order() {
    check(3, || {
        let queue = Arc::new(Queue::new(1));
        let producers = [10, 20].map(|first| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                for item in [first, first + 1] {
                    queue.push(item, Patience::Forever).unwrap();
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
fn an_item_is_taken_out_or_given_back_when_the_queue_closes_amid_pushes() {
    for clear in [false, true] {
        check_all(move || {
            let queue = Arc::new(Queue::new(1));
            let producers = [1, 2].map(|item| {
                let queue = Arc::clone(&queue);
                thread::spawn(move || queue.push(item, Patience::Forever))
            });
            let mut seen = Vec::new();
            if clear {
                seen.extend(queue.close_and_clear());
            } else {
                queue.close();
            }
            for producer in producers {
                if let Err((item, refusal)) = producer.join().unwrap() {
                    assert_eq!(refusal, Refusal::Closed);
                    seen.push(item);
                }
            }
            seen.extend(drain(&queue));
            seen.sort();
            assert_eq!(seen, [1, 2]);
        });
    }
}

#[test]
fn a_place_that_is_freed_from_the_middle_is_not_lost_to_who_waits() {
    check_all(|| {
        let queue = Arc::new(Queue::new(1));
        queue.push(1, Patience::None).unwrap();
        let producer = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.push(2, Patience::Forever).unwrap())
        };
        assert_eq!(queue.remove(|&item| item == 1), Some(1));
        producer.join().unwrap();
        assert_eq!(queue.pop(), Some(2));
    });
}

#[test]
fn every_place_that_is_freed_is_taken_by_who_waits() {
    check(3, || {
        let queue = Arc::new(Queue::new(2));
        for item in [1, 2] {
            queue.push(item, Patience::None).unwrap();
        }
        let producers = [3, 4].map(|item| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.push(item, Patience::Forever).unwrap())
        });
        assert_eq!([queue.pop(), queue.pop()], [Some(1), Some(2)]);
        // Nothing more is taken out until both are in.
        for producer in producers {
            producer.join().unwrap();
        }
        assert_eq!(queue.len(), 2);
    });
}

#[test]
fn a_call_is_late_in_the_queue_or_runs_and_ends_or_is_given_up() {
    static WAYS: [AtomicUsize; 4] = [const { AtomicUsize::new(0) }; 4];
    check_all(|| {
        let reply = Arc::new(Reply::new());
        let thread = {
            let reply = Arc::clone(&reply);
            thread::spawn(move || reply.start(7).then(|| reply.finish(Ok(Ok(())))))
        };
        let late_in_queue = reply.expire();
        let given_up = reply.give_up();
        let kept = thread.join().unwrap();
        let in_time = reply.wait().is_ok();
        seen(match (late_in_queue, kept, given_up, in_time) {
            (true, None, None, false) => &WAYS[0],
            (false, Some(true), None, true) => &WAYS[1],
            (false, Some(true), None, false) => &WAYS[2],
            (false, Some(false), Some(7), false) => &WAYS[3],
            other => panic!("{other:?}"),
        });
    });
    assert!(WAYS.iter().all(|seen| seen.load(Ordering::Relaxed) > 0));
}

/// Threads whose values count the calls that they served.
fn crew(members: usize, spares: usize, on_drop: OnDrop) -> Arc<Crew<Cell<u32>>> {
    let config = Builder::new("model").capacity(1).spares(spares).on_drop(on_drop);
    Crew::start(config, members, Box::new(|| Ok::<_, MakeError>(Cell::new(0)))).unwrap()
}

fn count(value: &mut Cell<u32>, _: &CancelFlag) -> u32 {
    value.set(value.get() + 1);
    value.get()
}

/// A call whose deadline passes when the model says so, with `Watch::first`.
fn timed(crew: &Arc<Crew<Cell<u32>>>) -> Arc<Reply<u32>> {
    crew.enter(count, true, Some(Instant::now() + Duration::from_secs(3600))).unwrap()
}

/// Lets the deadline of the first call pass, and then the grace, whenever that may be.
fn pass_time(crew: &Arc<Crew<Cell<u32>>>) -> thread::JoinHandle<()> {
    let crew = Arc::clone(crew);
    thread::spawn(move || {
        for _ in 0..2 {
            if let Some(due) = crew.watch().first() {
                crew.see_to(due);
            }
        }
    })
}

#[test]
fn two_callers_get_an_answer_each_and_the_drop_waits_for_both() {
    check(2, || {
        let crew = crew(1, 0, OnDrop::Drain);
        let other = {
            let crew = Arc::clone(&crew);
            thread::spawn(move || crew.call(|value| count(value, &CancelFlag::new())).unwrap())
        };
        let mine = crew.enter(count, true, None).unwrap();
        let other = other.join().unwrap();
        crew.shut_down();
        assert!(mine.is_answered());
        assert_eq!(mine.wait().unwrap().unwrap() + other, 1 + 2);
    });
}

#[test]
fn a_drop_that_rejects_answers_every_call() {
    check(3, || {
        let crew = crew(1, 0, OnDrop::Reject);
        let calls = [(); 2].map(|()| crew.enter(count, true, None).unwrap());
        crew.shut_down();
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
fn a_deadline_at_any_moment_gives_one_answer_and_costs_no_other_call() {
    static OUTCOMES: [AtomicUsize; 3] = [const { AtomicUsize::new(0) }; 3];
    check(2, || {
        let crew = crew(1, 1, OnDrop::Drain);
        let late = timed(&crew);
        let watch = pass_time(&crew);
        let other = crew.enter(count, true, None).unwrap();
        let served = other.wait().unwrap().unwrap();
        watch.join().unwrap();
        assert!(late.is_answered());
        let given_up = crew.given_up();
        match late.wait() {
            // A thread may be given up right after it has answered, never before.
            Ok(result) => {
                assert_eq!((result.unwrap(), given_up), (1, 0));
                seen(&OUTCOMES[0]);
            }
            Err(error) => {
                assert!(matches!(error, CallError::TimedOut));
                seen(&OUTCOMES[1 + given_up]);
            }
        }
        // The value is that of the first thread, or a new one.
        assert!(served == 1 || served == 2 && given_up == 0);
        crew.shut_down();
        // Nobody waits for a thread that was given up, but it ends by itself: the model would
        // not, otherwise.
    });
    // It was in time; late and ended; late and was given up.
    assert!(OUTCOMES.iter().all(|seen| seen.load(Ordering::Relaxed) > 0));
}

#[test]
fn calls_fail_while_every_thread_is_stuck_and_run_again_when_one_comes_back() {
    static OUTCOMES: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];
    check(2, || {
        let crew = crew(1, 0, OnDrop::Drain);
        let late = timed(&crew);
        let watch = pass_time(&crew);
        // It is refused at the entrance, or in the queue, or it runs.
        let refused = match crew.enter(count, true, None) {
            Ok(call) => call.wait().err(),
            Err(error) => Some(error),
        };
        seen(&OUTCOMES[usize::from(refused.is_some())]);
        if let Some(error) = refused {
            assert!(matches!(error, CallError::Exhausted { stuck: 1 }));
            assert!(matches!(late.wait(), Err(CallError::TimedOut)));
        }
        watch.join().unwrap();
        // The call comes back some time, and what it leaves is enough for the next one.
        while crew.stuck() > 0 {
            thread::yield_now();
        }
        crew.call(|value| value.get()).unwrap();
        crew.shut_down();
    });
    assert!(OUTCOMES.iter().all(|seen| seen.load(Ordering::Relaxed) > 0));
}

#[test]
fn a_drop_ends_while_the_last_thread_is_given_up() {
    static GIVEN_UP: AtomicUsize = AtomicUsize::new(0);
    check(2, || {
        let crew = crew(1, 0, OnDrop::Drain);
        let late = timed(&crew);
        let watch = pass_time(&crew);
        crew.shut_down();
        assert!(late.is_answered());
        watch.join().unwrap();
        GIVEN_UP.fetch_add(crew.given_up(), Ordering::Relaxed);
    });
    assert!(GIVEN_UP.load(Ordering::Relaxed) > 0);
}
