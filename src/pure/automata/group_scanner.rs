//! The groups that read every record, as a scanner arranges them.
//!
//! A DFA over many patterns saves passes as long as it meets few states. What it meets shows only
//! in the records, so groups are changed on the way: one whose DFA keeps on meeting new states is
//! divided, those with few states are joined, and patterns that match all the time are put apart.

use std::sync::Arc;

use regex_syntax::hir::Hir;

use super::dfa_group::{ALL_CACHES, Group};
use super::dfa_table::{Failure, Table};
use super::interleave::{LANES, Memory, Walker, walk_some};
use super::shift_and::Chain;

/// After so many bytes in which no group was divided, groups with few states are joined.
const SETTLED: usize = if cfg!(test) { 200 } else { 256 << 10 };
/// A group that comes to matches it has found already more often than once in so many bytes is
/// parted from the patterns that these are of.
const BYTES_PER_REPEAT: usize = 16;
/// Two groups with more states than this are not joined.
const MAX_JOINED_STATES: usize = 1024;

/// The groups that read every record, as far as one scanner has divided and joined them.
pub(crate) struct Walkers {
    list: Vec<Walker>,
    /// Groups that have no table yet, and whether they are not to be joined with others.
    waiting: Vec<(Arc<Group>, bool)>,
    /// Patterns whose DFAs meet too many states even alone: those that are chains, and others.
    chains: Vec<(crate::pure::ids::PatternIndex, Chain)>,
    alone: Vec<crate::pure::ids::PatternIndex>,
    /// How many bytes were read since a group was last divided or joined.
    settled: usize,
    /// What all tables take, in bytes.
    memory: Memory,
}

impl Walkers {
    pub(crate) fn new(groups: &[Arc<Group>]) -> Walkers {
        let memory = Memory { used: 0, limit: ALL_CACHES };
        let waiting = groups.iter().rev().map(|group| (group.clone(), false)).collect();
        let (list, chains, alone) = (Vec::new(), Vec::new(), Vec::new());
        Walkers { list, waiting, chains, alone, settled: 0, memory }
    }

    /// Appends to `out` the patterns of all groups that match in `record`, but those of which each
    /// has to be asked alone; these go to `ask`. Returns how many steps automata took.
    pub(crate) fn which(
        &mut self,
        trimmed: &[Hir],
        record: &[u8],
        out: &mut Vec<crate::pure::ids::PatternIndex>,
        ask: &mut Vec<crate::pure::ids::PatternIndex>,
    ) -> u64 {
        if self.memory.used > self.memory.limit {
            for walker in &mut self.list {
                if let Some(dfa) = walker.group.dfa(trimmed) {
                    walker.table.drop_states(dfa);
                }
            }
            self.count_memory();
        }
        self.settled += record.len();
        if self.settled >= SETTLED {
            self.settled = 0;
            self.part(trimmed);
            self.join();
        }
        let mut walks = self.list.len();
        for some in self.list.chunks_mut(LANES) {
            walk_some(some, trimmed, record, &mut self.memory);
        }
        let mut grown = false;
        for walker in &self.list {
            grown |= walker.tell(out, ask);
        }
        if grown {
            let grown = self.list.extract_if(.., |w| w.failure == Some(Failure::Grown));
            for walker in grown.collect::<Vec<_>>() {
                self.divide(&walker.group, trimmed);
            }
        }
        if !self.waiting.is_empty() {
            walks += self.settle(trimmed, record, out, ask);
        }
        for (pattern, chain) in &self.chains {
            walks += 1;
            if chain.is_match(record) {
                if chain.exact { &mut *out } else { &mut *ask }.push(*pattern);
            }
        }
        ask.extend(&self.alone);
        (walks * (record.len() + 1)) as u64
    }

    /// Makes tables for the groups that have none, and reads `record` with them. Returns how often
    /// it was read.
    fn settle(
        &mut self,
        trimmed: &[Hir],
        record: &[u8],
        out: &mut Vec<crate::pure::ids::PatternIndex>,
        ask: &mut Vec<crate::pure::ids::PatternIndex>,
    ) -> usize {
        let mut walks = 0;
        while let Some((group, apart)) = self.waiting.pop() {
            let walker = group.dfa(trimmed).map(|dfa| {
                let mut walker = Walker::new(group.clone(), Table::new(dfa), apart);
                walk_some(std::slice::from_mut(&mut walker), trimmed, record, &mut self.memory);
                walks += 1;
                walker
            });
            match walker {
                Some(walker) if !walker.tell(out, ask) => self.list.push(walker),
                _ => self.divide(&group, trimmed),
            }
        }
        // Those that can be dead early side by side.
        self.list.sort_by_key(|walker| walker.group.kind);
        self.count_memory();
        walks
    }

    /// Lets the parts of a group wait for their tables.
    fn divide(&mut self, group: &Group, trimmed: &[Hir]) {
        self.settled = 0;
        match group.parts(trimmed) {
            Some(parts) => self.waiting.extend(parts.clone().map(|part| (part, group.joined))),
            None => {
                for &member in &group.members {
                    match Chain::new(&trimmed[member.index()]) {
                        Some(chain) => self.chains.push((member, chain)),
                        None => self.alone.push(member),
                    }
                }
            }
        }
    }

    /// Parts groups from patterns that match so often that taking note of it holds them up.
    fn part(&mut self, trimmed: &[Hir]) {
        let often = |walker: &mut Walker| {
            let repeated = std::mem::take(&mut walker.repeats) > SETTLED / BYTES_PER_REPEAT;
            if !repeated {
                walker.repeated = 0;
            }
            repeated
        };
        for walker in self.list.extract_if(.., often) {
            let parts = walker.group.part(trimmed, walker.repeated).into_iter().flatten();
            self.waiting.extend(parts.map(|part| (Arc::new(part), walker.apart)));
        }
    }

    /// Joins groups with few states, two and two.
    fn join(&mut self) {
        self.list.sort_by_key(|w| (w.group.kind, w.apart, w.table.states()));
        let mut rest = std::mem::take(&mut self.list).into_iter().peekable();
        while let Some(walker) = rest.next() {
            let fits = |next: &&Walker| {
                let states = walker.table.states() + next.table.states();
                !walker.apart && !next.apart && states <= MAX_JOINED_STATES
            };
            let next = rest.peek().filter(fits);
            match next.and_then(|next| Group::join(&walker.group, &next.group)) {
                Some(joined) => {
                    rest.next();
                    self.waiting.push((Arc::new(joined), false));
                }
                None => self.list.push(walker),
            }
        }
        self.count_memory();
    }

    fn count_memory(&mut self) {
        self.memory.used = self.list.iter().map(|walker| walker.table.memory()).sum();
    }

    /// Memory in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.memory.used + self.chains.iter().map(|(_, chain)| chain.memory()).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex_automata::nfa::thompson::pikevm::PikeVM;

    use super::super::{dfa_group, lazy_dfa};
    use super::*;

    /// Such as forget soon, remember, match often, never, and at either end; and one with a
    /// Unicode word boundary, which a DFA can't always tell.
    const PATTERNS: [&str; 15] = [
        "(?-u)a.b",
        "(?-u)^b",
        "(?-u)^[ab]*c$",
        "(?-u)a[^c]*ca",
        "(?-u)b(?s:.)*bb",
        r"\bc\b",
        "(?-u)[ab]{3}",
        "(?-u)c$",
        "(?-u)a(?s:.){9}c",
        "(?-u)ca|bb",
        "(?-u)^(?:ab|c)+$",
        "x",
        "(?-u)b[ab]{12}b",
        "(?-u)b(?:[ab]{13}a|ca)",
        "(?-u)^a(?s:.)*c",
    ];

    fn parse() -> Vec<Hir> {
        let parser = regex_syntax::ParserBuilder::new().utf8(false).build();
        PATTERNS.iter().map(|pattern| parser.clone().parse(pattern).unwrap()).collect()
    }

    /// The walkers after they have read `records`, each of which has to tell what the oracle does.
    fn check(records: &[Vec<u8>], limit: usize) -> Walkers {
        let hirs = parse();
        let groups = dfa_group::groups((0..).zip(&hirs).collect());
        let mut walkers = Walkers::new(&groups);
        walkers.memory.limit = limit;
        let oracles: Vec<PikeVM> = hirs
            .iter()
            .map(|hir| PikeVM::new_from_nfa(lazy_dfa::compile(&[hir], false)).unwrap())
            .collect();
        let matches = |pattern: usize, record: &[u8]| {
            oracles[pattern].is_match(&mut oracles[pattern].create_cache(), record)
        };
        for record in records {
            let (mut found, mut ask) = (Vec::new(), Vec::new());
            walkers.which(&hirs, record, &mut found, &mut ask);
            found.extend(ask.into_iter().filter(|&pattern| matches(pattern as usize, record)));
            found.sort();
            let all = 0..hirs.len();
            let expected: Vec<crate::pure::ids::PatternIndex> =
                all.filter(|&p| matches(p, record)).map(|p| p as u32).collect();
            assert_eq!(found, expected, "{}", record.escape_ascii());
        }
        walkers
    }

    fn records() -> impl Strategy<Value = Vec<Vec<u8>>> {
        let byte = prop::sample::select(&b"aaaabbbbccc \n\xC3\xA9"[..]);
        prop::collection::vec(prop::collection::vec(byte, 0..90), 0..60)
    }

    proptest! {
        #[test]
        fn groups_tell_what_each_pattern_does(records in records()) {
            check(&records, ALL_CACHES);
        }

        #[test]
        fn little_memory_is_enough(records in records(), limit in 0usize..60_000) {
            check(&records, limit);
        }
    }

    #[test]
    fn groups_are_divided_and_joined() {
        // The bits of a number that changes all the time, which bring about ever new states.
        let mut seed = 1u32;
        let mut noise = |len: usize| -> Vec<u8> {
            (0..len)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    b"ab"[(seed >> 31) as usize]
                })
                .collect()
        };
        let records: Vec<Vec<u8>> = (0..40).map(|_| noise(100)).collect();
        let walkers = check(&records, ALL_CACHES);
        assert!(!walkers.alone.is_empty() && !walkers.chains.is_empty());

        let walkers = check(&vec![b"abc".to_vec(); 2000], ALL_CACHES);
        assert!(walkers.list.iter().any(|walker| walker.group.joined));
        assert!(walkers.list.iter().all(|walker| !walker.group.kind.often));
        assert!(walkers.alone.is_empty());

        let walkers = check(&vec![b"abababababababab".to_vec(); 200], ALL_CACHES);
        let often = walkers.list.iter().filter(|walker| walker.group.kind.often);
        assert!(often.count() > 0 && walkers.list.iter().all(|walker| walker.repeats < 10));
    }
}
