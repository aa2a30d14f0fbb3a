//! The way from positions that a pass has left to the literals that stand there.

use super::super::literal::{Cube, Literal};
use super::Candidate;
use super::strings::Strings;

/// Sets the bit that tells the cases of a letter apart, in each byte of a key.
const FOLD: u32 = 0x2020_2020;
/// How many bytes before a window are compared at first, and how many there are in all.
const BEFORE: usize = 2;
const BYTES: usize = 8;
/// The most bytes of a window that are hashed.
const KEY: usize = 4;

/// Positions of a pass, one for each bit: those from `at` on, a stride apart.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Hits {
    pub(super) at: u32,
    pub(super) bits: u64,
}

/// The most [`Hits`] that are looked at together.
const HITS: usize = 32;

/// How many positions are checked together, and how many are written at once.
const ENOUGH: usize = 64;
const STEP: usize = 4;
/// Room for as many, and those of a word more.
const LIST: usize = ENOUGH + 64 + STEP;

/// Collects [`Hits`] until there are enough to look at.
#[derive(Default)]
pub(super) struct List {
    hits: [Hits; HITS],
    len: usize,
}

impl List {
    /// Adds some, if there are any, and calls `check` if the list is full. Without a branch that
    /// depends on `bits`.
    #[inline(always)]
    pub(super) fn push(&mut self, at: usize, bits: u64, check: &mut impl FnMut(&[Hits])) {
        // In range: buffers are shorter than 2^32 bytes, and a full list is emptied.
        self.hits[self.len % HITS] = Hits { at: at as u32, bits };
        self.len += usize::from(bits != 0);
        if self.len == HITS {
            self.flush(check);
        }
    }

    /// Calls `check` with those that are left.
    #[inline(always)]
    pub(super) fn flush(&mut self, check: &mut impl FnMut(&[Hits])) {
        check(&self.hits[..self.len]);
        self.len = 0;
    }
}

/// Where in a literal its window is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) literal: u32,
    pub(super) offset: u32,
}

/// Literals by the first bytes of their windows.
#[derive(Debug)]
pub(super) struct Index {
    classes: Vec<Class>,
}

/// Literals with as many bytes in their windows.
#[derive(Debug)]
struct Class {
    /// The bytes of a window that are hashed, as a mask.
    key: u32,
    /// How far a hash is shifted right.
    shift: u32,
    /// By the high bits of the hash: where the bucket's entries start, or where one is that
    /// nothing equals. A power of two.
    starts: Box<[u32]>,
    entries: Box<[Entry]>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Of the bytes around the window, those bits that are in `mask` are `value`.
    value: u64,
    mask: u64,
    literal: u32,
    /// Where in the literal the window is.
    offset: u16,
    /// The literal's length if all of it is in `value`, or else 0.
    len: u8,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// No literal, but what those have in common that follow.
    Head,
    /// A literal, and the next entry is in this bucket as well.
    More,
    Last,
}

impl Index {
    /// An index of literals by their windows, which are `len` bytes or what the literal has.
    pub(super) fn new(len: usize, places: &[Place], literals: &[Literal]) -> Index {
        let mut classes: [Vec<Place>; KEY] = Default::default();
        for &place in places {
            let rest = literals[place.literal as usize].len() - place.offset as usize;
            classes[rest.min(len) - 1].push(place);
        }
        let classes = (1..).zip(classes).filter(|(_, places)| !places.is_empty());
        Index { classes: classes.map(|(len, places)| Class::new(len, &places, literals)).collect() }
    }

    /// Appends the literals that have their windows at the positions of `hits`, which are
    /// `stride` apart.
    pub(super) fn check(
        &self,
        buffer: &[u8],
        hits: &[Hits],
        stride: usize,
        strings: &Strings,
        out: &mut Vec<Candidate>,
    ) {
        let mut positions = [0; LIST];
        let mut count = 0;
        for &Hits { at, mut bits } in hits {
            // Mostly there are few, and the loop is left after the first time. That more are
            // written than there are does no harm. The method is simdjson's.
            let end = count + bits.count_ones() as usize;
            while count < end {
                for position in &mut positions[count..count + STEP] {
                    *position = at.wrapping_add(bits.trailing_zeros() * stride as u32);
                    bits &= bits.wrapping_sub(1);
                }
                count += STEP;
            }
            count = end;
            if count >= ENOUGH {
                self.check_all(buffer, &mut positions[..count], strings, out);
                count = 0;
            }
        }
        self.check_all(buffer, &mut positions[..count], strings, out);
    }

    fn check_all(
        &self,
        buffer: &[u8],
        positions: &mut [u32],
        strings: &Strings,
        out: &mut Vec<Candidate>,
    ) {
        // Whether a position passes is as good as random, so there is no branch that depends on
        // it until almost all that are left are no false ones.
        let kept = match &self.classes[..] {
            [class] => keep(positions, |at| class.may(around(buffer, at))),
            classes => keep(positions, |at| {
                let text = around(buffer, at);
                classes.iter().fold(false, |may, class| may | class.may(text))
            }),
        };
        for &window in &positions[..kept] {
            let window = window as usize;
            let text = around(buffer, window);
            for class in &self.classes {
                class.check(text, buffer, window, strings, out);
            }
        }
    }

    pub(super) fn memory(&self) -> usize {
        let of = |c: &Class| size_of_val(&c.starts[..]) + size_of_val(&c.entries[..]);
        self.classes.iter().map(of).sum()
    }
}

/// Moves the positions that pass to the front, and tells how many there are.
#[inline(always)]
fn keep(positions: &mut [u32], passes: impl Fn(usize) -> bool) -> usize {
    let mut kept = 0;
    for index in 0..positions.len() {
        let position = positions[index];
        positions[kept] = position;
        kept += usize::from(passes(position as usize));
    }
    kept
}

impl Class {
    fn new(len: usize, places: &[Place], literals: &[Literal]) -> Class {
        let key = u32::MAX >> (32 - 8 * len);
        let buckets = (places.len() * 4).next_power_of_two().min(1 << 20);
        let shift = 32 - buckets.trailing_zeros();
        let mut list: Vec<(u32, Entry)> = places
            .iter()
            .map(|&place| {
                let entry = Entry::new(place, literals[place.literal as usize].cubes());
                (hash(entry.value, key) >> shift, entry)
            })
            .collect();
        list.sort_by_key(|(bucket, entry)| (*bucket, entry.literal, entry.offset));
        let mut entries = vec![Entry::NOTHING];
        let mut starts = vec![0; buckets];
        for bucket in list.chunk_by(|a, b| a.0 == b.0) {
            starts[bucket[0].0 as usize] = entries.len() as u32;
            if bucket.len() > 1 {
                entries.push(Entry::head(bucket));
            }
            let more = bucket.iter().map(|(_, entry)| Entry { kind: Kind::More, ..*entry });
            entries.extend(more);
            if let Some(last) = entries.last_mut() {
                last.kind = Kind::Last;
            }
        }
        Class { key, shift, starts: starts.into(), entries: entries.into() }
    }

    #[inline(always)]
    fn first(&self, text: u64) -> usize {
        self.starts[(hash(text, self.key) >> self.shift) as usize] as usize
    }

    /// Whether a literal may stand where `text` is around a window. Without branches.
    #[inline(always)]
    fn may(&self, text: u64) -> bool {
        let entry = &self.entries[self.first(text)];
        text & entry.mask == entry.value
    }

    #[inline]
    fn check(
        &self,
        text: u64,
        buffer: &[u8],
        window: usize,
        strings: &Strings,
        out: &mut Vec<Candidate>,
    ) {
        for entry in &self.entries[self.first(text)..] {
            if text & entry.mask == entry.value && entry.kind != Kind::Head {
                out.extend(entry.candidate(buffer, window, strings));
            }
            if entry.kind == Kind::Last {
                break;
            }
        }
    }
}

impl Entry {
    /// Equals no text.
    const NOTHING: Entry =
        Entry { value: 1, mask: 0, literal: 0, offset: 0, len: 0, kind: Kind::Last };

    /// What all of a bucket's entries have in common.
    fn head(bucket: &[(u32, Entry)]) -> Entry {
        let first = bucket[0].1;
        let mask = bucket
            .iter()
            .fold(u64::MAX, |mask, (_, entry)| mask & entry.mask & !(entry.value ^ first.value));
        Entry { value: first.value & mask, mask, kind: Kind::Head, ..first }
    }

    fn new(place: Place, cubes: &[Cube]) -> Entry {
        let (mut value, mut mask) = ([0; BYTES], [0; BYTES]);
        let mut inside = 0;
        for index in 0..BYTES {
            let at = (place.offset as usize + index).checked_sub(BEFORE);
            if let Some(cube) = at.and_then(|at| cubes.get(at)) {
                (value[index], mask[index]) = (cube.value, cube.mask);
                inside += 1;
            }
        }
        let len = if inside == cubes.len() { inside as u8 } else { 0 };
        // In range: literals have 32 bytes at most.
        debug_assert!(place.offset <= u32::from(u16::MAX));
        let (literal, offset) = (place.literal, place.offset as u16);
        let (value, mask) = (u64::from_le_bytes(value), u64::from_le_bytes(mask));
        Entry { value, mask, literal, offset, len, kind: Kind::Last }
    }

    /// The candidate, if all of the literal is there.
    #[inline]
    fn candidate(&self, buffer: &[u8], window: usize, strings: &Strings) -> Option<Candidate> {
        let literal = self.literal;
        if self.len == 0 {
            return strings.check(buffer, window, literal, self.offset.into());
        }
        let start = window.checked_sub(self.offset.into())?;
        let end = start + usize::from(self.len);
        // In range: buffers are shorter than 2^32 bytes.
        let (window, start) = (window as u32, start as u32);
        (end <= buffer.len()).then_some(Candidate { window, start, end: end as u32, literal })
    }
}

/// The hash of the bytes of a window that are in `key`, with the cases folded.
#[inline(always)]
fn hash(text: u64, key: u32) -> u32 {
    let window = (text >> (8 * BEFORE)) as u32;
    // Fibonacci hashing: the high bits depend on all of the key.
    ((window | FOLD) & key).wrapping_mul(0x9E37_79B1)
}

/// The bytes around a window; where the buffer has none, zeros.
#[inline(always)]
fn around(buffer: &[u8], window: usize) -> u64 {
    if let Some(start) = window.checked_sub(BEFORE)
        && let Some(bytes) = buffer.get(start..).and_then(|rest| rest.first_chunk::<BYTES>())
    {
        return u64::from_le_bytes(*bytes);
    }
    edge(buffer, window)
}

#[cold]
fn edge(buffer: &[u8], window: usize) -> u64 {
    let mut bytes = [0; BYTES];
    for (index, byte) in bytes.iter_mut().enumerate() {
        let at = (window + index).checked_sub(BEFORE);
        *byte = at.and_then(|at| buffer.get(at)).copied().unwrap_or(0);
    }
    u64::from_le_bytes(bytes)
}
