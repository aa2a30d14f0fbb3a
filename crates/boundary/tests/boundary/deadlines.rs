//! Calls that do not come back in time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use dragnet_boundary::{Builder, CallError, OnDrop, Pending};

use super::support::{Census, Event, Stuck, panic_of};

const SHORT: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_secs(3600);

fn timed_out<R: std::fmt::Debug>(result: Result<R, CallError>) {
    assert!(matches!(result, Err(CallError::TimedOut)), "{result:?}");
}

/// A call that runs and hangs until it is late, and on. On a busy machine it may take some tries,
/// since it may be late before it runs.
fn hang(submit: impl Fn(Box<dyn FnOnce() + Send>) -> Pending<()>) -> Stuck {
    loop {
        let (stuck, run) = Stuck::new();
        let call = submit(Box::new(run));
        let begun = stuck.has_begun();
        timed_out(call.wait());
        if begun {
            return stuck;
        }
    }
}

/// Waits for something that another thread is about to do.
fn until(done: impl Fn() -> bool) {
    while !done() {
        thread::yield_now();
    }
}

#[test]
fn a_call_in_time_gives_its_result_whatever_the_limit() {
    let owner = Builder::new("in-time").owner(|| Ok::<_, String>(1)).unwrap();
    for limit in [LONG, Duration::MAX] {
        let flag = owner.call_within(limit, |value, stop| (*value, stop.is_raised())).unwrap();
        assert_eq!(flag, (1, false));
    }
    assert_eq!(panic_of(|| owner.call_within(LONG, |_, _| panic!("timed"))), "timed");
    assert_eq!((owner.abandoned(), owner.stuck()), (0, 0));
}

#[test]
fn a_late_call_that_heeds_the_flag_keeps_its_thread_and_value() {
    let census = Census::default();
    let maker = census.clone();
    let owner = Builder::new("heeds").grace(LONG).owner(move || maker.make()).unwrap();
    let id = loop {
        let (send, receive) = mpsc::channel();
        timed_out(owner.call_within(SHORT, move |_, stop| {
            until(|| stop.is_raised());
            send.send(thread::current().id()).unwrap();
        }));
        // On a busy machine it may be late before it runs.
        if let Ok(id) = receive.recv() {
            break id;
        }
    };
    assert_eq!(owner.call(|value| (value.number, thread::current().id())).unwrap(), (0, id));
    assert_eq!((owner.abandoned(), owner.stuck(), census.made()), (0, 0, 1));
}

#[test]
fn a_call_that_ignores_the_flag_costs_one_thread_which_is_reported_and_replaced() {
    let census = Census::default();
    let maker = census.clone();
    let (send, reports) = mpsc::channel();
    let owner = Builder::new("ignores")
        .grace(SHORT)
        .on_abandoned(move |report| {
            send.send(report.clone()).unwrap();
            panic!("in the report, which is no fault of the call");
        })
        .owner(move || maker.make())
        .unwrap();
    // What the call uses must be there as long as it runs.
    let used = Arc::new(());
    let held = Arc::downgrade(&used);
    let stuck = hang(|run| {
        let used = Arc::clone(&used);
        let call = move |_: &mut _, _: &_| {
            run();
            drop(used);
        };
        owner.submit_within(SHORT, call).unwrap()
    });
    drop(used);
    let report = reports.recv().unwrap();
    assert_eq!((report.name.as_str(), report.total, report.stuck), ("ignores", 1, 1));
    assert!(report.replaced);
    assert_eq!((owner.abandoned(), owner.stuck()), (1, 1));
    assert_eq!(owner.call(|value| value.number).unwrap(), 1, "a new value");
    assert_eq!((census.alive(), held.strong_count()), (2, 1));
    // It comes back: its value is dropped where it was made, and its thread is not needed.
    stuck.release();
    until(|| owner.stuck() == 0);
    assert_eq!((census.alive(), held.strong_count()), (1, 0));
    let events = census.events();
    let [Event::Made(first), Event::Made(_), Event::Dropped(dropped)] = events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(dropped, first);
    assert_eq!(owner.call(|value| value.number).unwrap(), 1);
    assert_eq!(owner.abandoned(), 1);
}

#[test]
fn once_no_thread_is_left_calls_fail_at_once_until_one_comes_back() {
    let owner = Builder::new("left").grace(SHORT).spares(1).owner(|| Ok::<_, String>(())).unwrap();
    let hang = || hang(|run| owner.submit_within(SHORT, move |(), _| run()).unwrap());
    let first = hang();
    until(|| owner.abandoned() == 1);
    let second = hang();
    // Before the last thread is given up or after.
    let behind = owner.submit(|()| ()).and_then(Pending::wait);
    let error = behind.unwrap_err();
    assert_eq!(error.to_string(), "no thread is left: 2 are stuck in calls that were given up");
    assert!(matches!(owner.call(|()| ()), Err(CallError::Exhausted { stuck: 2 })));
    assert!(matches!(owner.try_submit(|()| ()), Err(CallError::Exhausted { stuck: 2 })));
    assert!(matches!(owner.call_within(LONG, |(), _| ()), Err(CallError::Exhausted { stuck: 2 })));
    assert_eq!((owner.abandoned(), owner.stuck()), (2, 2));
    first.release();
    until(|| owner.stuck() == 1);
    owner.call(|()| ()).unwrap();
    drop(second);
    until(|| owner.stuck() == 0);
    owner.call(|()| ()).unwrap();
    assert_eq!(owner.abandoned(), 2);
}

#[test]
fn a_call_that_is_late_in_the_queue_does_not_run_and_frees_its_place() {
    let owner = Builder::new("queued").capacity(1).owner(|| Ok::<_, String>(())).unwrap();
    let ran = Arc::new(AtomicUsize::new(0));
    let (stuck, run) = Stuck::new();
    let running = owner.submit(move |()| run()).unwrap();
    stuck.wait_until_begun();
    let count = Arc::clone(&ran);
    let held = Arc::downgrade(&ran);
    timed_out(owner.call_within(SHORT, move |(), _| count.fetch_add(1, Ordering::SeqCst)));
    until(|| owner.queued() == 0);
    let next = owner.try_submit(|()| 7).unwrap();
    stuck.release();
    running.wait().unwrap();
    assert_eq!(next.wait().unwrap(), 7);
    assert_eq!((ran.load(Ordering::SeqCst), held.strong_count()), (0, 1));
    assert_eq!(owner.abandoned(), 0);
}

#[test]
fn a_deadline_that_has_passed_is_no_different() {
    let owner = Builder::new("zero").owner(|| Ok::<_, String>(())).unwrap();
    for _ in 0..100 {
        // Either may be first.
        match owner.call_within(Duration::ZERO, |(), _| 7) {
            Ok(7) | Err(CallError::TimedOut) => {}
            other => panic!("{other:?}"),
        }
    }
    owner.call(|()| ()).unwrap();
    assert_eq!(owner.abandoned(), 0);
}

#[test]
fn a_future_is_woken_by_its_deadline() {
    let owner = Builder::new("future").grace(LONG).owner(|| Ok::<_, String>(())).unwrap();
    let (stuck, run) = Stuck::new();
    let mut call = std::pin::pin!(owner.submit_within(SHORT, move |(), _| run()).unwrap());
    struct Unpark(thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let result = loop {
        if let std::task::Poll::Ready(result) = call.as_mut().poll(&mut context) {
            break result;
        }
        thread::park();
    };
    timed_out(result);
    assert!(call.cancel_flag().is_raised());
    drop(stuck);
}

#[test]
fn a_pool_goes_on_with_the_others_and_replaces_the_stuck_one() {
    let census = Census::default();
    let maker = census.clone();
    let (send, reports) = mpsc::channel();
    let pool = Builder::new("pool")
        .grace(SHORT)
        .spares(1)
        .on_abandoned(move |report| send.send(report.clone()).unwrap())
        .pool(2, move || maker.make())
        .unwrap();
    let mut handles = Vec::new();
    for (total, replaced) in [(1, true), (2, false), (3, false)] {
        let stuck = hang(|run| pool.submit_within(SHORT, move |_, _| run()).unwrap());
        let report = reports.recv().unwrap();
        assert_eq!((report.total, report.stuck, report.replaced), (total, total, replaced));
        handles.push(stuck);
        assert_eq!(pool.call(|_| ()).is_ok(), total < 3);
    }
    // Both places are filled again by those that come back, and the third thread ends.
    drop(handles);
    until(|| pool.stuck() == 0);
    let together = Arc::new(std::sync::Barrier::new(2));
    let calls = [(); 2].map(|()| {
        let together = Arc::clone(&together);
        pool.submit(move |_| together.wait().is_leader()).unwrap()
    });
    assert_eq!(calls.map(|call| call.wait().unwrap()).iter().filter(|leads| **leads).count(), 1);
    drop(pool);
    assert_eq!(census.alive(), 0);
}

#[test]
fn a_drop_does_not_wait_for_a_thread_that_was_given_up_and_it_still_ends_well() {
    for policy in [OnDrop::Drain, OnDrop::Reject] {
        let census = Census::default();
        let maker = census.clone();
        let builder = Builder::new("drop").grace(SHORT).on_drop(policy);
        let owner = builder.owner(move || maker.make()).unwrap();
        let stuck = hang(|run| owner.submit_within(SHORT, move |_, _| run()).unwrap());
        // Queued behind the stuck one: run by its replacement.
        let behind = owner.submit(|value| value.number).unwrap();
        drop(owner);
        match policy {
            OnDrop::Drain => assert_eq!(behind.wait().unwrap(), 1),
            // Unless the replacement was there before the drop.
            OnDrop::Reject => {
                assert!(matches!(behind.wait(), Err(CallError::Closed) | Ok(1)));
            }
        }
        assert_eq!(census.alive(), 1);
        stuck.release();
        until(|| census.alive() == 0);
    }
}

#[test]
fn deadlines_that_were_met_are_forgotten() {
    let owner = Builder::new("met").owner(|| Ok::<_, String>(())).unwrap();
    let used = Arc::new(());
    for _ in 0..1000 {
        let used = Arc::clone(&used);
        // The result would be held by whoever still knew of the call.
        drop(owner.submit_within(LONG, move |(), _| used).unwrap());
    }
    owner.call(|()| ()).unwrap();
    assert_eq!(Arc::strong_count(&used), 1);
}
