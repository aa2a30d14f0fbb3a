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
        let mut masks = Masks::default();
        for high in 0..16u8 {
            let (half, bit) = (usize::from(high / 8), 1 << (high % 8));
            masks.high[half][usize::from(high)] = bit;
            for low in (0..16).filter(|low| class.contains(high << 4 | low)) {
                masks.low[half][usize::from(low)] |= bit;
            }
        }
        RunSearch { masks, len: len as usize, number, level }
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
        let mut runs = Runs::new(progress.open, range.start, self.len);
        let mut close = |run: Range<usize>| {
            if run.len() >= self.len {
                let from = run.start.max(range.start);
                progress.record = batch.record_at(progress.record, from);
                tell(batch, run, progress.record, self.len, self.number, out);
            }
        };
        let buffer = &batch.buffer()[..batch.extent().end];
        let mut word = |base, bits, count| runs.word(base, bits, count, &mut close);
        arch::class_bits(self.level, &self.masks, buffer, range.clone(), &mut word);
        progress.open = runs.open;
        if let Some(start) = runs.open {
            close(start..range.end);
        }
    }
}

/// Appends the parts of `run` that lie in records, from record `first` on.
fn tell(
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
    /// Where the run starts that the last word ended in.
    open: Option<usize>,
    /// The bits before the next word, the last one's highest.
    before: u64,
    len: usize,
}

impl Runs {
    /// Starts at `base`, up to which a run goes that is `open`.
    fn new(open: Option<usize>, base: usize, len: usize) -> Runs {
        let before = open.map_or(0, |start| low(base - start).reverse_bits());
        Runs { open, before, len }
    }

    /// Calls `close` with each run that ends in a word of `count` bits, the first byte's lowest;
    /// those of less than `len` may be left out. The bits above are zero.
    fn word(&mut self, base: usize, bits: u64, count: usize, close: &mut impl FnMut(Range<usize>)) {
        let both = u128::from(bits) << WORD | u128::from(self.before);
        self.before = (both >> count) as u64;
        // Where `have` ones start, and `step` bits on as many, `have + step` do.
        let len = self.len.min(WORD);
        let (mut starts, mut have) = (both, 1);
        while have < len {
            let step = have.min(len - have);
            starts &= starts >> step;
            have += step;
        }
        if starts != 0 {
            self.runs_in(base, bits, count, close);
            return;
        }
        // No run has become long enough, and those that have ended are of no use.
        let last = (bits << (WORD - count)).leading_ones() as usize;
        if last < count {
            self.open = (last > 0).then_some(base + count - last);
        } else {
            self.open.get_or_insert(base);
        }
    }

    /// As [`Runs::word`], for a word that a run of that length may go into.
    fn runs_in(
        &mut self,
        base: usize,
        mut bits: u64,
        count: usize,
        close: &mut impl FnMut(Range<usize>),
    ) {
        if let Some(start) = self.open {
            let ones = bits.trailing_ones() as usize;
            if ones == count {
                return;
            }
            close(start..base + ones);
            self.open = None;
            bits &= !low(ones);
        }
        let last = (bits << (WORD - count)).leading_ones() as usize;
        if last > 0 {
            self.open = Some(base + count - last);
            bits &= low(count - last);
        }
        // Where `have` ones start, and `step` bits on as many, `have + step` do.
        let (mut starts, mut have) = (bits, 1);
        while have < self.len && starts != 0 {
            let step = have.min(self.len - have);
            starts &= starts.checked_shr(step as u32).unwrap_or(0);
            have += step;
        }
        while starts != 0 {
            let start = starts.trailing_zeros() as usize;
            let end = start + (bits >> start).trailing_ones() as usize;
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
///
/// # Safety
///
/// The instructions of `V` must be there.
#[inline(always)]
pub(super) unsafe fn class_bits<V: Vector>(
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
                let (first, second) = teddy::one(&tables, &buffer[at..at + V::BYTES]);
                bits |= first.or(second).nonzero() << part;
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

    /// The ends of each record's runs of nine bytes or more, one byte at a time.
    fn naive(batch: &Batch<'_>) -> Vec<(u32, u32)> {
        let mut all = Vec::new();
        for (number, record) in batch.iter().enumerate() {
            let offset = batch.range(number).start;
            let mut start = 0;
            for end in 0..=record.len() {
                if end == record.len() || !b"01".contains(&record[end]) {
                    if end - start >= 9 {
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
            text in prop::collection::vec(prop::sample::select(&b"000000001111111x"[..]), 0..300),
            mut cuts in prop::collection::vec(any::<prop::sample::Index>(), 1..6),
            step in 1usize..200,
            lines in any::<bool>(),
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
                let search = search("[01]{9}", level);
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
                prop_assert_eq!(found, naive(&batch), "{}", level);
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
            arch::class_bits(level, &search.masks, &all, 0..256, &mut word);
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
