//! How one process wakes the other.

use std::io;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::sync::{self, Futex};

/// For how long to look again and again before sleeping: waking a thread that sleeps costs more
/// than a short answer takes. Only where the other side can run meanwhile.
const SPIN: Duration = Duration::from_micros(30);

/// The longest sleep, after which the wait looks again: for a wake-up that does not come.
const NAP: Duration = Duration::from_millis(250);

/// Set in the word of a bell while the side that waits sleeps, or is about to.
const ASLEEP: u32 = 1;

/// What a ring adds to the word, modulo 2^32.
const RING: u32 = 2;

/// A bell in shared memory, on which one side waits and which the other side rings. A futex whose
/// word says whether there is anyone to wake, so that ringing costs no system call if not.
///
/// The other side may lie about it. Then a wait takes as long as its deadline, or looks more often
/// than it needs to.
#[derive(Debug)]
#[cfg_attr(all(loom, test), derive(Default))]
#[repr(C, align(64))]
pub(super) struct Bell {
    word: Futex,
}

impl Bell {
    /// Wakes who waits, or lets them not fall asleep. What was done before, they see.
    pub(super) fn ring(&self) {
        // Both at once, here and in `wait`: either this sees who is about to sleep, or they see
        // this ring and with it what was done before.
        let word = self.word.fetch_add(RING, Ordering::AcqRel);
        if word & ASLEEP != 0 {
            sync::wake(&self.word);
        }
    }

    /// Waits until `done`, which is looked at after each ring and now and then besides. Returns
    /// false if it is not when the time is over.
    pub(super) fn wait(
        &self,
        deadline: Option<Instant>,
        nap: Option<Duration>,
        mut done: impl FnMut() -> bool,
    ) -> io::Result<bool> {
        if sync::is_parallel() {
            let end = Instant::now() + SPIN;
            loop {
                for _ in 0..16 {
                    if done() {
                        return Ok(true);
                    }
                    std::hint::spin_loop();
                }
                if Instant::now() >= end {
                    break;
                }
                // The other side may wait for this very processor.
                std::thread::yield_now();
            }
        }
        let nap = nap.unwrap_or(NAP).min(NAP);
        loop {
            let word = self.word.fetch_or(ASLEEP, Ordering::AcqRel) | ASLEEP;
            let is_done = done();
            let now = Instant::now();
            let is_over = deadline.is_some_and(|deadline| deadline <= now);
            if is_done || is_over {
                self.word.fetch_and(!ASLEEP, Ordering::Relaxed);
                return Ok(is_done);
            }
            let left = deadline.map_or(nap, |deadline| nap.min(deadline - now));
            // Not if there was a ring since.
            let slept = sync::sleep(&self.word, word, Some(left));
            self.word.fetch_and(!ASLEEP, Ordering::Relaxed);
            slept?;
        }
    }
}
