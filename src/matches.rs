//! The matches of a scan: a flat, ordered list.

use std::fmt;
use std::ops::Range;

use crate::{Batch, PatternSet};

/// One match: a record, a pattern that matches in it and, with
/// [`Report::Spans`](crate::Report::Spans), the matching bytes.
///
/// Matches order by record, then pattern, then start. The layout is four 32-bit numbers without
/// padding, so that a list of matches can be passed to C or to another process without translation.
///
/// ```
/// use dragnet::{Batch, Engine, Matches, Pattern, PatternSet, Report, Scan};
///
/// let set = PatternSet::new([Pattern::new(r"[a-z]+\d").name("id")])?;
/// let mut offsets = Vec::new();
/// let batch = Batch::lines(b"--\nab7 c3", &mut offsets)?;
/// let mut matches = Matches::new();
/// Engine::new(&set, Report::Spans).scanner()?.scan(&batch, &mut matches)?;
///
/// let m = matches.as_slice()[0];
/// assert_eq!((m.record(), m.pattern(), m.range()), (1, 0, 0..3));
/// assert_eq!((m.bytes(&batch), m.name(&set)), (&b"ab7"[..], Some("id")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Match {
    record: u32,
    pattern: u32,
    start: u32,
    end: u32,
}

/// The start and end of a match without a span. A span can't start there, because a record has at
/// most [`MAX_BUFFER`](crate::MAX_BUFFER) bytes. `csrc/layout.h` has the same number.
pub(crate) const NO_SPAN: u32 = u32::MAX;

const _: () = assert!(crate::MAX_BUFFER < NO_SPAN as usize);

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

    /// Returns a match of `pattern` in `record` at the bytes `span` of that record. The arguments are
    /// not checked, except that a span can't start at `u32::MAX`: that is a match without a span.
    pub fn new(record: u32, pattern: u32, span: Range<u32>) -> Match {
        Match { record, pattern, start: span.start, end: span.end }
    }

    /// Returns a match that says only which pattern matches in which record, as scanners with
    /// [`Report::Patterns`](crate::Report::Patterns) report.
    pub fn without_span(record: u32, pattern: u32) -> Match {
        Match::new(record, pattern, NO_SPAN..NO_SPAN)
    }

    /// Returns this match with the number of another record.
    pub fn with_record(self, record: u32) -> Match {
        Match { record, ..self }
    }

    /// Returns this match with `base` added to its record number, for scanners that scan a batch in
    /// parts. The sum must fit in 32 bits.
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

    /// Returns the range of matching bytes in the record, or `None` if the scanner does not report
    /// spans. The range is empty for a match of the empty string.
    pub fn span(&self) -> Option<Range<usize>> {
        (self.start != NO_SPAN).then_some(self.start as usize..self.end as usize)
    }

    /// Returns the start of the match, in bytes from the start of its record.
    ///
    /// # Panics
    ///
    /// As [`Match::range`].
    #[track_caller]
    pub fn start(&self) -> usize {
        self.range().start
    }

    /// Returns the end of the match, in bytes from the start of its record.
    ///
    /// # Panics
    ///
    /// As [`Match::range`].
    #[track_caller]
    pub fn end(&self) -> usize {
        self.range().end
    }

    /// Returns the range of matching bytes in the record. Empty for a match of the empty string.
    ///
    /// # Panics
    ///
    /// If the match has no span: its scanner was made with
    /// [`Report::Patterns`](crate::Report::Patterns). [`Match::span`] returns `None` then.
    #[track_caller]
    pub fn range(&self) -> Range<usize> {
        self.span().expect("a match has a span only if the engine was made with `Report::Spans`")
    }

    /// Returns the matching bytes. `batch` must be the batch that was scanned.
    ///
    /// # Panics
    ///
    /// If the match has no span, as [`Match::range`], or if `batch` has no such record or the record
    /// is too short.
    #[track_caller]
    pub fn bytes<'a>(&self, batch: &Batch<'a>) -> &'a [u8] {
        &batch.buffer()[batch.range(self.record())][self.range()]
    }

    /// Returns the name of the pattern that matches, if it has one. `set` must be the set that was
    /// scanned for. `None` if the set has no such pattern, as for a match of a
    /// [combination](crate::Combinations).
    pub fn name<'a>(&self, set: &'a PatternSet) -> Option<&'a str> {
        set.get(self.pattern())?.get_name()
    }
}

impl fmt::Debug for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Match")
            .field("record", &self.record)
            .field("pattern", &self.pattern)
            .field("span", &self.span())
            .finish()
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

    /// Returns the matches of one record, which may be none. Costs two binary searches.
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
            matches.push(Match::without_span(record, pattern));
        }
        let counts: Vec<_> = (0..9).map(|record| matches.of_record(record).len()).collect();
        assert_eq!(counts, [1, 0, 2, 0, 0, 0, 0, 1, 0]);
    }

    #[test]
    fn a_match_without_a_span_has_no_range() {
        let m = Match::without_span(3, 5);
        assert_eq!((m.record(), m.pattern(), m.span()), (3, 5, None));
        assert_eq!(format!("{m:?}"), "Match { record: 3, pattern: 5, span: None }");
        assert!(std::panic::catch_unwind(|| m.range()).is_err());
        assert_eq!(Match::new(0, 0, 0..0).span(), Some(0..0));
    }
}
