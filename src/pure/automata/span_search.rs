//! The loop over the spans of one pattern in a record.
//!
//! It is where the automata that find spans take turns: backtracking, lazy DFAs, a simulation and the
//! two-pass search. [`spans`](super::spans) has them and says when each is used.

use std::ops::{ControlFlow, Range, RangeInclusive};

use memchr::memmem;
use regex_syntax::hir::{Hir, HirKind};

use crate::pure::mechanism;

use super::leading_literal::ContainedLiteral;
use super::pattern::{MAX_RECORD, PatternAutomata, PatternCache, PatternMemory};
use super::span_cursor::{SpanCursor, step_budget};
use super::span_prefilter::SpanPrefilter;
use super::spans::Undecided;
use super::start_search::{StartSearch, Starts};

/// The length of a record, in bytes, up to which a lazy DFA reads all of it, although a prefilter may skip
/// most of it.
const MAX_LEN_BY_DFAS: usize = 1 << 10;

/// Where the spans of a pattern are searched.
pub(crate) struct SpanRange<'a> {
    pub(crate) record: &'a [u8],
    /// The offsets at which spans can start, if there are any. Assertions see the bytes before the first
    /// one.
    pub(crate) starts: RangeInclusive<usize>,
    /// Whether a span ends at the first of these offsets, so that an empty one there does not count.
    pub(crate) after_span: bool,
}

impl<'a> SpanRange<'a> {
    /// All spans of a record.
    pub(crate) fn all(record: &'a [u8]) -> SpanRange<'a> {
        SpanRange { record, starts: 0..=record.len(), after_span: false }
    }
}

impl PatternAutomata {
    /// Calls `found` with the spans of the pattern in `range`, in order: leftmost-first and not
    /// overlapping. Stops when `found` returns `Break`. `build_prefilter` is called at most once
    /// for each pattern.
    ///
    /// Takes time linear in the record, and memory that does not depend on the number of spans.
    pub(crate) fn for_each_span(
        &self,
        hir: &Hir,
        build_prefilter: impl FnOnce() -> Option<SpanPrefilter>,
        memory: &mut PatternMemory<'_>,
        range: SpanRange<'_>,
        steps: &mut u64,
        mut found: impl FnMut(Range<usize>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let SpanRange { record, starts, after_span } = range;
        // Nothing is built for literals. What is built is at hand, and the pattern is not.
        if !self.spans.is_built()
            && let HirKind::Literal(literal) = hir.kind()
        {
            *steps += record.len() as u64 + 1;
            return each_literal(&literal.0, record, starts, found);
        }
        let cursor = &mut SpanCursor::starting_at(*starts.start(), after_span);
        let last = *starts.end();
        if record.len() <= MAX_RECORD
            && let Some(flow) =
                self.spans.by_backtracking(hir, memory, record, last, cursor, &mut found)
        {
            *steps += cursor.steps;
            return flow;
        }
        let flow = match self.span_prefilter(build_prefilter) {
            Some(prefilter) => {
                self.search_with_prefilter(hir, prefilter, memory, record, cursor, &mut found)
            }
            None => self.search_spans(hir, |_, _, _| true, memory, record, cursor, &mut found),
        };
        *steps += cursor.steps;
        flow
    }

    /// As [`PatternAutomata::for_each_span`], from an offset of the record on, but prefers lazy DFAs to
    /// backtracking in records of ordinary length, and skips parts of these by no more than one
    /// literal.
    ///
    /// This is faster where the record is known to match and the states of the DFAs are built. But each
    /// pattern then takes memory in each thread, and time to build the states, so it is for callers that
    /// search for few patterns.
    pub(crate) fn for_each_span_by_dfas(
        &self,
        hir: &Hir,
        build_prefilter: impl FnOnce() -> Option<SpanPrefilter>,
        memory: &mut PatternMemory<'_>,
        (record, from): (&[u8], usize),
        mut found: impl FnMut(Range<usize>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let has_failed = memory.cache.spans.as_ref().is_some_and(|spans| spans.dfas_failed);
        let is_literal = matches!(hir.kind(), HirKind::Literal(_));
        if has_failed || is_literal {
            let range = SpanRange { record, starts: from..=record.len(), after_span: false };
            return self.for_each_span(hir, build_prefilter, memory, range, &mut 0, found);
        }
        let cursor = &mut SpanCursor::starting_at(from, false);
        if record.len() > MAX_LEN_BY_DFAS
            && let Some(prefilter) = self.span_prefilter(build_prefilter)
        {
            return self.search_with_prefilter(hir, prefilter, memory, record, cursor, &mut found);
        }
        let literal = self.span_literal(hir);
        let skip = |_: &mut PatternMemory<'_>, cursor: &mut SpanCursor, _| {
            let Some(literal) = literal else { return true };
            let next = literal.finder.find(&record[cursor.at..]);
            // The next match contains this literal or a later one.
            if let (Some(next), Some(before)) = (next, literal.before) {
                cursor.at += next.saturating_sub(before);
            }
            next.is_some()
        };
        self.search_spans(hir, skip, memory, record, cursor, &mut found)
    }

    fn span_prefilter(
        &self,
        build: impl FnOnce() -> Option<SpanPrefilter>,
    ) -> Option<&SpanPrefilter> {
        let prefilter = self.span_prefilter.get_or_init(|| build().map(Box::new)).as_deref();
        prefilter.filter(|_| mechanism::span_prefilter())
    }

    fn search_with_prefilter(
        &self,
        hir: &Hir,
        prefilter: &SpanPrefilter,
        memory: &mut PatternMemory<'_>,
        record: &[u8],
        cursor: &mut SpanCursor,
        found: &mut impl FnMut(Range<usize>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        memory.cache.spans().positions.clear();
        let skip = |memory: &mut PatternMemory<'_>, cursor: &mut SpanCursor, budget| {
            self.skip_to_match(prefilter, memory, record, cursor, budget)
        };
        self.search_spans(hir, skip, memory, record, cursor, found)
    }

    /// The end of the match at the start of a record, if there is one, or `None` if the lazy DFA can't decide.
    pub(crate) fn end_at_start(
        &self,
        hir: &Hir,
        cache: &mut PatternCache,
        record: &[u8],
    ) -> Option<Option<usize>> {
        self.spans.end_at(hir, cache.spans(), record, 0, &mut 0).ok()
    }

    /// The offsets of a record at which matches can start, if there is a fast way to find them. `build` is
    /// called at most once for each pattern.
    pub(crate) fn starts<'a>(
        &'a self,
        hir: &'a Hir,
        build: impl FnOnce() -> Option<StartSearch>,
        cache: &'a mut PatternCache,
        record: &'a [u8],
    ) -> Option<Starts<'a>> {
        self.spans.starts(hir, build, cache.spans(), record)
    }

    /// A literal that every span contains, if there is one.
    pub(crate) fn span_literal(&self, hir: &Hir) -> Option<&ContainedLiteral> {
        self.span_literal.get_or_init(|| ContainedLiteral::new(hir).map(Box::new)).as_deref()
    }

    /// Calls `found` with the spans from the cursor on. Before each search, `skip` moves the cursor to the
    /// first position where the next span can start, or returns `false` if there is none. It is also given the
    /// largest number of steps that the cursor may have taken.
    fn search_spans(
        &self,
        hir: &Hir,
        mut skip: impl FnMut(&mut PatternMemory<'_>, &mut SpanCursor, u64) -> bool,
        memory: &mut PatternMemory<'_>,
        record: &[u8],
        cursor: &mut SpanCursor,
        found: &mut impl FnMut(Range<usize>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let budget = if mechanism::two_pass_spans() { step_budget(record) } else { u64::MAX };
        while cursor.at <= record.len() && cursor.steps <= budget {
            if !skip(memory, cursor, budget) {
                return ControlFlow::Continue(());
            }
            let first_failure = !cursor.dfas_failed;
            let span = match self.spans.leftmost(hir, memory.cache.spans(), record, cursor) {
                Ok(span) => span,
                Err(Undecided) => {
                    let last = record.len();
                    if first_failure
                        && record.len() > MAX_RECORD
                        && let Some(flow) =
                            self.spans.by_backtracking(hir, memory, record, last, cursor, found)
                    {
                        return flow;
                    }
                    self.spans.simulate(hir, memory.cache.spans(), record, cursor)
                }
            };
            let Some(span) = span else {
                return ControlFlow::Continue(());
            };
            if cursor.accept(&span) {
                found(span)?;
            }
        }
        self.spans.remaining(hir, memory.cache.spans(), record, cursor, found)
    }

    /// Moves `cursor` to the first position where the next span can start, or returns `false` if
    /// there is no further span. May move it less far if the steps exceed `budget`.
    fn skip_to_match(
        &self,
        prefilter: &SpanPrefilter,
        memory: &mut PatternMemory<'_>,
        record: &[u8],
        cursor: &mut SpanCursor,
        budget: u64,
    ) -> bool {
        // Every match that starts at or after the cursor contains a match of the trimmed form,
        // which then also starts at or after the cursor.
        let mut at = cursor.at;
        while let Some(position) =
            prefilter.next_position(record, &mut memory.cache.spans().positions, at)
        {
            let rest = position..record.len();
            if cursor.steps > budget
                || self.is_match_at(&prefilter.trimmed, memory, record, rest, &mut cursor.steps)
            {
                cursor.at = cursor.at.max(prefilter.earliest_start(position));
                return true;
            }
            at = position + 1;
        }
        false
    }
}

/// Calls `found` with the occurrences of `literal` in `record` that do not overlap and
/// that start within `starts`. Mostly one starts at the first of these.
fn each_literal(
    literal: &[u8],
    record: &[u8],
    starts: RangeInclusive<usize>,
    mut found: impl FnMut(Range<usize>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut at = *starts.start();
    let end = (starts.end() + literal.len()).min(record.len());
    while let Some(rest) = record.get(at..end).filter(|rest| rest.len() >= literal.len()) {
        if !rest.starts_with(literal) {
            match memmem::find(rest, literal) {
                Some(skipped) => at += skipped,
                None => break,
            }
        }
        found(at..at + literal.len())?;
        at += literal.len();
    }
    ControlFlow::Continue(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_take_linear_steps() {
        let hir = regex_syntax::parse(".*[^A-Z]|[A-Z]").unwrap();
        let automata = PatternAutomata::default();
        let steps: Vec<u64> = [100_000, 200_000]
            .into_iter()
            .map(|len| {
                let record = vec![b'A'; len];
                let (mut cache, mut scratch) = Default::default();
                let mut memory = PatternMemory::without_limit(&mut cache, &mut scratch);
                let (mut steps, mut count) = (0, 0);
                let each = |_| {
                    count += 1;
                    ControlFlow::Continue(())
                };
                let range = SpanRange { record: &record, starts: 0..=len, after_span: false };
                let flow =
                    automata.for_each_span(&hir, || None, &mut memory, range, &mut steps, each);
                assert_eq!((count, flow), (len, ControlFlow::Continue(())));
                steps
            })
            .collect();
        assert!(steps[0] <= 20 * 100_000, "{steps:?}");
        assert!(steps[1] <= steps[0] * 5 / 2, "{steps:?}");
    }
}
