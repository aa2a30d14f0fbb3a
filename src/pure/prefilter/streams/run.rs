//! The operations, a piece of the buffer at a time.

use std::ops::Range;

use crate::Batch;

use super::super::Candidate;
use super::super::arch;
use super::super::runs;
use super::super::teddy::Masks;
use super::Streams;
use super::build::Node;

/// How many words of a stream are made at a time.
const WORDS: usize = if cfg!(test) { 2 } else { 64 };
const BITS: usize = 64;
/// How many bytes of the buffer that is.
pub(super) const PIECE: usize = WORDS * BITS;

/// A piece of a stream, with the last word of the piece before it.
type Row = [u64; WORDS + 1];

/// An operation on streams, which are named by the places that they are kept in.
#[derive(Debug)]
pub(in super::super) struct Op {
    kind: Kind,
    /// Where what it makes is put, which is none of those that it is made of.
    into: u32,
    sources: [u32; 2],
}

#[derive(Debug)]
pub(in super::super) enum Kind {
    Class(Box<Masks>),
    Starts,
    Ends,
    Inner,
    Differ,
    Same,
    Step(u32),
    Spread(u32),
    Either,
    Shift,
    Star,
    /// Gives out what is in the first source.
    Tell(u32),
}

/// What the places mean that are left in the end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    /// How far behind the last byte of a part they are.
    pub(super) lag: u32,
    /// How many bytes the part has at least.
    pub(super) len: u32,
    /// Whether there is a match wherever there is a bit.
    pub(super) exact: bool,
    /// What candidates carry as the number of their literal.
    pub(super) number: u32,
}

/// The streams where the search has come to. Each scanner has its own.
#[derive(Debug)]
pub(crate) struct Progress {
    #[expect(clippy::vec_box, reason = "a row is put in by exchanging it for another")]
    rows: Vec<Box<Row>>,
    spare: Box<Row>,
    /// The bytes that are in no record.
    outside: Box<Row>,
    /// By operation: the last word that it made, and what it carries on.
    last: Vec<(u64, bool)>,
    /// A record such that none before it ends behind what was searched.
    record: usize,
    /// The words of outputs in the piece in hand that are not zero: whose, where, and which.
    hits: Vec<(u32, u32, u64)>,
}

impl Op {
    pub(super) fn new(node: Node, into: u32, sources: [u32; 2]) -> Op {
        let kind = match node {
            Node::Class(set) => Kind::Class(Box::new(runs::masks_of(&set))),
            Node::Starts => Kind::Starts,
            Node::Ends => Kind::Ends,
            Node::Inner { .. } => Kind::Inner,
            Node::Differ(..) => Kind::Differ,
            Node::Same(..) => Kind::Same,
            Node::Step { by, .. } => Kind::Step(by),
            Node::Spread { by, .. } => Kind::Spread(by),
            Node::Either(..) => Kind::Either,
            Node::Shift(_) => Kind::Shift,
            Node::Star { .. } => Kind::Star,
        };
        Op { kind, into, sources }
    }

    pub(super) fn tell(output: u32, from: u32) -> Op {
        Op { kind: Kind::Tell(output), into: from, sources: [from; 2] }
    }
}

impl Progress {
    /// Forgets all of the buffer that was searched.
    pub(crate) fn reset(&mut self) {
        self.last.fill((0, false));
        self.record = 0;
    }

    /// Memory in bytes.
    pub(crate) fn memory(&self) -> usize {
        (self.rows.len() + 2) * size_of::<Row>()
            + size_of_val(&self.last[..])
            + self.hits.capacity() * size_of::<(u32, u32, u64)>()
    }
}

impl Streams {
    pub(crate) fn progress(&self) -> Progress {
        Progress {
            rows: (0..self.slots).map(|_| Box::new([0; WORDS + 1])).collect(),
            spare: Box::new([0; WORDS + 1]),
            outside: Box::new([0; WORDS + 1]),
            last: vec![(0, false); self.ops.len()],
            record: 0,
            hits: Vec::new(),
        }
    }

    /// Appends the places in records where a part ends in `range`, or right behind it if that ends
    /// where the records do; places that follow one another as one candidate. `progress` is that
    /// of the search of all before `range`, and ranges have a multiple of so many bytes as a piece
    /// has, but for the last.
    pub(crate) fn find(
        &self,
        batch: &Batch<'_>,
        range: Range<usize>,
        progress: &mut Progress,
        out: &mut Vec<Candidate>,
    ) {
        let end = batch.extent().end;
        debug_assert!(range.end == end || range.len().is_multiple_of(PIECE));
        // Some marks are one place behind the last byte.
        let places = range.start..range.end + usize::from(range.end == end);
        for base in places.step_by(PIECE) {
            let bytes = base..range.end.min(base + PIECE);
            self.piece(batch, bytes, progress);
            self.tell(batch, base, progress, out);
            let limit = base + PIECE + batch.terminator() as usize;
            let ends = &batch.offsets()[progress.record + 1..];
            progress.record += ends.iter().take_while(|&&end| (end as usize) < limit).count();
        }
    }

    /// Makes all streams for the bytes of `range`, a piece of the buffer or less.
    fn piece(&self, batch: &Batch<'_>, range: Range<usize>, progress: &mut Progress) {
        // With a place behind the last byte, if there is one in the piece.
        let words = (range.len() / BITS + 1).min(WORDS);
        let Progress { rows, spare, outside, last, record, hits } = progress;
        if batch.terminator() > 0 {
            // What ends records is in none.
            edges(batch, *record, range.start, &mut outside[1..=words], false);
        }
        for (op, (before, carry)) in self.ops.iter().zip(last) {
            let [a, b] = op.sources.map(|source| &rows[source as usize][..=words]);
            match &op.kind {
                Kind::Class(masks) => {
                    spare[1..=words].fill(0);
                    let buffer = &batch.buffer()[..batch.extent().end];
                    let mut word = |base: usize, bits: u64, _: usize| {
                        spare[1 + (base - range.start) / BITS] = bits;
                    };
                    runs::class_bits_of(self.level, masks, buffer, range.clone(), &mut word);
                    if batch.terminator() > 0 {
                        for (bits, outside) in spare[1..=words].iter_mut().zip(&outside[1..]) {
                            *bits &= !outside;
                        }
                    }
                }
                Kind::Starts => edges(batch, *record, range.start, &mut spare[1..=words], true),
                Kind::Ends => edges(batch, *record, range.start, &mut spare[1..=words], false),
                Kind::Tell(output) => {
                    for (index, &bits) in a[1..].iter().enumerate().filter(|(_, bits)| **bits != 0)
                    {
                        hits.push((*output, index as u32, bits));
                    }
                    continue;
                }
                kind => arch::combine(self.level, kind, &mut spare[..=words], [a, b], carry),
            }
            spare[0] = std::mem::replace(before, spare[words]);
            std::mem::swap(spare, &mut rows[op.into as usize]);
        }
    }

    /// Appends what was found in the piece that begins at `base`.
    fn tell(
        &self,
        batch: &Batch<'_>,
        base: usize,
        progress: &mut Progress,
        out: &mut Vec<Candidate>,
    ) {
        if progress.record >= batch.len() {
            return progress.hits.clear();
        }
        // Up to where an output has told what is to be told.
        let (mut told, mut until) = (u32::MAX, 0);
        for (output, index, bits) in progress.hits.drain(..) {
            let Output { lag, len, exact, number } = self.outputs[output as usize];
            if told != output {
                (told, until) = (output, 0);
            }
            let mut bits = bits;
            while bits != 0 {
                let first = bits.trailing_zeros();
                // Behind the last byte.
                let place = base + index as usize * BITS + first as usize + 1 - lag as usize;
                if exact {
                    bits &= bits - 1;
                    if place > until {
                        let record = batch.record_at(progress.record, place - 1);
                        until = batch.range(record).end;
                        let (start, end) = (place as u32 - 1, place as u32);
                        out.push(Candidate { window: start, start, end, literal: number });
                    }
                    continue;
                }
                let last = place + (bits >> first).trailing_ones() as usize - 1;
                bits &= bits.wrapping_add(1 << first);
                let start = place.saturating_sub(len as usize);
                let record = batch.record_at(progress.record, start);
                runs::tell(batch, start..last, record, len as usize, number, out);
            }
        }
    }
}

/// Sets the bits of the places where records start, or of those where they end, from record
/// `first` on.
fn edges(batch: &Batch<'_>, first: usize, base: usize, out: &mut [u64], starts: bool) {
    out.fill(0);
    let offsets = batch.offsets();
    let (offsets, less) = match starts {
        true => (&offsets[first..batch.len()], 0),
        false => (&offsets[first + 1..], batch.terminator()),
    };
    for &offset in offsets {
        // Those before are of an earlier piece.
        if let Some(place) = ((offset - less) as usize).checked_sub(base) {
            match out.get_mut(place / BITS) {
                Some(word) => *word |= 1 << (place % BITS),
                None => break,
            }
        }
    }
}

/// Makes what an operation does of `sources` in `out`, from its second word on; all are of the
/// same length.
#[inline(always)]
pub(in super::super) fn combine(
    kind: &Kind,
    out: &mut [u64],
    sources: [&[u64]; 2],
    carry: &mut bool,
) {
    let len = out.len();
    let [a, b] = sources.map(|source| &source[..len]);
    match *kind {
        Kind::Step(by) => {
            if by == 0 {
                for i in 1..len {
                    out[i] = a[i] & b[i];
                }
                return;
            }
            for i in 1..len {
                out[i] = (a[i] << by | a[i - 1] >> (BITS as u32 - by)) & b[i];
            }
        }
        Kind::Spread(by) => {
            for i in 1..len {
                out[i] = a[i] | (a[i] << by | a[i - 1] >> (BITS as u32 - by)) & b[i];
            }
        }
        Kind::Either => {
            for i in 1..len {
                out[i] = a[i] | b[i];
            }
        }
        Kind::Shift => {
            for i in 1..len {
                out[i] = a[i] << 1 | a[i - 1] >> 63;
            }
        }
        Kind::Inner => {
            for i in 1..len {
                out[i] = a[i] & !b[i];
            }
        }
        Kind::Differ => {
            for i in 1..len {
                out[i] = a[i] ^ b[i];
            }
        }
        Kind::Same => {
            for i in 1..len {
                out[i] = !(a[i] ^ b[i]);
            }
        }
        Kind::Star => {
            for i in 1..len {
                // Added to a run of ones, a bit changes all from there to the first behind it.
                let first = (a[i] << 1 | a[i - 1] >> 63) & b[i];
                let (sum, over) = first.overflowing_add(b[i]);
                let (sum, more) = sum.overflowing_add(u64::from(*carry));
                *carry = over | more;
                out[i] = a[i] | ((sum ^ b[i]) | first) & b[i];
            }
        }
        Kind::Class(_) | Kind::Starts | Kind::Ends | Kind::Tell(_) => {}
    }
}
