//! Searches whole records for the patterns without a filter, with groups that adapt.
//!
//! A DFA over many patterns replaces many passes over a record by one, as long as it reaches few
//! states. Which states it reaches depends on the input, so each scanner changes its groups as it
//! reads:
//!
//! - A group whose table [needs too many states](TableFailure::TooManyStates) is divided into
//!   halves. A single pattern for which that is still the case leaves the groups: it is searched by
//!   its own [automata](super::pattern).
//! - When no group has been divided for [`SETTLED`] bytes, pairs of groups with few states are
//!   joined. If a joined group soon has to be divided, its halves keep the tables that they had, and
//!   are not joined a second time.
//! - Patterns that match so often that recording their matches slows their group down are moved to
//!   a group of their own; see [`GroupKind::frequent`](super::dfa_group::GroupKind).
//! - When the [text changes](super::text_change), the scanner restarts from the prepared groups.
//!
//! The groups of a scanner are [interleaved](super::interleave), a few at a time. A new scanner does not
//! begin with all groups apart: its engine has [prepared](GroupScanner::prepared) them.
//!
//! # Limits
//!
//! The tables of all groups of a scanner may use [`ALL_TABLES`] bytes, and more if there are very many
//! patterns. Above that the patterns of the current record are searched one by one, and all tables are
//! emptied before the next record.

use std::sync::Arc;

use regex_syntax::hir::Hir;

use crate::pure::ids::PatternIndex;
use crate::pure::mechanism;

use super::determinizer::KeyBuilder;
use super::dfa_group::DfaGroup;
use super::dfa_table::{DfaTable, TableFailure};
use super::grouping::{ALL_TABLES, TABLES_PER_PATTERN};
use super::interleave::{GroupReader, MAX_INTERLEAVED, Workspace, read_record};
use super::text_change::TextChange;

/// The bytes that have to be read without dividing a group before groups are joined. On attack
/// payloads against the OWASP core rule set, joining later than this makes the first pass a tenth
/// faster and later ones a tenth slower; on source and logs, the first pass a sixth slower. Lower in
/// tests, so that small inputs reach it.
const SETTLED: usize = if cfg!(test) { 200 } else { 64 << 10 };
/// If a group has repeated matches more often than once in this many bytes, the patterns of these
/// matches are moved to a group of their own.
const BYTES_PER_REPEAT: usize = 16;
/// Two groups are joined only if their DFAs have at most this many states together. Those of larger
/// ones mostly multiply.
const MAX_JOINED_STATES: usize = 256;
/// More than two groups are joined at once only if their DFAs have at most this many states together.
const MAX_SMALL_STATES: usize = 64;

/// Lines of logs, requests, source and prose. Which groups can be joined depends on the text, but mostly on
/// what all texts have in common, such as the frequent letters and the ends of words.
const SAMPLE: &str = include_str!("sample.txt");
/// How often the sample is read; groups are joined between two readings. Measured with the OWASP core rule
/// set, against scanners that begin with all groups apart and without tables: attack payloads 1.2 times as
/// fast on the first pass, user agents 1.25 times; building an engine takes a tenth longer. With more
/// readings nothing is gained.
const SAMPLE_READINGS: usize = 3;

/// The groups that read every record, as one scanner has divided and joined them.
#[derive(Clone, Debug)]
pub(crate) struct GroupScanner {
    readers: Vec<GroupReader>,
    /// Groups that have yet to read the current record.
    waiting: Vec<Waiting>,
    /// Patterns whose own DFA has too many states.
    ungrouped: Vec<PatternIndex>,
    /// The bytes read since groups were last divided or joined.
    settled: usize,
    /// Whether to restart from the prepared groups.
    text: TextChange,
    workspace: Workspace,
}

/// A group that has yet to read the current record.
#[derive(Clone, Debug)]
enum Waiting {
    /// It has no table yet.
    New { group: Arc<DfaGroup>, keep_apart: bool, halves: Option<[Box<GroupReader>; 2]> },
    /// It had been joined with another, from which it was parted.
    Parted(Box<GroupReader>),
}

impl Waiting {
    fn new(group: Arc<DfaGroup>, keep_apart: bool) -> Waiting {
        Waiting::New { group, keep_apart, halves: None }
    }
}

impl GroupScanner {
    pub(crate) fn new(groups: &[Arc<DfaGroup>]) -> GroupScanner {
        let patterns: usize = groups.iter().map(|group| group.members.len()).sum();
        let limit = ALL_TABLES.max(patterns.saturating_mul(TABLES_PER_PATTERN));
        let workspace = Workspace { used: 0, limit, computed: 0, builder: KeyBuilder::default() };
        // Groups are taken from the end.
        let waiting = groups.iter().rev().map(|group| Waiting::new(group.clone(), false)).collect();
        let (readers, ungrouped) = (Vec::new(), Vec::new());
        let text = TextChange::new();
        GroupScanner { readers, waiting, ungrouped, settled: 0, text, workspace }
    }

    /// As [`GroupScanner::new`], with the groups and tables of a scanner that has read a sample of text.
    /// Engines make it once, and each of their scanners begins with a copy.
    pub(crate) fn prepared(groups: &[Arc<DfaGroup>], trimmed: &[Arc<Hir>]) -> GroupScanner {
        let mut scanner = GroupScanner::new(groups);
        let readings = if mechanism::prepared_groups() { SAMPLE_READINGS } else { 0 };
        let (mut matched, mut undecided) = (Vec::new(), Vec::new());
        for reading in 0..readings {
            if reading > 0 {
                scanner.regroup(trimmed, SAMPLE.len());
            }
            for record in SAMPLE.lines() {
                scanner.matching(trimmed, record.as_bytes(), &mut matched, &mut undecided);
                matched.clear();
                undecided.clear();
            }
        }
        (scanner.settled, scanner.workspace.computed) = (0, 0);
        scanner.text = TextChange::new();
        scanner.readers.iter_mut().for_each(|reader| reader.table.reset_budget());
        scanner
    }

    /// Divides and joins groups by what was reached in the last `bytes`.
    fn regroup(&mut self, trimmed: &[Arc<Hir>], bytes: usize) {
        self.settled = 0;
        self.text.add_transitions(std::mem::take(&mut self.workspace.computed));
        for reader in &mut self.readers {
            reader.halves = None;
        }
        self.split_frequent(trimmed, bytes);
        self.join();
        if !self.waiting.is_empty() {
            self.text.forget();
        }
    }

    /// Becomes a copy of `prepared` if the text has changed.
    #[inline]
    pub(crate) fn restart_if_due(&mut self, prepared: &GroupScanner) {
        if self.text.is_due() {
            let text = self.text.next();
            *self = GroupScanner { text, ..prepared.clone() };
        }
    }

    /// Appends the patterns of all groups that match in `record` to `matched`, and those for which
    /// no DFA could decide to `undecided`; each of these has to be searched for alone. Returns the
    /// number of steps that automata took.
    pub(crate) fn matching(
        &mut self,
        trimmed: &[Arc<Hir>],
        record: &[u8],
        matched: &mut Vec<PatternIndex>,
        undecided: &mut Vec<PatternIndex>,
    ) -> u64 {
        if self.workspace.used > self.workspace.limit {
            self.text.forget();
            for reader in &mut self.readers {
                reader.table.clear();
                reader.halves = None;
            }
            self.count_memory();
        }
        self.settled += record.len();
        self.text.add_bytes(record.len());
        if self.settled >= SETTLED {
            self.regroup(trimmed, SETTLED);
        }
        let mut passes = self.readers.len();
        let at_once = if mechanism::interleaved_dfas() { MAX_INTERLEAVED } else { 1 };
        for readers in self.readers.chunks_mut(at_once) {
            read_record(readers, trimmed, record, &mut self.workspace);
        }
        let mut divide = false;
        for reader in &self.readers {
            divide |= !reader.report(matched, undecided);
        }
        if divide {
            let too_large = |r: &mut GroupReader| r.failure == Some(TableFailure::TooManyStates);
            for reader in self.readers.extract_if(.., too_large).collect::<Vec<_>>() {
                self.divide(&reader.group, reader.halves, trimmed);
            }
        }
        if !self.waiting.is_empty() {
            passes += self.read_with_waiting(trimmed, record, matched, undecided);
        }
        undecided.extend(&self.ungrouped);
        (passes * (record.len() + 1)) as u64
    }

    /// Builds tables for the groups that have none and reads `record` with them, dividing groups
    /// until all of them can. Returns the number of passes over the record.
    fn read_with_waiting(
        &mut self,
        trimmed: &[Arc<Hir>],
        record: &[u8],
        matched: &mut Vec<PatternIndex>,
        undecided: &mut Vec<PatternIndex>,
    ) -> usize {
        let mut passes = 0;
        while let Some(waiting) = self.waiting.pop() {
            let mut reader = match waiting {
                Waiting::Parted(reader) => *reader,
                Waiting::New { group, keep_apart, halves } => match group.determinizer(trimmed) {
                    Some(determinizer) => {
                        let table = DfaTable::new(determinizer, group.joined);
                        GroupReader::new(group, table, keep_apart, halves)
                    }
                    None => {
                        self.divide(&group, halves, trimmed);
                        continue;
                    }
                },
            };
            read_record(std::slice::from_mut(&mut reader), trimmed, record, &mut self.workspace);
            passes += 1;
            if reader.report(matched, undecided) {
                self.readers.push(reader);
            } else {
                self.divide(&reader.group, reader.halves, trimmed);
            }
        }
        // Groups of the same kind are interleaved with one another: reading stops early only if all
        // DFAs that are interleaved are dead, and groups that match only at the start of a record
        // mostly die within a few bytes.
        self.readers.sort_by_key(|reader| reader.group.kind);
        self.count_memory();
        passes
    }

    /// Replaces a group by its halves, or a single pattern by its own automata. The halves keep their
    /// tables if they had been joined a short time ago.
    fn divide(
        &mut self,
        group: &DfaGroup,
        halves: Option<[Box<GroupReader>; 2]>,
        trimmed: &[Arc<Hir>],
    ) {
        self.settled = 0;
        if let Some(halves) = halves {
            for mut half in halves {
                half.keep_apart = true;
                self.waiting.push(Waiting::Parted(half));
            }
            return;
        }
        match group.halves(trimmed) {
            Some(halves) => {
                let halves = halves.clone().map(|half| Waiting::new(half, group.joined));
                self.waiting.extend(halves);
            }
            None => self.ungrouped.extend(&group.members),
        }
    }

    /// Moves the patterns that match very often to groups of their own.
    fn split_frequent(&mut self, trimmed: &[Arc<Hir>], bytes: usize) {
        let is_slow = |reader: &mut GroupReader| {
            let slow = std::mem::take(&mut reader.repeats) > bytes / BYTES_PER_REPEAT;
            if !slow {
                reader.repeated = 0;
            }
            slow
        };
        for reader in self.readers.extract_if(.., is_slow) {
            let parts = reader.group.split_frequent(trimmed, reader.repeated).into_iter().flatten();
            let waiting = parts.map(|part| Waiting::new(Arc::new(part), reader.keep_apart));
            self.waiting.extend(waiting);
        }
    }

    /// Joins pairs of groups that have few states, and more than two of those that have very few.
    fn join(&mut self) {
        if !mechanism::dfa_groups() {
            return;
        }
        self.readers.sort_by_key(|r| (r.group.kind, r.keep_apart, r.table.states()));
        let mut rest = std::mem::take(&mut self.readers).into_iter().peekable();
        while let Some(reader) = rest.next() {
            let mut states = reader.table.states();
            let (mut group, mut joined) = (reader.group.clone(), Vec::new());
            let fits = |next: &GroupReader, states: usize, groups: usize| {
                let limit = if groups > 1 { MAX_SMALL_STATES } else { MAX_JOINED_STATES };
                !next.keep_apart && states + next.table.states() <= limit
            };
            while !reader.keep_apart
                && let Some(next) = rest.next_if(|next| fits(next, states, joined.len() + 1))
            {
                states += next.table.states();
                let Some(both) = DfaGroup::join(&group, &next.group) else {
                    self.readers.push(next);
                    break;
                };
                group = Arc::new(both);
                joined.push(next);
            }
            if joined.is_empty() {
                self.readers.push(reader);
                continue;
            }
            // Only the tables of pairs are kept. Those of more groups are small.
            let halves = match joined.pop() {
                Some(next) if joined.is_empty() => Some([reader, next].map(Box::new)),
                _ => None,
            };
            self.waiting.push(Waiting::New { group, keep_apart: false, halves });
        }
        self.count_memory();
    }

    /// Whether there is no pattern.
    pub(crate) fn is_empty(&self) -> bool {
        self.readers.is_empty() && self.waiting.is_empty() && self.ungrouped.is_empty()
    }

    fn count_memory(&mut self) {
        self.workspace.used = self.readers.iter().map(GroupReader::memory).sum();
    }

    /// Memory of the groups, which all scanners of an engine share, in bytes.
    pub(crate) fn memory_of_groups(&self) -> usize {
        let waiting = self.waiting.iter().map(|waiting| match waiting {
            Waiting::New { group, .. } => group,
            Waiting::Parted(reader) => &reader.group,
        });
        let groups = self.readers.iter().map(|reader| &reader.group).chain(waiting);
        groups.map(|group| size_of::<DfaGroup>() + group.memory()).sum()
    }

    /// Memory of the tables, in bytes.
    #[inline]
    pub(crate) fn memory_of_tables(&self) -> usize {
        self.workspace.used
    }

    /// Memory of a scanner, in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.workspace.used + self.workspace.builder.memory()
    }
}

#[cfg(test)]
mod tests;
