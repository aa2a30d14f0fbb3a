//! Merges overlapping matches, so that each byte is replaced once.
//!
//! The matches of one record can be far more than its bytes: 400 rules that match every byte have
//! 400 for each. They arrive in blocks, and the merger merges what it has whenever that has doubled.
//! So it holds at most twice the merged matches, which do not overlap: 24 bytes for each byte of
//! the record if every byte is a match of its own, and a few for usual records. Each match is
//! sorted a constant number of times on average.

use std::ops::Range;

use dragnet::Match;

/// The number of matches below which they are not merged before the end of the record.
const MIN_MERGE: usize = 64 << 10;

/// One or more overlapping matches, to be replaced together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct MergedMatch {
    start: u32,
    end: u32,
    /// The rule of the match that starts first; among matches that start together, the first rule.
    rule: u32,
}

/// Merges the matches of one record.
#[derive(Debug, Default)]
pub(super) struct Merger {
    matches: Vec<MergedMatch>,
    /// The number of matches after the last merge.
    merged: usize,
}

impl Merger {
    /// Adds matches of the current record.
    ///
    /// Empty matches are dropped, since they cover nothing to redact.
    pub(super) fn add(&mut self, matches: &[Match]) {
        // Batches are smaller than 4 GiB, and so are offsets and numbers of rules.
        self.matches.extend(matches.iter().filter(|m| !m.range().is_empty()).map(|m| {
            MergedMatch { start: m.start() as u32, end: m.end() as u32, rule: m.pattern() as u32 }
        }));
        if self.matches.len() > 2 * self.merged + MIN_MERGE {
            self.merge();
        }
    }

    /// Ends the record: returns the ranges of its merged matches, each with its rule, in ascending
    /// order. Adjacent matches that do not overlap stay separate.
    pub(super) fn finish(&mut self) -> impl Iterator<Item = (Range<usize>, usize)> {
        self.merge();
        self.merged = 0;
        self.matches.drain(..).map(|m| (m.start as usize..m.end as usize, m.rule as usize))
    }

    fn merge(&mut self) {
        // Stable, because that sort is fast on a sorted list with sorted lists appended.
        self.matches.sort_by_key(|m| (m.start, m.rule));
        self.matches.dedup_by(|later, earlier| {
            let overlaps = later.start < earlier.end;
            if overlaps {
                earlier.end = earlier.end.max(later.end);
            }
            overlaps
        });
        self.merged = self.matches.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rule, start and end of a match.
    type Span = (usize, usize, usize);

    fn matches(spans: &[Span]) -> Vec<Match> {
        let new = |&(rule, start, end): &Span| Match::new(0, rule as u32, start as u32..end as u32);
        spans.iter().map(new).collect()
    }

    fn finish(merger: &mut Merger) -> Vec<Span> {
        merger.finish().map(|(range, rule)| (rule, range.start, range.end)).collect()
    }

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
        let mut merger = Merger::default();
        for (spans, expected) in cases {
            merger.add(&matches(spans));
            assert_eq!(finish(&mut merger), expected);
            // Merging after any match changes nothing.
            for span in matches(spans) {
                merger.add(&[span]);
                merger.merge();
            }
            assert_eq!(finish(&mut merger), expected);
        }
    }

    #[test]
    fn memory_is_bounded_by_the_merged_matches() {
        let mut merger = Merger::default();
        let bytes = 1000;
        for rule in 0..1000 {
            merger.add(&matches(&Vec::from_iter((0..bytes).map(|at| (rule, at, at + 1)))));
            assert!(merger.matches.len() <= 2 * bytes + MIN_MERGE);
        }
        assert_eq!(finish(&mut merger), Vec::from_iter((0..bytes).map(|at| (0, at, at + 1))));
    }
}
