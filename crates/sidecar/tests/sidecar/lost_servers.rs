//! Servers that are killed or suspended at random moments.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use dragnet::{Matches, Scan, ScanError};
use rustix::process::Signal;

use crate::times;
use crate::work::{builder, check, kill, sidecar, signal, work};
use dragnet_testkit::{Rng, server};

/// Sends `count` signals to the servers of three clients at random moments, while the clients scan.
/// All answers must be exact.
fn scan_under_signals(kind: Signal, count: usize, deadline: Duration) {
    let sent = AtomicUsize::new(0);
    thread::scope(|scope| {
        for seed in 0..3 {
            let sent = &sent;
            scope.spawn(move || {
                let builder = builder().deadline(deadline).max_attempts(1000);
                let mut sidecar = builder.spawn_with(server).expect("a server starts");
                let (target, done) = (AtomicU32::new(0), AtomicBool::new(false));
                thread::scope(|scope| {
                    scope.spawn(|| {
                        let mut rng = Rng::new(seed);
                        while !done.load(Ordering::SeqCst) {
                            thread::sleep(Duration::from_micros(rng.below(5000) as u64));
                            let process = target.swap(0, Ordering::SeqCst);
                            if process != 0 {
                                signal(process, kind);
                                sent.fetch_add(1, Ordering::SeqCst);
                            }
                        }
                    });
                    while sent.load(Ordering::SeqCst) < count {
                        if let Some(process) = sidecar.server_pid() {
                            target.store(process, Ordering::SeqCst);
                        }
                        check(&mut sidecar);
                    }
                    done.store(true, Ordering::SeqCst);
                });
                target.store(0, Ordering::SeqCst);
                check(&mut sidecar);
                assert!(sidecar.restarts() > 0, "no server was lost");
            });
        }
    });
}

#[test]
fn killed_servers_cost_only_time() {
    scan_under_signals(Signal::KILL, 150 * times(), Duration::from_secs(20));
}

#[test]
fn crashing_servers_cost_only_time() {
    scan_under_signals(Signal::SEGV, 150 * times(), Duration::from_secs(20));
}

#[test]
fn hanging_servers_cost_only_time() {
    scan_under_signals(Signal::STOP, 12 * times(), Duration::from_millis(400));
}

#[test]
fn a_server_lost_too_often_fails_one_batch() {
    let mut sidecar = builder().max_attempts(1).spawn_with(server).unwrap();
    let (batch, _) = &work().batches[2];
    let mut matches = Matches::new();
    for (kind, word) in [(Signal::KILL, "SIGKILL"), (Signal::SEGV, "SIGSEGV")] {
        check(&mut sidecar);
        kill(sidecar.server_pid().unwrap(), kind);
        match sidecar.scan(&batch.as_batch(), &mut matches) {
            Err(ScanError::Unavailable { reason }) => {
                assert!(reason.contains(word), "{word} is not named: {reason}");
            }
            other => panic!("{other:?}"),
        }
        assert!(matches.is_empty());
        check(&mut sidecar);
    }
}

#[test]
fn a_hanging_server_is_reported_as_silent() {
    let mut sidecar =
        builder().max_attempts(1).deadline(Duration::from_secs(5)).spawn_with(server).unwrap();
    check(&mut sidecar);
    kill(sidecar.server_pid().unwrap(), Signal::STOP);
    let (batch, _) = &work().batches[0];
    match sidecar.scan(&batch.as_batch(), &mut Matches::new()) {
        Err(ScanError::Unavailable { reason }) => {
            assert!(reason.contains("no answer within 5s"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    check(&mut sidecar);
}

#[test]
fn submitted_batches_return_in_order_across_losses() {
    let mut sidecar = sidecar();
    let mut matches = Matches::new();
    let mut rng = Rng::new(7);
    for round in 0..30 {
        let order: Vec<usize> = (0..1 + rng.below(6)).map(|_| rng.below(3)).collect();
        for &number in &order {
            sidecar.submit(&work().batches[number].0.as_batch()).unwrap();
            if round % 3 == 0
                && rng.below(3) == 0
                && let Some(process) = sidecar.server_pid()
            {
                signal(process, Signal::KILL);
            }
        }
        // A scan in between returns its own batch, and the others keep their place.
        if round % 2 == 0 {
            check(&mut sidecar);
        }
        for &number in &order {
            assert!(sidecar.wait(&mut matches).unwrap());
            assert!(matches.as_slice() == work().batches[number].1);
        }
        assert!(!sidecar.wait(&mut matches).unwrap());
        assert!(matches.is_empty());
    }
}
