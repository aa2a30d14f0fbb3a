//! Sets of bytes as pairs of 16-entry tables, which a vector processor looks up 16 at a time.
//!
//! A shuffle instruction (`pshufb`, `tbl`, `swizzle`) is a lookup in a table of 16 entries. A byte
//! has 256 values, so it is split into two nibbles, each with a table of its own; an entry has one
//! bit for each of up to eight sets, and the `and` of both entries has a bit for each set that the
//! byte may be in. The answer may include a set that the byte is not in. Teddy uses the sets as
//! buckets of literals and checks what passes; [`byte_class`](super::byte_class) spreads one set
//! over sixteen bits, with which the answer is exact.

use crate::simd::Vector;

/// The tables for one position of a window: which of 16 sets each nibble may belong to. The first
/// index is 0 for the first eight sets and 1 for the others.
#[derive(Clone, Debug, Default)]
pub(super) struct NibbleMasks {
    pub(super) low: [[u8; 16]; 2],
    pub(super) high: [[u8; 16]; 2],
}

impl NibbleMasks {
    /// The first eight sets that `byte` may be in, and the others.
    pub(super) fn sets(&self, byte: u8) -> [u8; 2] {
        let (low, high) = (usize::from(byte & 15), usize::from(byte >> 4));
        [0, 1].map(|half| self.low[half][low] & self.high[half][high])
    }
}

/// The tables in vectors: for each half of the sets, those of the low and of the high nibbles.
#[derive(Clone, Copy)]
pub(super) struct NibbleTables<V>([(V, V); 2]);

impl<V: Vector> NibbleTables<V> {
    #[inline(always)]
    pub(super) fn new(token: V::Token, masks: &NibbleMasks) -> NibbleTables<V> {
        NibbleTables([
            (V::broadcast16(token, &masks.low[0]), V::broadcast16(token, &masks.high[0])),
            (V::broadcast16(token, &masks.low[1]), V::broadcast16(token, &masks.high[1])),
        ])
    }

    /// For each byte of `bytes`, the first eight sets that it may be in, and the others. With
    /// `HALVES` = 1 the others are not looked up, and the first are returned twice.
    #[inline(always)]
    pub(super) fn lookup<const HALVES: usize>(&self, bytes: V) -> (V, V) {
        let (low, high) = (bytes.low_nibbles(), bytes.high_nibbles());
        let [(a_low, a_high), (b_low, b_high)] = self.0;
        let first = a_low.lookup(low).and(a_high.lookup(high));
        if HALVES == 1 {
            return (first, first);
        }
        (first, b_low.lookup(low).and(b_high.lookup(high)))
    }
}
