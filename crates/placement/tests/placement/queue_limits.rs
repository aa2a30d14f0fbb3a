//! That what is queued is bounded.

use std::sync::Arc;
use std::thread;

use dragnet::{BatchBuf, Matches, Scan, ScanError, StopFlag};
use dragnet_placement::ScanBuilder;

use crate::probe::{Probe, lengths};

#[test]
fn what_is_queued_is_bounded_and_who_waits_for_room_gets_it() {
    for builder in
        [ScanBuilder::new("records").queued_records(3), ScanBuilder::new("bytes").queued_bytes(33)]
    {
        let probe = Probe::new();
        let owner = {
            let probe = Arc::clone(&probe);
            builder.owner(move || probe.make()).unwrap()
        };
        let handle = owner.handle();
        probe.shut();
        let running = handle.submit(&[b'x'; 11]).unwrap();
        probe.until_inside(1);
        let queued: Vec<_> =
            std::iter::from_fn(|| handle.try_submit(&[b'x'; 11]).unwrap()).take(100).collect();
        assert_eq!((queued.len(), owner.queued()), (3, 3));
        thread::scope(|scope| {
            let waits = scope.spawn(|| owner.handle().submit(b"later"));
            probe.open();
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
fn limits_are_exact_however_the_records_come_in() {
    // Large enough that a handle may add some records at a time. Ten bytes each.
    let builders = [
        ScanBuilder::new("records").queued_records(300).round_records(64),
        ScanBuilder::new("bytes").queued_bytes(3009).round_bytes(649),
    ];
    for builder in builders {
        let probe = Probe::new();
        let owner = {
            let probe = Arc::clone(&probe);
            builder.owner(move || probe.make()).unwrap()
        };
        probe.shut();
        let running = owner.handle().submit(b"running").unwrap();
        probe.until_inside(1);
        let handles = [(); 5].map(|()| owner.handle());
        // Each takes what it can get without a wait, in strides of its own.
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
        probe.open();
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
fn a_record_that_is_longer_than_all_that_may_be_queued_is_taken_alone() {
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
fn a_stop_ends_the_scan_of_one_caller_wherever_it_waits_and_of_no_other() {
    let probe = Probe::new();
    let owner = {
        let probe = Arc::clone(&probe);
        ScanBuilder::new("owner").queued_records(3).owner(move || probe.make()).unwrap()
    };
    let mut records = BatchBuf::new();
    (0..5).for_each(|_| records.push(b"x").unwrap());
    probe.shut();
    let other = owner.handle().submit(b"other").unwrap();
    probe.until_inside(1);
    let shared = owner.handle().submit(b"shared").unwrap();
    let stop = StopFlag::new();
    let mut handle = owner.handle();
    handle.set_stop(stop.clone());
    let mut matches = Matches::new();
    for count in [2, 5] {
        thread::scope(|scope| {
            let scan =
                scope.spawn(|| handle.scan(&records.as_batch().slice(0..count), &mut matches));
            // It is in the queue, and with the second batch it waits for room.
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
    probe.open();
    for (ticket, len) in [(other, 5), (shared, 6)] {
        ticket.wait(&mut matches).unwrap();
        assert_eq!(lengths(&matches), [len]);
    }
    handle.scan(&records.as_batch(), &mut matches).unwrap();
    assert_eq!(lengths(&matches), [1; 5]);
}

#[test]
fn a_stop_reaches_the_scanner_of_a_batch_that_is_scanned_as_it_is() {
    let probe = Probe::new();
    probe.heeds_stop.store(true, std::sync::atomic::Ordering::SeqCst);
    let owner = {
        let probe = Arc::clone(&probe);
        ScanBuilder::new("owner").whole_bytes(0).owner(move || probe.make()).unwrap()
    };
    let mut records = BatchBuf::new();
    records.push(b"abc").unwrap();
    let stop = StopFlag::new();
    let mut handle = owner.handle();
    handle.set_stop(stop.clone());
    let mut matches = Matches::new();
    probe.shut();
    thread::scope(|scope| {
        let scan = scope.spawn(|| handle.scan(&records.as_batch(), &mut matches));
        probe.until_inside(1);
        stop.raise();
        assert_eq!(scan.join().unwrap(), Err(ScanError::Stopped));
    });
    probe.open();
    // The flag of one caller is not that of the next.
    owner.handle().submit(b"x").unwrap().wait(&mut matches).unwrap();
    assert_eq!(lengths(&matches), [1]);
}
