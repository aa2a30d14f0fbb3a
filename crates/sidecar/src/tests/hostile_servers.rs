//! A client whose server does not keep to the protocol.
//!
//! Some lies can't be told from the truth: a match that is left out, or one that could be. What such
//! a server leads to is any answer that could be one, and is not compared here.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use rustix::event::PollFlags;

use super::super::frame::{self, Kind};
use super::super::sys;
use super::fake_server::{Fake, Shared};
use super::hostile_clients::{Ends, count};
use super::{
    Held, PATTERNS, Rng, engine, found, named, patterns, records, resident, sessions, sidecar, turn,
};
use crate::{Listener, Sidecar, SidecarError};
use dragnet::{Batch, Match, Matches, Report, Scan, ScanError, StopFlag};

#[test]
fn a_client_survives_its_servers() {
    let _turn = turn();
    let (before, memory) = (Held::now(), resident());
    let ends = Arc::new(Ends::new(BTreeMap::new()));
    let seen = Arc::clone(&ends);
    sessions("hostile servers", move |seed| session(seed, &seen));
    before.is_all("after hostile servers");
    let more = resident().saturating_sub(memory);
    assert!(more < 300 << 10, "{more} KiB more than before");
    let ends = ends.lock().unwrap_or_else(PoisonError::into_inner);
    println!("{ends:?}; {more} KiB more than before");
    for what in ["exact answer", "unavailable", "stopped", "native", "panicked", "refused"] {
        assert!(ends.contains_key(what), "no scan had: {what}");
    }
}

#[test]
fn one_that_listens_and_does_not_accept_is_given_up() {
    let _turn = turn();
    let before = Held::now();
    let path = std::env::temp_dir().join(format!("dragnet-hostile-{}", std::process::id()));
    let listener = Listener::bind(&path).expect("a socket");
    let address = rustix::net::SocketAddrUnix::new(&path).expect("it is short");
    // One after the other until none is taken any more.
    let mut waiting = Vec::new();
    loop {
        let socket = sys::socket().expect("a socket");
        sys::limit_waiting(socket.as_fd(), Duration::ZERO).expect("a socket");
        if sys::connect(socket.as_fd(), &address).is_err() {
            break;
        }
        waiting.push(socket);
    }
    let client = Sidecar::builder(&patterns(), Report::Patterns)
        .deadline(Duration::from_millis(20))
        .tries(2)
        .connect(&path);
    assert!(matches!(client, Err(SidecarError::Unavailable(_))), "{client:?}");
    drop((listener, waiting));
    before.is_all("after a listener");
}

#[test]
fn what_a_server_said_before_it_ended_is_told_also_if_it_read_nothing() {
    let _turn = turn();
    let before = Held::now();
    for (kind, refused) in [(Kind::Refused, true), (Kind::Fault, false)] {
        let start = move |socket: OwnedFd| {
            named("hostile-server", move || {
                // Once there is something to read, which stays unread.
                let arrived = sys::poll(socket.as_fd(), PollFlags::IN, None).expect("a socket");
                assert!(arrived.contains(PollFlags::IN));
                frame::send(&socket, kind, &[], "not you", &[]).expect("there is room");
            });
            Ok(())
        };
        let builder = Sidecar::builder(&patterns(), Report::Patterns).tries(1);
        let error = sidecar(builder, start).expect_err("it is no server");
        assert_eq!(matches!(error, SidecarError::Refused(_)), refused, "{error:?}");
        assert!(error.to_string().contains("not you"), "{error}");
    }
    before.is_all("after servers that read nothing");
}

/// One client's life. Returns how many messages its servers sent.
fn session(seed: u64, ends: &Ends) -> u64 {
    let mut rng = Rng(seed);
    let report = if rng.one_in(2) { Report::Spans } else { Report::Patterns };
    let set = patterns();
    let shared = Arc::new(Shared {
        engine: engine(&set, report),
        honest: AtomicBool::new(false),
        believable: AtomicBool::new(false),
        sent: AtomicU64::new(0),
        stop: Mutex::new(StopFlag::new()),
    });
    let (threads, started) = mpsc::channel();
    let (to_fake, fakes) = (Arc::clone(&shared), Mutex::new(Rng(rng.next())));
    let start = move |socket: OwnedFd| {
        let seed = fakes.lock().unwrap_or_else(PoisonError::into_inner).next();
        let fake = Fake::new(socket, Arc::clone(&to_fake), seed);
        // Nobody joins it if the test has failed.
        let _ = threads.send(named("hostile-server", move || fake.run()));
        Ok(())
    };
    let builder = Sidecar::builder(&set, report)
        .deadline(Duration::from_millis(25))
        .tries(1 + rng.below(3) as u32)
        .backoff(Duration::ZERO, Duration::ZERO)
        .part([1, 40, 1 << 18][rng.below(3)])
        .in_flight(1 + rng.below(8));
    match sidecar(builder, start) {
        Ok(mut client) => scans(seed, &mut rng, &mut client, &shared, ends),
        Err(SidecarError::Refused(_)) => count(ends, "refused"),
        Err(SidecarError::Unavailable(_)) => count(ends, "no server"),
        Err(error) => panic!("DRAGNET_SEED={seed}: {error}"),
    }
    // The client is gone, and the way to start more.
    for thread in started {
        thread.join().expect("a fake server does not panic");
    }
    shared.sent.load(Ordering::Relaxed)
}

fn scans(seed: u64, rng: &mut Rng, client: &mut Sidecar, shared: &Shared, ends: &Ends) {
    for _ in 0..1 + rng.below(5) {
        let stop = StopFlag::new();
        *shared.stop.lock().unwrap_or_else(PoisonError::into_inner) = stop.clone();
        client.set_stop(stop);
        scan(seed, rng, client, shared, ends);
    }
    // Now all servers are honest, but for what the last one has done already.
    shared.honest.store(true, Ordering::SeqCst);
    client.set_stop(StopFlag::new());
    let records = records(rng, 20);
    let batch = records.as_batch();
    let mut matches = Matches::new();
    let mut last = None;
    for _ in 0..200 {
        shared.believable.store(false, Ordering::SeqCst);
        last = client.scan(&batch, &mut matches).err();
        if matches!(last, Some(ScanError::TooLarge { .. })) {
            // A server may say that it takes no more, and goes on as it said.
            return count(ends, "too large");
        }
        if last.is_none() && matches.as_slice() == found(&shared.engine, &batch) {
            return count(ends, "recovered");
        }
    }
    panic!("DRAGNET_SEED={seed}: does not recover: {last:?}");
}

/// One or several batches that are scanned, each to its end.
fn scan(seed: u64, rng: &mut Rng, client: &mut Sidecar, shared: &Shared, ends: &Ends) {
    let batches = [records(rng, 20), records(rng, 20), records(rng, 20)];
    let expected = batches.each_ref().map(|batch| found(&shared.engine, &batch.as_batch()));
    let mut matches = Matches::new();
    if rng.one_in(2) {
        let result = client.scan(&batches[0].as_batch(), &mut matches);
        check(seed, &batches[0].as_batch(), &expected[0], &matches, result, shared, ends);
        return;
    }
    let mut begun = Vec::new();
    for (number, records) in batches.iter().enumerate() {
        match client.begin(&records.as_batch()) {
            Ok(()) => begun.push(number),
            Err(error) => {
                matches.clear();
                let batch = records.as_batch();
                check(seed, &batch, &[], &matches, Err(error), shared, ends);
            }
        }
    }
    for number in begun {
        let result = client.finish(&mut matches).map(|there_was| assert!(there_was));
        let batch = batches[number].as_batch();
        check(seed, &batch, &expected[number], &matches, result, shared, ends);
    }
    assert!(!client.finish(&mut matches).expect("no batch is left"));
}

/// An answer is exact, or no lie; an error is a known one and comes alone.
fn check(
    seed: u64,
    batch: &Batch<'_>,
    expected: &[Match],
    matches: &Matches,
    result: Result<(), ScanError>,
    shared: &Shared,
    ends: &Ends,
) {
    let end = match result {
        Ok(()) if matches.as_slice() == expected => "exact answer",
        Ok(()) => {
            let believable = shared.believable.load(Ordering::SeqCst);
            assert!(believable, "DRAGNET_SEED={seed}: {matches:?}, not {expected:?}");
            for m in matches {
                let record = batch.record(m.record()).expect("there is such a record");
                assert!(
                    m.range().end <= record.len() && m.pattern() < PATTERNS as usize,
                    "DRAGNET_SEED={seed}"
                );
            }
            assert!(matches.as_slice().is_sorted_by(|a, b| a < b), "DRAGNET_SEED={seed}");
            "believed a lie"
        }
        Err(error) => {
            assert!(matches.is_empty(), "DRAGNET_SEED={seed}: a part of an answer");
            match error {
                ScanError::Stopped => "stopped",
                ScanError::Native { .. } => "native",
                ScanError::Panicked { .. } => "panicked",
                ScanError::TooLarge { .. } => "too large",
                ScanError::Unavailable { .. } => "unavailable",
                error => panic!("DRAGNET_SEED={seed}: {error}"),
            }
        }
    };
    count(ends, end);
}
