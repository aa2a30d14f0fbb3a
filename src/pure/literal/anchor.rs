//! Anchor literals: those that a part of a pattern's concatenation starts with.
//!
//! Take `[a-z]+secret[0-9]`. Wherever `secret` is found, the pattern matches if and only if
//! `secret[0-9]` matches from there on and `[a-z]+` matches up to there. Both searches are anchored,
//! so an automaton mostly decides within a few bytes; a literal somewhere inside a part leaves a
//! window of the record to be searched. That is why an anchor is preferred to other literals that
//! are about as rare.

use regex_syntax::hir::{Hir, HirKind};

use super::cube::Literal;
use super::distance::{bounds_around, subtract};
use super::lookahead;
use super::part_literals::{self, MAX_LEN, PartLiterals};
use super::required::{RequiredLiterals, cheaper};

/// The number of parts, from the first one on, that may start with an anchor.
const MAX_PARTS: usize = 64;

/// The cheapest set of anchors of `hir` among those that `accept` returns `true` for.
pub(crate) fn anchor_literals(
    hir: &Hir,
    accept: &dyn Fn(&RequiredLiterals) -> bool,
) -> Option<RequiredLiterals> {
    cheapest_anchors(parts(hir), &part_literals_of(hir), accept)
}

/// The literals of each of the [`parts`] of `hir`.
pub(super) fn part_literals_of(hir: &Hir) -> Vec<PartLiterals> {
    parts(hir).iter().map(part_literals::part_literals).collect()
}

/// As [`anchor_literals`], for parts whose literals are computed already.
///
/// For each start, the anchor is extended part by part while all parts so far are exact. A longer
/// set is rarer but may have more literals, so each is a candidate of its own.
pub(super) fn cheapest_anchors(
    parts: &[Hir],
    literals: &[PartLiterals],
    accept: &dyn Fn(&RequiredLiterals) -> bool,
) -> Option<RequiredLiterals> {
    let lookaheads = lookahead::after_each(parts);
    let (before, after) = bounds_around(parts);
    let mut best: Option<RequiredLiterals> = None;
    for start in 0..parts.len().min(MAX_PARTS) {
        let mut anchors = vec![Literal::empty()];
        for (part, lookahead) in literals[start..].iter().zip(&lookaheads[start + 1..]) {
            let Some(longer) = part_literals::concatenations(&anchors, &part.prefixes) else {
                break;
            };
            let whole = longer.iter().all(|anchor| anchor.len() <= MAX_LEN);
            anchors = part_literals::truncated(longer);
            let rest = |len| subtract(after[start], len);
            // Most sets are too large to be cheaper, however rare their literals are. Skipping
            // them keeps the cost of building low.
            if best.as_ref().is_none_or(|best| !best.is_cheaper_than_size(anchors.len())) {
                // Unless the anchor is all that the part matches, what follows it is not known.
                let lookahead = if part.exact && whole { lookahead.clone() } else { Vec::new() };
                let found = RequiredLiterals::new(&anchors, |_| Some(0), rest).map(|found| {
                    let before = before[start];
                    RequiredLiterals { before, anchor_part: Some(start), lookahead, ..found }
                });
                best = cheaper(best, found.filter(accept));
            }
            if !part.exact || !whole {
                break;
            }
        }
    }
    best
}

/// The parts of the concatenation that `hir` is, or `hir` as its only part.
pub(crate) fn parts(hir: &Hir) -> &[Hir] {
    match hir.kind() {
        HirKind::Concat(parts) => parts,
        _ => std::slice::from_ref(hir),
    }
}

/// Splits `hir` before part `at`. `None` if one of the halves would be empty.
pub(crate) fn split_at_part(hir: &Hir, at: usize) -> Option<(Hir, Hir)> {
    let (head, tail) = parts(hir).split_at_checked(at)?;
    let both = !head.is_empty() && !tail.is_empty();
    both.then(|| (Hir::concat(head.to_vec()), Hir::concat(tail.to_vec())))
}

#[cfg(test)]
mod tests {
    use super::super::required_literals;

    #[test]
    fn a_pattern_is_split_where_its_rarest_anchor_starts() {
        let cases = [
            ("secret[0-9]", Some((0, Some(0), None))),
            ("[a-z]+secret[0-9]", Some((1, None, Some(("[a-z]+", "secret[0-9]"))))),
            (r"^.{0,9}(?:qzx|zqj)", Some((2, Some(9), Some(("^.{0,9}", "(?:qzx|zqj)"))))),
            (r"\bx?[0-9]qzx", Some((3, Some(2), Some((r"\bx?[0-9]", "qzx"))))),
            // The literal is inside a part, so it is no anchor.
            ("(?:[a-z]qzx|[0-9]zqj)", None),
            ("a(?:[0-9]+qzx){2}", None),
        ];
        let parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
        let parse = |pattern: &str| parser.clone().parse(pattern).unwrap();
        for (pattern, expected) in cases {
            let hir = parse(pattern);
            let required = required_literals(&hir).unwrap();
            let found = required
                .anchor_part
                .map(|at| (at, required.before, super::split_at_part(&hir, at)));
            let expected = expected.map(|(at, before, parts)| {
                (at, before, parts.map(|(head, tail)| (parse(head), parse(tail))))
            });
            assert_eq!(found, expected, "{pattern}");
        }
    }
}
