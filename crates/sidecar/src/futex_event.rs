//! An event in shared memory: one process waits for it, the other one signals it.
//!
//! The event is a futex word with two fields. Bit 0 says that a thread sleeps on the word or is about
//! to; the other bits count signals, modulo 2^31. Signalling always counts up, but makes the system
//! call that wakes a sleeper only if bit 0 is set. While both processes are busy, neither side makes
//! a system call: this is what makes a round trip cheap (see `dragnet cost`). An `eventfd` or a byte
//! on the socket would cost a system call on each side for each signal.
//!
//! No signal is lost. The waiter sets bit 0 and checks its condition afterwards; the signaller makes
//! the condition true and reads bit 0 afterwards. Both use read-modify-write operations on the same
//! word, which are totally ordered: whichever comes second sees the other. `ci/loom` runs this
//! through all interleavings with at most three preemptions.
//!
//! The other process may write anything to the word. The worst result is a wait that lasts until its
//! deadline, or one that polls its condition more often than necessary: the condition, not the word,
//! decides when a wait ends.

use std::io;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::sync::{self, Futex};

/// How long a wait polls its condition before the thread sleeps. A short answer arrives in less time
/// than it takes to wake a sleeping thread. Only used where both processes can run at the same time.
const SPIN: Duration = Duration::from_micros(30);

/// The longest sleep. A wait that misses a signal, because the other process corrupted the word,
/// polls its condition at least this often.
const MAX_SLEEP: Duration = Duration::from_millis(250);

/// The bit that is set while the waiter sleeps on the word, or is about to.
const SLEEPING: u32 = 1;

/// The amount that a signal adds to the word, modulo 2^32.
const SIGNAL: u32 = 2;

/// An event that one process waits for and the other one signals.
#[derive(Debug)]
#[cfg_attr(all(loom, test), derive(Default))]
#[repr(C, align(64))]
pub(super) struct FutexEvent {
    word: Futex,
}

impl FutexEvent {
    /// Wakes the waiting thread, or keeps it from falling asleep. The waiter then sees everything that
    /// this thread wrote before the call.
    pub(super) fn signal(&self) {
        // Release publishes the writes before the signal. Acquire pairs with `wait`: if this reads a
        // word without `SLEEPING`, the waiter's later check sees those writes.
        let word = self.word.fetch_add(SIGNAL, Ordering::AcqRel);
        if word & SLEEPING != 0 {
            sync::wake(&self.word);
        }
    }

    /// Waits until `condition` holds. Returns false if the deadline passes first. `condition` is
    /// checked after each signal, and at least every `max_sleep` or every 250 ms, whichever is shorter.
    pub(super) fn wait(
        &self,
        deadline: Option<Instant>,
        max_sleep: Option<Duration>,
        mut condition: impl FnMut() -> bool,
    ) -> io::Result<bool> {
        if sync::is_parallel() {
            let end = Instant::now() + SPIN;
            loop {
                // Several checks for each reading of the clock, which costs more than a check.
                for _ in 0..16 {
                    if condition() {
                        return Ok(true);
                    }
                    std::hint::spin_loop();
                }
                if Instant::now() >= end {
                    break;
                }
                // The other process may be waiting for this very processor. On a busy machine, this
                // and shorter chunks made a sidecar faster on batches of 1 MiB: from 0.83 to 0.94 of
                // the speed of the same engine in-process (`benches/sidecar.rs`).
                std::thread::yield_now();
            }
        }
        let max_sleep = max_sleep.unwrap_or(MAX_SLEEP).min(MAX_SLEEP);
        loop {
            let word = self.word.fetch_or(SLEEPING, Ordering::AcqRel) | SLEEPING;
            let holds = condition();
            let now = Instant::now();
            let timed_out = deadline.is_some_and(|deadline| deadline <= now);
            if holds || timed_out {
                self.word.fetch_and(!SLEEPING, Ordering::Relaxed);
                return Ok(holds);
            }
            let left = deadline.map_or(max_sleep, |deadline| max_sleep.min(deadline - now));
            // Returns at once if there was a signal since: the word has changed.
            let slept = sync::sleep(&self.word, word, Some(left));
            self.word.fetch_and(!SLEEPING, Ordering::Relaxed);
            slept?;
        }
    }
}
