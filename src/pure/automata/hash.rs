//! A fast hash for tables whose keys are a few words. The standard hasher took most of the time to make an NFA, and
//! a twentieth of that of first passes that make many programs. It withstands attackers who choose keys. Here these
//! would be the authors of the patterns, and all they gain are some thousand keys in one slot, while their own
//! automata are built.

use std::hash::Hasher;

/// Mixes the bits of a number into a hash: multiplication with an odd constant (the golden ratio),
/// as in Fibonacci hashing.
pub(super) fn mix(hash: u64, value: u64) -> u64 {
    (hash.rotate_left(5) ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// Hashes with [`mix`].
#[derive(Default)]
pub(super) struct Mixer(u64);

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        for word in bytes.chunks(8) {
            let mut padded = [0; 8];
            padded[..word.len()].copy_from_slice(word);
            self.write_u64(u64::from_ne_bytes(padded));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = mix(self.0, word);
    }

    fn finish(&self) -> u64 {
        // The table takes the lowest bits, which depend on the lowest bits of the words alone.
        self.0.rotate_left(26)
    }
}
