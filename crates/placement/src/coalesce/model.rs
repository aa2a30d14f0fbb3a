//! Models of the coalescer. `loom` runs each through every interleaving of its threads that has at most
//! two preemptions; see `ci/loom`.
//!
//! There are no clocks in a model: a linger is zero or never ends, and deadlines pass only in the models
//! of `dragnet-boundary`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use loom::model::Builder as Model;
use loom::thread;

use super::coalescer::Coalescer;
use super::limits::Limits;
use super::local_buffer::LocalBuffer;
use super::submit::WaitForRoom;
use super::ticket::Ticket;
use dragnet::{Batch, Match, Matches, Scan, ScanError, StopFlag};
use dragnet_boundary::{Builder, OnPanic};

/// Runs a model through all interleavings with at most this many preemptions, because there are too
/// many interleavings to check all. A thread that blocks does not count as preempted.
fn check(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = Model::new();
    builder.preemption_bound = Some(preemptions);
    // Maximum number of thread switches in one interleaving. A model that needs more makes no progress.
    builder.max_branches = 100_000;
    builder.check(model);
}

/// Reports one match per record, as long as the record.
struct Lengths;

impl Scan for Lengths {
    fn scan(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError> {
        out.clear();
        for (number, record) in batch.iter().enumerate() {
            out.push(Match::new(number as u32, 0, 0..record.len() as u32));
        }
        Ok(())
    }

    fn set_stop(&mut self, _: StopFlag) {}
}

fn coalescer(linger: Duration, batch_records: usize, queued_records: usize) -> Arc<Coalescer> {
    let builder = Builder::new("model").capacity(usize::MAX).on_panic(OnPanic::Rebuild);
    let make = || Ok::<_, ScanError>(Box::new(Lengths) as Box<dyn Scan>);
    let limits = Limits {
        batch_bytes: 1000,
        batch_records,
        queued_bytes: 1000,
        queued_records,
        bypass_bytes: 1000,
        linger,
        deadline: None,
        members: 1,
    };
    Coalescer::new(builder.pool(1, make).unwrap(), limits)
}

const NEVER: Duration = Duration::MAX;

fn submit(coalescer: &Arc<Coalescer>, record: &[u8]) -> Result<Ticket, ScanError> {
    submit_through(coalescer, &Arc::default(), record)
}

fn submit_through(
    coalescer: &Arc<Coalescer>,
    local: &Arc<LocalBuffer>,
    record: &[u8],
) -> Result<Ticket, ScanError> {
    Ok(coalescer.submit(local, record, WaitForRoom::Forever).map(Ticket::new)?)
}

fn length(ticket: Ticket) -> Result<usize, ScanError> {
    let mut matches = Matches::new();
    ticket.wait(&mut matches)?;
    assert_eq!(matches.len(), 1);
    Ok(matches.as_slice()[0].end())
}

#[test]
fn two_callers_get_their_own_answers() {
    for linger in [Duration::ZERO, NEVER] {
        check(2, move || {
            let coalescer = coalescer(linger, 10, 10);
            let other = {
                let coalescer = Arc::clone(&coalescer);
                thread::spawn(move || length(submit(&coalescer, b"one").unwrap()))
            };
            assert_eq!(length(submit(&coalescer, b"second").unwrap()), Ok(6));
            assert_eq!(other.join().unwrap(), Ok(3));
            coalescer.close(false);
        });
    }
}

#[test]
fn waiting_for_room_flushes_a_lingering_batch() {
    for linger in [Duration::ZERO, NEVER] {
        check(2, move || {
            let coalescer = coalescer(linger, 10, 1);
            let tickets = [&b"1"[..], b"22"].map(|record| submit(&coalescer, record).unwrap());
            coalescer.close(false);
            assert_eq!(tickets.map(length), [Ok(1), Ok(2)]);
        });
    }
}

#[test]
fn closing_at_any_moment_answers_every_ticket() {
    static PATHS: [AtomicUsize; 3] = [const { AtomicUsize::new(0) }; 3];
    for reject in [false, true] {
        check(2, move || {
            let coalescer = coalescer(NEVER, 10, 10);
            let first = submit(&coalescer, b"1").unwrap();
            let other = {
                let coalescer = Arc::clone(&coalescer);
                thread::spawn(move || submit(&coalescer, b"22").and_then(length))
            };
            coalescer.close(reject);
            assert!(first.is_done());
            let path = match length(first) {
                Ok(length) => {
                    assert_eq!(length, 1);
                    0
                }
                Err(error) => {
                    assert!(reject && matches!(error, ScanError::Unavailable { .. }));
                    1
                }
            };
            PATHS[path].fetch_add(1, Ordering::Relaxed);
            match other.join().unwrap() {
                Ok(length) => assert_eq!(length, 2),
                Err(error) => {
                    assert!(matches!(error, ScanError::Unavailable { .. }));
                    PATHS[2].fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
    assert!(PATHS.iter().all(|seen| seen.load(Ordering::Relaxed) > 0));
}

/// Submits a record: within the quota if there is one, else under the lock of the queue. Counts in
/// `paths` which of the two it was.
fn submit_within_quota(
    coalescer: &Arc<Coalescer>,
    local: &Arc<LocalBuffer>,
    record: &[u8],
    paths: &[AtomicUsize; 2],
) -> Result<Ticket, ScanError> {
    let added = local.try_add(record);
    paths[usize::from(added.is_none())].fetch_add(1, Ordering::Relaxed);
    added.map_or_else(|| submit_through(coalescer, local, record), |added| Ok(Ticket::new(added)))
}

#[test]
fn record_within_a_quota_is_scanned_after_revocation() {
    static PATHS: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];
    // Lengths of the other record, in bytes: small; fits into the batch of 1,000 bytes only after the
    // quota is revoked; does not fit at all.
    for other in [1, 950, 990] {
        for linger in [Duration::ZERO, NEVER] {
            check(2, move || {
                let coalescer = coalescer(linger, 64, 64);
                let thread = {
                    let coalescer = Arc::clone(&coalescer);
                    thread::spawn(move || length(submit(&coalescer, &vec![b'x'; other]).unwrap()))
                };
                let local = Arc::default();
                let first = submit_through(&coalescer, &local, b"first").unwrap();
                let second = submit_within_quota(&coalescer, &local, b"22", &PATHS).unwrap();
                // The wait for the first record must be enough to make the batch of both records due.
                assert_eq!(length(first), Ok(5));
                assert_eq!(length(second), Ok(2));
                assert_eq!(thread.join().unwrap(), Ok(other));
                assert_eq!(coalescer.queued(), 0);
                coalescer.close(false);
            });
        }
    }
    assert!(PATHS.iter().all(|seen| seen.load(Ordering::Relaxed) > 0));
}

#[test]
fn closing_answers_or_refuses_a_record_within_a_quota() {
    static PATHS: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];
    static ENDS: [AtomicUsize; 3] = [const { AtomicUsize::new(0) }; 3];
    for reject in [false, true] {
        check(2, move || {
            let coalescer = coalescer(NEVER, 64, 64);
            let local = Arc::default();
            let first = submit_through(&coalescer, &local, b"1").unwrap();
            let other = {
                let (coalescer, local) = (Arc::clone(&coalescer), Arc::clone(&local));
                thread::spawn(move || submit_within_quota(&coalescer, &local, b"22", &PATHS))
            };
            coalescer.close(reject);
            assert!(first.is_done());
            let end = match other.join().unwrap() {
                Ok(second) => {
                    // It was added before the queue was closed, and `close` has returned, so it has an
                    // answer.
                    assert!(second.is_done());
                    assert_eq!(length(first).is_ok(), !reject);
                    match length(second) {
                        Ok(length) => {
                            assert_eq!((length, reject), (2, false));
                            0
                        }
                        Err(error) => {
                            assert!(reject && matches!(error, ScanError::Unavailable { .. }));
                            1
                        }
                    }
                }
                Err(error) => {
                    assert!(matches!(error, ScanError::Unavailable { .. }));
                    2
                }
            };
            ENDS[end].fetch_add(1, Ordering::Relaxed);
        });
    }
    assert!(PATHS.iter().chain(&ENDS).all(|seen| seen.load(Ordering::Relaxed) > 0));
}
