//! Hash tables of windows: short parts of the literals, one of each, at a fixed place in it.

use std::ops::Range;

use super::super::literal::{Literal, rank};
use super::{Candidate, Strings};

/// The window of a long literal, in bytes.
pub(super) const WINDOW: usize = 4;
/// The window of a short literal, in bytes; one byte longer than the shortest literal.
const SHORT_WINDOW: usize = 2;
/// Sets the bit that tells the cases of a letter apart, in each byte of a window.
const FOLD: u32 = 0x2020_2020;
/// Bits of the filter that is asked at every position: 8 KiB, a part of any L1 cache.
const FILTER_BITS: u32 = 16;

/// Where the rarest window of `literal` starts in it.
pub(super) fn window_offset(literal: &Literal) -> usize {
    let len = literal.len();
    let window = if len >= WINDOW { WINDOW } else { SHORT_WINDOW.min(len) };
    let frequency = |start: usize| -> f64 {
        literal.cubes()[start..start + window].iter().map(|&cube| rank::byte(cube)).product()
    };
    (0..=len - window).min_by(|&a, &b| frequency(a).total_cmp(&frequency(b))).unwrap_or(0)
}

fn hash(window: u32) -> u32 {
    window.wrapping_mul(0x9E37_79B1)
}

/// The entries of each of a power of two of buckets, one behind the other.
#[derive(Debug)]
struct Buckets<T> {
    starts: Vec<u32>,
    entries: Vec<T>,
}

impl<T> Buckets<T> {
    fn new(count: usize, mut keyed: Vec<(u32, T)>) -> Buckets<T> {
        keyed.sort_by_key(|(key, _)| *key);
        let mut starts = vec![0; count + 1];
        for (key, _) in &keyed {
            starts[*key as usize + 1] += 1;
        }
        for index in 0..count {
            starts[index + 1] += starts[index];
        }
        Buckets { starts, entries: keyed.into_iter().map(|(_, entry)| entry).collect() }
    }

    #[inline]
    fn get(&self, key: u32) -> &[T] {
        let range = self.starts[key as usize]..self.starts[key as usize + 1];
        &self.entries[range.start as usize..range.end as usize]
    }

    fn memory(&self) -> usize {
        size_of_val(&self.starts[..]) + size_of_val(&self.entries[..])
    }
}

/// A set of the numbers below 65,536.
#[derive(Debug)]
struct Bits(Box<[u64; 1024]>);

impl Bits {
    fn new() -> Bits {
        Bits(Box::new([0; 1024]))
    }

    fn insert(&mut self, index: u16) {
        self.0[usize::from(index >> 6)] |= 1 << (index & 63);
    }

    #[inline]
    fn contains(&self, index: u16) -> bool {
        self.0[usize::from(index >> 6)] >> (index & 63) & 1 != 0
    }
}

/// Literals of four bytes or more, by a window of four with the cases folded.
#[derive(Debug)]
pub(super) struct Long {
    filter: Bits,
    /// By the high bits of the hash: the folded window, and the literal.
    buckets: Buckets<(u32, u32)>,
    shift: u32,
}

impl Long {
    pub(super) fn new(numbers: &[u32], literals: &[Literal]) -> Long {
        let count = (numbers.len() * 2).next_power_of_two().clamp(2, 1 << 16);
        let shift = 32 - count.trailing_zeros();
        let mut filter = Bits::new();
        let mut keyed = Vec::with_capacity(numbers.len());
        for &number in numbers {
            let literal = &literals[number as usize];
            let offset = window_offset(literal);
            let mut bytes = [0; WINDOW];
            for (byte, cube) in bytes.iter_mut().zip(&literal.cubes()[offset..]) {
                // Folding sets the only bit that a mask may leave open.
                debug_assert!(cube.mask | 0x20 == 0xFF);
                *byte = cube.value;
            }
            let window = u32::from_le_bytes(bytes) | FOLD;
            filter.insert((hash(window) >> (32 - FILTER_BITS)) as u16);
            keyed.push((hash(window) >> shift, (window, number)));
        }
        Long { filter, buckets: Buckets::new(count, keyed), shift }
    }

    pub(super) fn find(
        &self,
        buffer: &[u8],
        range: Range<usize>,
        strings: &Strings,
        out: &mut Vec<Candidate>,
    ) {
        let end = (range.end + WINDOW - 1).min(buffer.len());
        let Some(part) = buffer.get(range.start..end) else { return };
        for (index, bytes) in part.windows(WINDOW).enumerate() {
            let window = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) | FOLD;
            let hash = hash(window);
            if !self.filter.contains((hash >> (32 - FILTER_BITS)) as u16) {
                continue;
            }
            for &(expected, literal) in self.buckets.get(hash >> self.shift) {
                if expected == window {
                    let at = strings.check(buffer, range.start + index, literal);
                    out.extend(at.map(|at| Candidate { at, literal }));
                }
            }
        }
    }

    pub(super) fn memory(&self) -> usize {
        size_of_val(&self.filter.0[..]) + self.buckets.memory()
    }
}

/// Literals of one to three bytes, by a window of two, or one and any byte behind it.
#[derive(Debug)]
pub(super) struct Short {
    filter: Bits,
    /// By the window's two bytes.
    buckets: Buckets<u32>,
}

impl Short {
    pub(super) fn new(numbers: &[u32], literals: &[Literal]) -> Short {
        let mut filter = Bits::new();
        let mut keyed = Vec::new();
        for &number in numbers {
            let cubes =
                &literals[number as usize].cubes()[window_offset(&literals[number as usize])..];
            for first in cubes[0].values() {
                let mut insert = |second: u8| {
                    let key = u16::from_le_bytes([first, second]);
                    filter.insert(key);
                    keyed.push((u32::from(key), number));
                };
                match cubes.get(1) {
                    Some(cube) => cube.values().for_each(&mut insert),
                    None => (0..=255).for_each(&mut insert),
                }
            }
        }
        Short { filter, buckets: Buckets::new(1 << 16, keyed) }
    }

    pub(super) fn find(
        &self,
        buffer: &[u8],
        range: Range<usize>,
        strings: &Strings,
        out: &mut Vec<Candidate>,
    ) {
        let mut check = |window: usize, bytes: [u8; SHORT_WINDOW]| {
            let key = u16::from_le_bytes(bytes);
            if self.filter.contains(key) {
                for &literal in self.buckets.get(u32::from(key)) {
                    let at = strings.check(buffer, window, literal);
                    out.extend(at.map(|at| Candidate { at, literal }));
                }
            }
        };
        let end = (range.end + SHORT_WINDOW - 1).min(buffer.len());
        let Some(part) = buffer.get(range.start..end) else { return };
        for (index, bytes) in part.windows(SHORT_WINDOW).enumerate() {
            check(range.start + index, [bytes[0], bytes[1]]);
        }
        // The last byte of the buffer has none behind it; a literal of one byte may be there.
        if range.end >= buffer.len()
            && let Some(&last) = part.last()
        {
            check(buffer.len() - 1, [last, 0]);
        }
    }

    pub(super) fn memory(&self) -> usize {
        size_of_val(&self.filter.0[..]) + self.buckets.memory()
    }
}
