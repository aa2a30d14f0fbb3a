//! Patterns that share a literal with many others and are verified in one DFA.
//!
//! The plan forms the groups (`plan::shared_literal`).

use std::ops::Range;

use crate::pure::automata::anchored_group::AnchoredGroupCache;
use crate::pure::automata::dfa_group::DfaGroup;
use crate::pure::ids::NeedleId;

use super::required_run::RequiredRunId;

/// Patterns whose tails start with the same literal, verified together where it is found.
#[derive(Debug)]
pub(in crate::pure) struct SharedLiteralGroup {
    /// One DFA over the tails of all members.
    pub(in crate::pure) dfa: DfaGroup,
    /// The record must contain one of these runs. Empty if any record qualifies.
    pub(in crate::pure) required_runs: Vec<RequiredRunId>,
    /// The minimum length of a match of any tail, in bytes.
    pub(in crate::pure) min_len: u32,
}

/// The shared-literal groups of all needles.
#[derive(Debug, Default)]
pub(in crate::pure) struct SharedLiterals {
    groups: Vec<SharedLiteralGroup>,
    /// By needle: the range of its groups. Empty if no needle has any.
    ranges: Vec<Range<u32>>,
}

impl SharedLiterals {
    /// `ranges` has the groups of each needle, as ranges of `groups`.
    pub(in crate::pure) fn new(
        groups: Vec<SharedLiteralGroup>,
        ranges: Vec<Range<u32>>,
    ) -> SharedLiterals {
        SharedLiterals { groups, ranges }
    }

    /// The groups of a needle, as indexes for [`SharedLiterals::group`].
    #[inline]
    pub(super) fn groups_of(&self, needle: NeedleId) -> Range<usize> {
        match self.ranges.get(needle.index()) {
            Some(range) => range.start as usize..range.end as usize,
            None => 0..0,
        }
    }

    #[inline]
    pub(super) fn group(&self, index: usize) -> &SharedLiteralGroup {
        &self.groups[index]
    }

    /// Heap memory in bytes, without the automata.
    pub(super) fn memory(&self) -> usize {
        let group_memory =
            |group: &SharedLiteralGroup| group.dfa.memory() + size_of_val(&group.required_runs[..]);
        size_of_val(&self.groups[..])
            + self.groups.iter().map(group_memory).sum::<usize>()
            + size_of_val(&self.ranges[..])
    }

    /// Creates the caches of all groups, indexed like the groups.
    pub(super) fn create_caches(&self) -> Vec<SharedLiteralCache> {
        self.groups.iter().map(SharedLiteralCache::new).collect()
    }
}

/// The working memory of one shared-literal group in one scanner.
pub(super) struct SharedLiteralCache {
    pub(super) dfa: AnchoredGroupCache,
    /// The record that `steps` is counted in, by the epoch that [`VerifyCache`] gave it.
    ///
    /// [`VerifyCache`]: super::VerifyCache
    epoch: u64,
    /// The bytes that the DFA has read in this record, at all hits together.
    pub(super) steps: u64,
}

impl SharedLiteralCache {
    fn new(group: &SharedLiteralGroup) -> SharedLiteralCache {
        SharedLiteralCache { dfa: AnchoredGroupCache::new(&group.dfa), epoch: 0, steps: 0 }
    }

    /// Resets `steps` unless `epoch` is still that of the same record.
    #[inline]
    pub(super) fn enter_record(&mut self, epoch: u64) {
        if self.epoch != epoch {
            (self.epoch, self.steps) = (epoch, 0);
        }
    }
}
