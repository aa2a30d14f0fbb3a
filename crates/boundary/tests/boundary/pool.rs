//! Pools: several threads on one queue.

use std::collections::HashSet;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use dragnet_boundary::{Builder, CallError};

use super::support::{BlockedCall, ValueLog};

#[test]
fn members_run_calls_concurrently_on_own_values() {
    let log = ValueLog::default();
    let maker = log.clone();
    let pool = Builder::new("pool").pool(3, move || maker.make()).unwrap();
    // The barrier lets calls pass three at a time, so fewer than three concurrent calls would hang.
    let barrier = Arc::new(Barrier::new(3));
    let calls: Vec<_> = (0..9)
        .map(|_| {
            let barrier = Arc::clone(&barrier);
            pool.submit(move |value| {
                barrier.wait();
                (value.number, thread::current().name().unwrap().to_owned())
            })
            .unwrap()
        })
        .collect();
    let seen: Vec<_> = calls.into_iter().map(|call| call.wait().unwrap()).collect();
    let values: HashSet<_> = seen.iter().map(|(value, _)| *value).collect();
    assert_eq!(values, HashSet::from([0, 1, 2]));
    let names: HashSet<_> = seen.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, HashSet::from(["pool-0", "pool-1", "pool-2"]));
    drop(pool);
    assert_eq!((log.made(), log.alive()), (3, 0));
}

#[test]
fn calls_start_in_submission_order() {
    let pool = Builder::new("order").capacity(100).pool(2, || Ok::<_, String>(())).unwrap();
    let blocked = [(); 2].map(|()| {
        let (blocked, run) = BlockedCall::new();
        let call = pool.submit(move |()| run()).unwrap();
        blocked.wait_until_started();
        (blocked, call)
    });
    let order = Arc::new(Mutex::new(Vec::new()));
    let calls: Vec<_> = (0..100)
        .map(|i| {
            let order = Arc::clone(&order);
            pool.submit(move |()| order.lock().unwrap().push(i)).unwrap()
        })
        .collect();
    // Only one thread is released, so the calls run one after the other, in the order of starting.
    let [(first, first_call), (second, second_call)] = blocked;
    first.release();
    calls.into_iter().for_each(|call| call.wait().unwrap());
    second.release();
    first_call.wait().unwrap();
    second_call.wait().unwrap();
    assert!(order.lock().unwrap().iter().copied().eq(0..100));
}

#[test]
fn calls_from_a_members_thread_are_refused() {
    let pool = Arc::new(Builder::new("self").pool(2, || Ok::<_, String>(())).unwrap());
    let inner = Arc::clone(&pool);
    let refused = pool.call(|()| matches!(inner.call(|()| ()), Err(CallError::Reentrant)));
    assert!(refused.unwrap());
}

#[test]
fn a_pool_has_at_least_one_member() {
    let pool = Builder::new("none").capacity(0).pool(0, || Ok::<_, String>(5)).unwrap();
    assert_eq!(pool.call(|value| *value).unwrap(), 5);
}
