//! Coalescing: the records of many callers share scans, and each caller gets its own matches.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use dragnet::{Backend, BatchBuf, Engine, Matches, Report, Scan, ScanError};
use dragnet_placement::{ScanBuilder, ScanHandle, ScanOwner, ScanPool, Ticket};

use crate::probe::{Probe, lengths};
use dragnet_testkit::{Oracle, Spec, set};

const HOUR: Duration = Duration::from_secs(3600);

fn owner(probe: &Arc<Probe>, builder: ScanBuilder) -> ScanOwner {
    let probe = Arc::clone(probe);
    builder.owner(move || probe.make()).unwrap()
}

fn length(ticket: Ticket) -> usize {
    let mut matches = Matches::new();
    ticket.wait(&mut matches).unwrap();
    lengths(&matches)[0]
}

fn batch(records: &[&[u8]]) -> BatchBuf {
    let mut batch = BatchBuf::new();
    records.iter().for_each(|record| batch.push(record).unwrap());
    batch
}

#[test]
fn records_submitted_during_a_scan_share_the_next_scan() {
    let probe = Probe::new();
    let owner = owner(&probe, ScanBuilder::new("owner"));
    probe.close_gate();
    let first = owner.handle().submit(b"1").unwrap();
    probe.wait_for_scans_at_gate(1);
    let tickets: Vec<_> = (0..20)
        .map(|i| thread::scope(|s| s.spawn(|| owner.handle().submit(&vec![b'x'; i])).join()))
        .map(|ticket| ticket.unwrap().unwrap())
        .collect();
    assert_eq!(owner.queued(), 20);
    probe.open_gate();
    assert_eq!(length(first), 1);
    assert!(tickets.into_iter().map(length).eq(0..20));
    assert_eq!(probe.scans(), [1, 20]);
    assert_eq!(owner.queued(), 0);
}

#[test]
fn batch_is_scanned_when_it_is_full() {
    let probe = Probe::new();
    let builder = ScanBuilder::new("owner").linger(HOUR).batch_records(4).batch_bytes(100);
    let owner = owner(&probe, builder);
    let handle = owner.handle();
    let submit = |len| handle.submit(&vec![b'x'; len]).unwrap();
    // The batches end by the number of records (1 to 4), by the number of bytes (60 and 40), and
    // because the next record does not fit (99). The last record is longer than a batch may be.
    let sealed = [1, 2, 3, 4, 60, 40, 99];
    let mut tickets: Vec<_> = sealed.iter().map(|&len| submit(len)).collect();
    tickets.push(submit(500));
    assert!(tickets.into_iter().map(length).eq([1, 2, 3, 4, 60, 40, 99, 500]));
    assert_eq!(probe.scans(), [4, 2, 1, 1]);
}

#[test]
fn waiting_for_a_record_ends_the_linger() {
    let probe = Probe::new();
    let owner = owner(&probe, ScanBuilder::new("owner").linger(HOUR));
    let mut handle = owner.handle();
    // Unless they end the linger, each of these waits takes an hour.
    assert_eq!(length(handle.submit(b"wait").unwrap()), 4);
    let mut matches = Matches::new();
    let ticket = handle.submit(b"within").unwrap();
    while !ticket.wait_within(Duration::from_millis(1), &mut matches).unwrap() {}
    assert_eq!(lengths(&matches), [6]);
    handle.scan(&batch(&[b"a", b"bc"]).as_batch(), &mut matches).unwrap();
    assert_eq!(lengths(&matches), [1, 2]);
    assert_eq!(lengths(&block_on(handle.submit(b"future").unwrap()).unwrap()), [6]);
}

#[test]
fn batch_without_waiters_is_scanned_after_the_linger() {
    let probe = Probe::new();
    let builder = ScanBuilder::new("owner").linger(Duration::from_millis(20));
    let owner = owner(&probe, builder);
    let tickets = [&b"a"[..], b"bc"].map(|record| owner.handle().submit(record).unwrap());
    while !tickets.iter().all(Ticket::is_done) {
        thread::yield_now();
    }
    assert!(tickets.into_iter().map(length).eq([1, 2]));
}

#[test]
fn flush_timer_runs_only_while_a_batch_lingers() {
    let probe = Probe::new();
    let owner = owner(&probe, ScanBuilder::new("owner").linger(HOUR));
    assert_eq!(owner.flush_timers(), 0);
    let ticket = owner.handle().submit(b"a").unwrap();
    assert_eq!(owner.flush_timers(), 1);
    assert_eq!(length(ticket), 1);
    // The thread that ran the timer scans the batch.
    assert_eq!(owner.flush_timers(), 0);
}

#[test]
fn split_batch_is_answered_completely_and_in_order() {
    let probe = Probe::new();
    let builder = ScanBuilder::new("owner").batch_records(3).queued_records(4);
    let owner = owner(&probe, builder);
    let mut records = BatchBuf::new();
    (0..1000).for_each(|i| records.push(&vec![b'x'; i % 17]).unwrap());
    let expected: Vec<_> = (0..1000).map(|i| i % 17).collect();
    thread::scope(|scope| {
        for _ in 0..4 {
            let (mut handle, records, expected) = (owner.handle(), &records, &expected);
            scope.spawn(move || {
                let mut matches = Matches::new();
                handle.scan(&records.as_batch(), &mut matches).unwrap();
                assert_eq!(&lengths(&matches), expected);
            });
        }
    });
    assert_eq!(probe.scans().iter().sum::<usize>(), 4000);
    assert!(probe.scans().iter().all(|&records| records <= 3));
}

#[test]
fn large_batch_bypasses_the_queue() {
    let probe = Probe::new();
    let owner = owner(&probe, ScanBuilder::new("owner").bypass_bytes(100).batch_records(2));
    let mut matches = Matches::new();
    owner.handle().scan(&batch(&[b"a".as_slice(); 6]).as_batch(), &mut matches).unwrap();
    assert_eq!(matches.len(), 6);
    assert_eq!(probe.scans(), [6]);
}

#[test]
fn many_threads_get_exact_answers() {
    let specs: Vec<_> =
        [r"\d+", "secret", r"\bab\b", "", "[a-f]{3}"].map(|regex| Spec::new(regex, "")).into();
    let records: Vec<Vec<u8>> =
        (0..60).map(|i| format!("ab {i} secret abc{}", "fab ".repeat(i % 5)).into()).collect();
    let expected: Vec<Vec<_>> =
        records.iter().map(|record| Oracle::new(&specs).spans([record.as_slice()])).collect();
    let engine = Engine::with_backend(&set(&specs), Report::Spans, Backend::Pure).unwrap();
    for members in [1, 3] {
        for batch_records in [1, 2, 7, 4096] {
            let engine = engine.clone();
            let builder = ScanBuilder::new("pool").batch_records(batch_records).queued_records(50);
            let pool: ScanPool = builder.pool(members, move || engine.scanner()).unwrap();
            thread::scope(|scope| {
                for first in 0..6 {
                    let (handle, records, expected) = (pool.handle(), &records, &expected);
                    scope.spawn(move || assert_exact(handle, records, expected, first * 7));
                }
            });
            assert_eq!(pool.queued(), 0);
        }
    }
}

/// Submits 300 records, from index `first` on, with up to 30 tickets pending. In between, scans batches
/// of two records.
fn assert_exact(
    mut handle: ScanHandle,
    records: &[Vec<u8>],
    expected: &[Vec<dragnet::Match>],
    first: usize,
) {
    let mut matches = Matches::new();
    let mut tickets = std::collections::VecDeque::new();
    for i in first..first + 300 {
        let number = i % records.len();
        tickets.push_back((number, handle.submit(&records[number]).unwrap()));
        if tickets.len() > 30 {
            let (number, ticket) = tickets.pop_front().unwrap();
            ticket.wait(&mut matches).unwrap();
            assert_eq!(matches.as_slice(), expected[number]);
        }
        if i % 10 == 0 {
            let pair = [records[number].as_slice(), &records[first]];
            handle.scan(&batch(&pair).as_batch(), &mut matches).unwrap();
            let spans = |m: &dragnet::Match| (m.pattern(), m.range());
            assert!(matches.of_record(0).iter().map(spans).eq(expected[number].iter().map(spans)));
            assert!(matches.of_record(1).iter().map(spans).eq(expected[first].iter().map(spans)));
        }
    }
    for (number, ticket) in tickets {
        ticket.wait(&mut matches).unwrap();
        assert_eq!(matches.as_slice(), expected[number]);
    }
}

/// A waker that unparks a thread and counts its calls.
struct Unpark(thread::Thread, AtomicUsize);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.unpark();
    }
}

fn block_on(
    future: impl Future<Output = Result<Matches, ScanError>>,
) -> Result<Matches, ScanError> {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current(), AtomicUsize::new(0))));
    loop {
        if let Poll::Ready(matches) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return matches;
        }
        thread::park();
    }
}

#[test]
fn ticket_wakes_only_the_task_that_polled_last() {
    let probe = Probe::new();
    let owner = owner(&probe, ScanBuilder::new("owner"));
    probe.close_gate();
    let mut ticket = owner.handle().submit(b"abc").unwrap();
    probe.wait_for_scans_at_gate(1);
    let tasks = [(); 2].map(|()| Arc::new(Unpark(thread::current(), AtomicUsize::new(0))));
    for task in &tasks {
        let waker = Waker::from(Arc::clone(task));
        assert!(pin!(&mut ticket).poll(&mut Context::from_waker(&waker)).is_pending());
    }
    probe.open_gate();
    while tasks[1].1.load(Ordering::SeqCst) == 0 {
        thread::park();
    }
    assert_eq!(lengths(&block_on(&mut ticket).unwrap()), [3]);
    let woken = tasks.map(|task| task.1.load(Ordering::SeqCst));
    assert_eq!(woken, [0, 1]);
}
