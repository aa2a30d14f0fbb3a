//! Sets of positions, as the bits of a fixed number of machine words.

use std::ops::{BitAnd, BitAndAssign, BitOr, BitOrAssign, Not};

/// Calls `$each` with the index of each word. Unlike an iterator, this loop is as fast in builds with
/// few optimizations, in which the tests of large patterns take most of their time here.
macro_rules! for_words {
    ($index:ident => $each:expr) => {
        let mut $index = 0;
        while $index < N {
            $each;
            $index += 1;
        }
    };
}

/// A set of positions. Position `p` is bit `p % 64` of word `p / 64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bits<const N: usize>([u64; N]);

impl<const N: usize> Bits<N> {
    pub(super) const EMPTY: Bits<N> = Bits([0; N]);

    pub(super) fn single(position: usize) -> Bits<N> {
        let mut bits = Bits::EMPTY;
        bits.insert(position);
        bits
    }

    #[inline(always)]
    pub(super) fn insert(&mut self, position: usize) {
        self.0[position / 64] |= 1 << (position % 64);
    }

    pub(super) fn remove(&mut self, position: usize) {
        self.0[position / 64] &= !(1 << (position % 64));
    }

    #[inline(always)]
    pub(super) fn contains(&self, position: usize) -> bool {
        self.0[position / 64] >> (position % 64) & 1 != 0
    }

    #[inline(always)]
    pub(super) fn is_empty(&self) -> bool {
        let mut all = 0;
        for_words!(index => all |= self.0[index]);
        all == 0
    }

    #[inline(always)]
    pub(super) fn intersects(self, other: Bits<N>) -> bool {
        let mut all = 0;
        for_words!(index => all |= self.0[index] & other.0[index]);
        all != 0
    }

    /// The set in which each position is replaced by the one after it. The last bit must not be
    /// set.
    #[inline(always)]
    pub(super) fn shifted(self) -> Bits<N> {
        let mut shifted = self;
        let mut carry = 0;
        for_words!(index => {
            shifted.0[index] = self.0[index] << 1 | carry;
            carry = self.0[index] >> 63;
        });
        shifted
    }

    /// Calls `each` with the positions, ascending.
    #[inline(always)]
    pub(super) fn for_each(self, mut each: impl FnMut(usize)) {
        for_words!(index => {
            let mut word = self.0[index];
            while word != 0 {
                each(64 * index + word.trailing_zeros() as usize);
                word &= word - 1;
            }
        });
    }

    /// The positions, ascending.
    #[inline(always)]
    pub(super) fn iter(self) -> impl Iterator<Item = usize> {
        self.0.into_iter().enumerate().flat_map(|(index, mut word)| {
            std::iter::from_fn(move || {
                let bit = word.trailing_zeros() as usize;
                (word != 0).then(|| {
                    word &= word - 1;
                    64 * index + bit
                })
            })
        })
    }
}

impl<const N: usize> BitAnd for Bits<N> {
    type Output = Bits<N>;

    #[inline(always)]
    fn bitand(mut self, other: Bits<N>) -> Bits<N> {
        self &= other;
        self
    }
}

impl<const N: usize> BitOr for Bits<N> {
    type Output = Bits<N>;

    #[inline(always)]
    fn bitor(mut self, other: Bits<N>) -> Bits<N> {
        self |= other;
        self
    }
}

impl<const N: usize> BitAndAssign for Bits<N> {
    #[inline(always)]
    fn bitand_assign(&mut self, other: Bits<N>) {
        for_words!(index => self.0[index] &= other.0[index]);
    }
}

impl<const N: usize> BitOrAssign for Bits<N> {
    #[inline(always)]
    fn bitor_assign(&mut self, other: Bits<N>) {
        for_words!(index => self.0[index] |= other.0[index]);
    }
}

impl<const N: usize> Not for Bits<N> {
    type Output = Bits<N>;

    #[inline(always)]
    fn not(mut self) -> Bits<N> {
        for_words!(index => self.0[index] = !self.0[index]);
        self
    }
}
