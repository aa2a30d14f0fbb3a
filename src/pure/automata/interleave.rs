//! Reads records with the DFAs of several groups at once.
//!
//! Each step of a DFA waits for the table entry that the step before found, and the processor has
//! little else to do meanwhile. So several groups' DFAs take their steps in turn, byte by byte,
//! and their waits overlap.

use std::sync::Arc;

use regex_automata::hybrid::dfa::DFA;
use regex_syntax::hir::Hir;

use super::dfa_group::Group;
use super::dfa_table::{DEAD, Failure, MATCHES, TAGS, Table, UNKNOWN};

/// How many DFAs read a record side by side: enough to hide most of the wait, and few enough for
/// the registers of the machine.
pub(crate) const LANES: usize = 6;
/// How many bytes are read before it is looked whether all states are dead.
const BLOCK: usize = 16;
/// What tables take together, and may take, in bytes.
pub(crate) struct Memory {
    pub(crate) used: usize,
    pub(crate) limit: usize,
}

/// A group with its table, on its way through a record.
pub(crate) struct Walker {
    pub(crate) group: Arc<Group>,
    pub(crate) table: Table,
    /// Whether it is not to be joined with others.
    pub(crate) apart: bool,
    /// The row of the state.
    row: u32,
    /// The members that have matched, as bits.
    found: u64,
    pub(crate) failure: Option<Failure>,
    /// How often there was nothing new in a match since groups last changed, and whose these were.
    pub(crate) repeats: usize,
    pub(crate) repeated: u64,
}

impl Walker {
    pub(crate) fn new(group: Arc<Group>, table: Table, apart: bool) -> Walker {
        let (row, found, failure, repeats, repeated) = (DEAD, 0, None, 0, 0);
        Walker { group, table, apart, row, found, failure, repeats, repeated }
    }

    /// Gets ready for the start of `record`.
    fn begin(&mut self, trimmed: &[Hir], record: &[u8], memory: &mut Memory) {
        (self.found, self.failure) = (0, None);
        self.table.earn(record.len());
        let row = match self.table.known_start() {
            Some(row) => Ok(row),
            None => self.ask(trimmed, memory, |table, dfa| table.start(dfa)),
        };
        match row {
            Ok(row) => self.row = row,
            Err(failure) => self.fail(failure),
        }
    }

    /// Takes in the entry that the last step came to, if it has tags, with the byte of that step.
    #[inline]
    fn take(&mut self, trimmed: &[Hir], byte: u8, memory: &mut Memory) {
        if self.row & TAGS != 0 {
            self.take_tagged(trimmed, byte, memory);
        }
    }

    fn take_tagged(&mut self, trimmed: &[Hir], byte: u8, memory: &mut Memory) {
        if self.row & UNKNOWN != 0 {
            let row = self.row & !TAGS;
            match self.ask(trimmed, memory, |table, dfa| table.find_out(dfa, row, byte)) {
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
                // There is nothing left to find.
                self.row = DEAD;
            }
        }
    }

    /// Takes in the end of the record.
    fn end(&mut self, trimmed: &[Hir], memory: &mut Memory) {
        let end = match self.table.known_end(self.row) {
            Some(matches) => Ok(matches),
            None => {
                let row = self.row;
                self.ask(trimmed, memory, |table, dfa| table.find_end(dfa, row))
            }
        };
        match end {
            Ok(matches) => self.found |= matches,
            Err(failure) => self.fail(failure),
        }
    }

    /// Has something found out that the table does not tell.
    #[cold]
    fn ask<T>(
        &mut self,
        trimmed: &[Hir],
        memory: &mut Memory,
        find: impl FnOnce(&mut Table, &DFA) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if memory.used > memory.limit {
            return Err(Failure::Full);
        }
        let dfa = self.group.dfa(trimmed).ok_or(Failure::Grown)?;
        let before = self.table.memory();
        let found = find(&mut self.table, dfa);
        memory.used = (memory.used + self.table.memory()).saturating_sub(before);
        found
    }

    fn fail(&mut self, failure: Failure) {
        self.failure = Some(failure);
        self.row = DEAD;
    }

    /// Appends what was found in the last record, or the members if each has to be asked alone.
    /// Returns whether the group has to be divided instead.
    pub(crate) fn tell(
        &self,
        out: &mut Vec<crate::pure::ids::PatternIndex>,
        ask: &mut Vec<crate::pure::ids::PatternIndex>,
    ) -> bool {
        match self.failure {
            Some(Failure::Grown) => return true,
            Some(Failure::Quit | Failure::Full) => ask.extend(&self.group.members),
            None => {
                let mut found = self.found;
                while found != 0 {
                    out.push(self.group.members[found.trailing_zeros() as usize]);
                    found &= found - 1;
                }
            }
        }
        false
    }
}

/// Reads `record` with up to [`LANES`] groups.
pub(crate) fn walk_some(
    walkers: &mut [Walker],
    trimmed: &[Hir],
    record: &[u8],
    memory: &mut Memory,
) {
    match walkers {
        [a, b, c, d, e, f] => walk([a, b, c, d, e, f], trimmed, record, memory),
        [a, b, c, d, e] => walk([a, b, c, d, e], trimmed, record, memory),
        [a, b, c, d] => walk([a, b, c, d], trimmed, record, memory),
        [a, b, c] => walk([a, b, c], trimmed, record, memory),
        [a, b] => walk([a, b], trimmed, record, memory),
        few => few.iter_mut().for_each(|a| walk([a], trimmed, record, memory)),
    }
}

fn walk<const N: usize>(
    mut walkers: [&mut Walker; N],
    trimmed: &[Hir],
    record: &[u8],
    memory: &mut Memory,
) {
    for walker in &mut walkers {
        walker.begin(trimmed, record, memory);
    }
    for block in record.chunks(BLOCK) {
        let mut at = 0;
        while at < block.len() {
            at += run(&mut walkers, &block[at..]);
            for walker in &mut walkers {
                walker.take(trimmed, block[at - 1], memory);
            }
        }
        if walkers.iter().all(|walker| walker.row == DEAD) {
            return;
        }
    }
    for walker in &mut walkers {
        walker.end(trimmed, memory);
    }
}

/// Takes a step for each byte, up to one that comes to an entry with tags. Returns how many, of
/// which there is at least one.
#[inline(always)]
fn run<const N: usize>(walkers: &mut [&mut Walker; N], bytes: &[u8]) -> usize {
    let mut rows: [u32; N] = std::array::from_fn(|lane| walkers[lane].row);
    let mut taken = 0;
    {
        let entries: [&[u32]; N] = std::array::from_fn(|lane| walkers[lane].table.entries());
        let classes: [&[u8; 256]; N] = std::array::from_fn(|lane| walkers[lane].table.classes());
        for &byte in bytes {
            let mut all = 0;
            for lane in 0..N {
                let class = u32::from(classes[lane][usize::from(byte)]);
                rows[lane] = entries[lane][(rows[lane] + class) as usize];
                all |= rows[lane];
            }
            taken += 1;
            if all & TAGS != 0 {
                break;
            }
        }
    }
    for lane in 0..N {
        walkers[lane].row = rows[lane];
    }
    taken
}
