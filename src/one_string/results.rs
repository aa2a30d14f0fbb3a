//! What a search of one string returns.

use std::iter::FusedIterator;

use super::WorkerGuard;
use crate::{Captures, Match, PatternSet};

/// Which patterns match in one string. Returned by [`PatternSet::matches`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetMatches {
    /// Ascending.
    pub(super) numbers: Box<[u32]>,
}

impl SetMatches {
    /// Returns whether pattern number `pattern` matches. Costs a binary search.
    pub fn matched(&self, pattern: usize) -> bool {
        u32::try_from(pattern).is_ok_and(|number| self.numbers.binary_search(&number).is_ok())
    }

    /// Returns whether any pattern matches.
    pub fn matched_any(&self) -> bool {
        !self.numbers.is_empty()
    }

    /// Iterates over the numbers of the patterns that match, in ascending order.
    pub fn iter(&self) -> SetMatchesIter<'_> {
        SetMatchesIter { numbers: self.numbers.iter() }
    }
}

impl IntoIterator for SetMatches {
    type Item = usize;
    type IntoIter = SetMatchesIntoIter;

    fn into_iter(self) -> SetMatchesIntoIter {
        SetMatchesIntoIter { numbers: self.numbers.into_vec().into_iter() }
    }
}

impl<'a> IntoIterator for &'a SetMatches {
    type Item = usize;
    type IntoIter = SetMatchesIter<'a>;

    fn into_iter(self) -> SetMatchesIter<'a> {
        self.iter()
    }
}

/// Iterates over the numbers of matching patterns. Returned by [`SetMatches::iter`].
#[derive(Clone, Debug)]
pub struct SetMatchesIter<'a> {
    numbers: std::slice::Iter<'a, u32>,
}

impl Iterator for SetMatchesIter<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        self.numbers.next().map(|&number| number as usize)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.numbers.size_hint()
    }
}

impl ExactSizeIterator for SetMatchesIter<'_> {}
impl FusedIterator for SetMatchesIter<'_> {}

/// Iterates over the numbers of matching patterns. Returned by `SetMatches::into_iter`.
#[derive(Clone, Debug)]
pub struct SetMatchesIntoIter {
    numbers: std::vec::IntoIter<u32>,
}

impl Iterator for SetMatchesIntoIter {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        self.numbers.next().map(|number| number as usize)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.numbers.size_hint()
    }
}

impl ExactSizeIterator for SetMatchesIntoIter {}
impl FusedIterator for SetMatchesIntoIter {}

/// Iterates over the spans in one string. Returned by [`PatternSet::find_iter`].
///
/// It holds a scanner of the set until it is dropped.
#[derive(Debug, Default)]
pub struct FindIter<'s> {
    /// `None` if nothing matches.
    pub(super) worker: Option<WorkerGuard<'s>>,
    pub(super) next: usize,
}

impl Iterator for FindIter<'_> {
    type Item = Match;

    fn next(&mut self) -> Option<Match> {
        let m = *self.worker.as_ref()?.matches.as_slice().get(self.next)?;
        self.next += 1;
        Some(m)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.worker.as_ref().map_or(0, |worker| worker.matches.len()) - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for FindIter<'_> {}
impl FusedIterator for FindIter<'_> {}

/// Iterates over the groups of matches in one string. Returned by [`PatternSet::captures_iter`].
#[derive(Debug)]
pub struct CapturesIter<'s, 't> {
    pub(super) set: &'s PatternSet,
    pub(super) text: &'t [u8],
    pub(super) spans: FindIter<'s>,
}

impl<'s, 't> Iterator for CapturesIter<'s, 't> {
    type Item = Captures<'s, 't>;

    fn next(&mut self) -> Option<Captures<'s, 't>> {
        let m = self.spans.next()?;
        let finder = &mut self.spans.worker.as_mut()?.finder;
        let captures = finder.at(m.pattern(), self.text, m.range()).expect("a match has groups");
        Some(captures.into_owned(self.set))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.spans.size_hint()
    }
}

impl ExactSizeIterator for CapturesIter<'_, '_> {}
impl FusedIterator for CapturesIter<'_, '_> {}
