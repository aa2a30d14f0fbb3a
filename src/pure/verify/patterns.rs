//! The patterns of an engine in the forms that are verified, with their automata.

use std::ops::Range;

use regex_syntax::hir::Hir;

use crate::pattern;
use crate::pure::automata::pattern::{Automaton, Cache};
use crate::pure::ids::PatternIndex;

/// All patterns of an engine, reduced to what decides whether they match.
#[derive(Debug)]
pub(in crate::pure) struct Patterns {
    trimmed: Vec<Hir>,
    splits: Vec<Option<Box<Split>>>,
    /// Built when first needed, once for all scanners.
    automata: Vec<Automaton>,
}

/// A pattern in two parts, divided where its literal starts.
#[derive(Debug)]
pub(in crate::pure) struct Split {
    /// Matches up to the literal.
    pub(in crate::pure) head: Hir,
    /// Matches from the start of the literal on.
    pub(in crate::pure) tail: Hir,
}

impl Patterns {
    /// The patterns with these reduced forms. `splits` has those that are verified in two parts.
    pub(in crate::pure) fn new(trimmed: Vec<Hir>, splits: Vec<Option<Box<Split>>>) -> Patterns {
        debug_assert_eq!(trimmed.len(), splits.len());
        let automata = trimmed.iter().map(|_| Automaton::default()).collect();
        Patterns { trimmed, splits, automata }
    }

    pub(in crate::pure) fn len(&self) -> usize {
        self.trimmed.len()
    }

    /// The reduced forms of all patterns.
    pub(in crate::pure) fn trimmed(&self) -> &[Hir] {
        &self.trimmed
    }

    /// The part of the pattern before its literal, if the pattern is verified in two parts.
    pub(in crate::pure) fn head(&self, pattern: PatternIndex) -> Option<&Hir> {
        self.splits[pattern.index()].as_ref().map(|split| &split.head)
    }

    /// The part of the pattern from its literal on: all of it if it is verified as a whole.
    pub(in crate::pure) fn tail(&self, pattern: PatternIndex) -> &Hir {
        match &self.splits[pattern.index()] {
            Some(split) => &split.tail,
            None => &self.trimmed[pattern.index()],
        }
    }

    pub(in crate::pure) fn automaton(&self, pattern: PatternIndex) -> &Automaton {
        &self.automata[pattern.index()]
    }

    /// Whether the pattern has a match within `span` of `record`.
    pub(in crate::pure) fn is_match(
        &self,
        pattern: PatternIndex,
        cache: &mut Cache,
        record: &[u8],
        span: Range<usize>,
    ) -> bool {
        self.automaton(pattern).is_match(&self.trimmed[pattern.index()], cache, record, span)
    }

    /// Heap memory in bytes, without the automata.
    pub(in crate::pure) fn memory(&self) -> usize {
        let parts = self.splits.iter().flatten().flat_map(|split| [&split.head, &split.tail]);
        self.trimmed.iter().chain(parts).map(pattern::memory_of).sum()
    }
}
