//! Integers that stand for Rust values in C.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// How many parts a registry has. Threads that add values at the same time rarely meet in one.
const SHARDS: usize = 16;

/// How many places a part may have, so that a place's number has 32 bits.
const MAX_SLOTS: usize = ((1_u64 << 32) / SHARDS as u64) as usize;

/// An integer that stands for a value of a [`Handles`].
///
/// It has 32 bits for a place in the registry and 32 for a generation, which grows each time that
/// the place gets another value. 0 is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Handle(u64);

impl Handle {
    /// The integer, to be kept by C.
    pub fn to_bits(self) -> u64 {
        self.0
    }

    /// The handle that has this integer, which may be any: one that stands for nothing is not
    /// found.
    pub fn from_bits(bits: u64) -> Handle {
        Handle(bits)
    }

    /// The integer as the `void *` that C libraries pass to callbacks. It points to nothing.
    ///
    /// Where a pointer has less than 64 bits there is no such conversion: there, pass the address
    /// of an integer that outlives the callbacks.
    #[cfg(target_pointer_width = "64")]
    pub fn to_pointer(self) -> *mut std::ffi::c_void {
        std::ptr::without_provenance_mut(self.0 as usize)
    }

    /// The handle that was [made a pointer](Handle::to_pointer).
    #[cfg(target_pointer_width = "64")]
    pub fn from_pointer(pointer: *const std::ffi::c_void) -> Handle {
        Handle(pointer.addr() as u64)
    }

    fn new(slot: usize, shard: usize, generation: u32) -> Handle {
        Handle(u64::from(generation) << 32 | (slot * SHARDS + shard) as u64)
    }

    fn parts(self) -> (usize, usize, u32) {
        let place = (self.0 & u64::from(u32::MAX)) as usize;
        (place / SHARDS, place % SHARDS, (self.0 >> 32) as u32)
    }
}

/// No more values fit in a [`Handles`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are no handles left")]
pub struct HandlesFull;

/// A registry of values that C knows by [`Handle`], for callbacks.
///
/// C keeps a handle instead of a pointer, so that a callback that comes late, after the value was
/// removed, finds nothing instead of freed memory; nor does it find another value, which never has
/// the same handle. It may be used from any thread, also from within its own callbacks, and as a
/// `static`:
///
/// ```
/// use dragnet_boundary::{Handle, Handles};
///
/// static COUNTS: Handles<std::sync::Mutex<u32>> = Handles::new();
///
/// extern "C" fn on_event(handle: u64) {
///     // A late callback for what is gone does nothing.
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
/// A look-up costs a lock that only additions and removals hold up, and a count of references.
/// Memory of removed values is used again; places are never given back to the system.
pub struct Handles<T> {
    shards: [RwLock<Shard<T>>; SHARDS],
    next: AtomicUsize,
}

struct Shard<T> {
    slots: Vec<Slot<T>>,
    /// The slots without a value that may have another one.
    free: Vec<usize>,
}

struct Slot<T> {
    /// That of the value that is here or will be; from 1 on.
    generation: u32,
    value: Option<Arc<T>>,
}

impl<T> Handles<T> {
    /// A registry without values.
    pub const fn new() -> Handles<T> {
        Handles {
            shards: [const { RwLock::new(Shard { slots: Vec::new(), free: Vec::new() }) }; SHARDS],
            next: AtomicUsize::new(0),
        }
    }

    /// Adds a value and returns the handle that stands for it until it is removed.
    ///
    /// # Errors
    ///
    /// If there are as many values as there are places, about 2^32; or a part is full, which may
    /// be a little earlier. The value is dropped.
    pub fn insert(&self, value: T) -> Result<Handle, HandlesFull> {
        let shard = self.next.fetch_add(1, Ordering::Relaxed) % SHARDS;
        let value = Some(Arc::new(value));
        let mut places = self.write(shard);
        if let Some(slot) = places.free.pop()
            && let Some(place) = places.slots.get_mut(slot)
        {
            place.value = value;
            return Ok(Handle::new(slot, shard, place.generation));
        }
        let slot = places.slots.len();
        if slot >= MAX_SLOTS {
            drop(places);
            return Err(HandlesFull);
        }
        places.slots.push(Slot { generation: 1, value });
        Ok(Handle::new(slot, shard, 1))
    }

    /// The value that a handle stands for; `None` if it was removed, or if there never was one. It
    /// lives at least as long as it is held, even if it is removed.
    pub fn get(&self, handle: Handle) -> Option<Arc<T>> {
        let (slot, shard, generation) = handle.parts();
        let places = self.read(shard);
        let place = places.slots.get(slot)?;
        if place.generation == generation { place.value.clone() } else { None }
    }

    /// Runs a function on the value that a handle stands for; `None` if it was removed, or if
    /// there never was one.
    ///
    /// No lock is held meanwhile: the function may use the registry, and even remove the value.
    pub fn with<R>(&self, handle: Handle, function: impl FnOnce(&T) -> R) -> Option<R> {
        self.get(handle).map(|value| function(&value))
    }

    /// Removes the value that a handle stands for, and returns it; `None` if it was removed
    /// before, or if there never was one. Once this returns, no look-up finds it; those that have
    /// may still use it.
    pub fn remove(&self, handle: Handle) -> Option<Arc<T>> {
        let (slot, shard, generation) = handle.parts();
        let mut places = self.write(shard);
        let place = places.slots.get_mut(slot)?;
        if place.generation != generation {
            return None;
        }
        let value = place.value.take()?;
        // A place that has had a value of each generation is not used again: its first handle
        // would come back.
        if let Some(next) = generation.checked_add(1) {
            place.generation = next;
            places.free.push(slot);
        }
        Some(value)
    }

    /// How many values there are. They are counted; it takes as long as there are places.
    pub fn len(&self) -> usize {
        let count = |shard| self.read(shard).slots.iter().filter(|s| s.value.is_some()).count();
        (0..SHARDS).map(count).sum()
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    // No code of a user runs under these locks, so a panic leaves nothing half done.

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
    fn a_place_is_used_again_with_another_handle_until_its_generations_are_used_up() {
        let handles = Handles::new();
        let first = handles.insert(0).unwrap();
        let (slot, shard, generation) = first.parts();
        assert_eq!((slot, generation), (0, 1));
        let again = |value| {
            // The next value in the same part.
            handles.next.store(shard, super::Ordering::Relaxed);
            handles.insert(value).unwrap()
        };
        handles.remove(first).unwrap();
        let second = again(1);
        assert_eq!(second.parts(), (0, shard, 2));

        handles.remove(second).unwrap();
        handles.write(shard).slots[0].generation = u32::MAX;
        let last = again(2);
        assert_eq!(last.parts(), (0, shard, u32::MAX));
        assert_eq!(handles.remove(last).as_deref(), Some(&2));
        // The place is retired: nothing is found there any more, nor put there.
        assert_eq!((handles.get(last), handles.remove(last)), (None, None));
        let other = again(3);
        assert_eq!(other.parts(), (1, shard, 1));
        for generation in [0, 1, 2, u32::MAX] {
            assert_eq!(handles.get(Handle::new(0, shard, generation)), None);
        }
    }

    #[test]
    fn handles_have_a_place_and_a_generation_for_every_integer() {
        for bits in [0, 1, u64::MAX, 1 << 32, (1 << 32) - 1, 0x1234_5678_9abc_def0] {
            let (slot, shard, generation) = Handle::from_bits(bits).parts();
            assert!(shard < SHARDS);
            assert_eq!(Handle::new(slot, shard, generation).to_bits(), bits);
            assert_eq!(Handles::<u8>::new().get(Handle::from_bits(bits)), None);
        }
    }
}
