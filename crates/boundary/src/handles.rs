//! Integer handles, which C stores in place of pointers to Rust values.
//!
//! This is a generational arena behind sharded locks. The essay "Cgo When You Must" shows the
//! pattern with one map and one lock. The generations are added here so that a stale handle never
//! finds a newer value, and the shards so that threads that insert at the same time rarely contend.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Number of shards of a registry, each with a lock of its own: an estimate of how many threads may
/// insert at the same time. Not measured.
const SHARDS: usize = 16;

/// Maximum number of slots of a shard. A handle has 32 bits for the slot and its shard.
const MAX_SLOTS: usize = ((1_u64 << 32) / SHARDS as u64) as usize;

/// An integer that stands for a value in a [`Handles`] registry.
///
/// The low 32 bits are the slot, the high 32 bits its generation, which is incremented whenever a
/// value is removed from the slot. Generations begin at 1, so the integer 0 is never a valid
/// handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Handle(u64);

impl Handle {
    /// Returns the integer, for C to store.
    pub fn to_bits(self) -> u64 {
        self.0
    }

    /// Returns the handle with this integer. Any integer is accepted: an invalid handle finds
    /// nothing.
    pub fn from_bits(bits: u64) -> Handle {
        Handle(bits)
    }

    /// Returns the integer as the `void *` that C libraries pass to callbacks. It must not be
    /// dereferenced.
    ///
    /// On targets with smaller pointers this does not exist. There, pass the address of the
    /// integer, and keep the integer as long as C can call back.
    #[cfg(target_pointer_width = "64")]
    pub fn to_pointer(self) -> *mut std::ffi::c_void {
        std::ptr::without_provenance_mut(self.0 as usize)
    }

    /// Returns the handle that [`to_pointer`](Handle::to_pointer) converted.
    #[cfg(target_pointer_width = "64")]
    pub fn from_pointer(pointer: *const std::ffi::c_void) -> Handle {
        Handle(pointer.addr() as u64)
    }

    fn new(slot: usize, shard: usize, generation: u32) -> Handle {
        Handle(u64::from(generation) << 32 | (slot * SHARDS + shard) as u64)
    }

    /// Splits the integer into the slot within its shard, the shard and the generation.
    fn parts(self) -> (usize, usize, u32) {
        let index = (self.0 & u64::from(u32::MAX)) as usize;
        (index / SHARDS, index % SHARDS, (self.0 >> 32) as u32)
    }
}

/// The error of a full [`Handles`] registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are no handles left")]
pub struct HandlesFull;

/// A registry of values that C refers to by [`Handle`].
///
/// C stores a handle instead of a pointer. A callback that comes after the value was removed finds
/// nothing, instead of freed memory; and it finds no other value, because no two values share a
/// handle. The registry can be used from any thread, from within its own callbacks, and as a
/// `static`:
///
/// ```
/// use dragnet_boundary::{Handle, Handles};
///
/// static COUNTS: Handles<std::sync::Mutex<u32>> = Handles::new();
///
/// extern "C" fn on_event(handle: u64) {
///     // A late callback for a removed value does nothing.
///     COUNTS.with(Handle::from_bits(handle), |count| *count.lock().unwrap() += 1);
/// }
///
/// let handle = COUNTS.insert(Default::default())?;
/// on_event(handle.to_bits());
/// let count = COUNTS.remove(handle).unwrap();
/// assert_eq!(*count.lock().unwrap(), 1);
/// on_event(handle.to_bits());
/// assert_eq!(*count.lock().unwrap(), 1);
/// # Ok::<(), dragnet_boundary::HandlesFull>(())
/// ```
///
/// A look-up costs a read lock, which contends with insertions and removals only, and a reference
/// count. Slots of removed values are reused and never freed.
pub struct Handles<T> {
    shards: [RwLock<Shard<T>>; SHARDS],
    /// The number of insertions so far. Its remainder selects the shard of the next insertion, so
    /// that concurrent insertions use different shards.
    insertions: AtomicUsize,
}

struct Shard<T> {
    slots: Vec<Slot<T>>,
    /// Slots without a value that can be reused.
    free: Vec<usize>,
}

struct Slot<T> {
    /// The generation of the current value, or of the next one; from 1.
    generation: u32,
    value: Option<Arc<T>>,
}

impl<T> Handles<T> {
    /// Returns an empty registry.
    pub const fn new() -> Handles<T> {
        Handles {
            shards: [const { RwLock::new(Shard { slots: Vec::new(), free: Vec::new() }) }; SHARDS],
            insertions: AtomicUsize::new(0),
        }
    }

    /// Adds a value and returns its handle, which is valid until the value is removed.
    ///
    /// # Errors
    ///
    /// If there are about 2^32 values. The value is dropped.
    pub fn insert(&self, value: T) -> Result<Handle, HandlesFull> {
        let shard = self.insertions.fetch_add(1, Ordering::Relaxed) % SHARDS;
        let value = Some(Arc::new(value));
        let mut shard_slots = self.write(shard);
        if let Some(slot) = shard_slots.free.pop()
            && let Some(entry) = shard_slots.slots.get_mut(slot)
        {
            entry.value = value;
            return Ok(Handle::new(slot, shard, entry.generation));
        }
        let slot = shard_slots.slots.len();
        if slot >= MAX_SLOTS {
            drop(shard_slots);
            return Err(HandlesFull);
        }
        shard_slots.slots.push(Slot { generation: 1, value });
        Ok(Handle::new(slot, shard, 1))
    }

    /// Returns the value of a handle; `None` if it was removed or never existed. The returned
    /// reference keeps the value alive after its removal.
    pub fn get(&self, handle: Handle) -> Option<Arc<T>> {
        let (slot, shard, generation) = handle.parts();
        let shard_slots = self.read(shard);
        let entry = shard_slots.slots.get(slot)?;
        if entry.generation == generation { entry.value.clone() } else { None }
    }

    /// Runs a function on the value of a handle; `None` if the value was removed or never existed.
    ///
    /// No lock is held while the function runs: it may use the registry, and even remove the value.
    pub fn with<R>(&self, handle: Handle, function: impl FnOnce(&T) -> R) -> Option<R> {
        self.get(handle).map(|value| function(&value))
    }

    /// Removes the value of a handle and returns it; `None` if it was removed before or never
    /// existed. After this returns, no look-up finds the value. Callers that hold it can still use
    /// it.
    pub fn remove(&self, handle: Handle) -> Option<Arc<T>> {
        let (slot, shard, generation) = handle.parts();
        let mut shard_slots = self.write(shard);
        let entry = shard_slots.slots.get_mut(slot)?;
        if entry.generation != generation {
            return None;
        }
        let value = entry.value.take()?;
        // A slot that has used all its generations is never reused: its next handle would be one
        // that C may still hold.
        if let Some(next) = generation.checked_add(1) {
            entry.generation = next;
            shard_slots.free.push(slot);
        }
        Some(value)
    }

    /// Counts the values. Walks all slots.
    pub fn len(&self) -> usize {
        let count = |shard| self.read(shard).slots.iter().filter(|s| s.value.is_some()).count();
        (0..SHARDS).map(count).sum()
    }

    /// Returns whether there are no values. Walks all slots.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    // Poisoning is ignored: no caller's code runs under these locks, so a panic can't leave a shard
    // half changed.

    fn read(&self, shard: usize) -> RwLockReadGuard<'_, Shard<T>> {
        self.shards[shard].read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, shard: usize) -> RwLockWriteGuard<'_, Shard<T>> {
        self.shards[shard].write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Default for Handles<T> {
    fn default() -> Handles<T> {
        Handles::new()
    }
}

impl<T> fmt::Debug for Handles<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handles").field("len", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{Handle, Handles, SHARDS};

    #[test]
    fn a_slot_is_retired_after_its_last_generation() {
        let handles = Handles::new();
        let first = handles.insert(0).unwrap();
        let (slot, shard, generation) = first.parts();
        assert_eq!((slot, generation), (0, 1));
        let insert_in_same_shard = |value| {
            // Selects the shard of the next insertion.
            handles.insertions.store(shard, super::Ordering::Relaxed);
            handles.insert(value).unwrap()
        };
        handles.remove(first).unwrap();
        let second = insert_in_same_shard(1);
        assert_eq!(second.parts(), (0, shard, 2));

        handles.remove(second).unwrap();
        handles.write(shard).slots[0].generation = u32::MAX;
        let last = insert_in_same_shard(2);
        assert_eq!(last.parts(), (0, shard, u32::MAX));
        assert_eq!(handles.remove(last).as_deref(), Some(&2));
        // The retired slot finds nothing and is not reused.
        assert_eq!((handles.get(last), handles.remove(last)), (None, None));
        let other = insert_in_same_shard(3);
        assert_eq!(other.parts(), (1, shard, 1));
        for generation in [0, 1, 2, u32::MAX] {
            assert_eq!(handles.get(Handle::new(0, shard, generation)), None);
        }
    }

    #[test]
    fn every_integer_splits_into_slot_and_generation() {
        for bits in [0, 1, u64::MAX, 1 << 32, (1 << 32) - 1, 0x1234_5678_9abc_def0] {
            let (slot, shard, generation) = Handle::from_bits(bits).parts();
            assert!(shard < SHARDS);
            assert_eq!(Handle::new(slot, shard, generation).to_bits(), bits);
            assert_eq!(Handles::<u8>::new().get(Handle::from_bits(bits)), None);
        }
    }
}
