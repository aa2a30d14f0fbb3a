//! A search for many literals of eight bytes or more, by a bitmap of hashed grams of five to eight
//! bytes.
//!
//! Each literal has a *window* of eight to eleven bytes: all of it, or its rarest part. Four grams
//! start at the first four bytes of the window; so wherever the window is in the text, one of them is
//! at a position that four divides. Only these positions are looked at:
//!
//! 1. The gram there is hashed, and the position passes if the hash has its bit in the bitmap.
//! 2. A second table has, for another hash of the gram, the offsets at which windows have it. Each
//!    leads to the start of a possible window.
//! 3. The window there is hashed, and [`WindowHashes`] leads to the literals that have it.
//!
//! [`qgrams`](super::qgrams) judges a position by four bytes, which is faster for few literals. Among
//! ten thousand words, nearly every four letters of a text are in some word, and many are in a
//! hundred words, which are then compared one after the other. Seven letters are rarely in any, and
//! step 3 takes the same time however many words share them.
//!
//! A vector of positions is hashed and looked up at once. A gram does not fit in the 32-bit numbers
//! of a vector, so each has two: its first four bytes and its last four, which overlap. With a stride
//! of four, both are plain loads. Strides of up to eight with scalar loads of eight bytes were tried:
//! on Zen 4, a position takes more than twice as long, so that a stride of eight is no faster than
//! this and smaller ones are slower.

use std::ops::Range;

use super::candidate::Candidate;
use super::literal_bytes::LiteralBytes;
use super::passed::{MAX_CHUNK, PassedBuffer, PassedWord, for_each_chunk};
use super::window_hashes::{WindowHashes, choose_windows, fold, folded, word_at};
use super::window_index::Window;
use crate::pure::cost::{self, PassCosts};
use crate::pure::ids::NeedleId;
use crate::pure::literal::Literal;
use crate::simd::{Isa, Kernel, MAX_BYTES, Vector};

/// The distance between positions that are looked at, and the number of grams of a window.
pub(super) const STRIDE: usize = 4;
/// The shortest window, in bytes. Its grams have five bytes.
pub(super) const MIN_WINDOW: usize = 8;
/// The longest window, in bytes. Its grams have eight bytes.
pub(super) const MAX_WINDOW: usize = 11;

/// Sets bit 5 of each byte, which makes upper case lower case.
const FOLD: u32 = 0x2020_2020;
/// The factors of the first and the last four bytes of a gram: of Fibonacci hashing (Knuth, volume 3,
/// 6.4), and another odd number without pattern.
const FACTORS: [u32; 2] = [0x9E37_79B1, 0x85EB_CA77];
/// The factor of the hash for the table of offsets.
const OFFSET_FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
/// The largest number of entries of the table of offsets: 256 KiB, which stay in the second-level cache. A scan for 43,029
/// words of ten letters takes 1.05 to 1.2 times as long with 1 MiB.
const MAX_OFFSETS: usize = 1 << 18;
/// The number of positions that are looked at together: the bits of a word.
const BLOCK: usize = 64;

/// The compiled search for literals of at least [`MIN_WINDOW`] bytes.
#[derive(Debug)]
pub(super) struct LongGrams {
    bitmap: GramBitmap,
    /// By the highest bits of [`LongGrams::offset_hash`]: bit `i` is set if a window has such a gram at
    /// offset `i`. The length is a power of two.
    offsets: Box<[u8]>,
    windows: WindowHashes,
    /// The number of literals.
    literals: usize,
}

/// The hashes of all grams.
#[derive(Debug)]
struct GramBitmap {
    /// Exactly 2^(32 - `shift`) words, so that a 32-bit hash shifted right is an index. The next five
    /// bits of the hash select the bit.
    words: Box<[u32]>,
    /// The number of bits by which a hash is shifted right: 11 to 27.
    shift: u32,
    /// The length of a gram, in bytes: five to eight.
    gram: usize,
}

impl GramBitmap {
    fn new(gram: usize, grams: usize) -> GramBitmap {
        let bits = bitmap_bits(grams) - 5;
        GramBitmap { words: vec![0; 1 << bits].into(), shift: 32 - bits, gram }
    }

    /// The hash of the gram in the low bytes of `bytes`.
    #[inline(always)]
    fn hash(&self, bytes: u64) -> u32 {
        let (first, last) = (bytes as u32, (bytes >> (8 * (self.gram - 4))) as u32);
        (first | FOLD).wrapping_mul(FACTORS[0]) ^ (last | FOLD).wrapping_mul(FACTORS[1])
    }

    fn insert(&mut self, gram: u64) {
        let hash = self.hash(gram);
        self.words[(hash >> self.shift) as usize] |= 1 << (hash >> (self.shift - 5) & 31);
    }

    /// Whether the gram in the low bytes of `bytes` may be one of a window.
    #[inline(always)]
    fn contains(&self, bytes: u64) -> bool {
        let hash = self.hash(bytes);
        self.words[(hash >> self.shift) as usize] >> (hash >> (self.shift - 5) & 31) & 1 != 0
    }
}

/// The binary logarithm of the number of bits for this many grams.
///
/// Up to 2048 grams, at most one bit in 128 will be set, in at most 32 KiB, which fits in any first-level
/// cache. With more grams, a load from the second level (128 or 256 KiB) costs less than checking more
/// positions would.
fn bitmap_bits(grams: usize) -> u32 {
    match grams {
        0..=2048 => (128 * grams).next_power_of_two().ilog2().clamp(15, 18),
        2049..=16384 => 20,
        _ => 21,
    }
}

/// The length of the windows of literals of which the shortest has `len` bytes, at least
/// [`MIN_WINDOW`].
fn window_len(len: usize) -> usize {
    len.min(MAX_WINDOW)
}

/// The windows of some literals and the bitmap of their grams: what the cost of a pass depends on.
pub(super) struct LongGramWindows {
    windows: Vec<Window>,
    /// The length of a window, in bytes.
    len: usize,
    bitmap: GramBitmap,
}

impl LongGramWindows {
    /// Chooses windows of the literals with these ids, each of at least [`MIN_WINDOW`] bytes.
    pub(super) fn new(ids: &[NeedleId], literals: &[Literal]) -> LongGramWindows {
        let shortest = ids.iter().map(|id| literals[id.index()].len()).min();
        let len = window_len(shortest.unwrap_or(MIN_WINDOW));
        let windows = choose_windows(len, ids, literals);
        let mut bitmap = GramBitmap::new(len + 1 - STRIDE, windows.len() * STRIDE);
        for window in &windows {
            grams(window, bitmap.gram, literals).for_each(|gram| bitmap.insert(gram));
        }
        LongGramWindows { windows, len, bitmap }
    }

    /// The estimated time of a pass, in nanoseconds per byte.
    pub(super) fn cost(&self, costs: &PassCosts) -> f64 {
        // The share of the positions looked at that is expected to pass by chance. Those that pass for
        // a gram that is there are much rarer in most texts.
        let set: u32 = self.bitmap.words.iter().map(|word| word.count_ones()).sum();
        let frequency = f64::from(set) / (32 * self.bitmap.words.len()) as f64;
        (costs.long_grams + cost::GRAM_CHECK_NS * frequency) / STRIDE as f64
    }

    /// Builds the search.
    pub(super) fn build(self, literals: &[Literal], strings: &LiteralBytes) -> LongGrams {
        let LongGramWindows { windows, len, bitmap } = self;
        let grams_in_all = windows.len() * STRIDE;
        let mut offsets = vec![0; (8 * grams_in_all).next_power_of_two().min(MAX_OFFSETS)];
        let shift = 64 - offsets.len().ilog2();
        for window in &windows {
            for (offset, gram) in grams(window, bitmap.gram, literals).enumerate() {
                let hash = offset_hash(gram, bitmap.gram);
                offsets[(hash >> shift) as usize] |= 1 << offset;
            }
        }
        let hashes = WindowHashes::new(len, &windows, literals, strings);
        LongGrams { bitmap, offsets: offsets.into(), windows: hashes, literals: windows.len() }
    }
}

/// The grams of `gram` bytes at the first [`STRIDE`] bytes of a window, with the cases folded.
fn grams(window: &Window, gram: usize, literals: &[Literal]) -> impl Iterator<Item = u64> {
    let cubes = &literals[window.needle.index()].cubes()[window.offset as usize..];
    cubes.windows(gram).take(STRIDE).map(folded)
}

impl LongGrams {
    /// The number of literals.
    pub(super) fn literals(&self) -> usize {
        self.literals
    }

    /// The length of a gram, in bytes.
    pub(super) fn gram(&self) -> usize {
        self.bitmap.gram
    }

    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        size_of_val(&self.bitmap.words[..]) + size_of_val(&self.offsets[..]) + self.windows.memory()
    }

    /// Appends the literals that have a gram of their window at a position of `range` that the stride
    /// divides, in the order of these positions.
    pub(super) fn find(
        &self,
        isa: Isa,
        buffer: &[u8],
        range: Range<usize>,
        strings: &LiteralBytes,
        out: &mut Vec<Candidate>,
    ) {
        let mut check = |passed: &[PassedWord]| self.check(buffer, passed, strings, out);
        isa.run(LongGramPass { bitmap: &self.bitmap, buffer, range, check: &mut check });
    }

    /// Appends the literals that have a gram of their window at one of the positions of `passed`.
    fn check(
        &self,
        buffer: &[u8],
        passed: &[PassedWord],
        strings: &LiteralBytes,
        out: &mut Vec<Candidate>,
    ) {
        let shift = 64 - self.offsets.len().ilog2();
        for_each_chunk(passed, STRIDE, |positions| {
            let mut places = [(0, 0); MAX_CHUNK * STRIDE];
            let mut count = 0;
            for &mut at in positions {
                let hash = offset_hash(word_at(buffer, at as usize), self.bitmap.gram);
                let mut offsets = self.offsets[(hash >> shift) as usize];
                // Nearly always there is one offset or none. If none, the place is overwritten.
                places[count] = (at, offsets.trailing_zeros());
                count += usize::from(offsets != 0);
                offsets &= offsets.wrapping_sub(1);
                while offsets != 0 {
                    places[count] = (at, offsets.trailing_zeros());
                    count += 1;
                    offsets &= offsets - 1;
                }
            }
            self.windows.check(buffer, &mut places[..count], strings, out);
        });
    }
}

/// The hash of the gram of `gram` bytes at the start of `bytes`, for the table of offsets.
#[inline(always)]
fn offset_hash(bytes: u64, gram: usize) -> u64 {
    (fold(bytes) & (u64::MAX >> (64 - 8 * gram))).wrapping_mul(OFFSET_FACTOR)
}

/// One pass: calls `check` with the positions of `range` that [`STRIDE`] divides and where a gram may
/// be, in order.
struct LongGramPass<'a, F> {
    bitmap: &'a GramBitmap,
    buffer: &'a [u8],
    range: Range<usize>,
    check: &'a mut F,
}

impl<F: FnMut(&[PassedWord])> Kernel for LongGramPass<'_, F> {
    #[inline(always)]
    fn run<V: Vector>(self, token: V::Token) {
        let LongGramPass { bitmap, buffer, range, check } = self;
        let mut passed = PassedBuffer::default();
        // The last gram of a block ends there.
        let reach = BLOCK * STRIDE + bitmap.gram - STRIDE;
        let mut at = range.start.next_multiple_of(STRIDE);
        while at < range.end {
            let mut rest;
            let bytes = match buffer.get(at..at + reach) {
                Some(bytes) => bytes,
                None => {
                    // The end of the buffer, extended by zeros.
                    rest = [0; BLOCK * STRIDE + MAX_BYTES];
                    rest[..buffer.len() - at].copy_from_slice(&buffer[at..]);
                    &rest[..reach]
                }
            };
            let mut bits = block::<V>(token, bitmap, bytes);
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
        let LongGramPass { bitmap, buffer, range, check } = self;
        let mut passed = PassedBuffer::default();
        let mut at = range.start.next_multiple_of(STRIDE);
        // An array and not a slice, so that the compiler drops the bounds checks of the loop.
        while at + LANES * STRIDE <= range.end
            && let Some(bytes) = buffer[at..].first_chunk::<{ LANES * STRIDE + STRIDE }>()
        {
            let mut bits = 0;
            for lane in 0..LANES {
                let b = &bytes[lane * STRIDE..lane * STRIDE + 8];
                let b = u64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]);
                bits |= u64::from(bitmap.contains(b)) << lane;
            }
            passed.push(at, bits, check);
            at += LANES * STRIDE;
        }
        for at in (at..range.end).step_by(STRIDE) {
            passed.push(at, bitmap.contains(word_at(buffer, at)).into(), check);
        }
        passed.flush(check);
    }
}

/// The positions of a block at the start of `bytes` where a gram may be.
#[inline(always)]
fn block<V: Vector>(token: V::Token, bitmap: &GramBitmap, bytes: &[u8]) -> u64 {
    let fold = V::broadcast_u32(token, FOLD);
    let factors = [V::broadcast_u32(token, FACTORS[0]), V::broadcast_u32(token, FACTORS[1])];
    let mut passed = 0;
    let mut at = 0;
    while at < BLOCK * STRIDE {
        let first = V::load(token, &bytes[at..at + V::BYTES]);
        let last = at + bitmap.gram - 4;
        let last = V::load(token, &bytes[last..last + V::BYTES]);
        let hash = first.or(fold).mul_u32(factors[0]).xor(last.or(fold).mul_u32(factors[1]));
        let words = hash.shr_u32(bitmap.shift);
        // SAFETY: each of `words` is a 32-bit number shifted right by `shift`, and the bitmap has
        // 2^(32 - `shift`) words.
        let bits = unsafe { V::test_bits(&bitmap.words, words, hash.shr_u32(bitmap.shift - 5)) };
        passed |= bits << (at / STRIDE);
        at += V::BYTES;
    }
    passed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readme_example_is_exact() {
        let literals = ["nationally", "rationales"].map(|text| Literal::exact(text.as_bytes()));
        let windows = LongGramWindows::new(&[NeedleId::new(0), NeedleId::new(1)], &literals);
        let strings = LiteralBytes::new(&literals);
        let long = windows.build(&literals, &strings);
        assert_eq!(long.gram(), 7);
        let text = b"any, irrational, nationally";
        let passes = |&at: &usize| long.bitmap.contains(word_at(text, at));
        assert_eq!((0..text.len()).step_by(STRIDE).filter(passes).collect::<Vec<_>>(), [8, 20]);
        let offsets = |at: usize| {
            let shift = 64 - long.offsets.len().ilog2();
            long.offsets[(offset_hash(word_at(text, at), long.gram()) >> shift) as usize]
        };
        assert_eq!([offsets(8), offsets(20)], [1 << 1, 1 << 3]);
        let mut found = Vec::new();
        long.find(Isa::best(), text, 0..text.len(), &strings, &mut found);
        let found: Vec<_> = found.iter().map(|c| (c.window_start, c.start, c.end)).collect();
        assert_eq!(found, [(20, 17, 27)]);
    }
}
