//! The drop of an owner or pool: its effect on queued records, tickets and handles.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use dragnet::{Batch, BatchBuf, Matches, Scan, ScanError, StopFlag};
use dragnet_boundary::OnDrop;
use dragnet_placement::{ScanBuilder, ScanOwner};

use crate::probe::{Probe, ProbeScanner, lengths};

fn is_unavailable(answer: &Result<(), ScanError>) -> bool {
    matches!(answer, Err(ScanError::Unavailable { reason }) if reason.contains("dropped"))
}

#[test]
fn drop_drains_or_rejects_queued_records() {
    for (policy, linger, deadline) in [
        (OnDrop::Drain, 0, None),
        (OnDrop::Drain, 3600, None),
        (OnDrop::Drain, 0, Some(Duration::from_secs(600))),
        (OnDrop::Reject, 0, None),
        (OnDrop::Reject, 3600, Some(Duration::from_secs(600))),
    ] {
        let probe = Probe::new();
        let mut builder =
            ScanBuilder::new("pool").on_drop(policy).linger(Duration::from_secs(linger));
        if let Some(deadline) = deadline {
            builder = builder.deadline(deadline);
        }
        let pool = {
            let probe = Arc::clone(&probe);
            builder.batch_records(4).pool(2, move || probe.make()).unwrap()
        };
        let handle = pool.handle();
        probe.close_gate();
        let mut matches = Matches::new();
        let mut running = Vec::new();
        for inside in 1..=2 {
            running.push(handle.submit(b"run").unwrap());
            // The wait flushes the batch, which would otherwise linger.
            let done = running[inside - 1].wait_within(Duration::ZERO, &mut matches);
            assert_eq!(done, Ok(false));
            probe.wait_for_scans_at_gate(inside);
        }
        let queued: Vec<_> = (0..6).map(|_| handle.submit(b"queued").unwrap()).collect();
        thread::scope(|scope| {
            scope.spawn(|| drop(pool));
            // Opens the gate after the drop has begun: from then on records are refused.
            while handle.submit(b"").is_ok() {
                thread::yield_now();
            }
            probe.open_gate();
        });
        assert!(running.iter().chain(&queued).all(|ticket| ticket.is_done()));
        for ticket in running {
            ticket.wait(&mut matches).unwrap();
            assert_eq!(lengths(&matches), [3]);
        }
        for ticket in queued {
            let answer = ticket.wait(&mut matches);
            match policy {
                OnDrop::Drain => assert_eq!(lengths(&matches), [6]),
                OnDrop::Reject => assert!(is_unavailable(&answer), "{answer:?}"),
            }
        }
        let made = probe.made.load(Ordering::SeqCst);
        assert_eq!((made, probe.dropped.load(Ordering::SeqCst)), (2, 2));
    }
}

#[test]
fn handles_fail_after_their_owner_is_dropped() {
    let probe = Probe::new();
    let owner = ScanBuilder::new("owner").owner(move || probe.make()).unwrap();
    let mut handle = owner.handle();
    drop(owner);
    let (mut matches, mut batch) = (Matches::new(), BatchBuf::new());
    batch.push(b"small").unwrap();
    assert!(is_unavailable(&handle.scan(&batch.as_batch(), &mut matches)));
    batch.push(&[b'x'; 1 << 20]).unwrap();
    assert!(is_unavailable(&handle.scan(&batch.as_batch(), &mut matches)));
    assert!(is_unavailable(&handle.submit(b"x").map(drop)));
    assert!(is_unavailable(&handle.try_submit(b"x").map(drop)));
}

/// Drops its own owner within a scan.
struct DropsOwnOwner {
    inner: ProbeScanner,
    own: Arc<Mutex<Option<ScanOwner>>>,
}

impl Scan for DropsOwnOwner {
    fn scan(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError> {
        let answer = self.inner.scan(batch, out);
        let own = self.own.lock().unwrap().take();
        drop(own);
        answer
    }

    fn set_stop(&mut self, stop: StopFlag) {
        self.inner.set_stop(stop);
    }
}

#[test]
fn drop_on_the_owners_thread_answers_every_ticket() {
    let probe = Probe::new();
    let own = Arc::new(Mutex::new(None));
    let owner = {
        let (probe, own) = (Arc::clone(&probe), Arc::clone(&own));
        let make = move || probe.make().map(|inner| DropsOwnOwner { inner, own: Arc::clone(&own) });
        ScanBuilder::new("owner").batch_records(2).owner(make).unwrap()
    };
    let handle = owner.handle();
    *own.lock().unwrap() = Some(owner);
    probe.close_gate();
    let first = handle.submit(b"first").unwrap();
    probe.wait_for_scans_at_gate(1);
    let queued: Vec<_> = (0..7).map(|_| handle.submit(b"queued").unwrap()).collect();
    probe.open_gate();
    let mut matches = Matches::new();
    first.wait(&mut matches).unwrap();
    for ticket in queued {
        ticket.wait(&mut matches).unwrap();
        assert_eq!(lengths(&matches), [6]);
    }
    // The thread ends although a handle still exists.
    while probe.dropped.load(Ordering::SeqCst) == 0 {
        thread::yield_now();
    }
    assert!(is_unavailable(&handle.submit(b"x").map(drop)));
}
