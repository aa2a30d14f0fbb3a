//! Finds the matches that only one of two backends reported.

use std::cmp::Ordering;
use std::ops::Range;

use dragnet::{Backend, Batch, Match, Matches};

use crate::input::{Chunk, Locator};

/// A match that only one backend found.
#[derive(Debug)]
pub(super) struct Difference {
    /// The file's path, safe to print on a terminal.
    pub(super) path: String,
    /// The line number in the file, from 1.
    pub(super) line: u64,
    pub(super) rule: usize,
    /// The range of the match in the line, in bytes.
    pub(super) range: Range<usize>,
    /// The backend that found the match.
    pub(super) found_by: Backend,
}

/// Returns the matches that only one of two backends found in the records of a batch from
/// `first_record` on, in ascending order.
pub(super) fn differences<'a>(
    chunk: &'a Chunk,
    batch: &Batch<'a>,
    first_record: usize,
    backends: [Backend; 2],
    matches: &'a [Matches; 2],
) -> impl Iterator<Item = Difference> {
    let [left, right] = matches;
    let mut locator = Locator::new(chunk, *batch);
    symmetric_difference(left.as_slice(), right.as_slice()).filter_map(move |(m, side)| {
        let (part, line) = locator.locate(first_record + m.record())?;
        Some(Difference {
            path: part.source.display_path().to_owned(),
            line,
            rule: m.pattern(),
            range: m.range(),
            found_by: backends[side],
        })
    })
}

/// Returns the elements that are in only one of two sorted lists, each with the list's index: 0 for
/// `left`, 1 for `right`.
fn symmetric_difference<'a>(
    mut left: &'a [Match],
    mut right: &'a [Match],
) -> impl Iterator<Item = (&'a Match, usize)> {
    std::iter::from_fn(move || {
        loop {
            let order = match (left.first(), right.first()) {
                (Some(l), Some(r)) => l.cmp(r),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => return None,
            };
            let next = if order == Ordering::Greater { right.first() } else { left.first() };
            if order != Ordering::Greater {
                left = &left[1..];
            }
            if order != Ordering::Less {
                right = &right[1..];
            }
            if order != Ordering::Equal {
                return next.map(|m| (m, usize::from(order == Ordering::Greater)));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The records of the left list, those of the right list, and the expected differences as
    /// record and index of the list.
    type Case<'a> = (&'a [u32], &'a [u32], &'a [(usize, usize)]);

    #[test]
    fn common_matches_are_no_difference() {
        let list = |records: &[u32]| -> Vec<Match> {
            records.iter().map(|&record| Match::new(record, 0, 0..1)).collect()
        };
        let cases: [Case<'_>; 5] = [
            (&[], &[], &[]),
            (&[1, 2], &[1, 2], &[]),
            (&[1, 2, 3], &[2], &[(1, 0), (3, 0)]),
            (&[2], &[1, 2, 3], &[(1, 1), (3, 1)]),
            (&[1, 4], &[2, 4, 5], &[(1, 0), (2, 1), (5, 1)]),
        ];
        for (left, right, expected) in cases {
            let (left, right) = (list(left), list(right));
            let found: Vec<_> =
                symmetric_difference(&left, &right).map(|(m, side)| (m.record(), side)).collect();
            assert_eq!(found, expected);
        }
    }
}
