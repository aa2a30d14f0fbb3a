//! Positions that a pass leaves, buffered until there are enough to check together.
//!
//! About one position in a hundred passes, and which one is as good as random. A branch on that
//! would be mispredicted each time, which costs as much as passing over twenty positions, so hits
//! are appended without one: the word is always stored, and the length grows if it is not zero.

/// Positions that passed: bit `i` of `bits` is the position `at + i * stride`, where the stride
/// is that of the pass.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct HitWord {
    pub(super) at: u32,
    pub(super) bits: u64,
}

/// The number of words that are checked together.
const CAPACITY: usize = 32;

/// Collects [`HitWord`]s until there are enough to check.
#[derive(Default)]
pub(super) struct HitBuffer {
    words: [HitWord; CAPACITY],
    len: usize,
}

impl HitBuffer {
    /// Adds the hits of one word, if there are any, and calls `check` with all words if the buffer
    /// is full. There is no branch on `bits`.
    #[inline(always)]
    pub(super) fn push(&mut self, at: usize, bits: u64, check: &mut impl FnMut(&[HitWord])) {
        // The cast is lossless, since buffers are shorter than 2^32 bytes. The remainder tells the
        // compiler that the index is in range; a full buffer is flushed below.
        self.words[self.len % CAPACITY] = HitWord { at: at as u32, bits };
        self.len += usize::from(bits != 0);
        if self.len == CAPACITY {
            self.flush(check);
        }
    }

    /// Calls `check` with the words that are left.
    #[inline(always)]
    pub(super) fn flush(&mut self, check: &mut impl FnMut(&[HitWord])) {
        check(&self.words[..self.len]);
        self.len = 0;
    }
}
