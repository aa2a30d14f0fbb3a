//! Patterns that share a literal with many others and are verified in one DFA, once it is found often.
//!
//! The plan forms the groups (`plan::shared_literal`).

use std::ops::Range;

use crate::pure::automata::anchored_group::AnchoredGroupCache;
use crate::pure::automata::dfa_group::DfaGroup;
use crate::pure::ids::NeedleId;

use super::postings::Place;
use super::required_run::RequiredRunId;

/// The number of members of a group that a scanner verifies one by one, at the first hits, before it
/// uses the group's DFA.
///
/// A member takes some 30 ns, so this is a millisecond for each group, which is about what the states of a
/// DFA take that does not settle soon. So at most twice the time of the better way is spent ("ski rental").
/// Measured with the rules of uap-core, second pass of a scanner, without any DFA against a DFA after 1536
/// members: 1.25 times as fast on user agents, 1.4 times on payloads of attacks. Over sixty passes there was
/// no clear difference.
const VERIFIED_ONE_BY_ONE: usize = 32 << 10;

/// Patterns that are found by the same literal and verified together: where it is, which is where their tails
/// start, or at the start of the record.
#[derive(Debug)]
pub(in crate::pure) struct SharedLiteralGroup {
    /// One DFA over the tails of all members.
    pub(in crate::pure) dfa: DfaGroup,
    /// Not a window.
    pub(in crate::pure) place: Place,
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

    /// The number of groups.
    pub(super) fn len(&self) -> usize {
        self.groups.len()
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
    /// The members that were verified one by one, at all hits of all records together.
    pub(super) verified: usize,
}

impl SharedLiteralCache {
    fn new(group: &SharedLiteralGroup) -> SharedLiteralCache {
        let dfa = AnchoredGroupCache::new(&group.dfa);
        SharedLiteralCache { dfa, epoch: 0, steps: 0, verified: 0 }
    }

    /// Whether the members are to be verified by the DFA, rather than one by one.
    #[inline]
    pub(super) fn uses_dfa(&self) -> bool {
        self.verified >= VERIFIED_ONE_BY_ONE && !self.dfa.is_abandoned()
    }

    /// Resets `steps` unless `epoch` is still that of the same record. Returns whether it is another record.
    #[inline]
    pub(super) fn enter_record(&mut self, epoch: u64) -> bool {
        let is_new = self.epoch != epoch;
        if is_new {
            (self.epoch, self.steps) = (epoch, 0);
        }
        is_new
    }
}
