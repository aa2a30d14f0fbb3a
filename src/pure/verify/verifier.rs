//! The verifier: verifies the candidates of a record and reports its matches, record by record.

use std::ops::{ControlFlow, Range, RangeInclusive};

use crate::pure::automata::pattern::PatternMemory;
use crate::pure::automata::span_search::SpanRange;
use crate::pure::ids::PatternIndex;
use crate::pure::prefilter::Candidate;
use crate::pure::reported_group::ReportedGroup;
use crate::sink::Sink;
use crate::{Match, PatternSet, Report};

use super::cache::VerifyCache;
use super::span_batch::SpanBatch;
use super::tables::VerifyTables;
use super::{anchored, windowed};

/// Decides which patterns match in a record. Immutable, and shared by all scanners of an engine;
/// each scanner has a [`VerifyCache`].
///
/// For each record, the scanner calls [`Verifier::candidate`] with its candidates and then
/// [`Verifier::finish_record`]; after the last one, it calls [`Verifier::finish_span_batch`].
#[derive(Debug)]
pub(in crate::pure) struct Verifier {
    set: PatternSet,
    /// By pattern: its number in the set, which matches report. Ascending.
    numbers: Vec<u32>,
    report: Report,
    /// Whether any pattern has bounds.
    has_bounds: bool,
    tables: VerifyTables,
}

/// A record of the batch.
#[derive(Clone, Copy)]
pub(in crate::pure) struct Record<'a> {
    /// The number of the record in its batch, from 0.
    pub(in crate::pure) number: usize,
    /// The position of the record in the batch's buffer.
    pub(in crate::pure) start: usize,
    pub(in crate::pure) bytes: &'a [u8],
    /// The batch's buffer.
    pub(in crate::pure) buffer: &'a [u8],
}

impl Verifier {
    /// A verifier of the patterns of `set` with these numbers, for which `tables` was made.
    pub(in crate::pure) fn new(
        set: PatternSet,
        numbers: Vec<u32>,
        report: Report,
        tables: VerifyTables,
    ) -> Verifier {
        debug_assert_eq!(numbers.len(), tables.patterns.len());
        let has_bounds = numbers.iter().any(|&number| set.bounds(number as usize).is_some());
        for (index, &number) in numbers.iter().enumerate() {
            if report == Report::Spans || set.bounds(number as usize).is_some() {
                let automata = tables.patterns.automata(PatternIndex::new(index));
                automata.build_spans(set.hir(number as usize));
            }
        }
        Verifier { set, numbers, report, has_bounds, tables }
    }

    /// The pattern with this number in the set, if the engine has it.
    pub(in crate::pure) fn pattern(&self, number: u32) -> Option<PatternIndex> {
        self.numbers.binary_search(&number).ok().map(PatternIndex::new)
    }

    /// The number of patterns.
    pub(in crate::pure) fn len(&self) -> usize {
        self.numbers.len()
    }

    pub(in crate::pure) fn set(&self) -> &PatternSet {
        &self.set
    }

    /// Whether any pattern has bounds, so that a record in which the pattern itself matches may have no
    /// match to report.
    pub(in crate::pure) fn has_bounds(&self) -> bool {
        self.has_bounds
    }

    pub(in crate::pure) fn report(&self) -> Report {
        self.report
    }

    pub(in crate::pure) fn create_cache(&self) -> VerifyCache {
        VerifyCache::new(&self.tables)
    }

    /// Disables the patterns for whose number in the set `is_enabled` does not hold.
    pub(in crate::pure) fn enable(
        &self,
        cache: &mut VerifyCache,
        mut is_enabled: impl FnMut(usize) -> bool,
    ) {
        cache.disable(|pattern| !is_enabled(self.numbers[pattern.index()] as usize));
    }

    /// Whether records without candidates must be finished too.
    pub(in crate::pure) fn visits_every_record(&self) -> bool {
        self.tables.visits_every_record()
    }

    /// Heap memory in bytes, without the automata that are built on first use.
    pub(in crate::pure) fn memory(&self) -> usize {
        self.tables.memory()
    }

    /// Verifies a candidate that lies in `record`, or schedules that for the end of the record.
    pub(in crate::pure) fn candidate(
        &self,
        cache: &mut VerifyCache,
        record: Record<'_>,
        candidate: &Candidate,
    ) {
        let tables = &self.tables;
        let needle = candidate.needle;
        let base = record.start as u32;
        if let Some((pattern, is_literal)) = tables.exact.pattern(needle) {
            return cache.set_matched(pattern, is_literal.then(|| candidate.start - base));
        }
        let (start, end) = (candidate.start - base, candidate.end - base);
        if !tables.lookahead.allow(needle, &record.bytes[end as usize..]) {
            return;
        }
        let (anchored, windowed) = tables.postings.of(needle);
        for posting in anchored {
            anchored::verify(tables, cache, record.bytes, posting, start, end);
        }
        for group in tables.shared.groups_of(needle) {
            anchored::verify_group(tables, cache, record.bytes, group, start);
        }
        if !windowed.is_empty() {
            windowed::add_hit(tables, cache, record.bytes, needle, start, end);
        }
    }

    /// Completes the verification of `record` and pushes its matches to `out`, ordered by pattern
    /// and start, until `out` ends the scan. Those with spans may be pushed with a later record, or by
    /// [`Verifier::finish_span_batch`].
    pub(in crate::pure) fn finish_record(
        &self,
        cache: &mut VerifyCache,
        record: Record<'_>,
        out: &mut impl Sink,
    ) -> ControlFlow<()> {
        if self.complete(cache, record.bytes) {
            // If `out` ends the scan or panics, the next scan clears the state of this record.
            self.push_matches(cache, record, out)?;
            cache.next_record();
        }
        ControlFlow::Continue(())
    }

    /// Completes and sorts `cache.matched`. Returns `false` if there was nothing to verify; the
    /// cache is then ready for the next record.
    fn complete(&self, cache: &mut VerifyCache, record: &[u8]) -> bool {
        let tables = &self.tables;
        let untouched =
            cache.clustered.is_empty() && cache.matched.is_empty() && cache.deferred.is_empty();
        if untouched && !tables.visits_every_record() {
            // Candidates that failed may have left a status with the epoch of this record.
            cache.epoch += 1;
            return false;
        }
        windowed::verify_remaining(tables, cache, record);
        self.verify_deferred(cache, record);
        cache.steps += tables.byte_patterns.matching(record, &mut cache.matched);
        if !tables.groups.is_empty() {
            self.verify_groups(cache, record);
        }
        cache.matched.extend(&tables.always);
        cache.remove_disabled();
        cache.matched.sort_unstable();
        true
    }

    /// Searches the rest of the record for the patterns that were deferred.
    fn verify_deferred(&self, cache: &mut VerifyCache, record: &[u8]) {
        while let Some(pattern) = cache.deferred.pop() {
            let status = &cache.status[pattern.index()];
            if !status.matched
                && let Some(from) = status.deferred
            {
                let rest = from as usize..record.len();
                cache.steps += rest.len() as u64 + 1;
                let memory = &mut cache.memory_of(pattern);
                if self.tables.patterns.is_match(pattern, memory, record, rest) {
                    cache.matched.push(pattern);
                }
                cache.measure(pattern);
            }
        }
    }

    /// Searches the whole record for the patterns without a filter.
    fn verify_groups(&self, cache: &mut VerifyCache, record: &[u8]) {
        let patterns = &self.tables.patterns;
        let VerifyCache { groups, matched, undecided, .. } = cache;
        groups.restart_if_due(&self.tables.groups);
        cache.steps += groups.matching(patterns.trimmed(), record, matched, undecided);
        while let Some(pattern) = cache.undecided.pop() {
            if cache.status[pattern.index()].disabled {
                continue;
            }
            cache.steps += record.len() as u64 + 1;
            let memory = &mut cache.memory_of(pattern);
            if patterns.is_match(pattern, memory, record, 0..record.len()) {
                cache.matched.push(pattern);
            }
            cache.measure(pattern);
        }
    }

    /// Pushes the matches of the patterns in `cache.matched` to `out`, or adds searches for them to `cache.span_batch`,
    /// until `out` ends the scan.
    fn push_matches<S: Sink>(
        &self,
        cache: &mut VerifyCache,
        record: Record<'_>,
        out: &mut S,
    ) -> ControlFlow<()> {
        if self.report == Report::Patterns {
            return self.push_without_spans(cache, record, out);
        }
        let at_once = S::FIRST_ONLY || !SpanBatch::is_for(&record);
        if at_once {
            self.finish_span_batch(cache, record.buffer, out)?;
        }
        for index in 0..cache.matched.len() {
            let pattern = cache.matched[index];
            let starts = self.span_starts(cache, pattern, record);
            if at_once {
                self.for_each_match(cache, pattern, record, starts, |found| out.push(found))?;
            } else if cache.span_batch.add(pattern, &record, starts) {
                self.finish_span_batch(cache, record.buffer, out)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// As [`Verifier::push_matches`], where only patterns are reported.
    fn push_without_spans(
        &self,
        cache: &mut VerifyCache,
        record: Record<'_>,
        out: &mut impl Sink,
    ) -> ControlFlow<()> {
        let record_number = record.number as u32;
        for index in 0..cache.matched.len() {
            let pattern = cache.matched[index];
            let number = self.numbers[pattern.index()];
            if self.has_bounds && self.set.bounds(number as usize).is_some() {
                let starts = self.span_starts(cache, pattern, record);
                let any = |_| ControlFlow::Break(());
                if self.for_each_match(cache, pattern, record, starts, any).is_continue() {
                    continue;
                }
            }
            out.push(Match::without_span(record_number, number))?;
        }
        ControlFlow::Continue(())
    }

    /// The offsets at which spans of a pattern can start that matches in `record`.
    #[inline]
    fn span_starts(
        &self,
        cache: &VerifyCache,
        pattern: PatternIndex,
        record: Record<'_>,
    ) -> RangeInclusive<usize> {
        self.tables.patterns.span_starts(pattern, cache.hits(pattern), record.bytes.len())
    }

    /// Makes the searches of `cache.span_batch`, whose records lie in `buffer`, and pushes their matches to `out` until
    /// `out` ends the scan. The caller must do this after the last record.
    pub(in crate::pure) fn finish_span_batch(
        &self,
        cache: &mut VerifyCache,
        buffer: &[u8],
        out: &mut impl Sink,
    ) -> ControlFlow<()> {
        if cache.span_batch.is_empty() {
            return ControlFlow::Continue(());
        }
        let mut batch = std::mem::take(&mut cache.span_batch);
        batch.search(|search, matches| {
            let record = search.record(buffer);
            let push = |found| {
                matches.push(found);
                ControlFlow::Continue(())
            };
            let _ = self.for_each_match(cache, search.pattern, record, search.starts(), push);
        });
        cache.span_batch = batch;
        // If `out` panics, the next scan clears the batch.
        let flow = cache.span_batch.found().try_for_each(|matches| out.push_all(matches));
        cache.span_batch.clear();
        flow
    }

    /// Calls `found` with the matches of a pattern whose spans start in `starts`, until it returns `Break`.
    #[inline]
    fn for_each_match(
        &self,
        cache: &mut VerifyCache,
        pattern: PatternIndex,
        record: Record<'_>,
        starts: RangeInclusive<usize>,
        mut found: impl FnMut(Match) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let number = self.numbers[pattern.index()];
        let (may_grow, chunk) = (cache.may_grow(), cache.chunk());
        let VerifyCache { automata, scratch, captures, steps: all_steps, .. } = cache;
        let mut group = ReportedGroup::new(&self.set, number, record.bytes, captures);
        let mut found = |whole: Range<usize>| {
            let Some(span) = group.span(whole) else { return ControlFlow::Continue(()) };
            // In range: a record is shorter than 2^32 bytes.
            found(Match::new(record.number as u32, number, span.start as u32..span.end as u32))
        };
        if let Some(whole) = self.tables.patterns.known_span(pattern, &starts) {
            // The memory of the automata is neither used nor measured.
            let flow = found(whole);
            *all_steps += group.steps;
            return flow;
        }
        let memory =
            &mut PatternMemory { cache: &mut automata[pattern.index()], scratch, may_grow, chunk };
        let mut steps = 0;
        let flow = self.tables.patterns.automata(pattern).for_each_span(
            self.set.hir(number as usize),
            || self.tables.patterns.span_prefilter(pattern),
            memory,
            SpanRange { record: record.bytes, starts, after_span: false },
            &mut steps,
            found,
        );
        *all_steps += steps + group.steps;
        cache.measure(pattern);
        flow
    }
}
