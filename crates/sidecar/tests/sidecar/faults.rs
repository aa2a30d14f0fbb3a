//! Servers that are killed or stopped at random moments.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use dragnet::{Matches, Scan, ScanError};
use rustix::process::Signal;

use crate::times;
use crate::work::{builder, check, kill, sidecar, signal, work};
use dragnet_testkit::{Rng, server};

/// Lets three clients scan without pause, while their servers get a signal at random moments, until
/// there were so many. All answers are exact.
fn under_fire(kind: Signal, count: usize, patience: Duration) {
    let fired = AtomicUsize::new(0);
    thread::scope(|scope| {
        for seed in 0..3 {
            let fired = &fired;
            scope.spawn(move || {
                let builder = builder().deadline(patience).tries(1000);
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
                                fired.fetch_add(1, Ordering::SeqCst);
                            }
                        }
                    });
                    while fired.load(Ordering::SeqCst) < count {
                        if let Some(process) = sidecar.process() {
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
fn servers_that_are_killed_at_any_moment_cost_time_and_nothing_else() {
    under_fire(Signal::KILL, 150 * times(), Duration::from_secs(20));
}

#[test]
fn servers_that_crash_at_any_moment_cost_time_and_nothing_else() {
    under_fire(Signal::SEGV, 150 * times(), Duration::from_secs(20));
}

#[test]
fn servers_that_hang_at_any_moment_cost_time_and_nothing_else() {
    under_fire(Signal::STOP, 12 * times(), Duration::from_millis(400));
}

#[test]
fn a_server_that_is_lost_too_often_fails_its_batch_with_what_happened_and_no_other() {
    let mut sidecar = builder().tries(1).spawn_with(server).unwrap();
    let (batch, _) = &work().batches[2];
    let mut matches = Matches::new();
    for (kind, word) in [(Signal::KILL, "SIGKILL"), (Signal::SEGV, "SIGSEGV")] {
        check(&mut sidecar);
        kill(sidecar.process().unwrap(), kind);
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
fn a_server_that_hangs_is_named_when_it_was_given_up_too_often() {
    let mut sidecar =
        builder().tries(1).deadline(Duration::from_secs(5)).spawn_with(server).unwrap();
    check(&mut sidecar);
    kill(sidecar.process().unwrap(), Signal::STOP);
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
fn batches_that_were_begun_are_finished_in_their_order_whatever_happens_in_between() {
    let mut sidecar = sidecar();
    let mut matches = Matches::new();
    let mut rng = Rng::new(7);
    for round in 0..30 {
        let order: Vec<usize> = (0..1 + rng.below(6)).map(|_| rng.below(3)).collect();
        for &number in &order {
            sidecar.begin(&work().batches[number].0.as_batch()).unwrap();
            if round % 3 == 0
                && rng.below(3) == 0
                && let Some(process) = sidecar.process()
            {
                signal(process, Signal::KILL);
            }
        }
        // A scan in between is of its own batch, and the others keep their answers.
        if round % 2 == 0 {
            check(&mut sidecar);
        }
        for &number in &order {
            assert!(sidecar.finish(&mut matches).unwrap());
            assert!(matches.as_slice() == work().batches[number].1);
        }
        assert!(!sidecar.finish(&mut matches).unwrap());
        assert!(matches.is_empty());
    }
}
