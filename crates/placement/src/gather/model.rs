//! The gathering of records, run by `loom` through all orders in which its steps can happen; see
//! `ci/loom`. There are no clocks here: a linger is over at once or never, and a deadline passes
//! only in the models of the pool beneath.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use loom::model::Builder as Model;
use loom::thread;

use super::Ticket;
use super::core::Core;
use super::intake::{Patience, Refused};
use super::lane::Lane;
use super::state::Limits;
use dragnet::{Batch, Match, Matches, Scan, ScanError, StopFlag};
use dragnet_boundary::{Builder, OnPanic};

/// All orders in which a thread is interrupted at most this often while it could go on.
fn check(interruptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = Model::new();
    builder.preemption_bound = Some(interruptions);
    builder.max_branches = 100_000;
    builder.check(model);
}

/// Finds in each record one match, as long as the record.
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

fn core(linger: Duration, round_records: usize, queued_records: usize) -> Arc<Core> {
    let builder = Builder::new("model").capacity(usize::MAX).on_panic(OnPanic::Rebuild);
    let make = || Ok::<_, ScanError>(Box::new(Lengths) as Box<dyn Scan>);
    let limits = Limits {
        round_bytes: 1000,
        round_records,
        queued_bytes: 1000,
        queued_records,
        whole_bytes: 1000,
        linger,
        deadline: None,
        members: 1,
    };
    Core::new(builder.pool(1, make).unwrap(), limits)
}

const NEVER: Duration = Duration::MAX;

fn submit(core: &Arc<Core>, record: &[u8]) -> Result<Ticket, ScanError> {
    submit_in(core, &Arc::default(), record)
}

fn submit_in(core: &Arc<Core>, lane: &Arc<Lane>, record: &[u8]) -> Result<Ticket, ScanError> {
    match core.submit(lane, record, Patience::Forever) {
        Ok(added) => Ok(Ticket::new(added)),
        Err(Refused::Error(error)) => Err(error),
        Err(Refused::Full) => panic!("it waits for room"),
    }
}

fn length(ticket: Ticket) -> Result<usize, ScanError> {
    let mut matches = Matches::new();
    ticket.wait(&mut matches)?;
    assert_eq!(matches.len(), 1);
    Ok(matches.as_slice()[0].end())
}

#[test]
fn two_callers_get_their_own_answers_and_no_wake_up_is_lost() {
    for linger in [Duration::ZERO, NEVER] {
        check(2, move || {
            let core = core(linger, 10, 10);
            let other = {
                let core = Arc::clone(&core);
                thread::spawn(move || length(submit(&core, b"one").unwrap()))
            };
            assert_eq!(length(submit(&core, b"second").unwrap()), Ok(6));
            assert_eq!(other.join().unwrap(), Ok(3));
            core.close(false);
        });
    }
}

#[test]
fn who_waits_for_room_gets_it_although_nobody_waits_for_what_is_queued() {
    for linger in [Duration::ZERO, NEVER] {
        check(2, move || {
            let core = core(linger, 10, 1);
            let tickets = [&b"1"[..], b"22"].map(|record| submit(&core, record).unwrap());
            core.close(false);
            assert_eq!(tickets.map(length), [Ok(1), Ok(2)]);
        });
    }
}

#[test]
fn a_drop_at_any_moment_answers_every_ticket_once() {
    static WAYS: [AtomicUsize; 3] = [const { AtomicUsize::new(0) }; 3];
    for reject in [false, true] {
        check(2, move || {
            let core = core(NEVER, 10, 10);
            let first = submit(&core, b"1").unwrap();
            let other = {
                let core = Arc::clone(&core);
                thread::spawn(move || submit(&core, b"22").and_then(length))
            };
            core.close(reject);
            assert!(first.is_done());
            let way = match length(first) {
                Ok(length) => {
                    assert_eq!(length, 1);
                    0
                }
                Err(error) => {
                    assert!(reject && matches!(error, ScanError::Unavailable { .. }));
                    1
                }
            };
            WAYS[way].fetch_add(1, Ordering::Relaxed);
            match other.join().unwrap() {
                Ok(length) => assert_eq!(length, 2),
                Err(error) => {
                    assert!(matches!(error, ScanError::Unavailable { .. }));
                    WAYS[2].fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
    assert!(WAYS.iter().all(|seen| seen.load(Ordering::Relaxed) > 0));
}

/// Adds a record on credit if there is any, and counts which way it went.
fn submit_on_credit(
    core: &Arc<Core>,
    lane: &Arc<Lane>,
    record: &[u8],
    ways: &[AtomicUsize; 2],
) -> Result<Ticket, ScanError> {
    let added = lane.add(record);
    ways[usize::from(added.is_none())].fetch_add(1, Ordering::Relaxed);
    added.map_or_else(|| submit_in(core, lane, record), |added| Ok(Ticket::new(added)))
}

#[test]
fn a_record_on_credit_is_scanned_whoever_takes_the_credit_back() {
    static WAYS: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];
    // The other record is a small one, one that fits without the credit only, and one that does
    // not fit at all.
    for other in [1, 950, 990] {
        for linger in [Duration::ZERO, NEVER] {
            check(2, move || {
                let core = core(linger, 64, 64);
                let thread = {
                    let core = Arc::clone(&core);
                    thread::spawn(move || length(submit(&core, &vec![b'x'; other]).unwrap()))
                };
                let lane = Arc::default();
                let first = submit_in(&core, &lane, b"first").unwrap();
                let second = submit_on_credit(&core, &lane, b"22", &WAYS).unwrap();
                // In this order, so that the second is wanted by who waits for another one at most.
                assert_eq!(length(first), Ok(5));
                assert_eq!(length(second), Ok(2));
                assert_eq!(thread.join().unwrap(), Ok(other));
                assert_eq!(core.queued(), 0);
                core.close(false);
            });
        }
    }
    assert!(WAYS.iter().all(|seen| seen.load(Ordering::Relaxed) > 0));
}

#[test]
fn a_drop_answers_a_record_on_credit_or_refuses_it() {
    static WAYS: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];
    static ENDS: [AtomicUsize; 3] = [const { AtomicUsize::new(0) }; 3];
    for reject in [false, true] {
        check(2, move || {
            let core = core(NEVER, 64, 64);
            let lane = Arc::default();
            let first = submit_in(&core, &lane, b"1").unwrap();
            let other = {
                let (core, lane) = (Arc::clone(&core), Arc::clone(&lane));
                thread::spawn(move || submit_on_credit(&core, &lane, b"22", &WAYS))
            };
            core.close(reject);
            assert!(first.is_done());
            let end = match other.join().unwrap() {
                Ok(second) => {
                    // It came before the end, so that is has an answer by now.
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
    assert!(WAYS.iter().chain(&ENDS).all(|seen| seen.load(Ordering::Relaxed) > 0));
}
