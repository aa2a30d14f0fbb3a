//! Divides patterns into [groups](super::dfa_group) before any input has been read.
//!
//! Patterns of the same [kind](GroupKind) are put into groups in their order, each as large as its
//! limits allow. The limits are a guess at how many DFA states the members reach together: the
//! states of patterns with [long repetitions](has_long_repetition) multiply in one DFA, so each of
//! these patterns gets a group of its own, except for those that [start with the same
//! part](same_start). Groups that read whole records are divided and joined later by what they
//! actually reach; see [`group_scanner`](super::group_scanner).

use std::collections::HashMap;
use std::sync::Arc;

use regex_syntax::hir::{Hir, HirKind};

use crate::pattern;
use crate::pure::ids::PatternIndex;
use crate::pure::literal;
use crate::pure::mechanism;

use super::dfa_group::{DfaGroup, GroupKind, GroupLimits};

/// The limits of groups of patterns without [long repetitions](has_long_repetition).
const SHORT_REPETITIONS: GroupLimits = GroupLimits { members: 32, size: 4000 };
/// The limits of groups of patterns with [long repetitions](has_long_repetition): each starts alone.
/// When they started in groups of four, most groups of the OWASP core rule set reached too many states:
/// the first pass took a sixth longer. The scanner joins groups that turn out to reach few.
const LONG_REPETITIONS: GroupLimits = GroupLimits { members: 1, size: 2000 };
/// The limits of groups of patterns with long repetitions that [start with the same
/// part](same_start). Their states do not multiply. Five patterns of the OWASP core rule set that look
/// for shell commands reach 686 states in one DFA, where each alone reaches 160 to 650.
const SAME_START: GroupLimits = GroupLimits { members: 16, size: 20_000 };
/// The smallest part, in NFA states as [`pattern::size_of`] estimates them, that is a reason to put
/// patterns into one group because they start with it. Many patterns start with the same smaller part,
/// such as a quotation mark, and have nothing else in common. A guess.
const MIN_SAME_START: u64 = 4;
/// The limits of groups of patterns that start with the same literal. They can be large, because
/// the search is anchored at the literal, and the next few bytes rule out most members.
const SHARED_LITERAL: GroupLimits = GroupLimits { members: 256, size: 20_000 };

/// The largest cache of one shared-literal group's lazy DFA, in bytes, in each scanner.
const CACHE_CAPACITY: usize = 256 << 10;
/// The limit on the caches of all shared-literal groups together, in bytes, in each scanner, unless there are very
/// many. With 64 MiB, none of ten public rule sets was faster.
const ALL_CACHES: usize = 1 << 20;
/// The limit on the tables of all groups that read whole records, in bytes, in each scanner. The
/// OWASP core rule set takes up to 2 MiB, over attack payloads.
pub(super) const ALL_TABLES: usize = (2 << 20) + (512 << 10);
/// The least that this limit allows for each pattern in these groups, in bytes. With less, large sets
/// would empty and refill their tables again and again. A guess.
pub(super) const TABLES_PER_PATTERN: usize = 2 << 10;
/// The minimum capacity of one cache, in bytes, even if [`ALL_CACHES`] divided by the number of
/// groups is less.
const MIN_CACHE_CAPACITY: usize = 32 << 10;

/// A bounded repetition of at most this many copies is short.
const MAX_SHORT_REPETITION: u32 = 8;

/// Groups patterns that are searched for in whole records.
pub(crate) fn groups_for_records(patterns: Vec<(PatternIndex, &Hir)>) -> Vec<Arc<DfaGroup>> {
    if !mechanism::dfa_groups() {
        let alone = divide(patterns, &LONG_REPETITIONS, CACHE_CAPACITY);
        return alone.into_iter().map(Arc::new).collect();
    }
    let (long, short): (Vec<_>, Vec<_>) =
        patterns.into_iter().partition(|(_, hir)| has_long_repetition(hir));
    let short = divide(short, &SHORT_REPETITIONS, CACHE_CAPACITY);
    let long = same_start(long).into_iter().flat_map(|patterns| {
        let limits = if patterns.len() > 1 { &SAME_START } else { &LONG_REPETITIONS };
        divide(patterns, limits, CACHE_CAPACITY)
    });
    short.into_iter().chain(long).map(Arc::new).collect()
}

/// Divides patterns into those that start with the same part, in the order of the first of each. A
/// match of several of them begins and continues in the same way, so their states do not multiply but
/// coincide. A pattern whose first part is small is put together with equal patterns only.
fn same_start(patterns: Vec<(PatternIndex, &Hir)>) -> Vec<Vec<(PatternIndex, &Hir)>> {
    let mut all: Vec<Vec<(PatternIndex, &Hir)>> = Vec::new();
    let mut starts: HashMap<u64, Vec<(&Hir, usize)>> = HashMap::new();
    for (pattern, hir) in patterns {
        let is_look = |part: &&Hir| matches!(part.kind(), HirKind::Look(_));
        let first = literal::parts(hir).iter().find(|part| !is_look(part)).unwrap_or(hir);
        let start = if pattern::size_of(first) < MIN_SAME_START { hir } else { first };
        let known = starts.entry(pattern::size_of(start)).or_default();
        match known.iter().find(|(other, _)| *other == start) {
            Some(&(_, index)) => all[index].push((pattern, hir)),
            None => {
                known.push((start, all.len()));
                all.push(vec![(pattern, hir)]);
            }
        }
    }
    all
}

/// Groups patterns that are found by the same literal and searched from the same position. `literals` is the number of literals
/// that have such groups; all of them together share [`ALL_CACHES`].
pub(crate) fn groups_for_literal(
    patterns: Vec<(PatternIndex, &Hir)>,
    literals: usize,
) -> Vec<DfaGroup> {
    let groups = patterns.len().div_ceil(SHARED_LITERAL.members).saturating_mul(literals).max(1);
    let capacity = (ALL_CACHES / groups).clamp(MIN_CACHE_CAPACITY, CACHE_CAPACITY);
    divide(patterns, &SHARED_LITERAL, capacity)
}

/// Whether the pattern has a repetition that is unbounded or of many copies.
///
/// A DFA then keeps a partial match in its state for many bytes, as `a.*b` does after an `a`, and
/// in a group these states are combined with those of every other member.
pub(crate) fn has_long_repetition(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => false,
        HirKind::Capture(capture) => has_long_repetition(&capture.sub),
        HirKind::Repetition(repetition) => {
            repetition.max.is_none_or(|max| max > MAX_SHORT_REPETITION)
                || has_long_repetition(&repetition.sub)
        }
        HirKind::Concat(subs) | HirKind::Alternation(subs) => subs.iter().any(has_long_repetition),
    }
}

/// Divides `patterns` into groups of one [`GroupKind`] each, within `limits`, whose DFAs have
/// caches of `capacity` bytes.
fn divide(
    mut patterns: Vec<(PatternIndex, &Hir)>,
    limits: &GroupLimits,
    capacity: usize,
) -> Vec<DfaGroup> {
    patterns.sort_by_key(|(pattern, hir)| (GroupKind::of(hir), *pattern));
    let mut groups: Vec<DfaGroup> = Vec::new();
    for (pattern, hir) in patterns {
        let (kind, size) = (GroupKind::of(hir), pattern::size_of(hir));
        match groups.last_mut() {
            Some(group)
                if group.kind == kind
                    && group.members.len() < limits.members
                    && group.size.saturating_add(size) <= limits.size =>
            {
                group.push(pattern, size);
            }
            _ => groups.push(DfaGroup::new(vec![pattern], kind, size, capacity)),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_with_the_same_start_are_together() {
        let parse = |pattern: &str| {
            regex_syntax::ParserBuilder::new().utf8(false).build().parse(pattern).unwrap()
        };
        let hirs = [
            "(?:ab|cd|ef)x*y",
            "(?:ab|cd|eg)x*y",
            "'.*z",
            r"\b(?:ab|cd|ef).*z",
            "'.*y",
            "(?:ab|cd|ef)x*y",
            "'.*z",
        ]
        .map(parse);
        let patterns = (0..hirs.len()).map(PatternIndex::new).zip(&hirs).collect();
        let found: Vec<Vec<usize>> = same_start(patterns)
            .iter()
            .map(|patterns| patterns.iter().map(|(pattern, _)| pattern.index()).collect())
            .collect();
        assert_eq!(found, [&[0, 3, 5][..], &[1], &[2, 6], &[4]]);
    }

    #[test]
    fn groups_have_one_kind_and_keep_their_limits() {
        let parse = |pattern: &str| {
            regex_syntax::ParserBuilder::new().utf8(false).build().parse(pattern).unwrap()
        };
        let hirs =
            [r"\bx", "a{9}", "^b", "c{9}", r"\by", "d{9}", "e{30}", "f", "^g", "h"].map(parse);
        let size = |pattern: PatternIndex| pattern::size_of(&hirs[pattern.index()]);
        let indices = || (0..10).map(PatternIndex::new);
        let (b, d) = (size(PatternIndex::new(1)), size(PatternIndex::new(3)));
        for (members, limit) in [(10, u64::MAX), (2, u64::MAX), (10, b + d), (3, 1)] {
            let limits = GroupLimits { members, size: limit };
            let groups = divide(indices().zip(&hirs).collect(), &limits, CACHE_CAPACITY);
            for group in &groups {
                let total: u64 = group.members.iter().map(|&m| size(m)).sum();
                assert_eq!(group.size, total);
                assert!(group.members.len() <= members);
                assert!(total <= limit || group.members.len() == 1, "{:?}", group.members);
                for &member in &group.members {
                    assert_eq!(GroupKind::of(&hirs[member.index()]), group.kind);
                }
            }
            // Every pattern is in exactly one group, and no two neighbors of a kind would fit into
            // one group.
            let mut all: Vec<PatternIndex> =
                groups.iter().flat_map(|g| g.members.clone()).collect();
            all.sort_unstable();
            assert_eq!(all, indices().collect::<Vec<_>>());
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
