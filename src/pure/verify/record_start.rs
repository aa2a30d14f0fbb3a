//! Compares the first bytes of a record with those that a pattern allows that matches only there and that they
//! mostly [decide](crate::pure::literal::is_decided_early), before an automaton of this pattern starts.
//!
//! Most rules for logs and for the banners of servers begin with `^`. Their literals are also found in records
//! that begin otherwise, and an automaton would read from there to the end of the record, or back to its start.
//! The first bytes rule out nearly all of these patterns, mostly the very first one.
//!
//! # Cost
//!
//! Three loads for each byte that is compared, at most [`LEN`] of them.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use regex_syntax::hir::Hir;

use crate::pure::ids::PatternIndex;
use crate::pure::literal::{ByteSet, first_bytes};
use crate::pure::mechanism;

/// The number of bytes of a record that are compared. A guess: the first byte decides mostly.
const LEN: usize = 8;

/// The check of a pattern is left out if it is expected to rule out less than this share of all records. A guess.
const MIN_RULED_OUT: f64 = 0.5;

/// The first bytes that each pattern of an engine allows, if it matches only at the start of a record.
#[derive(Debug, Default)]
pub(super) struct RecordStarts {
    /// By pattern: the sets in `lists` that its first bytes are in, from the start of the record on. Empty if the
    /// pattern is not checked.
    ranges: Vec<Range<u32>>,
    /// Indexes in `sets`.
    lists: Vec<u32>,
    sets: Vec<ByteSet>,
}

impl RecordStarts {
    /// `trimmed` are the trimmed forms of all patterns, and `decided_early` says which of them are
    /// [decided early](crate::pure::literal::is_decided_early).
    pub(super) fn new(trimmed: &[Arc<Hir>], decided_early: &[bool]) -> RecordStarts {
        RecordStarts::with_least_ruled_out(trimmed, decided_early, MIN_RULED_OUT)
    }

    fn with_least_ruled_out(
        trimmed: &[Arc<Hir>],
        decided_early: &[bool],
        least: f64,
    ) -> RecordStarts {
        let mut starts = RecordStarts::default();
        let mut known = HashMap::new();
        for (hir, &is_decided_early) in trimmed.iter().zip(decided_early) {
            let first = starts.lists.len() as u32;
            if is_decided_early && mechanism::record_starts() {
                let sets = first_bytes(hir, LEN);
                let allowed: f64 = sets.iter().map(ByteSet::frequency).product();
                if 1.0 - allowed >= least {
                    for set in sets {
                        let index = *known.entry(set).or_insert_with(|| {
                            starts.sets.push(set);
                            starts.sets.len() as u32 - 1
                        });
                        starts.lists.push(index);
                    }
                }
            }
            starts.ranges.push(first..starts.lists.len() as u32);
        }
        starts
    }

    /// Whether the pattern can match in `record`, as far as its first bytes say.
    #[inline]
    pub(super) fn allow(&self, pattern: PatternIndex, record: &[u8]) -> bool {
        let range = &self.ranges[pattern.index()];
        let sets = &self.lists[range.start as usize..range.end as usize];
        sets.len() <= record.len()
            && sets.iter().zip(record).all(|(&set, &byte)| self.sets[set as usize].contains(byte))
    }

    /// Heap memory in bytes.
    pub(super) fn memory(&self) -> usize {
        size_of_val(&self.ranges[..]) + size_of_val(&self.lists[..]) + size_of_val(&self.sets[..])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::random_patterns::{BYTES, PARTS, oracle, parse};
    use super::*;
    use crate::pure::literal::is_decided_early;

    #[test]
    fn records_that_begin_otherwise_are_ruled_out() {
        let first = PatternIndex::new(0);
        for (pattern, allowed, ruled_out) in [
            ("^GET /", &["GET /", "GET /index"][..], &["", "GET", "GET  ", " GET /", "POST /"][..]),
            ("^(?:GET|POST) ", &["GET /", "POST "], &["GETS", "PUT "]),
            // Each byte is compared alone.
            ("^(?:ab|cd)", &["ab", "cd", "ad"], &["ba", "a"]),
            ("^ *[0-9]{4}-", &["2024-", "   2024-1"], &["x2024-", "20"]),
            ("^[0-9]+(?:x|$)", &["7", "7x"], &["", "x7"]),
            ("^qé", &["qé"], &["é", "qe"]),
            // Not compared: any record may begin like this, or the match may be elsewhere.
            ("^.*q", &["", "x"], &[]),
            ("^[^q]q", &["", "qq"], &[]),
            ("^", &[""], &[]),
            ("(?m)^q", &["", "x"], &[]),
            ("^q|w", &["", "x"], &[]),
            ("q", &["", "x"], &[]),
        ] {
            let starts =
                RecordStarts::new(&[parse(pattern).into()], &[is_decided_early(&parse(pattern))]);
            for record in allowed {
                assert!(starts.allow(first, record.as_bytes()), "{pattern} in {record}");
            }
            for record in ruled_out {
                assert!(!starts.allow(first, record.as_bytes()), "{pattern} in {record}");
            }
            assert_eq!(starts.ranges[0].is_empty(), ruled_out.is_empty(), "{pattern}");
        }
    }

    proptest! {
        /// With patterns that begin with any bytes, too.
        #[test]
        fn records_with_a_match_are_allowed(
            parts in prop::collection::vec(prop::sample::select(PARTS.to_vec()), 1..8),
            alternatives in any::<bool>(),
            record in prop::collection::vec(prop::sample::select(BYTES.to_vec()), 0..16),
        ) {
            let pattern = format!("^(?:{})", parts.join(if alternatives { "|" } else { "" }));
            let hir = parse(&pattern);
            let starts = RecordStarts::with_least_ruled_out(&[hir.clone().into()], &[is_decided_early(&hir)], -1.0);
            let oracle = oracle(&hir);
            if oracle.is_match(&mut oracle.create_cache(), &record[..]) {
                prop_assert!(starts.allow(PatternIndex::new(0), &record), "{}", pattern);
            }
        }
    }
}
