//! A group of patterns that share one lazy DFA, so that one pass decides which of them match.
//!
//! The DFA has the patterns' union as its NFA and keeps all matches, and its match states name the
//! patterns. One pass over a record then costs as much for the group as for a single pattern,
//! which makes groups the way to search for the patterns without a filter, in whole records
//! ([`group_scanner`](super::group_scanner)), and for the many patterns that are found by the same
//! literal, from one position on ([`anchored_group`](super::anchored_group)).
//!
//! # Limits
//!
//! The DFA of a union can have as many states as the product of its members' states. Determinizing
//! lazily builds only those that the input reaches. These are few if a state depends on the last
//! few bytes alone, as for `a.b`, and many if it also depends on bytes long before, as for `a.*b`.
//! The number cannot be predicted from the patterns, so a group that turns out to reach too many is
//! replaced by its [halves](DfaGroup::halves), and two that reach few are [joined](DfaGroup::join).

use std::sync::{Arc, OnceLock};

use regex_automata::MatchKind;
use regex_automata::hybrid::dfa;
use regex_syntax::hir::Hir;

use crate::pattern;
use crate::pure::ids::PatternIndex;
use crate::pure::literal::matches_only_at_start;

use super::determinizer::Determinizer;
use super::group_nfa::GroupNfa;
use super::lazy_dfa;

/// How large a group may be. A single pattern may exceed these limits.
pub(super) struct GroupLimits {
    /// Patterns in the group.
    pub(super) members: usize,
    /// NFA states of all members, as [`pattern::size_of`] estimates them.
    pub(super) size: u64,
}

/// The limits of a group that is joined from two which have few DFA states. Its members are at
/// most 64, because tables keep sets of members as the bits of a `u64`.
const JOINED: GroupLimits = GroupLimits { members: 64, size: 8000 };

/// A group of patterns with their lazy DFA, which is built on first use. Whole records and anchored
/// searches have one each: a group is searched in only one of the two ways.
#[derive(Debug)]
pub(crate) struct DfaGroup {
    pub(crate) members: Vec<PatternIndex>,
    pub(super) kind: GroupKind,
    /// Whether the group was joined from two others.
    pub(super) joined: bool,
    /// The NFA states of all members, as [`pattern::size_of`] estimates them.
    pub(super) size: u64,
    /// For whole records.
    determinizer: OnceLock<Option<Determinizer>>,
    /// For anchored searches.
    dfa: OnceLock<Option<dfa::DFA>>,
    /// The capacity of the cache for anchored searches, in bytes.
    capacity: usize,
    /// The groups that [`DfaGroup::halves`] returns.
    halves: OnceLock<[Arc<DfaGroup>; 2]>,
}

/// Properties that all members of a group share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct GroupKind {
    /// The members have Unicode word boundaries. Their DFA fails at any byte outside ASCII, so they
    /// are kept apart from patterns for which it would not.
    unicode_boundary: bool,
    /// The members match only at the start of a record. Their DFA is often dead after a few bytes,
    /// and the search stops there.
    from_start: bool,
    /// The members match often. Their DFA is that of `pattern(?s:.)*\z`, so that it remembers
    /// in its states which of them have matched, and reports all of them at the end of the record.
    /// Nothing has to be recorded at each match, and the additional states are few, because such
    /// patterns all match early.
    pub(super) frequent: bool,
}

impl GroupKind {
    pub(super) fn of(hir: &Hir) -> GroupKind {
        let properties = hir.properties();
        GroupKind {
            unicode_boundary: properties.look_set().contains_word_unicode(),
            from_start: matches_only_at_start(hir),
            frequent: false,
        }
    }
}

impl DfaGroup {
    pub(super) fn new(
        members: Vec<PatternIndex>,
        kind: GroupKind,
        size: u64,
        capacity: usize,
    ) -> DfaGroup {
        let (determinizer, dfa, halves) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        let joined = false;
        DfaGroup { members, kind, joined, size, determinizer, dfa, capacity, halves }
    }

    /// Adds a pattern of this size and of the group's kind. The DFA must not be built yet.
    pub(super) fn push(&mut self, pattern: PatternIndex, size: u64) {
        debug_assert!(self.dfa.get().is_none(), "the DFA would lack this pattern");
        self.members.push(pattern);
        self.size += size;
    }

    /// A group of the members of two groups, or `None` if they differ in kind or are too many. Its
    /// halves are the two groups.
    pub(super) fn join(first: &Arc<DfaGroup>, second: &Arc<DfaGroup>) -> Option<DfaGroup> {
        let members = [&first.members[..], &second.members].concat();
        let size = first.size.saturating_add(second.size);
        let fit =
            first.kind == second.kind && members.len() <= JOINED.members && size <= JOINED.size;
        fit.then(|| {
            let halves = OnceLock::from([first.clone(), second.clone()]);
            let joined = DfaGroup::new(members, first.kind, size, first.capacity);
            DfaGroup { joined: true, halves, ..joined }
        })
    }

    /// Computes the DFA of the members, given the trimmed patterns of the engine. `None` if their NFA
    /// is too large.
    pub(super) fn determinizer(&self, trimmed: &[Arc<Hir>]) -> Option<&Determinizer> {
        let build = || {
            let members: Vec<&Hir> =
                self.members.iter().map(|&member| &*trimmed[member.index()]).collect();
            GroupNfa::new(&members, self.kind.frequent).map(Determinizer::new)
        };
        self.determinizer.get_or_init(build).as_ref()
    }

    /// The lazy DFA of a part of each member. The part of a member must always be the same. `None`
    /// under the conditions of [`lazy_dfa::build`].
    pub(super) fn dfa_of<'a>(&self, part: &dyn Fn(PatternIndex) -> &'a Hir) -> Option<&dfa::DFA> {
        let build = || {
            let members: Vec<&Hir> = self.members.iter().map(|&member| part(member)).collect();
            lazy_dfa::build(lazy_dfa::compile(&members), MatchKind::All, self.capacity)
        };
        self.dfa.get_or_init(build).as_ref()
    }

    /// Heap memory in bytes, without the DFA for anchored searches and the halves.
    pub(crate) fn memory(&self) -> usize {
        let determinizer = self.determinizer.get().and_then(Option::as_ref);
        size_of_val(&self.members[..]) + determinizer.map_or(0, Determinizer::memory)
    }

    /// Splits the group into the members whose bits are set in `frequent`, which match often, and
    /// the others. A part without members is `None`.
    pub(super) fn split_frequent(
        &self,
        trimmed: &[Arc<Hir>],
        frequent: u64,
    ) -> [Option<DfaGroup>; 2] {
        [true, false].map(|often| {
            let selected = (0..u64::BITS).map(|bit| (frequent >> bit & 1 != 0) == often);
            let members = selected
                .zip(&self.members)
                .filter(|(selected, _)| *selected)
                .map(|(_, &member)| member);
            let members: Vec<PatternIndex> = members.collect();
            let size = size_of_all(&members, trimmed);
            let kind = GroupKind { frequent: often || self.kind.frequent, ..self.kind };
            (!members.is_empty()).then(|| DfaGroup::new(members, kind, size, self.capacity))
        })
    }

    /// The two groups to use in place of this one if its DFA has too many states, or `None` if it
    /// has a single member.
    pub(super) fn halves(&self, trimmed: &[Arc<Hir>]) -> Option<&[Arc<DfaGroup>; 2]> {
        (self.members.len() > 1).then(|| {
            self.halves.get_or_init(|| {
                let (first, second) = self.members.split_at(self.members.len() / 2);
                [first, second].map(|half| {
                    let size = size_of_all(half, trimmed);
                    let half = half.to_vec();
                    Arc::new(DfaGroup::new(half, self.kind, size, self.capacity))
                })
            })
        })
    }
}

fn size_of_all(members: &[PatternIndex], trimmed: &[Arc<Hir>]) -> u64 {
    members.iter().map(|member| pattern::size_of(&trimmed[member.index()])).sum()
}
