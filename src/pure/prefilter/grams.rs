//! Many literals: a table of the four-byte grams that they contain, asked at every position, or
//! at every second or third where the literals are long enough.

use std::ops::Range;

use super::super::literal::{Literal, rank};
use super::Candidate;
use super::strings::Strings;

/// The length of a gram.
pub(super) const WINDOW: usize = 4;
/// The largest distance between positions that are looked at.
pub(super) const MAX_STRIDE: usize = 3;
/// Sets the bit that tells the cases of a letter apart, in each byte of a gram.
const FOLD: u32 = 0x2020_2020;

/// The sizes of the table in bytes: a part of any first-level cache, and of any second-level one.
const SMALL: usize = 1 << 15;
const LARGE: usize = 1 << 18;
/// The most literals for the small table: with a stride of three, one in a hundred positions of
/// noise passes.
const MAX_SMALL: usize = 1000;

/// How many positions are looked at before the candidates among them are.
const BLOCK: usize = 8;
/// How many bytes these are, with the largest stride.
const REACH: usize = (BLOCK - 1) * MAX_STRIDE + WINDOW;

/// The largest stride at which each of the literals has a gram at every phase.
pub(super) fn stride(numbers: &[u32], literals: &[Literal]) -> usize {
    let shortest = numbers.iter().map(|&n| literals[n as usize].len()).min().unwrap_or(WINDOW);
    (shortest + 1 - WINDOW).min(MAX_STRIDE)
}

/// The size of the table for this many literals, in bytes.
pub(super) fn table_size(literals: usize) -> usize {
    if literals <= MAX_SMALL { SMALL } else { LARGE }
}

fn hash(gram: u32) -> u32 {
    // Fibonacci hashing: the high bits depend on all of the gram.
    gram.wrapping_mul(0x9E37_79B1)
}

/// Literals of four bytes or more.
#[derive(Debug)]
pub(super) struct Grams {
    table: Table,
    stride: usize,
    literals: usize,
    /// By the high bits of the hash: where the bucket's entries start, and behind all, their end.
    starts: Vec<u32>,
    entries: Vec<Entry>,
    shift: u32,
}

/// One bit for each hash: whether any gram has it.
#[derive(Debug)]
enum Table {
    Small(Box<[u8; SMALL]>),
    Large(Box<[u8; LARGE]>),
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// With the cases folded.
    gram: u32,
    literal: u32,
    /// Where in the literal the gram is.
    offset: u32,
}

impl Grams {
    pub(super) fn new(numbers: &[u32], literals: &[Literal]) -> Grams {
        Grams::with_stride(numbers, literals, stride(numbers, literals))
    }

    pub(super) fn with_stride(numbers: &[u32], literals: &[Literal], stride: usize) -> Grams {
        let mut entries = Vec::with_capacity(numbers.len() * stride);
        for &number in numbers {
            let literal = &literals[number as usize];
            for phase in 0..stride {
                let offset = rarest(literal, phase, stride);
                let mut bytes = [0; WINDOW];
                for (byte, cube) in bytes.iter_mut().zip(&literal.cubes()[offset..]) {
                    // Folding sets the only bit that a mask may leave open.
                    debug_assert!(cube.mask | 0x20 == 0xFF);
                    *byte = cube.value;
                }
                let gram = u32::from_le_bytes(bytes) | FOLD;
                entries.push(Entry { gram, literal: number, offset: offset as u32 });
            }
        }
        let buckets = (entries.len() * 2).next_power_of_two().clamp(2, 1 << 20);
        let shift = 32 - buckets.trailing_zeros();
        entries.sort_by_key(|entry| (hash(entry.gram) >> shift, entry.gram, entry.literal));
        let mut starts = vec![0; buckets + 1];
        for entry in &entries {
            starts[(hash(entry.gram) >> shift) as usize + 1] += 1;
        }
        for bucket in 0..buckets {
            starts[bucket + 1] += starts[bucket];
        }
        let table = match table_size(numbers.len()) {
            SMALL => Table::Small(fill(&entries)),
            _ => Table::Large(fill(&entries)),
        };
        Grams { table, stride, literals: numbers.len(), starts, entries, shift }
    }

    pub(super) fn find(
        &self,
        buffer: &[u8],
        range: Range<usize>,
        strings: &Strings,
        out: &mut Vec<Candidate>,
    ) {
        match &self.table {
            Table::Small(table) => self.find_with(table, buffer, range, strings, out),
            Table::Large(table) => self.find_with(table, buffer, range, strings, out),
        }
    }

    fn find_with<const N: usize>(
        &self,
        table: &[u8; N],
        buffer: &[u8],
        range: Range<usize>,
        strings: &Strings,
        out: &mut Vec<Candidate>,
    ) {
        match self.stride {
            1 => self.pass::<N, 1>(table, buffer, range, strings, out),
            2 => self.pass::<N, 2>(table, buffer, range, strings, out),
            _ => self.pass::<N, 3>(table, buffer, range, strings, out),
        }
    }

    /// Looks at the positions in `range` that are multiples of the stride.
    fn pass<const N: usize, const STRIDE: usize>(
        &self,
        table: &[u8; N],
        buffer: &[u8],
        range: Range<usize>,
        strings: &Strings,
        out: &mut Vec<Candidate>,
    ) {
        let mut at = range.start.next_multiple_of(STRIDE);
        // Blocks of a length that the compiler knows, so that nothing is checked per position.
        while at + BLOCK * STRIDE <= range.end
            && let Some(bytes) = buffer.get(at..).and_then(|rest| rest.first_chunk::<REACH>())
        {
            let mut hits = 0u32;
            for index in 0..BLOCK {
                hits |= u32::from(contains(table, gram(&bytes[index * STRIDE..]))) << index;
            }
            while hits != 0 {
                let window = at + hits.trailing_zeros() as usize * STRIDE;
                hits &= hits - 1;
                self.check(buffer, window, strings, out);
            }
            at += BLOCK * STRIDE;
        }
        while at < range.end && at + WINDOW <= buffer.len() {
            if contains(table, gram(&buffer[at..])) {
                self.check(buffer, at, strings, out);
            }
            at += STRIDE;
        }
    }

    #[inline(never)]
    fn check(&self, buffer: &[u8], window: usize, strings: &Strings, out: &mut Vec<Candidate>) {
        let gram = gram(&buffer[window..]);
        let bucket = (hash(gram) >> self.shift) as usize;
        let entries = self.starts[bucket] as usize..self.starts[bucket + 1] as usize;
        for entry in &self.entries[entries] {
            if entry.gram == gram {
                out.extend(strings.check(buffer, window, entry.literal, entry.offset));
            }
        }
    }

    pub(super) fn stride(&self) -> usize {
        self.stride
    }

    pub(super) fn literals(&self) -> usize {
        self.literals
    }

    pub(super) fn memory(&self) -> usize {
        let table = match self.table {
            Table::Small(_) => SMALL,
            Table::Large(_) => LARGE,
        };
        table + size_of_val(&self.starts[..]) + size_of_val(&self.entries[..])
    }
}

/// Where the rarest gram of `literal` starts among those at `phase`, `phase + stride`, ...
fn rarest(literal: &Literal, phase: usize, stride: usize) -> usize {
    let frequency = |&start: &usize| -> f64 {
        literal.cubes()[start..start + WINDOW].iter().map(|&cube| rank::byte(cube)).product()
    };
    (phase..=literal.len() - WINDOW)
        .step_by(stride)
        .min_by(|a, b| frequency(a).total_cmp(&frequency(b)))
        .unwrap_or(phase)
}

fn fill<const N: usize>(entries: &[Entry]) -> Box<[u8; N]> {
    let mut table = vec![0; N];
    for entry in entries {
        let (byte, bit) = place::<N>(entry.gram);
        table[byte] |= 1 << bit;
    }
    table.into_boxed_slice().try_into().expect("made with that length")
}

/// The byte of the table that a gram's hash leads to, and the bit in it.
#[inline(always)]
fn place<const N: usize>(gram: u32) -> (usize, u32) {
    let hash = hash(gram);
    let shift = 32 - N.trailing_zeros();
    ((hash >> shift) as usize, hash >> (shift - 3) & 7)
}

#[inline(always)]
fn contains<const N: usize>(table: &[u8; N], gram: u32) -> bool {
    let (byte, bit) = place::<N>(gram);
    table[byte] >> bit & 1 != 0
}

/// The gram that `bytes`, which are long enough, start with.
#[inline(always)]
fn gram(bytes: &[u8]) -> u32 {
    let mut gram = [0; WINDOW];
    gram.copy_from_slice(&bytes[..WINDOW]);
    u32::from_le_bytes(gram) | FOLD
}
