//! Teddy: a search for few literals by nibble masks, a vector of positions at a time.
//!
//! For each of the four bytes of a window, a pair of [nibble masks](super::nibble_masks) says which
//! buckets of literals the byte may belong to; the `and` over all four leaves the buckets that may
//! have a literal at a position. Teddy is by Geoffrey Langdale, for Hyperscan; the `aho-corasick`
//! crate has another version in Rust. The README in this folder explains it from the start, with an
//! example.
//!
//! What differs here: sixteen buckets instead of eight, in two halves, of which the second is left
//! out where it isn't worth its cost; and the window may be anywhere in a literal, at its rarest
//! bytes, where the originals use the end or the start.
//!
//! A pass takes four loads and up to sixteen lookups per vector. With some hundreds of literals,
//! nearly every position passes; [`qgrams`](super::qgrams) is for those.

use std::ops::Range;

use super::candidate::Candidate;
use super::literal_bytes::LiteralBytes;
use super::nibble_masks::{NibbleMasks, NibbleTables};
use super::passed::{PassedBuffer, PassedWord};
use super::teddy_buckets::{Bucket, WINDOW, buckets, rarest_window};
use super::window_index::{Window, WindowIndex};
use crate::pure::cost::{self, PassCosts};
use crate::pure::ids::NeedleId;
use crate::pure::literal::Literal;
use crate::simd::{Isa, Kernel, MAX_BYTES, Vector};

/// The number of buckets in each half of the masks: the bits of a byte.
const HALF: usize = 8;
/// The largest number of literals for which eight buckets are tried. With more, too many positions
/// pass, so trying would only make building slower.
const MAX_HALF: usize = 64;

/// The compiled search for a few literals.
#[derive(Debug)]
pub(super) struct Teddy {
    /// The masks of each byte of the window.
    masks: [NibbleMasks; WINDOW],
    /// The number of bytes of a window that are compared: [`WINDOW`], or the length of the longest
    /// literal if that is less.
    bytes: usize,
    /// The number of halves of the masks that are in use.
    halves: usize,
    /// The number of literals.
    literals: usize,
    index: WindowIndex,
}

/// The windows of some literals and their buckets: what the cost of a pass depends on.
pub(super) struct TeddyWindows {
    windows: Vec<(Bucket, Window)>,
    buckets: Vec<Bucket>,
    /// See [`Teddy`].
    bytes: usize,
    halves: usize,
}

impl TeddyWindows {
    /// Chooses windows of the literals with these ids, of which there is at least one.
    pub(super) fn new(ids: &[NeedleId], literals: &[Literal], costs: &PassCosts) -> TeddyWindows {
        let mut windows: Vec<(Bucket, Window)> =
            ids.iter().map(|&id| rarest_window(id, &literals[id.index()])).collect();
        // The most frequent first: they get buckets of their own, and the others join where they
        // add the least.
        windows.sort_by(|a, b| b.0.frequency().total_cmp(&a.0.frequency()));
        let bytes = ids.iter().map(|&id| literals[id.index()].len()).max().unwrap_or(1);
        let bytes = bytes.min(WINDOW);
        let buckets_of = |count: usize| {
            let buckets = buckets(&windows, count);
            let halves = buckets.len().div_ceil(HALF);
            TeddyWindows { windows: Vec::new(), buckets, bytes, halves }
        };
        let mut best = buckets_of(2 * HALF);
        if best.halves > 1 && ids.len() <= MAX_HALF {
            let fewer = buckets_of(HALF);
            if fewer.cost(costs) < best.cost(costs) {
                best = fewer;
            }
        }
        TeddyWindows { windows, ..best }
    }

    /// The estimated time of a pass, in nanoseconds per byte of ordinary text.
    pub(super) fn cost(&self, costs: &PassCosts) -> f64 {
        // Relative to a pass that compares all bytes of the window with both halves.
        let work = work(self.bytes, self.halves);
        let frequency: f64 = self.buckets.iter().map(Bucket::frequency).sum();
        let passed = cost::TEDDY_PASSED_VS_EXPECTED * frequency;
        costs.teddy * work + cost::TEDDY_CHECK_NS * passed
    }

    /// Builds the search.
    pub(super) fn build(self, literals: &[Literal]) -> Teddy {
        let mut masks: [NibbleMasks; WINDOW] = Default::default();
        for (bucket, set) in self.buckets.iter().enumerate() {
            let (half, bit) = (bucket / HALF, 1 << (bucket % HALF));
            for (masks, (low, high)) in masks.iter_mut().zip(set.nibbles.0) {
                for nibble in 0..16 {
                    masks.low[half][nibble] |= if low >> nibble & 1 != 0 { bit } else { 0 };
                    masks.high[half][nibble] |= if high >> nibble & 1 != 0 { bit } else { 0 };
                }
            }
        }
        let windows: Vec<Window> = self.windows.iter().map(|(_, window)| *window).collect();
        let index = WindowIndex::new(WINDOW, &windows, literals);
        Teddy { masks, bytes: self.bytes, halves: self.halves, literals: windows.len(), index }
    }
}

impl Teddy {
    /// The number of literals.
    pub(super) fn literals(&self) -> usize {
        self.literals
    }

    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        size_of_val(&self.masks) + self.index.memory()
    }

    /// Appends the literals whose windows start in `range`, in the order of these windows.
    pub(super) fn find(
        &self,
        isa: Isa,
        buffer: &[u8],
        range: Range<usize>,
        strings: &LiteralBytes,
        out: &mut Vec<Candidate>,
    ) {
        let mut check = |passed: &[PassedWord]| {
            self.index.check(buffer, passed, 1, strings, out);
        };
        let (masks, check) = (&self.masks, &mut check);
        match (self.bytes, self.halves) {
            (1 | 2, 1) => isa.run(TeddyPass::<2, 1, _> { masks, buffer, range, check }),
            (1 | 2, _) => isa.run(TeddyPass::<2, 2, _> { masks, buffer, range, check }),
            (3, 1) => isa.run(TeddyPass::<3, 1, _> { masks, buffer, range, check }),
            (3, _) => isa.run(TeddyPass::<3, 2, _> { masks, buffer, range, check }),
            (_, 1) => isa.run(TeddyPass::<4, 1, _> { masks, buffer, range, check }),
            (_, _) => isa.run(TeddyPass::<4, 2, _> { masks, buffer, range, check }),
        }
    }
}

/// See [`Teddy::work`].
fn work(bytes: usize, halves: usize) -> f64 {
    (bytes.max(2) * halves) as f64 / (2 * WINDOW) as f64
}

/// One pass: calls `check` with the positions of `range` at which some bucket may have a literal,
/// in order. It compares the first `LEN` bytes of each window with `HALVES` halves of the masks.
struct TeddyPass<'a, const LEN: usize, const HALVES: usize, F> {
    masks: &'a [NibbleMasks; WINDOW],
    buffer: &'a [u8],
    range: Range<usize>,
    check: &'a mut F,
}

impl<const LEN: usize, const HALVES: usize, F> Kernel for TeddyPass<'_, LEN, HALVES, F>
where
    F: FnMut(&[PassedWord]),
{
    #[inline(always)]
    fn run<V: Vector>(self, token: V::Token) {
        let TeddyPass { masks, buffer, range, check } = self;
        let tables = [
            NibbleTables::<V>::new(token, &masks[0]),
            NibbleTables::<V>::new(token, &masks[1]),
            NibbleTables::<V>::new(token, &masks[2]),
            NibbleTables::<V>::new(token, &masks[3]),
        ];
        let mut passed = PassedBuffer::default();
        let mut at = range.start;
        // A vector of positions reads up to the last byte of its last position's window.
        let reach = V::BYTES + LEN - 1;
        while at + V::BYTES <= range.end
            && let Some(bytes) = buffer.get(at..at + reach)
        {
            passed.push(at, possible::<V, LEN, HALVES>(token, &tables, bytes), check);
            at += V::BYTES;
        }
        // The end of the range, with zeros after the end of the buffer. A separate loop keeps the
        // copy out of the one above.
        while at < range.end {
            let mut rest = [0; 2 * MAX_BYTES];
            let len = reach.min(buffer.len() - at);
            rest[..len].copy_from_slice(&buffer[at..at + len]);
            let mut bits = possible::<V, LEN, HALVES>(token, &tables, &rest[..reach]);
            let left = range.end - at;
            if left < V::BYTES {
                bits &= (1 << left) - 1;
            }
            passed.push(at, bits, check);
            at += V::BYTES;
        }
        passed.flush(check);
    }

    /// One position at a time, with a table of 256 entries per byte of the window instead of two
    /// of 16.
    fn run_scalar(self) {
        const BLOCK: usize = 64;
        let TeddyPass { masks, buffer, range, check } = self;
        let mut tables = [[0u16; 256]; WINDOW];
        for (table, masks) in tables.iter_mut().zip(masks) {
            for (byte, buckets) in (0..=u8::MAX).zip(table) {
                *buckets = u16::from_le_bytes(masks.sets(byte));
            }
        }
        let [a, b, c, d] = &tables;
        let mut passed = PassedBuffer::default();
        for first in range.clone().step_by(BLOCK) {
            let mut rest = [0; BLOCK + WINDOW - 1];
            // An array and not a slice, so that the compiler drops the bounds checks of the loop.
            let bytes = match buffer[first..].first_chunk() {
                Some(bytes) => bytes,
                None => {
                    // The end of the buffer, extended by zeros.
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
            passed.push(first, bits, check);
        }
        passed.flush(check);
    }
}

/// The positions that pass, as bits: those among the first `V::BYTES` positions of `bytes` at which
/// some bucket may have a literal.
#[inline(always)]
fn possible<V: Vector, const LEN: usize, const HALVES: usize>(
    token: V::Token,
    tables: &[NibbleTables<V>; WINDOW],
    bytes: &[u8],
) -> u64 {
    let (mut first, mut second) = tables[0].lookup::<HALVES>(V::load(token, &bytes[..V::BYTES]));
    let mut index = 1;
    while index < LEN {
        let next = V::load(token, &bytes[index..index + V::BYTES]);
        let (a, b) = tables[index].lookup::<HALVES>(next);
        (first, second) = (first.and(a), second.and(b));
        index += 1;
    }
    if HALVES == 1 { first.nonzero_mask() } else { first.or(second).nonzero_mask() }
}
