//! What stands for shared memory and futexes when `loom` models the code.

use std::io;
use std::ops::Deref;
use std::sync::atomic::Ordering;
use std::time::Duration;

use loom::cell::UnsafeCell;
use loom::sync::{Condvar, Mutex};

use super::super::control::{CONTROL, RESULTS, SLOTS, Words};
use dragnet::Match;
use dragnet_boundary::Flat;

pub(crate) use loom::sync::atomic::AtomicU32;

/// A value that is no atomic, such as a block of matches: a model fails if one side writes to it
/// while the other one reads or writes it, or might.
#[derive(Debug, Default)]
pub(super) struct Place<T>(UnsafeCell<T>);

// SAFETY: it is shared by models alone, which end at once if two use it at a time.
unsafe impl<T: Send> Sync for Place<T> {}

impl<T> Place<T> {
    pub(super) fn put(&self, value: T) {
        // SAFETY: nobody else has access, or the model has failed just now.
        self.0.with_mut(|place| unsafe { *place = value });
    }

    pub(super) fn get<R>(&self, read: impl FnOnce(&T) -> R) -> R {
        // SAFETY: nobody writes, or the model has failed just now.
        self.0.with(|place| read(unsafe { &*place }))
    }
}

/// The words, and for each slot a block of matches as bytes.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    words: Words,
    blocks: [Place<Vec<u8>>; SLOTS],
}

impl Memory {
    pub(crate) fn words(&self) -> &Words {
        &self.words
    }

    pub(crate) fn len(&self) -> usize {
        CONTROL
    }

    fn block(&self, at: usize) -> &Place<Vec<u8>> {
        &self.blocks[(at - size_of::<Words>()) / (RESULTS * size_of::<Match>())]
    }

    pub(crate) fn write(&self, at: usize, bytes: &[u8]) {
        self.block(at).put(bytes.to_vec());
    }

    pub(crate) fn read<T: Flat>(&self, at: usize, count: usize, out: &mut Vec<T>) {
        if count == 0 {
            // What there may be is not read.
            return;
        }
        self.block(at).get(|block| {
            let values = block.chunks_exact(size_of::<T>()).map(bytemuck::pod_read_unaligned::<T>);
            assert!(count * size_of::<T>() == block.len(), "not the block that was written");
            out.extend(values);
        });
    }
}

/// A word to sleep on, with whom to wake when it changes.
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

/// Sleeps while the word has this value, until it is woken. There is no time in a model, so who is
/// not woken sleeps for good, and the model fails.
pub(crate) fn sleep(futex: &Futex, value: u32, _: Option<Duration>) -> io::Result<()> {
    let sleepers = futex.sleepers.lock().expect("nothing panics under the lock");
    if futex.word.load(Ordering::Relaxed) == value {
        drop(futex.woken.wait(sleepers).expect("nothing panics under the lock"));
    }
    Ok(())
}

pub(crate) fn wake(futex: &Futex) {
    let sleepers = futex.sleepers.lock().expect("nothing panics under the lock");
    futex.woken.notify_all();
    drop(sleepers);
}

/// There is no use in looking again and again: a model tries all that can be seen.
pub(crate) fn is_parallel() -> bool {
    false
}
