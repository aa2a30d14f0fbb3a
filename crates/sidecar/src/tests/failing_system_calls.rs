//! Fault injection into system calls. Repeats a client's whole run from start to end: each repetition
//! makes one system call fail with one error, until every call has failed with each of several errors.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::io::Errno;

use super::super::fault_injection::{self, Fault};
use super::resources::{Resources, exclusive};
use super::{Rng, ServerThread, engine, find_all, patterns, records, sidecar};
use crate::{Sidecar, SidecarError};
use dragnet::{BatchBuf, Matches, Report, Scan, ScanError};

/// The thread whose system call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FaultyThread {
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
fn a_failing_system_call_loses_nothing() {
    use FaultyThread::{Client, ClientWatcher, Server, ServerWatcher};
    let _exclusive = exclusive();
    let mut runs = 0;
    for thread in [Client, ClientWatcher, Server, ServerWatcher] {
        let mut calls = 0;
        for errno in ERRORS {
            let mut after = 0;
            while run_with_fault(thread, after, errno) {
                after += 1;
                assert!(after < 10_000, "{thread:?} makes too many calls");
            }
            calls = calls.max(after);
            runs += after + 1;
        }
        println!("{thread:?}: up to {calls} calls");
        assert!(calls > 0, "{thread:?} makes no calls");
    }
    println!("{runs} runs");
}

/// Runs a client from start to end. The system call number `after` (from 0) of `thread` fails with
/// `errno`. Returns whether the thread made that many calls.
fn run_with_fault(thread: FaultyThread, after: u32, errno: Errno) -> bool {
    let context = format!("{thread:?}, call {after}, {errno}");
    let before = Resources::now();
    let (fault, has_failed) = Fault::new(after, errno);
    let mut fault = Some(fault);
    let servers: Arc<Mutex<Vec<ServerThread>>> = Arc::default();
    let (started, server_fault) = (Arc::clone(&servers), Arc::new(Mutex::new(None)));
    match thread {
        FaultyThread::Client => fault.take().into_iter().for_each(Fault::inject),
        FaultyThread::ClientWatcher => {
            fault.take().into_iter().for_each(Fault::inject_into_next_thread);
        }
        FaultyThread::Server | FaultyThread::ServerWatcher => {
            *server_fault.lock().unwrap_or_else(PoisonError::into_inner) = fault.take();
        }
    }
    let start = move |socket: OwnedFd| {
        let fault = server_fault.lock().unwrap_or_else(PoisonError::into_inner).take();
        let begin = move || match thread {
            FaultyThread::ServerWatcher => {
                fault.into_iter().for_each(Fault::inject_into_next_thread);
            }
            _ => fault.into_iter().for_each(Fault::inject),
        };
        let server = ServerThread::start(socket, Duration::from_secs(10), begin);
        started.lock().unwrap_or_else(PoisonError::into_inner).push(server);
        Ok(())
    };
    let set = patterns();
    let builder = Sidecar::builder(&set, Report::Spans)
        .deadline(Duration::from_secs(10))
        .backoff(Duration::ZERO, Duration::ZERO)
        .chunk_bytes(200);
    match sidecar(builder, start) {
        Ok(mut client) => check_scans(&context, &mut client, &has_failed),
        // The client may fail to start with any error but `EINTR`, after which it must try again.
        Err(SidecarError::System { .. }) => assert_ne!(errno, Errno::INTR, "{context}"),
        Err(error) => panic!("{context}: {error}"),
    }
    fault_injection::clear();
    for server in servers.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        // A server may end with any error, but it must end.
        let _ = server.join();
    }
    before.assert_nothing_leaked(&context);
    has_failed.load(Ordering::SeqCst)
}

fn check_scans(context: &str, client: &mut Sidecar, has_failed: &AtomicBool) {
    let engine = engine(&patterns(), Report::Spans);
    let mut rng = Rng(1);
    let mut batches: Vec<BatchBuf> = (0..4).map(|_| records(&mut rng, 60)).collect();
    // An answer of several blocks, and a record for which a region is replaced.
    batches[2].push(&vec![b'q'; 5000]).expect("it fits");
    batches[2].push(&vec![b'z'; 70_000]).expect("it fits");
    let expected: Vec<_> =
        batches.iter().map(|batch| find_all(&engine, &batch.as_batch())).collect();
    let mut matches = Matches::new();
    // One error at most, since only one call fails.
    let mut errors = 0;
    for (batch, expected) in batches.iter().zip(&expected).take(2) {
        match client.scan(&batch.as_batch(), &mut matches) {
            Ok(()) => assert_eq!(matches.as_slice(), expected, "{context}"),
            Err(error) => errors += count_allowed(context, &error),
        }
    }
    for batch in &batches {
        client.submit(&batch.as_batch()).unwrap_or_else(|error| panic!("{context}: {error}"));
    }
    for expected in &expected {
        match client.wait(&mut matches) {
            Ok(was_submitted) => {
                assert!(was_submitted, "{context}");
                assert_eq!(matches.as_slice(), expected, "{context}");
            }
            Err(error) => errors += count_allowed(context, &error),
        }
    }
    assert!(errors <= u32::from(has_failed.load(Ordering::SeqCst)), "{context}: {errors} errors");
    for (batch, expected) in batches.iter().zip(&expected) {
        client.scan(&batch.as_batch(), &mut matches).unwrap_or_else(|e| panic!("{context}: {e}"));
        assert_eq!(matches.as_slice(), expected, "{context}: afterwards");
    }
}

/// Returns 1 for the one error that a scan may return: without memory for records, the batch can't be
/// sent to another server either.
fn count_allowed(context: &str, error: &ScanError) -> u32 {
    let text = error.to_string();
    assert!(text.contains("no memory for records"), "{context}: {text}");
    1
}
