//! The matches of a scan: a flat, ordered list.

use std::ops::Range;

/// One match: a record, a pattern that matches in it and, with
/// [`Report::Spans`](crate::Report::Spans), the matching bytes.
///
/// Matches order by record, then pattern, then start. The layout is four 32-bit numbers without
/// padding, so that a list of matches can be passed to C or to another process without translation.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    bytemuck::Pod,
    bytemuck::Zeroable,
)]
#[repr(C)]
pub struct Match {
    record: u32,
    pattern: u32,
    start: u32,
    end: u32,
}

impl Match {
    /// Offsets of the fields in bytes, in the order of their declaration, for assertions that the C
    /// side has the same layout.
    #[cfg(feature = "native")]
    pub(crate) const OFFSETS: [usize; 4] = [
        std::mem::offset_of!(Match, record),
        std::mem::offset_of!(Match, pattern),
        std::mem::offset_of!(Match, start),
        std::mem::offset_of!(Match, end),
    ];

    /// Returns a match of `pattern` in `record` at the bytes `span` of that record. With
    /// [`Report::Patterns`](crate::Report::Patterns) the span is `0..0`.
    pub fn new(record: u32, pattern: u32, span: Range<u32>) -> Match {
        Match { record, pattern, start: span.start, end: span.end }
    }

    /// Returns this match as one of another record.
    pub fn with_record(self, record: u32) -> Match {
        Match { record, ..self }
    }

    /// Returns this match with `base` added to its record number: for scanners that scan a batch in
    /// parts.
    pub fn offset_record(self, base: u32) -> Match {
        self.with_record(base + self.record)
    }

    /// Returns the number of the record in its batch, from 0.
    pub fn record(&self) -> usize {
        self.record as usize
    }

    /// Returns the number of the pattern in its set, from 0.
    pub fn pattern(&self) -> usize {
        self.pattern as usize
    }

    /// Returns the start of the match, in bytes from the start of its record.
    pub fn start(&self) -> usize {
        self.start as usize
    }

    /// Returns the end of the match, in bytes from the start of its record.
    pub fn end(&self) -> usize {
        self.end as usize
    }

    /// Returns the range of matching bytes in the record. Empty for a match of the empty string, and
    /// for every match with [`Report::Patterns`](crate::Report::Patterns).
    pub fn range(&self) -> Range<usize> {
        self.start()..self.end()
    }
}

/// All matches of one scan, ordered by record, then pattern, then start.
///
/// Reuse one list for many scans: it keeps its memory, so scanning allocates nothing once it has
/// grown to the usual number of matches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matches {
    list: Vec<Match>,
}

impl Matches {
    /// Returns an empty list.
    pub fn new() -> Matches {
        Matches::default()
    }

    /// Returns the number of matches.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Returns whether there are no matches.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Iterates over the matches in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Match> {
        self.list.iter()
    }

    /// Returns the matches in order, as a slice.
    pub fn as_slice(&self) -> &[Match] {
        &self.list
    }

    /// Returns the matches of one record. Costs two binary searches.
    pub fn of_record(&self, record: usize) -> &[Match] {
        let start = self.list.partition_point(|m| m.record() < record);
        let len = self.list[start..].partition_point(|m| m.record() == record);
        &self.list[start..start + len]
    }

    /// Removes all matches and keeps the memory.
    pub fn clear(&mut self) {
        self.list.clear();
    }

    /// Appends a match; for implementors of [`Scan`](crate::Scan).
    ///
    /// The match must not order before the last one. Debug builds panic if it does.
    pub fn push(&mut self, m: Match) {
        debug_assert!(self.list.last().is_none_or(|last| *last <= m), "matches out of order");
        self.list.push(m);
    }

    /// Appends matches with one copy; for implementors of [`Scan`](crate::Scan).
    ///
    /// The matches must be in order and must not order before the last one. This is not checked.
    pub fn extend_from_slice(&mut self, matches: &[Match]) {
        self.list.extend_from_slice(matches);
    }
}

/// For implementors of [`Scan`](crate::Scan), as [`Matches::extend_from_slice`].
impl Extend<Match> for Matches {
    fn extend<I: IntoIterator<Item = Match>>(&mut self, matches: I) {
        self.list.extend(matches);
    }
}

impl<'a> IntoIterator for &'a Matches {
    type Item = &'a Match;
    type IntoIter = std::slice::Iter<'a, Match>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_record_finds_the_matches_of_a_record() {
        let mut matches = Matches::new();
        for (record, pattern) in [(0, 1), (2, 0), (2, 5), (7, 0)] {
            matches.push(Match::new(record, pattern, 0..0));
        }
        let counts: Vec<_> = (0..9).map(|record| matches.of_record(record).len()).collect();
        assert_eq!(counts, [1, 0, 2, 0, 0, 0, 0, 1, 0]);
    }
}
