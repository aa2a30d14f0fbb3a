//! Patterns without usable literals: many of them in one lazy DFA, which reads every record.

use std::sync::{Arc, OnceLock};

use regex_automata::hybrid::{LazyStateID, dfa};
use regex_automata::{Anchored, Input, MatchKind};
use regex_syntax::hir::{Dot, Hir, HirKind, Look, Repetition};

use crate::pattern;

use super::lazy_dfa;

/// The most patterns in a group at first, and the most NFA states, as a set's sizes count them. A
/// DFA over many patterns has up to the product of their states; lazy building meets few of them
/// as long as the patterns forget soon what they have read.
const GROUP: Limits = Limits { members: 32, size: 4000, give_up: None };
/// The same for patterns that may remember for long what they have read.
const FEW: Limits = Limits { members: 4, size: 2000, give_up: None };
/// The same for groups that were found to have few states and are joined.
const JOINED: Limits = Limits { members: 64, size: 8000, give_up: None };
/// The same for patterns that start with one literal: they are walked from there, and most are
/// ruled out by the next bytes.
const CROWD: Limits = Limits { members: 256, size: 20_000, give_up: lazy_dfa::GIVE_UP };
/// What the states of one group may take in each scanner, and those of all groups about.
pub(crate) const CACHE_CAPACITY: usize = 2 << 20;
pub(crate) const ALL_CACHES: usize = 64 << 20;
const LEAST_CAPACITY: usize = 64 << 10;
/// A crowd that has given up this often is not tried again by the same scanner.
const MAX_FAILURES: u32 = 8;

struct Limits {
    members: usize,
    size: u64,
    /// After how many times that its cache was cleared a group may give up, if it gets fewer bytes
    /// than a number out of each state. Groups that read records are divided instead.
    give_up: Option<(usize, usize)>,
}

/// A group of patterns in one lazy DFA, which is built when it is first needed.
#[derive(Debug)]
pub(crate) struct Group {
    /// The patterns' positions in their engine.
    pub(crate) members: Vec<crate::pure::ids::PatternIndex>,
    pub(crate) kind: Kind,
    /// Whether it was joined from two others.
    pub(crate) joined: bool,
    /// How many NFA states the members have, about.
    size: u64,
    dfa: OnceLock<Option<dfa::DFA>>,
    capacity: usize,
    /// When it may give up.
    give_up: Option<(usize, usize)>,
    /// What it is divided into if it has too many states.
    parts: OnceLock<[Arc<Group>; 2]>,
}

/// The working memory of a crowd.
#[derive(Debug)]
pub(crate) struct Cache {
    dfa: Option<dfa::Cache>,
    found: Found,
    failures: u32,
}

/// Some members of a group, in the order in which they were found.
#[derive(Debug)]
struct Found {
    list: Vec<u32>,
    is_in: Vec<bool>,
}

impl Found {
    fn new(members: usize) -> Found {
        Found { list: Vec::new(), is_in: vec![false; members] }
    }

    fn insert(&mut self, member: usize) {
        if !std::mem::replace(&mut self.is_in[member], true) {
            self.list.push(member as u32);
        }
    }

    fn is_full(&self) -> bool {
        self.list.len() == self.is_in.len()
    }

    /// Takes time in proportion to how many there are.
    fn clear(&mut self) {
        for member in self.list.drain(..) {
            self.is_in[member as usize] = false;
        }
    }
}

/// Puts patterns into groups that read whole records.
pub(crate) fn groups(patterns: Vec<(crate::pure::ids::PatternIndex, &Hir)>) -> Vec<Arc<Group>> {
    let (long, short): (Vec<_>, Vec<_>) = patterns.into_iter().partition(|(_, hir)| remembers(hir));
    let groups =
        divide(short, &GROUP, CACHE_CAPACITY).into_iter().chain(divide(long, &FEW, CACHE_CAPACITY));
    groups.map(Arc::new).collect()
}

/// Puts patterns whose matches start with the same literal into groups. There are `count` such
/// literals.
pub(crate) fn crowds(
    patterns: Vec<(crate::pure::ids::PatternIndex, &Hir)>,
    count: usize,
) -> Vec<Group> {
    let groups = patterns.len().div_ceil(CROWD.members).saturating_mul(count).max(1);
    let capacity = (ALL_CACHES / groups).clamp(LEAST_CAPACITY, CACHE_CAPACITY);
    divide(patterns, &CROWD, capacity)
}

/// Whether a DFA may have to know of something it read long ago that it met the pattern's start.
pub(crate) fn remembers(hir: &Hir) -> bool {
    /// A repetition of up to so many is soon over.
    const SHORT: u32 = 8;
    match hir.kind() {
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => false,
        HirKind::Capture(capture) => remembers(&capture.sub),
        HirKind::Repetition(repetition) => {
            repetition.max.is_none_or(|max| max > SHORT) || remembers(&repetition.sub)
        }
        HirKind::Concat(subs) | HirKind::Alternation(subs) => subs.iter().any(remembers),
    }
}

/// The pattern and all that follows to the end of the record.
fn to_end(hir: &Hir) -> Hir {
    let (sub, greedy) = (Box::new(Hir::dot(Dot::AnyByte)), true);
    let rest = Hir::repetition(Repetition { min: 0, max: None, greedy, sub });
    Hir::concat(vec![hir.clone(), rest, Hir::look(Look::End)])
}

/// What patterns of one group have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kind {
    /// A DFA can't go on at a byte that is not ASCII if it has to tell a Unicode word boundary;
    /// patterns that do are kept from the others.
    unicode: bool,
    /// Such patterns are often done with a record after a few bytes.
    from_start: bool,
    /// Patterns that match often. The states of their DFA remember which of them have matched, and
    /// tell it where the record ends, so that nothing has to be noted on the way. Such patterns
    /// match so early and so often that these states are few.
    pub(crate) often: bool,
}

impl Kind {
    fn of(hir: &Hir) -> Kind {
        let properties = hir.properties();
        Kind {
            unicode: properties.look_set().contains_word_unicode(),
            from_start: properties.look_set_prefix().contains(Look::Start),
            often: false,
        }
    }
}

fn divide(
    mut patterns: Vec<(crate::pure::ids::PatternIndex, &Hir)>,
    limits: &Limits,
    capacity: usize,
) -> Vec<Group> {
    patterns.sort_by_key(|(pattern, hir)| (Kind::of(hir), *pattern));
    let mut groups: Vec<Group> = Vec::new();
    for (pattern, hir) in patterns {
        let (kind, size) = (Kind::of(hir), pattern::size_of(hir));
        match groups.last_mut() {
            Some(group)
                if group.kind == kind
                    && group.members.len() < limits.members
                    && group.size.saturating_add(size) <= limits.size =>
            {
                group.members.push(pattern);
                group.size += size;
            }
            _ => groups.push(Group::new(vec![pattern], kind, size, capacity, limits.give_up)),
        }
    }
    groups
}

impl Group {
    fn new(
        members: Vec<crate::pure::ids::PatternIndex>,
        kind: Kind,
        size: u64,
        capacity: usize,
        give_up: Option<(usize, usize)>,
    ) -> Group {
        let (dfa, parts) = (OnceLock::new(), OnceLock::new());
        Group { members, kind, joined: false, size, dfa, capacity, give_up, parts }
    }

    /// The members of two groups, if they fit together. It is divided into these.
    pub(crate) fn join(first: &Arc<Group>, second: &Arc<Group>) -> Option<Group> {
        let members = [&first.members[..], &second.members].concat();
        let size = first.size.saturating_add(second.size);
        let fit =
            first.kind == second.kind && members.len() <= JOINED.members && size <= JOINED.size;
        fit.then(|| {
            let parts = OnceLock::from([first.clone(), second.clone()]);
            let joined = Group::new(members, first.kind, size, first.capacity, JOINED.give_up);
            Group { joined: true, parts, ..joined }
        })
    }

    pub(crate) fn create_cache(&self) -> Cache {
        Cache { dfa: None, found: Found::new(self.members.len()), failures: 0 }
    }

    /// The DFA of the members, given the patterns of the engine.
    pub(crate) fn dfa(&self, trimmed: &[Hir]) -> Option<&dfa::DFA> {
        self.dfa_of(&|member| &trimmed[member.index()])
    }

    /// As [`Group::dfa`], for a part of each member.
    fn dfa_of<'a>(
        &self,
        part: &dyn Fn(crate::pure::ids::PatternIndex) -> &'a Hir,
    ) -> Option<&dfa::DFA> {
        let build = || {
            let members = self.members.iter().map(|&member| part(member));
            let nfa = if self.kind.often {
                let hirs: Vec<Hir> = members.map(to_end).collect();
                lazy_dfa::compile(&hirs.iter().collect::<Vec<_>>(), false)
            } else {
                lazy_dfa::compile(&members.collect::<Vec<_>>(), false)
            };
            lazy_dfa::lazy_dfa_with(nfa, MatchKind::All, self.capacity, self.give_up)
        };
        self.dfa.get_or_init(build).as_ref()
    }

    /// The members whose bits are set, which match often, and the others.
    pub(crate) fn part(&self, trimmed: &[Hir], often: u64) -> [Option<Group>; 2] {
        [true, false].map(|part| {
            let bits = (0..u64::BITS).map(|bit| (often >> bit & 1 != 0) == part);
            let members = bits.zip(&self.members).filter(|(is, _)| *is).map(|(_, &member)| member);
            let members: Vec<crate::pure::ids::PatternIndex> = members.collect();
            let size = members.iter().map(|&m| pattern::size_of(&trimmed[m.index()])).sum();
            let kind = Kind { often: part || self.kind.often, ..self.kind };
            (!members.is_empty())
                .then(|| Group::new(members, kind, size, self.capacity, self.give_up))
        })
    }

    /// Its two parts, or `None` if there is one member alone.
    pub(crate) fn parts(&self, trimmed: &[Hir]) -> Option<&[Arc<Group>; 2]> {
        (self.members.len() > 1).then(|| {
            self.parts.get_or_init(|| {
                let (first, second) = self.members.split_at(self.members.len() / 2);
                [first, second].map(|half| {
                    let size = half.iter().map(|&m| pattern::size_of(&trimmed[m.index()])).sum();
                    let half = half.to_vec();
                    Arc::new(Group::new(half, self.kind, size, self.capacity, self.give_up))
                })
            })
        })
    }

    /// Appends the members of which `part` matches from `start` on in `record`, in no particular
    /// order, or returns `false` if each of them has to be asked alone. Adds to `steps` how many bytes were
    /// read.
    pub(crate) fn which_at<'a>(
        &self,
        part: &dyn Fn(crate::pure::ids::PatternIndex) -> &'a Hir,
        cache: &mut Cache,
        record: &[u8],
        start: usize,
        steps: &mut u64,
        out: &mut Vec<crate::pure::ids::PatternIndex>,
    ) -> bool {
        if cache.failures >= MAX_FAILURES {
            return false;
        }
        let Some(dfa) = self.dfa_of(part) else { return false };
        let dfa_cache = cache.dfa.get_or_insert_with(|| dfa.create_cache());
        cache.found.clear();
        let input = Input::new(record).range(start..).anchored(Anchored::Yes);
        if which(dfa, dfa_cache, &input, &mut cache.found, steps).is_none() {
            cache.failures += 1;
            return false;
        }
        out.extend(cache.found.list.iter().map(|&member| self.members[member as usize]));
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
        let next = dfa.next_state(cache, state, byte).ok()?;
        if next == state && !next.is_tagged() {
            // It tells nothing new, and the next step need not wait for this one.
            continue;
        }
        state = next;
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
        found.insert(dfa.match_pattern(cache, state, index).as_usize());
    }
}

impl Cache {
    /// Memory in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.dfa.as_ref().map_or(0, dfa::Cache::memory_usage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_have_patterns_of_a_kind_and_keep_their_limits() {
        let parse = |pattern: &str| {
            regex_syntax::ParserBuilder::new().utf8(false).build().parse(pattern).unwrap()
        };
        let hirs =
            [r"\bx", "a{9}", "^b", "c{9}", r"\by", "d{9}", "e{30}", "f", "^g", "h"].map(parse);
        let size = |number: u32| pattern::size_of(&hirs[number as usize]);
        let patterns = || (0..).zip(&hirs).collect::<Vec<_>>();
        for (members, limit) in [(10, u64::MAX), (2, u64::MAX), (10, size(1) + size(3)), (3, 1)] {
            let limits = Limits { members, size: limit, give_up: None };
            let groups = divide(patterns(), &limits, CACHE_CAPACITY);
            for group in &groups {
                let total: u64 = group.members.iter().map(|&m| size(m)).sum();
                assert_eq!(group.size, total);
                assert!(group.members.len() <= members);
                assert!(total <= limit || group.members.len() == 1, "{:?}", group.members);
                for &member in &group.members {
                    assert_eq!(Kind::of(&hirs[member as usize]), group.kind);
                }
            }
            // None is there twice or left out, and no two neighbors of a kind would fit in one.
            let mut all: Vec<crate::pure::ids::PatternIndex> =
                groups.iter().flat_map(|g| g.members.clone()).collect();
            all.sort_unstable();
            assert_eq!(all, (0..10).collect::<Vec<_>>());
            for pair in groups.windows(2) {
                let next = size(pair[1].members[0]);
                assert!(
                    pair[0].kind != pair[1].kind
                        || pair[0].members.len() == members
                        || pair[0].size.saturating_add(next) > limit
                );
            }
        }
    }
}
