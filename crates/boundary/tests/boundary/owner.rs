//! Owners: one thread that makes a value, owns it and runs all calls on it.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use dragnet_boundary::{Builder, CallError, MakeError, OnDrop, OnPanic, Owner, StartError};

use super::support::{BlockedCall, Event, ThreadBound, ValueLog, panic_message};

fn owner(builder: Builder) -> (Owner<ThreadBound>, ValueLog) {
    let log = ValueLog::default();
    let maker = log.clone();
    (builder.owner(move || maker.make()).unwrap(), log)
}

#[test]
fn the_value_lives_on_one_named_thread() {
    let (owner, log) = owner(Builder::new("the\0name"));
    let id = owner.call(|_| thread::current().id()).unwrap();
    assert_ne!(id, thread::current().id());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..100 {
                    assert_eq!(owner.call(|_| thread::current().id()).unwrap(), id);
                }
            });
        }
    });
    let name = owner.call(|_| thread::current().name().map(str::to_owned)).unwrap();
    assert_eq!(name.as_deref(), Some("thename"));
    drop(owner);
    assert_eq!(log.events(), [Event::Made(id), Event::Dropped(id)]);
}

#[test]
fn calls_share_the_thread_local_state_of_rust() {
    thread_local! {
        static LAST: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
    }
    let (owner, _) = owner(Builder::new("local"));
    let calls: Vec<_> = (0..100)
        .map(|i| owner.submit(move |_| LAST.with_borrow_mut(|last| last.push(i))).unwrap())
        .collect();
    calls.into_iter().for_each(|call| call.wait().unwrap());
    let seen = owner.call(|_| LAST.take()).unwrap();
    assert!(seen.into_iter().eq(0..100), "calls ran in order");
    assert!(LAST.take().is_empty());
}

/// The current locale is state that C keeps per thread. The locale that the owner's thread sets
/// when it makes its value must be current in every call, and on no other thread.
#[test]
#[cfg(target_os = "linux")]
fn calls_share_the_thread_local_state_of_c() {
    use super::libc::{Locale, current_locale};

    let global = current_locale();
    let owner = Builder::new("locale").owner(Locale::new).unwrap();
    let own = owner.call(|own| own.address()).unwrap();
    assert_ne!(own, global);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..100 {
                    assert_eq!(owner.call(|_| current_locale()).unwrap(), own);
                    assert_eq!(current_locale(), global);
                }
            });
        }
    });
    // A panic does not end the thread, so the locale is still current after it.
    panic_message(|| owner.call(|_| panic!()));
    assert_eq!(owner.call(|_| current_locale()).unwrap(), own);
}

#[test]
fn a_call_can_borrow_from_its_caller() {
    let (owner, _) = owner(Builder::new("borrow"));
    let text = String::from("abc");
    let mut lens = Vec::new();
    let part: &str = owner
        .call(|_| {
            lens.push(text.len());
            &text[1..]
        })
        .unwrap();
    assert_eq!((part, lens), ("bc", vec![3]));
}

#[test]
fn a_make_that_fails_or_panics_is_reported() {
    let failed = Builder::new("fails").owner(|| Err::<(), _>("no library")).unwrap_err();
    assert!(matches!(failed, StartError::Make(MakeError::Failed(_))));
    assert_eq!(failed.to_string(), "the value could not be made: no library");

    let panicked = Builder::new("panics").owner(|| -> Result<(), String> { panic!("boom {}", 1) });
    assert_eq!(panicked.unwrap_err().to_string(), "the value could not be made: panic: boom 1");

    // If one member of a pool can't make its value, the values of the others are dropped.
    let log = ValueLog::default();
    let maker = log.clone();
    let pool = Builder::new("half").pool(3, move || match maker.make() {
        Ok(value) if value.number < 2 => Ok(value),
        _ => Err("too many"),
    });
    assert!(matches!(pool, Err(StartError::Make(MakeError::Failed(_)))));
    assert_eq!((log.made(), log.alive()), (3, 0));
}

#[test]
fn a_panic_reaches_the_caller_under_either_policy() {
    for (policy, number, made) in [(OnPanic::Keep, 0, 1), (OnPanic::Rebuild, 1, 2)] {
        let (owner, log) = owner(Builder::new("panics").on_panic(policy));
        let id = owner.call(|_| thread::current().id()).unwrap();
        assert_eq!(panic_message(|| owner.call(|_| panic!("in call"))), "in call");
        assert_eq!(log.alive(), usize::from(policy == OnPanic::Keep), "{policy:?}");
        assert_eq!(
            owner.call(|value| (value.number, thread::current().id())).unwrap(),
            (number, id)
        );
        assert_eq!(log.made(), made);

        let pending = owner.submit(|_| panic!("{}", "in pending call")).unwrap();
        assert_eq!(panic_message(|| pending.wait()), "in pending call");
        let timed = owner.call_within(Duration::from_secs(60), |value, _| value.number).unwrap();
        assert_eq!(timed, 2 * number);
        assert_eq!(log.alive(), 1);
        drop(owner);
        assert_eq!(log.alive(), 0);
    }
}

#[test]
fn a_failed_rebuild_is_retried_by_the_next_call() {
    let made = AtomicUsize::new(0);
    let owner = Builder::new("again")
        .on_panic(OnPanic::Rebuild)
        .owner(move || match made.fetch_add(1, Ordering::SeqCst) {
            1 => Err("not now"),
            2 => panic!("nor now"),
            number => Ok(number),
        })
        .unwrap();
    panic_message(|| owner.call(|_| panic!()));
    let errors = [(); 2].map(|()| owner.call(|number| *number).unwrap_err().to_string());
    assert_eq!(
        errors,
        ["the value could not be made: not now", "the value could not be made: panic: nor now"]
    );
    assert_eq!(owner.call(|number| *number).unwrap(), 3);
}

/// Panics when it is dropped. The payload is a bomb with one level less, down to level 0, whose
/// payload is a string.
struct Bomb(usize);

impl Drop for Bomb {
    fn drop(&mut self) {
        if !thread::panicking() {
            match self.0 {
                0 => panic!("dropped"),
                level => std::panic::panic_any(Bomb(level - 1)),
            }
        }
    }
}

#[test]
fn panics_in_destructors_do_not_end_the_thread() {
    let made = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&made);
    let builder = Builder::new("bombs").on_panic(OnPanic::Rebuild).on_drop(OnDrop::Reject);
    let owner = builder
        .owner(move || {
            count.fetch_add(1, Ordering::SeqCst);
            Ok::<_, String>(Bomb(0))
        })
        .unwrap();
    // The owner's thread drops a result that nobody waits for, the payload of a panic that nobody
    // waits for and, since that call panicked, the value.
    let (blocked, run) = BlockedCall::new();
    let running = owner.submit(move |_| run()).unwrap();
    blocked.wait_until_started();
    drop(owner.submit(|_| Bomb(3)).unwrap());
    drop(owner.submit(|_| std::panic::panic_any(Bomb(5))).unwrap());
    blocked.release();
    running.wait().unwrap();
    owner.call(|_| ()).unwrap();
    assert_eq!(made.load(Ordering::SeqCst), 2);
    let (blocked, run) = BlockedCall::new();
    let _running = owner.submit(move |_| run()).unwrap();
    blocked.wait_until_started();
    // The drop of the owner rejects this call, and so drops its function, which holds a bomb.
    let bomb = Bomb(0);
    let rejected = owner
        .submit(move |_| {
            std::mem::forget(bomb);
        })
        .unwrap();
    let owner = thread::spawn(move || drop(owner));
    assert!(matches!(rejected.wait(), Err(CallError::Closed)));
    blocked.release();
    owner.join().unwrap();
}

#[test]
fn a_full_queue_blocks_or_refuses_callers() {
    let (owner, _) = owner(Builder::new("full").capacity(2));
    let (blocked, run) = BlockedCall::new();
    let running = owner.submit(move |_| run()).unwrap();
    blocked.wait_until_started();
    let queued = [(); 2].map(|()| owner.try_submit(|_| ()).unwrap());
    assert_eq!(owner.queued(), 2);
    assert!(matches!(owner.try_submit(|_| ()), Err(CallError::Full)));
    let timeout = Duration::from_secs(60);
    assert!(matches!(owner.try_submit_within(timeout, |_, _| ()), Err(CallError::Full)));
    let timeout = Duration::from_millis(50);
    assert!(matches!(owner.submit_within(timeout, |_, _| ()), Err(CallError::TimedOut)));
    thread::scope(|scope| {
        let (send, receive) = mpsc::channel();
        let owner = &owner;
        scope.spawn(move || send.send(owner.call(|_| 7).unwrap()));
        assert!(receive.try_recv().is_err(), "the queue is still full");
        blocked.release();
        assert_eq!(receive.recv().unwrap(), 7);
    });
    running.wait().unwrap();
    queued.into_iter().for_each(|call| call.wait().unwrap());
}

#[test]
fn calls_from_the_owners_own_thread_are_refused() {
    let (owner, _) = owner(Builder::new("self"));
    let owner = Arc::new(owner);
    let (inner, second) = (Arc::clone(&owner), Duration::from_secs(1));
    let (send, receive) = mpsc::channel();
    let pending = owner.submit(|_| 1).unwrap();
    let (blocked, run) = BlockedCall::new();
    let first = owner.submit(move |_| run()).unwrap();
    blocked.wait_until_started();
    let checks = owner
        .submit(move |_| {
            let queued: dragnet_boundary::Pending<i32> = receive.recv().unwrap();
            [
                inner.call(|_| ()).unwrap_err(),
                inner.call_within(second, |_, _| ()).unwrap_err(),
                inner.submit(|_| ()).unwrap_err(),
                inner.submit_within(second, |_, _| ()).unwrap_err(),
                inner.try_submit(|_| ()).unwrap_err(),
                inner.try_submit_within(second, |_, _| ()).unwrap_err(),
                // This call is queued after the one that waits for it.
                queued.wait().unwrap_err(),
            ]
            .map(|error| matches!(error, CallError::Reentrant))
        })
        .unwrap();
    send.send(owner.submit(|_| 2).unwrap()).unwrap();
    blocked.release();
    assert_eq!(checks.wait().unwrap(), [true; 7]);
    first.wait().unwrap();
    // A finished call returns its result on any thread.
    assert_eq!(owner.call(move |_| pending.wait().unwrap()).unwrap(), 1);
    // The thread of another owner may call.
    let other = Builder::new("other").owner(|| Ok::<_, String>(())).unwrap();
    let through = Arc::clone(&owner);
    assert_eq!(other.call(move |()| through.call(|_| 3).unwrap()).unwrap(), 3);
}

#[test]
fn dropping_drains_or_rejects_queued_calls() {
    for (policy, expected) in [(OnDrop::Drain, 3), (OnDrop::Reject, 1)] {
        let (owner, log) = owner(Builder::new("drop").on_drop(policy));
        let ran = Arc::new(AtomicUsize::new(0));
        let (blocked, run) = BlockedCall::new();
        let count = Arc::clone(&ran);
        let running = owner
            .submit(move |_| {
                run();
                count.fetch_add(1, Ordering::SeqCst);
            })
            .unwrap();
        blocked.wait_until_started();
        let queued = [(); 2].map(|()| {
            let ran = Arc::clone(&ran);
            owner.submit(move |_| ran.fetch_add(1, Ordering::SeqCst)).unwrap()
        });
        let dropping = thread::spawn(move || drop(owner));
        if policy == OnDrop::Reject {
            // The calls fail at once, while the first call still runs.
            for call in queued {
                assert!(matches!(call.wait(), Err(CallError::Closed)));
            }
            blocked.release();
        } else {
            blocked.release();
            assert_eq!(queued.map(|call| call.wait().unwrap()), [1, 2]);
        }
        running.wait().unwrap();
        dropping.join().unwrap();
        assert_eq!((ran.load(Ordering::SeqCst), log.alive()), (expected, 0), "{policy:?}");
    }
}

#[test]
fn an_owner_can_be_dropped_on_its_thread() {
    let (owner, log) = owner(Builder::new("own"));
    let owner = Arc::new(owner);
    let (blocked, run) = BlockedCall::new();
    let last = Arc::clone(&owner);
    let call = owner
        .submit(move |_| {
            run();
            drop(last);
        })
        .unwrap();
    let after = owner.submit(|value| value.number).unwrap();
    blocked.wait_until_started();
    drop(owner);
    blocked.release();
    call.wait().unwrap();
    assert_eq!(after.wait().unwrap(), 0);
    // The thread is not joined here. Its last act is to drop the value.
    while log.alive() > 0 {
        thread::yield_now();
    }
}

/// A waker that counts its wake-ups and unparks the polling thread.
struct CountingWaker {
    thread: thread::Thread,
    wakes: AtomicUsize,
}

impl Wake for CountingWaker {
    fn wake(self: Arc<Self>) {
        self.wakes.fetch_add(1, Ordering::SeqCst);
        self.thread.unpark();
    }
}

#[test]
fn a_pending_call_is_a_future_woken_once() {
    let (owner, _) = owner(Builder::new("future"));
    let counter = Arc::new(CountingWaker { thread: thread::current(), wakes: AtomicUsize::new(0) });
    let waker = Waker::from(Arc::clone(&counter));
    let mut context = Context::from_waker(&waker);
    let (blocked, run) = BlockedCall::new();
    let mut call = pin!(
        owner
            .submit(move |value| {
                run();
                value.number
            })
            .unwrap()
    );
    blocked.wait_until_started();
    for _ in 0..3 {
        assert!(call.as_mut().poll(&mut context).is_pending());
    }
    assert!(!call.is_done());
    blocked.release();
    while counter.wakes.load(Ordering::SeqCst) == 0 {
        thread::park();
    }
    assert!(call.is_done());
    assert!(matches!(call.as_mut().poll(&mut context), Poll::Ready(Ok(0))));
    assert!(matches!(call.as_mut().poll(&mut context), Poll::Ready(Err(CallError::Taken))));
    assert_eq!(counter.wakes.load(Ordering::SeqCst), 1);

    let mut panics = pin!(owner.submit(|_| panic!("awaited")).unwrap());
    owner.call(|_| ()).unwrap();
    assert_eq!(panic_message(|| panics.as_mut().poll(&mut context)), "awaited");
}

#[test]
fn concurrent_callers_get_their_own_results() {
    let owner =
        Builder::new("many").capacity(3).owner(|| Ok::<_, String>(Cell::new(0_u32))).unwrap();
    // Eight callers and three queue slots: callers also wait for room.
    let start = Barrier::new(8);
    thread::scope(|scope| {
        for caller in 0..8 {
            let (owner, start) = (&owner, &start);
            scope.spawn(move || {
                start.wait();
                for i in 0..200 {
                    let result = owner.call(move |count| {
                        count.set(count.get() + 1);
                        (caller, i)
                    });
                    assert_eq!(result.unwrap(), (caller, i));
                }
            });
        }
    });
    assert_eq!(owner.call(|count| count.get()).unwrap(), 1600);
}
