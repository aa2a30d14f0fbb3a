//! Finds which literals have their window where a [long gram](super::long_grams) passes.
//!
//! All bytes of a window are hashed, eight at its start and eight at its end, which overlap. A bucket
//! of the table leads to the literals whose windows have the hash; as a rule these are the literals
//! that have the very window, and they are compared in full. A bitmap of all hashes, which unlike the
//! table stays in the second-level cache, is asked before. If the hash is not in it, the place is
//! removed without a branch, as in [`window_index`](super::window_index).
//!
//! That index finds literals by their first four bytes, so it would compare all words that begin like
//! the text. Here a place takes the same time however many literals are similar.
//!
//! Each literal takes 16 bytes for its entry, 8 to 16 for its share of the buckets, and 2 to 4 for its
//! share of the bitmap.

use super::candidate::Candidate;
use super::literal_bytes::{LiteralBytes, WordRange};
use super::passed::retain;
use super::window_index::Window;
use crate::pure::ids::NeedleId;
use crate::pure::literal::{Cube, Literal, byte_frequency};

/// Sets bit 5 of each byte, which makes upper case lower case.
const FOLD: u64 = 0x2020_2020_2020_2020;

/// The binary logarithm of the largest number of buckets.
const MAX_BUCKET_BITS: u32 = 20;
/// The bits of the bitmap for each window, unless it has its largest size: so that at most one in sixteen is set.
const BITS_PER_WINDOW: usize = 16;
/// The binary logarithm of the largest number of bits: 256 KiB.
const MAX_BITMAP_BITS: u32 = 21;

/// `bytes` with the cases folded.
#[inline(always)]
pub(super) fn fold(bytes: u64) -> u64 {
    bytes | FOLD
}

/// Up to eight cubes as a little-endian number with the cases folded.
pub(super) fn folded(cubes: &[Cube]) -> u64 {
    let mut bytes = [0; 8];
    for (byte, cube) in bytes.iter_mut().zip(cubes) {
        // Folding sets the only bit that a mask may leave open.
        debug_assert!(cube.mask | 0x20 == 0xFF);
        *byte = cube.value;
    }
    fold(u64::from_le_bytes(bytes))
}

/// An index of literals by windows of equal length.
#[derive(Debug)]
pub(super) struct WindowHashes {
    /// The length of a window, in bytes: 8 to 16.
    len: usize,
    /// The hashes of all windows, by the highest bits. Exactly 2^(64 - `bitmap_shift`) bits.
    bitmap: Box<[u64]>,
    /// The number of bits by which a hash is shifted right for the bitmap: 43 to 58.
    bitmap_shift: u32,
    /// The number of bits by which a hash is shifted right for a bucket: not less than `bitmap_shift`,
    /// so that no bucket is empty whose hash has its bit.
    shift: u32,
    /// By bucket, the high bits of the hash: the index of its first entry, or 0, which is that of
    /// [`Entry::NOTHING`], if the bucket is empty. The length is a power of two.
    starts: Box<[u32]>,
    /// Sorted by bucket.
    entries: Box<[Entry]>,
}

/// A literal to compare where its window may be.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Bits of the window's hash below those that lead to the bucket: see [`check_bits`].
    check: u32,
    needle: NeedleId,
    /// The index of the literal's first word, and its length in bytes.
    first_word: u32,
    len: u8,
    /// The distance from the literal's start to the window's, in bytes.
    offset: u8,
    /// Whether the bucket ends with this entry.
    last: bool,
}

impl WindowHashes {
    /// An index of windows of `len` bytes.
    pub(super) fn new(
        len: usize,
        windows: &[Window],
        literals: &[Literal],
        strings: &LiteralBytes,
    ) -> WindowHashes {
        // Two buckets per window or more. The limit keeps them within 4 MiB.
        let buckets = (2 * windows.len()).next_power_of_two().min(1 << MAX_BUCKET_BITS);
        let shift = 64 - buckets.ilog2();
        let bits = (BITS_PER_WINDOW * windows.len()).next_power_of_two();
        let bitmap_shift = 64 - bits.ilog2().clamp(6, MAX_BITMAP_BITS);
        let mut bitmap = vec![0; 1 << (58 - bitmap_shift)];
        let mut list: Vec<(usize, Entry)> = windows
            .iter()
            .map(|window| {
                let cubes = &literals[window.needle.index()].cubes()[window.offset as usize..];
                let hash = hash(folded(&cubes[..8]), folded(&cubes[len - 8..len]));
                let bit = hash >> bitmap_shift;
                bitmap[(bit >> 6) as usize] |= 1 << (bit & 63);
                let WordRange { first, len } = strings.words_of(window.needle);
                let entry = Entry {
                    check: check_bits(hash),
                    needle: window.needle,
                    first_word: first,
                    // Literals have at most 32 bytes, so lengths and offsets fit.
                    len: len as u8,
                    offset: window.offset as u8,
                    last: false,
                };
                ((hash >> shift) as usize, entry)
            })
            .collect();
        list.sort_by_key(|(bucket, entry)| (*bucket, entry.needle));
        let mut starts = vec![0; buckets];
        let mut entries = vec![Entry::NOTHING];
        for bucket in list.chunk_by(|a, b| a.0 == b.0) {
            starts[bucket[0].0] = entries.len() as u32;
            entries.extend(bucket.iter().map(|(_, entry)| entry));
            if let Some(last) = entries.last_mut() {
                last.last = true;
            }
        }
        WindowHashes {
            len,
            bitmap: bitmap.into(),
            bitmap_shift,
            shift,
            starts: starts.into(),
            entries: entries.into(),
        }
    }

    /// Appends the literals whose windows are at `places`: each is a position, which becomes that of
    /// the candidate's window, and its distance from the start of the window.
    pub(super) fn check(
        &self,
        buffer: &[u8],
        places: &mut [(u32, u32)],
        strings: &LiteralBytes,
        out: &mut Vec<Candidate>,
    ) {
        let kept = retain(places, |place| {
            self.hash_at(buffer, place).is_some_and(|hash| self.may_contain(hash))
        });
        for &place in &places[..kept] {
            let Some(hash) = self.hash_at(buffer, place) else { continue };
            let (at, before) = place;
            let start = self.starts[(hash >> self.shift) as usize];
            for entry in &self.entries[start as usize..] {
                if entry.check == check_bits(hash) {
                    let offset = u32::from(entry.offset) + before;
                    let words = WordRange { first: entry.first_word, len: entry.len.into() };
                    out.extend(strings.check_words(
                        buffer,
                        at as usize,
                        entry.needle,
                        offset,
                        words,
                    ));
                }
                if entry.last {
                    break;
                }
            }
        }
    }

    /// Whether a window may have this hash.
    #[inline(always)]
    fn may_contain(&self, hash: u64) -> bool {
        let bit = hash >> self.bitmap_shift;
        self.bitmap[(bit >> 6) as usize] >> (bit & 63) & 1 != 0
    }

    /// The hash of the window that starts before the position, if it is within the buffer.
    #[inline(always)]
    fn hash_at(&self, buffer: &[u8], (at, before): (u32, u32)) -> Option<u64> {
        let start = at.checked_sub(before)? as usize;
        let window = buffer.get(start..start + self.len)?;
        let (first, last) = (window.first_chunk()?, window.last_chunk()?);
        Some(hash(fold(u64::from_le_bytes(*first)), fold(u64::from_le_bytes(*last))))
    }

    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        size_of_val(&self.bitmap[..])
            + size_of_val(&self.starts[..])
            + size_of_val(&self.entries[..])
    }
}

impl Entry {
    /// Never read, since no hash of an empty bucket is in the bitmap.
    const NOTHING: Entry =
        Entry { check: 0, needle: NeedleId::FIRST, first_word: 0, len: 0, offset: 0, last: true };
}

/// The bits of a hash that an entry repeats, right below the most bits that select a bucket.
#[inline(always)]
fn check_bits(hash: u64) -> u32 {
    (hash >> (32 - MAX_BUCKET_BITS)) as u32
}

/// The hash of a window whose first and last eight bytes, which may overlap, are these numbers.
#[inline(always)]
fn hash(first: u64, last: u64) -> u64 {
    let mixed = first.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ last.rotate_left(32);
    mixed.wrapping_mul(0xD6E8_FEB8_6659_FD93)
}

/// Lower bound on the estimated frequency of a window, per byte of text; estimates below it are noise.
const MIN_FREQUENCY: f64 = 1e-12;

/// Chooses a window of `len` bytes of each literal: the rarest, unless others have the same.
pub(super) fn choose_windows(len: usize, ids: &[NeedleId], literals: &[Literal]) -> Vec<Window> {
    // By a hash, of which at most a quarter is in use. Windows with the same hash count as one.
    let bits = (4 * ids.len()).next_power_of_two().ilog2().max(1);
    let mut users = vec![0u32; 1 << bits];
    let mut frequencies = Vec::new();
    let choose = |&needle: &NeedleId| {
        let cubes = literals[needle.index()].cubes();
        if cubes.len() == len {
            return Window { needle, offset: 0 };
        }
        let slot = |at: usize| {
            let ends = [&cubes[at..at + 8], &cubes[at + len - 8..at + len]].map(folded);
            (hash(ends[0], ends[1]) >> (64 - bits)) as usize
        };
        frequencies.clear();
        frequencies.extend(cubes.iter().map(|&cube| byte_frequency::of_cube(cube)));
        let mut best = (f64::INFINITY, 0);
        for offset in 0..=cubes.len() - len {
            let frequency: f64 = frequencies[offset..offset + len].iter().product();
            if frequency.max(MIN_FREQUENCY) >= best.0 {
                // However few literals have this window, it is no better.
                continue;
            }
            let cost = frequency.max(MIN_FREQUENCY) * f64::from(1 + users[slot(offset)]);
            if cost < best.0 {
                best = (cost, offset);
            }
        }
        users[slot(best.1)] += 1;
        Window { needle, offset: best.1 as u32 }
    };
    ids.iter().map(choose).collect()
}

/// The eight bytes of `buffer` at `at`, little-endian, extended by zeros at the end of the buffer.
#[inline(always)]
pub(super) fn word_at(buffer: &[u8], at: usize) -> u64 {
    match buffer[at..].first_chunk() {
        Some(bytes) => u64::from_le_bytes(*bytes),
        None => word_at_end(&buffer[at..]),
    }
}

#[cold]
fn word_at_end(rest: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    bytes[..rest.len()].copy_from_slice(rest);
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_extended_by_zeros_at_the_end_of_a_buffer() {
        let buffer: Vec<u8> = (1..=20).collect();
        for len in 0..=buffer.len() {
            for at in 0..=len {
                let byte = |index: usize| if index < len { buffer[index] } else { 0 };
                let expected = std::array::from_fn(|index| byte(at + index));
                assert_eq!(word_at(&buffer[..len], at), u64::from_le_bytes(expected), "{len} {at}");
            }
        }
    }

    #[test]
    fn few_hashes_are_in_the_bitmap_besides_those_of_windows() {
        let number = |n: usize| format!("{n:08}").into_bytes();
        for count in [1, 5, 1000] {
            let literals: Vec<_> = (0..count).map(|n| Literal::exact(&number(n))).collect();
            let ids: Vec<_> = (0..count).map(NeedleId::new).collect();
            let windows = choose_windows(8, &ids, &literals);
            let hashes = WindowHashes::new(8, &windows, &literals, &LiteralBytes::new(&literals));
            let contained = |n: usize| {
                let hash = hashes.hash_at(&number(n), (0, 0));
                hash.is_some_and(|hash| hashes.may_contain(hash))
            };
            assert!((0..count).all(contained));
            let others = (count..count + 1000).filter(|&n| contained(n)).count();
            assert!(others < 1000 / 8, "{others} of 1000 besides {count}");
        }
    }
}
