//! Few literals: nibble masks over four bytes, a whole vector of positions at a time.
//!
//! The algorithm is Teddy, from Hyperscan, with sixteen buckets; see the README in this folder.

use std::ops::Range;

use super::super::literal::{Literal, rank};
use super::arch::{self, Level, Vector};
use super::index::{Hits, Index, List, Place};
use super::strings::Strings;
use super::{CHECK_COST, Candidate};

/// The most bytes of a literal that are looked at.
pub(super) const WINDOW: usize = 4;
/// How many groups of literals are told apart in each half: a byte of bits.
const HALF: usize = 8;
/// The most literals for which it is tried to do without the second half.
const MAX_HALF: usize = 64;

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
    /// How many bytes of the window any literal has.
    bytes: usize,
    /// How many halves of the masks are in use.
    halves: usize,
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
        let bytes = numbers.iter().map(|&n| literals[n as usize].len()).max().unwrap_or(1);
        let bytes = bytes.min(WINDOW);
        let mut sets = buckets(&windows, 2 * HALF);
        let mut frequency = sets.iter().map(Nibbles::frequency).sum();
        let mut halves = sets.len().div_ceil(HALF);
        if halves > 1 && numbers.len() <= MAX_HALF {
            let fewer = buckets(&windows, HALF);
            let more = fewer.iter().map(Nibbles::frequency).sum();
            if part(bytes, 1) + CHECK_COST * more < part(bytes, 2) + CHECK_COST * frequency {
                (sets, frequency, halves) = (fewer, more, 1);
            }
        }
        let mut masks: [Masks; WINDOW] = Default::default();
        for (bucket, set) in sets.iter().enumerate() {
            let (half, bit) = (bucket / HALF, 1 << (bucket % HALF));
            for (masks, (low, high)) in masks.iter_mut().zip(set.0) {
                for nibble in 0..16 {
                    masks.low[half][nibble] |= if low >> nibble & 1 != 0 { bit } else { 0 };
                    masks.high[half][nibble] |= if high >> nibble & 1 != 0 { bit } else { 0 };
                }
            }
        }
        let places: Vec<Place> = windows.iter().map(|(_, place)| *place).collect();
        let index = Index::new(WINDOW, &places, literals);
        Teddy { masks, bytes, halves, literals: numbers.len(), index, frequency }
    }

    /// What part of all masks a pass uses.
    pub(super) fn part(&self) -> f64 {
        part(self.bytes, self.halves)
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
        let check = &mut check;
        match (self.bytes, self.halves) {
            (1 | 2, 1) => arch::teddy::<2, 1>(level, &self.masks, buffer, range, check),
            (1 | 2, _) => arch::teddy::<2, 2>(level, &self.masks, buffer, range, check),
            (3, 1) => arch::teddy::<3, 1>(level, &self.masks, buffer, range, check),
            (3, _) => arch::teddy::<3, 2>(level, &self.masks, buffer, range, check),
            (_, 1) => arch::teddy::<4, 1>(level, &self.masks, buffer, range, check),
            (_, _) => arch::teddy::<4, 2>(level, &self.masks, buffer, range, check),
        }
    }
}

fn part(bytes: usize, halves: usize) -> f64 {
    (bytes.max(2) * halves) as f64 / (2 * WINDOW) as f64
}

/// Puts windows into buckets, each where it adds the least to the number of candidates.
fn buckets(windows: &[(Nibbles, Place)], count: usize) -> Vec<Nibbles> {
    let mut sets: Vec<(Nibbles, f64)> = Vec::new();
    for (nibbles, _) in windows {
        if sets.len() < count {
            sets.push((*nibbles, nibbles.frequency()));
            continue;
        }
        let joined = |(set, frequency): &(Nibbles, f64)| {
            let set = set.join(nibbles);
            let joined = set.frequency();
            (joined - frequency, (set, joined))
        };
        let harms = sets.iter().map(joined).enumerate();
        if let Some((bucket, (_, set))) = harms.min_by(|a, b| a.1.0.total_cmp(&b.1.0)) {
            sets[bucket] = set;
        }
    }
    sets.into_iter().map(|(set, _)| set).collect()
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
/// in order. It looks at the first `LEN` bytes of windows and the first `HALVES` of the masks.
///
/// # Safety
///
/// The instructions of `V` must be there.
#[inline(always)]
pub(super) unsafe fn find<V: Vector, const LEN: usize, const HALVES: usize>(
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
        // As far as the last byte of the window at the vector's last position.
        let reach = V::BYTES + LEN - 1;
        while at + V::BYTES <= range.end
            && let Some(bytes) = buffer.get(at..at + reach)
        {
            list.push(at, hits::<V, LEN, HALVES>(&tables, bytes), check);
            at += V::BYTES;
        }
        while at < range.end {
            // The end of the range, and of the buffer perhaps, with zeros behind that.
            let mut rest = [0; 2 * arch::MAX_BYTES];
            let len = reach.min(buffer.len() - at);
            rest[..len].copy_from_slice(&buffer[at..at + len]);
            let mut bits = hits::<V, LEN, HALVES>(&tables, &rest[..reach]);
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

/// At which of a vector's positions some bucket is possible.
#[inline(always)]
unsafe fn hits<V: Vector, const LEN: usize, const HALVES: usize>(
    tables: &Tables<V>,
    bytes: &[u8],
) -> u64 {
    // SAFETY: as for `find`; `bytes` has a whole vector behind each offset into the window.
    unsafe {
        let (mut first, mut second) = one::<V, HALVES>(&tables[0], &bytes[..V::BYTES]);
        let mut index = 1;
        while index < LEN {
            let (a, b) = one::<V, HALVES>(&tables[index], &bytes[index..index + V::BYTES]);
            (first, second) = (first.and(a), second.and(b));
            index += 1;
        }
        if HALVES == 1 { first.nonzero() } else { first.or(second).nonzero() }
    }
}

/// The buckets that one byte of the window leaves possible: the first eight, and the others or, if
/// those are not in use, the first again.
#[inline(always)]
pub(super) unsafe fn one<V: Vector, const HALVES: usize>(
    tables: &[(V, V); 2],
    bytes: &[u8],
) -> (V, V) {
    // SAFETY: as for `find`.
    unsafe {
        let bytes = V::load(bytes);
        let (low, high) = (bytes.low_nibbles(), bytes.high_nibbles());
        let [(a_low, a_high), (b_low, b_high)] = *tables;
        let first = a_low.lookup(low).and(a_high.lookup(high));
        if HALVES == 1 {
            return (first, first);
        }
        (first, b_low.lookup(low).and(b_high.lookup(high)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_as_frequent_as_the_bytes_that_have_its_nibbles() {
        let some = |low: u16, high: u16| -> f64 {
            let fits = |&b: &u8| low >> (b & 15) & 1 != 0 && high >> (b >> 4) & 1 != 0;
            (0..=u8::MAX).filter(fits).map(rank::value).sum()
        };
        let sets = [(1 << 1, 1 << 6), (0b1001_0000_0110, 0b1100_1000), (1, u16::MAX), (6, 0xFF)];
        let (found, each) = (Nibbles(sets).frequency(), sets.map(|(low, high)| some(low, high)));
        let expected: f64 = each.iter().product();
        assert!(expected > 0.0 && (found / expected - 1.0).abs() < 1e-9, "{found} {expected}");
        assert_eq!(Nibbles([sets[0], sets[1], sets[2], (0, 0xFF)]).frequency(), 0.0);
        for &(low, high) in &sets {
            let mut others = [(u16::MAX, u16::MAX); WINDOW];
            others[2] = (low, high);
            let (found, expected) = (Nibbles(others).frequency(), some(low, high));
            assert!(expected > 0.0 && (found / expected - 1.0).abs() < 1e-9, "{found} {expected}");
        }
        assert_eq!(Nibbles([(u16::MAX, u16::MAX); WINDOW]).frequency(), 1.0);
    }
}
