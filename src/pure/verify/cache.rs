//! The working memory of verification in one scanner.
//!
//! Everything that holds for one record only carries the epoch of that record. A new record gets
//! a new epoch, so nothing has to be cleared that the record does not touch: with ten thousand
//! patterns and short records, clearing would cost more than the scan.

use std::ops::Range;

use crate::pure::automata::captures::CaptureCache;
use crate::pure::automata::group_scanner::GroupScanner;
use crate::pure::automata::pattern::{PatternCache, PatternMemory};
use crate::pure::automata::positions::PositionScratch;
use crate::pure::automata::positions_use::TEXT_CHUNK;
use crate::pure::ids::{NeedleId, PatternIndex};

use super::head_pairs::PairSet;
use super::required_run::{RequiredRunId, RequiredRuns, RunCheck};
use super::shared_literal::SharedLiteralCache;
use super::span_batch::SpanBatch;
use super::tables::VerifyTables;

/// The memory that the caches of all patterns' and shared-literal groups' automata may take together with the tables
/// of DFAs that read every record, in bytes, without
/// [`Patterns::memory_of_large_classes`](super::patterns::Patterns). If it is exceeded, the caches are dropped.
const ALL_AUTOMATA: usize = (2 << 20) + (512 << 10);
/// The memory that these caches may take however large the tables are, in bytes.
const MIN_CACHES: usize = 1 << 20;

/// The working memory of verification: the state of the current record, and the caches of automata,
/// which are kept from record to record.
pub(in crate::pure) struct VerifyCache {
    /// A number for the current record that no other record of any scan has.
    pub(super) epoch: u64,
    /// By needle: the cluster of its latest hits.
    pub(super) clusters: Vec<HitCluster>,
    /// The needles with a cluster in this record.
    pub(super) clustered: Vec<NeedleId>,
    /// By pattern.
    pub(super) status: Vec<PatternStatus>,
    /// Whether any pattern is disabled.
    any_disabled: bool,
    /// The patterns found to match in this record.
    pub(super) matched: Vec<PatternIndex>,
    /// The patterns with a window of this record that is still to be searched.
    pub(super) scheduled: Vec<PatternIndex>,
    /// The patterns for which the rest of this record is searched once, at its end.
    pub(super) deferred: Vec<PatternIndex>,
    /// By pattern: the caches of its automata.
    pub(super) automata: Vec<PatternCache>,
    /// The working memory that the automata of all patterns share.
    pub(super) scratch: PositionScratch,
    /// For patterns that report a group.
    pub(super) captures: Box<CaptureCache>,
    /// The DFAs that read every record.
    pub(super) groups: GroupScanner,
    /// The patterns that the groups could not decide in this record. Empty between records.
    pub(super) undecided: Vec<PatternIndex>,
    /// By shared-literal group: its working memory.
    pub(super) shared: Vec<SharedLiteralCache>,
    /// The members of a shared-literal group that match at one hit. Empty between hits.
    pub(super) members: Vec<PatternIndex>,
    /// By required run: the result of its latest check.
    required_runs: Vec<RunCheck>,
    /// Searches for spans in this record and those before it that are still to be made.
    pub(super) span_batch: SpanBatch,
    /// The byte pairs before the hits of this record.
    pub(super) pairs: Box<PairSet>,
    /// By pattern: the memory of its automata when it was last measured.
    measured: Vec<usize>,
    /// By shared-literal group: the same.
    measured_shared: Vec<usize>,
    /// The sum of `measured` and `measured_shared`.
    memory: usize,
    /// See [`Patterns::memory_of_large_classes`](super::patterns::Patterns).
    memory_of_large_classes: usize,
    /// The text that was scanned, in bytes.
    text: u64,
    /// An upper bound on the bytes that automata have read in all scans. Tests of the linear worst
    /// case read it.
    pub(super) steps: u64,
}

/// Hits of one needle in one record that lie so near one another that the windows of their
/// patterns can touch: from the start of the first to the end of the last.
#[derive(Clone, Copy, Default)]
pub(super) struct HitCluster {
    pub(super) epoch: u64,
    pub(super) start: u32,
    pub(super) end: u32,
}

/// How far one record has been searched for one pattern.
#[derive(Clone, Default)]
pub(super) struct PatternStatus {
    epoch: u64,
    /// Whether the pattern need not be verified any more: it has matched, or it is disabled.
    pub(super) matched: bool,
    /// Whether the pattern is not searched for, in any record.
    pub(super) disabled: bool,
    /// The largest range searched without a match: no match that starts at or after `start` ends
    /// at or before `end`.
    pub(super) start: u32,
    pub(super) end: u32,
    /// A window that is still to be searched.
    pub(super) window: Option<Range<usize>>,
    /// The bytes that automata have read from hits of anchored needles, forward and backward.
    pub(super) steps: u64,
    /// The first of the hits that are no longer verified one by one because the budget of steps
    /// is used up. The record is searched once from there.
    pub(super) deferred: Option<u32>,
    /// Where hits of anchored needles start that may belong to matches, from the first to the last of
    /// them. `None` if it is not known, or if the pattern does not match.
    pub(super) hits: Option<(u32, u32)>,
}

impl PatternStatus {
    /// Adds a hit that starts at `start` to the hits of a pattern that matches.
    #[inline]
    pub(super) fn add_hit(&mut self, start: u32) {
        if let Some((first, last)) = &mut self.hits {
            (*first, *last) = (start.min(*first), start.max(*last));
        }
    }

    /// Records a match, at a hit that starts at `hit` if its needle is anchored. Returns whether it is the
    /// first one in this record.
    #[inline]
    pub(super) fn set_matched(&mut self, hit: Option<u32>) -> bool {
        if self.matched {
            match hit {
                Some(start) => self.add_hit(start),
                None => self.hits = None,
            }
            return false;
        }
        self.matched = true;
        // Hits that were deferred may belong to matches, too.
        self.hits = hit.filter(|_| self.deferred.is_none()).map(|start| (start, start));
        true
    }

    /// Resets the status unless `epoch` is still that of the same record.
    #[inline]
    pub(super) fn enter_record(&mut self, epoch: u64) {
        if self.epoch != epoch {
            let disabled = self.disabled;
            *self =
                PatternStatus { epoch, matched: disabled, disabled, ..PatternStatus::default() };
        }
    }
}

impl VerifyCache {
    pub(in crate::pure) fn new(tables: &VerifyTables) -> VerifyCache {
        let patterns = tables.patterns.len();
        VerifyCache {
            epoch: 0,
            clusters: vec![HitCluster::default(); tables.postings.needles()],
            clustered: Vec::new(),
            status: vec![PatternStatus::default(); patterns],
            any_disabled: false,
            matched: Vec::new(),
            scheduled: Vec::new(),
            deferred: Vec::new(),
            automata: std::iter::repeat_with(PatternCache::default).take(patterns).collect(),
            scratch: PositionScratch::default(),
            captures: Box::default(),
            groups: tables.groups.clone(),
            undecided: Vec::new(),
            shared: tables.shared.create_caches(),
            members: Vec::new(),
            required_runs: tables.required_runs.create_cache(),
            span_batch: SpanBatch::new(patterns),
            pairs: Box::default(),
            measured: vec![0; patterns],
            measured_shared: vec![0; tables.shared.len()],
            memory: 0,
            memory_of_large_classes: tables.patterns.memory_of_large_classes(),
            text: 0,
            steps: 0,
        }
    }

    /// Clears what the last scan has left.
    pub(in crate::pure) fn clear(&mut self) {
        self.next_record();
        self.span_batch.restart(self.automata.len());
    }

    /// Clears the state of the current record, and begins the next one.
    pub(in crate::pure) fn next_record(&mut self) {
        self.epoch += 1;
        self.clustered.clear();
        self.scheduled.clear();
        self.deferred.clear();
        self.matched.clear();
    }

    /// Disables patterns, those for which `is_disabled` holds, and enables all others.
    pub(in crate::pure) fn disable(&mut self, mut is_disabled: impl FnMut(PatternIndex) -> bool) {
        self.any_disabled = false;
        for (index, status) in self.status.iter_mut().enumerate() {
            let disabled = is_disabled(PatternIndex::new(index));
            *status = PatternStatus { disabled, matched: disabled, ..PatternStatus::default() };
            self.any_disabled |= disabled;
        }
        // No record of an earlier scan shares an epoch with the statuses.
        self.next_record();
    }

    /// Removes disabled patterns from those found to match in this record. Only patterns that are
    /// searched for without candidates can be among them.
    pub(super) fn remove_disabled(&mut self) {
        if self.any_disabled {
            let status = &self.status;
            self.matched.retain(|pattern| !status[pattern.index()].disabled);
        }
    }

    /// Whether some pattern is known to match in the current record.
    pub(in crate::pure) fn has_matched(&self) -> bool {
        !self.matched.is_empty()
    }

    /// See [`Scanner::steps`](crate::pure::Scanner::steps).
    pub(in crate::pure) fn steps(&self) -> u64 {
        self.steps
    }

    /// Heap memory in bytes.
    pub(in crate::pure) fn memory(&self) -> usize {
        size_of_val(&self.clusters[..])
            + size_of_val(&self.status[..])
            + size_of_val(&self.automata[..])
            + size_of_val(&self.measured[..])
            + self.memory
            + self.scratch.memory()
            + self.captures.memory()
            + size_of::<PairSet>()
            + self.span_batch.memory()
            + self.groups.memory()
            + size_of_val(&self.shared[..])
            + size_of_val(&self.measured_shared[..])
            + self.shared.iter().map(|group| group.dfa.memory_of_found()).sum::<usize>()
    }

    /// Notes that this much text is scanned next, in bytes.
    pub(in crate::pure) fn add_text(&mut self, len: usize) {
        self.text += len as u64;
    }

    /// See [`PatternMemory::chunk`].
    #[inline]
    pub(super) fn chunk(&self) -> u32 {
        (self.text / TEXT_CHUNK) as u32
    }

    /// See [`PatternMemory::may_grow`]. The last quarter is for the caches that there are.
    #[inline]
    pub(super) fn may_grow(&self) -> bool {
        self.memory < self.max_memory() / 4 * 3
    }

    /// The value of `memory` above which the caches of all automata are dropped, in bytes.
    #[inline]
    fn max_memory(&self) -> usize {
        let caches = ALL_AUTOMATA.saturating_sub(self.groups.memory_of_tables());
        caches.max(MIN_CACHES) + self.memory_of_large_classes
    }

    /// The working memory of the pattern's automata.
    #[inline]
    pub(super) fn memory_of(&mut self, pattern: PatternIndex) -> PatternMemory<'_> {
        let (may_grow, chunk) = (self.may_grow(), self.chunk());
        PatternMemory {
            cache: &mut self.automata[pattern.index()],
            scratch: &mut self.scratch,
            may_grow,
            chunk,
        }
    }

    /// Records that the pattern matches, unless that is known. `hit` is the start of the hit where it
    /// matches, if its needle is anchored.
    #[inline]
    pub(super) fn set_matched(&mut self, pattern: PatternIndex, hit: Option<u32>) {
        let status = &mut self.status[pattern.index()];
        status.enter_record(self.epoch);
        if status.set_matched(hit) {
            self.matched.push(pattern);
        }
    }

    /// Where hits of the pattern start that may belong to matches in this record, if that is known.
    pub(super) fn hits(&self, pattern: PatternIndex) -> Option<(u32, u32)> {
        let status = &self.status[pattern.index()];
        status.hits.filter(|_| status.epoch == self.epoch)
    }

    /// The steps that verifying the pattern at hits has taken in this record.
    #[inline]
    pub(super) fn steps_in_record(&self, pattern: PatternIndex) -> u64 {
        let status = &self.status[pattern.index()];
        if status.epoch == self.epoch { status.steps } else { 0 }
    }

    /// Schedules one search of the record for the pattern, from offset `from` or an earlier one.
    pub(super) fn defer(&mut self, pattern: PatternIndex, from: u32) {
        let status = &mut self.status[pattern.index()];
        status.enter_record(self.epoch);
        match &mut status.deferred {
            Some(earlier) => *earlier = from.min(*earlier),
            None if status.matched => status.hits = None,
            None => {
                status.deferred = Some(from);
                self.deferred.push(pattern);
            }
        }
    }

    /// Whether the record contains one of `runs`, or `runs` is empty.
    #[inline]
    pub(super) fn has_any_run(
        &mut self,
        required_runs: &RequiredRuns,
        runs: &[RequiredRunId],
        record: &[u8],
    ) -> bool {
        let (epoch, cache) = (self.epoch, &mut self.required_runs);
        runs.is_empty() || runs.iter().any(|&run| required_runs.is_in(run, cache, epoch, record))
    }

    /// Measures the memory of a pattern's automata after a use, and drops the caches of all
    /// automata if they exceed the limit together.
    #[inline]
    pub(super) fn measure(&mut self, pattern: PatternIndex) {
        let max_memory = self.max_memory();
        let automata = &mut self.automata[pattern.index()];
        let measured = &mut self.measured[pattern.index()];
        if std::mem::take(&mut automata.is_unmeasured) {
            let now = automata.memory();
            self.memory = self.memory + now - *measured;
            *measured = now;
        }
        debug_assert_eq!(automata.memory(), *measured);
        if self.memory > max_memory {
            if *measured > max_memory / 2 {
                // The others are not to blame.
                automata.clear();
                self.memory -= std::mem::take(measured);
            } else {
                self.drop_caches();
            }
        }
    }

    /// As [`VerifyCache::measure`], of a shared-literal group.
    #[inline]
    pub(super) fn measure_shared(&mut self, group: usize) {
        let measured = &mut self.measured_shared[group];
        let now = self.shared[group].dfa.memory_of_dfa();
        self.memory = self.memory + now - *measured;
        *measured = now;
        if self.memory > self.max_memory() {
            self.drop_caches();
        }
    }

    #[cold]
    fn drop_caches(&mut self) {
        self.automata.iter_mut().for_each(PatternCache::clear);
        self.shared.iter_mut().for_each(|group| group.dfa.clear());
        self.measured.fill(0);
        self.measured_shared.fill(0);
        self.memory = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hits_cover_all_hits_that_may_belong_to_matches() {
        let mut status = PatternStatus::default();
        assert!(status.set_matched(Some(7)));
        assert!(!status.set_matched(Some(3)));
        status.add_hit(9);
        assert_eq!(status.hits, Some((3, 9)));
        // The last match may be anywhere.
        assert!(!status.set_matched(None));
        assert_eq!(status.hits, None);

        let mut status = PatternStatus { deferred: Some(5), ..PatternStatus::default() };
        assert!(status.set_matched(Some(50)));
        assert_eq!(status.hits, None);
    }
}
