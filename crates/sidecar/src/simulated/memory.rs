//! Loom's stand-in for the control memory.

use loom::cell::UnsafeCell;

use super::super::layout::{BLOCK_LEN, CONTROL_LEN, ControlWords};
use super::super::sequence::SLOTS;
use dragnet_boundary::Flat;

/// A value that is not an atomic, such as a block of matches. A model fails if one thread can write to
/// it while another one reads or writes it.
#[derive(Debug, Default)]
pub(crate) struct RaceChecked<T>(UnsafeCell<T>);

// SAFETY: loom's `UnsafeCell` panics at the start of an access that races with another one, so no two
// threads ever access the value at the same time.
unsafe impl<T: Send> Sync for RaceChecked<T> {}

impl<T> RaceChecked<T> {
    pub(crate) fn put(&self, value: T) {
        // SAFETY: `with_mut` has panicked if any other thread can access the value now.
        self.0.with_mut(|place| unsafe { *place = value });
    }

    pub(crate) fn get<R>(&self, read: impl FnOnce(&T) -> R) -> R {
        // SAFETY: `with` has panicked if another thread can write to the value now.
        self.0.with(|place| read(unsafe { &*place }))
    }
}

/// The control words, and the bytes of the block of each slot.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    words: ControlWords,
    blocks: [RaceChecked<Vec<u8>>; SLOTS],
}

impl Memory {
    pub(crate) fn words(&self) -> &ControlWords {
        &self.words
    }

    pub(crate) fn len(&self) -> usize {
        CONTROL_LEN
    }

    fn block(&self, position: usize) -> &RaceChecked<Vec<u8>> {
        &self.blocks[(position - size_of::<ControlWords>()) / BLOCK_LEN]
    }

    pub(crate) fn store(&self, position: usize, bytes: &[u8]) {
        self.block(position).put(bytes.to_vec());
    }

    pub(crate) fn load<T: Flat>(&self, position: usize, count: usize, out: &mut Vec<T>) {
        if count == 0 {
            // The block may hold anything, and is not read.
            return;
        }
        self.block(position).get(|block| {
            assert!(count * size_of::<T>() == block.len(), "not the block that was written");
            let values = block.chunks_exact(size_of::<T>()).map(bytemuck::pod_read_unaligned::<T>);
            out.extend(values);
        });
    }
}
