//! How one process wakes the other.

use std::io;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::sys;

/// For how long to look again and again before sleeping: waking a thread that sleeps costs more
/// than a short answer takes. Only where the other side can run meanwhile.
const SPIN: Duration = Duration::from_micros(30);

/// The longest sleep, after which the wait looks again: for a wake-up that does not come.
const NAP: Duration = Duration::from_millis(250);

/// A bell in shared memory, on which one side waits and which the other side rings. A futex, with
/// a word that says whether there is anyone to wake, so that ringing costs no system call if not.
///
/// The other side may lie about all of it. Then a wait takes as long as its deadline, or looks more
/// often than it needs to.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Bell {
    rung: AtomicU32,
    asleep: AtomicU32,
}

impl Bell {
    pub(super) fn ring(&self) {
        // Both sequentially consistent, here and in `wait`: either this sees who is about to sleep,
        // or they see what was done before the ring.
        self.rung.fetch_add(1, Ordering::SeqCst);
        if self.asleep.load(Ordering::SeqCst) != 0 {
            sys::wake(&self.rung);
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
        static PARALLEL: LazyLock<bool> =
            LazyLock::new(|| std::thread::available_parallelism().is_ok_and(|n| n.get() > 1));
        if *PARALLEL {
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
            let rung = self.rung.load(Ordering::SeqCst);
            self.asleep.store(1, Ordering::SeqCst);
            let is_done = done();
            let now = Instant::now();
            let is_over = deadline.is_some_and(|deadline| deadline <= now);
            if is_done || is_over {
                self.asleep.store(0, Ordering::SeqCst);
                return Ok(is_done);
            }
            let left = deadline.map_or(nap, |deadline| nap.min(deadline - now));
            let slept = sys::sleep(&self.rung, rung, Some(left));
            self.asleep.store(0, Ordering::SeqCst);
            slept?;
        }
    }
}
