//! Remembers which lists of choices were tried at which offsets of a record.
//!
//! What was tried once without a match is not tried again, so that backtracking takes time
//! proportional to the record and the pattern ("memoization", as in RE2's `BitState` and the bounded
//! backtracker of `regex_automata`). The bits of a search are cleared before it.

use std::ops::Range;

/// The largest memory for a search, in words: 1 MiB.
const MAX_WORDS: usize = 128 << 10;

/// Which lists were tried at which offsets, and which runs were read.
#[derive(Debug, Default)]
pub(super) struct Memo {
    /// By list, the bits of its offsets.
    tried: Vec<u64>,
    /// The number of words for each list.
    words: usize,
    /// The offset of the first bit.
    base: usize,
    /// By run: see [`Memo::run`].
    runs: Vec<Range<u32>>,
}

impl Memo {
    /// Forgets everything, before a search with `lists` lists and `runs` runs within `span`. Returns
    /// `false` if this needs too much memory.
    pub(super) fn reset(&mut self, lists: usize, runs: usize, span: Range<usize>) -> bool {
        self.words = span.len() / 64 + 1;
        self.base = span.start;
        let Some(words) = self.words.checked_mul(lists).filter(|&words| words <= MAX_WORDS) else {
            return false;
        };
        self.tried.clear();
        self.tried.resize(words, 0);
        self.runs.clear();
        self.runs.resize(runs, 0..0);
        true
    }

    /// Notes that a list is tried at an offset. Returns `false` if it was tried there before.
    #[inline]
    pub(super) fn insert(&mut self, list: u16, at: usize) -> bool {
        let bit = at - self.base;
        let word = &mut self.tried[usize::from(list) * self.words + bit / 64];
        let is_new = *word >> (bit % 64) & 1 == 0;
        *word |= 1 << (bit % 64);
        is_new
    }

    /// The last offset within `low..=high` where a list was not tried.
    pub(super) fn last_untried(&self, list: u16, low: usize, high: usize) -> Option<usize> {
        let bits = self.bits(list);
        let (low, high) = (low - self.base, high - self.base);
        let mut mask = u64::MAX >> (63 - high % 64);
        for index in (low / 64..=high / 64).rev() {
            let untried = !bits[index] & mask;
            if untried != 0 {
                let bit = 64 * index + 63 - untried.leading_zeros() as usize;
                return (bit >= low).then_some(self.base + bit);
            }
            mask = u64::MAX;
        }
        None
    }

    /// The first offset within `low..=high` where a list was not tried.
    pub(super) fn first_untried(&self, list: u16, low: usize, high: usize) -> Option<usize> {
        let bits = self.bits(list);
        let (low, high) = (low - self.base, high - self.base);
        let mut mask = u64::MAX << (low % 64);
        for (index, &tried) in bits.iter().enumerate().take(high / 64 + 1).skip(low / 64) {
            let untried = !tried & mask;
            if untried != 0 {
                let bit = 64 * index + untried.trailing_zeros() as usize;
                return (bit <= high).then_some(self.base + bit);
            }
            mask = u64::MAX;
        }
        None
    }

    /// The bytes that are known to be of a run's class. The one after them is not, or ends the search.
    #[inline]
    pub(super) fn run(&self, run: usize) -> Range<usize> {
        let Range { start, end } = self.runs[run];
        start as usize..end as usize
    }

    pub(super) fn set_run(&mut self, run: usize, known: Range<usize>) {
        self.runs[run] = known.start as u32..known.end as u32;
    }

    fn bits(&self, list: u16) -> &[u64] {
        &self.tried[usize::from(list) * self.words..][..self.words]
    }

    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        self.tried.capacity() * size_of::<u64>() + self.runs.capacity() * size_of::<Range<u32>>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn untried_offsets_are_those_not_inserted() {
        let mut memo = Memo::default();
        assert!(memo.reset(2, 0, 10..400));
        assert_eq!(memo.last_untried(1, 20, 400), Some(400));
        let inserted = [10, 11, 73, 74, 75, 137, 138, 300, 399, 400];
        assert!(inserted.into_iter().all(|at| memo.insert(1, at)));
        assert!(!inserted.into_iter().any(|at| memo.insert(1, at)));
        let is_new = |at: &usize| !inserted.contains(at);
        for low in 10..=400 {
            for high in low..=400 {
                assert_eq!(memo.last_untried(1, low, high), (low..=high).rev().find(is_new));
                assert_eq!(memo.first_untried(1, low, high), (low..=high).find(is_new));
            }
        }
        assert!((10..=400).all(|at| memo.insert(0, at)));
        assert!(!memo.reset(1 << 10, 0, 0..1 << 20));
    }
}
