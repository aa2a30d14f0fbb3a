//! The gathering of records, run by `loom` through all orders in which its steps can happen; see
//! `ci/loom`. There are no clocks here: a linger is over at once or never, and a deadline passes
//! only in the models of the pool beneath.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use loom::model::Builder as Model;
use loom::thread;

use super::Ticket;
use super::core::{Core, Patience, Refused};
use super::state::Limits;
use crate::boundary::{Builder, OnPanic};
use crate::{Batch, Match, Matches, Scan, ScanError, StopFlag};

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
    let mut taken = None;
    match core.add(std::iter::once(record), Patience::Forever, false, |p| taken = Some(p)) {
        Ok(()) => Ok(Ticket::new(taken.unwrap())),
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
