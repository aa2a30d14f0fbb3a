//! Upper bounds of distances within a match.

use regex_syntax::hir::Hir;

/// The largest distance in bytes, or `None` if there is no bound.
pub(crate) type Bound = Option<u32>;

/// The bound of the sum of two distances; no bound if it exceeds `u32`.
pub(crate) fn add_bounds(a: Bound, b: Bound) -> Bound {
    a?.checked_add(b?)
}

/// The bound of a distance without its first `len` bytes.
pub(super) fn subtract(a: Bound, len: usize) -> Bound {
    Some(a?.saturating_sub(len as u32))
}

/// The length of the longest string that `hir` matches.
pub(crate) fn max_match_len(hir: &Hir) -> Bound {
    u32::try_from(hir.properties().maximum_len()?).ok()
}

/// For each position between the parts of a concatenation, both ends included: the longest string
/// that the parts before it match together, and that the parts after it match together.
pub(super) fn bounds_around(parts: &[Hir]) -> (Vec<Bound>, Vec<Bound>) {
    let mut before = vec![Some(0)];
    let mut after = vec![Some(0)];
    for (first, last) in parts.iter().zip(parts.iter().rev()) {
        before.push(add_bounds(before[before.len() - 1], max_match_len(first)));
        after.push(add_bounds(after[after.len() - 1], max_match_len(last)));
    }
    after.reverse();
    (before, after)
}
