//! Several threads behind one queue.

use std::collections::HashSet;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use dragnet_boundary::{Builder, CallError};

use super::support::{Census, Stuck};

#[test]
fn as_many_calls_run_at_a_time_as_there_are_members_each_with_a_value_of_its_own() {
    let census = Census::default();
    let maker = census.clone();
    let pool = Builder::new("pool").pool(3, move || maker.make()).unwrap();
    // It opens for three calls that run at the same time, and for no fewer.
    let together = Arc::new(Barrier::new(3));
    let calls: Vec<_> = (0..9)
        .map(|_| {
            let together = Arc::clone(&together);
            pool.submit(move |value| {
                together.wait();
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
    assert_eq!((census.made(), census.alive()), (3, 0));
}

#[test]
fn calls_start_in_the_order_in_which_they_came() {
    let pool = Builder::new("order").capacity(100).pool(2, || Ok::<_, String>(())).unwrap();
    let stuck = [(); 2].map(|()| {
        let (stuck, run) = Stuck::new();
        let call = pool.submit(move |()| run()).unwrap();
        stuck.wait_until_begun();
        (stuck, call)
    });
    let order = Arc::new(Mutex::new(Vec::new()));
    let calls: Vec<_> = (0..100)
        .map(|i| {
            let order = Arc::clone(&order);
            pool.submit(move |()| order.lock().unwrap().push(i)).unwrap()
        })
        .collect();
    // Only one goes on, so the order in which they start is the order in which they are seen.
    let [(first, first_call), (second, second_call)] = stuck;
    first.release();
    calls.into_iter().for_each(|call| call.wait().unwrap());
    second.release();
    first_call.wait().unwrap();
    second_call.wait().unwrap();
    assert!(order.lock().unwrap().iter().copied().eq(0..100));
}

#[test]
fn a_member_may_not_call_its_own_pool() {
    let pool = Arc::new(Builder::new("self").pool(2, || Ok::<_, String>(())).unwrap());
    let inner = Arc::clone(&pool);
    let refused = pool.call(|()| matches!(inner.call(|()| ()), Err(CallError::Reentrant)));
    assert!(refused.unwrap());
}

#[test]
fn no_members_are_one() {
    let pool = Builder::new("none").capacity(0).pool(0, || Ok::<_, String>(5)).unwrap();
    assert_eq!(pool.call(|value| *value).unwrap(), 5);
}
