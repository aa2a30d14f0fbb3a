//! What was found: a flat, ordered list.

use std::ops::Range;

/// One match: a pattern in a record and, with [`Report::Spans`](crate::Report::Spans), where.
///
/// Matches order by record, then pattern, then start. The layout is flat and fixed, four 32-bit
/// numbers, so that a list of matches can cross to C or to another process as it is.
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
    /// Where each field lies, in bytes from the start, in the order of their declaration; for
    /// asserting that another side of a boundary sees the same.
    #[cfg(feature = "native")]
    pub(crate) const OFFSETS: [usize; 4] = [
        std::mem::offset_of!(Match, record),
        std::mem::offset_of!(Match, pattern),
        std::mem::offset_of!(Match, start),
        std::mem::offset_of!(Match, end),
    ];

    /// A match of `pattern` in `record` at the bytes `span` of that record. With
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

    /// The number of the record in its batch, from 0.
    pub fn record(&self) -> usize {
        self.record as usize
    }

    /// The number of the pattern in its set, from 0.
    pub fn pattern(&self) -> usize {
        self.pattern as usize
    }

    /// Where the match starts, in bytes from the start of its record.
    pub fn start(&self) -> usize {
        self.start as usize
    }

    /// Where the match ends, in bytes from the start of its record.
    pub fn end(&self) -> usize {
        self.end as usize
    }

    /// The bytes of the record that matched. Empty for a match of nothing, and for all matches
    /// with [`Report::Patterns`](crate::Report::Patterns).
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
    /// An empty list.
    pub fn new() -> Matches {
        Matches::default()
    }

    /// How many matches there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether nothing matched.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The matches in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Match> {
        self.list.iter()
    }

    /// The matches in order, as a slice.
    pub fn as_slice(&self) -> &[Match] {
        &self.list
    }

    /// The matches of one record, found by binary search.
    pub fn of_record(&self, record: usize) -> &[Match] {
        let start = self.list.partition_point(|m| m.record() < record);
        let len = self.list[start..].partition_point(|m| m.record() == record);
        &self.list[start..start + len]
    }

    /// Removes all matches and keeps the memory.
    pub fn clear(&mut self) {
        self.list.clear();
    }

    /// Adds a match behind all others; for implementors of [`Scan`](crate::Scan).
    ///
    /// Pushing out of order is a bug in the caller, which debug builds panic on.
    pub fn push(&mut self, m: Match) {
        debug_assert!(self.list.last().is_none_or(|last| *last <= m), "matches out of order");
        self.list.push(m);
    }

    /// Appends matches that are in order and follow all others; for implementors of
    /// [`Scan`](crate::Scan). Copies them at once, without a check of their order.
    pub fn extend_from_slice(&mut self, matches: &[Match]) {
        self.list.extend_from_slice(matches);
    }

    /// The list itself, for engines that append first and order afterwards.
    #[cfg(feature = "native")]
    pub(crate) fn list_mut(&mut self) -> &mut Vec<Match> {
        &mut self.list
    }
}

/// Appends matches that are in order and follow all others; for implementors of
/// [`Scan`](crate::Scan).
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
    fn the_matches_of_a_record_are_found() {
        let mut matches = Matches::new();
        for (record, pattern) in [(0, 1), (2, 0), (2, 5), (7, 0)] {
            matches.push(Match::new(record, pattern, 0..0));
        }
        let counts: Vec<_> = (0..9).map(|record| matches.of_record(record).len()).collect();
        assert_eq!(counts, [1, 0, 2, 0, 0, 0, 0, 1, 0]);
    }
}
