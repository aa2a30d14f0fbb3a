//! Where two backends differ.

use std::cmp::Ordering;
use std::ops::Range;

use dragnet::{Backend, Batch, Match};

use super::Contender;
use crate::input::{Bundle, Places};

/// A match that only one backend found.
#[derive(Debug)]
pub(super) struct Difference {
    /// The file's path, safe to print.
    pub(super) path: String,
    /// The line, from 1.
    pub(super) line: u64,
    pub(super) rule: usize,
    /// Where in the line, in bytes from 0.
    pub(super) range: Range<usize>,
    /// Who found it.
    pub(super) by: Backend,
}

/// The matches in a batch that only one of two contenders found, in order.
pub(super) fn differences<'a>(
    bundle: &'a Bundle,
    batch: &Batch<'a>,
    contenders: [&'a Contender; 2],
) -> impl Iterator<Item = Difference> {
    let [left, right] = contenders.map(|contender| contender.matches.as_slice());
    let mut places = Places::new(bundle, *batch);
    only_in_one(left, right).filter_map(move |(m, side)| {
        let (part, line) = places.of(m.record())?;
        Some(Difference {
            path: part.source.name().to_owned(),
            line,
            rule: m.pattern(),
            range: m.range(),
            by: contenders[side].backend,
        })
    })
}

/// What is in only one of two ordered lists, with 0 for the left one and 1 for the right one.
fn only_in_one<'a>(
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

    /// The records that are left and right, and those in only one with the side.
    type Case<'a> = (&'a [u32], &'a [u32], &'a [(usize, usize)]);

    #[test]
    fn what_both_found_is_no_difference() {
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
                only_in_one(&left, &right).map(|(m, side)| (m.record(), side)).collect();
            assert_eq!(found, expected);
        }
    }
}
