//! Few literals: nibble masks over four bytes, a whole vector of positions at a time.
//!
//! The algorithm is Teddy, from Hyperscan, with sixteen buckets; see the README in this folder.

use std::ops::Range;

use super::super::literal::{Literal, rank};
use super::Candidate;
use super::arch::{self, Level, Vector};
use super::index::{Hits, Index, List, Place};
use super::strings::Strings;

/// How many bytes of a literal are looked at.
pub(super) const WINDOW: usize = 4;
/// How many groups of literals are told apart: two bytes of bits, one bit each.
const BUCKETS: usize = 16;

/// For one byte of the window: which buckets a low nibble and a high nibble leave possible, for
/// the first eight buckets and the others.
#[derive(Clone, Debug, Default)]
pub(super) struct Masks {
    pub(super) low: [[u8; 16]; 2],
    pub(super) high: [[u8; 16]; 2],
}

/// A few literals arranged for searching.
#[derive(Debug)]
pub(super) struct Teddy {
    masks: [Masks; WINDOW],
    literals: usize,
    index: Index,
    frequency: f64,
}

impl Teddy {
    pub(super) fn new(numbers: &[u32], literals: &[Literal]) -> Teddy {
        let mut windows: Vec<(Nibbles, Place)> =
            numbers.iter().map(|&number| window(number, &literals[number as usize])).collect();
        // The frequent ones first: the others are put where they do the least harm.
        windows.sort_by(|a, b| b.0.frequency().total_cmp(&a.0.frequency()));
        let mut sets: [Option<Nibbles>; BUCKETS] = [const { None }; BUCKETS];
        for (nibbles, _) in &windows {
            let harm = |set: &Option<Nibbles>| match set {
                Some(set) => set.join(nibbles).frequency() - set.frequency(),
                None => nibbles.frequency(),
            };
            let best = (0..BUCKETS)
                .min_by(|&a, &b| harm(&sets[a]).total_cmp(&harm(&sets[b])))
                .unwrap_or(0);
            sets[best] = Some(match &sets[best] {
                Some(set) => set.join(nibbles),
                None => *nibbles,
            });
        }
        let mut masks: [Masks; WINDOW] = Default::default();
        for (bucket, set) in sets.iter().enumerate() {
            let Some(set) = set else { continue };
            let (half, bit) = (bucket / 8, 1 << (bucket % 8));
            for (masks, (low, high)) in masks.iter_mut().zip(set.0) {
                for nibble in 0..16 {
                    masks.low[half][nibble] |= if low >> nibble & 1 != 0 { bit } else { 0 };
                    masks.high[half][nibble] |= if high >> nibble & 1 != 0 { bit } else { 0 };
                }
            }
        }
        let frequency = sets.iter().flatten().map(Nibbles::frequency).sum();
        let places: Vec<Place> = windows.iter().map(|(_, place)| *place).collect();
        let index = Index::new(WINDOW, &places, literals);
        Teddy { masks, literals: numbers.len(), index, frequency }
    }

    /// How many candidates are expected for each byte of ordinary text.
    pub(super) fn frequency(&self) -> f64 {
        self.frequency
    }

    pub(super) fn literals(&self) -> usize {
        self.literals
    }

    pub(super) fn memory(&self) -> usize {
        size_of_val(&self.masks) + self.index.memory()
    }

    pub(super) fn find(
        &self,
        level: Level,
        buffer: &[u8],
        range: Range<usize>,
        strings: &Strings,
        out: &mut Vec<Candidate>,
    ) {
        let mut check = |hits: &[Hits]| {
            self.index.check(buffer, hits, 1, strings, out);
        };
        arch::teddy(level, &self.masks, buffer, range, &mut check);
    }
}

/// For each byte of a window the set of its low nibbles and that of its high ones, as bits.
#[derive(Clone, Copy, Debug)]
struct Nibbles([(u16, u16); WINDOW]);

impl Nibbles {
    fn join(&self, other: &Nibbles) -> Nibbles {
        let mut joined = *self;
        for (mine, theirs) in joined.0.iter_mut().zip(other.0) {
            *mine = (mine.0 | theirs.0, mine.1 | theirs.1);
        }
        joined
    }

    /// How often a window is expected at which every byte has a nibble of each set.
    fn frequency(&self) -> f64 {
        let byte = |&(low, high): &(u16, u16)| -> f64 {
            if low == u16::MAX && high == u16::MAX {
                return 1.0;
            }
            let mut sum = 0.0;
            for h in (0..16).filter(|h| high >> h & 1 != 0) {
                for l in (0..16).filter(|l| low >> l & 1 != 0) {
                    sum += rank::value(h << 4 | l);
                }
            }
            sum
        };
        self.0.iter().map(byte).product()
    }
}

/// The rarest window of a literal.
fn window(number: u32, literal: &Literal) -> (Nibbles, Place) {
    let len = literal.len().min(WINDOW);
    let nibbles = |offset: usize| {
        let mut all = [(u16::MAX, u16::MAX); WINDOW];
        for (pair, cube) in all.iter_mut().zip(&literal.cubes()[offset..offset + len]) {
            *pair = (0, 0);
            for b in cube.values() {
                pair.0 |= 1 << (b & 15);
                pair.1 |= 1 << (b >> 4);
            }
        }
        Nibbles(all)
    };
    let (offset, nibbles) = (0..=literal.len() - len)
        .map(|offset| (offset, nibbles(offset)))
        .min_by(|a, b| a.1.frequency().total_cmp(&b.1.frequency()))
        .unwrap_or((0, Nibbles([(0, 0); WINDOW])));
    (nibbles, Place { literal: number, offset: offset as u32 })
}

/// Calls `check` with the positions in `range` where some bucket is possible, some at a time and
/// in order.
///
/// # Safety
///
/// The instructions of `V` must be there.
#[inline(always)]
pub(super) unsafe fn find<V: Vector>(
    masks: &[Masks; WINDOW],
    buffer: &[u8],
    range: Range<usize>,
    check: &mut impl FnMut(&[Hits]),
) {
    // SAFETY: the caller promises the instructions; slices are as long as what is read of them.
    unsafe {
        let tables: Tables<V> = [
            tables_of(&masks[0]),
            tables_of(&masks[1]),
            tables_of(&masks[2]),
            tables_of(&masks[3]),
        ];
        let mut list = List::default();
        let mut at = range.start;
        while at < range.end {
            let mut rest;
            // As far as the last byte of the window at the vector's last position.
            let bytes = match buffer.get(at..at + V::BYTES + WINDOW - 1) {
                Some(bytes) => bytes,
                None => {
                    // The end of the buffer, with zeros behind it.
                    rest = [0; 2 * arch::MAX_BYTES];
                    rest[..buffer.len() - at].copy_from_slice(&buffer[at..]);
                    &rest[..V::BYTES + WINDOW - 1]
                }
            };
            let (first, second) = hits::<V>(&tables, bytes);
            let mut bits = first.or(second).nonzero();
            let left = range.end - at;
            if left < V::BYTES {
                bits &= (1 << left) - 1;
            }
            list.push(at, bits, check);
            at += V::BYTES;
        }
        list.flush(check);
    }
}

/// For each byte of the window, and each half of the buckets: the tables of low and high nibbles.
type Tables<V> = [[(V, V); 2]; WINDOW];

// No closures from here on: they would not be compiled for the caller's instructions.

#[inline(always)]
pub(super) unsafe fn tables_of<V: Vector>(masks: &Masks) -> [(V, V); 2] {
    // SAFETY: as for `find`.
    unsafe {
        [
            (V::repeat(&masks.low[0]), V::repeat(&masks.high[0])),
            (V::repeat(&masks.low[1]), V::repeat(&masks.high[1])),
        ]
    }
}

/// The buckets that are possible at each of a vector's positions: the first eight, the others.
#[inline(always)]
unsafe fn hits<V: Vector>(tables: &Tables<V>, bytes: &[u8]) -> (V, V) {
    // SAFETY: as for `find`; `bytes` has a whole vector behind each offset into the window.
    unsafe {
        let (mut first, mut second) = one(&tables[0], &bytes[..V::BYTES]);
        let mut index = 1;
        while index < WINDOW {
            let (a, b) = one(&tables[index], &bytes[index..index + V::BYTES]);
            (first, second) = (first.and(a), second.and(b));
            index += 1;
        }
        (first, second)
    }
}

/// The buckets that one byte of the window leaves possible.
#[inline(always)]
pub(super) unsafe fn one<V: Vector>(tables: &[(V, V); 2], bytes: &[u8]) -> (V, V) {
    // SAFETY: as for `find`.
    unsafe {
        let bytes = V::load(bytes);
        let (low, high) = (bytes.low_nibbles(), bytes.high_nibbles());
        let [(a_low, a_high), (b_low, b_high)] = *tables;
        (a_low.lookup(low).and(a_high.lookup(high)), b_low.lookup(low).and(b_high.lookup(high)))
    }
}

/// As [`find`], for machines without vectors: one position at a time, by whole bytes.
pub(super) fn find_scalar(
    masks: &[Masks; WINDOW],
    buffer: &[u8],
    range: Range<usize>,
    check: &mut impl FnMut(&[Hits]),
) {
    const BLOCK: usize = 64;
    let mut tables = [[0u16; 256]; WINDOW];
    for (table, m) in tables.iter_mut().zip(masks) {
        for (byte, buckets) in table.iter_mut().enumerate() {
            let half = |h: usize| m.low[h][byte & 15] & m.high[h][byte >> 4];
            *buckets = u16::from_le_bytes([half(0), half(1)]);
        }
    }
    let [a, b, c, d] = &tables;
    let mut list = List::default();
    for first in range.clone().step_by(BLOCK) {
        let mut rest = [0; BLOCK + WINDOW - 1];
        // In a length that the compiler knows, so that nothing is checked for each position.
        let bytes = match buffer[first..].first_chunk() {
            Some(bytes) => bytes,
            None => {
                // The end of the buffer, with zeros behind it.
                rest[..buffer.len() - first].copy_from_slice(&buffer[first..]);
                &rest
            }
        };
        let mut bits = 0;
        for index in 0..BLOCK {
            let byte = |next: usize| usize::from(bytes[index + next]);
            let buckets = a[byte(0)] & b[byte(1)] & c[byte(2)] & d[byte(3)];
            bits |= u64::from(buckets != 0) << index;
        }
        let left = range.end - first;
        if left < BLOCK {
            bits &= (1 << left) - 1;
        }
        list.push(first, bits, check);
    }
    list.flush(check);
}
