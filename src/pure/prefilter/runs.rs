//! A search for long runs of bytes of one class.
//!
//! `[a-f0-9]{40}` has no literal, but each match has 40 bytes in a row that are hexadecimal digits,
//! which is rare in ordinary text. [`ByteClass`] turns 64 bytes into a word of 64 bits, and this
//! module finds long runs of ones in the stream of words. Runs within a word are found by doubling:
//! if bit `i` of `starts` is set where `have` ones start, then bit `i` of `starts & starts >> have`
//! is set where twice as many start. A run that crosses words is counted from where the last word's
//! trailing ones start.
//!
//! Few words have a long run, so a cheap test comes first ([`Piece`]). The README in this folder
//! explains both, with an example.
//!
//! Sampling would read less: a run of 40 has a byte at a position that 40 divides. It was the first
//! version. But in logs and code most letters and digits are in most classes, so the surroundings
//! of a sample were read nearly everywhere, byte by byte and with unpredictable branches. Reading
//! everything with vectors has no such bad case.
//!
//! Each class and length is one pass over the buffer, linear in its length.

use std::ops::Range;

use super::byte_class::{ByteClass, WORD};
use super::candidate::Candidate;
use super::segments::Segments;
use crate::pure::ids::NeedleId;
use crate::pure::literal::ByteSet;
use crate::simd::Isa;

/// The search for runs of at least some length of bytes of a class.
#[derive(Debug)]
pub(crate) struct RunSearch {
    class: ByteClass,
    /// The minimum length of a run, in bytes.
    len: usize,
    needle: NeedleId,
    isa: Isa,
}

/// The state of one search between two ranges of a buffer. Each scanner has its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct RunProgress {
    /// The start of the run at the end of the searched part, if there is one.
    open: Option<usize>,
    /// A segment that starts at or before every run that is still to be found.
    segment: usize,
}

impl RunSearch {
    /// A search for runs of at least `len` bytes of `class`, whose candidates carry `needle`.
    pub(crate) fn new(class: ByteSet, len: u32, needle: NeedleId, isa: Isa) -> RunSearch {
        RunSearch { class: ByteClass::new(&class), len: len as usize, needle, isa }
    }

    /// Appends one candidate for each run of a segment that has bytes in `range`. A run that
    /// continues after the range is found again in the next one, with the same start.
    ///
    /// `progress` is that of the search up to `range.start`, or new.
    pub(crate) fn find(
        &self,
        segments: &Segments<'_>,
        range: Range<usize>,
        progress: &mut RunProgress,
        out: &mut Vec<Candidate>,
    ) {
        let open = progress.open.unwrap_or(range.start);
        let mut runs = RunFinder { open, len: self.len, piece: Piece::of(self.len) };
        let mut close = |run: Range<usize>| {
            if run.len() >= self.len {
                let from = run.start.max(range.start);
                progress.segment = segments.segment_at(progress.segment, from);
                push_within_segments(segments, run, progress.segment, self.len, self.needle, out);
            }
        };
        let mut word = |base, bits, count| runs.push(base, bits, count, &mut close);
        self.class.classify(self.isa, segments.buffer(), range.clone(), &mut word);
        progress.open = (runs.open < range.end).then_some(runs.open);
        close(runs.open..range.end);
    }
}

/// Appends the parts of `run` that lie in segments, from segment `first` on, and have at least
/// `len` bytes.
pub(super) fn push_within_segments(
    segments: &Segments<'_>,
    run: Range<usize>,
    first: usize,
    len: usize,
    needle: NeedleId,
    out: &mut Vec<Candidate>,
) {
    for segment in first..segments.len() {
        let bytes = segments.range(segment);
        if bytes.start >= run.end {
            break;
        }
        let (start, end) = (bytes.start.max(run.start), bytes.end.min(run.end));
        if end >= start + len {
            let (start, end) = (start as u32, end as u32);
            out.push(Candidate { window_start: start, start, end, needle });
        }
    }
}

/// Finds runs of ones in consecutive words.
struct RunFinder {
    /// The start of the run that the last word ends in, or the end of that word.
    open: usize,
    /// The minimum length of a run.
    len: usize,
    piece: Piece,
}

/// A division of words into pieces of equal size, small enough that every run of the minimum length
/// covers a whole piece, wherever it starts. A word without such a piece has no long run inside.
#[derive(Clone, Copy)]
struct Piece {
    /// The binary logarithm of the number of bits of a piece.
    log: u32,
    /// The highest bit of each piece.
    high: u64,
    /// The lowest bit of each piece.
    low: u64,
}

impl Piece {
    /// The largest pieces of which any `len` consecutive ones cover one: at most (`len` + 1) / 2
    /// bits, a power of two, and no more than half a word.
    fn of(len: usize) -> Piece {
        let log = (len + 1).ilog2().saturating_sub(1).min(5);
        let low = u64::MAX / (u64::MAX >> (WORD - (1 << log)));
        Piece { log, high: low << ((1 << log) - 1), low }
    }

    /// Whether a word has a piece that is all ones.
    #[inline(always)]
    fn is_in(self, bits: u64) -> bool {
        // Adding one to all ones below the highest bit sets the highest bit, and no carry leaves
        // the piece.
        (bits & !self.high).wrapping_add(self.low) & bits & self.high != 0
    }
}

impl RunFinder {
    /// Adds a word of `count` bits, the first byte's lowest, with zeros above, and calls `close`
    /// with each run of at least the minimum length that ends in it.
    #[inline(always)]
    fn push(&mut self, base: usize, bits: u64, count: usize, close: &mut impl FnMut(Range<usize>)) {
        // A long run that ends here covers a piece of this word, or its part before the word is at
        // least as long as a piece.
        let part = count < WORD;
        if part | self.piece.is_in(bits) | ((base - self.open) >> self.piece.log != 0) {
            self.search_word(base, bits, count, close);
        } else {
            let last = (bits << (WORD - count)).leading_ones() as usize;
            self.open = base + count - last;
        }
    }

    #[inline(never)]
    fn search_word(
        &mut self,
        base: usize,
        bits: u64,
        count: usize,
        close: &mut impl FnMut(Range<usize>),
    ) {
        // Where short runs start and end is unpredictable, so no branch depends on it.
        let first = bits.trailing_ones() as usize;
        if first == count {
            return;
        }
        let last = (bits << (WORD - count)).leading_ones() as usize;
        let open = std::mem::replace(&mut self.open, base + count - last);
        if base + first - open >= self.len {
            close(open..base + first);
        }
        // The other runs lie inside the word, with a zero on each side.
        if self.len > WORD - 2 {
            return;
        }
        let inner = bits & !lowest_bits(first) & lowest_bits(count - last);
        // If `have` ones start at a bit, and also `step` bits further on, then `have + step` ones
        // start at that bit.
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
            starts &= !lowest_bits(end);
        }
    }
}

fn lowest_bits(count: usize) -> u64 {
    if count < WORD { (1 << count) - 1 } else { u64::MAX }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::Batch;

    use super::super::super::literal::filter_run;
    use super::*;

    fn search(pattern: &str, isa: Isa) -> RunSearch {
        let parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
        let run = filter_run(&parser.clone().parse(pattern).unwrap()).unwrap();
        RunSearch::new(run.class, run.len, NeedleId::new(7), isa)
    }

    /// The runs of at least `len` bytes of each record, found one byte at a time.
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
        fn finds_the_runs_of_each_segment(
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
            let segments = Segments::new(batch.buffer(), batch.offsets(), batch.terminator());
            for isa in Isa::available() {
                let search = search(&format!("[01]{{{len}}}"), isa);
                let mut out = Vec::new();
                let mut progress = RunProgress::default();
                let extent = batch.extent();
                for start in extent.clone().step_by(step) {
                    let part = out.len();
                    let range = start..extent.end.min(start + step);
                    search.find(&segments, range, &mut progress, &mut out);
                    prop_assert!(out[part..].is_sorted_by_key(|c| c.window_start));
                }
                // A run that crosses ranges is found once in each, with the same start.
                let mut found: Vec<(u32, u32)> = Vec::new();
                for c in &out {
                    match found.last_mut() {
                        Some(last) if last.0 == c.start => last.1 = c.end,
                        _ => found.push((c.start, c.end)),
                    }
                }
                prop_assert_eq!(found, naive(&batch, len), "{}", isa);
            }
        }
    }
}
