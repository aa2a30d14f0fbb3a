//! A search for many literals by a hash table of q-grams, which looks at every n-th position.
//!
//! The grams are three consecutive bytes of each literal. The table has, for each hash of a gram,
//! one bit for each value of the low five bits of the byte after it; a position of the text passes
//! if its gram and its next byte have their bit. Where all literals are long enough, each has a
//! gram at every remainder of offsets modulo a *stride* of up to four, so only one position in four
//! must be looked at. The README in this folder explains the scheme, with an example and its
//! ancestors: Wu and Manber's block shifts, blocked Bloom filters, Hyperscan's FDR.
//!
//! No state is carried from one position to the next, so a vector of positions is hashed and looked
//! up at once. The pass costs the same for ten literals and for ten thousand, as long as the table
//! fits in the cache. Literals must have at least three bytes; shorter ones are left to
//! [`teddy`](super::teddy).
//!
//! A second bit per position, from other bits of the hash, was tried. Fewer positions passed in
//! random bytes, but about as many in text, where most positions that pass have a gram of some
//! literal. It cost more than it saved.

use std::ops::Range;

use super::candidate::Candidate;
use super::literal_bytes::LiteralBytes;
use super::passed::{PassedBuffer, PassedWord};
use super::window_index::{Window, WindowIndex};
use crate::pure::cost::{self, PassCosts};
use crate::pure::ids::NeedleId;
use crate::pure::literal::{Cube, Literal, byte_frequency};
use crate::simd::{Isa, Kernel, MAX_BYTES, Vector};

/// The length of a gram, in bytes. The byte after it is tested as well, if the literal has one.
pub(super) const GRAM: usize = 3;
/// The largest distance between positions that are looked at, in bytes.
pub(super) const MAX_STRIDE: usize = 4;
/// Sets bit 5 of each byte of a gram, which makes upper case lower case.
const FOLD: u32 = 0x2020_2020;
/// The factor of Fibonacci hashing (Knuth, volume 3, 6.4), after which the high bits depend on all
/// of the gram. It is shifted by a byte so that the fourth byte of the number, which is not part of
/// the gram, drops out of the product.
const FACTOR: u32 = 0x9E37_79B1 << 8;
/// The number of positions that are looked at together: the bits of a word.
const BLOCK: usize = 64;

/// The largest stride at which each of the literals has a gram at every remainder.
fn max_stride(ids: &[NeedleId], literals: &[Literal]) -> usize {
    let shortest = ids.iter().map(|&id| literals[id.index()].len()).min().unwrap_or(GRAM);
    (shortest + 1 - GRAM).min(MAX_STRIDE)
}

/// The compiled search for literals of three bytes or more.
#[derive(Debug)]
pub(super) struct QGrams {
    table: QGramTable,
    stride: usize,
    /// The number of literals.
    literals: usize,
    index: WindowIndex,
}

/// The grams of some literals and their table: what the cost of a pass depends on.
pub(super) struct QGramWindows {
    windows: Vec<Window>,
    table: QGramTable,
    stride: usize,
    /// The number of literals.
    literals: usize,
    /// The share of the positions looked at that is expected to pass in ordinary text, from 0 to 1.
    frequency: f64,
}

/// For each hash of a gram, the bytes that may follow: one bit for each value of their low five
/// bits.
#[derive(Debug)]
struct QGramTable {
    /// Exactly 2^(32 - `shift`) words, so that a 32-bit hash shifted right is an index.
    words: Box<[u32]>,
    /// The number of bits by which a hash is shifted right.
    shift: u32,
}

impl QGramTable {
    /// An empty table for this many grams.
    ///
    /// Up to 512 grams, at most one bit in a thousand will be set, in at most 32 KiB, which fits
    /// in any first-level cache. With more grams, a load from the second level (128 or 256 KiB)
    /// costs less than checking more positions would.
    fn new(grams: usize) -> QGramTable {
        let bits = match grams {
            0..=512 => (32 * grams).next_power_of_two().ilog2().clamp(9, 13),
            513..=4096 => 15,
            _ => 16,
        };
        QGramTable { words: vec![0; 1 << bits].into(), shift: 32 - bits }
    }

    /// The index of the word for the gram in the low three bytes of `bytes`.
    #[inline(always)]
    fn word(&self, bytes: u32) -> usize {
        ((bytes | FOLD).wrapping_mul(FACTOR) >> self.shift) as usize
    }

    /// Whether the gram in the low three bytes may be followed by the fourth.
    #[inline(always)]
    fn contains(&self, bytes: u32) -> bool {
        self.words[self.word(bytes)] >> (bytes >> 24 & 31) & 1 != 0
    }
}

impl QGramWindows {
    /// Chooses grams of the literals with these ids, with the largest stride that they allow.
    pub(super) fn new(ids: &[NeedleId], literals: &[Literal]) -> QGramWindows {
        QGramWindows::with_stride(ids, literals, max_stride(ids, literals))
    }

    /// Chooses grams of the literals with these ids, each of at least `stride + 2` bytes.
    pub(super) fn with_stride(
        ids: &[NeedleId],
        literals: &[Literal],
        stride: usize,
    ) -> QGramWindows {
        let (windows, frequency) = choose_grams(ids, literals, stride);
        let mut table = QGramTable::new(windows.len());
        for window in &windows {
            let cubes = &literals[window.needle.index()].cubes()[window.offset as usize..];
            let word = table.word(folded_gram(cubes));
            table.words[word] |= match cubes.get(GRAM) {
                // The case of a letter is not among the low five bits.
                Some(cube) => 1 << (cube.value & 31),
                None => u32::MAX,
            };
        }
        // Grams that are in some literal, and other text whose bit is set by chance.
        let set: u32 = table.words.iter().map(|word| word.count_ones()).sum();
        let frequency = frequency + f64::from(set) / (32 * table.words.len()) as f64;
        QGramWindows { windows, table, stride, literals: ids.len(), frequency }
    }

    /// What a pass for the literals with these ids costs at least, whatever their grams are.
    pub(super) fn least_cost(ids: &[NeedleId], literals: &[Literal], costs: &PassCosts) -> f64 {
        costs.qgrams / max_stride(ids, literals) as f64
    }

    /// The estimated time of a pass, in nanoseconds per byte of ordinary text.
    pub(super) fn cost(&self, costs: &PassCosts) -> f64 {
        let passed = cost::QGRAMS_PASSED_VS_EXPECTED * self.frequency;
        (costs.qgrams + cost::GRAM_CHECK_NS * passed) / self.stride as f64
    }

    /// Builds the search.
    pub(super) fn build(self, all: &[Literal]) -> QGrams {
        let QGramWindows { windows, table, stride, literals, .. } = self;
        QGrams { table, stride, literals, index: WindowIndex::new(GRAM + 1, &windows, all) }
    }
}

impl QGrams {
    /// Appends the literals that have a gram at a position of `range` that the stride divides, in
    /// the order of these positions.
    pub(super) fn find(
        &self,
        isa: Isa,
        buffer: &[u8],
        range: Range<usize>,
        strings: &LiteralBytes,
        out: &mut Vec<Candidate>,
    ) {
        let mut check = |passed: &[PassedWord]| {
            self.index.check(buffer, passed, self.stride, strings, out);
        };
        let (table, check) = (&self.table, &mut check);
        match self.stride {
            1 => isa.run(QGramPass::<1, _> { table, buffer, range, check }),
            2 => isa.run(QGramPass::<2, _> { table, buffer, range, check }),
            3 => isa.run(QGramPass::<3, _> { table, buffer, range, check }),
            _ => isa.run(QGramPass::<4, _> { table, buffer, range, check }),
        }
    }

    /// The distance between positions that are looked at, in bytes.
    pub(super) fn stride(&self) -> usize {
        self.stride
    }

    /// The number of literals.
    pub(super) fn literals(&self) -> usize {
        self.literals
    }

    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        size_of_val(&self.table.words[..]) + self.index.memory()
    }
}

/// The gram at the start of `cubes`, in the low three bytes, with the cases folded.
fn folded_gram(cubes: &[Cube]) -> u32 {
    let mut bytes = [0; 4];
    for (byte, cube) in bytes.iter_mut().zip(&cubes[..GRAM]) {
        // Folding sets the only bit that a mask may leave open.
        debug_assert!(cube.mask | 0x20 == 0xFF);
        *byte = cube.value | 0x20;
    }
    u32::from_le_bytes(bytes)
}

/// The lower bound of a gram's expected frequency. Estimates below it are noise, and a list of
/// literals that all start with the same rare name should not share its grams.
const MIN_FREQUENCY: f64 = 1e-7;

/// Each literal that has chosen a gram makes it more expensive for the next one by this share of
/// its frequency, since all literals that share a gram are compared wherever it is found.
const SHARED_GRAM_PRICE: f64 = 1.0 / 4.0;

/// Chooses, for each literal and each remainder modulo the stride, the rarest gram with its next
/// byte. Returns the grams, and the sum of their expected frequencies.
fn choose_grams(ids: &[NeedleId], literals: &[Literal], stride: usize) -> (Vec<Window>, f64) {
    let mut windows = Vec::with_capacity(ids.len() * stride);
    // By a hash, of which at most a quarter is in use. Grams with the same hash count as one.
    let bits = (4 * ids.len() * stride).next_power_of_two().ilog2().max(1);
    let mut users = vec![0u32; 1 << bits];
    let slot = |gram: u32| (gram.wrapping_mul(FACTOR) >> (32 - bits)) as usize;
    let mut sum = 0.0;
    let mut frequencies = Vec::new();
    for &needle in ids {
        let cubes = literals[needle.index()].cubes();
        frequencies.clear();
        frequencies.extend(cubes.iter().map(|&cube| byte_frequency::of_cube(cube)));
        for remainder in 0..stride {
            let mut best = (f64::INFINITY, 0.0, remainder, 0);
            for offset in (remainder..=cubes.len() - GRAM).step_by(stride) {
                let end = cubes.len().min(offset + GRAM + 1);
                let independent: f64 = frequencies[offset..end].iter().product();
                if independent.max(MIN_FREQUENCY) >= best.0 {
                    // Neither the gram's own frequency nor its price is lower.
                    continue;
                }
                let gram = folded_gram(&cubes[offset..]);
                let next = cubes.get(offset + GRAM).copied();
                let frequency = independent.max(byte_frequency::of_gram(gram, next));
                let others = users[slot(gram)];
                let price = 1.0 + f64::from(others) * SHARED_GRAM_PRICE;
                let cost = frequency.max(MIN_FREQUENCY) * price;
                if cost < best.0 {
                    best = (cost, frequency, offset, gram);
                }
            }
            let (_, frequency, offset, gram) = best;
            users[slot(gram)] += 1;
            sum += frequency;
            windows.push(Window { needle, offset: offset as u32 });
        }
    }
    (windows, sum)
}

/// One pass: calls `check` with the positions of `range` that `STRIDE` divides and where a gram
/// may be, in order.
struct QGramPass<'a, const STRIDE: usize, F> {
    table: &'a QGramTable,
    buffer: &'a [u8],
    range: Range<usize>,
    check: &'a mut F,
}

impl<const STRIDE: usize, F: FnMut(&[PassedWord])> Kernel for QGramPass<'_, STRIDE, F> {
    #[inline(always)]
    fn run<V: Vector>(self, token: V::Token) {
        let QGramPass { table, buffer, range, check } = self;
        let mut passed = PassedBuffer::default();
        // A block reads a whole vector from the first position of its last vector on.
        let reach = (BLOCK - V::BYTES / 4) * STRIDE + V::BYTES;
        let mut at = range.start.next_multiple_of(STRIDE);
        while at < range.end {
            let mut rest;
            let bytes = match buffer.get(at..at + reach) {
                Some(bytes) => bytes,
                None => {
                    // The end of the buffer, extended by zeros.
                    rest = [0; BLOCK * MAX_STRIDE + MAX_BYTES];
                    rest[..buffer.len() - at].copy_from_slice(&buffer[at..]);
                    &rest[..reach]
                }
            };
            let mut bits = block::<V, STRIDE>(token, table, bytes);
            let left = (range.end - at).div_ceil(STRIDE);
            if left < BLOCK {
                bits &= (1 << left) - 1;
            }
            passed.push(at, bits, check);
            at += BLOCK * STRIDE;
        }
        passed.flush(check);
    }

    fn run_scalar(self) {
        const LANES: usize = 8;
        let QGramPass { table, buffer, range, check } = self;
        let mut passed = PassedBuffer::default();
        let mut at = range.start.next_multiple_of(STRIDE);
        // An array and not a slice, so that the compiler drops the bounds checks of the loop.
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
            passed.push(at, bits, check);
            at += LANES * STRIDE;
        }
        for at in (at..range.end).step_by(STRIDE) {
            let mut bytes = [0; 4];
            let len = (buffer.len() - at).min(4);
            bytes[..len].copy_from_slice(&buffer[at..at + len]);
            passed.push(at, table.contains(u32::from_le_bytes(bytes)).into(), check);
        }
        passed.flush(check);
    }
}

/// The positions of a block at the start of `bytes` where a gram may be.
#[inline(always)]
fn block<V: Vector, const STRIDE: usize>(token: V::Token, table: &QGramTable, bytes: &[u8]) -> u64 {
    let lanes = V::BYTES / 4;
    let (fold, factor) = (V::broadcast_u32(token, FOLD), V::broadcast_u32(token, FACTOR));
    let mut passed = 0;
    let mut first = 0;
    while first < BLOCK {
        let bytes = &bytes[first * STRIDE..first * STRIDE + V::BYTES];
        let grams = V::load_windows::<STRIDE>(token, bytes);
        let words = grams.or(fold).mul_u32(factor).shr_u32(table.shift);
        // SAFETY: each of `words` is a 32-bit number shifted right by `shift`, and the table has
        // 2^(32 - `shift`) words.
        passed |= unsafe { V::test_bits(&table.words, words, grams.shr_u32(24)) } << first;
        first += lanes;
    }
    passed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readme_example_is_exact() {
        let literals = [Literal::exact(b"secret"), Literal::exact(b"token")];
        let windows = QGramWindows::new(&[NeedleId::new(0), NeedleId::new(1)], &literals);
        let qgrams = windows.build(&literals);
        assert_eq!(qgrams.stride(), 3);
        let bits = [(194, 18), (392, 5), (243, 20), (451, 5), (383, 14)];
        let mut expected = vec![0; 1 << 9];
        bits.iter().for_each(|&(word, bit)| expected[word] = 1 << bit);
        expected[129] = u32::MAX;
        assert_eq!(&qgrams.table.words[..], expected);
        let text = b"My secret tokens\0\0\0";
        let passes = |at: &usize| {
            qgrams.table.contains(u32::from_le_bytes([
                text[*at],
                text[at + 1],
                text[at + 2],
                text[at + 3],
            ]))
        };
        assert_eq!((0..16).step_by(3).filter(passes).collect::<Vec<_>>(), [3, 12]);
    }

    /// All literals with a gram are compared wherever it is found.
    #[test]
    fn literals_avoid_rare_grams_that_many_share() {
        let texts: Vec<String> = (0..64).map(|i| format!("ZQXJKV_secret{i:02}token")).collect();
        let literals: Vec<Literal> = texts.iter().map(|t| Literal::exact(t.as_bytes())).collect();
        let ids: Vec<NeedleId> = (0..64).map(NeedleId::new).collect();
        let (windows, _) = choose_grams(&ids, &literals, 1);
        assert_eq!(windows.len(), 64);
        let shared = windows.iter().filter(|window| window.offset <= 3).count();
        assert!(shared < 32, "{shared} of 64 share the rarest grams");
    }
}
