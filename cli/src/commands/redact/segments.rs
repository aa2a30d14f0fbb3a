//! Cuts a stream where no match across lines is under way, so that its lines can be written at once.
//!
//! The library's search across lines passes a byte on when the window after it has been read. In a log
//! that is followed while it is written, the last lines would be held back until more have come, or for
//! ever. But usually no pattern can match from before the last line end to beyond it. There the stream
//! can end for the library, and continue as another one, without a difference to what is found.
//!
//! A lazy DFA reads the stream and shows this. It has all patterns that may match a line feed, unanchored,
//! without their assertions and without an end: its state consists of the matches that may be under way.
//! After a line end it is either the state of a new stream after a line end, or some match that began
//! before the line end includes it. Patterns that may begin with a line feed would be under way after
//! every line; a stream for such patterns is not cut.
//!
//! Files are not cut either, so that the DFA, which reads some hundred MB/s, costs nothing there.

use std::io::{self, Read, Write};

use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, Config, DFA};
use regex_automata::nfa::thompson::{self, NFA, State};
use regex_automata::{Anchored, Input, MatchKind};
use regex_syntax::hir::{Hir, HirKind};

/// The largest automaton of the patterns, in bytes. For larger ones the stream is not cut.
const MAX_NFA: usize = 4 << 20;

/// The memory for states of the DFA, in bytes.
const CACHE: usize = 4 << 20;

/// The most bytes that are read at a time.
const READ_SIZE: usize = 256 << 10;

/// Finds line ends that no match goes beyond.
#[derive(Debug)]
pub(super) struct LineCuts {
    dfa: DFA,
    cache: Cache,
    /// After the bytes so far.
    state: LazyStateID,
    /// After a line end that no match goes beyond, and the number of times that the cache had been
    /// cleared when this was found, which is when it was valid.
    idle: (LazyStateID, usize),
    /// The number of bytes after which the state can be relied upon, because it was lost.
    unknown: usize,
    /// The longest match that is searched for, in bytes.
    window: usize,
}

impl LineCuts {
    /// Returns `None` if matches may be under way at every line end, or the patterns are too large. No
    /// match is longer than `window`.
    pub(super) fn new(patterns: &[Hir], window: usize) -> Option<LineCuts> {
        LineCuts::with_cache(patterns, window, CACHE)
    }

    fn with_cache(patterns: &[Hir], window: usize, cache: usize) -> Option<LineCuts> {
        let endless: Vec<Hir> = patterns
            .iter()
            .map(|hir| Hir::concat(vec![without_assertions(hir.clone()), Hir::fail()]))
            .collect();
        let config = thompson::Config::new().utf8(false).nfa_size_limit(Some(MAX_NFA));
        let config = config.which_captures(thompson::WhichCaptures::None);
        let nfa = thompson::Compiler::new().configure(config).build_many_from_hir(&endless).ok()?;
        if begins_with_line_feed(&nfa) {
            return None;
        }
        let config = Config::new().match_kind(MatchKind::All).cache_capacity(cache);
        let dfa = DFA::builder().configure(config).build_from_nfa(nfa).ok()?;
        let mut cache = dfa.create_cache();
        let idle = idle(&dfa, &mut cache)?;
        let clears = cache.clear_count();
        Some(LineCuts { dfa, cache, state: idle, idle: (idle, clears), unknown: 0, window })
    }

    /// Reads the next bytes of the stream. Returns the end of the last line that no match goes beyond, or
    /// 0 if there is none in these bytes.
    fn feed(&mut self, bytes: &[u8]) -> usize {
        let mut cut = 0;
        for (at, &byte) in bytes.iter().enumerate() {
            self.unknown = self.unknown.saturating_sub(1);
            match self.dfa.next_state(&mut self.cache, self.state, byte) {
                Ok(state) => self.state = state,
                Err(_) => self.lose_state(),
            }
            if byte == b'\n' && self.is_idle() {
                cut = at + 1;
            }
        }
        cut
    }

    fn is_idle(&mut self) -> bool {
        let clears = self.cache.clear_count();
        if clears != self.idle.1 {
            let found = idle(&self.dfa, &mut self.cache);
            if let Some(found) = found.filter(|_| self.cache.clear_count() == clears) {
                self.idle = (found, clears);
            } else {
                // The cache was cleared once more, and `state` with it.
                self.lose_state();
            }
        }
        self.unknown == 0 && self.state == self.idle.0
    }

    /// Starts again in the middle of the stream. What is under way is over within a window.
    fn lose_state(&mut self) {
        self.unknown = self.window;
        self.cache.reset(&self.dfa);
        if let Some(found) = idle(&self.dfa, &mut self.cache) {
            self.idle = (found, self.cache.clear_count());
            self.state = found;
        }
    }
}

/// The state after a line end at the start of a stream.
fn idle(dfa: &DFA, cache: &mut Cache) -> Option<LazyStateID> {
    let input = Input::new("").anchored(Anchored::No);
    let start = dfa.start_state_forward(cache, &input).ok()?;
    dfa.next_state(cache, start, b'\n').ok()
}

fn without_assertions(hir: Hir) -> Hir {
    let all = |subs: Vec<Hir>| subs.into_iter().map(without_assertions).collect();
    match hir.into_kind() {
        HirKind::Empty | HirKind::Look(_) => Hir::empty(),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Class(class) => Hir::class(class),
        HirKind::Repetition(mut repetition) => {
            repetition.sub = Box::new(without_assertions(*repetition.sub));
            Hir::repetition(repetition)
        }
        HirKind::Capture(capture) => without_assertions(*capture.sub),
        HirKind::Concat(subs) => Hir::concat(all(subs)),
        HirKind::Alternation(subs) => Hir::alternation(all(subs)),
    }
}

/// Whether some match may begin with a line feed.
fn begins_with_line_feed(nfa: &NFA) -> bool {
    let mut seen = vec![false; nfa.states().len()];
    let mut stack = vec![nfa.start_anchored()];
    while let Some(id) = stack.pop() {
        if std::mem::replace(&mut seen[id], true) {
            continue;
        }
        match nfa.state(id) {
            State::ByteRange { trans } if trans.matches_byte(b'\n') => return true,
            State::Sparse(sparse) if sparse.matches_byte(b'\n').is_some() => return true,
            State::Dense(dense) if dense.matches_byte(b'\n').is_some() => return true,
            State::ByteRange { .. } | State::Sparse(_) | State::Dense(_) => {}
            State::Look { next, .. } | State::Capture { next, .. } => stack.push(*next),
            State::Union { alternates } => stack.extend(alternates.iter()),
            State::BinaryUnion { alt1, alt2 } => stack.extend([*alt1, *alt2]),
            State::Fail | State::Match { .. } => {}
        }
    }
    false
}

/// A stream as one or more streams, called segments. Reading one ends where it is cut, and
/// [`next`](Segments::next) begins with the one after it.
///
/// Each segment but the first starts with the line end before it, which is no part of the stream.
#[derive(Debug)]
pub(super) struct Segments<R> {
    reader: R,
    /// `None` if the stream is not cut.
    cuts: Option<LineCuts>,
    buffer: Vec<u8>,
    /// What has been read and not returned, as a range in `buffer`.
    start: usize,
    end: usize,
    /// Where the segment ends in `buffer`, if this is known.
    cut: Option<usize>,
    has_ended: bool,
    /// The offset in the stream of the next byte.
    offset: u64,
    base: u64,
}

impl<R: Read> Segments<R> {
    pub(super) fn new(reader: R, cuts: Option<LineCuts>) -> Segments<R> {
        let buffer = Vec::new();
        Segments {
            reader,
            cuts,
            buffer,
            start: 0,
            end: 0,
            cut: None,
            has_ended: false,
            offset: 0,
            base: 0,
        }
    }

    /// The reader of the stream.
    pub(super) fn reader(&self) -> &R {
        &self.reader
    }

    /// The offset in the stream where the segment starts, with the line end that was added.
    pub(super) fn base(&self) -> u64 {
        self.base
    }

    /// Begins with the next segment. Returns false at the end of the stream.
    pub(super) fn next(&mut self) -> bool {
        if self.has_ended {
            return false;
        }
        let rest = self.end - self.start;
        self.buffer.copy_within(self.start..self.end, 1);
        self.buffer[0] = b'\n';
        (self.start, self.end, self.cut) = (0, 1 + rest, None);
        self.offset -= 1;
        self.base = self.offset;
        true
    }
}

impl<R: Read> Read for Segments<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(cuts) = &mut self.cuts else {
            let count = self.reader.read(buffer)?;
            self.has_ended |= count == 0;
            return Ok(count);
        };
        if self.start == self.end && self.cut.is_none() {
            self.buffer.resize(READ_SIZE + 1, 0);
            self.start = 0;
            self.end = self.reader.read(&mut self.buffer[..READ_SIZE])?;
            self.has_ended = self.end == 0;
            let cut = cuts.feed(&self.buffer[..self.end]);
            self.cut = (cut > 0).then_some(cut);
        }
        let count = buffer.len().min(self.cut.unwrap_or(self.end) - self.start);
        buffer[..count].copy_from_slice(&self.buffer[self.start..self.start + count]);
        self.start += count;
        self.offset += count as u64;
        Ok(count)
    }
}

/// Passes on what is written, except for the line end that was added to a segment.
#[derive(Debug)]
pub(super) struct SegmentWriter<W> {
    writer: W,
    is_at_added: bool,
}

impl<W: Write> SegmentWriter<W> {
    pub(super) fn new(writer: W, has_added: bool) -> SegmentWriter<W> {
        SegmentWriter { writer, is_at_added: has_added }
    }
}

impl<W: Write> Write for SegmentWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_at_added && !bytes.is_empty() {
            self.is_at_added = false;
            return Ok(1);
        }
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cuts(patterns: &[&str]) -> Option<LineCuts> {
        with_cache(patterns, CACHE)
    }

    fn with_cache(patterns: &[&str], cache: usize) -> Option<LineCuts> {
        let parse = |regex: &&str| {
            let mut builder = regex_syntax::ParserBuilder::new();
            builder.utf8(false).unicode(false).multi_line(true).build().parse(regex).unwrap()
        };
        LineCuts::with_cache(&patterns.iter().map(parse).collect::<Vec<Hir>>(), 100, cache)
    }

    #[test]
    fn a_stream_is_cut_where_no_match_is_under_way() {
        /// Patterns, and lines, each with whether the stream can be cut after it.
        type Case<'a> = (&'a [&'a str], &'a [(&'a str, bool)]);
        let cases: [Case<'_>; 6] = [
            (&["b\nc"], &[("a\n", true), ("b\n", false), ("b\n", false), ("c\n", true)]),
            (
                &["ab*\n(?:x\n)*z"],
                &[("ab\n", false), ("x\n", false), ("x\n", false), ("y\n", true)],
            ),
            // A match that ends with a line is over, one that ends with its line end may not be.
            (&["b$", "x\ny"], &[("ab\n", true), ("\n", true)]),
            (&["b\n"], &[("ab\n", false), ("a\n", true)]),
            (&["b\n\\z"], &[("ab\n", false), ("a\n", true)]),
            (&["\\ba\\b[\\s]*b"], &[("b\n", true), ("a\n", false), ("\n", false), (" b\n", true)]),
        ];
        for (patterns, lines) in cases {
            let mut cuts = cuts(patterns).unwrap();
            for (line, expected) in lines {
                let cut = cuts.feed(line.as_bytes());
                assert_eq!(cut == line.len(), *expected, "{patterns:?} {line:?}");
            }
        }
        for pattern in ["\\s*a", "[^b]", "\\b(?:x|\n)"] {
            assert!(cuts(&[pattern]).is_none(), "{pattern}");
        }
        assert!(cuts(&["(?:[a-z]{1000}\n){1000}"]).is_none());
    }

    #[test]
    fn segments_make_up_the_stream() {
        /// Returns some bytes at a time.
        struct Slow<'a>(&'a [u8], usize);

        impl Read for Slow<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let count = self.1.min(buffer.len());
                self.0.read(&mut buffer[..count])
            }
        }

        let text = b"one\nb\nc\ntwo\n\nb\nb\nthree";
        for (size, most) in (1..text.len() + 2).map(|size| (size, 3)).chain([(2, 1000)]) {
            let mut segments = Segments::new(Slow(text, size), cuts(&["b\nc"]));
            let mut found = Vec::new();
            let mut has_added = false;
            loop {
                let mut buffer = vec![0; most];
                let start = found.len();
                assert_eq!(segments.base(), (start as u64) - u64::from(has_added));
                let mut writer = SegmentWriter::new(&mut found, has_added);
                loop {
                    let count = segments.read(&mut buffer).unwrap();
                    if count == 0 {
                        break;
                    }
                    writer.write_all(&buffer[..count]).unwrap();
                }
                if !segments.next() {
                    break;
                }
                assert!(found.ends_with(b"\n") && !found.ends_with(b"b\n"), "{found:?}");
                has_added = true;
            }
            assert_eq!(found, text, "{size}");
        }
    }

    #[test]
    fn a_full_cache_delays_cuts_only() {
        let mut cuts = with_cache(&["q[ab]*a[ab]{12}\nx"], 50_000).unwrap();
        let mut seed = 1u32;
        for _ in 0..40_000 {
            let mut line = b"q".to_vec();
            for _ in 0..20 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                line.push(if seed >> 31 == 0 { b'a' } else { b'b' });
            }
            line.push(b'\n');
            let is_open = line[8] == b'a';
            assert!(!is_open || cuts.feed(&line) == 0);
        }
        assert!(cuts.cache.clear_count() > 0);
        let filler = "-".repeat(100) + "\n-\n";
        assert_eq!(cuts.feed(filler.as_bytes()), filler.len());
    }
}
