//! Replaces the span of a match by that of the group that its pattern reports, and drops what is not
//! within the pattern's bounds.
//!
//! Both engines find spans of whole matches; see [`Pattern::report_group`](crate::Pattern::report_group)
//! and [`Pattern::min_offset`](crate::Pattern::min_offset) for what is reported in their place.

use std::ops::Range;

use crate::{PatternBounds, PatternSet};

use super::automata::captures::CaptureCache;

/// What to report of the matches of one pattern in one record.
pub(super) struct ReportedGroup<'a> {
    set: &'a PatternSet,
    pattern: u32,
    /// 0 for the whole match.
    group: usize,
    bounds: Option<PatternBounds>,
    record: &'a [u8],
    cache: &'a mut CaptureCache,
    /// The span that was reported last.
    last: Option<Range<usize>>,
    /// An upper bound on the bytes that were read to find groups.
    pub(super) steps: u64,
}

impl<'a> ReportedGroup<'a> {
    /// What to report of the pattern with this number in `set`.
    pub(super) fn new(
        set: &'a PatternSet,
        pattern: u32,
        record: &'a [u8],
        cache: &'a mut CaptureCache,
    ) -> ReportedGroup<'a> {
        // Does not read the pattern if it need not, which is rarely in the cache.
        let (group, bounds) = match set.reports_all_matches() {
            true => (0, None),
            false => (set.reported_group(pattern as usize), set.bounds(pattern as usize)),
        };
        ReportedGroup { set, pattern, group, bounds, record, cache, last: None, steps: 0 }
    }

    /// Returns the span to report for a match at `whole`. Must be called with the matches of the record
    /// in order.
    ///
    /// Returns `None` if the span is not within the bounds of the pattern, or if it is that of the
    /// match before: an empty group at the end of one match and at the start of the next. So the
    /// reported spans of a pattern are strictly ascending, as those of whole matches are.
    #[inline]
    pub(super) fn span(&mut self, whole: Range<usize>) -> Option<Range<usize>> {
        let span = if self.group == 0 { Some(whole) } else { self.group_span(whole) };
        match &self.bounds {
            None => span,
            Some(bounds) => span.filter(|span| bounds.contain(span)),
        }
    }

    fn group_span(&mut self, whole: Range<usize>) -> Option<Range<usize>> {
        // The two-pass search reads each byte three times, the others read it once.
        self.steps += 3 * (whole.len() as u64 + 1);
        let automata = self.set.capture_automata(self.pattern as usize);
        let slots = automata.find(self.cache, self.pattern, self.record, whole.clone());
        let slot = |index: usize| slots.and_then(|slots| *slots.get(index)?);
        let span = match (slot(2 * self.group), slot(2 * self.group + 1)) {
            (Some(start), Some(end)) => start.get()..end.get(),
            _ => whole,
        };
        let is_new = self.last.as_ref() != Some(&span);
        self.last = Some(span.clone());
        is_new.then_some(span)
    }
}
