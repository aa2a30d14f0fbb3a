//! Which patterns may match a line feed, and which can't match without one.
//!
//! Both are decided by the parsed pattern alone, part by part. Where that is not exact, the first
//! question is answered with yes and the second one with no: an assertion can rule out a line feed
//! beside it, or require one.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Whether some match of `hir` may contain a line feed.
pub(super) fn is_possible(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => false,
        HirKind::Literal(literal) => literal.0.contains(&b'\n'),
        HirKind::Class(Class::Unicode(class)) => {
            class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&'\n'))
        }
        HirKind::Class(Class::Bytes(class)) => {
            class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&b'\n'))
        }
        HirKind::Repetition(repetition) => is_possible(&repetition.sub),
        HirKind::Capture(capture) => is_possible(&capture.sub),
        HirKind::Concat(subs) | HirKind::Alternation(subs) => subs.iter().any(is_possible),
    }
}

/// Whether every match of `hir` contains a line feed.
pub(super) fn is_required(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => false,
        HirKind::Literal(literal) => literal.0.contains(&b'\n'),
        HirKind::Class(class) => class.literal().is_some_and(|literal| literal == b"\n"),
        HirKind::Repetition(repetition) => repetition.min > 0 && is_required(&repetition.sub),
        HirKind::Capture(capture) => is_required(&capture.sub),
        HirKind::Concat(subs) => subs.iter().any(is_required),
        HirKind::Alternation(subs) => subs.iter().all(is_required),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_feeds_are_found_in_every_part_of_a_pattern() {
        let cases = [
            ("", false, false),
            ("abc", false, false),
            (".", false, false),
            (r"[^\n]", false, false),
            (r"(?m)^a$", false, false),
            (r"a\nb", true, true),
            (r"\n", true, true),
            (r"(?-u)[\n]", true, true),
            ("(?s).", true, false),
            ("(?s-u).", true, false),
            (r"a\s+b", true, false),
            ("[^a]", true, false),
            (r"(a\n)*", true, false),
            (r"(?:a\n){2,3}?", true, true),
            (r"a\n|b", true, false),
            (r"a\n|(b\n)", true, true),
        ];
        for (regex, possible, required) in cases {
            let hir = regex_syntax::ParserBuilder::new().utf8(false).build().parse(regex).unwrap();
            assert_eq!((is_possible(&hir), is_required(&hir)), (possible, required), "{regex}");
        }
    }
}
