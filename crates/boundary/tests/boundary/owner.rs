//! One thread that owns a value.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use dragnet_boundary::{Builder, CallError, MakeError, OnDrop, OnPanic, Owner, StartError};

use super::support::{Bound, Census, Event, Stuck, panic_of};

fn owner(builder: Builder) -> (Owner<Bound>, Census) {
    let census = Census::default();
    let maker = census.clone();
    (builder.owner(move || maker.make()).unwrap(), census)
}

#[test]
fn the_value_is_made_used_and_dropped_on_one_named_thread_that_is_not_the_callers() {
    let (owner, census) = owner(Builder::new("the\0name"));
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
    assert_eq!(census.events(), [Event::Made(id), Event::Dropped(id)]);
}

#[test]
fn state_that_is_kept_for_each_thread_is_one_state() {
    thread_local! {
        static LAST: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
    }
    let (owner, _) = owner(Builder::new("local"));
    let calls: Vec<_> = (0..100)
        .map(|i| owner.submit(move |_| LAST.with_borrow_mut(|last| last.push(i))).unwrap())
        .collect();
    calls.into_iter().for_each(|call| call.wait().unwrap());
    let seen = owner.call(|_| LAST.take()).unwrap();
    assert!(seen.into_iter().eq(0..100), "in the order in which they came");
    assert!(LAST.take().is_empty());
}

/// The locale of a thread is state that C keeps for each thread: one that is set at the start must
/// be there in every call, and nowhere else.
#[test]
#[cfg(target_os = "linux")]
fn state_that_c_keeps_for_each_thread_is_one_state() {
    use super::c::{Locale, locale};

    let global = locale();
    let owner = Builder::new("locale").owner(Locale::new).unwrap();
    let own = owner.call(|own| own.address()).unwrap();
    assert_ne!(own, global);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..100 {
                    assert_eq!(owner.call(|_| locale()).unwrap(), own);
                    assert_eq!(locale(), global);
                }
            });
        }
    });
    // Also after a panic, which does not end the thread.
    panic_of(|| owner.call(|_| panic!()));
    assert_eq!(owner.call(|_| locale()).unwrap(), own);
}

#[test]
fn a_call_borrows_from_its_caller() {
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
fn a_maker_that_fails_or_panics_is_an_error_and_leaves_nothing_behind() {
    let failed = Builder::new("fails").owner(|| Err::<(), _>("no library")).unwrap_err();
    assert!(matches!(failed, StartError::Make(MakeError::Failed(_))));
    assert_eq!(failed.to_string(), "the value could not be made: no library");

    let panicked = Builder::new("panics").owner(|| -> Result<(), String> { panic!("boom {}", 1) });
    assert_eq!(panicked.unwrap_err().to_string(), "the maker of the value panicked: boom 1");

    // Of a pool, one that fails ends the others.
    let census = Census::default();
    let maker = census.clone();
    let pool = Builder::new("half").pool(3, move || match maker.make() {
        Ok(value) if value.number < 2 => Ok(value),
        _ => Err("too many"),
    });
    assert!(matches!(pool, Err(StartError::Make(MakeError::Failed(_)))));
    assert_eq!((census.made(), census.alive()), (3, 0));
}

#[test]
fn a_panic_reaches_its_caller_and_the_value_is_kept_or_made_again() {
    for (policy, number, made) in [(OnPanic::Keep, 0, 1), (OnPanic::Rebuild, 1, 2)] {
        let (owner, census) = owner(Builder::new("panics").on_panic(policy));
        let id = owner.call(|_| thread::current().id()).unwrap();
        assert_eq!(panic_of(|| owner.call(|_| panic!("in call"))), "in call");
        assert_eq!(census.alive(), usize::from(policy == OnPanic::Keep), "{policy:?}");
        assert_eq!(
            owner.call(|value| (value.number, thread::current().id())).unwrap(),
            (number, id)
        );
        assert_eq!(census.made(), made);

        let pending = owner.submit(|_| panic!("{}", "in handle")).unwrap();
        assert_eq!(panic_of(|| pending.wait()), "in handle");
        let timed = owner.call_within(Duration::from_secs(60), |value, _| value.number).unwrap();
        assert_eq!(timed, 2 * number);
        assert_eq!(census.alive(), 1);
        drop(owner);
        assert_eq!(census.alive(), 0);
    }
}

#[test]
fn a_value_that_can_not_be_made_again_fails_its_call_and_the_next_one_tries_again() {
    let made = AtomicUsize::new(0);
    let owner = Builder::new("again")
        .on_panic(OnPanic::Rebuild)
        .owner(move || match made.fetch_add(1, Ordering::SeqCst) {
            1 => Err("not now"),
            2 => panic!("nor now"),
            number => Ok(number),
        })
        .unwrap();
    panic_of(|| owner.call(|_| panic!()));
    let errors = [(); 2].map(|()| owner.call(|number| *number).unwrap_err().to_string());
    assert_eq!(
        errors,
        ["the value could not be made: not now", "the maker of the value panicked: nor now"]
    );
    assert_eq!(owner.call(|number| *number).unwrap(), 3);
}

/// Panics when it is dropped, and with a payload that does, so many times.
struct Bomb(usize);

impl Drop for Bomb {
    fn drop(&mut self) {
        if !thread::panicking() {
            match self.0 {
                0 => panic!("dropped"),
                more => std::panic::panic_any(Bomb(more - 1)),
            }
        }
    }
}

#[test]
fn what_panics_when_it_is_dropped_does_not_end_the_thread() {
    let made = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&made);
    let builder = Builder::new("bombs").on_panic(OnPanic::Rebuild).on_drop(OnDrop::Reject);
    let owner = builder
        .owner(move || {
            count.fetch_add(1, Ordering::SeqCst);
            Ok::<_, String>(Bomb(0))
        })
        .unwrap();
    // A result and a payload that nobody takes, dropped there since the handles are gone, and
    // the value itself; then a function that does not run.
    let (stuck, run) = Stuck::new();
    let running = owner.submit(move |_| run()).unwrap();
    stuck.wait_until_begun();
    drop(owner.submit(|_| Bomb(3)).unwrap());
    drop(owner.submit(|_| std::panic::panic_any(Bomb(5))).unwrap());
    stuck.release();
    running.wait().unwrap();
    owner.call(|_| ()).unwrap();
    assert_eq!(made.load(Ordering::SeqCst), 2);
    let (stuck, run) = Stuck::new();
    let _running = owner.submit(move |_| run()).unwrap();
    stuck.wait_until_begun();
    let bomb = Bomb(0);
    let rejected = owner
        .submit(move |_| {
            std::mem::forget(bomb);
        })
        .unwrap();
    let owner = thread::spawn(move || drop(owner));
    assert!(matches!(rejected.wait(), Err(CallError::Closed)));
    stuck.release();
    owner.join().unwrap();
}

#[test]
fn a_full_queue_holds_back_or_refuses() {
    let (owner, _) = owner(Builder::new("full").capacity(2));
    let (stuck, run) = Stuck::new();
    let running = owner.submit(move |_| run()).unwrap();
    stuck.wait_until_begun();
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
        assert!(receive.try_recv().is_err(), "it can't run before there is a place");
        stuck.release();
        assert_eq!(receive.recv().unwrap(), 7);
    });
    running.wait().unwrap();
    queued.into_iter().for_each(|call| call.wait().unwrap());
}

#[test]
fn calls_from_its_own_thread_are_refused_in_every_form() {
    let (owner, _) = owner(Builder::new("self"));
    let owner = Arc::new(owner);
    let (inner, second) = (Arc::clone(&owner), Duration::from_secs(1));
    let (send, receive) = mpsc::channel();
    let pending = owner.submit(|_| 1).unwrap();
    let (stuck, run) = Stuck::new();
    let first = owner.submit(move |_| run()).unwrap();
    stuck.wait_until_begun();
    let checks = owner
        .submit(move |_| {
            let late: dragnet_boundary::Pending<i32> = receive.recv().unwrap();
            [
                inner.call(|_| ()).unwrap_err(),
                inner.call_within(second, |_, _| ()).unwrap_err(),
                inner.submit(|_| ()).unwrap_err(),
                inner.submit_within(second, |_, _| ()).unwrap_err(),
                inner.try_submit(|_| ()).unwrap_err(),
                inner.try_submit_within(second, |_, _| ()).unwrap_err(),
                // Behind this call in the queue.
                late.wait().unwrap_err(),
            ]
            .map(|error| matches!(error, CallError::Reentrant))
        })
        .unwrap();
    send.send(owner.submit(|_| 2).unwrap()).unwrap();
    stuck.release();
    assert_eq!(checks.wait().unwrap(), [true; 7]);
    first.wait().unwrap();
    // One that is done gives its result anywhere.
    assert_eq!(owner.call(move |_| pending.wait().unwrap()).unwrap(), 1);
    // Another owner's thread is not its own.
    let other = Builder::new("other").owner(|| Ok::<_, String>(())).unwrap();
    let through = Arc::clone(&owner);
    assert_eq!(other.call(move |()| through.call(|_| 3).unwrap()).unwrap(), 3);
}

#[test]
fn a_drop_runs_or_refuses_what_is_queued_and_ends_what_runs() {
    for (policy, expected) in [(OnDrop::Drain, 3), (OnDrop::Reject, 1)] {
        let (owner, census) = owner(Builder::new("drop").on_drop(policy));
        let ran = Arc::new(AtomicUsize::new(0));
        let (stuck, run) = Stuck::new();
        let count = Arc::clone(&ran);
        let running = owner
            .submit(move |_| {
                run();
                count.fetch_add(1, Ordering::SeqCst);
            })
            .unwrap();
        stuck.wait_until_begun();
        let queued = [(); 2].map(|()| {
            let ran = Arc::clone(&ran);
            owner.submit(move |_| ran.fetch_add(1, Ordering::SeqCst)).unwrap()
        });
        let dropping = thread::spawn(move || drop(owner));
        if policy == OnDrop::Reject {
            // At once, not when the running call ends.
            for call in queued {
                assert!(matches!(call.wait(), Err(CallError::Closed)));
            }
            stuck.release();
        } else {
            stuck.release();
            assert_eq!(queued.map(|call| call.wait().unwrap()), [1, 2]);
        }
        running.wait().unwrap();
        dropping.join().unwrap();
        assert_eq!((ran.load(Ordering::SeqCst), census.alive()), (expected, 0), "{policy:?}");
    }
}

#[test]
fn it_can_be_dropped_on_its_own_thread() {
    let (owner, census) = owner(Builder::new("own"));
    let owner = Arc::new(owner);
    let (stuck, run) = Stuck::new();
    let last = Arc::clone(&owner);
    let call = owner
        .submit(move |_| {
            run();
            drop(last);
        })
        .unwrap();
    let after = owner.submit(|value| value.number).unwrap();
    stuck.wait_until_begun();
    drop(owner);
    stuck.release();
    call.wait().unwrap();
    assert_eq!(after.wait().unwrap(), 0);
    // The value's drop is the last thing that happens.
    while census.alive() > 0 {
        thread::yield_now();
    }
}

/// Counts how often a task is woken, and wakes the thread that polls it.
struct Woken {
    thread: thread::Thread,
    times: AtomicUsize,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.times.fetch_add(1, Ordering::SeqCst);
        self.thread.unpark();
    }
}

#[test]
fn a_handle_is_a_future_that_wakes_its_task_once_there_is_a_result() {
    let (owner, _) = owner(Builder::new("future"));
    let woken = Arc::new(Woken { thread: thread::current(), times: AtomicUsize::new(0) });
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    let (stuck, run) = Stuck::new();
    let mut call = pin!(
        owner
            .submit(move |value| {
                run();
                value.number
            })
            .unwrap()
    );
    stuck.wait_until_begun();
    for _ in 0..3 {
        assert!(call.as_mut().poll(&mut context).is_pending());
    }
    assert!(!call.is_done());
    stuck.release();
    while woken.times.load(Ordering::SeqCst) == 0 {
        thread::park();
    }
    assert!(call.is_done());
    assert!(matches!(call.as_mut().poll(&mut context), Poll::Ready(Ok(0))));
    assert!(matches!(call.as_mut().poll(&mut context), Poll::Ready(Err(CallError::Taken))));
    assert_eq!(woken.times.load(Ordering::SeqCst), 1);

    let mut panics = pin!(owner.submit(|_| panic!("awaited")).unwrap());
    owner.call(|_| ()).unwrap();
    assert_eq!(panic_of(|| panics.as_mut().poll(&mut context)), "awaited");
}

#[test]
fn many_callers_through_a_small_queue_get_their_own_answers() {
    let owner =
        Builder::new("many").capacity(3).owner(|| Ok::<_, String>(Cell::new(0_u32))).unwrap();
    let start = Barrier::new(8);
    thread::scope(|scope| {
        for caller in 0..8 {
            let (owner, start) = (&owner, &start);
            scope.spawn(move || {
                start.wait();
                for i in 0..200 {
                    let answer = owner.call(move |count| {
                        count.set(count.get() + 1);
                        (caller, i)
                    });
                    assert_eq!(answer.unwrap(), (caller, i));
                }
            });
        }
    });
    assert_eq!(owner.call(|count| count.get()).unwrap(), 1600);
}
