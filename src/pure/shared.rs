//! Patterns without usable literals: many of them in one lazy DFA, which reads every record.

use regex_automata::hybrid::{LazyStateID, dfa};
use regex_automata::{Input, MatchKind, PatternSet as Found};
use regex_syntax::hir::Hir;

use crate::pattern;

use super::automaton;

/// The most patterns in a group, and the most NFA states, as a set's sizes count them. A DFA over
/// many patterns has up to the product of their states; lazy building meets few of them as long
/// as groups are small.
const MAX_MEMBERS: usize = 16;
const MAX_SIZE: u64 = 2000;
/// What the states of one group may take in each scanner.
const CACHE_CAPACITY: usize = 2 << 20;
/// A group that has given up this often is not tried again by the same scanner.
const MAX_FAILURES: u32 = 8;

/// A group of patterns in one lazy DFA.
#[derive(Debug)]
pub(super) struct Group {
    /// The patterns' positions in their engine.
    pub(super) members: Vec<u32>,
    dfa: Option<dfa::DFA>,
}

/// The working memory of a group.
#[derive(Debug)]
pub(super) struct Cache {
    dfa: Option<dfa::Cache>,
    found: Found,
    failures: u32,
}

/// Puts patterns into groups.
pub(super) fn groups<'h>(patterns: impl Iterator<Item = (u32, &'h Hir)>) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut members: Vec<u32> = Vec::new();
    let mut hirs: Vec<&Hir> = Vec::new();
    let mut total = 0u64;
    let mut close = |members: &mut Vec<u32>, hirs: &mut Vec<&Hir>| {
        if !members.is_empty() {
            let nfa = automaton::compile(hirs, false);
            let dfa = automaton::lazy_dfa_with_capacity(nfa, MatchKind::All, CACHE_CAPACITY);
            groups.push(Group { members: std::mem::take(members), dfa });
            hirs.clear();
        }
    };
    for (pattern, hir) in patterns {
        let size = pattern::size_of(hir);
        total = total.saturating_add(size);
        if members.len() == MAX_MEMBERS || total > MAX_SIZE {
            close(&mut members, &mut hirs);
            total = size;
        }
        members.push(pattern);
        hirs.push(hir);
    }
    close(&mut members, &mut hirs);
    groups
}

impl Group {
    pub(super) fn create_cache(&self) -> Cache {
        Cache {
            dfa: self.dfa.as_ref().map(dfa::DFA::create_cache),
            found: Found::new(self.members.len()),
            failures: 0,
        }
    }

    /// Appends the members that match in `record`, in no particular order, or returns `false` if
    /// each of them has to be asked alone.
    pub(super) fn which(&self, cache: &mut Cache, record: &[u8], out: &mut Vec<u32>) -> bool {
        let (Some(dfa), Some(dfa_cache)) = (&self.dfa, &mut cache.dfa) else { return false };
        if cache.failures >= MAX_FAILURES {
            return false;
        }
        cache.found.clear();
        if which(dfa, dfa_cache, record, &mut cache.found).is_none() {
            cache.failures += 1;
            return false;
        }
        out.extend(cache.found.iter().map(|member| self.members[member.as_usize()]));
        true
    }
}

/// Collects the patterns that match in `record`, or `None` if the DFA can't tell.
fn which(dfa: &dfa::DFA, cache: &mut dfa::Cache, record: &[u8], found: &mut Found) -> Option<()> {
    let mut state = dfa.start_state_forward(cache, &Input::new(record)).ok()?;
    let mut last = None;
    for &byte in record {
        state = dfa.next_state(cache, state, byte).ok()?;
        if state.is_tagged() {
            if state.is_match() {
                // A state that stays the same tells nothing new. Names of states are given anew
                // when the cache is cleared.
                let named = Some((state, cache.clear_count()));
                if last == named {
                    continue;
                }
                last = named;
                collect(dfa, cache, state, found);
                if found.is_full() {
                    return Some(());
                }
            } else if state.is_dead() {
                return Some(());
            } else if state.is_quit() {
                return None;
            }
        }
    }
    state = dfa.next_eoi_state(cache, state).ok()?;
    if state.is_match() {
        collect(dfa, cache, state, found);
    }
    (!state.is_quit()).then_some(())
}

fn collect(dfa: &dfa::DFA, cache: &dfa::Cache, state: LazyStateID, found: &mut Found) {
    for index in 0..dfa.match_len(cache, state) {
        found.insert(dfa.match_pattern(cache, state, index));
    }
}

impl Cache {
    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        self.dfa.as_ref().map_or(0, dfa::Cache::memory_usage)
    }
}
