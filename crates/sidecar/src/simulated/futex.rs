//! Loom's stand-ins for atomics and futexes.

use std::io;
use std::ops::Deref;
use std::sync::atomic::Ordering;
use std::time::Duration;

use loom::sync::{Condvar, Mutex};

pub(crate) use loom::sync::atomic::AtomicU32;

/// A word that threads can sleep on.
#[derive(Debug, Default)]
pub(crate) struct Futex {
    word: AtomicU32,
    sleepers: Mutex<()>,
    woken: Condvar,
}

impl Deref for Futex {
    type Target = AtomicU32;

    fn deref(&self) -> &AtomicU32 {
        &self.word
    }
}

/// Sleeps while the word has this value, until it is woken. A model has no time, so a thread that is
/// not woken sleeps forever, and the model fails.
pub(crate) fn sleep(futex: &Futex, value: u32, _: Option<Duration>) -> io::Result<()> {
    let sleepers = futex.sleepers.lock().expect("nothing panics under the lock");
    if futex.word.load(Ordering::Relaxed) == value {
        drop(futex.woken.wait(sleepers).expect("nothing panics under the lock"));
    }
    Ok(())
}

/// Wakes all threads that sleep on the word.
pub(crate) fn wake(futex: &Futex) {
    let sleepers = futex.sleepers.lock().expect("nothing panics under the lock");
    futex.woken.notify_all();
    drop(sleepers);
}

/// False, so that nothing is polled: a model tries every value that a load can return anyway.
pub(crate) fn is_parallel() -> bool {
    false
}
