//! Extended Shift-And: a bit-parallel NFA for patterns that are a sequence of byte classes.
//!
//! A lazy DFA is slow on patterns such as `\w{12,}\d\w{12,}\d`: it needs a state for each
//! combination of digits and letters in the last bytes of a word. There are thousands, and text
//! made of words reaches them all. As an NFA the same pattern has 26 states. If these are the bits
//! of a machine word, one shift and a few logical operations advance all of them at once, in the
//! same time per byte whatever the input is and with no cache to fill.
//!
//! This is the extended Shift-And algorithm of Navarro and Raffinot ("Flexible Pattern Matching in
//! Strings", 2002, section 4.2): a pattern is a sequence of positions, each a class of bytes, and
//! a position may be optional, repeatable or both. A state is the set of positions that the input
//! can have matched up to. The next state is
//!
//! ```text
//! ((state << 1) | (state & repeatable)) & accepting[byte]
//! ```
//!
//! together with the positions that can be reached from it over optional positions alone. A run of
//! optional positions is crossed by the borrow of a subtraction: see [`ShiftAnd::closure`].
//!
//! # Limits
//!
//! At most 63 positions, no alternation of sequences, and no unbounded repetition of more than one
//! position. Look-around and optional groups of several positions are accepted, but
//! over-approximated: then [`ShiftAnd::exact`] is false and a match has to be verified. Only
//! whether the pattern matches is found, not where.

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use crate::pure::mechanism;

/// A pattern as a sequence of byte classes. In every set of positions, bit 0 is the empty sequence
/// before the first position, which is always matched, so that a match can start anywhere; bit `n`
/// is the `n`-th position.
#[derive(Debug)]
pub(super) struct ShiftAnd {
    /// By byte: the positions whose class contains it, and bit 0.
    accepting: Box<[u64; 256]>,
    /// The positions that may match more than one byte, and bit 0.
    repeatable: u64,
    /// The positions that may match no byte.
    optional: u64,
    /// The last position of each run of adjacent optional positions.
    last_optional: u64,
    /// The position before each such run.
    before_optional: u64,
    /// The last position.
    end: u64,
    /// Whether every match of the sequence is a match of the pattern. If not, a match has to be
    /// verified.
    pub(super) exact: bool,
}

/// The maximum number of positions: the bits of a word except bit 0.
const MAX_POSITIONS: usize = 63;

#[derive(Clone)]
struct Position {
    /// The class of bytes, as ascending ranges.
    ranges: Vec<(u8, u8)>,
    optional: bool,
    repeatable: bool,
}

impl ShiftAnd {
    /// Builds a matcher that matches every record in which `hir` matches, and perhaps others.
    /// Returns `None` if `hir` does not have this form, or if the matcher would match every record.
    pub(super) fn new(hir: &Hir) -> Option<ShiftAnd> {
        let (positions, exact) = positions(hir)?;
        let mut matcher = ShiftAnd {
            accepting: Box::new([1; 256]),
            repeatable: 1,
            optional: 0,
            last_optional: 0,
            before_optional: 0,
            end: 1 << positions.len(),
            exact,
        };
        for (index, position) in positions.iter().enumerate() {
            let bit = 2 << index;
            for byte in position.ranges.iter().flat_map(|&(first, last)| first..=last) {
                matcher.accepting[usize::from(byte)] |= bit;
            }
            matcher.repeatable |= if position.repeatable { bit } else { 0 };
            if position.optional {
                matcher.optional |= bit;
                if index == 0 || !positions[index - 1].optional {
                    matcher.before_optional |= bit >> 1;
                }
                if positions.get(index + 1).is_none_or(|next| !next.optional) {
                    matcher.last_optional |= bit;
                }
            }
        }
        Some(matcher)
    }

    /// Tests whether the sequence matches anywhere in `record`.
    pub(super) fn is_match(&self, record: &[u8]) -> bool {
        let mut state = self.closure(1);
        for &byte in record {
            let next = (state << 1 | state & self.repeatable) & self.accepting[usize::from(byte)];
            state = self.closure(next);
            if state & self.end != 0 {
                return true;
            }
        }
        false
    }

    /// Adds the positions that can be reached from those of `state` over optional positions.
    ///
    /// For each run of optional positions, take the bits from the one before the run to its last.
    /// Subtracting the lowest of these bits borrows up to the lowest position of `state` and
    /// leaves all bits above it as they are, so the bits that did not change are those above that
    /// position. The last bit of the run is set beforehand and stops the borrow if `state` has no
    /// position here.
    fn closure(&self, state: u64) -> u64 {
        let stopped = state | self.last_optional;
        state | self.optional & (!stopped.wrapping_sub(self.before_optional) ^ stopped)
    }

    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        size_of_val(&*self.accepting)
    }
}

/// The positions of a pattern, and whether they are exact. `None` if the pattern does not have this
/// form, or if all positions are optional.
fn positions(hir: &Hir) -> Option<(Vec<Position>, bool)> {
    if !mechanism::SHIFT_AND {
        return None;
    }
    let (mut positions, mut exact) = (Vec::new(), true);
    append(hir, &mut positions, &mut exact)?;
    positions.iter().any(|position| !position.optional).then_some((positions, exact))
}

/// Appends the positions of `hir`. Clears `exact` if they match more than `hir` does.
fn append(hir: &Hir, positions: &mut Vec<Position>, exact: &mut bool) -> Option<()> {
    let position = |ranges| Position { ranges, optional: false, repeatable: false };
    match hir.kind() {
        HirKind::Empty => {}
        HirKind::Look(_) => *exact = false,
        HirKind::Literal(literal) => {
            positions.extend(literal.0.iter().map(|&byte| position(vec![(byte, byte)])));
        }
        HirKind::Class(class) => {
            let bytes = match class {
                Class::Bytes(bytes) => bytes.clone(),
                Class::Unicode(chars) => chars.to_byte_class()?,
            };
            positions.push(position(bytes.iter().map(|r| (r.start(), r.end())).collect()));
        }
        HirKind::Capture(capture) => append(&capture.sub, positions, exact)?,
        HirKind::Concat(subs) => {
            for sub in subs {
                append(sub, positions, exact)?;
            }
        }
        HirKind::Alternation(_) => return None,
        HirKind::Repetition(repetition) => append_repetition(repetition, positions, exact)?,
    }
    (positions.len() <= MAX_POSITIONS).then_some(())
}

fn append_repetition(
    repetition: &Repetition,
    positions: &mut Vec<Position>,
    exact: &mut bool,
) -> Option<()> {
    let mut sub = Vec::new();
    append(&repetition.sub, &mut sub, exact)?;
    let min = repetition.min as usize;
    let copies = repetition.max.map_or(min.max(1), |max| max as usize);
    if sub.len().saturating_mul(copies) > MAX_POSITIONS {
        return None;
    }
    if repetition.max.is_none() && sub.len() > 1 {
        // A position repeats by itself only; there is no step back to the start of a sequence.
        return None;
    }
    for copy in 0..copies {
        let optional = copy >= min;
        // A copy of several positions is optional as a whole, but here each of its positions is
        // optional by itself.
        *exact &= !optional || sub.len() <= 1;
        positions.extend(sub.iter().cloned().map(|position| Position {
            optional: position.optional || optional,
            repeatable: position.repeatable || repetition.max.is_none() && copy + 1 == copies,
            ..position
        }));
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex_automata::nfa::thompson::pikevm::PikeVM;

    use super::super::lazy_dfa;
    use super::*;

    fn parse(pattern: &str) -> Hir {
        let parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
        parser.clone().parse(pattern).unwrap()
    }

    fn position() -> impl Strategy<Value = String> {
        let class =
            prop::sample::select(&["a", "b", "[ab]", "[^a]", ".", "c", "(?:ab)", r"\b"][..]);
        let count =
            prop::sample::select(&["", "", "", "?", "*", "+", "{2,3}", "{2,}", "{0,2}"][..]);
        (class, count).prop_map(|(class, count)| {
            if class == r"\b" { class.to_owned() } else { format!("{class}{count}") }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: ProptestConfig::default().cases * 8,
            ..ProptestConfig::default()
        })]

        #[test]
        fn matches_where_the_pattern_does(
            pattern in prop::collection::vec(position(), 1..12).prop_map(|parts| parts.concat()),
            records in prop::collection::vec(
                prop::collection::vec(prop::sample::select(&b"aaabbbc\n\xFF"[..]), 0..24),
                0..12,
            ),
        ) {
            let hir = parse(&pattern);
            let Some(matcher) = ShiftAnd::new(&hir) else { return Ok(()) };
            let oracle = PikeVM::new_from_nfa(lazy_dfa::compile(&[&hir])).unwrap();
            for record in &records {
                let expected = oracle.is_match(&mut oracle.create_cache(), &record[..]);
                let found = matcher.is_match(record);
                prop_assert!(found || !expected, "{} {}", pattern, record.escape_ascii());
                let only = found == expected || !matcher.exact;
                prop_assert!(only, "{} {}", pattern, record.escape_ascii());
            }
        }
    }

    #[test]
    fn accepts_only_sequences_of_classes() {
        for (pattern, exact) in [
            (r"\w{12,}\d\w{12,}\d", Some(true)),
            (r"a?b+c*[^d]{3,7}x", Some(true)),
            (r"\ba+b", Some(false)),
            ("a(?:bc)?d", Some(false)),
            ("a{63}", Some(true)),
            ("a{64}", None),
            ("a(?:bc)*d", None),
            ("ab|cd", None),
            ("a*", None),
        ] {
            assert_eq!(
                ShiftAnd::new(&parse(pattern)).map(|matcher| matcher.exact),
                exact,
                "{pattern}"
            );
        }
    }
}
