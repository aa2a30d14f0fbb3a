//! Upper bounds on lengths of matches, and on distances between positions in a match; and whether matches are at
//! an end of the record.

use regex_syntax::hir::{Hir, Look};

/// The largest possible distance in bytes, or `None` if it is unbounded.
pub(crate) type Bound = Option<u32>;

/// The bound on the sum of two distances; `None` if the sum exceeds `u32`.
pub(crate) fn add_bounds(a: Bound, b: Bound) -> Bound {
    a?.checked_add(b?)
}

/// The bound on a distance that is `len` bytes shorter, at least 0.
pub(super) fn subtract_len(a: Bound, len: usize) -> Bound {
    Some(a?.saturating_sub(len as u32))
}

/// The length of the longest string that `hir` matches.
pub(crate) fn max_match_len(hir: &Hir) -> Bound {
    u32::try_from(hir.properties().maximum_len()?).ok()
}

/// The length of all strings that `hir` matches, if it is the same.
pub(crate) fn fixed_match_len(hir: &Hir) -> Option<u32> {
    let len = hir.properties().minimum_len();
    max_match_len(hir).filter(|&max| len == Some(max as usize))
}

/// Whether all matches of `hir` start where the record does.
pub(crate) fn matches_only_at_start(hir: &Hir) -> bool {
    hir.properties().look_set_prefix().contains(Look::Start)
}

/// Whether all matches of `hir` end where the record does.
pub(crate) fn matches_only_at_end(hir: &Hir) -> bool {
    hir.properties().look_set_suffix().contains(Look::End)
}

/// For each boundary of the parts of a concatenation, from the start to the end: the maximum match
/// length of all parts before it, and that of all parts after it, given that of each part. Both lists have
/// one entry more than there are parts.
pub(super) fn bounds_around(
    lens: impl DoubleEndedIterator<Item = Bound> + ExactSizeIterator + Clone,
) -> (Vec<Bound>, Vec<Bound>) {
    let [mut before, mut after] = [(); 2].map(|()| Vec::with_capacity(lens.len() + 1));
    before.push(Some(0));
    after.push(Some(0));
    for (first, last) in lens.clone().zip(lens.rev()) {
        before.push(add_bounds(before[before.len() - 1], first));
        after.push(add_bounds(after[after.len() - 1], last));
    }
    after.reverse();
    (before, after)
}
