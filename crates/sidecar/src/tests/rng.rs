//! Random numbers for hostile peers.

/// A generator of the algorithm SplitMix64. A test session is determined by its seed, unless a thread
/// changes shared memory while it is read.
pub(super) struct Rng(pub(super) u64);

impl Rng {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    /// True with a probability of one in `times`.
    pub(super) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// Three times out of four a number near a boundary value, else any number.
    pub(super) fn edge(&mut self) -> u32 {
        let near = [0, 1, 7, 8, 64, 4096, 1 << 16, 1 << 20, 1 << 31, u32::MAX];
        match self.below(4) {
            0 => self.next() as u32,
            _ => near[self.below(near.len())].wrapping_add(self.below(5) as u32).wrapping_sub(2),
        }
    }

    /// At most `max_len` random bytes.
    pub(super) fn bytes(&mut self, max_len: usize) -> Vec<u8> {
        (0..self.below(max_len + 1)).map(|_| self.next() as u8).collect()
    }
}
