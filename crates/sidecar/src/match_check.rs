//! Validates the matches that a server claims to have found.
//!
//! A wrong match would lead to a panic or to wrong data far from its cause: callers slice records by
//! spans and index arrays by pattern. The check takes a few comparisons per match. It can't find out
//! whether a pattern really matches; for that, a caller would have to scan the records itself.

use super::connection_error::{ConnectionError, broken};
use super::region::Region;
use dragnet::Match;

/// Checks that `matches` could be the answer for the records in `region`: they name existing records,
/// patterns and bytes, are strictly ascending and do not overlap; they have spans exactly if the report has.
/// This also bounds how many there can be.
pub(super) fn check(
    matches: &[Match],
    region: &Region,
    patterns: u32,
    has_spans: bool,
) -> Result<(), ConnectionError> {
    let is_in_range = |m: &Match| {
        let fits = |len: u32| match m.span() {
            Some(span) => has_spans && span.start <= span.end && span.end <= len as usize,
            None => !has_spans,
        };
        m.pattern() < patterns as usize && region.record_len(m.record()).is_some_and(fits)
    };
    let pair = |m: &Match| (m.record(), m.pattern());
    let is_sorted = matches.is_sorted_by(|a, b| {
        let is_disjoint = || match (a.span(), b.span()) {
            (Some(a), Some(b)) => a.end <= b.start,
            _ => false,
        };
        a < b && (pair(a) != pair(b) || is_disjoint())
    });
    match matches.iter().find(|m| !is_in_range(m)) {
        None if is_sorted => Ok(()),
        None => broken("the server's matches are out of order or overlap"),
        Some(m) => broken(format!("the server reported an impossible match: {m:?}")),
    }
}
