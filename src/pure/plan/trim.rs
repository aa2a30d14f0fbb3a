//! Reduces a pattern to the part that decides *whether* a record matches.
//!
//! `[\w.-]{0,50}key=\w+` matches a record if and only if `key=\w` does: an element at either end
//! that may match nothing can be dropped, and a repetition at either end needs only its minimum
//! number of copies, because the rest of any match is itself a match. The trimmed form has smaller
//! automata, and its literals stand nearer to the start and the end of a match.
//!
//! Only where a match starts and ends is lost. Spans are therefore found with the whole pattern;
//! [`Trimmed::head`] bounds how far before a match of the trimmed form a span can start.
//!
//! The reduction takes time linear in the HIR. It stops at assertions: `\ba*b` keeps its `\b`,
//! since what holds there depends on the bytes around it.

use std::borrow::Cow;

use regex_syntax::hir::{Hir, HirKind, Look, Repetition};

use crate::pure::literal::{
    Bound, add_bounds, matches_only_at_end, matches_only_at_start, max_match_len,
};

/// The trimmed form of a pattern: it matches exactly the records that the pattern matches.
#[derive(Clone, Debug)]
pub(in crate::pure) struct Trimmed<'a> {
    /// The trimmed form. Each of its matches is a match of the pattern, and each match of the
    /// pattern contains a match of the trimmed form.
    pub(in crate::pure) hir: Cow<'a, Hir>,
    /// The largest distance from the start of a match of the pattern to the start of the first
    /// match of the trimmed form in it.
    pub(in crate::pure) head: Bound,
}

/// Reduces `hir` at both ends.
pub(in crate::pure) fn trim(hir: &Hir) -> Trimmed<'_> {
    let mut trimmed = Trimmed { hir: Cow::Borrowed(hir), head: Some(0) };
    if hir.properties().explicit_captures_len() > 0 {
        trimmed.hir = Cow::Owned(without_captures(hir));
    }
    if !is_trimmed(&trimmed.hir, Side::Start) {
        let (hir, head) = trim_side(&trimmed.hir, Side::Start);
        trimmed = Trimmed { hir: Cow::Owned(hir), head };
    }
    if !is_trimmed(&trimmed.hir, Side::End) {
        trimmed.hir = Cow::Owned(trim_side(&trimmed.hir, Side::End).0);
    }
    trimmed
}

/// `hir` without its capture groups, whose contents join the concatenations around them.
pub(super) fn without_captures(hir: &Hir) -> Hir {
    if hir.properties().explicit_captures_len() == 0 {
        return hir.clone();
    }
    match hir.kind() {
        HirKind::Capture(capture) => without_captures(&capture.sub),
        HirKind::Repetition(repetition) => Hir::repetition(Repetition {
            sub: Box::new(without_captures(&repetition.sub)),
            ..*repetition
        }),
        HirKind::Concat(subs) => Hir::concat(subs.iter().map(without_captures).collect()),
        HirKind::Alternation(subs) => Hir::alternation(subs.iter().map(without_captures).collect()),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => hir.clone(),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Start,
    End,
}

/// Whether [`trim_side`] has nothing to do.
fn is_trimmed(hir: &Hir, side: Side) -> bool {
    !can_be_empty(hir)
        && match hir.kind() {
            HirKind::Capture(_) | HirKind::Repetition(_) => false,
            HirKind::Alternation(subs) => subs.iter().all(|sub| is_trimmed(sub, side)),
            HirKind::Concat(subs) => {
                let outer = if side == Side::Start { subs.first() } else { subs.last() };
                outer.is_none_or(|outer| is_trimmed(outer, side))
            }
            HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => true,
        }
}

/// Reduces `hir`, which stands at `side` of the whole pattern. Also returns the largest number of
/// bytes that the part cut off can match.
fn trim_side(hir: &Hir, side: Side) -> (Hir, Bound) {
    if can_be_empty(hir) {
        return (Hir::empty(), max_match_len(hir));
    }
    match hir.kind() {
        HirKind::Capture(capture) => trim_side(&capture.sub, side),
        HirKind::Alternation(subs) => {
            let (subs, cuts): (Vec<Hir>, Vec<Bound>) =
                subs.iter().map(|sub| trim_side(sub, side)).unzip();
            let cut = cuts.into_iter().try_fold(0, |max: u32, cut| Some(max.max(cut?)));
            (Hir::alternation(subs), cut)
        }
        HirKind::Concat(subs) => {
            let is_kept = |sub: &Hir| !can_be_empty(sub);
            let (cut_off, kept) = match side {
                Side::Start => subs.split_at(subs.iter().position(is_kept).unwrap_or(subs.len())),
                Side::End => {
                    let kept = subs.iter().rposition(is_kept).map_or(0, |last| last + 1);
                    let (kept, cut_off) = subs.split_at(kept);
                    (cut_off, kept)
                }
            };
            let mut cut = cut_off.iter().map(max_match_len).fold(Some(0), add_bounds);
            let outer = if side == Side::Start { 0 } else { kept.len().saturating_sub(1) };
            let part = |(index, sub): (usize, &Hir)| {
                if index != outer {
                    return sub.clone();
                }
                let (trimmed, more) = trim_side(sub, side);
                cut = add_bounds(cut, more);
                trimmed
            };
            let parts = kept.iter().enumerate().map(part).collect();
            (Hir::concat(parts), cut)
        }
        // `min` is at least 1: with 0, `can_be_empty` has returned above.
        HirKind::Repetition(repetition) => {
            let (sub, more) = match repetition.min {
                1 => trim_side(&repetition.sub, side),
                min => {
                    let (greedy, sub) = (repetition.greedy, repetition.sub.clone());
                    (Hir::repetition(Repetition { min, max: Some(min), greedy, sub }), Some(0))
                }
            };
            let copies = repetition.max.and_then(|max| max.checked_sub(repetition.min));
            let cut = match (max_match_len(&repetition.sub), copies) {
                (Some(0), _) => Some(0),
                (Some(longest), Some(copies)) => longest.checked_mul(copies),
                (None, Some(0)) => Some(0),
                _ => None,
            };
            (sub, add_bounds(cut, more))
        }
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => {
            (hir.clone(), Some(0))
        }
    }
}

/// Whether `hir` matches the empty string at every position.
fn can_be_empty(hir: &Hir) -> bool {
    let properties = hir.properties();
    properties.minimum_len() == Some(0) && properties.look_set().is_empty()
}

/// Whether `hir` matches the empty string at the start of every record, or at the end of every
/// record. Such a pattern matches every record.
pub(in crate::pure) fn matches_always(hir: &Hir) -> bool {
    if hir.properties().minimum_len() != Some(0) {
        return false;
    }
    let start = |look| matches!(look, Look::Start | Look::StartLF | Look::StartCRLF);
    let end = |look| matches!(look, Look::End | Look::EndLF | Look::EndCRLF);
    matches_empty_where(hir, &start) || matches_empty_where(hir, &end)
}

/// Whether no record has a match, because a part has no string that matches, or must be at the start or
/// the end of the record with other bytes before or after it, as in `"^a`. Such patterns are mistakes, but large
/// sets have some.
///
/// Returns `false` for a pattern that matches nothing for another reason.
pub(in crate::pure) fn matches_never(hir: &Hir) -> bool {
    let properties = hir.properties();
    if properties.minimum_len().is_some() && properties.look_set().is_empty() {
        // There is a string that matches, and no assertion to contradict it.
        return false;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Literal(_) | HirKind::Look(_) => false,
        HirKind::Class(_) => hir.properties().minimum_len().is_none(),
        HirKind::Capture(capture) => matches_never(&capture.sub),
        HirKind::Repetition(repetition) => repetition.min > 0 && matches_never(&repetition.sub),
        HirKind::Alternation(subs) => subs.iter().all(matches_never),
        HirKind::Concat(subs) => {
            subs.iter().any(matches_never)
                || follows_bytes(subs.iter(), matches_only_at_start)
                || follows_bytes(subs.iter().rev(), matches_only_at_end)
        }
    }
}

/// Whether a part for which `is_outermost` holds comes after one that matches only strings with bytes.
fn follows_bytes<'a>(parts: impl Iterator<Item = &'a Hir>, is_outermost: fn(&Hir) -> bool) -> bool {
    let has_bytes = |hir: &&Hir| hir.properties().minimum_len() > Some(0);
    let mut after = parts.skip_while(|hir| !has_bytes(hir)).skip(1);
    after.any(is_outermost)
}

/// Whether `hir` matches the empty string at every position where all assertions accepted by
/// `holds` are true.
fn matches_empty_where(hir: &Hir, holds: &impl Fn(Look) -> bool) -> bool {
    match hir.kind() {
        HirKind::Empty => true,
        HirKind::Literal(_) | HirKind::Class(_) => false,
        HirKind::Look(look) => holds(*look),
        HirKind::Repetition(repetition) => {
            repetition.min == 0 || matches_empty_where(&repetition.sub, holds)
        }
        HirKind::Capture(capture) => matches_empty_where(&capture.sub, holds),
        HirKind::Concat(subs) => subs.iter().all(|sub| matches_empty_where(sub, holds)),
        HirKind::Alternation(subs) => subs.iter().any(|sub| matches_empty_where(sub, holds)),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn trim_keeps_what_decides_a_match() {
        let cases = [
            (r"[\w.-]{0,50}?key=\w+", r"key=\w"),
            ("a{3,9}b{2,}", "a{3}b{2}"),
            ("^a*b*$", "^a*b*$"),
            (r"x?\ba*b", r"\ba*b"),
            ("(?:a*b|c*d)x(?:e*|f)", "(?:b|d)x"),
            ("(?:a*b+){1,3}", "b"),
            ("(a+)?(?:b(c?))", "b"),
            (r"(?:\b|x)a", r"(?:\b|x)a"),
            ("a+", "a"),
            ("", ""),
        ];
        for (pattern, expected) in cases {
            let parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
            let parse = |pattern: &str| parser.clone().parse(pattern).unwrap();
            let hir = parse(pattern);
            assert_eq!(*super::trim(&hir).hir, parse(expected), "{pattern}");
        }
    }

    #[test]
    fn head_bounds_the_bytes_cut_off() {
        let cases = [
            (r"[\w.-]{0,50}?key=\w+", Some(50)),
            ("a{3,9}b", Some(6)),
            ("(?:a*b|c)", None),
            ("(?:a?b|c{1,4})x?", Some(3)),
            ("abc*", Some(0)),
        ];
        for (pattern, expected) in cases {
            let parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
            assert_eq!(
                super::trim(&parser.clone().parse(pattern).unwrap()).head,
                expected,
                "{pattern}"
            );
        }
    }

    #[test]
    fn patterns_that_contradict_themselves_never_match() {
        let never = [
            "[a&&b]",
            "a[b&&c]?[a&&b]d",
            "(?:[a&&b]|x[c&&d]){2}",
            "\"^a",
            "a(?:^c|^)",
            "a$b",
            "(?:$|b$)c+",
            r"a\Ab",
        ];
        let may = [
            "[a&&b]*", "[a&&b]|c", "a*^b", "a$b*", "(?m)a$.b", "(?m)a^b", "^^$$", "(?:a|^)b",
            r"a\bb", "", "a|b$c",
        ];
        for (patterns, expected) in [(&never[..], true), (&may[..], false)] {
            for pattern in patterns {
                let parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
                let hir = parser.clone().parse(pattern).unwrap();
                assert_eq!(super::matches_never(&hir), expected, "{pattern}");
            }
        }
    }

    #[test]
    fn empty_at_an_end_matches_every_record() {
        let always = ["", "a*", "a*b?$", "(?m)^", "^", "a|$", "(?:^|b)c*", "(?:$)+", "(?R)a*$"];
        let not = ["a", "^$", "^a*$", r"\b", r"\B", "^a", "(?m)^a*$", "(?:^a|b$)"];
        for (patterns, expected) in [(&always[..], true), (&not[..], false)] {
            for pattern in patterns {
                let parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
                let hir = parser.clone().parse(pattern).unwrap();
                assert_eq!(super::matches_always(&hir), expected, "{pattern}");
            }
        }
    }
}
