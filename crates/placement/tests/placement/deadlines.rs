//! Deadlines of scanners that hang.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use dragnet::{Matches, ScanError};
use dragnet_placement::ScanBuilder;

use crate::probe::{Probe, lengths};

fn builder() -> ScanBuilder {
    ScanBuilder::new("owner").deadline(Duration::from_millis(30)).grace(Duration::from_millis(10))
}

#[test]
fn late_scanner_that_stops_keeps_its_thread() {
    let probe = Probe::new();
    probe.polls_stop.store(true, Ordering::SeqCst);
    let owner = {
        let probe = Arc::clone(&probe);
        // Long enough that the scanner always stops within the grace period.
        builder().grace(Duration::from_secs(600)).owner(move || probe.make()).unwrap()
    };
    let handle = owner.handle();
    let mut matches = Matches::new();
    probe.close_gate();
    let late = handle.submit(b"late").unwrap();
    assert_eq!(late.wait(&mut matches), Err(ScanError::TimedOut));
    assert!(matches.is_empty());
    probe.open_gate();
    // The next batch has a deadline of its own.
    loop {
        match handle.submit(b"in time").unwrap().wait(&mut matches) {
            Ok(()) => break,
            // A slow machine can miss this deadline, too.
            Err(error) => assert_eq!(error, ScanError::TimedOut),
        }
    }
    assert_eq!(lengths(&matches), [7]);
    assert_eq!((owner.abandoned(), probe.made.load(Ordering::SeqCst)), (0, 1));
}

#[test]
fn stuck_threads_are_replaced_until_no_spare_is_left() {
    let probe = Probe::new();
    let owner = {
        let probe = Arc::clone(&probe);
        builder().spares(2).owner(move || probe.make()).unwrap()
    };
    let handle = owner.handle();
    let mut matches = Matches::new();
    probe.close_gate();
    let reason = loop {
        let error = handle.submit(b"stuck").unwrap().wait(&mut matches).unwrap_err();
        assert!(matches.is_empty());
        match error {
            ScanError::TimedOut => {}
            ScanError::Unavailable { reason } => break reason,
            other => panic!("{other}"),
        }
    };
    assert!(reason.contains("3 are stuck"), "{reason}");
    assert_eq!((owner.abandoned(), owner.stuck()), (3, 3));
    // With the gate open, the stuck threads return, and scans run again.
    probe.open_gate();
    loop {
        match handle.submit(b"again").unwrap().wait(&mut matches) {
            Ok(()) => break,
            Err(ScanError::TimedOut | ScanError::Unavailable { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(lengths(&matches), [5]);
}
