//! Copies bytes and hides matches in them, piece by piece.
//!
//! Matches that overlap are hidden together. The first match of such a group, by start, then length, then
//! pattern, is the one whose replacement is written, in place of all bytes that any of them covers. A
//! replacement can depend on whether there are others, so it is written when that is known: with the
//! second match of the group, or when the bytes of the first one are past. Until then the bytes of the first
//! one are kept, and no others.

use std::ops::Range;

use super::Rules;
use super::replacement::Hidden;

/// The number of spans below which they are not [merged](Spans::merge) before their bytes are copied.
pub(super) const MIN_MERGE: usize = 64 << 10;

/// A match, or matches that overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Span {
    /// The bytes that are hidden, as a range of offsets in the stream.
    range: Range<u64>,
    /// The end of the first match, which starts at the start of the range.
    first_end: u64,
    /// The pattern of the first match.
    pattern: u32,
    is_merged: bool,
}

/// Matches whose bytes have not been copied.
///
/// They can be far more than the bytes: 400 patterns that match every byte have 400 for each. So those that
/// overlap are merged whenever their number has doubled. Each match is sorted a constant number of times on
/// average.
#[derive(Debug, Default)]
pub(super) struct Spans {
    list: Vec<Span>,
    /// The number of spans after the last merge.
    merged: usize,
}

impl Spans {
    pub(super) fn clear(&mut self) {
        self.list.clear();
        self.merged = 0;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Adds a match, given by its range of offsets in the stream. An empty one hides nothing.
    pub(super) fn push(&mut self, range: Range<u64>, pattern: u32) {
        if range.is_empty() {
            return;
        }
        let first_end = range.end;
        self.list.push(Span { range, first_end, pattern, is_merged: false });
        if self.list.len() > 2 * self.merged + MIN_MERGE {
            self.merge();
        }
    }

    /// Sorts the spans by their first matches, and merges those that overlap.
    fn merge(&mut self) {
        // Stable, because that sort is fast on a sorted list with sorted lists appended.
        self.list.sort_by_key(|span| {
            (span.range.start, std::cmp::Reverse(span.first_end), span.pattern)
        });
        self.list.dedup_by(|later, earlier| {
            let overlaps = later.range.start < earlier.range.end;
            if overlaps {
                earlier.range.end = earlier.range.end.max(later.range.end);
                earlier.is_merged = true;
            }
            overlaps
        });
        self.merged = self.list.len();
    }
}

/// Where a copy of a stream is.
#[derive(Debug, Default)]
pub(super) struct Hiding {
    /// The offset from which on bytes have not been seen.
    seen: u64,
    /// The offset before which bytes are hidden.
    hidden: u64,
    /// The match whose replacement has not been written, and that no other one overlaps so far.
    pending: Option<Span>,
    /// The bytes of that match, as far as they have been seen.
    text: Vec<u8>,
}

/// Consecutive bytes of a stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes<'a> {
    pub(super) bytes: &'a [u8],
    /// The offset of the first byte.
    pub(super) base: u64,
}

impl<'a> Bytes<'a> {
    fn get(&self, range: Range<u64>) -> &'a [u8] {
        &self.bytes[(range.start - self.base) as usize..(range.end - self.base) as usize]
    }
}

impl Hiding {
    /// Starts at the beginning of a record or stream.
    pub(super) fn restart(&mut self) {
        (self.seen, self.hidden, self.pending) = (0, 0, None);
    }

    /// Appends the bytes up to the offset `end` to `out`, and removes the spans that start before it from
    /// `spans`, with these hidden. They must not start before the bytes of earlier calls. They may end after
    /// `end`, but `bytes` must have all of their bytes.
    pub(super) fn copy(
        &mut self,
        rules: &Rules,
        bytes: Bytes<'_>,
        end: u64,
        spans: &mut Spans,
        out: &mut Vec<u8>,
    ) {
        spans.merge();
        let count = spans.list.partition_point(|span| span.range.start < end);
        for span in spans.list.drain(..count) {
            if span.range.start < self.hidden {
                self.write_pending(rules, true, out);
                self.hidden = self.hidden.max(span.range.end);
            } else {
                self.copy_plain(rules, bytes, span.range.start, out);
                self.text.clear();
                self.text.extend_from_slice(bytes.get(span.range.start..span.first_end));
                self.hidden = span.range.end;
                self.pending = Some(span);
            }
        }
        spans.merged = spans.list.len();
        self.copy_plain(rules, bytes, end, out);
    }

    /// Copies the bytes up to `end` that are not hidden.
    fn copy_plain(&mut self, rules: &Rules, bytes: Bytes<'_>, end: u64, out: &mut Vec<u8>) {
        if self.hidden <= end {
            self.write_pending(rules, false, out);
            out.extend_from_slice(bytes.get(self.seen.max(self.hidden)..end));
        }
        self.seen = end;
    }

    fn write_pending(&mut self, rules: &Rules, is_merged: bool, out: &mut Vec<u8>) {
        if let Some(span) = self.pending.take() {
            let pattern = span.pattern as usize;
            let name = rules.name(pattern);
            let is_merged = is_merged || span.is_merged;
            let hidden = Hidden { pattern, name, bytes: &self.text, is_merged };
            rules.replacement(pattern).write(&hidden, out);
        }
    }

    /// Writes what is left at the end of the stream.
    pub(super) fn finish(&mut self, rules: &Rules, out: &mut Vec<u8>) {
        self.write_pending(rules, false, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_bounded_by_those_that_do_not_overlap() {
        let mut spans = Spans::default();
        let bytes = 1000;
        for pattern in (0..1000).rev() {
            for at in 0..bytes {
                spans.push(at..at + 1, pattern);
                spans.push(at..at, pattern);
            }
            assert!(spans.list.len() <= 3 * bytes as usize + MIN_MERGE);
        }
        spans.merge();
        let expected = (0..bytes).map(|at| Span {
            range: at..at + 1,
            first_end: at + 1,
            pattern: 0,
            is_merged: true,
        });
        assert_eq!(spans.list, Vec::from_iter(expected));
    }

    #[test]
    fn merging_at_any_time_changes_nothing() {
        let matches =
            [(3..8, 0), (2..5, 1), (2..9, 2), (8..9, 0), (9..12, 3), (11..13, 1), (2..9, 1)];
        let mut expected = Spans::default();
        matches.iter().for_each(|(range, pattern)| expected.push(range.clone(), *pattern));
        expected.merge();
        assert_eq!(expected.list.len(), 2);
        for first in 1..1 << matches.len() {
            let mut spans = Spans::default();
            for (index, (range, pattern)) in matches.iter().enumerate() {
                spans.push(range.clone(), *pattern);
                if first >> index & 1 == 1 {
                    spans.merge();
                }
            }
            spans.merge();
            assert_eq!(spans.list, expected.list, "{first:b}");
        }
    }
}
