//! Where in a record to look for spans: at the literals, and not between them.

use regex_syntax::hir::Hir;

use super::handle::Handle;
use super::literal::{Bound, Literal};
use super::prefilter::{Candidate, Prefilter};
use super::simd::Isa;
use super::trim::{Trimmed, trim};

/// Finds the places of a record where the trimmed form of a pattern may match, for a pattern
/// whose trimmed form starts with a literal.
///
/// Each match of the pattern holds a match of the trimmed form, at most `head` bytes behind its
/// start, and each match of the trimmed form is one of the pattern. So the leftmost match from
/// some place on starts at most `head` bytes before the first place where the trimmed form
/// matches, and not behind it.
#[derive(Debug)]
pub(super) struct Spotter {
    prefilter: Prefilter,
    pub(super) trimmed: Hir,
    pub(super) head: Bound,
    /// How many bytes the longest literal has.
    longest: usize,
}

/// How much of a record is looked through for literals at a time, in bytes, so that what is kept
/// of a record does not depend on how many there are.
const PART: usize = 16 << 10;

/// The places of a record where a literal starts, as far as they are known.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// Ascending.
    list: Vec<u32>,
    /// How many of the list are passed.
    passed: usize,
    /// Every literal whose window starts before this was found, unless it starts at a place that
    /// was passed.
    searched: usize,
    found: Vec<Candidate>,
}

impl Places {
    /// Begins another record.
    pub(super) fn clear(&mut self) {
        self.list.clear();
        self.passed = 0;
        self.searched = 0;
    }

    pub(super) fn memory(&self) -> usize {
        self.list.capacity() * size_of::<u32>() + self.found.capacity() * size_of::<Candidate>()
    }
}

impl Spotter {
    /// `None` if the trimmed form of `hir` does not start with a literal.
    pub(super) fn new(hir: &Hir) -> Option<Spotter> {
        let Trimmed { hir: trimmed, head } = trim(hir);
        match Handle::of(&trimmed) {
            Handle::Literals(required) if required.anchor_part == Some(0) => {
                let prefilter = Prefilter::new(&required.literals, Isa::best());
                let longest = required.literals.iter().map(Literal::len).max().unwrap_or(0);
                Some(Spotter { prefilter, trimmed, head, longest })
            }
            _ => None,
        }
    }

    /// The first place where a literal starts at `at` or later. `at` never descends within a
    /// record.
    pub(super) fn next_place(
        &self,
        record: &[u8],
        places: &mut Places,
        at: usize,
    ) -> Option<usize> {
        loop {
            let left = &places.list[places.passed..];
            places.passed += left.partition_point(|&place| (place as usize) < at);
            let next = places.list.get(places.passed).map(|&place| place as usize);
            if places.searched >= record.len() {
                return next;
            }
            // A literal that starts here or before has its window in what was searched. Of those
            // behind, one that is not found yet may come before one that is.
            if next.is_some_and(|place| place + self.longest <= places.searched) {
                return next;
            }
            self.search(record, places, at);
        }
    }

    /// Looks through the next part of the record, but for what is before `at`.
    fn search(&self, record: &[u8], places: &mut Places, at: usize) {
        // No window starts before its literal does.
        let start = places.searched.max(at).min(record.len());
        let end = record.len().min(start + PART);
        let Places { list, passed, searched, found } = places;
        found.clear();
        self.prefilter.find(record, start..end, found);
        list.drain(..*passed);
        list.extend(found.iter().map(|candidate| candidate.start));
        list.sort_unstable();
        list.dedup();
        (*passed, *searched) = (0, end);
    }
}
