//! The choice of the best set of required literals.

use regex_syntax::hir::Hir;

use super::anchor;
use super::byte_frequency::MAX_FILTER_FREQUENCY;
use super::part_literals::{PartLiterals, literals_of_parts};
use super::required::{RequiredLiterals, cheaper};

/// Finds the cheapest set of literals of which every match of `hir` contains one, or `None` if no
/// set is rare enough to filter by.
///
/// Two kinds of sets compete: anchors, which start a part of the top-level concatenation and are
/// cheap to verify, and literals anywhere inside. The walk over the HIR is the same for both.
///
/// Takes time linear in the HIR as it is written, times the limits on sets.
pub(crate) fn required_literals(hir: &Hir) -> Option<RequiredLiterals> {
    let parts = anchor::parts(hir);
    let literals = literals_of_parts(parts);
    let anchors = anchor::cheapest_anchors(parts, &literals, &|_| true);
    let inside = match &literals[..] {
        // It has no set inside, and its literals cost less as anchors.
        [(_, part)] if part.exact => None,
        _ => (literals.into_iter())
            .map(|(_, part)| part)
            .reduce(PartLiterals::join)
            .and_then(PartLiterals::into_cheapest),
    };
    let mut best = cheaper(anchors, inside)?;
    best.literals.sort();
    best.literals.dedup();
    (best.frequency <= MAX_FILTER_FREQUENCY).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::super::cube::Literal;
    use super::super::distance::Bound;
    use super::super::part_literals::MAX_LEN;
    use super::*;

    fn literals(pattern: &str) -> Option<(Vec<String>, Bound, Bound)> {
        let hir = regex_syntax::ParserBuilder::new()
            .utf8(false)
            .unicode(false)
            .build()
            .parse(pattern)
            .unwrap();
        let required = required_literals(&hir)?;
        let show = |literal: &Literal| {
            literal
                .cubes()
                .iter()
                .map(|cube| match (cube.mask, cube.value) {
                    (0xDF, value) => format!("{}{}", value as char, (value | 0x20) as char),
                    (_, value) => (value as char).to_string(),
                })
                .collect()
        };
        Some((required.literals.iter().map(show).collect(), required.before, required.after))
    }

    #[test]
    fn the_rarest_required_literals_are_chosen() {
        type Case = (&'static str, Option<(&'static [&'static str], Bound, Bound)>);
        let cases: &[Case] = &[
            ("foobar", Some((&["foobar"], Some(0), Some(0)))),
            ("foo|quux", Some((&["foo", "quux"], Some(0), Some(1)))),
            (r"\w{2,5}secret\d+", Some((&["secret"], Some(5), None))),
            (r"\w*secret\d", Some((&["secret"], None, Some(1)))),
            ("(?i)key1", Some((&["KkEeYy1"], Some(0), Some(0)))),
            ("AKIA[0-9A-Z]{16}", Some((&["AKIA"], Some(0), Some(16)))),
            ("[a-c]{0,3}xyzzy", Some((&["xyzzy"], Some(3), Some(0)))),
            ("(?:abc)?xyzzy", Some((&["xyzzy"], Some(3), Some(0)))),
            (
                r"gh[pousr]_\w{36}",
                Some((&["gho_", "ghp_", "ghr_", "ghs_", "ghu_"], Some(0), Some(36))),
            ),
            (r"\bT3BlbkFJ\b", Some((&["T3BlbkFJ"], Some(0), Some(0)))),
            ("(?:qu){3}", Some((&["quququ"], Some(0), Some(0)))),
            ("[a-z]+", None),
            ("(?:zzzz)*", None),
            ("zzzz|a", None),
            ("", None),
            ("e", None),
        ];
        for (pattern, expected) in cases {
            let found = literals(pattern);
            let expected =
                expected.map(|(l, b, a)| (l.iter().map(|s| s.to_string()).collect(), b, a));
            assert_eq!(found, expected, "{pattern}");
        }
    }

    /// The bytes that are cut off count as part of the match before or after the literal.
    #[test]
    fn long_literals_are_cut_and_distances_grow() {
        let long = "secret".repeat(MAX_LEN);
        let len = long.len() as u32;
        let cut = len - MAX_LEN as u32;
        for (pattern, around) in [
            (long.clone(), [Some(0), Some(cut)]),
            (format!("{long}|{long}s"), [Some(0), Some(cut + 1)]),
            (format!("a?{long}"), [Some(1), Some(cut)]),
        ] {
            let (literals, before, after) = literals(&pattern).unwrap();
            assert!(
                !literals.is_empty() && literals.iter().all(|l| l.len() == MAX_LEN),
                "{pattern}"
            );
            assert_eq!([before, after], around, "{pattern}");
        }
    }
}
