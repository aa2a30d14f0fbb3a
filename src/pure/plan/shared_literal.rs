//! Groups patterns that are found by the same literal, and verified at the same place, and that
//! [`rebalance`](super::rebalance) could not separate.
//!
//! Where the literal is found, verifying hundreds of patterns one by one costs hundreds of starts
//! of an automaton. One DFA over all of them reads the same bytes once, and most patterns are
//! ruled out within the next few bytes. The groups themselves are in `verify::shared_literal`.

use std::collections::BTreeMap;
use std::ops::Range;

use regex_syntax::hir::Hir;

use crate::pure::automata::dfa_group::DfaGroup;
use crate::pure::automata::grouping;
use crate::pure::cost;
use crate::pure::ids::{NeedleId, PatternIndex};
use crate::pure::mechanism;
use crate::pure::verify::{Place, Posting, SharedLiteralGroup, SharedLiterals};

/// Moves the postings of every literal that has more than [`cost::MAX_SHARERS`] of them, without those in
/// windows, from `postings` into groups. `needles` is the number of needles.
pub(in crate::pure) fn take_shared<'a>(
    postings: &mut Vec<(NeedleId, Posting)>,
    needles: usize,
    tail: &dyn Fn(PatternIndex) -> &'a Hir,
) -> SharedLiterals {
    let mut shared: BTreeMap<(NeedleId, Place), Vec<Posting>> = BTreeMap::new();
    for (needle, posting) in postings.iter().filter(|(_, p)| p.place != Place::Window) {
        shared.entry((*needle, posting.place)).or_default().push(*posting);
    }
    shared.retain(|_, same| mechanism::shared_literal_groups() && same.len() > cost::MAX_SHARERS);
    if shared.is_empty() {
        return SharedLiterals::default();
    }
    postings.retain(|(needle, posting)| !shared.contains_key(&(*needle, posting.place)));
    let mut groups = Vec::new();
    let mut ranges: Vec<Range<u32>> = vec![0..0; needles];
    // The groups of a needle follow one another, since both places of it do.
    for ((needle, _), same) in &shared {
        let range = &mut ranges[needle.index()];
        if range.start == range.end {
            range.start = groups.len() as u32;
        }
        let patterns = same.iter().map(|posting| (posting.pattern, tail(posting.pattern)));
        let dfas = grouping::groups_for_literal(patterns.collect(), shared.len());
        groups.extend(dfas.into_iter().map(|dfa| group(dfa, same)));
        range.end = groups.len() as u32;
    }
    SharedLiterals::new(groups, ranges)
}

/// The group of the members of `dfa`. `postings` are those of the literal and of one place, ascending by pattern.
fn group(dfa: DfaGroup, postings: &[Posting]) -> SharedLiteralGroup {
    let members = dfa.members.iter().filter_map(|&member| {
        let index = postings.binary_search_by_key(&member, |posting| posting.pattern).ok()?;
        Some(&postings[index])
    });
    let min_len = members.clone().map(|posting| posting.min_len).min().unwrap_or(0);
    let mut runs: Vec<_> = members.map(|posting| posting.required_run).collect();
    runs.sort_unstable();
    runs.dedup();
    // A member without a required run can match in any record.
    let required_runs = match runs.into_iter().collect::<Option<Vec<_>>>() {
        Some(runs) if runs.len() <= cost::MAX_GROUP_RUNS => runs,
        _ => Vec::new(),
    };
    let place = postings.first().map_or(Place::Hit, |posting| posting.place);
    SharedLiteralGroup { dfa, place, required_runs, min_len }
}
