//! Patterns without usable literals: many of them in one lazy DFA, which reads every record.

use std::sync::OnceLock;

use regex_automata::hybrid::{LazyStateID, dfa};
use regex_automata::{Anchored, Input, MatchKind, PatternSet as Found};
use regex_syntax::hir::Hir;

use crate::pattern;

use super::automaton;

/// The most patterns in a group, and the most NFA states, as a set's sizes count them. A DFA over
/// many patterns has up to the product of their states; lazy building meets few of them as long
/// as groups are small.
const GROUP: Limits = Limits { members: 16, size: 2000 };
/// The same for patterns that start with one literal: they are walked from there, and most are
/// ruled out by the next bytes.
const CROWD: Limits = Limits { members: 256, size: 20_000 };
/// What the states of one group may take in each scanner, and those of all groups about.
const CACHE_CAPACITY: usize = 2 << 20;
const ALL_CACHES: usize = 64 << 20;
const LEAST_CAPACITY: usize = 64 << 10;
/// A group that has given up this often is not tried again by the same scanner.
const MAX_FAILURES: u32 = 8;

struct Limits {
    members: usize,
    size: u64,
}

/// A group of patterns in one lazy DFA, which is built when it is first needed.
#[derive(Debug)]
pub(super) struct Group {
    /// The patterns' positions in their engine.
    pub(super) members: Vec<u32>,
    dfa: OnceLock<Option<dfa::DFA>>,
    capacity: usize,
}

/// The working memory of a group.
#[derive(Debug)]
pub(super) struct Cache {
    dfa: Option<dfa::Cache>,
    found: Found,
    failures: u32,
}

/// Puts patterns into groups that read whole records.
pub(super) fn groups(patterns: Vec<(u32, &Hir)>) -> Vec<Group> {
    divide(patterns, &GROUP)
}

/// Puts patterns whose matches start with the same literal into groups.
pub(super) fn crowds(patterns: Vec<(u32, &Hir)>) -> Vec<Group> {
    divide(patterns, &CROWD)
}

fn divide(mut patterns: Vec<(u32, &Hir)>, limits: &Limits) -> Vec<Group> {
    // A DFA can't go on at a byte that is not ASCII if it has to tell a Unicode word boundary;
    // patterns that do are kept from the others.
    let unicode = |hir: &Hir| hir.properties().look_set().contains_word_unicode();
    patterns.sort_by_key(|(pattern, hir)| (unicode(hir), *pattern));
    let capacity = (ALL_CACHES / patterns.len().div_ceil(limits.members).max(1))
        .clamp(LEAST_CAPACITY, CACHE_CAPACITY);
    let mut groups: Vec<Group> = Vec::new();
    let (mut kind, mut total) = (None, 0u64);
    for (pattern, hir) in patterns {
        let size = pattern::size_of(hir);
        total = total.saturating_add(size);
        let same = kind.replace(unicode(hir)) == Some(unicode(hir));
        match groups.last_mut() {
            Some(group) if same && group.members.len() < limits.members && total <= limits.size => {
                group.members.push(pattern);
            }
            _ => {
                groups.push(Group { members: vec![pattern], dfa: OnceLock::new(), capacity });
                total = size;
            }
        }
    }
    groups
}

impl Group {
    pub(super) fn create_cache(&self) -> Cache {
        Cache { dfa: None, found: Found::new(self.members.len()), failures: 0 }
    }

    /// The DFA of the members, given the patterns of the engine.
    fn dfa(&self, trimmed: &[Hir]) -> Option<&dfa::DFA> {
        let build = || {
            let hirs: Vec<&Hir> = self.members.iter().map(|&m| &trimmed[m as usize]).collect();
            let nfa = automaton::compile(&hirs, false);
            automaton::lazy_dfa_with_capacity(nfa, MatchKind::All, self.capacity)
        };
        self.dfa.get_or_init(build).as_ref()
    }

    /// Appends the members that match in `record`, in no particular order, or returns `false` if
    /// each of them has to be asked alone.
    pub(super) fn which(
        &self,
        trimmed: &[Hir],
        cache: &mut Cache,
        record: &[u8],
        out: &mut Vec<u32>,
    ) -> bool {
        self.walk(trimmed, cache, &Input::new(record), &mut 0, out)
    }

    /// As [`Group::which`], for matches that start at `start` alone. Adds to `steps` how many
    /// bytes were read.
    pub(super) fn which_at(
        &self,
        trimmed: &[Hir],
        cache: &mut Cache,
        record: &[u8],
        start: usize,
        steps: &mut u64,
        out: &mut Vec<u32>,
    ) -> bool {
        let input = Input::new(record).range(start..).anchored(Anchored::Yes);
        self.walk(trimmed, cache, &input, steps, out)
    }

    fn walk(
        &self,
        trimmed: &[Hir],
        cache: &mut Cache,
        input: &Input<'_>,
        steps: &mut u64,
        out: &mut Vec<u32>,
    ) -> bool {
        if cache.failures >= MAX_FAILURES {
            return false;
        }
        let Some(dfa) = self.dfa(trimmed) else { return false };
        let dfa_cache = cache.dfa.get_or_insert_with(|| dfa.create_cache());
        cache.found.clear();
        if which(dfa, dfa_cache, input, &mut cache.found, steps).is_none() {
            cache.failures += 1;
            return false;
        }
        out.extend(cache.found.iter().map(|member| self.members[member.as_usize()]));
        true
    }
}

/// Collects the patterns that match in `input`, which goes on to the end of its record, or `None`
/// if the DFA can't tell.
fn which(
    dfa: &dfa::DFA,
    cache: &mut dfa::Cache,
    input: &Input<'_>,
    found: &mut Found,
    steps: &mut u64,
) -> Option<()> {
    let mut state = dfa.start_state_forward(cache, input).ok()?;
    let mut last = None;
    for &byte in &input.haystack()[input.get_range()] {
        *steps += 1;
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
