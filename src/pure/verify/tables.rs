//! The tables that the plan builds for verification. Immutable, and shared by all scanners of an
//! engine.

use crate::pure::automata::byte_patterns::BytePatterns;
use crate::pure::automata::group_scanner::GroupScanner;
use crate::pure::ids::{NeedleId, PatternIndex};
use crate::pure::literal::Lookaheads;

use super::patterns::Patterns;
use super::postings::{Posting, Postings};
use super::required_run::RequiredRuns;
use super::shared_literal::SharedLiterals;

/// The tables that lead from a needle to the patterns to verify and to the checks for each.
#[derive(Debug)]
pub(in crate::pure) struct VerifyTables {
    pub(in crate::pure) patterns: Patterns,
    pub(in crate::pure) exact: ExactNeedles,
    /// By needle: the bytes that can follow it in a match.
    pub(in crate::pure) lookahead: Lookaheads,
    /// By needle that is not exact: the patterns to verify one by one.
    pub(in crate::pure) postings: Postings,
    /// By needle: the patterns to verify together.
    pub(in crate::pure) shared: SharedLiterals,
    pub(in crate::pure) required_runs: RequiredRuns,
    /// Patterns that match every record, ascending.
    pub(in crate::pure) always: Vec<PatternIndex>,
    /// Patterns without a filter that are single bytes.
    pub(in crate::pure) byte_patterns: BytePatterns,
    /// All other patterns without a filter, in DFAs that read every record, as a new scanner has them.
    pub(in crate::pure) groups: GroupScanner,
}

impl VerifyTables {
    /// Whether records without candidates must be visited too.
    pub(in crate::pure) fn visits_every_record(&self) -> bool {
        !self.always.is_empty() || !self.byte_patterns.is_empty() || !self.groups.is_empty()
    }

    /// Heap memory in bytes, without the automata that are built on first use.
    pub(in crate::pure) fn memory(&self) -> usize {
        self.patterns.memory()
            + self.exact.memory()
            + self.lookahead.memory()
            + self.postings.memory()
            + self.shared.memory()
            + self.required_runs.memory()
            + size_of_val(&self.always[..])
            + self.byte_patterns.memory()
            + self.groups.memory_of_groups()
            + self.groups.memory()
    }
}

/// The needles that need no verification: wherever one is found, its only pattern matches.
#[derive(Debug)]
pub(in crate::pure) struct ExactNeedles {
    /// By needle: its pattern, or [`NONE`].
    patterns: Box<[u32]>,
    /// The index of the first class sequence; literals and runs come before it.
    first_sequence: usize,
}

/// No pattern.
const NONE: u32 = u32::MAX;

impl ExactNeedles {
    /// Takes the needles from `postings` that have a single one, which is exact, and no group in `shared`. `sequences` has the pattern of each class sequence, which are the last of `needles` needles.
    pub(in crate::pure) fn take(
        postings: &mut Vec<(NeedleId, Posting)>,
        needles: usize,
        sequences: &[PatternIndex],
        shared: &SharedLiterals,
    ) -> ExactNeedles {
        let first_sequence = needles - sequences.len();
        let mut counts = vec![0u32; needles];
        postings.iter().for_each(|(needle, _)| counts[needle.index()] += 1);
        let mut patterns = vec![NONE; needles];
        for (slot, pattern) in patterns[first_sequence..].iter_mut().zip(sequences) {
            *slot = pattern.index() as u32;
        }
        postings.retain(|&(needle, posting)| {
            let is_only = counts[needle.index()] == 1 && shared.groups_of(needle).is_empty();
            let is_exact = posting.exact && is_only;
            if is_exact {
                patterns[needle.index()] = posting.pattern.index() as u32;
            }
            !is_exact
        });
        ExactNeedles { patterns: patterns.into(), first_sequence }
    }

    /// Heap memory in bytes.
    fn memory(&self) -> usize {
        size_of_val(&self.patterns[..])
    }

    /// The pattern that matches wherever `needle` is found, if there is one, and whether its match starts there.
    #[inline]
    pub(super) fn pattern(&self, needle: NeedleId) -> Option<(PatternIndex, bool)> {
        let pattern = self.patterns[needle.index()];
        let is_literal = needle.index() < self.first_sequence;
        (pattern != NONE).then(|| (PatternIndex::new(pattern as usize), is_literal))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needles_with_a_single_exact_posting_are_exact() {
        let posting = |pattern: usize, exact| {
            let windowed = Posting::windowed(PatternIndex::new(pattern), None, None);
            Posting { exact, ..windowed }
        };
        let list = [(0, 4, true), (1, 5, false), (2, 6, true), (2, 7, true), (3, 8, true)];
        let list = list.map(|(needle, pattern, exact)| (needle, posting(pattern, exact)));
        let mut postings = list.map(|(needle, posting)| (NeedleId::new(needle), posting)).to_vec();
        let sequences = [9, 10].map(PatternIndex::new);
        let shared = SharedLiterals::new(vec![], vec![0..0, 0..0, 0..0, 0..1, 0..0, 0..0]);
        let exact = ExactNeedles::take(&mut postings, 6, &sequences, &shared);
        let found = |needle: usize| {
            exact
                .pattern(NeedleId::new(needle))
                .map(|(pattern, is_start)| (pattern.index(), is_start))
        };
        let sequence = |pattern| Some((pattern, false));
        assert_eq!(
            [0, 1, 2, 3, 4, 5].map(found),
            [Some((4, true)), None, None, None, sequence(9), sequence(10)]
        );
        let left: Vec<usize> = postings.iter().map(|(_, p)| p.pattern.index()).collect();
        assert_eq!(left, [5, 6, 7, 8]);
    }
}
