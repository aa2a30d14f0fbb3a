//! The keys of the states of a lazy DFA: what each state consists of.

use super::hash::mix;

/// The keys of all states, and a hash table that finds the state of a key. Keys are short and many,
/// so they are stored one after the other.
#[derive(Clone, Debug, Default)]
pub(super) struct StateKeys {
    all: Vec<u32>,
    /// By state: where its key ends.
    ends: Vec<u32>,
    /// States, each at the first free slot from the hash of its key on, and [`FREE`] elsewhere. At
    /// least half of the slots are free. Their number is a power of two.
    slots: Vec<u16>,
}

/// A slot without a state.
const FREE: u16 = u16::MAX;

impl StateKeys {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn get(&self, state: u16) -> &[u32] {
        let start = state.checked_sub(1).map_or(0, |before| self.ends[usize::from(before)]);
        &self.all[start as usize..self.ends[usize::from(state)] as usize]
    }

    /// The state with this key.
    pub(super) fn find(&self, key: &[u32]) -> Option<u16> {
        let states = self.probe(key).map(|slot| self.slots[slot]);
        states.take_while(|&state| state != FREE).find(|&state| self.get(state) == key)
    }

    /// Adds the key of the next state. It must be new, and there must be fewer than [`FREE`].
    pub(super) fn add(&mut self, key: &[u32]) {
        let state = self.len() as u16;
        self.all.extend_from_slice(key);
        self.ends.push(self.all.len() as u32);
        if 2 * self.len() > self.slots.len() {
            self.slots = vec![FREE; (4 * self.len()).next_power_of_two()];
            (0..state).for_each(|state| self.insert(state));
        }
        self.insert(state);
    }

    fn insert(&mut self, state: u16) {
        let free = self.probe(self.get(state)).find(|&slot| self.slots[slot] == FREE);
        // Half of the slots are free.
        if let Some(slot) = free {
            self.slots[slot] = state;
        }
    }

    /// The slots at which to look for a key, in this order.
    fn probe(&self, key: &[u32]) -> impl Iterator<Item = usize> + use<> {
        let hash = key.iter().fold(0, |hash, &part| mix(hash, u64::from(part)));
        // The high bits of a product depend on all bits of its factors.
        let (first, count) = ((hash >> 32) as usize, self.slots.len());
        (0..count).map(move |step| (first + step) & (count - 1))
    }

    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        (self.all.capacity() + self.ends.capacity()) * size_of::<u32>()
            + self.slots.capacity() * size_of::<u16>()
    }
}
