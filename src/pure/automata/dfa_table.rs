//! The states and transitions of a DFA that are known so far, in a dense table.
//!
//! A step takes two loads: the class of the byte, and the entry of the state's row and the class. An
//! entry is the row of the next state, and two tags in its highest bits say whether the loop has to
//! stop there. So several DFAs can be [interleaved](super::interleave) in one loop. An entry has 16
//! bits, because the tables are most of a scanner's memory, and all of them together should stay in
//! the cache. To fit, rows are counted in units of [`ROW_UNIT`] entries.
//!
//! Transitions that are not known yet are computed by the [`Determinizer`]. When the table takes
//! more than [`CAPACITY`] bytes, or its entries more than 256 KiB ([`END_OF_ROWS`]), it is emptied
//! and filled anew. With the OWASP core rule set, that happens three times in 16 MB of source code in
//! hundreds of languages, and seven times in as many bytes of web pages.
//!
//! # Cost
//!
//! Computing a transition costs about as much as some hundred steps, so a DFA that keeps reaching
//! new states is slower than several smaller ones that do not. Each table therefore has a budget
//! in bytes: [`DfaTable::add_budget`] adds the length of each record, and each computed transition
//! takes [`BYTES_PER_TRANSITION`]. When the budget is used up, the table fails with
//! [`TableFailure::TooManyStates`], and the group has to be divided.

use super::determinizer::{Determinizer, KeyBuilder, StartSteps, matches_of};
use super::state_keys::StateKeys;

/// Tag of an entry: the transition is not known yet. The rest of the entry is the row that the entry
/// is in.
pub(super) const UNKNOWN: u16 = 1 << 15;
/// Tag of an entry: patterns match on entering the state.
pub(super) const MATCHES: u16 = 1 << 14;
/// The mask of all tags.
pub(super) const TAGS: u16 = UNKNOWN | MATCHES;
/// The row of the state from which nothing matches. All its entries lead back to it.
pub(super) const DEAD: u16 = 0;
/// The rows of all states must be less. Others would overlap the tags. So a table has at most 3,276
/// states if it has 33 to 40 classes of bytes, 2,048 with 57 to 64.
const END_OF_ROWS: usize = MATCHES as usize;
/// A row begins at a multiple of this many entries. Processors multiply an index by 8 in the address
/// of a load.
const ROW_UNIT: usize = 8;

/// The index of the entry of a class of bytes in a row.
#[inline(always)]
pub(super) fn index_of(row: u16, class: u8) -> usize {
    usize::from(row) * ROW_UNIT + usize::from(class)
}

/// The cost of computing a transition, in bytes that could be read in the same time. After the
/// initial budget, this many bytes have to be read for each computed transition.
const BYTES_PER_TRANSITION: u64 = 256;
/// The transitions that a full budget pays for. Lower in tests, so that small inputs divide groups.
const FREE_TRANSITIONS: u64 = if cfg!(test) { 60 } else { 8192 };
/// As [`FREE_TRANSITIONS`], at first, for a group that is joined from two with few states. If it needs
/// more, its states multiply, and this is noticed early.
const JOINED_FREE_TRANSITIONS: u64 = if cfg!(test) { 60 } else { 1024 };
/// The largest budget, in bytes.
const MAX_BUDGET: u64 = FREE_TRANSITIONS * BYTES_PER_TRANSITION;
/// The largest memory of a table, in bytes, without the steps from the start of a match.
const CAPACITY: usize = 1 << 20;

/// Why a table cannot decide which patterns match a record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum TableFailure {
    /// The record has a byte outside ASCII where a Unicode word boundary has to be decided.
    Quit,
    /// The DFA reaches too many states for the bytes that it reads.
    TooManyStates,
    /// The tables of the scanner exceed their memory limit.
    OutOfMemory,
}

/// The known part of a DFA of up to 64 patterns.
#[derive(Clone, Debug)]
pub(super) struct DfaTable {
    /// By row and class of bytes, see [`index_of`]: the row of the next state, with tags.
    entries: Vec<u16>,
    /// By byte: its class.
    classes: [u8; 256],
    /// The length of a row, in units of [`ROW_UNIT`] entries. At most 32, since there are at most 256
    /// classes.
    row_len: u16,
    /// By state: the patterns that match on entering it, as bits.
    matches: Vec<u64>,
    /// By state: the patterns that match if the record ends there, if that is known.
    end_matches: Vec<Option<u64>>,
    keys: StateKeys,
    starts: StartSteps,
    start: Option<u16>,
    /// The largest memory, in bytes.
    capacity: usize,
    /// The transitions that the budget paid for at first.
    free_transitions: u64,
    /// The remaining budget for computing transitions, in bytes.
    budget: u64,
}

impl DfaTable {
    /// A table for a group, which may be joined from two others.
    pub(super) fn new(determinizer: &Determinizer, joined: bool) -> DfaTable {
        let transitions = if joined { JOINED_FREE_TRANSITIONS } else { FREE_TRANSITIONS };
        let mut table = DfaTable {
            entries: Vec::new(),
            classes: *determinizer.classes(),
            row_len: determinizer.class_count().div_ceil(ROW_UNIT) as u16,
            matches: Vec::new(),
            end_matches: Vec::new(),
            keys: StateKeys::default(),
            starts: determinizer.unknown_start_steps(),
            start: None,
            capacity: CAPACITY,
            free_transitions: transitions,
            budget: transitions * BYTES_PER_TRANSITION,
        };
        table.clear();
        table
    }

    pub(super) fn entries(&self) -> &[u16] {
        &self.entries
    }

    pub(super) fn classes(&self) -> &[u8; 256] {
        &self.classes
    }

    /// The state that a row belongs to, by which all but the entries are stored.
    fn state_of_row(&self, row: u16) -> u16 {
        row / self.row_len
    }

    /// The patterns that match on entering the state of a row, as bits.
    pub(super) fn matches(&self, row: u16) -> u64 {
        self.matches[usize::from(self.state_of_row(row))]
    }

    /// The patterns that match if the record ends in the state of a row, if that is known.
    pub(super) fn known_end_matches(&self, row: u16) -> Option<u64> {
        self.end_matches[usize::from(self.state_of_row(row))]
    }

    /// The row of the state in which a record starts, if that is known.
    pub(super) fn known_start(&self) -> Option<u16> {
        self.start
    }

    /// The number of known states.
    pub(super) fn states(&self) -> usize {
        self.keys.len()
    }

    /// Adds this many bytes to the budget for new transitions.
    pub(super) fn add_budget(&mut self, bytes: usize) {
        self.budget = self.budget.saturating_add(bytes as u64).min(MAX_BUDGET);
    }

    /// Restores the budget that the table had at first.
    pub(super) fn reset_budget(&mut self) {
        self.budget = self.free_transitions * BYTES_PER_TRANSITION;
    }

    /// Takes the cost of one transition from the budget, or fails if it is used up.
    fn spend_transition(&mut self) -> Result<(), TableFailure> {
        self.budget =
            self.budget.checked_sub(BYTES_PER_TRANSITION).ok_or(TableFailure::TooManyStates)?;
        Ok(())
    }

    /// Computes the row of the state in which a record starts.
    pub(super) fn compute_start(
        &mut self,
        determinizer: &Determinizer,
        builder: &mut KeyBuilder,
    ) -> Result<u16, TableFailure> {
        determinizer.start(builder);
        let row = self.row_of_key(builder.key())?;
        self.start = Some(row);
        Ok(row)
    }

    /// Computes the entry of a row and a byte.
    pub(super) fn compute_entry(
        &mut self,
        determinizer: &Determinizer,
        builder: &mut KeyBuilder,
        row: u16,
        byte: u8,
    ) -> Result<u16, TableFailure> {
        if determinizer.quits(byte) {
            return Err(TableFailure::Quit);
        }
        self.spend_transition()?;
        let class = self.classes[usize::from(byte)];
        let from = self.keys.get(self.state_of_row(row));
        let start = determinizer.step(from, class, &mut self.starts, builder);
        let (next, cleared) = match start.and_then(|id| self.starts.row(id)) {
            Some(next) => (next, false),
            None => {
                let cleared =
                    self.memory_of_states() > self.capacity || self.end_of_rows() >= END_OF_ROWS;
                if cleared {
                    self.clear();
                }
                let key = builder.key();
                let next = if determinizer.is_dead(key) { DEAD } else { self.row_of_key(key)? };
                if let Some(id) = start {
                    self.starts.set_row(id, next);
                }
                (next, cleared)
            }
        };
        let tag = if self.matches(next) != 0 { MATCHES } else { 0 };
        if !cleared {
            self.entries[index_of(row, class)] = next | tag;
        }
        Ok(next | tag)
    }

    /// Computes which patterns match if the record ends in the state of a row.
    pub(super) fn compute_end_matches(
        &mut self,
        determinizer: &Determinizer,
        builder: &mut KeyBuilder,
        row: u16,
    ) -> Result<u64, TableFailure> {
        self.spend_transition()?;
        let state = self.state_of_row(row);
        let matches = determinizer.end_matches(self.keys.get(state), builder);
        self.end_matches[usize::from(state)] = Some(matches);
        Ok(matches)
    }

    /// Returns the row of the state with this key, which is added if there is none.
    fn row_of_key(&mut self, key: &[u32]) -> Result<u16, TableFailure> {
        if let Some(state) = self.keys.find(key) {
            return Ok(state * self.row_len);
        }
        if self.end_of_rows() >= END_OF_ROWS {
            return Err(TableFailure::TooManyStates);
        }
        let (row, len) = (self.end_of_rows() as u16, usize::from(self.row_len) * ROW_UNIT);
        if self.entries.len() + len > self.entries.capacity() {
            // Growing by a quarter wastes less memory than doubling. The copies take little time in
            // comparison with computing what is in the rows.
            self.entries.reserve_exact(self.entries.len() / 4 + len);
        }
        self.entries.resize(self.entries.len() + len, row | UNKNOWN);
        self.matches.push(matches_of(key));
        self.end_matches.push(None);
        self.keys.add(key);
        Ok(row)
    }

    /// The row of the next state that is added.
    fn end_of_rows(&self) -> usize {
        self.entries.len() / ROW_UNIT
    }

    /// Empties the table, except for the dead state, and frees its memory.
    pub(super) fn clear(&mut self) {
        self.entries = vec![DEAD; usize::from(self.row_len) * ROW_UNIT];
        (self.matches, self.end_matches) = (vec![0], vec![Some(0)]);
        // The key of the dead state is never used, because all its entries are known.
        self.keys = StateKeys::default();
        self.keys.add(&[]);
        self.start = None;
        self.starts.clear_rows();
    }

    /// The memory of all states, in bytes.
    fn memory_of_states(&self) -> usize {
        self.keys.memory()
            + self.entries.capacity() * size_of::<u16>()
            + self.matches.capacity() * size_of::<u64>()
            + self.end_matches.capacity() * size_of::<Option<u64>>()
    }

    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        self.memory_of_states() + self.starts.memory()
    }
}

#[cfg(test)]
mod tests {
    use super::super::group_nfa::GroupNfa;
    use super::*;

    /// The patterns that match, as bits: at each byte of a text, and at its end.
    fn matches_along(table: &mut DfaTable, determinizer: &Determinizer, text: &[u8]) -> Vec<u64> {
        let builder = &mut KeyBuilder::default();
        // These texts are too short for their transitions, which is not what is tested here.
        table.budget = u64::MAX;
        let mut row = table
            .known_start()
            .unwrap_or_else(|| table.compute_start(determinizer, builder).unwrap());
        let mut found = Vec::new();
        for &byte in text {
            let class = table.classes()[usize::from(byte)];
            let mut entry = table.entries()[index_of(row, class)];
            if entry & UNKNOWN != 0 {
                assert_eq!(entry & !TAGS, row);
                entry = table.compute_entry(determinizer, builder, row, byte).unwrap();
            }
            row = entry & !TAGS;
            assert_eq!(entry & MATCHES != 0, table.matches(row) != 0);
            found.push(table.matches(row));
        }
        let end = table.known_end_matches(row);
        found.push(
            end.unwrap_or_else(|| table.compute_end_matches(determinizer, builder, row).unwrap()),
        );
        found
    }

    #[test]
    fn transitions_are_paid_by_the_bytes_of_records() {
        let mut parser = regex_syntax::ParserBuilder::new().utf8(false).build();
        let hir = parser.parse("(?-u:[ab]*a[ab]{8})").unwrap();
        let determinizer = Determinizer::new(GroupNfa::new(&[&hir], false).unwrap());
        let builder = &mut KeyBuilder::default();
        let mut table = DfaTable::new(&determinizer, false);
        let row = table.compute_start(&determinizer, builder).unwrap();
        let mut spend = |table: &mut DfaTable| {
            let mut compute = || table.compute_entry(&determinizer, builder, row, b'a');
            (0..).find(|_| compute() == Err(TableFailure::TooManyStates)).unwrap()
        };
        assert_eq!(spend(&mut table), FREE_TRANSITIONS);
        table.add_budget(4 * BYTES_PER_TRANSITION as usize - 1);
        assert_eq!(spend(&mut table), 3);
        table.add_budget(1);
        assert_eq!(spend(&mut table), 1);
        table.reset_budget();
        assert_eq!(spend(&mut table), FREE_TRANSITIONS);
        table.add_budget(usize::MAX);
        assert_eq!(spend(&mut table), FREE_TRANSITIONS);
    }

    #[test]
    fn rows_may_be_longer_than_a_unit() {
        let literals = ["abcdefghijk", "kjihg", "gfedcba"];
        let mut parser = regex_syntax::ParserBuilder::new().utf8(false).build();
        let hirs = literals.map(|literal| parser.parse(literal).unwrap());
        let determinizer = Determinizer::new(GroupNfa::new(&hirs.each_ref(), false).unwrap());
        let mut table = DfaTable::new(&determinizer, false);
        assert_eq!(table.row_len, 2);
        let text = ["abcdefghijkjihgfedcba", "gfedcbabcdefghij", "kjihgfedabc"].concat();
        for text in [&text[..], &text[20..], &text] {
            let found = matches_along(&mut table, &determinizer, text.as_bytes());
            for (at, &found) in (1..).zip(&found[..text.len()]) {
                let ends = |literal: &&str| text[..at].ends_with(literal);
                let expected = (0..).zip(&literals).filter(|(_, literal)| ends(literal));
                assert_eq!(found, expected.map(|(bit, _)| 1 << bit).sum(), "{}", &text[..at]);
            }
        }
    }

    #[test]
    fn cleared_states_are_computed_again() {
        let hirs = ["[ab]*a[ab]{8}", "[ab]*b[ab]{7}a", "(?:ab|b)*"].map(|pattern| {
            let pattern = format!("(?-u:{pattern})");
            regex_syntax::ParserBuilder::new().utf8(false).build().parse(&pattern).unwrap()
        });
        let determinizer = Determinizer::new(GroupNfa::new(&hirs.each_ref(), false).unwrap());
        let (mut cleared, mut complete) =
            (DfaTable::new(&determinizer, false), DfaTable::new(&determinizer, false));
        (cleared.capacity, complete.capacity) = (4096, 1 << 24);
        let mut seed = 1_u32;
        let mut smaller = 0;
        for len in 0..200 {
            let text: Vec<u8> = (0..len)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    b"ab"[(seed >> 31) as usize]
                })
                .collect();
            let states = cleared.states();
            assert_eq!(
                matches_along(&mut cleared, &determinizer, &text),
                matches_along(&mut complete, &determinizer, &text),
                "{len}"
            );
            smaller += usize::from(cleared.states() < states);
        }
        assert!(smaller > 10, "the table was emptied {smaller} times");
        assert!(complete.states() > cleared.states());
    }
}
