//! Scans that end early, by a break, a panic or a stop flag, and the scans after them.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;
use std::time::Duration;

use dragnet::{BatchBuf, Matches, PatternSet, Report, Scan, ScanError, StopFlag};
use dragnet_sidecar::Sidecar;
use rustix::process::Signal;

use crate::work::{builder, check, kill, work};
use dragnet_testkit::{REGION_LIMIT, server, server_socket};

/// Records with enough matches for many blocks per chunk.
fn many_matches() -> BatchBuf {
    let mut records = BatchBuf::new();
    for _ in 0..400 {
        records.push(&[b'1'; 63]).unwrap();
    }
    records
}

#[test]
fn breaks_and_panics_keep_the_server() {
    let set = PatternSet::new(["1"]).unwrap();
    let mut sidecar =
        Sidecar::builder(&set, Report::Spans).max_attempts(1).connect(server_socket()).unwrap();
    let (batch, mut matches) = (many_matches(), Matches::new());
    for last in 1..=8 {
        for panics in [false, true] {
            let mut blocks = 0;
            let ended = catch_unwind(AssertUnwindSafe(|| {
                sidecar.scan_with(&batch.as_batch(), &mut |_| {
                    blocks += 1;
                    match blocks == last {
                        true if panics => resume_unwind(Box::new(last)),
                        true => ControlFlow::Break(()),
                        false => ControlFlow::Continue(()),
                    }
                })
            }));
            assert_eq!(ended.is_err(), panics && blocks == last);
            sidecar.scan(&batch.as_batch(), &mut matches).unwrap();
            assert_eq!(matches.len(), 400 * 63);
        }
    }
    assert_eq!(sidecar.restarts(), 0);
}

#[test]
fn a_stop_between_blocks_keeps_the_server() {
    let set = PatternSet::new(["1"]).unwrap();
    let mut sidecar =
        Sidecar::builder(&set, Report::Spans).max_attempts(1).connect(server_socket()).unwrap();
    let (batch, mut matches) = (many_matches(), Matches::new());
    for last in 1..=5 {
        let stop = StopFlag::new();
        sidecar.set_stop(stop.clone());
        let mut blocks = 0;
        let answer = sidecar.scan_with(&batch.as_batch(), &mut |_| {
            blocks += 1;
            if blocks == last {
                stop.raise();
            }
            ControlFlow::Continue(())
        });
        assert_eq!((answer, blocks), (Err(ScanError::Stopped), last));
        stop.clear();
        sidecar.scan(&batch.as_batch(), &mut matches).unwrap();
        assert_eq!(matches.len(), 400 * 63);
    }
    assert_eq!(sidecar.restarts(), 0);
}

#[test]
fn stopping_while_a_server_hangs_keeps_it() {
    // So long that the stop flag, not the deadline, ends the scans.
    let mut sidecar = builder().deadline(Duration::from_secs(3600)).spawn_with(server).unwrap();
    check(&mut sidecar);
    let process = sidecar.server_pid().unwrap();
    kill(process, Signal::STOP);
    let (batch, _) = &work().batches[2];
    // The second scan finds chunks of the first one in flight.
    for _ in 0..2 {
        let stop = StopFlag::new();
        sidecar.set_stop(stop.clone());
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(Duration::from_millis(50));
                stop.raise();
            });
            let answer = sidecar.scan(&batch.as_batch(), &mut Matches::new());
            assert_eq!(answer, Err(ScanError::Stopped));
        });
    }
    crate::work::signal(process, Signal::CONT);
    sidecar.set_stop(StopFlag::new());
    check(&mut sidecar);
    assert_eq!((sidecar.server_pid(), sidecar.restarts()), (Some(process), 0));
}

#[test]
fn batches_are_split_to_fit_small_regions() {
    let with_small_regions = || {
        let mut command = server();
        command.env(REGION_LIMIT, (1 << 20).to_string());
        command
    };
    let mut sidecar =
        builder().max_attempts(1).chunk_bytes(4 << 20).spawn_with(with_small_regions).unwrap();
    let mut matches = Matches::new();
    for (count, record) in [(300_000, &b""[..]), (100_000, &[b'z'; 63])] {
        let mut records = BatchBuf::new();
        for _ in 0..count {
            records.push(record).unwrap();
        }
        sidecar.scan(&records.as_batch(), &mut matches).unwrap();
        // The last pattern matches the empty string at every position.
        assert_eq!(matches.len(), count * (record.len() + 1));
    }
    assert_eq!(sidecar.restarts(), 0);
}
