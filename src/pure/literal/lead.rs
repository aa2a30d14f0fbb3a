//! Literals that what is left of a concatenation starts with, from one of its parts on.
//!
//! Where such a literal stands, the pattern matches if and only if the parts from there on match
//! from its start on and the parts before match up to there. Both are anchored, which an automaton
//! decides in few steps; a literal somewhere inside leaves a stretch of the record to be searched.

use regex_syntax::hir::{Hir, HirKind};

use super::extract::{self, Bound, Info, MAX_LEN, Required, add, longest};
use super::{Literal, follow};

/// More parts than this are not told apart.
const MAX_PARTS: usize = 64;

/// The best set of literals that every match of `hir`'s parts from one of them on starts with one
/// of, among those that `accept` takes. The parts are those that [`split`] takes apart.
pub(crate) fn leading(hir: &Hir, accept: &dyn Fn(&Required) -> bool) -> Option<Required> {
    leading_of(parts(hir), &infos(hir), accept)
}

/// What is known of each of the parts of `hir`.
pub(super) fn infos(hir: &Hir) -> Vec<Info> {
    parts(hir).iter().map(extract::info).collect()
}

/// As [`leading`], for these parts of which that much is known.
pub(super) fn leading_of(
    parts: &[Hir],
    infos: &[Info],
    accept: &dyn Fn(&Required) -> bool,
) -> Option<Required> {
    let follows = follow::from_each(parts);
    let mut before: Vec<Bound> = vec![Some(0)];
    let mut after: Vec<Bound> = vec![Some(0)];
    for (first, last) in parts.iter().zip(parts.iter().rev()) {
        before.push(add(before[before.len() - 1], longest(first)));
        after.push(add(after[after.len() - 1], longest(last)));
    }
    after.reverse();
    let mut best: Option<Required> = None;
    for start in 0..parts.len().min(MAX_PARTS) {
        let mut prefixes = vec![Literal::empty()];
        // Longer literals are rarer, and may be more.
        for (info, follow) in infos[start..].iter().zip(&follows[start + 1..]) {
            let Some(longer) = extract::cross(&prefixes, &info.prefixes) else { break };
            let whole = longer.iter().all(|p| p.len() <= MAX_LEN);
            prefixes = extract::truncated(longer);
            let rest = |len| extract::subtract(after[start], len);
            // Most sets are too large to be better, however rare their literals are.
            if best.as_ref().is_none_or(|best| !best.beats(prefixes.len())) {
                let follow = if info.exact && whole { follow.clone() } else { Vec::new() };
                let found = extract::place(&prefixes, |_| Some(0), rest).map(|found| Required {
                    before: before[start],
                    split: Some(start),
                    follow,
                    ..found
                });
                best = extract::better(best, found.filter(accept));
            }
            if !info.exact || !whole {
                break;
            }
        }
    }
    best
}

/// The parts of the concatenation that `hir` is, or `hir` alone.
pub(crate) fn parts(hir: &Hir) -> &[Hir] {
    match hir.kind() {
        HirKind::Concat(parts) => parts,
        _ => std::slice::from_ref(hir),
    }
}

/// The first `at` parts of `hir` and the others, if there are both.
pub(crate) fn split(hir: &Hir, at: usize) -> Option<(Hir, Hir)> {
    let (head, tail) = parts(hir).split_at_checked(at)?;
    let both = !head.is_empty() && !tail.is_empty();
    both.then(|| (Hir::concat(head.to_vec()), Hir::concat(tail.to_vec())))
}

#[cfg(test)]
mod tests {
    use super::super::required;

    #[test]
    fn a_pattern_is_parted_where_its_rarest_literal_starts() {
        let cases = [
            ("secret[0-9]", Some((0, Some(0), None))),
            ("[a-z]+secret[0-9]", Some((1, None, Some(("[a-z]+", "secret[0-9]"))))),
            (r"^.{0,9}(?:qzx|zqj)", Some((2, Some(9), Some(("^.{0,9}", "(?:qzx|zqj)"))))),
            (r"\bx?[0-9]qzx", Some((3, Some(2), Some((r"\bx?[0-9]", "qzx"))))),
            // The literal is inside of a part, or starts before it.
            ("(?:[a-z]qzx|[0-9]zqj)", None),
            ("a(?:[0-9]+qzx){2}", None),
        ];
        let parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
        let parse = |pattern: &str| parser.clone().parse(pattern).unwrap();
        for (pattern, expected) in cases {
            let hir = parse(pattern);
            let required = required(&hir).unwrap();
            let found = required.split.map(|at| (at, required.before, super::split(&hir, at)));
            let expected = expected.map(|(at, before, parts)| {
                (at, before, parts.map(|(head, tail)| (parse(head), parse(tail))))
            });
            assert_eq!(found, expected, "{pattern}");
        }
    }
}
