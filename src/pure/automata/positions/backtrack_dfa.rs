//! A lazy DFA that finds where the preferred match from a given offset ends.
//!
//! Its states are lists of [threads](super::threads), so that the last match on the way to the dead state is the
//! preferred one. Matches are found one byte late, because assertions at their end may depend on the next byte.
//!
//! It takes the place of [backtracking](super::backtrack) for a pattern once a scanner has backtracked much for it, and
//! tries at the same offsets. Spans of grok's and wazuh's patterns over logs then take 0.4 to 1.0 of the time. But the
//! table takes memory in each scanner, and time to fill.
//!
//! # Limits
//!
//! Backtracking decides where the DFA does not: where a Unicode word boundary is next to a byte outside ASCII, and
//! where there are too many threads. The DFA [has failed](BacktrackDfa::has_failed), and has to be dropped, if it
//! leaves most searches to backtracking, if it needs more memory than it may take, or more time for new transitions
//! than it saves. The latter happens with long counted repetitions.

use std::ops::Range;

use super::looks::{ALL_KINDS, EDGE, any_kind_of};
use super::program::Program;
use super::threads::{Threads, Undecided, byte_classes};
use crate::pure::automata::state_keys::StateKeys;

/// Tag of an entry: a match ends before the byte.
const MATCH: u16 = 1 << 15;
/// The largest number of entries. More would overlap the tag.
const MAX_ENTRIES: usize = MATCH as usize;
/// The largest memory of the keys, in bytes.
const MAX_KEYS: usize = 64 << 10;

/// The state from which nothing matches. All its entries lead back to it.
const DEAD: u16 = 0;
/// Not a state: the transition is not known yet.
const UNKNOWN: u16 = 1;
/// Not a state: the transition cannot be decided.
const UNDECIDED: u16 = 2;
/// The number of the first other state.
const FIRST_LIVE: u16 = 3;

/// The cost of computing a transition, in bytes of records that a search could read in the same time. Each choice that
/// is considered costs one byte more. A guess.
const BYTES_PER_TRANSITION: u64 = 128;
/// The transitions that are paid for at first. Lower in tests, so that some DFAs fail.
const FREE_TRANSITIONS: u64 = if cfg!(test) { 250 } else { 512 };
/// The number of decided searches that make up for one that is left to backtracking.
const UNDECIDED_SEARCH: u32 = 4;
/// The largest number of undecided searches that are not made up for, times that.
const MAX_UNDECIDED: u32 = 64 * UNDECIDED_SEARCH;

/// The largest budget, in bytes.
const MAX_BUDGET: u64 = FREE_TRANSITIONS * BYTES_PER_TRANSITION;

/// The known part of the DFA of a pattern. Each scanner has its own.
#[derive(Debug)]
pub(in crate::pure::automata) struct BacktrackDfa {
    table: Table,
    /// By byte: its class.
    classes: [u8; 256],
    /// By class: one of its bytes. One more class is the end of the record.
    samples: Vec<u8>,
    /// By the kind of the byte before: the row in which a match begins.
    starts: [u16; ALL_KINDS],
    /// By byte: bits of the kinds of bytes after which a match that is not empty may begin with it, as far as is known,
    /// and above them the bit of its own kind.
    begins: [u16; 256],
    threads: Threads,
    /// The remaining budget for computing transitions, in bytes.
    budget: u64,
    /// The searches that were not decided, [`UNDECIDED_SEARCH`] for each, less those that were.
    undecided: u32,
    has_failed: bool,
    /// Whether its memory may have grown since [`BacktrackDfa::take_grown`] was called last.
    has_grown: bool,
}

/// The states and their entries.
#[derive(Debug)]
struct Table {
    /// By the sum of a row and a class: the row of the next state, with a tag. The row of a state is its number times
    /// `stride`.
    entries: Vec<u16>,
    /// The number of classes, with the end of the record.
    stride: usize,
    /// By state: its key, as in [`Threads`].
    keys: StateKeys,
}

impl BacktrackDfa {
    /// Returns `None` if the program has too long counted repetitions.
    pub(in crate::pure::automata) fn new(program: &Program) -> Option<BacktrackDfa> {
        let mut threads = Threads::new(program)?;
        let (classes, samples) = byte_classes(program);
        let mut table = Table::new(samples.len() + 1);
        let mut rows = [DEAD; ALL_KINDS];
        for (kind, row) in rows.iter_mut().enumerate() {
            threads.start(kind);
            *row = table.row_of(threads.key())?;
        }
        Some(BacktrackDfa {
            table,
            classes,
            samples,
            starts: rows,
            begins: std::array::from_fn(|byte| {
                1 << (ALL_KINDS + any_kind_of(byte as u8)) | ((1 << ALL_KINDS) - 1)
            }),
            threads,
            budget: MAX_BUDGET,
            undecided: 0,
            has_failed: false,
            has_grown: true,
        })
    }

    /// Whether it has run out of budget or memory, or has left most searches undecided. It is of no more use then.
    pub(in crate::pure::automata) fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// Whether its memory may have grown since this was called last.
    pub(super) fn take_grown(&mut self) -> bool {
        std::mem::take(&mut self.has_grown)
    }

    #[cfg(test)]
    pub(super) fn fill_budget(&mut self) {
        (self.budget, self.undecided) = (MAX_BUDGET, 0);
    }

    /// 0 if all searches were decided.
    #[cfg(test)]
    pub(super) fn undecided(&self) -> u32 {
        self.undecided
    }

    #[cfg(test)]
    pub(super) fn budget(&self) -> u64 {
        self.budget
    }

    #[cfg(test)]
    pub(super) fn spend_budget(&mut self) {
        self.budget = 0;
    }

    /// Adds this many bytes to the budget for new transitions.
    pub(super) fn add_budget(&mut self, bytes: u64) {
        self.budget = self.budget.saturating_add(bytes).min(MAX_BUDGET);
    }

    /// The first offset of `range` where a match may begin. The program must not match the empty string. Reads up to four
    /// bytes from there, and the one before.
    #[inline]
    pub(super) fn next_start(&self, record: &[u8], range: Range<usize>) -> Option<usize> {
        let bytes = record.get(range.clone())?;
        const { assert!(2 * ALL_KINDS <= u16::BITS as usize) };
        // The bit of the kind of the byte before.
        let mut before = 1 << kind_before(record, range.start);
        for (at, &byte) in (range.start..).zip(bytes) {
            let begins = self.begins[usize::from(byte)];
            if begins & before != 0 && self.begins_at(record, at, before.trailing_zeros()) {
                return Some(at);
            }
            before = begins >> ALL_KINDS;
        }
        None
    }

    /// Whether a match may begin at `at`, by up to four bytes there and the kind of the one before. By the first byte, one
    /// may.
    #[inline(always)]
    fn begins_at(&self, record: &[u8], at: usize, kind_before: u32) -> bool {
        let entry = |last: u16, byte: u8| {
            let class = usize::from(self.classes[usize::from(byte)]);
            self.table.entries[usize::from(last & !MATCH) + class]
        };
        let first = entry(self.starts[kind_before as usize], record[at]);
        let Some(&next) = record.get(at + 1) else { return true };
        let second = entry(first, next);
        debug_assert!(first & MATCH == 0, "matches are seen one byte late, and none is empty");
        if second == DEAD {
            return false;
        }
        let Some(&[third, fourth]) = record[at + 2..].first_chunk() else { return true };
        // All entries of the dead state lead back to it.
        let third = entry(second, third);
        // Mostly, nothing of this is known to match.
        (second | third) & MATCH | entry(third, fourth) != DEAD
    }

    /// The end of the preferred match that begins at `span.start` and ends within `span`, if there is one, or of any if
    /// `ANY`. Adds the number of bytes that it reads to `read`.
    #[inline]
    pub(super) fn end_of_match<const ANY: bool>(
        &mut self,
        program: &Program,
        record: &[u8],
        span: Range<usize>,
        read: &mut u64,
    ) -> Result<Option<usize>, Undecided> {
        let mut at = span.start;
        let end = self.search::<ANY>(program, &record[..span.end], record, &mut at);
        *read += (at - span.start) as u64;
        match end {
            Ok(_) => self.undecided = self.undecided.saturating_sub(1),
            Err(Undecided) => {
                self.undecided += UNDECIDED_SEARCH;
                self.has_failed |= self.undecided > MAX_UNDECIDED;
            }
        }
        end
    }

    /// As [`BacktrackDfa::end_of_match`], from `at` on, in the `bytes` that `record` begins with. Sets `at` to where it
    /// stops reading.
    #[inline(always)]
    fn search<const ANY: bool>(
        &mut self,
        program: &Program,
        bytes: &[u8],
        record: &[u8],
        at: &mut usize,
    ) -> Result<Option<usize>, Undecided> {
        let first_live = FIRST_LIVE * self.table.stride as u16;
        let without_tag = |entry: u16| usize::from(entry & !MATCH);
        let mut last = self.starts[kind_before(record, *at)];
        let (mut row, mut end) = (without_tag(last), None);
        'record: loop {
            // Borrowed here, so that the loop below keeps the table's address and length in registers.
            let entries = &self.table.entries[..];
            let (entry, class) = loop {
                let Some(&byte) = bytes.get(*at) else { break 'record };
                let class = usize::from(self.classes[usize::from(byte)]);
                let entry = entries[row + class];
                // Most bytes lead to the same state as the one before. The branch predictor learns that, and then a
                // step need not wait for the table load of the step before.
                if entry != last {
                    if last & MATCH != 0 {
                        end = Some(*at - 1);
                    }
                    if entry & !MATCH < first_live {
                        break (entry, class);
                    }
                    if ANY && entry & MATCH != 0 {
                        return Ok(Some(*at));
                    }
                    (row, last) = (without_tag(entry), entry);
                }
                *at += 1;
            };
            let entry = match entry & !MATCH {
                DEAD => entry,
                _ => self.compute(program, row as u16, class)?,
            };
            let is_match = entry & MATCH != 0;
            if entry & !MATCH == DEAD {
                *at += 1;
                return Ok(if is_match { Some(*at - 1) } else { end });
            }
            if ANY && is_match {
                return Ok(Some(*at));
            }
            (row, last) = (without_tag(entry), entry);
            *at += 1;
        }
        if last & MATCH != 0 {
            end = Some(*at - 1);
        }
        let after = record.get(*at).map(|&byte| self.classes[usize::from(byte)].into());
        let class = after.unwrap_or(self.samples.len());
        let mut entry = self.table.entries[row + class];
        if entry & !MATCH < first_live && entry & !MATCH != DEAD {
            entry = self.compute(program, row as u16, class)?;
        }
        Ok(if entry & MATCH != 0 { Some(*at) } else { end })
    }

    /// Computes an entry that is not known.
    #[cold]
    fn compute(&mut self, program: &Program, row: u16, class: usize) -> Result<u16, Undecided> {
        let BacktrackDfa { table, threads, .. } = self;
        let (stride, index) = (table.stride as u16, usize::from(row) + class);
        let undecided = UNDECIDED * stride;
        if self.has_failed || table.entries[index] == undecided {
            return Err(Undecided);
        }
        let Some(left) = self.budget.checked_sub(BYTES_PER_TRANSITION) else {
            self.has_failed = true;
            return Err(Undecided);
        };
        (self.budget, self.has_grown) = (left, true);
        let byte = self.samples.get(class).copied();
        let is_match = threads.step(program, table.keys.get(row / stride), byte);
        self.budget = self.budget.saturating_sub(threads.considered());
        let Ok(is_match) = is_match else {
            table.entries[index] = undecided;
            return Err(Undecided);
        };
        let next = if threads.is_dead() { Some(DEAD) } else { table.row_of(threads.key()) };
        self.has_failed = next.is_none();
        let entry = next.ok_or(Undecided)? | if is_match { MATCH } else { 0 };
        table.entries[index] = entry;
        if entry == DEAD {
            self.drop_starts(row, class);
        }
        Ok(entry)
    }

    /// Notes that no match begins with a byte of the class in this row.
    fn drop_starts(&mut self, row: u16, class: usize) {
        let kinds = (0..ALL_KINDS).filter(|&kind| self.starts[kind] == row);
        let kinds = kinds.fold(0, |kinds, kind| kinds | 1 << kind);
        if kinds == 0 {
            return;
        }
        for (begins, _) in
            self.begins.iter_mut().zip(self.classes).filter(|&(_, c)| usize::from(c) == class)
        {
            *begins &= !kinds;
        }
    }

    /// Memory in bytes.
    pub(in crate::pure::automata) fn memory(&self) -> usize {
        size_of::<BacktrackDfa>()
            + self.table.entries.capacity() * size_of::<u16>()
            + self.table.keys.memory()
            + self.samples.capacity()
            + self.threads.memory()
    }
}

/// The kind of the byte before `at`.
#[inline(always)]
fn kind_before(record: &[u8], at: usize) -> usize {
    at.checked_sub(1).map_or(EDGE, |before| any_kind_of(record[before]))
}

impl Table {
    /// A table with the dead state only.
    fn new(stride: usize) -> Table {
        let mut keys = StateKeys::default();
        // No list of threads has these keys.
        (DEAD..FIRST_LIVE).for_each(|state| keys.add(&[state.into()]));
        let mut entries = vec![UNKNOWN * stride as u16; usize::from(FIRST_LIVE) * stride];
        entries[..stride].fill(DEAD);
        Table { entries, stride, keys }
    }

    /// The row of the state with this key, which is added if there is none. Returns `None` if there is no room for it.
    fn row_of(&mut self, key: &[u32]) -> Option<u16> {
        if let Some(state) = self.keys.find(key) {
            return Some(state * self.stride as u16);
        }
        let row = self.entries.len();
        let len = row + self.stride;
        if len > MAX_ENTRIES || self.keys.memory() > MAX_KEYS {
            return None;
        }
        if len > self.entries.capacity() {
            // As in `DfaTable`: less memory is wasted than by doubling.
            self.entries.reserve_exact(row / 4 + self.stride);
        }
        self.entries.resize(len, UNKNOWN * self.stride as u16);
        self.keys.add(key);
        Some(row as u16)
    }
}

#[cfg(test)]
mod tests;
