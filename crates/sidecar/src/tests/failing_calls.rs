//! A system whose Nth call fails, for all N.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::io::Errno;

use super::super::fault::{self, Plan};
use super::{Held, Rng, Served, engine, found, patterns, records, sidecar, turn};
use crate::{Sidecar, SidecarError};
use dragnet::{BatchBuf, Matches, Report, Scan, ScanError};

/// Whose calls fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Client,
    ClientWatcher,
    Server,
    ServerWatcher,
}

const ERRORS: [Errno; 9] = [
    Errno::INTR,
    Errno::MFILE,
    Errno::NFILE,
    Errno::NOSPC,
    Errno::NOMEM,
    Errno::AGAIN,
    Errno::IO,
    Errno::CONNRESET,
    Errno::PIPE,
];

#[test]
fn a_call_that_fails_loses_nothing() {
    let _turn = turn();
    let mut runs = 0;
    for whose in [Whose::Client, Whose::ClientWatcher, Whose::Server, Whose::ServerWatcher] {
        let mut most = 0;
        for errno in ERRORS {
            let mut after = 0;
            while life(whose, after, errno) {
                after += 1;
                assert!(after < 10_000, "{whose:?} makes calls without end");
            }
            most = most.max(after);
            runs += after + 1;
        }
        println!("{whose:?}: up to {most} calls");
        assert!(most > 0, "{whose:?} makes no calls");
    }
    println!("{runs} runs");
}

/// A client's whole life, in which one call fails. Returns whether there was such a call.
fn life(whose: Whose, after: u32, errno: Errno) -> bool {
    let what = format!("{whose:?}, call {after}, {errno}");
    let before = Held::now();
    let (plan, failed) = Plan::new(after, errno);
    let mut plan = Some(plan);
    let servers: Arc<Mutex<Vec<Served>>> = Arc::default();
    let (started, theirs) = (Arc::clone(&servers), Arc::new(Mutex::new(None)));
    match whose {
        Whose::Client => plan.take().into_iter().for_each(Plan::begin),
        Whose::ClientWatcher => plan.take().into_iter().for_each(Plan::begin_in_next_thread),
        Whose::Server | Whose::ServerWatcher => {
            *theirs.lock().unwrap_or_else(PoisonError::into_inner) = plan.take();
        }
    }
    let start = move |socket: OwnedFd| {
        let plan = theirs.lock().unwrap_or_else(PoisonError::into_inner).take();
        let begin = move || match whose {
            Whose::ServerWatcher => plan.into_iter().for_each(Plan::begin_in_next_thread),
            _ => plan.into_iter().for_each(Plan::begin),
        };
        let served = Served::start_after(begin, socket, Duration::from_secs(10));
        started.lock().unwrap_or_else(PoisonError::into_inner).push(served);
        Ok(())
    };
    let set = patterns();
    let builder = Sidecar::builder(&set, Report::Spans)
        .deadline(Duration::from_secs(10))
        .backoff(Duration::ZERO, Duration::ZERO)
        .part(200);
    match sidecar(builder, start) {
        Ok(mut client) => scans(&what, &mut client, &failed),
        // This process lacks what it takes, and says so at once.
        Err(SidecarError::System { .. }) => assert_ne!(errno, Errno::INTR, "{what}"),
        Err(error) => panic!("{what}: {error}"),
    }
    fault::end();
    for served in servers.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        // With what it ended is its own affair, but it has ended.
        let _ = served.ended();
    }
    before.is_all(&what);
    failed.load(Ordering::SeqCst)
}

fn scans(what: &str, client: &mut Sidecar, failed: &AtomicBool) {
    let engine = engine(&patterns(), Report::Spans);
    let mut rng = Rng(1);
    let mut batches: Vec<BatchBuf> = (0..4).map(|_| records(&mut rng, 60)).collect();
    // One whose answer has several blocks, and for which a region is replaced.
    batches[2].push(&vec![b'q'; 5000]).expect("it fits");
    batches[2].push(&vec![b'z'; 70_000]).expect("it fits");
    let expected: Vec<_> = batches.iter().map(|batch| found(&engine, &batch.as_batch())).collect();
    let mut matches = Matches::new();
    // One error at most: another server has no such call.
    let mut errors = 0;
    for (batch, expected) in batches.iter().zip(&expected).take(2) {
        match client.scan(&batch.as_batch(), &mut matches) {
            Ok(()) => assert_eq!(matches.as_slice(), expected, "{what}"),
            Err(error) => errors += allowed(what, &error),
        }
    }
    for batch in &batches {
        client.begin(&batch.as_batch()).unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    for expected in &expected {
        match client.finish(&mut matches) {
            Ok(there_was) => {
                assert!(there_was, "{what}");
                assert_eq!(matches.as_slice(), expected, "{what}");
            }
            Err(error) => errors += allowed(what, &error),
        }
    }
    assert!(errors <= u32::from(failed.load(Ordering::SeqCst)), "{what}: {errors} errors");
    for (batch, expected) in batches.iter().zip(&expected) {
        client.scan(&batch.as_batch(), &mut matches).unwrap_or_else(|e| panic!("{what}: {e}"));
        assert_eq!(matches.as_slice(), expected, "{what}: afterwards");
    }
}

/// An error that a scan may have. Without memory for records there is no second try.
fn allowed(what: &str, error: &ScanError) -> u32 {
    let text = error.to_string();
    assert!(text.contains("no memory for records"), "{what}: {text}");
    1
}
