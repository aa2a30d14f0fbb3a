//! What two processes do in shared memory, run by `loom` through all orders in which their steps
//! can happen and all that each can see of the other's; see `ci/loom`. A thread stands for a
//! process. A wake-up that is lost, a block that is read too early or replaced too early, each
//! fails its model: see [`memory`].

pub(super) mod memory;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use loom::model::Builder as Model;
use loom::sync::atomic::{AtomicBool, AtomicU32};
use loom::thread;

use self::memory::{Memory, Place};
use super::bell::Bell;
use super::blocks::Blocks;
use super::control::{Answer, Control, Request, SLOTS, status};
use dragnet::Match;

/// All orders in which a thread is interrupted at most this often while it could go on; there
/// would be too many otherwise. Waiting does not count.
fn check(interruptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = Model::new();
    builder.preemption_bound = Some(interruptions);
    builder.max_branches = 10_000;
    builder.check(model);
}

/// Notes, over all orders, that something came to be, so that no model misses what it is for.
fn seen(outcome: &AtomicUsize) {
    outcome.fetch_add(1, Ordering::Relaxed);
}

#[test]
fn a_ring_at_any_moment_wakes_who_waits_for_what_was_done_before() {
    check(3, || {
        let bell = Arc::new((Bell::default(), [(); 2].map(|()| AtomicBool::new(false))));
        // As from the other side, and from the thread that looks out for its end.
        let ringers = [0, 1].map(|number| {
            let bell = Arc::clone(&bell);
            thread::spawn(move || {
                bell.1[number].store(true, Ordering::Relaxed);
                bell.0.ring();
            })
        });
        for done in &bell.1 {
            assert!(bell.0.wait(None, None, || done.load(Ordering::Relaxed)).unwrap());
        }
        for ringer in ringers {
            ringer.join().unwrap();
        }
    });
}

#[test]
fn two_sides_that_wait_for_each_other_in_turn_go_on() {
    check(3, || {
        type Side = (Bell, AtomicU32);
        let sides: Arc<[Side; 2]> = Arc::default();
        let turn = |(here, told): &Side, (there, tell): &Side, turn| {
            tell.store(turn, Ordering::Relaxed);
            there.ring();
            here.wait(None, None, || told.load(Ordering::Relaxed) >= turn).unwrap();
        };
        let other = {
            let sides = Arc::clone(&sides);
            thread::spawn(move || (1..=2).for_each(|number| turn(&sides[0], &sides[1], number)))
        };
        (1..=2).for_each(|number| turn(&sides[1], &sides[0], number));
        other.join().unwrap();
    });
}

/// What both sides of a connection have.
struct Shared {
    control: Control,
    /// What stands for the records of each region.
    regions: [Place<u32>; SLOTS],
    /// Whether the other side has ended, as the thread that looks out for it says.
    client_is_gone: AtomicBool,
    server_is_gone: AtomicBool,
}

impl Shared {
    fn new() -> Arc<Shared> {
        Arc::new(Shared {
            control: Control::new(Memory::default()),
            regions: Default::default(),
            client_is_gone: AtomicBool::new(false),
            server_is_gone: AtomicBool::new(false),
        })
    }

    /// The client ends, and the thread that looks out for that tells its server.
    fn end_client(&self) {
        self.client_is_gone.store(true, Ordering::SeqCst);
        self.control.words().to_server.ring();
    }

    /// Submits a part whose records are its number.
    fn submit(&self, sequence: u32) {
        let region = sequence % SLOTS as u32;
        self.regions[region as usize].put(sequence);
        let request = Request {
            region,
            generation: 7,
            bytes: sequence,
            offsets: 0,
            records: 1,
            terminator: 0,
        };
        self.control.submit(sequence, &request);
    }

    /// Waits for the blocks of a part, as the client does, with `each` once one is taken. The status
    /// of the last, and how many there were; `None` if the server is gone before.
    fn collect(&self, sequence: u32, mut each: impl FnMut(u32)) -> Option<(u32, u32)> {
        let mut taken = 0;
        loop {
            if taken > 0 {
                self.control.take(sequence, taken);
                each(taken);
            }
            let is_gone = || self.server_is_gone.load(Ordering::SeqCst);
            let answer = self.control.wait_for_block(sequence, taken, None, None, is_gone).unwrap();
            let Some(answer) = answer else {
                assert!(is_gone(), "it waits until one or the other");
                return None;
            };
            assert_eq!(answer.count, taken + 1, "one after the other");
            let mut matches = Vec::new();
            self.control.read_block(sequence, answer.found as usize, &mut matches);
            if answer.found > 0 {
                assert_eq!(matches, [found(sequence, taken)]);
            }
            taken += 1;
            if answer.status != status::MORE {
                return Some((answer.status, taken));
            }
        }
    }

    /// Answers the parts up to `end` with so many blocks each, as the server does. False if the
    /// client is gone before.
    fn serve(&self, end: u32, blocks: u32) -> bool {
        let is_gone = || self.client_is_gone.load(Ordering::SeqCst);
        for next in 0..end {
            let submitted = self.control.wait_for_part(next, is_gone).unwrap();
            if is_gone() {
                return false;
            }
            assert!((next + 1..=next + SLOTS as u32).contains(&submitted));
            let request = Request::read(self.control.slot(next));
            assert_eq!((request.generation, request.bytes), (7, next), "the whole request");
            let mut sender = Blocks::new(&self.control, next, &is_gone);
            let mut status = status::DONE;
            for number in 0..blocks {
                // The records are there as long as they are searched.
                let record = self.regions[request.region as usize].get(|record| *record);
                if let ControlFlow::Break(()) = sender.add(&[found(record, number)]) {
                    status = status::STOPPED;
                    break;
                }
            }
            let (published, held) = sender.end();
            let found = if status == status::DONE { held } else { 0 };
            let answer = Answer { count: published + 1, status, found, code: 0 };
            self.control.publish(next, &answer);
        }
        true
    }
}

/// What is found in this block of this part.
fn found(sequence: u32, block: u32) -> Match {
    Match::new(sequence, block, 0..1)
}

#[test]
fn every_block_of_every_part_is_read_once_whole_and_in_order() {
    check(2, || {
        let shared = Shared::new();
        let server = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || assert!(shared.serve(3, 2)))
        };
        // The third part is put where the first one was, once that is answered.
        shared.submit(0);
        shared.submit(1);
        assert_eq!(shared.collect(0, |_| ()), Some((status::DONE, 2)));
        shared.submit(2);
        for sequence in [1, 2] {
            assert_eq!(shared.collect(sequence, |_| ()), Some((status::DONE, 2)));
        }
        server.join().unwrap();
    });
}

#[test]
fn a_part_that_is_cancelled_on_its_way_ends_and_the_next_one_is_answered() {
    static STATUS: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];
    check(2, || {
        let shared = Shared::new();
        let server = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || assert!(shared.serve(2, 2)))
        };
        shared.submit(0);
        let cancel = |_| {
            let words = shared.control.words();
            words.cancelled.0.store(1, Ordering::Release);
            words.to_server.ring();
        };
        let (status, blocks) = shared.collect(0, cancel).unwrap();
        assert!(blocks == 2 && [status::DONE, status::STOPPED].contains(&status));
        seen(&STATUS[usize::from(status == status::STOPPED)]);
        shared.submit(1);
        assert_eq!(shared.collect(1, |_| ()), Some((status::DONE, 2)));
        server.join().unwrap();
    });
    assert!(STATUS.iter().all(|seen| seen.load(Ordering::Relaxed) > 0));
}

#[test]
fn a_part_that_is_cancelled_before_its_answer_is_looked_at_ends_block_by_block() {
    check(2, || {
        let shared = Shared::new();
        let server = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || assert!(shared.serve(2, 2)))
        };
        shared.submit(0);
        shared.submit(1);
        let words = shared.control.words();
        words.cancelled.0.store(2, Ordering::Release);
        words.to_server.ring();
        for sequence in [0, 1] {
            let (status, _) = shared.collect(sequence, |_| ()).unwrap();
            assert!([status::DONE, status::STOPPED].contains(&status));
        }
        server.join().unwrap();
    });
}

#[test]
fn a_server_that_ends_at_any_moment_leaves_its_client_an_answer_or_the_news() {
    static OUTCOMES: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];
    check(2, || {
        let shared = Shared::new();
        let server = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.serve(1, 2))
        };
        let watcher = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                shared.server_is_gone.store(true, Ordering::SeqCst);
                shared.control.words().to_client.ring();
            })
        };
        shared.submit(0);
        let answer = shared.collect(0, |_| ());
        assert!(answer.is_none() || answer == Some((status::DONE, 2)));
        seen(&OUTCOMES[usize::from(answer.is_some())]);
        watcher.join().unwrap();
        // The server, which has not ended here, is told of its client's end.
        shared.end_client();
        server.join().unwrap();
    });
    assert!(OUTCOMES.iter().all(|seen| seen.load(Ordering::Relaxed) > 0));
}

#[test]
fn a_client_that_ends_before_it_submits_anything_does_not_leave_its_server_waiting() {
    check(3, || {
        let shared = Shared::new();
        let watcher = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.end_client())
        };
        assert!(!shared.serve(1, 1));
        watcher.join().unwrap();
    });
}

#[test]
fn a_client_that_ends_at_any_moment_does_not_leave_its_server_waiting() {
    static OUTCOMES: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];
    check(3, || {
        let shared = Shared::new();
        let watcher = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.end_client())
        };
        // It takes one block, and no more is heard of it.
        let client = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                shared.submit(0);
                shared.control.take(0, 1);
            })
        };
        seen(&OUTCOMES[usize::from(shared.serve(1, 3))]);
        watcher.join().unwrap();
        client.join().unwrap();
    });
    assert!(OUTCOMES.iter().all(|seen| seen.load(Ordering::Relaxed) > 0));
}
