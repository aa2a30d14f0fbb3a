//! The offsets of a record at which matches can start, one bit each.

use std::ops::Range;

/// The longest range of a set, in bytes of the record: its bits take 128 KiB.
pub(super) const MAX_LEN: usize = 1 << 20;

/// A set of offsets within a range.
#[derive(Debug, Default)]
pub(super) struct StartBits {
    bits: Vec<u64>,
    /// The offset of the first bit.
    base: usize,
}

impl StartBits {
    /// Removes all offsets. Those that are inserted from now on must be within `span`, its end included.
    pub(super) fn reset(&mut self, span: Range<usize>) {
        self.base = span.start;
        self.bits.clear();
        self.bits.resize(span.len() / 64 + 1, 0);
    }

    #[inline]
    pub(super) fn insert(&mut self, at: usize) {
        let bit = at - self.base;
        self.bits[bit / 64] |= 1 << (bit % 64);
    }

    /// The first offset from `at` on.
    #[inline]
    pub(super) fn next(&self, at: usize) -> Option<usize> {
        let bit = at - self.base;
        let mut mask = u64::MAX << (bit % 64);
        for (index, &word) in self.bits.iter().enumerate().skip(bit / 64) {
            let rest = word & mask;
            if rest != 0 {
                return Some(self.base + 64 * index + rest.trailing_zeros() as usize);
            }
            mask = u64::MAX;
        }
        None
    }

    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        self.bits.capacity() * size_of::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_range_takes_128_kib() {
        let mut set = StartBits::default();
        set.reset(0..MAX_LEN);
        assert_eq!(set.memory() >> 10, 128);
    }

    #[test]
    fn offsets_are_found_in_order() {
        let mut set = StartBits::default();
        for offsets in [vec![7], vec![7, 8, 70, 71, 135, 199, 200], vec![]] {
            set.reset(7..200);
            offsets.iter().for_each(|&at| set.insert(at));
            for from in 7..=200 {
                assert_eq!(set.next(from), offsets.iter().copied().find(|&at| at >= from));
            }
        }
    }
}
