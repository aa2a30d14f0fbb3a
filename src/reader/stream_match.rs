//! A match in a stream, with its record and its place.

use std::ops::Range;

use crate::{Match, PatternSet};

use super::block::Block;

/// A match in a stream, with the bytes of its record. Passed to the callback of
/// [`ReaderScan::scan`](super::ReaderScan::scan).
#[derive(Clone, Copy, Debug)]
pub struct StreamMatch<'a> {
    block: &'a Block,
    found: Match,
}

impl<'a> StreamMatch<'a> {
    pub(super) fn new(block: &'a Block, found: Match) -> StreamMatch<'a> {
        StreamMatch { block, found }
    }

    /// Returns the number of the pattern in its set, from 0.
    pub fn pattern(&self) -> usize {
        self.found.pattern()
    }

    /// Returns the number of the record in the stream, from 0. For a match across lines it is the line
    /// that the match starts in.
    pub fn record(&self) -> u64 {
        self.block.record_number(self.found.record())
    }

    /// Returns the number of the record, from 1, as people count lines.
    pub fn line(&self) -> u64 {
        self.record() + 1
    }

    /// Returns the bytes of the record, without its terminator. For a match across lines, they are those
    /// of all lines that the match touches.
    pub fn record_bytes(&self) -> &'a [u8] {
        &self.block.bytes()[self.record_range()]
    }

    /// Returns the offset in the stream of the record's first byte.
    pub fn record_offset(&self) -> u64 {
        self.block.offset(self.record_range().start)
    }

    /// Returns the name of the pattern, if it has one. `set` must be the set that was scanned for.
    /// `None` if the set has no such pattern, as for a match of a [combination](crate::Combinations).
    pub fn name<'s>(&self, set: &'s PatternSet) -> Option<&'s str> {
        self.found.name(set)
    }

    /// Returns the range of the match in [`record_bytes`](StreamMatch::record_bytes), or `None` if the
    /// scanner does not report spans.
    pub fn span(&self) -> Option<Range<usize>> {
        self.found.span()
    }

    /// Returns the range of the match in [`record_bytes`](StreamMatch::record_bytes).
    ///
    /// # Panics
    ///
    /// If the match has no span: its scanner was made with
    /// [`Report::Patterns`](crate::Report::Patterns). [`span`](StreamMatch::span) returns `None` then.
    #[track_caller]
    pub fn range(&self) -> Range<usize> {
        self.found.range()
    }

    /// Returns the range of the match in the stream.
    ///
    /// # Panics
    ///
    /// As [`range`](StreamMatch::range).
    #[track_caller]
    pub fn stream_range(&self) -> Range<u64> {
        let Range { start, end } = self.buffer_range();
        self.block.offset(start)..self.block.offset(end)
    }

    /// Returns the matching bytes.
    ///
    /// # Panics
    ///
    /// As [`range`](StreamMatch::range).
    #[track_caller]
    pub fn text(&self) -> &'a [u8] {
        &self.block.bytes()[self.buffer_range()]
    }

    /// Returns whether offsets count the bytes of the text that the stream was decoded to, in UTF-8,
    /// instead of those of the stream.
    pub fn is_decoded(&self) -> bool {
        self.block.is_decoded
    }

    #[track_caller]
    fn buffer_range(&self) -> Range<usize> {
        let start = self.block.record(self.found.record()).start;
        let range = self.range();
        start + range.start..start + range.end
    }

    fn record_range(&self) -> Range<usize> {
        let record = self.block.record(self.found.record());
        let end = self.found.span().map_or(0, |span| record.start + span.end);
        if end <= record.end { record } else { record.start..self.block.line_end(end) }
    }
}
