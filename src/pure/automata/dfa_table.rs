//! The part of a lazy DFA that is known, as a table that takes few instructions for a step.

use std::collections::HashMap;

use regex_automata::Input;
use regex_automata::hybrid::{LazyStateID, dfa};

/// Of an entry: the transition is not known yet. The rest of the entry is the row that it is in.
pub(crate) const UNKNOWN: u32 = 1 << 31;
/// Of an entry: patterns match on entering the state.
pub(crate) const MATCHES: u32 = 1 << 30;
pub(crate) const TAGS: u32 = UNKNOWN | MATCHES;
/// The row of the state that nothing matches from. All its entries lead back to it.
pub(crate) const DEAD: u32 = 0;

/// To find out a transition takes about as long as this many steps. So many bytes have to be read
/// for each that is found out, but for the first.
const BYTES_PER_TRANSITION: u64 = 1024;
const FREE_TRANSITIONS: u64 = if cfg!(test) { 60 } else { 8192 };
const CREDIT: u64 = FREE_TRANSITIONS * BYTES_PER_TRANSITION;

/// Why a DFA can't tell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Failure {
    /// It met a byte that it can't take in.
    Quit,
    /// It meets too many states.
    Grown,
    /// All tables together have too many.
    Full,
}

/// The known part of a DFA over up to 64 patterns.
pub(crate) struct Table {
    /// The entry for a row and a class of bytes is at their sum: the row of the next state, and
    /// tags.
    entries: Vec<u32>,
    classes: [u8; 256],
    /// A state's row is its number, times two to the power of this.
    shift: u32,
    /// By state: the patterns that match on entering it, as bits.
    matches: Vec<u64>,
    /// By state: the patterns that match where the record ends in it, if that is known.
    ends: Vec<Option<u64>>,
    /// By state: its name in the lazy DFA.
    names: Vec<LazyStateID>,
    rows: HashMap<LazyStateID, u32>,
    start: Option<u32>,
    cache: dfa::Cache,
    /// How often the lazy DFA had dropped its states when the table was begun.
    clears: usize,
    /// How many bytes may still be used up finding out transitions.
    credit: u64,
}

impl Table {
    pub(crate) fn new(dfa: &dfa::DFA) -> Table {
        let cache = dfa.create_cache();
        let classes = dfa.byte_classes();
        let mut table = Table {
            entries: Vec::new(),
            classes: std::array::from_fn(|byte| classes.get(byte as u8)),
            shift: classes.stride2() as u32,
            matches: Vec::new(),
            ends: Vec::new(),
            names: Vec::new(),
            rows: HashMap::new(),
            start: None,
            clears: cache.clear_count(),
            cache,
            credit: CREDIT,
        };
        table.clear();
        table
    }

    pub(crate) fn entries(&self) -> &[u32] {
        &self.entries
    }

    pub(crate) fn classes(&self) -> &[u8; 256] {
        &self.classes
    }

    /// The patterns that match on entering the state of a row, as bits.
    pub(crate) fn matches(&self, row: u32) -> u64 {
        self.matches[(row >> self.shift) as usize]
    }

    /// The patterns that match where the record ends in a state, if that is known.
    pub(crate) fn known_end(&self, row: u32) -> Option<u64> {
        self.ends[(row >> self.shift) as usize]
    }

    /// The row of the state that records are begun in, if that is known.
    pub(crate) fn known_start(&self) -> Option<u32> {
        self.start
    }

    /// How many states are known.
    pub(crate) fn states(&self) -> usize {
        self.names.len()
    }

    /// Takes in that so many bytes are going to be read.
    pub(crate) fn earn(&mut self, bytes: usize) {
        self.credit = self.credit.saturating_add(bytes as u64).min(CREDIT);
    }

    fn pay(&mut self) -> Result<(), Failure> {
        self.credit = self.credit.checked_sub(BYTES_PER_TRANSITION).ok_or(Failure::Grown)?;
        Ok(())
    }

    /// Finds out the row of the state that records are begun in.
    pub(crate) fn start(&mut self, dfa: &dfa::DFA) -> Result<u32, Failure> {
        let input = Input::new("");
        let name = dfa.start_state_forward(&mut self.cache, &input).map_err(|_| Failure::Quit)?;
        self.keep_up();
        let row = self.row(dfa, name)?;
        self.start = Some(row);
        Ok(row)
    }

    /// Finds out the entry for a row and a byte.
    pub(crate) fn find_out(&mut self, dfa: &dfa::DFA, row: u32, byte: u8) -> Result<u32, Failure> {
        let name = self.names[(row >> self.shift) as usize];
        let next = dfa.next_state(&mut self.cache, name, byte).map_err(|_| Failure::Grown)?;
        let dropped = self.keep_up();
        let next = self.row(dfa, next)?;
        self.pay()?;
        let tag = if self.matches(next) != 0 { MATCHES } else { 0 };
        if !dropped {
            self.entries[row as usize + usize::from(self.classes[usize::from(byte)])] = next | tag;
        }
        Ok(next | tag)
    }

    /// Finds out which patterns match where the record ends in the state of a row.
    pub(crate) fn find_end(&mut self, dfa: &dfa::DFA, row: u32) -> Result<u64, Failure> {
        let number = (row >> self.shift) as usize;
        let name = self.names[number];
        let end = dfa.next_eoi_state(&mut self.cache, name).map_err(|_| Failure::Grown)?;
        let matches = self.matches_of(dfa, end)?;
        self.pay()?;
        if !self.keep_up() {
            self.ends[number] = Some(matches);
        }
        Ok(matches)
    }

    /// The row of a state of the lazy DFA.
    fn row(&mut self, dfa: &dfa::DFA, name: LazyStateID) -> Result<u32, Failure> {
        if name.is_dead() {
            return Ok(DEAD);
        }
        if let Some(&row) = self.rows.get(&name) {
            return Ok(row);
        }
        let matches = self.matches_of(dfa, name)?;
        let row = self.entries.len() as u32;
        if self.entries.len() >= MATCHES as usize {
            return Err(Failure::Grown);
        }
        self.entries.resize(self.entries.len() + (1 << self.shift), row | UNKNOWN);
        self.matches.push(matches);
        self.ends.push(None);
        self.names.push(name);
        self.rows.insert(name, row);
        Ok(row)
    }

    fn matches_of(&self, dfa: &dfa::DFA, name: LazyStateID) -> Result<u64, Failure> {
        if name.is_quit() {
            return Err(Failure::Quit);
        }
        let mut matches = 0;
        if name.is_match() {
            for index in 0..dfa.match_len(&self.cache, name) {
                matches |= 1 << dfa.match_pattern(&self.cache, name, index).as_usize();
            }
        }
        Ok(matches)
    }

    /// Begins the table anew if the lazy DFA has dropped its states. Returns whether it has.
    fn keep_up(&mut self) -> bool {
        let dropped = self.cache.clear_count() != self.clears;
        if dropped {
            self.clears = self.cache.clear_count();
            self.clear();
        }
        dropped
    }

    /// Drops all that is known.
    pub(crate) fn drop_states(&mut self, dfa: &dfa::DFA) {
        self.cache = dfa.create_cache();
        self.clears = self.cache.clear_count();
        self.clear();
    }

    fn clear(&mut self) {
        self.entries = vec![DEAD; 1 << self.shift];
        (self.matches, self.ends) = (vec![0], vec![Some(0)]);
        // The dead state is never asked for.
        self.names = vec![LazyStateID::default()];
        self.rows = HashMap::new();
        self.start = None;
    }

    /// Memory in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.cache.memory_usage()
            + self.entries.capacity() * size_of::<u32>()
            + self.matches.capacity() * size_of::<u64>()
            + self.ends.capacity() * size_of::<Option<u64>>()
            + self.names.capacity() * size_of::<LazyStateID>()
            // A hash table keeps a part of its room free, and a byte for each place.
            + self.rows.capacity() * (size_of::<(LazyStateID, u32)>() + 1) * 8 / 7
    }
}

#[cfg(test)]
mod tests {
    use regex_automata::MatchKind;

    use super::super::lazy_dfa;
    use super::*;

    /// The patterns that match, at each byte and at the end of a text.
    fn walk(table: &mut Table, dfa: &dfa::DFA, text: &[u8]) -> Vec<u64> {
        // Whether there is too little to read for so many transitions is not the question here.
        table.credit = u64::MAX;
        let mut row = table.known_start().unwrap_or_else(|| table.start(dfa).unwrap());
        let mut found = Vec::new();
        for &byte in text {
            let class = usize::from(table.classes()[usize::from(byte)]);
            let mut entry = table.entries()[row as usize + class];
            if entry & UNKNOWN != 0 {
                entry = table.find_out(dfa, row, byte).unwrap();
            }
            row = entry & !TAGS;
            assert_eq!(entry & MATCHES != 0, table.matches(row) != 0);
            found.push(table.matches(row));
        }
        found.push(table.known_end(row).unwrap_or_else(|| table.find_end(dfa, row).unwrap()));
        found
    }

    #[test]
    fn states_that_the_lazy_dfa_drops_are_found_out_again() {
        let hirs = ["[ab]*a[ab]{8}", "[ab]*b[ab]{7}a", "(?:ab|b)*"].map(|pattern| {
            let pattern = format!("(?-u:{pattern})");
            regex_syntax::ParserBuilder::new().utf8(false).build().parse(&pattern).unwrap()
        });
        let nfa = lazy_dfa::compile(&hirs.each_ref(), false);
        let dfa = |capacity| {
            lazy_dfa::lazy_dfa_with(nfa.clone(), MatchKind::All, capacity, None).unwrap()
        };
        let (small, large) = (dfa(0), dfa(1 << 24));
        let (mut some, mut all) = (Table::new(&small), Table::new(&large));
        let mut seed = 1_u32;
        for len in 0..200 {
            let text: Vec<u8> = (0..len)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    b"ab"[(seed >> 31) as usize]
                })
                .collect();
            assert_eq!(walk(&mut some, &small, &text), walk(&mut all, &large, &text), "{len}");
        }
        assert!(some.cache.clear_count() > 100, "{} drops", some.cache.clear_count());
        assert_eq!(all.cache.clear_count(), 0);
    }
}
