//! Runs of a class: which bytes are in it, a vector at a time, as bits; runs of ones among them.

use std::ops::Range;

use crate::Batch;

use super::super::literal::ByteSet;
use super::Candidate;
use super::arch::{self, Level, Vector};
use super::teddy::{self, Masks};

/// How many bytes are classified at a time: one bit of a word each.
const WORD: usize = 64;

/// A class and how many bytes of it must follow one another.
#[derive(Debug)]
pub(crate) struct RunSearch {
    /// The class as nibble masks: each of the sixteen high nibbles has a bit of its own, so that
    /// they tell exactly the bytes of the class.
    masks: Masks,
    len: usize,
    /// What candidates carry as the number of their literal.
    number: u32,
    level: Level,
}

/// Where the run starts that goes on in the part of the buffer that is searched next, and how far
/// the records have come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    open: Option<usize>,
    /// A record that begins before whatever is found next.
    record: usize,
}

impl RunSearch {
    pub(crate) fn new(class: ByteSet, len: u32, number: u32, level: Level) -> RunSearch {
        RunSearch { masks: masks_of(&class), len: len as usize, number, level }
    }

    /// Appends the runs that have bytes in `range` of the records that begin before its end: for
    /// each run of a record one candidate, or several that overlap where it goes on beyond the
    /// range. `progress` is that of the search of all before `range`.
    pub(crate) fn find(
        &self,
        batch: &Batch<'_>,
        range: Range<usize>,
        progress: &mut Progress,
        out: &mut Vec<Candidate>,
    ) {
        let open = progress.open.unwrap_or(range.start);
        let mut runs = Runs { open, len: self.len, piece: Piece::of(self.len) };
        let mut close = |run: Range<usize>| {
            if run.len() >= self.len {
                let from = run.start.max(range.start);
                progress.record = batch.record_at(progress.record, from);
                tell(batch, run, progress.record, self.len, self.number, out);
            }
        };
        let buffer = &batch.buffer()[..batch.extent().end];
        let mut word = |base, bits, count| runs.word(base, bits, count, &mut close);
        class_bits_of(self.level, &self.masks, buffer, range.clone(), &mut word);
        progress.open = (runs.open < range.end).then_some(runs.open);
        close(runs.open..range.end);
    }
}

/// Nibble masks that tell exactly the bytes of a class.
pub(super) fn masks_of(class: &ByteSet) -> Masks {
    let mut masks = Masks::default();
    for high in 0..16u8 {
        let (half, bit) = (usize::from(high / 8), 1 << (high % 8));
        masks.high[half][usize::from(high)] = bit;
        for low in (0..16).filter(|low| class.contains(high << 4 | low)) {
            masks.low[half][usize::from(low)] |= bit;
        }
    }
    masks
}

/// Appends the parts of `run` that lie in records, from record `first` on.
pub(super) fn tell(
    batch: &Batch<'_>,
    run: Range<usize>,
    first: usize,
    len: usize,
    number: u32,
    out: &mut Vec<Candidate>,
) {
    for record in first..batch.len() {
        let bytes = batch.range(record);
        if bytes.start >= run.end {
            break;
        }
        let (start, end) = (bytes.start.max(run.start), bytes.end.min(run.end));
        if end >= start + len {
            let (start, end) = (start as u32, end as u32);
            out.push(Candidate { window: start, start, end, literal: number });
        }
    }
}

/// Runs of ones in words that follow one another.
struct Runs {
    /// Where the run starts that the last word ended in, or else its end.
    open: usize,
    len: usize,
    piece: Piece,
}

/// A part of a word such that any run that is long enough has one that is all ones.
#[derive(Clone, Copy)]
struct Piece {
    /// How many bits it has, as a power of two.
    log: u32,
    /// The highest bit of each piece.
    high: u64,
    /// The lowest.
    low: u64,
}

impl Piece {
    /// The largest that any `len` consecutive ones have one of, wherever they start.
    fn of(len: usize) -> Piece {
        let log = (len + 1).ilog2().saturating_sub(1).min(5);
        let low = u64::MAX / (u64::MAX >> (WORD - (1 << log)));
        Piece { log, high: low << ((1 << log) - 1), low }
    }

    /// Whether a word has a piece that is all ones.
    #[inline(always)]
    fn is_in(self, bits: u64) -> bool {
        // One more than all ones below the highest is the highest.
        (bits & !self.high).wrapping_add(self.low) & bits & self.high != 0
    }
}

impl Runs {
    /// Calls `close` with each run of at least `len` that ends in a word of `count` bits, the first
    /// byte's lowest. The bits above are zero.
    #[inline(always)]
    fn word(&mut self, base: usize, bits: u64, count: usize, close: &mut impl FnMut(Range<usize>)) {
        // A run that is long enough has a piece in this word, or its part before is as long as one.
        let part = count < WORD;
        if part | self.piece.is_in(bits) | ((base - self.open) >> self.piece.log != 0) {
            self.look(base, bits, count, close);
        } else {
            let last = (bits << (WORD - count)).leading_ones() as usize;
            self.open = base + count - last;
        }
    }

    #[inline(never)]
    fn look(&mut self, base: usize, bits: u64, count: usize, close: &mut impl FnMut(Range<usize>)) {
        // Where short runs start and end is as good as random, so no branch depends on that.
        let first = bits.trailing_ones() as usize;
        if first == count {
            return;
        }
        let last = (bits << (WORD - count)).leading_ones() as usize;
        let open = std::mem::replace(&mut self.open, base + count - last);
        if base + first - open >= self.len {
            close(open..base + first);
        }
        // Others have a zero before and behind them.
        if self.len > WORD - 2 {
            return;
        }
        let inner = bits & !low(first) & low(count - last);
        // Where `have` ones start, and `step` bits on as many, `have + step` do.
        let (mut starts, mut have) = (inner, 1);
        while have < self.len {
            let step = have.min(self.len - have);
            starts &= starts >> step;
            have += step;
        }
        while starts != 0 {
            let start = starts.trailing_zeros() as usize;
            let end = start + (inner >> start).trailing_ones() as usize;
            close(base + start..base + end);
            starts &= !low(end);
        }
    }
}

/// The lowest `count` bits.
fn low(count: usize) -> u64 {
    if count < WORD { (1 << count) - 1 } else { u64::MAX }
}

/// Calls `word` with the bytes of `range` that are in the class, as bits, a word at a time.
pub(super) fn class_bits_of(
    level: Level,
    masks: &Masks,
    buffer: &[u8],
    range: Range<usize>,
    word: &mut impl FnMut(usize, u64, usize),
) {
    // A class of ASCII has no high nibbles in the second half.
    if masks.low[1] == [0; 16] {
        arch::class_bits::<1>(level, masks, buffer, range, word);
    } else {
        arch::class_bits::<2>(level, masks, buffer, range, word);
    }
}

/// As [`class_bits_of`], with the first `HALVES` of the masks.
///
/// # Safety
///
/// The instructions of `V` must be there.
#[inline(always)]
pub(super) unsafe fn class_bits<V: Vector, const HALVES: usize>(
    masks: &Masks,
    buffer: &[u8],
    range: Range<usize>,
    word: &mut impl FnMut(usize, u64, usize),
) {
    // SAFETY: the caller promises the instructions; every slice has a whole vector.
    unsafe {
        let tables = teddy::tables_of::<V>(masks);
        let mut base = range.start;
        while base + WORD <= range.end {
            let mut bits = 0;
            let mut part = 0;
            while part < WORD {
                let at = base + part;
                let (first, second) = teddy::one::<V, HALVES>(&tables, &buffer[at..at + V::BYTES]);
                let members = if HALVES == 1 { first } else { first.or(second) };
                bits |= members.nonzero() << part;
                part += V::BYTES;
            }
            word(base, bits, WORD);
            base += WORD;
        }
        class_bits_scalar(masks, buffer, base..range.end, word);
    }
}

/// As [`class_bits`], for machines without vectors, and for what is less than a word.
pub(super) fn class_bits_scalar(
    masks: &Masks,
    buffer: &[u8],
    range: Range<usize>,
    word: &mut impl FnMut(usize, u64, usize),
) {
    for base in range.clone().step_by(WORD) {
        let bytes = &buffer[base..range.end.min(base + WORD)];
        let mut bits = 0;
        for (index, &byte) in bytes.iter().enumerate() {
            let (low, high) = (usize::from(byte & 15), usize::from(byte >> 4));
            let first = masks.low[0][low] & masks.high[0][high];
            let second = masks.low[1][low] & masks.high[1][high];
            bits |= u64::from(first | second != 0) << index;
        }
        word(base, bits, bytes.len());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::literal::required_run;
    use super::*;

    fn search(pattern: &str, level: Level) -> RunSearch {
        let hir = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
        let run = required_run(&hir.clone().parse(pattern).unwrap()).unwrap();
        RunSearch::new(run.class, run.len, 7, level)
    }

    /// Each record's runs of `len` bytes or more, one byte at a time.
    fn naive(batch: &Batch<'_>, len: usize) -> Vec<(u32, u32)> {
        let mut all = Vec::new();
        for (number, record) in batch.iter().enumerate() {
            let offset = batch.range(number).start;
            let mut start = 0;
            for end in 0..=record.len() {
                if end == record.len() || !b"01".contains(&record[end]) {
                    if end - start >= len {
                        all.push(((start + offset) as u32, (end + offset) as u32));
                    }
                    start = end + 1;
                }
            }
        }
        all
    }

    proptest! {
        #[test]
        fn finds_the_runs_of_each_record(
            text in (1usize..64).prop_flat_map(|ones| {
                let bytes = [vec![b'0'; ones], b"1x".to_vec()].concat();
                prop::collection::vec(prop::sample::select(bytes), 0..300)
            }),
            mut cuts in prop::collection::vec(any::<prop::sample::Index>(), 1..6),
            step in 1usize..200,
            lines in any::<bool>(),
            len in prop::sample::select(&[8usize, 9, 31, 62, 63, 64][..]),
        ) {
            let text: Vec<u8> =
                text.into_iter().map(|b| if lines && b == b'x' { b'\n' } else { b }).collect();
            let mut offsets: Vec<u32> =
                cuts.drain(..).map(|cut| cut.index(text.len() + 1) as u32).collect();
            offsets.sort();
            let mut line_offsets = Vec::new();
            let batch = if lines {
                Batch::lines(&text, &mut line_offsets).unwrap()
            } else {
                Batch::from_offsets(&text, &offsets).unwrap()
            };
            for level in Level::available() {
                let search = search(&format!("[01]{{{len}}}"), level);
                let mut out = Vec::new();
                let mut progress = Progress::default();
                let extent = batch.extent();
                for start in extent.clone().step_by(step) {
                    let part = out.len();
                    let range = start..extent.end.min(start + step);
                    search.find(&batch, range, &mut progress, &mut out);
                    prop_assert!(out[part..].is_sorted_by_key(|c| c.window));
                }
                // What goes on from range to range overlaps.
                let mut found: Vec<(u32, u32)> = Vec::new();
                for c in &out {
                    match found.last_mut() {
                        Some(last) if last.0 == c.start => last.1 = c.end,
                        _ => found.push((c.start, c.end)),
                    }
                }
                prop_assert_eq!(found, naive(&batch, len), "{}", level);
            }
        }
    }

    #[test]
    fn a_class_has_exactly_its_bytes() {
        for level in Level::available() {
            let search = search(r"[\x00\x0F-\x2A07a-fz\x7F\x80\x9C-\xF0\xFF]{30}", level);
            let all: Vec<u8> = (0..=255).collect();
            let mut found = Vec::new();
            let mut word = |base: usize, bits: u64, count: usize| {
                found.extend((0..count).filter(|i| bits >> i & 1 != 0).map(|i| (base + i) as u8));
            };
            class_bits_of(level, &search.masks, &all, 0..256, &mut word);
            let expected: Vec<u8> = (0..=255)
                .filter(|b| {
                    matches!(b, 0 | 0x0F..=0x2A | b'0' | b'7' | b'a'..=b'f' | b'z' | 0x7F | 0x80
                        | 0x9C..=0xF0 | 0xFF)
                })
                .collect();
            assert_eq!(found, expected, "{level}");
        }
    }
}
