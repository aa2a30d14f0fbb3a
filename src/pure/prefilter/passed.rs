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

/// The largest number of positions that [`for_each_chunk`] passes on at once.
pub(super) const MAX_CHUNK: usize = CHUNK + 64;
/// The number of positions from which on they are passed on, enough to amortize the start-up of
/// loops over them.
const CHUNK: usize = 64;
/// The number of positions that are stored at once. Most words have fewer bits, and one round does.
const STEP: usize = 4;

/// Calls `check` with all positions of `passed`, in order and in chunks of at most [`MAX_CHUNK`].
/// Positions are `stride` bytes apart within a word.
#[inline(always)]
pub(super) fn for_each_chunk(
    passed: &[PassedWord],
    stride: usize,
    mut check: impl FnMut(&mut [u32]),
) {
    // Rounded up to a step.
    let mut positions = [0; MAX_CHUNK + STEP];
    let mut count = 0;
    for &PassedWord { at, mut bits } in passed {
        // Always stores a multiple of `STEP` positions; those beyond the last bit are garbage that
        // the next word overwrites.
        let end = count + bits.count_ones() as usize;
        while count < end {
            for position in &mut positions[count..count + STEP] {
                *position = at.wrapping_add(bits.trailing_zeros() * stride as u32);
                bits &= bits.wrapping_sub(1);
            }
            count += STEP;
        }
        count = end;
        if count >= CHUNK {
            check(&mut positions[..count]);
            count = 0;
        }
    }
    check(&mut positions[..count]);
}

/// Moves the items that pass to the front and returns their number, without branches.
#[inline(always)]
pub(super) fn retain<T: Copy>(items: &mut [T], passes: impl Fn(T) -> bool) -> usize {
    let mut kept = 0;
    for index in 0..items.len() {
        let item = items[index];
        items[kept] = item;
        kept += usize::from(passes(item));
    }
    kept
}
