//! Maps each needle to the patterns that are verified where it is found.
//!
//! As in an inverted index, all postings lie in one list, sorted by needle; an array of offsets
//! gives the range of each needle. A hit costs two loads before the first posting is read.

use std::ops::Range;

use regex_syntax::hir::Hir;

use crate::pure::ids::{NeedleId, PatternIndex};
use crate::pure::literal::{self, Bound, RequiredLiterals};

use super::required_run::RequiredRunId;

/// Where a pattern is verified when a needle is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::pure) enum Place {
    /// At the hit: every match of the pattern's tail starts with the needle.
    Hit,
    /// At the start of the record, once: the pattern matches only there, and a few bytes mostly decide.
    RecordStart,
    /// In a window around the hit.
    Window,
}

impl Place {
    /// Where a pattern that is searched by the literals `required` is verified. `is_decided_early` is of
    /// [`is_decided_early`](literal::is_decided_early).
    pub(in crate::pure) fn of(required: &RequiredLiterals, is_decided_early: bool) -> Place {
        match required.anchor_part {
            _ if is_decided_early => Place::RecordStart,
            Some(_) => Place::Hit,
            None => Place::Window,
        }
    }
}

/// A pattern to verify when a needle is found, with cheap conditions on the hit.
#[derive(Clone, Copy, Debug)]
pub(in crate::pure) struct Posting {
    pub(in crate::pure) pattern: PatternIndex,
    pub(in crate::pure) place: Place,
    /// Whether the pattern matches wherever the needle is found.
    pub(in crate::pure) exact: bool,
    /// The minimum length of a match of the tail, in bytes. 0 if the place is a window, which may begin before
    /// the hit.
    pub(in crate::pure) min_len: u32,
    /// The last offset in the record at which the needle can start. Below `u32::MAX` only if the
    /// pattern matches only at the start of a record.
    pub(in crate::pure) max_start: u32,
    /// The largest number of bytes from the place to the end of the record. Below `u32::MAX` only if the
    /// pattern matches only at the end of a record.
    pub(in crate::pure) max_remaining: u32,
    /// The byte run that the record must also contain.
    pub(in crate::pure) required_run: Option<RequiredRunId>,
    /// How many bytes before the needle a match can start, if there is a bound.
    pub(in crate::pure) before: Bound,
    /// How many bytes after the needle's end a match can end, if there is a bound.
    pub(in crate::pure) after: Bound,
}

impl Posting {
    /// The posting of a pattern that is searched by the literals `required` and verified at `place`.
    /// `tail` is the part of `hir` from its literal on.
    pub(in crate::pure) fn at_literal(
        pattern: PatternIndex,
        place: Place,
        hir: &Hir,
        tail: &Hir,
        required: &RequiredLiterals,
    ) -> Posting {
        let from_start = literal::matches_only_at_start(hir);
        let to_end = literal::matches_only_at_end(hir);
        let min_len = tail.properties().minimum_len().unwrap_or(0) as u32;
        let max_len = literal::max_match_len(tail).filter(|_| to_end).unwrap_or(u32::MAX);
        Posting {
            pattern,
            place,
            exact: required.are_all_matches,
            min_len: if place == Place::Window { 0 } else { min_len },
            max_start: required
                .before
                .filter(|_| from_start && place != Place::Window)
                .unwrap_or(u32::MAX),
            max_remaining: if place == Place::Window { u32::MAX } else { max_len },
            required_run: None,
            before: required.before,
            after: required.after,
        }
    }

    /// The posting of a pattern at a needle that lies anywhere in a match.
    pub(in crate::pure) fn windowed(pattern: PatternIndex, before: Bound, after: Bound) -> Posting {
        Posting {
            pattern,
            place: Place::Window,
            exact: false,
            min_len: 0,
            max_start: u32::MAX,
            max_remaining: u32::MAX,
            required_run: None,
            before,
            after,
        }
    }

    /// The range of a record of `len` bytes that contains every match around hits in `hits`.
    #[inline]
    pub(super) fn window(&self, hits: Range<u32>, len: usize) -> Range<usize> {
        let start = self.before.map_or(0, |before| hits.start.saturating_sub(before) as usize);
        let end =
            self.after.map_or(len, |after| (hits.end.saturating_add(after) as usize).min(len));
        start..end
    }
}

/// The postings of all needles.
#[derive(Debug)]
pub(in crate::pure) struct Postings {
    /// By needle: where its postings start in `list`; one more for the end of the last.
    starts: Vec<u32>,
    /// Sorted by needle and place.
    list: Vec<Posting>,
    /// By needle: the number of its postings whose place is not a window.
    direct: Vec<u32>,
    /// By needle: see [`Postings::reach`].
    reach: Vec<Bound>,
}

impl Postings {
    /// Sorts `postings`. `needles` is the number of needles.
    pub(in crate::pure) fn new(mut postings: Vec<(NeedleId, Posting)>, needles: usize) -> Postings {
        postings.sort_by_key(|(needle, posting)| (*needle, posting.place, posting.pattern));
        let mut starts = vec![0];
        let mut reach = Vec::with_capacity(needles);
        let mut direct = Vec::with_capacity(needles);
        let mut rest = &postings[..];
        for index in 0..needles {
            let count = rest.partition_point(|(needle, _)| needle.index() == index);
            starts.push(starts[index] + count as u32);
            let first =
                rest[..count].partition_point(|(_, posting)| posting.place != Place::Window);
            direct.push(first as u32);
            reach.push(rest[first..count].iter().try_fold(0, |max: u32, (_, posting)| {
                Some(max.max(posting.before?.checked_add(posting.after?)?))
            }));
            rest = &rest[count..];
        }
        let list = postings.into_iter().map(|(_, posting)| posting).collect();
        Postings { starts, list, direct, reach }
    }

    /// The number of needles.
    pub(super) fn needles(&self) -> usize {
        self.reach.len()
    }

    /// The postings of a needle: those that are verified at once, and those in windows.
    #[inline]
    pub(super) fn of(&self, needle: NeedleId) -> (&[Posting], &[Posting]) {
        let start = self.starts[needle.index()] as usize;
        let end = self.starts[needle.index() + 1] as usize;
        self.list[start..end].split_at(self.direct[needle.index()] as usize)
    }

    /// The largest gap between two hits of a needle over which the windows of its windowed
    /// postings can touch, in bytes. `None` if some window is unbounded, so that all touch.
    #[inline]
    pub(super) fn reach(&self, needle: NeedleId) -> Bound {
        self.reach[needle.index()]
    }

    /// Heap memory in bytes.
    pub(super) fn memory(&self) -> usize {
        size_of_val(&self.list[..])
            + size_of_val(&self.starts[..])
            + size_of_val(&self.direct[..])
            + size_of_val(&self.reach[..])
    }
}
