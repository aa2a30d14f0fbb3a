//! Patterns that share a literal with many others, confirmed together.

use std::ops::Range;

use regex_syntax::hir::Hir;

use crate::pure::ids::PatternIndex;

use crate::pure::automata::dfa_group::DfaGroup;
use crate::pure::automata::grouping;
use crate::pure::verify::postings::Owner;

/// Patterns that are confirmed together where their literal stands.
#[derive(Debug)]
pub(in crate::pure) struct Crowd {
    pub(in crate::pure) group: DfaGroup,
    /// One of these runs must be in the record; if there are none, that is not asked.
    pub(in crate::pure) needs: Vec<u32>,
    /// How many bytes a match from the literal on has at least.
    pub(in crate::pure) least: u32,
}

/// With more patterns than this that start with the same literal, they are confirmed together.
pub(in crate::pure) const CROWD: usize = 4;

/// A crowd that needs more different runs than this is not asked for any.
const MAX_NEEDS: usize = 16;

/// Takes the owners that lead with a literal that very many do out of `owners`, into groups; and
/// tells for each literal which groups are its.
pub(in crate::pure) fn take_crowds<'a>(
    owners: &mut Vec<(u32, Owner)>,
    handles: usize,
    tail: &dyn Fn(u32) -> &'a Hir,
) -> (Vec<Crowd>, Vec<Range<u32>>) {
    let mut leading: Vec<Vec<Owner>> = vec![Vec::new(); handles];
    for (handle, owner) in owners.iter().filter(|(_, owner)| owner.leads) {
        leading[*handle as usize].push(*owner);
    }
    owners.retain(|(handle, owner)| !owner.leads || leading[*handle as usize].len() <= CROWD);
    let count = leading.iter().filter(|owners| owners.len() > CROWD).count();
    if count == 0 {
        return (Vec::new(), Vec::new());
    }
    let mut crowds = Vec::new();
    let ranges = leading
        .into_iter()
        .map(|owners| {
            let start = crowds.len() as u32;
            if owners.len() > CROWD {
                let patterns =
                    owners.iter().map(|o| (PatternIndex::new(o.pattern as usize), tail(o.pattern)));
                let groups = grouping::groups_for_literal(patterns.collect(), count);
                crowds.extend(groups.into_iter().map(|group| Crowd::new(group, &owners)));
            }
            start..crowds.len() as u32
        })
        .collect();
    (crowds, ranges)
}

impl Crowd {
    /// `owners` are those of the literal, ascending by their patterns.
    fn new(group: DfaGroup, owners: &[Owner]) -> Crowd {
        let members = group.members.iter().filter_map(|&member| {
            let index = owners
                .binary_search_by_key(&member.index(), |owner| owner.pattern as usize)
                .ok()?;
            Some(&owners[index])
        });
        let least = members.clone().map(|owner| owner.least).min().unwrap_or(0);
        let mut needs: Vec<Option<u32>> = members.map(|owner| owner.need).collect();
        needs.sort_unstable();
        needs.dedup();
        let needs = match needs.into_iter().collect::<Option<Vec<u32>>>() {
            Some(needs) if needs.len() <= MAX_NEEDS => needs,
            _ => Vec::new(),
        };
        Crowd { group, needs, least }
    }
}
