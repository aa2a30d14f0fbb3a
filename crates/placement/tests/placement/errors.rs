//! Scanners that fail or panic, and scans that would deadlock.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::thread;

use dragnet::{Batch, BatchBuf, Matches, Scan, ScanError, StopFlag};
use dragnet_placement::{ScanBuilder, ScanHandle, ScanOwner};

use crate::probe::{Probe, ProbeScanner, lengths};

fn owner(probe: &Arc<Probe>) -> ScanOwner {
    let probe = Arc::clone(probe);
    ScanBuilder::new("owner").owner(move || probe.make()).unwrap()
}

#[test]
fn panic_reaches_the_whole_batch_and_rebuilds_the_scanner() {
    let probe = Probe::new();
    let owner = owner(&probe);
    let handle = owner.handle();
    let mut matches = Matches::new();
    probe.close_gate();
    let before = handle.submit(b"before").unwrap();
    probe.wait_for_scans_at_gate(1);
    let tickets = [&b"one"[..], b"panic", b"two"].map(|record| handle.submit(record).unwrap());
    probe.open_gate();
    before.wait(&mut matches).unwrap();
    for ticket in tickets {
        let error = ticket.wait(&mut matches).unwrap_err();
        assert_eq!(error, ScanError::Panicked { message: "requested by the record".to_owned() });
        assert!(matches.is_empty());
    }
    handle.submit(b"after").unwrap().wait(&mut matches).unwrap();
    assert_eq!(lengths(&matches), [5]);
    assert_eq!(probe.made.load(Ordering::SeqCst), 2);
    assert_eq!(probe.dropped.load(Ordering::SeqCst), 1);
}

#[test]
fn panic_in_a_bypassing_batch_is_an_error() {
    let probe = Probe::new();
    let owner = {
        let probe = Arc::clone(&probe);
        ScanBuilder::new("owner").bypass_bytes(0).owner(move || probe.make()).unwrap()
    };
    let mut records = BatchBuf::new();
    records.push(b"panic").unwrap();
    let mut matches = Matches::new();
    let error = owner.handle().scan(&records.as_batch(), &mut matches).unwrap_err();
    assert_eq!(error, ScanError::Panicked { message: "requested by the record".to_owned() });
    owner.handle().submit(b"after").unwrap().wait(&mut matches).unwrap();
    assert_eq!(probe.made.load(Ordering::SeqCst), 2);
}

#[test]
fn error_reaches_only_the_caller_whose_record_causes_it() {
    let probe = Probe::new();
    let owner = owner(&probe);
    let handle = owner.handle();
    let mut matches = Matches::new();
    probe.close_gate();
    let before = handle.submit(b"before").unwrap();
    probe.wait_for_scans_at_gate(1);
    let mut pair = BatchBuf::new();
    pair.push(b"a").unwrap();
    pair.push(b"bc").unwrap();
    thread::scope(|scope| {
        let first = handle.submit(b"first").unwrap();
        let culprit = handle.submit(b"error").unwrap();
        let mut scanner = owner.handle();
        let batch = scope.spawn(move || {
            let mut matches = Matches::new();
            scanner.scan(&pair.as_batch(), &mut matches).map(|()| lengths(&matches))
        });
        while owner.queued() < 4 {
            thread::yield_now();
        }
        let last = handle.submit(b"a last one").unwrap();
        probe.open_gate();
        before.wait(&mut matches).unwrap();
        let error = culprit.wait(&mut matches).unwrap_err();
        assert_eq!(error, ScanError::Native { library: "none".to_owned(), code: 7 });
        for (ticket, len) in [(first, 5), (last, 10)] {
            ticket.wait(&mut matches).unwrap();
            assert_eq!(lengths(&matches), [len]);
        }
        assert_eq!(batch.join().unwrap().unwrap(), [1, 2]);
    });
    // The first record, the shared batch, and then each submission of it: the batch of two records, and
    // three single records.
    assert_eq!(probe.scans(), [1, 5, 2, 1, 1, 1]);
}

/// Scans on its own owner.
struct ScansOnOwnOwner {
    inner: ProbeScanner,
    own: Arc<Mutex<Option<ScanHandle>>>,
}

impl Scan for ScansOnOwnOwner {
    fn scan(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError> {
        let own = self.own.lock().unwrap().clone();
        match own {
            Some(mut own) if batch.record(0) == Some(b"scan") => own.scan(batch, out),
            Some(own) if batch.record(0) == Some(b"submit") => own.submit(b"x").map(drop),
            _ => self.inner.scan(batch, out),
        }
    }

    fn set_stop(&mut self, stop: StopFlag) {
        self.inner.set_stop(stop);
    }
}

#[test]
fn scan_on_its_own_owner_is_refused() {
    let probe = Probe::new();
    let own = Arc::new(Mutex::new(None));
    let owner = {
        let own = Arc::clone(&own);
        let make =
            move || probe.make().map(|inner| ScansOnOwnOwner { inner, own: Arc::clone(&own) });
        ScanBuilder::new("owner").owner(make).unwrap()
    };
    *own.lock().unwrap() = Some(owner.handle());
    let mut matches = Matches::new();
    for record in [&b"scan"[..], b"submit"] {
        let error = owner.handle().submit(record).unwrap().wait(&mut matches).unwrap_err();
        let ScanError::Unavailable { reason } = error else { panic!("{error}") };
        assert!(reason.contains("deadlock"), "{reason}");
    }
    owner.handle().submit(b"fine").unwrap().wait(&mut matches).unwrap();
    *own.lock().unwrap() = None;
}
