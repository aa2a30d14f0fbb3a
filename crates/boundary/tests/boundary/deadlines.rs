//! Calls with a deadline: late calls stop, and the threads of those that do not are abandoned.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use dragnet_boundary::{Builder, CallError, OnDrop, Pending};

use super::support::{BlockedCall, Event, ValueLog, panic_message};

const SHORT: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_secs(3600);

fn assert_timed_out<R: std::fmt::Debug>(result: Result<R, CallError>) {
    assert!(matches!(result, Err(CallError::TimedOut)), "{result:?}");
}

/// Submits a call that runs beyond its deadline, and returns after the deadline while it still
/// runs.
///
/// On a busy machine the deadline may pass before the call starts, so this tries again until one
/// starts.
fn hang(submit: impl Fn(Box<dyn FnOnce() + Send>) -> Pending<()>) -> BlockedCall {
    loop {
        let (blocked, run) = BlockedCall::new();
        let call = submit(Box::new(run));
        let started = blocked.has_started();
        assert_timed_out(call.wait());
        if started {
            return blocked;
        }
    }
}

/// Waits until another thread has made a condition true.
fn wait_until(done: impl Fn() -> bool) {
    while !done() {
        thread::yield_now();
    }
}

#[test]
fn a_call_in_time_returns_its_result() {
    let owner = Builder::new("in-time").owner(|| Ok::<_, String>(1)).unwrap();
    for limit in [LONG, Duration::MAX] {
        let result =
            owner.call_within(limit, |value, cancel| (*value, cancel.is_raised())).unwrap();
        assert_eq!(result, (1, false));
    }
    assert_eq!(panic_message(|| owner.call_within(LONG, |_, _| panic!("timed"))), "timed");
    assert_eq!((owner.abandoned(), owner.stuck()), (0, 0));
}

#[test]
fn a_late_call_that_stops_keeps_its_thread() {
    let log = ValueLog::default();
    let maker = log.clone();
    let owner = Builder::new("stops").grace(LONG).owner(move || maker.make()).unwrap();
    let id = loop {
        let (send, receive) = mpsc::channel();
        assert_timed_out(owner.call_within(SHORT, move |_, cancel| {
            wait_until(|| cancel.is_raised());
            send.send(thread::current().id()).unwrap();
        }));
        // On a busy machine the deadline may pass before the call starts.
        if let Ok(id) = receive.recv() {
            break id;
        }
    };
    assert_eq!(owner.call(|value| (value.number, thread::current().id())).unwrap(), (0, id));
    assert_eq!((owner.abandoned(), owner.stuck(), log.made()), (0, 0, 1));
}

#[test]
fn a_stuck_thread_is_reported_and_replaced() {
    let log = ValueLog::default();
    let maker = log.clone();
    let (send, reports) = mpsc::channel();
    let owner = Builder::new("ignores")
        .grace(SHORT)
        .on_abandoned(move |report| {
            send.send(report.clone()).unwrap();
            panic!("the report panics, which must not affect any call");
        })
        .owner(move || maker.make())
        .unwrap();
    // The values that the call uses must live as long as it runs.
    let used = Arc::new(());
    let held = Arc::downgrade(&used);
    let blocked = hang(|run| {
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
    assert_eq!((log.alive(), held.strong_count()), (2, 1));
    // When the call returns, its thread drops its value and ends.
    blocked.release();
    wait_until(|| owner.stuck() == 0);
    assert_eq!((log.alive(), held.strong_count()), (1, 0));
    let events = log.events();
    let [Event::Made(first), Event::Made(_), Event::Dropped(dropped)] = events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(dropped, first);
    assert_eq!(owner.call(|value| value.number).unwrap(), 1);
    assert_eq!(owner.abandoned(), 1);
}

#[test]
fn calls_fail_while_every_thread_is_stuck() {
    let owner = Builder::new("left").grace(SHORT).spares(1).owner(|| Ok::<_, String>(())).unwrap();
    let hang = || hang(|run| owner.submit_within(SHORT, move |(), _| run()).unwrap());
    let first = hang();
    wait_until(|| owner.abandoned() == 1);
    let second = hang();
    // The call is refused in the queue or when it is submitted, depending on whether the last
    // thread is abandoned before or after.
    let error = owner.submit(|()| ()).and_then(Pending::wait).unwrap_err();
    assert_eq!(error.to_string(), "no thread is left: 2 are stuck in abandoned calls");
    assert!(matches!(owner.call(|()| ()), Err(CallError::Exhausted { stuck: 2 })));
    assert!(matches!(owner.try_submit(|()| ()), Err(CallError::Exhausted { stuck: 2 })));
    assert!(matches!(owner.call_within(LONG, |(), _| ()), Err(CallError::Exhausted { stuck: 2 })));
    assert_eq!((owner.abandoned(), owner.stuck()), (2, 2));
    first.release();
    wait_until(|| owner.stuck() == 1);
    owner.call(|()| ()).unwrap();
    drop(second);
    wait_until(|| owner.stuck() == 0);
    owner.call(|()| ()).unwrap();
    assert_eq!(owner.abandoned(), 2);
}

#[test]
fn a_call_that_expires_queued_never_runs() {
    let owner = Builder::new("queued").capacity(1).owner(|| Ok::<_, String>(())).unwrap();
    let ran = Arc::new(AtomicUsize::new(0));
    let (blocked, run) = BlockedCall::new();
    let running = owner.submit(move |()| run()).unwrap();
    blocked.wait_until_started();
    let count = Arc::clone(&ran);
    let held = Arc::downgrade(&ran);
    assert_timed_out(owner.call_within(SHORT, move |(), _| count.fetch_add(1, Ordering::SeqCst)));
    wait_until(|| owner.queued() == 0);
    // The expired call has left the queue, which has room for one call.
    let next = owner.try_submit(|()| 7).unwrap();
    blocked.release();
    running.wait().unwrap();
    assert_eq!(next.wait().unwrap(), 7);
    // Whoever removed the expired call from the queue drops it afterwards.
    wait_until(|| held.strong_count() == 1);
    assert_eq!(ran.load(Ordering::SeqCst), 0);
    assert_eq!(owner.abandoned(), 0);
}

#[test]
fn a_zero_timeout_abandons_no_thread() {
    let owner = Builder::new("zero").owner(|| Ok::<_, String>(())).unwrap();
    for _ in 0..100 {
        // The call and its deadline race, and either may be first.
        match owner.call_within(Duration::ZERO, |(), _| 7) {
            Ok(7) | Err(CallError::TimedOut) => {}
            other => panic!("{other:?}"),
        }
    }
    owner.call(|()| ()).unwrap();
    assert_eq!(owner.abandoned(), 0);
}

#[test]
fn a_deadline_wakes_a_pending_future() {
    let owner = Builder::new("future").grace(LONG).owner(|| Ok::<_, String>(())).unwrap();
    let (blocked, run) = BlockedCall::new();
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
    assert_timed_out(result);
    assert!(call.cancel_flag().is_raised());
    drop(blocked);
}

#[test]
fn a_pool_replaces_stuck_members_within_its_spares() {
    let log = ValueLog::default();
    let maker = log.clone();
    let (send, reports) = mpsc::channel();
    let pool = Builder::new("pool")
        .grace(SHORT)
        .spares(1)
        .on_abandoned(move |report| send.send(report.clone()).unwrap())
        .pool(2, move || maker.make())
        .unwrap();
    let mut hung = Vec::new();
    for (total, replaced) in [(1, true), (2, false), (3, false)] {
        let blocked = hang(|run| pool.submit_within(SHORT, move |_, _| run()).unwrap());
        let report = reports.recv().unwrap();
        assert_eq!((report.total, report.stuck, report.replaced), (total, total, replaced));
        hung.push(blocked);
        assert_eq!(pool.call(|_| ()).is_ok(), total < 3);
    }
    // Two of the three threads that return serve again, and the third one ends.
    drop(hung);
    wait_until(|| pool.stuck() == 0);
    let barrier = Arc::new(std::sync::Barrier::new(2));
    let calls = [(); 2].map(|()| {
        let barrier = Arc::clone(&barrier);
        pool.submit(move |_| barrier.wait().is_leader()).unwrap()
    });
    assert_eq!(calls.map(|call| call.wait().unwrap()).iter().filter(|leads| **leads).count(), 1);
    drop(pool);
    assert_eq!(log.alive(), 0);
}

#[test]
fn dropping_does_not_wait_for_abandoned_threads() {
    for policy in [OnDrop::Drain, OnDrop::Reject] {
        let log = ValueLog::default();
        let maker = log.clone();
        let builder = Builder::new("drop").grace(SHORT).on_drop(policy);
        let owner = builder.owner(move || maker.make()).unwrap();
        let blocked = hang(|run| owner.submit_within(SHORT, move |_, _| run()).unwrap());
        // Queued after the stuck call, and run by the thread that replaces its thread.
        let queued = owner.submit(|value| value.number).unwrap();
        drop(owner);
        match policy {
            OnDrop::Drain => assert_eq!(queued.wait().unwrap(), 1),
            // The replacement may have started before the drop and run the call.
            OnDrop::Reject => {
                assert!(matches!(queued.wait(), Err(CallError::Closed) | Ok(1)));
            }
        }
        assert_eq!(log.alive(), 1);
        blocked.release();
        wait_until(|| log.alive() == 0);
    }
}

#[test]
fn deadlines_of_finished_calls_are_forgotten() {
    let owner = Builder::new("met").owner(|| Ok::<_, String>(())).unwrap();
    let used = Arc::new(());
    for _ in 0..1000 {
        let used = Arc::clone(&used);
        // If the timer still tracked the call, it would keep the result alive.
        drop(owner.submit_within(LONG, move |(), _| used).unwrap());
    }
    owner.call(|()| ()).unwrap();
    assert_eq!(Arc::strong_count(&used), 1);
}
