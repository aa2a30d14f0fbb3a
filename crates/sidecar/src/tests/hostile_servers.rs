//! A client whose servers violate the protocol.
//!
//! A client can't detect every false answer: a server may leave out a match, or invent a plausible
//! one. After such a lie, the tests check only that answers are plausible, not that they are right.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use rustix::event::PollFlags;

use super::super::frame::{self, FrameKind};
use super::super::sys;
use super::fake_server::{FakeServer, Shared};
use super::resources::{Resources, exclusive, resident_kib};
use super::sessions::{self, Outcomes, count, spawn_named};
use super::{PATTERNS, Rng, engine, find_all, patterns, records, sidecar};
use crate::{Listener, Sidecar, SidecarError};
use dragnet::{Batch, Match, Matches, Report, Scan, ScanError, StopFlag};

#[test]
fn a_client_survives_hostile_servers() {
    let _exclusive = exclusive();
    let (before, memory) = (Resources::now(), resident_kib());
    let outcomes = Arc::new(Outcomes::default());
    let seen = Arc::clone(&outcomes);
    sessions::run("hostile servers", move |seed| session(seed, &seen));
    before.assert_nothing_leaked("after hostile servers");
    let more = resident_kib().saturating_sub(memory);
    assert!(more < 300 << 10, "{more} KiB more than before");
    let outcomes = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
    println!("{outcomes:?}; {more} KiB more than before");
    for what in ["exact answer", "unavailable", "stopped", "native", "panicked", "refused"] {
        assert!(outcomes.contains_key(what), "no scan had: {what}");
    }
}

#[test]
fn a_listener_that_never_accepts_times_out() {
    let _exclusive = exclusive();
    let before = Resources::now();
    let path = std::env::temp_dir().join(format!("dragnet-hostile-{}", std::process::id()));
    let listener = Listener::bind(&path).expect("a socket");
    let address = rustix::net::SocketAddrUnix::new(&path).expect("it is short");
    // Fill the queue of the listener.
    let mut queued = Vec::new();
    loop {
        let socket = sys::socket().expect("a socket");
        sys::set_send_timeout(socket.as_fd(), Duration::ZERO).expect("a socket");
        if sys::connect(socket.as_fd(), &address).is_err() {
            break;
        }
        queued.push(socket);
    }
    let client = Sidecar::builder(&patterns(), Report::Patterns)
        .deadline(Duration::from_millis(20))
        .max_attempts(2)
        .connect(&path);
    assert!(matches!(client, Err(SidecarError::Unavailable(_))), "{client:?}");
    drop((listener, queued));
    before.assert_nothing_leaked("after a listener");
}

#[test]
fn the_last_message_of_a_server_is_reported() {
    let _exclusive = exclusive();
    let before = Resources::now();
    for (kind, refused) in [(FrameKind::Refused, true), (FrameKind::Error, false)] {
        let start = move |socket: OwnedFd| {
            spawn_named("hostile-server", move || {
                // Leaves the message of the client unread, which resets the connection.
                let arrived = sys::poll(socket.as_fd(), PollFlags::IN, None).expect("a socket");
                assert!(arrived.contains(PollFlags::IN));
                frame::send(&socket, kind, &[], "not you", &[]).expect("there is room");
            });
            Ok(())
        };
        let builder = Sidecar::builder(&patterns(), Report::Patterns).max_attempts(1);
        let error = sidecar(builder, start).expect_err("it is no server");
        assert_eq!(matches!(error, SidecarError::Refused(_)), refused, "{error:?}");
        assert!(error.to_string().contains("not you"), "{error}");
    }
    before.assert_nothing_leaked("after servers that read nothing");
}

/// Runs one client. Returns how many messages its servers sent.
fn session(seed: u64, outcomes: &Outcomes) -> u64 {
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
        let fake = FakeServer::new(socket, Arc::clone(&to_fake), seed);
        // Nobody receives this if the test has failed.
        let _ = threads.send(spawn_named("hostile-server", move || fake.run()));
        Ok(())
    };
    let builder = Sidecar::builder(&set, report)
        .deadline(Duration::from_millis(25))
        .max_attempts(1 + rng.below(3) as u32)
        .backoff(Duration::ZERO, Duration::ZERO)
        .chunk_bytes([1, 40, 1 << 18][rng.below(3)])
        .max_in_flight(1 + rng.below(8));
    match sidecar(builder, start) {
        Ok(mut client) => check_scans(seed, &mut rng, &mut client, &shared, outcomes),
        Err(SidecarError::Refused(_)) => count(outcomes, "refused"),
        Err(SidecarError::Unavailable(_)) => count(outcomes, "no server"),
        Err(error) => panic!("DRAGNET_SEED={seed}: {error}"),
    }
    // The client was dropped, and with it the sender of this channel.
    for thread in started {
        thread.join().expect("a fake server does not panic");
    }
    shared.sent.load(Ordering::Relaxed)
}

fn check_scans(
    seed: u64,
    rng: &mut Rng,
    client: &mut Sidecar,
    shared: &Shared,
    outcomes: &Outcomes,
) {
    for _ in 0..1 + rng.below(5) {
        let stop = StopFlag::new();
        *shared.stop.lock().unwrap_or_else(PoisonError::into_inner) = stop.clone();
        client.set_stop(stop);
        scan(seed, rng, client, shared, outcomes);
    }
    // All servers are honest from here on. Earlier lies may still have an effect.
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
            // A server may accept no more than this, and its limit stays.
            return count(outcomes, "too large");
        }
        if last.is_none() && matches.as_slice() == find_all(&shared.engine, &batch) {
            return count(outcomes, "recovered");
        }
    }
    panic!("DRAGNET_SEED={seed}: does not recover: {last:?}");
}

/// Scans one or several batches.
fn scan(seed: u64, rng: &mut Rng, client: &mut Sidecar, shared: &Shared, outcomes: &Outcomes) {
    let batches = [records(rng, 20), records(rng, 20), records(rng, 20)];
    let expected = batches.each_ref().map(|batch| find_all(&shared.engine, &batch.as_batch()));
    let mut matches = Matches::new();
    if rng.one_in(2) {
        let result = client.scan(&batches[0].as_batch(), &mut matches);
        check(seed, &batches[0].as_batch(), &expected[0], &matches, result, shared, outcomes);
        return;
    }
    let mut submitted = Vec::new();
    for (number, records) in batches.iter().enumerate() {
        match client.submit(&records.as_batch()) {
            Ok(()) => submitted.push(number),
            Err(error) => {
                matches.clear();
                let batch = records.as_batch();
                check(seed, &batch, &[], &matches, Err(error), shared, outcomes);
            }
        }
    }
    for number in submitted {
        let result = client.wait(&mut matches).map(|was_submitted| assert!(was_submitted));
        let batch = batches[number].as_batch();
        check(seed, &batch, &expected[number], &matches, result, shared, outcomes);
    }
    assert!(!client.wait(&mut matches).expect("no batch is left"));
}

/// Checks that an answer is exact or could not be recognized as a lie, and that an error is of an
/// expected kind and comes without matches.
fn check(
    seed: u64,
    batch: &Batch<'_>,
    expected: &[Match],
    matches: &Matches,
    result: Result<(), ScanError>,
    shared: &Shared,
    outcomes: &Outcomes,
) {
    let outcome = match result {
        Ok(()) if matches.as_slice() == expected => "exact answer",
        Ok(()) => {
            let believable = shared.believable.load(Ordering::SeqCst);
            assert!(believable, "DRAGNET_SEED={seed}: {matches:?}, not {expected:?}");
            for m in matches {
                let record = batch.record(m.record()).expect("there is such a record");
                assert!(
                    m.span().is_none_or(|span| span.end <= record.len())
                        && m.pattern() < PATTERNS as usize,
                    "DRAGNET_SEED={seed}"
                );
            }
            assert!(matches.as_slice().is_sorted_by(|a, b| a < b), "DRAGNET_SEED={seed}");
            "believed a lie"
        }
        Err(error) => {
            assert!(matches.is_empty(), "DRAGNET_SEED={seed}: matches with an error");
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
    count(outcomes, outcome);
}
