//! The bytes that can follow a literal in a match, position by position.
//!
//! `s\.[A-Za-z0-9]{24}` has the literal `s.`, which ends many a sentence; but then a space
//! follows, and not a letter. To look at the next bytes costs less than to start an automaton.

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use super::ByteSet;

/// How many bytes are told of.
pub(crate) const LEN: usize = 4;
/// How many parts of a pattern are looked at before nothing more is told. Repetitions of
/// repetitions are looked at several times.
const BUDGET: u32 = 1000;

/// What can follow each of many literals, ready to be compared with.
#[derive(Debug)]
pub(crate) struct Follows {
    /// For each byte, the sets that it is in, as bits.
    table: Box<[u64; 256]>,
    /// For each literal, the sets of the bytes behind it.
    numbers: Vec<[u8; LEN]>,
}

/// The number of the set that every byte is in, and what stands behind the end of a record too.
const ANY: u8 = 63;

impl Follows {
    /// Each literal's sets, of which there are at most `LEN`.
    pub(crate) fn new(literals: &[Vec<ByteSet>]) -> Follows {
        let mut sets: Vec<ByteSet> = Vec::new();
        let mut table = Box::new([1 << ANY; 256]);
        let numbers = literals.iter().map(|follow| {
            let mut numbers = [ANY; LEN];
            for (number, set) in numbers.iter_mut().zip(follow) {
                let index = sets.iter().position(|other| other == set).unwrap_or(sets.len());
                if index >= usize::from(ANY) {
                    // There are more different sets than bits.
                    continue;
                }
                if index == sets.len() {
                    sets.push(*set);
                    for byte in (0..=255).filter(|&byte| set.contains(byte)) {
                        table[usize::from(byte)] |= 1 << index;
                    }
                }
                *number = index as u8;
            }
            numbers
        });
        let numbers = numbers.collect();
        Follows { table, numbers }
    }

    /// Whether what stands behind a literal, up to the end of its record, can be what follows it
    /// in a match.
    #[inline]
    pub(crate) fn are_right(&self, literal: u32, behind: &[u8]) -> bool {
        let numbers = &self.numbers[literal as usize];
        numbers.iter().enumerate().all(|(index, &number)| {
            number == ANY
                || behind.get(index).is_some_and(|&b| self.table[usize::from(b)] >> number & 1 != 0)
        })
    }

    /// Memory in bytes.
    pub(crate) fn memory(&self) -> usize {
        size_of_val(&self.table[..]) + size_of_val(&self.numbers[..])
    }
}

/// For each part of a concatenation, and for its end: the sets that the bytes from there on are
/// in, as far as every match has some.
pub(super) fn from_each(parts: &[Hir]) -> Vec<Vec<ByteSet>> {
    let mut all = vec![Vec::new()];
    let mut budget = BUDGET;
    for part in parts.iter().rev() {
        let next = before(part, &all[all.len() - 1], &mut budget);
        all.push(next);
    }
    all.reverse();
    all
}

/// The sets of `hir` followed by what `rest` tells of.
fn before(hir: &Hir, rest: &[ByteSet], budget: &mut u32) -> Vec<ByteSet> {
    let Some(left) = budget.checked_sub(1) else { return Vec::new() };
    *budget = left;
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => rest.to_vec(),
        HirKind::Literal(literal) => {
            let bytes = literal.0.iter().map(|&byte| ByteSet::from_iter([byte]));
            bytes.chain(rest.iter().copied()).take(LEN).collect()
        }
        HirKind::Class(class) => {
            // Characters that are not ASCII are of several bytes; how many is not known.
            let (set, rest) = match class {
                Class::Unicode(chars) if !chars.is_ascii() => (ByteSet::of(class), &[][..]),
                _ => (ByteSet::of(class), rest),
            };
            std::iter::once(set).chain(rest.iter().copied()).take(LEN).collect()
        }
        HirKind::Capture(capture) => before(&capture.sub, rest, budget),
        HirKind::Concat(parts) => {
            parts.iter().rev().fold(rest.to_vec(), |rest, part| before(part, &rest, budget))
        }
        HirKind::Alternation(parts) => {
            parts.iter().map(|part| before(part, rest, budget)).reduce(union).unwrap_or_default()
        }
        HirKind::Repetition(repetition) => repeated(repetition, rest, budget),
    }
}

fn repeated(repetition: &Repetition, rest: &[ByteSet], budget: &mut u32) -> Vec<ByteSet> {
    let mut all = rest.to_vec();
    // As many copies as there may be, but no more than can be told of, each followed by more
    // copies or by the rest.
    let optional = repetition.max.map_or(LEN as u32, |max| max.saturating_sub(repetition.min));
    for _ in 0..optional.min(LEN as u32) {
        all = union(rest.to_vec(), before(&repetition.sub, &all, budget));
    }
    for _ in 0..repetition.min.min(LEN as u32) {
        all = before(&repetition.sub, &all, budget);
    }
    all
}

/// What is told by either, as far as both tell something.
pub(crate) fn union(a: Vec<ByteSet>, b: Vec<ByteSet>) -> Vec<ByteSet> {
    a.iter().zip(&b).map(|(a, b)| a.union(b)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_behind_a_literal_are_compared_with_its_sets() {
        let digit = ByteSet::from_iter(b'0'..=b'9');
        let follows = Follows::new(&[vec![], vec![digit], vec![digit, ByteSet::from_iter(*b"x")]]);
        let right = |behind: &str| [0, 1, 2].map(|n| follows.are_right(n, behind.as_bytes()));
        assert_eq!(right(""), [true, false, false]);
        assert_eq!(right("0"), [true, true, false]);
        assert_eq!(right("0x"), [true, true, true]);
        assert_eq!(right("x0"), [true, false, false]);
        assert_eq!(right("00000"), [true, true, false]);
    }

    #[test]
    fn sets_beyond_the_bits_let_everything_pass() {
        let sets: Vec<_> = (0..100).map(|b| vec![ByteSet::from_iter([b])]).collect();
        let follows = Follows::new(&sets);
        for literal in 0..100 {
            assert!(follows.are_right(literal, &[literal as u8]));
            assert_eq!(follows.are_right(literal, &[200]), literal >= 63);
        }
    }

    #[test]
    fn what_can_follow_is_told_as_far_as_it_must() {
        let cases: &[(&str, &[&str])] = &[
            ("", &[]),
            ("abcdef", &["a", "b", "c", "d"]),
            ("[ab]c", &["ab", "c"]),
            ("a?bc", &["ab", "bc"]),
            ("a{2}b", &["a", "a", "b"]),
            ("a{1,2}bc", &["a", "ab", "bc"]),
            ("a*bc", &["ab", "abc"]),
            ("a+b", &["a", "ab"]),
            ("(?:a|bc)d", &["ab", "cd"]),
            (r"\ba\b[0-1]", &["a", "01"]),
            ("(?:ab)*c", &["ac"]),
            ("(?:ab)+cde", &["a", "b", "ac", "bd"]),
            ("a*", &[]),
            ("(?:a{2}){3,}", &["a", "a", "a", "a"]),
        ];
        for (pattern, expected) in cases {
            let parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
            let hir = parser.clone().parse(pattern).unwrap();
            let found: Vec<String> = before(&hir, &[], &mut BUDGET.clone())
                .iter()
                .map(|set| (0..=255).filter(|&b| set.contains(b)).map(char::from).collect())
                .collect();
            assert_eq!(found, *expected, "{pattern}");
        }
    }

    #[test]
    fn characters_of_several_bytes_end_what_is_told() {
        let hir = regex_syntax::parse("[aé]b").unwrap();
        let sets = before(&hir, &[], &mut BUDGET.clone());
        assert_eq!(sets.len(), 1);
        assert!(sets[0].contains(b'a') && sets[0].contains(0xC3) && !sets[0].contains(b'b'));
    }

    #[test]
    fn nested_repetitions_are_given_up() {
        let pattern = format!("{}a{}", "(?:".repeat(40), "b)*".repeat(40));
        let hir = regex_syntax::parse(&format!("x{pattern}y")).unwrap();
        assert!(before(&hir, &[], &mut BUDGET.clone()).len() <= LEN);
    }
}
