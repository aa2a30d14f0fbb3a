//! Merges overlapping matches, so that each byte is replaced once.

use std::ops::Range;

use dragnet::Match;

/// One or more overlapping matches, to be replaced together.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MergedMatch {
    /// The bytes of the record that the matches cover.
    pub(super) range: Range<usize>,
    /// The rule of the match that starts first; among matches that start together, the first rule.
    pub(super) rule: usize,
}

/// Replaces the contents of `merged` by the matches of one record, merged and in ascending order.
///
/// Empty matches are dropped, since they cover nothing to redact. Adjacent matches that do not
/// overlap stay separate.
pub(super) fn merge(matches: &[Match], merged: &mut Vec<MergedMatch>) {
    merged.clear();
    merged.extend(
        matches
            .iter()
            .filter(|m| !m.range().is_empty())
            .map(|m| MergedMatch { range: m.range(), rule: m.pattern() }),
    );
    merged.sort_unstable_by_key(|m| (m.range.start, m.rule));
    merged.dedup_by(|later, earlier| {
        let overlaps = later.range.start < earlier.range.end;
        if overlaps {
            earlier.range.end = earlier.range.end.max(later.range.end);
        }
        overlaps
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rule, start and end of a match.
    type Span = (u32, u32, u32);

    #[test]
    fn overlapping_matches_merge_under_the_first_rule() {
        let cases: [(&[Span], &[Span]); 8] = [
            (&[], &[]),
            (&[(0, 1, 4)], &[(0, 1, 4)]),
            (&[(0, 2, 5), (1, 3, 8)], &[(0, 2, 8)]),
            (&[(0, 3, 8), (1, 2, 5)], &[(1, 2, 8)]),
            (&[(0, 2, 5), (1, 2, 9), (2, 8, 9)], &[(0, 2, 9)]),
            (&[(0, 0, 9), (1, 3, 4), (1, 5, 6)], &[(0, 0, 9)]),
            (&[(0, 0, 3), (0, 3, 5), (1, 5, 6)], &[(0, 0, 3), (0, 3, 5), (1, 5, 6)]),
            (&[(0, 1, 1), (0, 4, 4), (1, 2, 3)], &[(1, 2, 3)]),
        ];
        let mut merged = Vec::new();
        for (matches, expected) in cases {
            let matches: Vec<_> =
                matches.iter().map(|&(rule, start, end)| Match::new(0, rule, start..end)).collect();
            merge(&matches, &mut merged);
            let found: Vec<_> = merged
                .iter()
                .map(|m| (m.rule as u32, m.range.start as u32, m.range.end as u32))
                .collect();
            assert_eq!(found, expected);
        }
    }
}
