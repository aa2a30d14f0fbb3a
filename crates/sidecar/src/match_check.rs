//! Validates the matches that a server claims to have found.
//!
//! A wrong match would lead to a panic or to wrong data far from its cause: callers slice records by
//! spans and index arrays by pattern. The check takes a few comparisons per match. It can't find out
//! whether a pattern really matches; for that, a caller would have to scan the records itself.

use super::connection_error::{ConnectionError, broken};
use super::region::Region;
use dragnet::Match;

/// Checks that `matches` could be the answer for the records in `region`: they name existing records,
/// patterns and bytes, are strictly ascending and do not overlap; without spans, all spans are empty.
/// This also bounds how many there can be.
pub(super) fn check(
    matches: &[Match],
    region: &Region,
    patterns: u32,
    has_spans: bool,
) -> Result<(), ConnectionError> {
    let is_in_range = |m: &Match| {
        let len = region.record_len(m.record());
        m.pattern() < patterns as usize
            && m.start() <= m.end()
            && len.is_some_and(|len| m.end() <= len as usize)
            && (has_spans || m.end() == 0)
    };
    let pair = |m: &Match| (m.record(), m.pattern());
    let is_sorted =
        matches.is_sorted_by(|a, b| a < b && (pair(a) != pair(b) || a.end() <= b.start()));
    match matches.iter().find(|m| !is_in_range(m)) {
        None if is_sorted => Ok(()),
        None => broken("the server's matches are out of order or overlap"),
        Some(m) => broken(format!("the server reported an impossible match: {m:?}")),
    }
}
