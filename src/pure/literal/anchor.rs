//! Anchor literals: a part of a pattern's top-level concatenation always starts with one of them.
//!
//! Take `[a-z]+secret[0-9]`. Wherever `secret` is found, the pattern matches if and only if
//! `secret[0-9]` matches from there on and `[a-z]+` matches up to there. Both searches are
//! anchored, so an automaton mostly decides within a few bytes. Around a literal that is inside a
//! part, a whole window of the record has to be searched. So an anchor is preferred to other
//! literals that are about as rare.

use std::ops::Range;

use regex_syntax::hir::{Hir, HirKind};

use super::cube::Literal;
use super::distance::{bounds_around, subtract_len};
use super::lookahead;
use super::part_literals::{self, MAX_LEN, PartLiterals};
use super::required::RequiredLiterals;

/// The number of parts that are considered for anchors, from the first one on. Bounds the time to
/// build a plan.
const MAX_PARTS: usize = 64;

/// The cheapest set of anchors of `hir` among those that `accept` returns `true` for.
pub(crate) fn anchor_literals(
    hir: &Hir,
    accept: &dyn Fn(&RequiredLiterals) -> bool,
) -> Option<RequiredLiterals> {
    let each = |(at, part)| (at..at + 1, part_literals::part_literals(part));
    let literals: Vec<_> = parts(hir).iter().enumerate().map(each).collect();
    cheapest_anchors(parts(hir), &literals, accept)
}

/// As [`anchor_literals`], for parts whose literals are computed already. `literals` also says which parts they
/// are of, and leaves none out.
///
/// For each start, the anchor is extended part by part while all parts so far are exact. A longer
/// set is rarer but may have more literals, so each is a candidate of its own.
pub(super) fn cheapest_anchors(
    parts: &[Hir],
    literals: &[(Range<usize>, PartLiterals)],
    accept: &dyn Fn(&RequiredLiterals) -> bool,
) -> Option<RequiredLiterals> {
    let (before, after) = bounds_around(literals.iter().map(|(_, part)| part.longest));
    let mut best: Option<RequiredLiterals> = None;
    // The part after the best anchors, if nothing is unknown before it.
    let mut known_to = None;
    for (index, (range, _)) in literals.iter().enumerate().take(MAX_PARTS) {
        let start = range.start;
        let mut anchors = vec![Literal::empty()];
        for (range, part) in &literals[index..] {
            if !part_literals::append(&mut anchors, &part.prefixes) {
                break;
            }
            let complete = anchors.iter().all(|anchor| anchor.len() <= MAX_LEN);
            anchors = part_literals::truncated(anchors);
            // Most sets are too large to be cheaper, however rare their literals are. Skipping
            // them keeps the cost of building low.
            if best.as_ref().is_none_or(|best| !best.is_cheaper_than_any_of_size(anchors.len())) {
                let rest = |len| subtract_len(after[index], len);
                let found = RequiredLiterals::if_cheaper(
                    &anchors,
                    |_| before[index],
                    rest,
                    Some(start),
                    best.as_ref(),
                );
                if let Some(found) = found.filter(accept) {
                    // If the part can match more than the anchor, the bytes after the anchor are
                    // unknown.
                    known_to = (part.exact && complete).then_some(range.end);
                    best = Some(found);
                }
            }
            if !part.exact || !complete {
                break;
            }
        }
    }
    if let (Some(best), Some(known_to)) = (&mut best, known_to) {
        best.lookahead = lookahead::after(&parts[known_to..]);
        best.are_all_matches = best.anchor_part == Some(0)
            && known_to == parts.len()
            && parts.iter().all(|part| part.properties().look_set().is_empty());
    }
    best
}

/// The parts of the top-level concatenation of `hir`; `hir` itself if it is not a concatenation.
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
    use super::*;

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
            let found =
                required.anchor_part.map(|at| (at, required.before, split_at_part(&hir, at)));
            let expected = expected.map(|(at, before, parts)| {
                (at, before, parts.map(|(head, tail)| (parse(head), parse(tail))))
            });
            assert_eq!(found, expected, "{pattern}");
        }
    }

    #[test]
    fn lookahead_comes_from_the_parts_after_the_anchor() {
        // Each pattern with its anchors, and a pattern for the bytes after them.
        let cases = [
            ("qzx[ab][^c].*", &["qzx"][..], "[ab][^c]"),
            ("[a-z]+qzx(?s-u:.)[ab]", &["qzx"], "(?s-u:.)[ab]"),
            ("qzx[01]?[ab]", &["qzx"], "[01ab]"),
            // An anchor is only the beginning of its part, so that the bytes after it are unknown.
            ("[a-z]+(?:qzx|qzy.*w)[ab]", &["qzx", "qzy"], ""),
        ];
        let parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
        let parse = |pattern: &str| parser.clone().parse(pattern).unwrap();
        for (pattern, literals, after) in cases {
            let found = anchor_literals(&parse(pattern), &|_| true).unwrap();
            let literals: Vec<_> = literals.iter().map(|l| Literal::exact(l.as_bytes())).collect();
            assert_eq!(found.literals, literals, "{pattern}");
            assert_eq!(found.lookahead, lookahead::after(parts(&parse(after))), "{pattern}");
        }
    }
}
