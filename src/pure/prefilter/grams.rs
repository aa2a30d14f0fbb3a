//! Many literals: a table of the grams that they contain, three bytes and the one behind, asked at
//! every position, or at every second, third or fourth where the literals are long enough.

use std::collections::HashMap;
use std::ops::Range;

use super::super::literal::{Cube, Literal, rank};
use super::Candidate;
use super::arch::{self, Level, MAX_BYTES, Vector};
use super::index::{Hits, Index, List, Place};
use super::strings::Strings;

/// The length of a gram. The byte behind it is asked for as well, if the literal has one there.
pub(super) const WINDOW: usize = 3;
/// The largest distance between positions that are looked at.
pub(super) const MAX_STRIDE: usize = 4;
/// Sets the bit that tells the cases of a letter apart, in each byte of a gram.
const FOLD: u32 = 0x2020_2020;

/// How many positions are looked at before the candidates among them are: bits of a word.
const BLOCK: usize = 64;

/// The largest stride at which each of the literals has a gram at every phase.
pub(super) fn stride(numbers: &[u32], literals: &[Literal]) -> usize {
    let shortest = numbers.iter().map(|&n| literals[n as usize].len()).min().unwrap_or(WINDOW);
    (shortest + 1 - WINDOW).min(MAX_STRIDE)
}

/// Literals of three bytes or more.
#[derive(Debug)]
pub(super) struct Grams {
    table: Table,
    stride: usize,
    literals: usize,
    /// How many positions in one are expected to pass.
    frequency: f64,
    index: Index,
}

/// For each hash of a gram, which bytes may follow: one bit for each value of their low five bits.
#[derive(Debug)]
pub(super) struct Table {
    /// As many as there are hashes: a power of two.
    words: Box<[u32]>,
    /// How far a hash is shifted right.
    shift: u32,
}

impl Table {
    /// A table for this many grams.
    fn new(grams: usize) -> Table {
        // At most one bit in a thousand, as long as that fits into any first-level cache; with
        // more grams, what false ones cost is more than a load from the second level does.
        let bits = match grams {
            0..=512 => (32 * grams).next_power_of_two().ilog2().clamp(9, 13),
            513..=4096 => 15,
            _ => 16,
        };
        Table { words: vec![0; 1 << bits].into(), shift: 32 - bits }
    }

    /// The word for a gram in the low three bytes.
    #[inline(always)]
    fn word(&self, gram: u32) -> usize {
        ((gram | FOLD).wrapping_mul(FACTOR) >> self.shift) as usize
    }

    #[inline(always)]
    fn contains(&self, bytes: u32) -> bool {
        // The shift makes it less than there are words.
        self.words[self.word(bytes)] >> (bytes >> 24 & 31) & 1 != 0
    }
}

/// Fibonacci hashing: the high bits depend on all of the gram. The factor is shifted by a byte,
/// which shifts the fourth byte out of the product.
const FACTOR: u32 = 0x9E37_79B1 << 8;

impl Grams {
    pub(super) fn new(numbers: &[u32], literals: &[Literal]) -> Grams {
        Grams::with_stride(numbers, literals, stride(numbers, literals))
    }

    pub(super) fn with_stride(numbers: &[u32], literals: &[Literal], stride: usize) -> Grams {
        let (places, frequency) = choose(numbers, literals, stride);
        let mut table = Table::new(places.len());
        for place in &places {
            let cubes = &literals[place.literal as usize].cubes()[place.offset as usize..];
            let word = table.word(gram(cubes));
            table.words[word] |= match cubes.get(WINDOW) {
                // Low five bits don't depend on the case.
                Some(cube) => 1 << (cube.value & 31),
                None => u32::MAX,
            };
        }
        let index = Index::new(WINDOW + 1, &places, literals);
        // What has the hash of a gram by chance.
        let set: u32 = table.words.iter().map(|word| word.count_ones()).sum();
        let frequency = frequency + f64::from(set) / (32 * table.words.len()) as f64;
        Grams { table, stride, literals: numbers.len(), frequency, index }
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
            self.index.check(buffer, hits, self.stride, strings, out);
        };
        match self.stride {
            1 => arch::grams::<1>(level, &self.table, buffer, range, &mut check),
            2 => arch::grams::<2>(level, &self.table, buffer, range, &mut check),
            3 => arch::grams::<3>(level, &self.table, buffer, range, &mut check),
            _ => arch::grams::<4>(level, &self.table, buffer, range, &mut check),
        }
    }

    pub(super) fn stride(&self) -> usize {
        self.stride
    }

    pub(super) fn literals(&self) -> usize {
        self.literals
    }

    /// How many candidates are expected for each position of ordinary text that is looked at.
    pub(super) fn frequency(&self) -> f64 {
        self.frequency
    }

    pub(super) fn memory(&self) -> usize {
        size_of_val(&self.table.words[..]) + self.index.memory()
    }
}

/// The gram that `cubes` start with, in the low three bytes, with the cases folded.
fn gram(cubes: &[Cube]) -> u32 {
    let mut bytes = [0; 4];
    for (byte, cube) in bytes.iter_mut().zip(&cubes[..WINDOW]) {
        // Folding sets the only bit that a mask may leave open.
        debug_assert!(cube.mask | 0x20 == 0xFF);
        *byte = cube.value | 0x20;
    }
    u32::from_le_bytes(bytes)
}

/// No gram is taken to be rarer than this.
const RAREST: f64 = 1e-7;

/// For each literal a gram at each phase, and how many candidates are to be expected.
fn choose(numbers: &[u32], literals: &[Literal], stride: usize) -> (Vec<Place>, f64) {
    let mut places = Vec::with_capacity(numbers.len() * stride);
    let mut shared: HashMap<u32, u32> = HashMap::new();
    let mut sum = 0.0;
    for &number in numbers {
        let cubes = literals[number as usize].cubes();
        for phase in 0..stride {
            let mut best = (f64::INFINITY, 0.0, phase, 0);
            for offset in (phase..=cubes.len() - WINDOW).step_by(stride) {
                let end = cubes.len().min(offset + WINDOW + 1);
                let frequency: f64 =
                    cubes[offset..end].iter().map(|&cube| rank::byte(cube)).product();
                let gram = gram(&cubes[offset..]);
                // All literals with the gram are compared where it stands.
                let others = shared.get(&gram).copied().unwrap_or(0);
                let cost = frequency.max(RAREST) * (1.0 + f64::from(others) / 4.0);
                if cost < best.0 {
                    best = (cost, frequency, offset, gram);
                }
            }
            let (_, frequency, offset, gram) = best;
            *shared.entry(gram).or_default() += 1;
            sum += frequency;
            places.push(Place { literal: number, offset: offset as u32 });
        }
    }
    (places, sum)
}

/// Calls `check` with the positions in `range` where a gram may be, some at a time and in order.
///
/// # Safety
///
/// The instructions of `V` must be there.
#[inline(always)]
pub(super) unsafe fn find<V: Vector, const STRIDE: usize>(
    table: &Table,
    buffer: &[u8],
    range: Range<usize>,
    check: &mut impl FnMut(&[Hits]),
) {
    let mut list = List::default();
    let reach = (BLOCK - V::BYTES / 4) * STRIDE + V::BYTES;
    let mut at = range.start.next_multiple_of(STRIDE);
    while at < range.end {
        let mut rest;
        let bytes = match buffer.get(at..at + reach) {
            Some(bytes) => bytes,
            None => {
                // The end of the buffer, with zeros behind it.
                rest = [0; BLOCK * MAX_STRIDE + MAX_BYTES];
                rest[..buffer.len() - at].copy_from_slice(&buffer[at..]);
                &rest[..reach]
            }
        };
        // SAFETY: the caller promises the instructions.
        let mut hits = unsafe { block::<V, STRIDE>(table, bytes) };
        let left = (range.end - at).div_ceil(STRIDE);
        if left < BLOCK {
            hits &= (1 << left) - 1;
        }
        list.push(at, hits, check);
        at += BLOCK * STRIDE;
    }
    list.flush(check);
}

// No closures from here on: they would not be compiled for the caller's instructions.

/// Which of the positions that `bytes` begin with may have a gram.
#[inline(always)]
unsafe fn block<V: Vector, const STRIDE: usize>(table: &Table, bytes: &[u8]) -> u64 {
    let lanes = V::BYTES / 4;
    let mut hits = 0;
    let mut first = 0;
    while first < BLOCK {
        // SAFETY: as for `find`; `bytes` has a whole vector from each vector's first position on,
        // and the shift leaves less than there are words.
        unsafe {
            let bytes = V::spread::<STRIDE>(&bytes[first * STRIDE..first * STRIDE + V::BYTES]);
            let words = bytes.or(V::splat(FOLD)).multiply(V::splat(FACTOR)).shift(table.shift);
            hits |= V::test(&table.words, words, bytes.shift(24)) << first;
        }
        first += lanes;
    }
    hits
}

/// As [`find`], for machines without vectors.
pub(super) fn find_scalar<const STRIDE: usize>(
    table: &Table,
    buffer: &[u8],
    range: Range<usize>,
    check: &mut impl FnMut(&[Hits]),
) {
    const LANES: usize = 8;
    let mut list = List::default();
    let mut at = range.start.next_multiple_of(STRIDE);
    // Eight positions in a length that the compiler knows, so that nothing is checked for each.
    while at + LANES * STRIDE <= range.end
        && let Some(bytes) =
            buffer.get(at..).and_then(|b| b.first_chunk::<{ LANES * MAX_STRIDE }>())
    {
        let mut bits = 0;
        for lane in 0..LANES {
            let bytes = &bytes[lane * STRIDE..lane * STRIDE + 4];
            let bytes = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            bits |= u64::from(table.contains(bytes)) << lane;
        }
        list.push(at, bits, check);
        at += LANES * STRIDE;
    }
    for at in (at..range.end).step_by(STRIDE) {
        let mut bytes = [0; 4];
        let len = (buffer.len() - at).min(4);
        bytes[..len].copy_from_slice(&buffer[at..at + len]);
        list.push(at, table.contains(u32::from_le_bytes(bytes)).into(), check);
    }
    list.flush(check);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_readme_is_exact() {
        let literals = [Literal::exact(b"secret"), Literal::exact(b"token")];
        let grams = Grams::new(&[0, 1], &literals);
        assert_eq!(grams.stride(), 3);
        let bits = [(194, 18), (392, 5), (243, 20), (451, 5), (383, 14)];
        let mut expected = vec![0; 1 << 9];
        bits.iter().for_each(|&(word, bit)| expected[word] = 1 << bit);
        expected[129] = u32::MAX;
        assert_eq!(&grams.table.words[..], expected);
        let text = b"My secret tokens\0\0\0";
        let passes = |at: &usize| {
            grams.table.contains(u32::from_le_bytes([
                text[*at],
                text[at + 1],
                text[at + 2],
                text[at + 3],
            ]))
        };
        assert_eq!((0..16).step_by(3).filter(passes).collect::<Vec<_>>(), [3, 12]);
    }

    /// All literals with a gram are compared wherever it stands.
    #[test]
    fn a_rare_gram_that_many_literals_share_is_left_for_one_of_their_own() {
        let texts: Vec<String> = (0..64).map(|i| format!("ZQXJKV_secret{i:02}token")).collect();
        let literals: Vec<Literal> = texts.iter().map(|t| Literal::exact(t.as_bytes())).collect();
        let numbers: Vec<u32> = (0..64).collect();
        let (places, _) = choose(&numbers, &literals, 1);
        assert_eq!(places.len(), 64);
        let shared = places.iter().filter(|place| place.offset <= 3).count();
        assert!(shared < 32, "{shared} of 64 share the rarest grams");
    }
}
