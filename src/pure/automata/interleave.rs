//! Reads a record with the DFAs of several groups at once, interleaved byte by byte.
//!
//! Each step of a DFA is a load whose address depends on the load before, so a single DFA spends
//! most of its time waiting for the cache. The DFAs of different groups do not depend on each
//! other: if they take their steps in turn, their loads overlap. This is the usual remedy for
//! chains of dependent loads, as in batched tree or hash lookups, and costs no more than keeping
//! one state per DFA in a register.
//!
//! The inner loop only steps and ORs the entries together. It stops at the first byte at which any
//! entry has a tag, and then each reader [resolves](GroupReader::resolve_entry) its own: a
//! transition has to be computed, or members match. Once a reader has nothing left to find, it
//! moves to the dead state, whose entries have no tags, and when all readers are dead the rest of the
//! record is not read.

use std::sync::Arc;

use regex_syntax::hir::Hir;

use crate::pure::ids::PatternIndex;

use super::determinizer::{Determinizer, KeyBuilder};
use super::dfa_group::DfaGroup;
use super::dfa_table::{DEAD, DfaTable, MATCHES, TAGS, TableFailure, UNKNOWN, index_of};

/// The most DFAs that are interleaved. Enough to hide most of the latency of a load; with more,
/// the states and table addresses no longer fit into the registers of the machine.
pub(super) const MAX_INTERLEAVED: usize = 6;
/// Bytes that are read between checks whether all DFAs are dead.
const BLOCK: usize = 16;

/// What all tables of a scanner share.
#[derive(Clone, Debug)]
pub(super) struct Workspace {
    /// The memory of all tables, in bytes. An estimate between full counts.
    pub(super) used: usize,
    /// The limit on `used`.
    pub(super) limit: usize,
    /// How many transitions, starts and ends of records were computed since groups were last changed by what they
    /// reach ([`GroupScanner`](super::group_scanner::GroupScanner)).
    pub(super) computed: usize,
    pub(super) builder: KeyBuilder,
}

/// A group with its table, and how far it is in the current record.
#[derive(Clone, Debug)]
pub(super) struct GroupReader {
    pub(super) group: Arc<DfaGroup>,
    pub(super) table: DfaTable,
    /// Whether the group must not be joined with others, because that was tried.
    pub(super) keep_apart: bool,
    /// The groups that this one was joined from a short time ago.
    pub(super) halves: Option<[Box<GroupReader>; 2]>,
    /// The row of the current state. Within the inner loop, the entry that was last read, which is a
    /// row with tags.
    row: u16,
    /// The members that have matched, as bits.
    found: u64,
    pub(super) failure: Option<TableFailure>,
    /// How often a match had nothing new, because all its members had already matched in the same
    /// record. Counted since groups were last changed.
    pub(super) repeats: usize,
    /// The members of such matches, as bits.
    pub(super) repeated: u64,
}

impl GroupReader {
    pub(super) fn new(
        group: Arc<DfaGroup>,
        table: DfaTable,
        keep_apart: bool,
        halves: Option<[Box<GroupReader>; 2]>,
    ) -> GroupReader {
        GroupReader {
            group,
            table,
            keep_apart,
            halves,
            row: DEAD,
            found: 0,
            failure: None,
            repeats: 0,
            repeated: 0,
        }
    }

    /// Memory in bytes, with that of the halves.
    pub(super) fn memory(&self) -> usize {
        let halves = self.halves.iter().flatten();
        self.table.memory() + halves.map(|half| half.memory()).sum::<usize>()
    }

    /// Moves to the start of `record`.
    fn start_record(&mut self, trimmed: &[Arc<Hir>], record: &[u8], workspace: &mut Workspace) {
        (self.found, self.failure) = (0, None);
        self.table.add_budget(record.len());
        let row = match self.table.known_start() {
            Some(row) => Ok(row),
            None => self.compute(trimmed, workspace, DfaTable::compute_start),
        };
        match row {
            Ok(row) => self.row = row,
            Err(failure) => self.fail(failure),
        }
    }

    /// Resolves the tags of the entry that the last step has read, if it has some. `byte` is the
    /// byte of that step.
    #[inline]
    fn resolve_entry(&mut self, trimmed: &[Arc<Hir>], byte: u8, workspace: &mut Workspace) {
        if self.row & TAGS != 0 {
            self.resolve_tagged(trimmed, byte, workspace);
        }
    }

    fn resolve_tagged(&mut self, trimmed: &[Arc<Hir>], byte: u8, workspace: &mut Workspace) {
        if self.row & UNKNOWN != 0 {
            let row = self.row & !TAGS;
            match self.compute(trimmed, workspace, |table, determinizer, builder| {
                table.compute_entry(determinizer, builder, row, byte)
            }) {
                Ok(entry) => self.row = entry,
                Err(failure) => return self.fail(failure),
            }
        }
        let entry = self.row;
        self.row = entry & !TAGS;
        if entry & MATCHES != 0 {
            let matches = self.table.matches(self.row);
            if matches & !self.found == 0 {
                self.repeats += 1;
                self.repeated |= matches;
                return;
            }
            self.found |= matches;
            if self.found.count_ones() as usize == self.group.members.len() {
                // Every member has matched, so the rest of the record cannot change the result.
                self.row = DEAD;
            }
        }
    }

    /// Adds the members that match at the end of the record.
    fn end_record(&mut self, trimmed: &[Arc<Hir>], workspace: &mut Workspace) {
        let end = match self.table.known_end_matches(self.row) {
            Some(matches) => Ok(matches),
            None => {
                let row = self.row;
                self.compute(trimmed, workspace, |table, determinizer, builder| {
                    table.compute_end_matches(determinizer, builder, row)
                })
            }
        };
        match end {
            Ok(matches) => self.found |= matches,
            Err(failure) => self.fail(failure),
        }
    }

    /// Runs `compute`, which adds to the table, and counts the memory that it takes. Fails with
    /// [`TableFailure::OutOfMemory`], without running it, if the tables exceed their limit.
    #[cold]
    fn compute<T>(
        &mut self,
        trimmed: &[Arc<Hir>],
        workspace: &mut Workspace,
        compute: impl FnOnce(&mut DfaTable, &Determinizer, &mut KeyBuilder) -> Result<T, TableFailure>,
    ) -> Result<T, TableFailure> {
        if workspace.used > workspace.limit {
            return Err(TableFailure::OutOfMemory);
        }
        let determinizer = self.group.determinizer(trimmed).ok_or(TableFailure::TooManyStates)?;
        workspace.computed += 1;
        let before = self.table.memory();
        let computed = compute(&mut self.table, determinizer, &mut workspace.builder);
        workspace.used = (workspace.used + self.table.memory()).saturating_sub(before);
        computed
    }

    fn fail(&mut self, failure: TableFailure) {
        self.failure = Some(failure);
        self.row = DEAD;
    }

    /// Appends the members that match in the last record to `matched`, or all members to
    /// `undecided` if the DFA could not decide. Returns `false`, with nothing appended, if the
    /// group has to be divided first.
    pub(super) fn report(
        &self,
        matched: &mut Vec<PatternIndex>,
        undecided: &mut Vec<PatternIndex>,
    ) -> bool {
        match self.failure {
            Some(TableFailure::TooManyStates) => return false,
            Some(TableFailure::Quit | TableFailure::OutOfMemory) => {
                undecided.extend(&self.group.members);
            }
            None => {
                let mut found = self.found;
                while found != 0 {
                    matched.push(self.group.members[found.trailing_zeros() as usize]);
                    found &= found - 1;
                }
            }
        }
        true
    }
}

/// Reads `record` with all `readers`, of which there may be [`MAX_INTERLEAVED`] at most.
pub(super) fn read_record(
    readers: &mut [GroupReader],
    trimmed: &[Arc<Hir>],
    record: &[u8],
    workspace: &mut Workspace,
) {
    match readers {
        [a, b, c, d, e, f] => read_with([a, b, c, d, e, f], trimmed, record, workspace),
        [a, b, c, d, e] => read_with([a, b, c, d, e], trimmed, record, workspace),
        [a, b, c, d] => read_with([a, b, c, d], trimmed, record, workspace),
        [a, b, c] => read_with([a, b, c], trimmed, record, workspace),
        [a, b] => read_with([a, b], trimmed, record, workspace),
        others => others.iter_mut().for_each(|a| read_with([a], trimmed, record, workspace)),
    }
}

fn read_with<const N: usize>(
    mut readers: [&mut GroupReader; N],
    trimmed: &[Arc<Hir>],
    record: &[u8],
    workspace: &mut Workspace,
) {
    for reader in &mut readers {
        reader.start_record(trimmed, record, workspace);
    }
    for block in record.chunks(BLOCK) {
        let mut at = 0;
        while at < block.len() {
            at += step_to_tag(&mut readers, &block[at..]);
            for reader in &mut readers {
                reader.resolve_entry(trimmed, block[at - 1], workspace);
            }
        }
        if readers.iter().all(|reader| reader.row == DEAD) {
            return;
        }
    }
    for reader in &mut readers {
        reader.end_record(trimmed, workspace);
    }
}

/// Takes a step for each byte, until a step reads an entry with tags. Returns the number of steps,
/// which is at least one. `bytes` must not be empty.
#[inline(always)]
fn step_to_tag<const N: usize>(readers: &mut [&mut GroupReader; N], bytes: &[u8]) -> usize {
    let mut rows: [u16; N] = std::array::from_fn(|index| readers[index].row);
    let mut steps = 0;
    {
        let entries: [&[u16]; N] = std::array::from_fn(|index| readers[index].table.entries());
        let classes: [&[u8; 256]; N] = std::array::from_fn(|index| readers[index].table.classes());
        for &byte in bytes {
            let mut all = 0;
            for index in 0..N {
                let class = classes[index][usize::from(byte)];
                rows[index] = entries[index][index_of(rows[index], class)];
                all |= rows[index];
            }
            steps += 1;
            if all & TAGS != 0 {
                break;
            }
        }
    }
    for index in 0..N {
        readers[index].row = rows[index];
    }
    steps
}
