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

/// Matches that overlap one another, or a single one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// The bytes of the first match, as a range of offsets in the stream. Not empty.
    range: Range<u64>,
    /// The end of the bytes that are covered.
    end: u64,
    /// The pattern of the first match.
    pattern: u32,
    /// Whether there are others.
    is_merged: bool,
}

impl Span {
    /// A match, whose range must not be empty.
    pub(super) fn new(range: Range<u64>, pattern: u32) -> Span {
        debug_assert!(!range.is_empty());
        Span { end: range.end, range, pattern, is_merged: false }
    }
}

/// Sorts spans and merges those that overlap.
///
/// More spans may be added, and all merged again: a merged span covers the same bytes as its matches
/// together, so another match overlaps it if it overlaps one of them.
pub(super) fn merge(spans: &mut Vec<Span>) {
    spans.sort_unstable_by_key(|span| {
        (span.range.start, std::cmp::Reverse(span.range.end), span.pattern)
    });
    spans.dedup_by(|next, first| {
        let overlaps = next.range.start < first.end;
        if overlaps {
            first.end = first.end.max(next.end);
            first.is_merged = true;
        }
        overlaps
    });
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
        spans: &mut Vec<Span>,
        out: &mut Vec<u8>,
    ) {
        merge(spans);
        let count = spans.partition_point(|span| span.range.start < end);
        for span in spans.drain(..count) {
            if span.range.start < self.hidden {
                self.write_pending(rules, true, out);
                self.hidden = self.hidden.max(span.end);
            } else {
                self.copy_plain(rules, bytes, span.range.start, out);
                self.text.clear();
                self.text.extend_from_slice(bytes.get(span.range.clone()));
                self.hidden = span.end;
                let is_merged = span.is_merged;
                self.pending = Some(span);
                if is_merged {
                    self.write_pending(rules, true, out);
                }
            }
        }
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
            let hidden = Hidden { pattern, name, bytes: &self.text, is_merged };
            rules.replacement(pattern).write(&hidden, out);
        }
    }

    /// Writes what is left at the end of the stream.
    pub(super) fn finish(&mut self, rules: &Rules, out: &mut Vec<u8>) {
        self.write_pending(rules, false, out);
    }
}
