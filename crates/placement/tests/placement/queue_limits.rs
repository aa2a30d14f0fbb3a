//! The limits of the queue, the wait for room in it, and stop flags raised during a wait.

use std::sync::Arc;
use std::thread;

use dragnet::{BatchBuf, Matches, Scan, ScanError, StopFlag};
use dragnet_placement::ScanBuilder;

use crate::probe::{Probe, lengths};

#[test]
fn queue_is_bounded_and_waiting_callers_get_room() {
    for builder in
        [ScanBuilder::new("records").queued_records(3), ScanBuilder::new("bytes").queued_bytes(33)]
    {
        let probe = Probe::new();
        let owner = {
            let probe = Arc::clone(&probe);
            builder.owner(move || probe.make()).unwrap()
        };
        let handle = owner.handle();
        probe.close_gate();
        let running = handle.submit(&[b'x'; 11]).unwrap();
        probe.wait_for_scans_at_gate(1);
        let queued: Vec<_> =
            std::iter::from_fn(|| handle.try_submit(&[b'x'; 11]).unwrap()).take(100).collect();
        assert_eq!((queued.len(), owner.queued()), (3, 3));
        thread::scope(|scope| {
            let waits = scope.spawn(|| owner.handle().submit(b"later"));
            probe.open_gate();
            let mut matches = Matches::new();
            for (ticket, len) in [running].into_iter().chain(queued).map(|ticket| (ticket, 11)) {
                ticket.wait(&mut matches).unwrap();
                assert_eq!(lengths(&matches), [len]);
            }
            waits.join().unwrap().unwrap().wait(&mut matches).unwrap();
            assert_eq!(lengths(&matches), [5]);
        });
    }
}

#[test]
fn limits_are_exact_with_several_handles() {
    // Large enough that handles get quotas. Each record has 10 bytes, and the limits in bytes are 9
    // bytes more than the records that fit.
    let builders = [
        ScanBuilder::new("records").queued_records(300).batch_records(64),
        ScanBuilder::new("bytes").queued_bytes(3009).batch_bytes(649),
    ];
    for builder in builders {
        let probe = Probe::new();
        let owner = {
            let probe = Arc::clone(&probe);
            builder.owner(move || probe.make()).unwrap()
        };
        probe.close_gate();
        let running = owner.handle().submit(b"running").unwrap();
        probe.wait_for_scans_at_gate(1);
        let handles = [(); 5].map(|()| owner.handle());
        // The handles take turns, each with another number of records, until there is no room.
        let mut queued = Vec::new();
        for (stride, handle) in (1..).zip(&handles).cycle() {
            let before = queued.len();
            queued.extend((0..stride * 3).map_while(|_| handle.try_submit(&[b'x'; 10]).unwrap()));
            assert_eq!(owner.queued(), queued.len());
            if queued.len() == before {
                break;
            }
        }
        assert_eq!(queued.len(), 300);
        assert!(handles.iter().all(|handle| handle.try_submit(&[b'x'; 10]).unwrap().is_none()));
        probe.open_gate();
        let mut matches = Matches::new();
        running.wait(&mut matches).unwrap();
        for ticket in queued {
            ticket.wait(&mut matches).unwrap();
            assert_eq!(lengths(&matches), [10]);
        }
        assert_eq!(probe.scans(), [1, 64, 64, 64, 64, 44]);
    }
}

#[test]
fn record_longer_than_the_queue_is_accepted_alone() {
    let probe = Probe::new();
    let owner = {
        let probe = Arc::clone(&probe);
        ScanBuilder::new("owner").queued_bytes(10).owner(move || probe.make()).unwrap()
    };
    let mut matches = Matches::new();
    for _ in 0..3 {
        owner.handle().submit(&[b'x'; 1000]).unwrap().wait(&mut matches).unwrap();
        assert_eq!(lengths(&matches), [1000]);
    }
}

#[test]
fn stop_flag_ends_only_its_callers_scan() {
    let probe = Probe::new();
    let owner = {
        let probe = Arc::clone(&probe);
        ScanBuilder::new("owner").queued_records(3).owner(move || probe.make()).unwrap()
    };
    let mut records = BatchBuf::new();
    (0..5).for_each(|_| records.push(b"x").unwrap());
    probe.close_gate();
    let other = owner.handle().submit(b"other").unwrap();
    probe.wait_for_scans_at_gate(1);
    let shared = owner.handle().submit(b"shared").unwrap();
    let stop = StopFlag::new();
    let mut handle = owner.handle();
    handle.set_stop(stop.clone());
    let mut matches = Matches::new();
    for count in [2, 5] {
        thread::scope(|scope| {
            let scan =
                scope.spawn(|| handle.scan(&records.as_batch().slice(0..count), &mut matches));
            // All records of the first batch are queued; those of the second one also wait for room.
            while owner.queued() < 3 {
                thread::yield_now();
            }
            stop.raise();
            assert_eq!(scan.join().unwrap(), Err(ScanError::Stopped));
        });
        assert!(matches.is_empty());
        let again = handle.scan(&records.as_batch(), &mut matches);
        assert_eq!(again, Err(ScanError::Stopped));
        stop.clear();
    }
    probe.open_gate();
    for (ticket, len) in [(other, 5), (shared, 6)] {
        ticket.wait(&mut matches).unwrap();
        assert_eq!(lengths(&matches), [len]);
    }
    handle.scan(&records.as_batch(), &mut matches).unwrap();
    assert_eq!(lengths(&matches), [1; 5]);
}

#[test]
fn stop_flag_reaches_the_scanner_of_a_bypassing_batch() {
    let probe = Probe::new();
    probe.polls_stop.store(true, std::sync::atomic::Ordering::SeqCst);
    let owner = {
        let probe = Arc::clone(&probe);
        ScanBuilder::new("owner").bypass_bytes(0).owner(move || probe.make()).unwrap()
    };
    let mut records = BatchBuf::new();
    records.push(b"abc").unwrap();
    let stop = StopFlag::new();
    let mut handle = owner.handle();
    handle.set_stop(stop.clone());
    let mut matches = Matches::new();
    probe.close_gate();
    thread::scope(|scope| {
        let scan = scope.spawn(|| handle.scan(&records.as_batch(), &mut matches));
        probe.wait_for_scans_at_gate(1);
        stop.raise();
        assert_eq!(scan.join().unwrap(), Err(ScanError::Stopped));
    });
    probe.open_gate();
    // The next caller does not inherit the flag.
    owner.handle().submit(b"x").unwrap().wait(&mut matches).unwrap();
    assert_eq!(lengths(&matches), [1]);
}
