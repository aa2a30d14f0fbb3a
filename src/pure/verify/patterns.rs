//! The patterns of an engine in the forms that are verified, with their automata.

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use regex_syntax::hir::Hir;

use crate::pattern;
use crate::pure::automata::pattern::{PatternAutomata, PatternMemory};
use crate::pure::automata::span_prefilter::SpanPrefilter;
use crate::pure::ids::PatternIndex;
use crate::pure::literal::{Bound, Literal, add_bounds, matches_only_at_start, max_match_len};

use super::head_pairs::HeadPairs;
use super::record_start::RecordStarts;

/// The memory that each scanner may take for the caches of a pattern with a class of many characters, as
/// Unicode's `\w` or `\d`, in bytes. Such patterns are mostly searched by lazy DFAs. With 16 KiB, the rules of
/// fail2ban with Unicode classes take twice as long.
const LARGE_CLASS_MEMORY: usize = 256 << 10;
/// The same of all such patterns together.
const LARGE_CLASSES_MEMORY: usize = 63 << 20;

/// All patterns of an engine, in their trimmed form.
#[derive(Debug)]
pub(in crate::pure) struct Patterns {
    /// By pattern: the form without the optional parts at both ends, which matches the same
    /// records.
    trimmed: Vec<Arc<Hir>>,
    /// By pattern: its two parts, if it is verified in two parts.
    splits: Vec<Option<Box<Split>>>,
    pub(super) head_pairs: HeadPairs,
    pub(super) record_starts: RecordStarts,
    /// By pattern, if spans are reported; else empty.
    span_literals: Vec<Option<Box<SpanLiterals>>>,
    /// By pattern, if spans are reported; else empty.
    span_extents: Vec<SpanExtent>,
    /// By pattern: its automata, shared by all scanners.
    automata: Vec<PatternAutomata>,
    /// The number of patterns with classes of many characters.
    with_large_classes: usize,
}

/// A pattern in two parts, divided where its literal starts.
#[derive(Debug)]
pub(in crate::pure) struct Split {
    /// Matches up to the literal.
    pub(in crate::pure) head: Hir,
    /// Matches from the start of the literal on.
    pub(in crate::pure) tail: Hir,
}

/// Literals at which spans of a pattern are searched: its trimmed form starts with one of them.
#[derive(Debug)]
pub(in crate::pure) struct SpanLiterals {
    pub(in crate::pure) literals: Vec<Literal>,
    /// The largest distance from the start of a span to the start of the trimmed form in it.
    pub(in crate::pure) head: Bound,
}

/// Where spans of a pattern can be. Not an enum: compilers compute with its payload before they
/// look at the variant, and valgrind takes that for a use of uninitialized memory.
#[derive(Clone, Copy, Debug)]
struct SpanExtent {
    /// Whether only at the start of the record.
    only_at_record_start: bool,
    /// The largest distance to the first hit of an anchored needle; `u32::MAX` if it is unbounded.
    head: u32,
    /// The length of all spans, in bytes, or 0 if they can have several.
    len: u32,
}

/// What is known of patterns before their automata are built.
#[derive(Default)]
pub(in crate::pure) struct TrimmedPatterns {
    /// The forms without the optional parts at both ends.
    pub(in crate::pure) hirs: Vec<Arc<Hir>>,
    /// Whether [`is_decided_early`](crate::pure::literal::is_decided_early) holds.
    pub(in crate::pure) decided_early: Vec<bool>,
    /// Empty if no spans are reported.
    pub(in crate::pure) span_literals: Vec<Option<Box<SpanLiterals>>>,
    /// `Trimmed::head` of each pattern. Empty if no spans are reported.
    pub(in crate::pure) heads: Vec<Bound>,
    /// The length of all matches of each pattern, in bytes, if they have the same. Empty if no spans are reported.
    pub(in crate::pure) lens: Vec<Option<u32>>,
    /// The number of patterns with classes of many characters.
    pub(in crate::pure) with_large_classes: usize,
}

impl SpanLiterals {
    /// The prefilter for these literals of a pattern with this trimmed form.
    pub(in crate::pure) fn prefilter(&self, trimmed: &Hir) -> SpanPrefilter {
        SpanPrefilter::new(&self.literals, trimmed.clone(), self.head)
    }
}

impl Patterns {
    /// The patterns with these trimmed forms. `splits` has those that are verified in two parts.
    pub(in crate::pure) fn new(
        trimmed: TrimmedPatterns,
        splits: Vec<Option<Box<Split>>>,
    ) -> Patterns {
        debug_assert_eq!(trimmed.hirs.len(), splits.len());
        let automata = splits.iter().map(|_| PatternAutomata::default()).collect();
        let head_pairs = HeadPairs::new(&splits);
        let record_starts = RecordStarts::new(&trimmed.hirs, &trimmed.decided_early);
        let extents = trimmed.heads.into_iter().zip(trimmed.lens);
        let span_extents = extents.zip(&splits).zip(&trimmed.hirs);
        let span_extents = span_extents.map(|(((head, len), split), hir)| {
            let head = match split {
                Some(split) => add_bounds(head, max_match_len(&split.head)),
                None => head,
            };
            SpanExtent {
                only_at_record_start: matches_only_at_start(hir),
                head: head.unwrap_or(u32::MAX),
                len: len.unwrap_or(0),
            }
        });
        let span_extents = span_extents.collect();
        Patterns {
            trimmed: trimmed.hirs,
            span_extents,
            splits,
            head_pairs,
            record_starts,
            span_literals: trimmed.span_literals,
            automata,
            with_large_classes: trimmed.with_large_classes,
        }
    }

    pub(in crate::pure) fn len(&self) -> usize {
        self.trimmed.len()
    }

    /// The trimmed forms of all patterns.
    pub(in crate::pure) fn trimmed(&self) -> &[Arc<Hir>] {
        &self.trimmed
    }

    /// The part of the pattern before its literal, if the pattern is verified in two parts.
    #[inline]
    pub(in crate::pure) fn head(&self, pattern: PatternIndex) -> Option<&Hir> {
        self.splits[pattern.index()].as_ref().map(|split| &split.head)
    }

    /// The part of the pattern from its literal on: all of it if it is verified as a whole.
    #[inline]
    pub(in crate::pure) fn tail(&self, pattern: PatternIndex) -> &Hir {
        match &self.splits[pattern.index()] {
            Some(split) => &split.tail,
            None => &self.trimmed[pattern.index()],
        }
    }

    /// The memory that each scanner may take for the caches of patterns with classes of many characters, in
    /// bytes.
    pub(super) fn memory_of_large_classes(&self) -> usize {
        (self.with_large_classes * LARGE_CLASS_MEMORY).min(LARGE_CLASSES_MEMORY)
    }

    #[inline]
    pub(in crate::pure) fn automata(&self, pattern: PatternIndex) -> &PatternAutomata {
        &self.automata[pattern.index()]
    }

    /// Builds the automata that verify the pattern at its candidates, before the first scan needs them.
    pub(in crate::pure) fn build_automata(&self, pattern: PatternIndex) {
        let split = self.splits[pattern.index()].as_ref();
        let parts = split.map(|split| (&split.head, &split.tail));
        self.automata(pattern).build(&self.trimmed[pattern.index()], parts);
    }

    /// The offsets at which spans of the pattern can start in a record of `len` bytes, given where
    /// `hits` of its anchored needles start, if that is known.
    pub(super) fn span_starts(
        &self,
        pattern: PatternIndex,
        hits: Option<(u32, u32)>,
        len: usize,
    ) -> RangeInclusive<usize> {
        let anywhere = SpanExtent { only_at_record_start: false, head: u32::MAX, len: 0 };
        let extent = self.span_extents.get(pattern.index()).copied().unwrap_or(anywhere);
        match hits {
            _ if extent.only_at_record_start => 0..=0,
            // A record is shorter than 2^32 bytes, so that `u32::MAX` leads to its start.
            Some((first, last)) => first.saturating_sub(extent.head) as usize..=last as usize,
            None => 0..=len,
        }
    }

    /// The span of the pattern in a record in which it matches, if it is known without a search: if spans can start at
    /// one offset only, that in `starts`, and all of them have the same length.
    #[inline]
    pub(super) fn known_span(
        &self,
        pattern: PatternIndex,
        starts: &RangeInclusive<usize>,
    ) -> Option<Range<usize>> {
        let len = self.span_extents.get(pattern.index())?.len as usize;
        let start = *starts.start();
        (len > 0 && start == *starts.end()).then_some(start..start + len)
    }

    /// Makes the span prefilter of the pattern, if its trimmed form starts with a literal.
    pub(in crate::pure) fn span_prefilter(&self, pattern: PatternIndex) -> Option<SpanPrefilter> {
        let literals = self.span_literals.get(pattern.index())?.as_ref()?;
        Some(literals.prefilter(&self.trimmed[pattern.index()]))
    }

    /// Whether the pattern has a match within `span` of `record`.
    pub(in crate::pure) fn is_match(
        &self,
        pattern: PatternIndex,
        memory: &mut PatternMemory<'_>,
        record: &[u8],
        span: Range<usize>,
    ) -> bool {
        self.automata(pattern).is_match(&self.trimmed[pattern.index()], memory, record, span)
    }

    /// Heap memory in bytes, without the automata that are built on first use.
    pub(in crate::pure) fn memory(&self) -> usize {
        let parts = self.splits.iter().flatten().flat_map(|split| [&split.head, &split.tail]);
        let literals = self.span_literals.iter().flatten().flat_map(|spans| &spans.literals);
        // Those that trimming did not change are the set's.
        let own = self.trimmed.iter().filter(|hir| Arc::strong_count(hir) == 1);
        own.map(|hir| &**hir).chain(parts).map(pattern::memory_of).sum::<usize>()
            + size_of_val(&self.trimmed[..])
            + size_of_val(&self.splits[..])
            + self.head_pairs.memory()
            + self.record_starts.memory()
            + size_of_val(&self.span_extents[..])
            + self.automata.iter().map(PatternAutomata::memory).sum::<usize>()
            + literals.map(|l| size_of::<Literal>() + size_of_val(l.cubes())).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::super::random_patterns::parse;
    use super::*;
    use crate::pure::literal::fixed_match_len;

    #[test]
    fn a_span_is_known_if_it_has_one_start_and_one_length() {
        let known_span = |pattern: &str, starts: RangeInclusive<usize>| {
            let hir = Arc::new(parse(pattern));
            let trimmed = TrimmedPatterns {
                decided_early: vec![false],
                heads: vec![Some(0)],
                lens: vec![fixed_match_len(&hir)],
                hirs: vec![hir],
                ..TrimmedPatterns::default()
            };
            Patterns::new(trimmed, vec![None]).known_span(PatternIndex::new(0), &starts)
        };
        assert_eq!(known_span("a[bc]d", 7..=7), Some(7..10));
        assert_eq!(known_span("a[bc]d", 7..=8), None);
        assert_eq!(known_span("a[bc]d?", 7..=7), None);
        assert_eq!(known_span("a+", 7..=7), None);
        // The search decides where empty spans may be.
        assert_eq!(known_span(r"\b", 7..=7), None);
    }
}
