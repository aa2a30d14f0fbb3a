//! Sets of literals of which every match contains one, and what searching by them costs.

use crate::pure::cost;

use super::byte_frequency;
use super::byte_set::ByteSet;
use super::cube::Literal;
use super::distance::Bound;

/// A set of literals of which every match contains at least one.
#[derive(Clone, Debug)]
pub(crate) struct RequiredLiterals {
    /// At least one literal, none of which is empty.
    pub(crate) literals: Vec<Literal>,
    /// The largest distance from the start of a match to the start of its literal.
    pub(crate) before: Bound,
    /// The largest distance from the end of the literal to the end of the match.
    pub(crate) after: Bound,
    /// The probability that one of the literals is at a given position of ordinary text.
    pub(crate) frequency: f64,
    /// If the literals are anchors, the part of the pattern's concatenation that they start: every
    /// match of the parts from this one on starts with one of the literals. Parts are counted as
    /// by [`split_at_part`](super::split_at_part).
    pub(crate) anchor_part: Option<usize>,
    /// The sets that the bytes after an anchor are in, as far as they are known.
    pub(crate) lookahead: Vec<ByteSet>,
    /// Whether the literals are anchors and all that the pattern matches, so that each of them that is found is a
    /// match.
    pub(crate) are_all_matches: bool,
}

impl RequiredLiterals {
    /// Makes a set of `literals`, each of which is at most `before(len)` bytes after the start of
    /// a match and `after(len)` bytes before its end, where `len` is its length. `None` if there
    /// are no literals or one is empty, since then nothing is required, or if the set is not cheaper than
    /// `best`. For `anchor_part`, see [`RequiredLiterals::anchor_part`].
    pub(super) fn if_cheaper(
        literals: &[Literal],
        before: impl Fn(usize) -> Bound,
        after: impl Fn(usize) -> Bound,
        anchor_part: Option<usize>,
        best: Option<&RequiredLiterals>,
    ) -> Option<RequiredLiterals> {
        if literals.is_empty() || literals.iter().any(Literal::is_empty) {
            return None;
        }
        let largest = |bound: &dyn Fn(usize) -> Bound| {
            literals.iter().try_fold(0, |max: u32, l| Some(max.max(bound(l.len())?)))
        };
        let (before, after) = (largest(&before), largest(&after));
        let frequency = literals.iter().map(byte_frequency::of_literal).sum();
        let rank = Rank::new(frequency, literals.len(), anchor_part, before, after);
        if best.is_some_and(|best| rank >= best.rank()) {
            return None;
        }
        Some(RequiredLiterals {
            before,
            after,
            frequency,
            literals: literals.to_vec(),
            anchor_part,
            lookahead: Vec::new(),
            are_all_matches: false,
        })
    }

    /// Whether the cost is at most that of a set of `literals` literals that never occur. Then no
    /// set of that size or larger can be cheaper.
    pub(super) fn is_cheaper_than_any_of_size(&self, literals: usize) -> bool {
        self.rank().cost <= literals as f64 * cost::LITERAL_NS
    }

    fn rank(&self) -> Rank {
        Rank::new(self.frequency, self.literals.len(), self.anchor_part, self.before, self.after)
    }
}

/// Orders sets, the cheapest first. Of sets with equal costs, the one with smaller distances to the ends of a match
/// comes first.
#[derive(PartialEq, PartialOrd)]
struct Rank {
    /// The expected cost of searching by the literals, in nanoseconds per byte of ordinary text.
    cost: f64,
    before: u32,
    after: u32,
}

impl Rank {
    fn new(
        frequency: f64,
        literals: usize,
        anchor_part: Option<usize>,
        before: Bound,
        after: Bound,
    ) -> Rank {
        let verification = match (anchor_part, before, after) {
            (Some(0), ..) => cost::CANDIDATE_NS,
            (Some(_), ..) => cost::SPLIT_CANDIDATE_NS,
            (None, Some(before), Some(after)) => {
                cost::WINDOW_CANDIDATE_NS
                    + f64::from(before.saturating_add(after)) * cost::WINDOW_BYTE_NS
            }
            _ => cost::RECORD_CANDIDATE_NS,
        };
        Rank {
            cost: frequency * verification + literals as f64 * cost::LITERAL_NS,
            before: before.unwrap_or(u32::MAX),
            after: after.unwrap_or(u32::MAX),
        }
    }
}

/// The cheaper one of two sets; the first one if they cost the same.
pub(super) fn cheaper(
    a: Option<RequiredLiterals>,
    b: Option<RequiredLiterals>,
) -> Option<RequiredLiterals> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b.rank() < a.rank() { b } else { a }),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::super::extract::required_literals;

    #[test]
    fn literals_are_all_matches_only_of_patterns_without_more() {
        let long = "k".repeat(33);
        let cases = [
            ("foobar", true),
            ("foo|quux", true),
            ("(?i)key1", true),
            ("xy(?:zz){2}", true),
            (r"\bfoobar", false),
            ("^foobar", false),
            ("foobar$", false),
            ("foobar[a-z]", false),
            ("foobarx?", false),
            ("foobarx*", false),
            ("[a-z]foobar", false),
            ("foo.quux|quux", false),
            (&long, false),
        ];
        let parser = regex_syntax::ParserBuilder::new().utf8(false).unicode(false).build();
        for (pattern, expected) in cases {
            let hir = parser.clone().parse(pattern).unwrap();
            let required = required_literals(&hir).unwrap();
            assert_eq!(required.are_all_matches, expected, "{pattern}");
        }
    }
}
