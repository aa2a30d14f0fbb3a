//! The states and transitions of a lazy DFA that are known so far, copied into a dense table.
//!
//! `regex_automata` checks several kinds of tags on each step of a lazy DFA, and a step borrows
//! the cache, so that several DFAs cannot be interleaved in one loop. This table holds the same
//! transitions in a form that needs two loads per step: the class of the byte, and the entry of
//! the row and the class. An entry is the row of the next state, and two tags in its highest bits
//! say whether the loop has to stop there.
//!
//! Transitions that are not known yet are computed by the lazy DFA and copied. When the lazy DFA
//! clears its cache, its state ids lose their meaning, and the table is emptied with it.
//!
//! # Cost
//!
//! Computing a transition costs about as much as a thousand steps, so a DFA that keeps reaching
//! new states is slower than several smaller ones that do not. Each table therefore has a budget
//! of transitions: [`DfaTable::add_budget`] adds to it what the bytes of a record are worth, and
//! each computed transition takes its cost away. When the budget is used up, the table fails with
//! [`TableFailure::TooManyStates`], and the group has to be divided.

use std::collections::HashMap;

use regex_automata::Input;
use regex_automata::hybrid::{LazyStateID, dfa};

/// Tag of an entry: the transition is not known yet. The rest of the entry is the row that the
/// entry belongs to.
pub(super) const UNKNOWN: u32 = 1 << 31;
/// Tag of an entry: patterns match on entering the state.
pub(super) const MATCHES: u32 = 1 << 30;
pub(super) const TAGS: u32 = UNKNOWN | MATCHES;
/// The row of the state from which nothing matches. All its entries lead back to it.
pub(super) const DEAD: u32 = 0;

/// The cost of computing a transition, in bytes that could be read in the same time: this many
/// have to be read for each transition that is computed, apart from the first ones.
const BYTES_PER_TRANSITION: u64 = 1024;
/// Transitions that may be computed before any byte is read, and at most at once later. Lower in
/// tests, so that small inputs divide groups.
const FREE_TRANSITIONS: u64 = if cfg!(test) { 60 } else { 8192 };
/// The initial and largest budget, in bytes.
const MAX_BUDGET: u64 = FREE_TRANSITIONS * BYTES_PER_TRANSITION;

/// Why a table cannot decide which patterns match a record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum TableFailure {
    /// The record has a byte outside ASCII where a Unicode word boundary has to be decided.
    Quit,
    /// The DFA reaches too many states for the bytes that it reads.
    TooManyStates,
    /// The tables of the scanner use all the memory that they may.
    OutOfMemory,
}

/// The known part of a lazy DFA over up to 64 patterns.
pub(super) struct DfaTable {
    /// By the sum of a row and a class of bytes: the row of the next state, with tags.
    entries: Vec<u32>,
    /// By byte: its class.
    classes: [u8; 256],
    /// A state's row is its number, shifted left by this.
    shift: u32,
    /// By state: the patterns that match on entering it, as bits.
    matches: Vec<u64>,
    /// By state: the patterns that match if the record ends there, if that is known.
    end_matches: Vec<Option<u64>>,
    /// By state: its id in the lazy DFA.
    ids: Vec<LazyStateID>,
    /// The row of each id.
    rows: HashMap<LazyStateID, u32>,
    start: Option<u32>,
    cache: dfa::Cache,
    /// How often the lazy DFA had cleared its cache when this table was last emptied.
    clears: usize,
    /// What may still be spent on computing transitions, in bytes.
    budget: u64,
}

impl DfaTable {
    pub(super) fn new(dfa: &dfa::DFA) -> DfaTable {
        let cache = dfa.create_cache();
        let classes = dfa.byte_classes();
        let mut table = DfaTable {
            entries: Vec::new(),
            classes: std::array::from_fn(|byte| classes.get(byte as u8)),
            shift: classes.stride2() as u32,
            matches: Vec::new(),
            end_matches: Vec::new(),
            ids: Vec::new(),
            rows: HashMap::new(),
            start: None,
            clears: cache.clear_count(),
            cache,
            budget: MAX_BUDGET,
        };
        table.clear();
        table
    }

    pub(super) fn entries(&self) -> &[u32] {
        &self.entries
    }

    pub(super) fn classes(&self) -> &[u8; 256] {
        &self.classes
    }

    /// The patterns that match on entering the state of a row, as bits.
    pub(super) fn matches(&self, row: u32) -> u64 {
        self.matches[(row >> self.shift) as usize]
    }

    /// The patterns that match if the record ends in the state of a row, if that is known.
    pub(super) fn known_end_matches(&self, row: u32) -> Option<u64> {
        self.end_matches[(row >> self.shift) as usize]
    }

    /// The row of the state in which a record starts, if that is known.
    pub(super) fn known_start(&self) -> Option<u32> {
        self.start
    }

    /// The number of known states.
    pub(super) fn states(&self) -> usize {
        self.ids.len()
    }

    /// Adds what reading this many bytes is worth to the budget for new transitions.
    pub(super) fn add_budget(&mut self, bytes: usize) {
        self.budget = self.budget.saturating_add(bytes as u64).min(MAX_BUDGET);
    }

    fn spend_transition(&mut self) -> Result<(), TableFailure> {
        self.budget =
            self.budget.checked_sub(BYTES_PER_TRANSITION).ok_or(TableFailure::TooManyStates)?;
        Ok(())
    }

    /// Computes the row of the state in which a record starts.
    pub(super) fn compute_start(&mut self, dfa: &dfa::DFA) -> Result<u32, TableFailure> {
        let input = Input::new("");
        let id =
            dfa.start_state_forward(&mut self.cache, &input).map_err(|_| TableFailure::Quit)?;
        self.clear_with_cache();
        let row = self.row_of(dfa, id)?;
        self.start = Some(row);
        Ok(row)
    }

    /// Computes the entry of a row and a byte.
    pub(super) fn compute_entry(
        &mut self,
        dfa: &dfa::DFA,
        row: u32,
        byte: u8,
    ) -> Result<u32, TableFailure> {
        let id = self.ids[(row >> self.shift) as usize];
        let next =
            dfa.next_state(&mut self.cache, id, byte).map_err(|_| TableFailure::TooManyStates)?;
        let cleared = self.clear_with_cache();
        let next = self.row_of(dfa, next)?;
        self.spend_transition()?;
        let tag = if self.matches(next) != 0 { MATCHES } else { 0 };
        if !cleared {
            self.entries[row as usize + usize::from(self.classes[usize::from(byte)])] = next | tag;
        }
        Ok(next | tag)
    }

    /// Computes which patterns match if the record ends in the state of a row.
    pub(super) fn compute_end_matches(
        &mut self,
        dfa: &dfa::DFA,
        row: u32,
    ) -> Result<u64, TableFailure> {
        let number = (row >> self.shift) as usize;
        let id = self.ids[number];
        let end =
            dfa.next_eoi_state(&mut self.cache, id).map_err(|_| TableFailure::TooManyStates)?;
        let matches = self.matches_of(dfa, end)?;
        self.spend_transition()?;
        if !self.clear_with_cache() {
            self.end_matches[number] = Some(matches);
        }
        Ok(matches)
    }

    /// Returns the row of a state of the lazy DFA, which is added if it has none.
    fn row_of(&mut self, dfa: &dfa::DFA, id: LazyStateID) -> Result<u32, TableFailure> {
        if id.is_dead() {
            return Ok(DEAD);
        }
        if let Some(&row) = self.rows.get(&id) {
            return Ok(row);
        }
        let matches = self.matches_of(dfa, id)?;
        let row = self.entries.len() as u32;
        if self.entries.len() >= MATCHES as usize {
            // The row would reach into the tags.
            return Err(TableFailure::TooManyStates);
        }
        self.entries.resize(self.entries.len() + (1 << self.shift), row | UNKNOWN);
        self.matches.push(matches);
        self.end_matches.push(None);
        self.ids.push(id);
        self.rows.insert(id, row);
        Ok(row)
    }

    fn matches_of(&self, dfa: &dfa::DFA, id: LazyStateID) -> Result<u64, TableFailure> {
        if id.is_quit() {
            return Err(TableFailure::Quit);
        }
        let mut matches = 0;
        if id.is_match() {
            for index in 0..dfa.match_len(&self.cache, id) {
                matches |= 1 << dfa.match_pattern(&self.cache, id, index).as_usize();
            }
        }
        Ok(matches)
    }

    /// Empties the table if the lazy DFA has cleared its cache since. Returns whether it has.
    fn clear_with_cache(&mut self) -> bool {
        let cleared = self.cache.clear_count() != self.clears;
        if cleared {
            self.clears = self.cache.clear_count();
            self.clear();
        }
        cleared
    }

    /// Empties the table and the cache of the lazy DFA, and frees their memory.
    pub(super) fn reset(&mut self, dfa: &dfa::DFA) {
        self.cache = dfa.create_cache();
        self.clears = self.cache.clear_count();
        self.clear();
    }

    /// Empties the table, except for the dead state.
    fn clear(&mut self) {
        self.entries = vec![DEAD; 1 << self.shift];
        (self.matches, self.end_matches) = (vec![0], vec![Some(0)]);
        // The id of the dead state is never used, because all its entries are known.
        self.ids = vec![LazyStateID::default()];
        self.rows = HashMap::new();
        self.start = None;
    }

    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        self.cache.memory_usage()
            + self.entries.capacity() * size_of::<u32>()
            + self.matches.capacity() * size_of::<u64>()
            + self.end_matches.capacity() * size_of::<Option<u64>>()
            + self.ids.capacity() * size_of::<LazyStateID>()
            // The standard hash map keeps an eighth of its slots free, and a control byte for each.
            + self.rows.capacity() * (size_of::<(LazyStateID, u32)>() + 1) * 8 / 7
    }
}

#[cfg(test)]
mod tests {
    use regex_automata::MatchKind;

    use super::super::lazy_dfa;
    use super::*;

    /// The patterns that match, as bits: at each byte of a text, and at its end.
    fn matches_along(table: &mut DfaTable, dfa: &dfa::DFA, text: &[u8]) -> Vec<u64> {
        // These texts are too short for their transitions, which is not what is tested here.
        table.budget = u64::MAX;
        let mut row = table.known_start().unwrap_or_else(|| table.compute_start(dfa).unwrap());
        let mut found = Vec::new();
        for &byte in text {
            let class = usize::from(table.classes()[usize::from(byte)]);
            let mut entry = table.entries()[row as usize + class];
            if entry & UNKNOWN != 0 {
                entry = table.compute_entry(dfa, row, byte).unwrap();
            }
            row = entry & !TAGS;
            assert_eq!(entry & MATCHES != 0, table.matches(row) != 0);
            found.push(table.matches(row));
        }
        let end = table.known_end_matches(row);
        found.push(end.unwrap_or_else(|| table.compute_end_matches(dfa, row).unwrap()));
        found
    }

    #[test]
    fn cleared_states_are_computed_again() {
        let hirs = ["[ab]*a[ab]{8}", "[ab]*b[ab]{7}a", "(?:ab|b)*"].map(|pattern| {
            let pattern = format!("(?-u:{pattern})");
            regex_syntax::ParserBuilder::new().utf8(false).build().parse(&pattern).unwrap()
        });
        let nfa = lazy_dfa::compile(&hirs.each_ref());
        let dfa = |capacity| lazy_dfa::build(nfa.clone(), MatchKind::All, capacity, None).unwrap();
        let (small, large) = (dfa(0), dfa(1 << 24));
        let (mut cleared, mut complete) = (DfaTable::new(&small), DfaTable::new(&large));
        let mut seed = 1_u32;
        for len in 0..200 {
            let text: Vec<u8> = (0..len)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    b"ab"[(seed >> 31) as usize]
                })
                .collect();
            assert_eq!(
                matches_along(&mut cleared, &small, &text),
                matches_along(&mut complete, &large, &text),
                "{len}"
            );
        }
        let clears = cleared.cache.clear_count();
        assert!(clears > 100, "the cache was cleared {clears} times");
        assert_eq!(complete.cache.clear_count(), 0);
    }
}
