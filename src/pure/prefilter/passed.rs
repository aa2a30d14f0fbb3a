//! Positions that pass Teddy or the q-gram table, buffered until there are enough to check
//! together.
//!
//! About one position in a hundred passes, at random. A branch on whether one does would be
//! mispredicted each time, which costs as much as twenty positions that don't pass. So positions
//! are appended without a branch: a word of them is always stored, and the length of the buffer
//! grows only if the word is not zero.

/// Positions that passed: bit `i` of `bits` stands for position `at + i * stride` of the buffer,
/// where `stride` is that of the pass.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PassedWord {
    pub(super) at: u32,
    pub(super) bits: u64,
}

/// The number of words that are checked together.
const CAPACITY: usize = 32;

/// Collects [`PassedWord`]s until there are enough to check.
#[derive(Default)]
pub(super) struct PassedBuffer {
    words: [PassedWord; CAPACITY],
    len: usize,
}

impl PassedBuffer {
    /// Adds the positions of one word, if there are any, and calls `check` with all words if the
    /// buffer is full. There is no branch on `bits`.
    #[inline(always)]
    pub(super) fn push(&mut self, at: usize, bits: u64, check: &mut impl FnMut(&[PassedWord])) {
        // The cast is lossless, since buffers are shorter than 2^32 bytes. The remainder proves
        // to the compiler that the index is in range; a full buffer is flushed below.
        self.words[self.len % CAPACITY] = PassedWord { at: at as u32, bits };
        self.len += usize::from(bits != 0);
        if self.len == CAPACITY {
            self.flush(check);
        }
    }

    /// Calls `check` with the remaining words.
    #[inline(always)]
    pub(super) fn flush(&mut self, check: &mut impl FnMut(&[PassedWord])) {
        check(&self.words[..self.len]);
        self.len = 0;
    }
}
