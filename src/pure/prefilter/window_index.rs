//! Finds which literals are at the positions that pass Teddy or the q-gram table.
//!
//! A pass finds only that some literal may have its window at a position. The first bytes of the
//! text there are hashed, and a table leads to the literals whose windows have that hash. Three
//! steps, ordered by how many positions reach them:
//!
//! 1. The bits of the words that passed become positions.
//! 2. Each position is compared with *one* entry: the only literal of its hash, or what all
//!    literals of that hash have in common. Entries that are equal to the text are kept.
//! 3. For each entry that was kept, its literal is compared in full, or all literals of the hash are.
//!
//! Whether a position passes is unpredictable, and a mispredicted branch costs about as much as
//! twenty positions that don't pass. So steps 1 and 2 have no branch on it: they always store, and
//! advance the length by the number of positions to keep. Step 1 is how simdjson writes its indexes
//! (Langdale and Lemire, "Parsing Gigabytes of JSON per Second", VLDB Journal 28, 2019). After step
//! 2 nearly every remaining position has a literal, so step 3 may branch.
//!
//! Each window takes 24 bytes for its entry and 16 to 32 for its share of the buckets.

use super::candidate::Candidate;
use super::literal_bytes::LiteralBytes;
use super::passed::{PassedWord, for_each_chunk};
use crate::pure::ids::NeedleId;
use crate::pure::literal::{Cube, Literal};

/// Sets bit 5 of each byte of a key, which makes upper case lower case.
const FOLD: u32 = 0x2020_2020;
/// The number of bytes before the window that an entry compares; the others are from its start on.
const BEFORE: usize = 2;
/// The number of bytes that an entry compares: a 64-bit word.
const BYTES: usize = 8;
/// The maximum number of bytes of a window that are hashed.
const MAX_KEY: usize = 4;
/// The number of pairs of a position and a table that are looked up before literals are compared. A power of two.
const LOOKUPS: usize = 256;

/// The part of a literal that a pass searches for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) needle: NeedleId,
    /// The distance from the literal's start to the window's, in bytes.
    pub(super) offset: u32,
}

/// An index of literals by the first bytes of their windows.
#[derive(Debug)]
pub(super) struct WindowIndex {
    /// One table for each number of bytes, 1 to 4, that some window has.
    tables: Vec<WindowTable>,
    /// Those of all tables, by bucket. The first is [`Entry::NOTHING`].
    entries: Vec<Entry>,
}

/// A hash table of the windows that have the same number of bytes.
#[derive(Debug)]
struct WindowTable {
    /// The bytes of the window that are hashed, as a mask.
    key: u32,
    /// The number of bits by which a hash is shifted right.
    shift: u32,
    /// By bucket, the high bits of the hash: the index of its first entry, or that of
    /// [`Entry::NOTHING`], 0, if the bucket is empty. The length is a power of two.
    starts: Box<[u32]>,
}

/// A position where the text equals an entry.
#[derive(Clone, Copy, Default)]
struct Equal {
    at: u32,
    /// The index of the entry, which is the first of its bucket.
    entry: u32,
}

/// What the text around a window is compared with.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// The text matches if `text & mask` equals `value`.
    value: u64,
    mask: u64,
    needle: NeedleId,
    /// The distance from the literal's start to the window's, in bytes.
    offset: u16,
    /// The literal's length if `value` has all of it, otherwise 0.
    len: u8,
    kind: EntryKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EntryKind {
    /// What all following entries of the bucket have in common; no literal. The first of a bucket with more than
    /// one literal.
    Common,
    /// A literal that is followed by another one of the same bucket.
    Literal,
    /// The last literal of the bucket.
    LastLiteral,
}

impl WindowIndex {
    /// An index of windows that have `len` bytes, or as many as the literal has from there on.
    pub(super) fn new(len: usize, windows: &[Window], literals: &[Literal]) -> WindowIndex {
        let mut by_len: [Vec<Window>; MAX_KEY] = Default::default();
        for &window in windows {
            let rest = literals[window.needle.index()].len() - window.offset as usize;
            by_len[rest.min(len) - 1].push(window);
        }
        let by_len = (1..).zip(by_len).filter(|(_, windows)| !windows.is_empty());
        let mut entries = vec![Entry::NOTHING];
        let tables =
            by_len.map(|(len, windows)| WindowTable::new(len, &windows, literals, &mut entries));
        WindowIndex { tables: tables.collect(), entries }
    }

    /// Appends the literals that have their windows at the positions of `passed`, which are
    /// `stride` bytes apart within a word.
    pub(super) fn check(
        &self,
        buffer: &[u8],
        passed: &[PassedWord],
        stride: usize,
        strings: &LiteralBytes,
        out: &mut Vec<Candidate>,
    ) {
        let mut equal = [Equal::default(); LOOKUPS];
        for_each_chunk(passed, stride, |positions| {
            for positions in positions.chunks(LOOKUPS / self.tables.len().max(1)) {
                let count = self.look_up(buffer, positions, &mut equal);
                for &Equal { at, entry } in &equal[..count] {
                    self.compare(buffer, at as usize, entry as usize, strings, out);
                }
            }
        });
    }

    /// Writes the entries that are equal to the text at `positions` to `equal`, ordered by position, and returns
    /// their number. There are at most [`LOOKUPS`] pairs of a position and a table.
    #[inline(always)]
    fn look_up(&self, buffer: &[u8], positions: &[u32], equal: &mut [Equal; LOOKUPS]) -> usize {
        let mut count = 0;
        let mut look_up = |table: &WindowTable, at: u32, text: u64| {
            let index = table.first_entry(text);
            let entry = &self.entries[index as usize];
            // The remainder proves to the compiler that the index is in range.
            equal[count % LOOKUPS] = Equal { at, entry: index };
            count += usize::from(text & entry.mask == entry.value);
        };
        // Sets mostly have windows of one or two lengths, for which there is no inner loop.
        match &self.tables[..] {
            [table] => positions
                .iter()
                .for_each(|&at| look_up(table, at, text_around(buffer, at as usize))),
            [first, second] => positions.iter().for_each(|&at| {
                let text = text_around(buffer, at as usize);
                look_up(first, at, text);
                look_up(second, at, text);
            }),
            tables => positions.iter().for_each(|&at| {
                let text = text_around(buffer, at as usize);
                tables.iter().for_each(|table| look_up(table, at, text));
            }),
        }
        count
    }

    /// Appends the literals of a bucket that are at `window`. The text there equals the bucket's first entry.
    #[inline]
    fn compare(
        &self,
        buffer: &[u8],
        window: usize,
        first: usize,
        strings: &LiteralBytes,
        out: &mut Vec<Candidate>,
    ) {
        let entry = &self.entries[first];
        if entry.kind == EntryKind::LastLiteral {
            out.extend(entry.candidate(buffer, window, strings));
            return;
        }
        let text = text_around(buffer, window);
        for entry in &self.entries[first + 1..] {
            if text & entry.mask == entry.value {
                out.extend(entry.candidate(buffer, window, strings));
            }
            if entry.kind == EntryKind::LastLiteral {
                break;
            }
        }
    }

    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        let starts = self.tables.iter().map(|table| size_of_val(&table.starts[..]));
        starts.sum::<usize>() + size_of_val(&self.entries[..])
    }
}

impl WindowTable {
    /// A table of windows of which the first `len` bytes are hashed. Appends their entries to `entries`.
    fn new(
        len: usize,
        windows: &[Window],
        literals: &[Literal],
        entries: &mut Vec<Entry>,
    ) -> WindowTable {
        let key = u32::MAX >> (32 - 8 * len);
        // Four buckets per window keep collisions rare. The limit keeps the buckets within 4 MiB.
        let buckets = (windows.len() * 4).next_power_of_two().min(1 << 20);
        let shift = 32 - buckets.trailing_zeros();
        let mut list: Vec<(u32, Entry)> = windows
            .iter()
            .map(|&window| {
                let entry = Entry::new(window, literals[window.needle.index()].cubes());
                (hash(entry.value, key) >> shift, entry)
            })
            .collect();
        list.sort_by_key(|(bucket, entry)| (*bucket, entry.needle, entry.offset));
        let mut starts = vec![0; buckets];
        for bucket in list.chunk_by(|a, b| a.0 == b.0) {
            starts[bucket[0].0 as usize] = entries.len() as u32;
            if bucket.len() > 1 {
                entries.push(Entry::common(bucket));
            }
            let literals = bucket.iter().map(|(_, e)| Entry { kind: EntryKind::Literal, ..*e });
            entries.extend(literals);
            if let Some(last) = entries.last_mut() {
                last.kind = EntryKind::LastLiteral;
            }
        }
        WindowTable { key, shift, starts: starts.into() }
    }

    /// The index of the first entry of the bucket for `text`.
    #[inline(always)]
    fn first_entry(&self, text: u64) -> u32 {
        self.starts[(hash(text, self.key) >> self.shift) as usize]
    }
}

impl Entry {
    /// Equals no text, since `text & 0` is never 1.
    const NOTHING: Entry = Entry {
        value: 1,
        mask: 0,
        // Never read, since the entry never matches.
        needle: NeedleId::FIRST,
        offset: 0,
        len: 0,
        kind: EntryKind::LastLiteral,
    };

    /// The bits that all entries of a bucket compare and in which they agree: usually at least
    /// those of the window.
    fn common(bucket: &[(u32, Entry)]) -> Entry {
        let first = bucket[0].1;
        let mask = bucket
            .iter()
            .fold(u64::MAX, |mask, (_, entry)| mask & entry.mask & !(entry.value ^ first.value));
        Entry { value: first.value & mask, mask, kind: EntryKind::Common, ..first }
    }

    fn new(window: Window, cubes: &[Cube]) -> Entry {
        let (mut value, mut mask) = ([0; BYTES], [0; BYTES]);
        let mut inside = 0;
        for index in 0..BYTES {
            let at = (window.offset as usize + index).checked_sub(BEFORE);
            if let Some(cube) = at.and_then(|at| cubes.get(at)) {
                (value[index], mask[index]) = (cube.value, cube.mask);
                inside += 1;
            }
        }
        let len = if inside == cubes.len() { inside as u8 } else { 0 };
        // Literals have at most 32 bytes, so offsets fit.
        debug_assert!(window.offset <= u32::from(u16::MAX));
        let (needle, offset) = (window.needle, window.offset as u16);
        let (value, mask) = (u64::from_le_bytes(value), u64::from_le_bytes(mask));
        Entry { value, mask, needle, offset, len, kind: EntryKind::LastLiteral }
    }

    /// The candidate, if all of the literal is in the buffer. The entry itself has matched.
    #[inline]
    fn candidate(&self, buffer: &[u8], window: usize, strings: &LiteralBytes) -> Option<Candidate> {
        let needle = self.needle;
        if self.len == 0 {
            return strings.check(buffer, window, needle, self.offset.into());
        }
        // The text around the window was extended by zeros, which a literal may contain, so the
        // edges of the buffer are checked here.
        let start = window.checked_sub(self.offset.into())?;
        let end = start + usize::from(self.len);
        // The casts are lossless, since buffers are shorter than 2^32 bytes.
        let (window, start) = (window as u32, start as u32);
        (end <= buffer.len()).then_some(Candidate {
            window_start: window,
            start,
            end: end as u32,
            needle,
        })
    }
}

/// The hash of those bytes of a window that are in `key`, with the cases folded, by Fibonacci
/// hashing (Knuth, volume 3, 6.4): the high bits depend on all of the key.
#[inline(always)]
fn hash(text: u64, key: u32) -> u32 {
    let window = (text >> (8 * BEFORE)) as u32;
    ((window | FOLD) & key).wrapping_mul(0x9E37_79B1)
}

/// The bytes from [`BEFORE`] bytes before a window on, little-endian. Bytes outside the buffer are
/// zero.
#[inline(always)]
fn text_around(buffer: &[u8], window: usize) -> u64 {
    if let Some(start) = window.checked_sub(BEFORE)
        && let Some(bytes) = buffer.get(start..).and_then(|rest| rest.first_chunk::<BYTES>())
    {
        return u64::from_le_bytes(*bytes);
    }
    text_at_edge(buffer, window)
}

#[cold]
fn text_at_edge(buffer: &[u8], window: usize) -> u64 {
    let mut bytes = [0; BYTES];
    for (index, byte) in bytes.iter_mut().enumerate() {
        let at = (window + index).checked_sub(BEFORE);
        *byte = at.and_then(|at| buffer.get(at)).copied().unwrap_or(0);
    }
    u64::from_le_bytes(bytes)
}
