//! The bytes that can follow a literal in a match, position by position.
//!
//! `s\.[A-Za-z0-9]{24}` has the literal `s.`, which is frequent in text at the end of a sentence.
//! There it is followed by a space, but in a match by a letter or a digit. Comparing the next bytes
//! costs a few instructions, while starting an automaton costs many. Four bytes are compared, each
//! with one lookup in a table of 256 words, in which each distinct byte set of the engine has one
//! bit.

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use crate::pure::ids::NeedleId;

use super::byte_set::ByteSet;

/// The number of bytes after a literal that are compared.
pub(crate) const LEN: usize = 4;
/// The number of HIR nodes that are visited before the lookahead is cut short. A repetition visits
/// its inner node several times, so without a limit the time would be exponential in the depth
/// of nested repetitions.
const BUDGET: u32 = 1000;

/// The lookaheads of all needles of an engine.
#[derive(Debug)]
pub(crate) struct Lookaheads {
    /// By byte: a bit for each set that contains it.
    table: Box<[u64; 256]>,
    /// By needle: for each of the next bytes, the bit in `table` of the set that it must be in.
    sets: Vec<[u8; LEN]>,
}

/// The bit for no restriction: every byte has it, and [`Lookaheads::allow`] also accepts the end of
/// the record.
const ANY: u8 = 63;

impl Lookaheads {
    /// Builds the table from the sets of each needle, at most [`LEN`] of them.
    pub(crate) fn new(lookaheads: &[Vec<ByteSet>]) -> Lookaheads {
        let mut distinct: Vec<ByteSet> = Vec::new();
        let mut table = Box::new([1 << ANY; 256]);
        let sets = lookaheads.iter().map(|lookahead| {
            let mut bits = [ANY; LEN];
            for (bit, set) in bits.iter_mut().zip(lookahead) {
                let index =
                    distinct.iter().position(|other| other == set).unwrap_or(distinct.len());
                if index >= usize::from(ANY) {
                    // There are more distinct sets than bits, so this byte is not compared.
                    continue;
                }
                if index == distinct.len() {
                    distinct.push(*set);
                    for byte in (0..=255).filter(|&byte| set.contains(byte)) {
                        table[usize::from(byte)] |= 1 << index;
                    }
                }
                *bit = index as u8;
            }
            bits
        });
        let sets = sets.collect();
        Lookaheads { table, sets }
    }

    /// Whether a match may continue with `after`, the rest of the record after the needle.
    #[inline]
    pub(crate) fn allow(&self, needle: NeedleId, after: &[u8]) -> bool {
        let sets = &self.sets[needle.index()];
        sets.iter().enumerate().all(|(index, &bit)| {
            bit == ANY
                || after.get(index).is_some_and(|&b| self.table[usize::from(b)] >> bit & 1 != 0)
        })
    }

    /// Memory in bytes.
    pub(crate) fn memory(&self) -> usize {
        size_of_val(&self.table[..]) + size_of_val(&self.sets[..])
    }
}

/// For each boundary of the parts of a concatenation, from the start to the end: the sets of the
/// next bytes in a match. A list has at most [`LEN`] sets, and fewer if a match can end earlier or
/// the next bytes are unknown.
pub(crate) fn after_each(parts: &[Hir]) -> Vec<Vec<ByteSet>> {
    let mut all = vec![Vec::new()];
    let mut walk = Walk { len: LEN, budget: BUDGET };
    for part in parts.iter().rev() {
        let next = walk.prepend(part, &all[all.len() - 1]);
        all.push(next);
    }
    all.reverse();
    all
}

/// The sets of the first bytes of a match of a concatenation, as in [`after_each`].
pub(super) fn after(parts: &[Hir]) -> Vec<ByteSet> {
    Walk { len: LEN, budget: BUDGET }.prepend_parts(parts, &[])
}

/// The sets of the first bytes of a match of `hir`: at most `len`, and fewer if a match can be shorter or
/// the next bytes are unknown.
pub(crate) fn first_bytes(hir: &Hir, len: usize) -> Vec<ByteSet> {
    Walk { len, budget: BUDGET }.prepend(hir, &[])
}

/// A walk over a pattern that collects the sets of next bytes.
struct Walk {
    /// The largest number of sets.
    len: usize,
    /// The number of nodes that may still be visited.
    budget: u32,
}

impl Walk {
    /// The sets of the bytes that `hir` starts with if the sets of `rest` follow it.
    fn prepend(&mut self, hir: &Hir, rest: &[ByteSet]) -> Vec<ByteSet> {
        let Some(left) = self.budget.checked_sub(1) else { return Vec::new() };
        self.budget = left;
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => rest.to_vec(),
            HirKind::Literal(literal) => {
                let bytes = literal.0.iter().map(|&byte| ByteSet::from_iter([byte]));
                bytes.chain(rest.iter().copied()).take(self.len).collect()
            }
            HirKind::Class(class) => {
                // A character outside ASCII has two to four bytes. The number varies within the class,
                // so nothing is known about the bytes after the first one.
                let (set, rest) = match class {
                    Class::Unicode(chars) if !chars.is_ascii() => (ByteSet::of(class), &[][..]),
                    _ => (ByteSet::of(class), rest),
                };
                std::iter::once(set).chain(rest.iter().copied()).take(self.len).collect()
            }
            HirKind::Capture(capture) => self.prepend(&capture.sub, rest),
            HirKind::Concat(parts) => self.prepend_parts(parts, rest),
            HirKind::Alternation(parts) => parts
                .iter()
                .map(|part| self.prepend(part, rest))
                .reduce(union_lookaheads)
                .unwrap_or_default(),
            HirKind::Repetition(repetition) => self.prepend_repetition(repetition, rest),
        }
    }

    fn prepend_parts(&mut self, parts: &[Hir], rest: &[ByteSet]) -> Vec<ByteSet> {
        // Parts that are too far away are not visited.
        let (mut shortest, mut near) = (0, 0);
        while near < parts.len() && shortest < self.len {
            let len = parts[near].properties().minimum_len().unwrap_or(0);
            shortest = len.saturating_add(shortest);
            near += 1;
        }
        let rest = if near < parts.len() { &[] } else { rest };
        parts[..near].iter().rev().fold(rest.to_vec(), |rest, part| self.prepend(part, &rest))
    }

    fn prepend_repetition(&mut self, repetition: &Repetition, rest: &[ByteSet]) -> Vec<ByteSet> {
        let mut all = rest.to_vec();
        // Each optional copy is followed by the copies after it or by the rest. Copies beyond the
        // length of the lookahead change nothing.
        let len = self.len as u32;
        let optional = repetition.max.map_or(len, |max| max.saturating_sub(repetition.min));
        for _ in 0..optional.min(len) {
            all = union_lookaheads(rest.to_vec(), self.prepend(&repetition.sub, &all));
        }
        for _ in 0..repetition.min.min(len) {
            all = self.prepend(&repetition.sub, &all);
        }
        all
    }
}

/// The lookahead that allows every byte that `a` or `b` allows, as long as the shorter of them.
pub(crate) fn union_lookaheads(a: Vec<ByteSet>, b: Vec<ByteSet>) -> Vec<ByteSet> {
    a.iter().zip(&b).map(|(a, b)| a.union(b)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_after_a_literal_are_compared_with_its_sets() {
        let digit = ByteSet::from_iter(b'0'..=b'9');
        let lookaheads =
            Lookaheads::new(&[vec![], vec![digit], vec![digit, ByteSet::from_iter(*b"x")]]);
        let allowed =
            |after: &str| [0, 1, 2].map(|n| lookaheads.allow(NeedleId::new(n), after.as_bytes()));
        assert_eq!(allowed(""), [true, false, false]);
        assert_eq!(allowed("0"), [true, true, false]);
        assert_eq!(allowed("0x"), [true, true, true]);
        assert_eq!(allowed("x0"), [true, false, false]);
        assert_eq!(allowed("00000"), [true, true, false]);
    }

    #[test]
    fn sets_beyond_the_table_allow_every_byte() {
        let sets: Vec<_> = (0..100).map(|b| vec![ByteSet::from_iter([b])]).collect();
        let lookaheads = Lookaheads::new(&sets);
        for needle in 0..100 {
            assert!(lookaheads.allow(NeedleId::new(needle), &[needle as u8]));
            assert_eq!(lookaheads.allow(NeedleId::new(needle), &[200]), needle >= 63);
        }
    }

    #[test]
    fn lookahead_extends_as_far_as_all_matches_do() {
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
            let found: Vec<String> = first_bytes(&hir, LEN)
                .iter()
                .map(|set| (0..=255).filter(|&b| set.contains(b)).map(char::from).collect())
                .collect();
            assert_eq!(found, *expected, "{pattern}");
        }
    }

    #[test]
    fn multi_byte_characters_end_the_lookahead() {
        let hir = regex_syntax::parse("[aé]b").unwrap();
        let sets = first_bytes(&hir, LEN);
        assert_eq!(sets.len(), 1);
        assert!(sets[0].contains(b'a') && sets[0].contains(0xC3) && !sets[0].contains(b'b'));
    }

    #[test]
    fn nested_repetitions_exhaust_the_budget() {
        let pattern = format!("{}a{}", "(?:".repeat(40), "b)*".repeat(40));
        let hir = regex_syntax::parse(&format!("x{pattern}y")).unwrap();
        assert!(first_bytes(&hir, LEN).len() <= LEN);
    }
}
