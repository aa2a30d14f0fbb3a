//! The tables that the plan builds for verification. Immutable, and shared by all scanners of an
//! engine.

use crate::pure::automata::byte_patterns::BytePatterns;
use crate::pure::automata::group_scanner::GroupScanner;
use crate::pure::ids::{NeedleId, PatternIndex};
use crate::pure::literal::Lookaheads;

use super::patterns::Patterns;
use super::postings::Postings;
use super::required_run::RequiredRuns;
use super::shared_literal::SharedLiterals;

/// The tables that lead from a needle to the patterns to verify and to the checks for each.
#[derive(Debug)]
pub(in crate::pure) struct VerifyTables {
    pub(in crate::pure) patterns: Patterns,
    /// Needles that need no verification.
    pub(in crate::pure) sequences: SequenceNeedles,
    /// By needle: the bytes that can follow it in a match.
    pub(in crate::pure) lookahead: Lookaheads,
    /// By needle: the patterns to verify one by one.
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
            + self.sequences.memory()
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

/// The class sequences: a pattern matches wherever its needle is found.
#[derive(Debug)]
pub(in crate::pure) struct SequenceNeedles {
    /// The index of the first class sequence; literals and runs come before it.
    first: usize,
    /// By class sequence.
    patterns: Vec<PatternIndex>,
}

impl SequenceNeedles {
    /// `patterns` has the pattern of each class sequence, from needle `first` on.
    pub(in crate::pure) fn new(first: usize, patterns: Vec<PatternIndex>) -> SequenceNeedles {
        SequenceNeedles { first, patterns }
    }

    /// Heap memory in bytes.
    fn memory(&self) -> usize {
        size_of_val(&self.patterns[..])
    }

    /// The pattern that matches wherever `needle` is found, if there is one.
    #[inline]
    pub(super) fn pattern(&self, needle: NeedleId) -> Option<PatternIndex> {
        self.patterns.get(needle.index().checked_sub(self.first)?).copied()
    }
}
