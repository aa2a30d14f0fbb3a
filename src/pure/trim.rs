//! Patterns reduced to what decides whether they match, and not where.
//!
//! Whether `[\w.-]{0,50}key=\w+` matches is told by `key=\w`: what may be empty at either end of a
//! pattern can be left out, and what repeats there need not repeat more than it must, because the
//! rest of any match is a match as well. What is left has smaller automata, and its literals
//! stand nearer to the start and the end.

use regex_syntax::hir::{Hir, HirKind, Repetition};

/// A pattern that matches in exactly the records that `hir` matches in.
pub(super) fn trim(hir: &Hir) -> Hir {
    trim_side(&trim_side(hir, Side::Start), Side::End)
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Start,
    End,
}

/// Trims `hir`, which stands at that side of the whole pattern.
fn trim_side(hir: &Hir, side: Side) -> Hir {
    if can_be_nothing(hir) {
        return Hir::empty();
    }
    match hir.kind() {
        HirKind::Capture(capture) => trim_side(&capture.sub, side),
        HirKind::Alternation(subs) => {
            Hir::alternation(subs.iter().map(|sub| trim_side(sub, side)).collect())
        }
        HirKind::Concat(subs) => {
            let mut subs: Vec<Hir> = subs.clone();
            if side == Side::End {
                subs.reverse();
            }
            let first = subs.iter().position(|sub| !can_be_nothing(sub)).unwrap_or(subs.len());
            subs.drain(..first);
            if let Some(outer) = subs.first_mut() {
                *outer = trim_side(outer, side);
            }
            if side == Side::End {
                subs.reverse();
            }
            Hir::concat(subs)
        }
        // At least one copy, or it could be nothing.
        HirKind::Repetition(repetition) if repetition.min == 1 => trim_side(&repetition.sub, side),
        HirKind::Repetition(repetition) => Hir::repetition(Repetition {
            min: repetition.min,
            max: Some(repetition.min),
            greedy: repetition.greedy,
            sub: repetition.sub.clone(),
        }),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => hir.clone(),
    }
}

/// Whether `hir` matches the empty string wherever it stands.
fn can_be_nothing(hir: &Hir) -> bool {
    let properties = hir.properties();
    properties.minimum_len() == Some(0) && properties.look_set().is_empty()
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_what_decides_is_kept() {
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
            let trimmed = super::trim(&parse(pattern));
            assert_eq!(trimmed, parse(expected), "{pattern}");
        }
    }
}
