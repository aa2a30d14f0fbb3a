//! The search: all operations on one piece of the buffer after the other.
//!
//! A piece is small enough that all streams of it stay in the first-level cache. Of each stream the
//! last word is kept for the next piece, with the carries of additions, so nothing is computed twice
//! and matches may be of any length.

use std::ops::{Deref, DerefMut, Range};

use regex_syntax::hir::Hir;

use super::super::candidate::Candidate;
use super::super::segments::Segments;
use super::build::{Builder, Marks};
use super::combine::{BITS, Combine};
use super::schedule::{Op, OpKind, schedule};
use super::stream::StreamId;
use crate::pure::ids::NeedleId;
use crate::simd::Isa;

/// The number of words of a stream that are computed at a time. Tests use few, so that small inputs
/// have several pieces.
const WORDS: usize = if cfg!(test) { 2 } else { 64 };
/// The number of bytes of a piece: 4096, except in tests.
pub(super) const PIECE: usize = WORDS * BITS;

/// A piece of a stream, after the last word of the previous piece.
///
/// The piece itself, from the second word on, starts at a multiple of 64 bytes, so that no vector that
/// is loaded from it or stored to it crosses a cache line.
#[derive(Debug)]
#[repr(C, align(64))]
struct Row {
    padding: [u64; 7],
    words: [u64; WORDS + 1],
}

impl Row {
    fn zeros() -> Box<Row> {
        Box::new(Row { padding: [0; 7], words: [0; WORDS + 1] })
    }
}

impl Deref for Row {
    type Target = [u64; WORDS + 1];

    fn deref(&self) -> &[u64; WORDS + 1] {
        &self.words
    }
}

impl DerefMut for Row {
    fn deref_mut(&mut self) -> &mut [u64; WORDS + 1] {
        &mut self.words
    }
}

/// The search for class sequences of all patterns that have one.
#[derive(Debug)]
pub(crate) struct BitStreams {
    ops: Vec<Op>,
    /// The number of slots that the operations use.
    slots: usize,
    outputs: Vec<Output>,
    isa: Isa,
}

/// What the bits of an output mean.
#[derive(Clone, Copy, Debug)]
struct Output {
    /// As [`Marks::lag`].
    lag: u32,
    needle: NeedleId,
}

/// Nonzero bits of an output, before they become candidates.
#[derive(Clone, Copy, Debug)]
struct OutputWord {
    /// The index of the output.
    output: u32,
    /// The index of the word in the piece.
    word: u32,
    bits: u64,
}

/// The state of a search between two pieces of a buffer. Each scanner has its own.
#[derive(Debug)]
pub(crate) struct BitStreamProgress {
    /// By slot, the stream in it.
    #[expect(clippy::vec_box, reason = "a row is replaced by swapping its box with the spare one")]
    rows: Vec<Box<Row>>,
    /// The row that the next operation writes.
    spare: Box<Row>,
    /// The separators, which are in no segment.
    separators: Box<Row>,
    /// By operation: the last word that it computed, and its carry.
    carried: Vec<(u64, bool)>,
    /// A segment such that all segments before it end in the part that was searched.
    segment: usize,
    /// The nonzero words of all outputs in the current piece.
    found: Vec<OutputWord>,
}

impl BitStreamProgress {
    /// Begins another buffer.
    pub(crate) fn reset(&mut self) {
        self.carried.fill((0, false));
        self.segment = 0;
    }

    /// Memory in bytes.
    pub(crate) fn memory(&self) -> usize {
        (self.rows.len() + 2) * size_of::<Row>()
            + size_of_val(&self.carried[..])
            + self.found.capacity() * size_of::<OutputWord>()
    }
}

impl BitStreams {
    /// Compiles patterns with a [`ClassSequence`] into one program. Candidates carry the needles.
    pub(crate) fn new<'a>(
        patterns: impl IntoIterator<Item = (NeedleId, &'a Hir)>,
        isa: Isa,
    ) -> BitStreams {
        let mut builder = Builder::new(f64::INFINITY);
        let mut ends: Vec<(StreamId, Output)> = Vec::new();
        for (needle, hir) in patterns {
            let marks = builder.append(Marks::ANYWHERE, hir);
            let (lag, stream) = marks
                .and_then(|marks| Some((marks.lag, marks.stream?)))
                .expect("a pattern with a class sequence has streams, here without a limit");
            ends.push((stream, Output { lag, needle }));
        }
        ends.sort_by_key(|(stream, output)| (*stream, output.needle));
        let (streams, outputs): (Vec<StreamId>, Vec<Output>) = ends.into_iter().unzip();
        let (ops, slots) = schedule(&builder, &streams);
        BitStreams { ops, slots, outputs, isa }
    }

    /// The number of patterns that are searched for.
    pub(crate) fn len(&self) -> usize {
        self.outputs.len()
    }

    /// Memory in bytes.
    pub(crate) fn memory(&self) -> usize {
        size_of_val(&self.ops[..]) + size_of_val(&self.outputs[..])
    }

    /// The state of a search that has not begun.
    pub(crate) fn progress(&self) -> BitStreamProgress {
        BitStreamProgress {
            rows: (0..self.slots).map(|_| Row::zeros()).collect(),
            spare: Row::zeros(),
            separators: Row::zeros(),
            carried: vec![(0, false); self.ops.len()],
            segment: 0,
            found: Vec::new(),
        }
    }

    /// Appends candidates for the sequences that end in `range`: one for each sequence and segment, or a few if the
    /// segment is in several pieces. A candidate is the last byte of a match.
    ///
    /// `progress` is that of the search up to `range.start`, or new. The length of each range
    /// except the last is a multiple of [`PIECE`]; the last one ends where the buffer does.
    pub(crate) fn find(
        &self,
        segments: &Segments<'_>,
        range: Range<usize>,
        progress: &mut BitStreamProgress,
        out: &mut Vec<Candidate>,
    ) {
        let end = segments.buffer().len();
        debug_assert!(range.end == end || range.len().is_multiple_of(PIECE));
        // Marks with a lag of 1 are at the position after the last byte of a match. In the last
        // segment that can be the end of the buffer, so it is included.
        let positions = range.start..range.end + usize::from(range.end == end);
        for base in positions.step_by(PIECE) {
            let bytes = base..range.end.min(base + PIECE);
            self.compute(segments, bytes, progress);
            self.push_candidates(segments, base, progress, out);
            let limit = base + PIECE + segments.separator() as usize;
            let ends = &segments.offsets()[progress.segment + 1..];
            progress.segment += ends.iter().take_while(|&&end| (end as usize) < limit).count();
        }
    }

    /// Runs all operations for the bytes of `range`, at most a piece.
    fn compute(
        &self,
        segments: &Segments<'_>,
        range: Range<usize>,
        progress: &mut BitStreamProgress,
    ) {
        // Enough for one position more than there are bytes, unless the piece is full.
        let words = (range.len() / BITS + 1).min(WORDS);
        let BitStreamProgress { rows, spare, separators, carried, segment, found } = progress;
        if segments.separator() > 0 {
            set_segment_ends(segments, *segment, range.start, &mut separators[1..=words]);
        }
        for (op, (last, carry)) in self.ops.iter().zip(carried) {
            let [a, b] = op.sources.map(|source| &rows[source.index()][..=words]);
            match &op.kind {
                OpKind::Class(class) => {
                    spare[1..=words].fill(0);
                    let mut word = |base: usize, bits: u64, _: usize| {
                        spare[1 + (base - range.start) / BITS] = bits;
                    };
                    class.classify(self.isa, segments.buffer(), range.clone(), &mut word);
                    if segments.separator() > 0 {
                        for (bits, separators) in spare[1..=words].iter_mut().zip(&separators[1..])
                        {
                            *bits &= !separators;
                        }
                    }
                }
                OpKind::SegmentStarts => {
                    set_segment_starts(segments, *segment, range.start, &mut spare[1..=words]);
                }
                OpKind::SegmentEnds => {
                    set_segment_ends(segments, *segment, range.start, &mut spare[1..=words]);
                }
                OpKind::Output(output) => {
                    for (word, &bits) in a[1..].iter().enumerate().filter(|(_, bits)| **bits != 0) {
                        found.push(OutputWord { output: *output, word: word as u32, bits });
                    }
                    continue;
                }
                &OpKind::Word(op) => {
                    let out = &mut spare[..=words];
                    self.isa.run(Combine { op, out, sources: [a, b], carry });
                }
            }
            spare[0] = std::mem::replace(last, spare[words]);
            std::mem::swap(spare, &mut rows[op.into.index()]);
        }
    }

    /// Appends the candidates for the words found in the piece at `base`, and clears these.
    fn push_candidates(
        &self,
        segments: &Segments<'_>,
        base: usize,
        progress: &mut BitStreamProgress,
        out: &mut Vec<Candidate>,
    ) {
        if progress.segment >= segments.len() {
            return progress.found.clear();
        }
        // The end of the segment that the last candidate is in. Further ends of the same output in this
        // segment are redundant.
        let (mut current, mut reported_until) = (u32::MAX, 0);
        for OutputWord { output, word, mut bits } in progress.found.drain(..) {
            let Output { lag, needle } = self.outputs[output as usize];
            if current != output {
                (current, reported_until) = (output, 0);
            }
            while bits != 0 {
                let first = bits.trailing_zeros();
                // The position after the last byte of the match.
                let end = base + word as usize * BITS + first as usize + 1 - lag as usize;
                bits &= bits - 1;
                if end > reported_until {
                    let segment = segments.segment_at(progress.segment, end - 1);
                    reported_until = segments.range(segment).end;
                    let (start, end) = (end as u32 - 1, end as u32);
                    out.push(Candidate { window_start: start, start, end, needle });
                }
            }
        }
    }
}

/// Sets the bits where segments start, from segment `first` on, and clears all others. The first
/// bit of `out` is for the position `base`.
fn set_segment_starts(segments: &Segments<'_>, first: usize, base: usize, out: &mut [u64]) {
    let starts = &segments.offsets()[first..segments.len()];
    set_bits(starts, 0, base, out);
}

/// As [`set_segment_starts`], where segments end.
fn set_segment_ends(segments: &Segments<'_>, first: usize, base: usize, out: &mut [u64]) {
    let ends = &segments.offsets()[first + 1..];
    set_bits(ends, segments.separator(), base, out);
}

/// Sets the bits of the positions `offsets`, each minus `separator`, and clears all others.
/// `offsets` is ascending.
fn set_bits(offsets: &[u32], separator: u32, base: usize, out: &mut [u64]) {
    out.fill(0);
    for &offset in offsets {
        // Places before `base` were in an earlier piece.
        if let Some(position) = ((offset - separator) as usize).checked_sub(base) {
            match out.get_mut(position / BITS) {
                Some(word) => *word |= 1 << (position % BITS),
                None => break,
            }
        }
    }
}
