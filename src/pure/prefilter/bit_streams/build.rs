//! From patterns to streams.
//!
//! A [`Builder`] walks the parts of a pattern in order. It keeps [`Marks`], a stream with a bit
//! wherever a match of the parts so far ends, and appends each part to them by creating the streams
//! that the part needs, each only once. It adds up the costs of the streams, and gives up once they exceed
//! the limit.
//!
//! No byte of a match except its first may be the first byte of a segment, and separators are in no
//! class, so no match crosses segments.
//!
//! # Limits
//!
//! Characters of several bytes, long alternations, unbounded repetitions of more than a class, and assertions
//! other than `^`, `$` and ASCII `\b` have no streams. They could be replaced by parts that match more strings,
//! but then automata would have to verify what is found, and byte runs or literals are the better filters:
//! of 24,647 public rules, 2 were searched for in this way.

use std::collections::HashMap;

use regex_syntax::hir::{Hir, HirKind, Look, Repetition};

use super::stream::{Stream, StreamId};
use crate::pure::cost;
use crate::pure::literal::ByteSet;

/// The largest distance by which one operation moves a stream, in bits: less than a word.
const MAX_ADVANCE: u32 = 63;
/// The maximum number of copies to which repetitions of more than one byte are unrolled.
const MAX_COPIES: u32 = 16;
/// The largest number of alternatives that are searched one by one.
const MAX_ALTERNATIVES: usize = 16;
/// The maximum number of HIR nodes that are visited. Nodes that create no streams cost nothing, so
/// nested repetitions of them would take exponential time without exceeding the cost limit.
const MAX_VISITS: u32 = 1000;

/// The highest probability that a byte of a class without the space is followed by another one:
/// such runs end with the word that they are in.
const WORD_CONTINUES: f64 = 0.82;
/// The exponent that corrects the frequency of a class after another one for the dependence of
/// neighbouring bytes.
const DEPENDENCE: f64 = 0.7;
/// The probability that a given position is an edge of a segment, to estimate `^` and `$`.
const EDGE_FREQUENCY: f64 = 0.02;
/// The probability that a position is a word boundary.
const WORD_BOUNDARY_FREQUENCY: f64 = 0.4;
/// The probability that a position is not a word boundary. Both estimates are on the high side, so
/// they add up to more than one.
const NO_WORD_BOUNDARY_FREQUENCY: f64 = 0.7;

/// Where matches of a part of a pattern can end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marks {
    /// A bit for each end, or `None` if they are everywhere.
    pub(super) stream: Option<StreamId>,
    /// The distance from the last byte of a match to its bit, in bytes: 0 or 1. Classes mark the
    /// last byte. Assertions look at the bytes on both sides of a position, and mark the byte after
    /// it.
    pub(super) lag: u32,
    /// Whether the match is still empty here.
    at_match_start: bool,
    /// The expected number of bits per byte of ordinary text.
    pub(super) frequency: f64,
}

impl Marks {
    /// The empty match, before any part of a pattern.
    pub(super) const ANYWHERE: Marks =
        Marks { stream: None, lag: 0, at_match_start: true, frequency: 1.0 };
}

/// Creates streams, each of them once.
pub(super) struct Builder {
    /// All streams, each after those that it is made from.
    pub(super) streams: Vec<Stream>,
    ids: HashMap<Stream, StreamId>,
    /// The cost of all streams, in nanoseconds per byte of the buffer.
    pub(super) cost: f64,
    /// The cost at which the builder gives up.
    limit: f64,
    /// The number of HIR nodes visited so far.
    visits: u32,
}

impl Builder {
    /// A builder that gives up when its streams cost more than `limit`, in nanoseconds per byte.
    pub(super) fn new(limit: f64) -> Builder {
        Builder { streams: Vec::new(), ids: HashMap::new(), cost: 0.0, limit, visits: 0 }
    }

    /// Whether to give up.
    fn is_over_limit(&self) -> bool {
        self.cost > self.limit || self.visits > MAX_VISITS && self.limit.is_finite()
    }

    /// The id of a stream, which is created unless it exists.
    fn stream(&mut self, stream: Stream) -> StreamId {
        let id = StreamId::new(self.streams.len());
        *self.ids.entry(stream).or_insert_with(|| {
            self.cost += match stream {
                Stream::Class(_) | Stream::SegmentStarts | Stream::SegmentEnds => {
                    cost::STREAM_CLASS_NS
                }
                Stream::Star { .. } => cost::STREAM_STAR_NS,
                _ => cost::STREAM_STEP_NS,
            };
            self.streams.push(stream);
            id
        })
    }

    /// The streams that a stream is made from.
    pub(super) fn sources(&self, stream: Stream) -> Vec<StreamId> {
        match stream {
            Stream::Class(_) | Stream::SegmentStarts | Stream::SegmentEnds => Vec::new(),
            Stream::ExceptStarts(of) => vec![of, self.ids[&Stream::SegmentStarts]],
            Stream::Advance { from, of, .. }
            | Stream::Extend { from, of, .. }
            | Stream::Star { from, of } => {
                vec![from, of]
            }
            Stream::Or(a, b) | Stream::Xor(a, b) | Stream::Xnor(a, b) => vec![a, b],
            Stream::Next(a) => vec![a],
        }
    }

    /// Marks the ends of all matches of `hir` that start where matches of the parts so far end. Returns `None`
    /// if that is impossible or too expensive.
    pub(super) fn append(&mut self, marks: Marks, hir: &Hir) -> Option<Marks> {
        self.visits = self.visits.saturating_add(1);
        if self.is_over_limit() {
            return None;
        }
        match hir.kind() {
            HirKind::Empty => Some(marks),
            HirKind::Look(look) => self.assertion(marks, *look),
            HirKind::Literal(literal) => literal
                .0
                .iter()
                .try_fold(marks, |marks, &b| self.advance(marks, ByteSet::from_iter([b]), 1)),
            HirKind::Class(class) => self.advance(marks, ByteSet::of_byte_class(class)?, 1),
            HirKind::Capture(capture) => self.append(marks, &capture.sub),
            HirKind::Concat(subs) => {
                subs.iter().try_fold(marks, |marks, sub| self.append(marks, sub))
            }
            HirKind::Alternation(subs) if subs.len() > MAX_ALTERNATIVES => None,
            HirKind::Alternation(subs) => {
                let (first, rest) = subs.split_first()?;
                let first = self.append(marks, first)?;
                rest.iter().try_fold(first, |all, sub| {
                    let end = self.append(marks, sub)?;
                    self.or(all, end)
                })
            }
            HirKind::Repetition(repetition) => self.repeat(marks, repetition),
        }
    }

    fn repeat(&mut self, marks: Marks, repetition: &Repetition) -> Option<Marks> {
        let Repetition { min, max, .. } = *repetition;
        if let HirKind::Class(class) = repetition.sub.kind()
            && let Some(set) = ByteSet::of_byte_class(class)
        {
            return self.repeat_class(marks, set, min, max);
        }
        if let HirKind::Literal(literal) = repetition.sub.kind()
            && let [byte] = literal.0[..]
        {
            return self.repeat_class(marks, ByteSet::from_iter([byte]), min, max);
        }
        let sub = &repetition.sub;
        let optional = max?.checked_sub(min)?;
        if min > MAX_COPIES || optional > MAX_COPIES {
            return None;
        }
        let mut all = (0..min).try_fold(marks, |marks, _| self.append(marks, sub))?;
        let mut last = all;
        for _ in 0..optional {
            last = self.append(last, sub)?;
            all = self.or(all, last)?;
        }
        Some(all)
    }

    /// Appends `min` to `max` bytes of a class.
    fn repeat_class(
        &mut self,
        marks: Marks,
        set: ByteSet,
        min: u32,
        max: Option<u32>,
    ) -> Option<Marks> {
        let minimum = self.advance(marks, set, min)?;
        if max == Some(min) {
            return Some(minimum);
        }
        // The operations below extend a stream, and there is none if no byte was appended so far.
        let stream = minimum.stream?;
        if minimum.lag > 0 {
            // Further bytes are marked with another lag, so they get a stream of their own.
            let one = self.advance(minimum, set, 1)?;
            let more = self.repeat_class(one, set, 0, max.map(|max| max - min - 1))?;
            return self.or(minimum, more);
        }
        let continues = continuation(&set);
        let Some(max) = max else {
            let of = self.run_ends(set, 1);
            let stream = Some(self.stream(Stream::Star { from: stream, of }));
            let frequency = (minimum.frequency / (1.0 - continues)).min(1.0);
            return Some(Marks { stream, frequency, ..minimum });
        };
        // Doubling: with 0 to `have` further bytes marked, one operation marks up to twice as many.
        let (mut stream, mut have, most) = (stream, 0, max - min);
        while have < most && !self.is_over_limit() {
            let by = (have + 1).min(most - have).min(MAX_ADVANCE);
            let of = self.run_ends(set, by);
            stream = self.stream(Stream::Extend { from: stream, by, of });
            have += by;
        }
        if have < most {
            return None;
        }
        let times = (1.0 / (1.0 - continues)).min(f64::from(most + 1));
        let frequency = (minimum.frequency * times).min(1.0);
        Some(Marks { stream: Some(stream), frequency, ..minimum })
    }

    /// Appends `count` bytes of a class.
    fn advance(&mut self, marks: Marks, set: ByteSet, count: u32) -> Option<Marks> {
        let (mut marks, mut left) = (marks, count);
        while left > 0 {
            if self.is_over_limit() {
                return None;
            }
            // The first byte of a match may be the first one of a segment, so it is appended alone.
            let first = marks.at_match_start;
            let count = if first { 1 } else { left.min(MAX_ADVANCE) };
            let of =
                if first { self.stream(Stream::Class(set)) } else { self.run_ends(set, count) };
            let stream = match marks.stream {
                None => of,
                Some(from) => self.stream(Stream::Advance { from, by: count - marks.lag, of }),
            };
            let class = set.frequency();
            let class = if marks.stream.is_none() { class } else { class.powf(DEPENDENCE) };
            let frequency = marks.frequency * class * continuation(&set).powi(count as i32 - 1);
            marks = Marks { stream: Some(stream), lag: 0, at_match_start: false, frequency };
            left -= count;
        }
        Some(marks)
    }

    /// The last bytes of `count` consecutive bytes of a class, none of them the first of a
    /// segment. Made by doubling; all patterns share the intermediate streams.
    fn run_ends(&mut self, set: ByteSet, count: u32) -> StreamId {
        let of = self.stream(Stream::Class(set));
        self.stream(Stream::SegmentStarts);
        let (mut stream, mut have) = (self.stream(Stream::ExceptStarts(of)), 1);
        while have < count {
            let by = have.min(count - have);
            stream = self.stream(Stream::Advance { from: stream, by, of: stream });
            have += by;
        }
        stream
    }

    /// The ends of either. `None` if a match is still empty at the ends of one only: what an assertion means there
    /// depends on that.
    fn or(&mut self, a: Marks, b: Marks) -> Option<Marks> {
        let (first, second) = (a.stream?, b.stream?);
        if a.at_match_start != b.at_match_start {
            return None;
        }
        if a.lag != b.lag {
            let [a, b] = [a, b].map(|marks| self.with_lag_of_one(marks));
            return self.or(a, b);
        }
        let stream = Some(self.stream(Stream::Or(first, second)));
        Some(Marks { stream, frequency: (a.frequency + b.frequency).min(1.0), ..a })
    }

    /// The same marks, with a lag of 1.
    fn with_lag_of_one(&mut self, marks: Marks) -> Marks {
        match marks.stream {
            Some(stream) if marks.lag == 0 => {
                Marks { stream: Some(self.stream(Stream::Next(stream))), lag: 1, ..marks }
            }
            _ => marks,
        }
    }

    fn assertion(&mut self, marks: Marks, look: Look) -> Option<Marks> {
        // The edge between two segments is the end of one and the start of the other. Which of the
        // two the match is in depends on whether it has any bytes yet.
        let at_match_start = marks.at_match_start;
        let (of, part) = match look {
            // `^` after some bytes, or `$` before any, would need the other segment of an edge.
            Look::Start if !at_match_start => return None,
            Look::End if at_match_start => return None,
            Look::Start => (self.stream(Stream::SegmentStarts), EDGE_FREQUENCY),
            Look::End => (self.stream(Stream::SegmentEnds), EDGE_FREQUENCY),
            Look::WordAscii | Look::WordAsciiNegate => {
                // Only one of the bytes on both sides of such an edge is in the segment of the
                // match.
                let after = self.stream(Stream::Class(word_bytes()));
                self.stream(Stream::SegmentStarts);
                let before = self.stream(Stream::Next(after));
                let (before, after) = if at_match_start {
                    (self.stream(Stream::ExceptStarts(before)), after)
                } else {
                    (before, self.stream(Stream::ExceptStarts(after)))
                };
                match look {
                    Look::WordAscii => {
                        (self.stream(Stream::Xor(before, after)), WORD_BOUNDARY_FREQUENCY)
                    }
                    _ => (self.stream(Stream::Xnor(before, after)), NO_WORD_BOUNDARY_FREQUENCY),
                }
            }
            _ => return None,
        };
        let frequency = marks.frequency * part;
        let stream = match marks.stream {
            None => of,
            Some(from) => self.stream(Stream::Advance { from, by: 1 - marks.lag, of }),
        };
        Some(Marks { stream: Some(stream), lag: 1, frequency, ..marks })
    }
}

/// The probability that a byte of a class is followed by another one.
fn continuation(set: &ByteSet) -> f64 {
    let class = set.frequency().sqrt();
    if set.contains(b' ') { class.min(0.98) } else { class.min(WORD_CONTINUES) }
}

fn word_bytes() -> ByteSet {
    (0..=255u8).filter(|b| b.is_ascii_alphanumeric() || *b == b'_').collect()
}
