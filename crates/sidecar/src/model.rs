//! Models of the protocol that client and server follow in shared memory.
//!
//! `loom` runs each model through all interleavings of its threads that have at most two or three
//! preemptions, and through all values that the memory model allows a load to return; see `ci/loom`. A
//! thread stands for a process. A model fails if a lost wake-up leaves a thread asleep, or if a block
//! is read or replaced too early, which [`RaceChecked`] detects as a race. `ci/loom-faults` plants such
//! faults and checks that the models detect them.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use loom::model::Builder as Model;
use loom::sync::atomic::{AtomicBool, AtomicU32};
use loom::thread;

use super::block_writer::BlockWriter;
use super::control::{ChunkRequest, ControlMemory};
use super::futex_event::FutexEvent;
use super::layout::status;
use super::sequence::{SLOTS, Sequence};
use super::simulated::memory::{Memory, RaceChecked};
use dragnet::Match;

/// Checks all interleavings with at most this many preemptions, because there are too many
/// interleavings to check all. A thread that blocks does not count as preempted.
fn check(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = Model::new();
    builder.preemption_bound = Some(preemptions);
    // Maximum number of thread switches in one interleaving. A model that needs more makes no progress.
    builder.max_branches = 10_000;
    builder.check(model);
}

/// Counts an outcome over all interleavings, so that a test can check that its model reaches every
/// outcome.
fn count_outcome(outcome: &AtomicUsize) {
    outcome.fetch_add(1, Ordering::Relaxed);
}

#[test]
fn a_signal_at_any_moment_wakes_the_waiter() {
    check(3, || {
        let shared = Arc::new((FutexEvent::default(), [(); 2].map(|()| AtomicBool::new(false))));
        // Two threads signal, like the other process and the hangup watcher.
        let signallers = [0, 1].map(|number| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                shared.1[number].store(true, Ordering::Relaxed);
                shared.0.signal();
            })
        });
        for done in &shared.1 {
            assert!(shared.0.wait(None, None, || done.load(Ordering::Relaxed)).unwrap());
        }
        for signaller in signallers {
            signaller.join().unwrap();
        }
    });
}

#[test]
fn two_sides_that_wait_for_each_other_progress() {
    check(3, || {
        type Side = (FutexEvent, AtomicU32);
        let sides: Arc<[Side; 2]> = Arc::default();
        let turn = |(our_event, ours): &Side, (their_event, theirs): &Side, turn| {
            theirs.store(turn, Ordering::Relaxed);
            their_event.signal();
            our_event.wait(None, None, || ours.load(Ordering::Relaxed) >= turn).unwrap();
        };
        let other = {
            let sides = Arc::clone(&sides);
            thread::spawn(move || (1..=2).for_each(|number| turn(&sides[0], &sides[1], number)))
        };
        (1..=2).for_each(|number| turn(&sides[1], &sides[0], number));
        other.join().unwrap();
    });
}

/// What both sides of a connection share.
struct Shared {
    control: ControlMemory,
    /// Stands for the records of each region.
    regions: [RaceChecked<Sequence>; SLOTS],
    /// Whether the other side has ended, as the hangup watchers report it.
    client_is_gone: AtomicBool,
    server_is_gone: AtomicBool,
}

impl Shared {
    fn new() -> Arc<Shared> {
        Arc::new(Shared {
            control: ControlMemory::new(Memory::default()),
            regions: Default::default(),
            client_is_gone: AtomicBool::new(false),
            server_is_gone: AtomicBool::new(false),
        })
    }

    /// Ends the client, and signals the server's event, as the server's hangup watcher does.
    fn end_client(&self) {
        self.client_is_gone.store(true, Ordering::SeqCst);
        self.control.words().server_event.signal();
    }

    /// Submits a chunk whose records are its number.
    fn submit(&self, number: u32) {
        let sequence = Sequence::new(number);
        self.regions[sequence.slot()].put(sequence);
        let request = ChunkRequest {
            region: sequence.slot() as u32,
            generation: 7,
            bytes: number,
            offsets: 0,
            records: 1,
            terminator: 0,
        };
        self.control.submit(sequence, &request);
    }

    /// Receives the blocks of a chunk, as the client does, and calls `on_taken` after taking each
    /// one. Returns the status of the last block and the number of blocks, or `None` if the server
    /// ends before the answer is complete.
    fn collect(&self, number: u32, mut on_taken: impl FnMut(u32)) -> Option<(u32, u32)> {
        let sequence = Sequence::new(number);
        let mut taken = 0;
        loop {
            if taken > 0 {
                self.control.take(sequence, taken);
                on_taken(taken);
            }
            let is_gone = || self.server_is_gone.load(Ordering::SeqCst);
            let header = self.control.wait_for_block(sequence, taken, None, None, is_gone).unwrap();
            let Some(header) = header else {
                assert!(is_gone(), "a wait without a deadline ends for another reason");
                return None;
            };
            assert_eq!(header.count, taken + 1, "a block was skipped");
            let mut matches = Vec::new();
            self.control.read_block(sequence, header.found as usize, &mut matches);
            if header.found > 0 {
                assert_eq!(matches, [found(sequence, taken)]);
            }
            taken += 1;
            if header.status != status::MORE {
                return Some((header.status, taken));
            }
        }
    }

    /// Answers the first `end` chunks with `blocks` blocks each, as the server does. Returns false if
    /// the client ends first.
    fn serve(&self, end: u32, blocks: u32) -> bool {
        let is_gone = || self.client_is_gone.load(Ordering::SeqCst);
        for next in (0..end).map(Sequence::new) {
            let submitted = self.control.wait_for_chunk(next, is_gone).unwrap();
            if is_gone() {
                return false;
            }
            assert!((1..=SLOTS as u32).contains(&submitted.since(next)));
            let request = ChunkRequest::load(self.control.slot(next));
            assert_eq!((request.generation, request.bytes), (7, next.get()), "a torn request");
            let mut writer = BlockWriter::new(&self.control, next, &is_gone);
            let mut status = status::DONE;
            for number in 0..blocks {
                // The region must stay as it is until the chunk is answered.
                let record = self.regions[request.region as usize].get(|record| *record);
                if let ControlFlow::Break(()) = writer.push(&[found(record, number)]) {
                    status = status::STOPPED;
                    break;
                }
            }
            writer.finish(status, 0);
        }
        true
    }
}

/// Returns the only match in this block of a chunk.
fn found(sequence: Sequence, block: u32) -> Match {
    Match::new(sequence.get(), block, 0..1)
}

#[test]
fn blocks_arrive_once_complete_and_in_order() {
    check(2, || {
        let shared = Shared::new();
        let server = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || assert!(shared.serve(3, 2)))
        };
        // The third chunk uses the slot of the first one.
        shared.submit(0);
        shared.submit(1);
        assert_eq!(shared.collect(0, |_| ()), Some((status::DONE, 2)));
        shared.submit(2);
        for number in [1, 2] {
            assert_eq!(shared.collect(number, |_| ()), Some((status::DONE, 2)));
        }
        server.join().unwrap();
    });
}

#[test]
fn cancelling_amid_an_answer_leaves_the_next_chunk_intact() {
    static STATUS: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];
    check(2, || {
        let shared = Shared::new();
        let server = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || assert!(shared.serve(2, 2)))
        };
        shared.submit(0);
        let cancel = |_| {
            shared.control.set_cancelled(Sequence::new(1));
            shared.control.words().server_event.signal();
        };
        let (status, blocks) = shared.collect(0, cancel).unwrap();
        assert!(blocks == 2 && [status::DONE, status::STOPPED].contains(&status));
        count_outcome(&STATUS[usize::from(status == status::STOPPED)]);
        shared.submit(1);
        assert_eq!(shared.collect(1, |_| ()), Some((status::DONE, 2)));
        server.join().unwrap();
    });
    assert!(STATUS.iter().all(|seen| seen.load(Ordering::Relaxed) > 0));
}

#[test]
fn chunks_cancelled_early_end_block_by_block() {
    check(2, || {
        let shared = Shared::new();
        let server = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || assert!(shared.serve(2, 2)))
        };
        shared.submit(0);
        shared.submit(1);
        shared.control.set_cancelled(Sequence::new(2));
        shared.control.words().server_event.signal();
        for number in [0, 1] {
            let (status, _) = shared.collect(number, |_| ()).unwrap();
            assert!([status::DONE, status::STOPPED].contains(&status));
        }
        server.join().unwrap();
    });
}

#[test]
fn a_client_gets_an_answer_or_an_end() {
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
                shared.control.words().client_event.signal();
            })
        };
        shared.submit(0);
        let answer = shared.collect(0, |_| ());
        assert!(answer.is_none() || answer == Some((status::DONE, 2)));
        count_outcome(&OUTCOMES[usize::from(answer.is_some())]);
        watcher.join().unwrap();
        // The server of this model still runs, and must notice the end of its client.
        shared.end_client();
        server.join().unwrap();
    });
    assert!(OUTCOMES.iter().all(|seen| seen.load(Ordering::Relaxed) > 0));
}

#[test]
fn a_server_notices_a_client_lost_early() {
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
fn a_server_notices_a_client_lost_anytime() {
    static OUTCOMES: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];
    check(3, || {
        let shared = Shared::new();
        let watcher = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.end_client())
        };
        // A client that takes one block and then does nothing.
        let client = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                shared.submit(0);
                shared.control.take(Sequence::new(0), 1);
            })
        };
        count_outcome(&OUTCOMES[usize::from(shared.serve(1, 3))]);
        watcher.join().unwrap();
        client.join().unwrap();
    });
    assert!(OUTCOMES.iter().all(|seen| seen.load(Ordering::Relaxed) > 0));
}
