//! Checks whether a record contains a literal that the head of a pattern requires, before the head
//! is searched backward.
//!
//! Many heads are of the form `Android.*; `: where the tail matches, an automaton reads back to the
//! start of the record to find out that there is no `Android`. Of the heads of user agent rules,
//! four in five fail like this. Looking for the literal is faster than an automaton, and it is done
//! once per record for all patterns and hits: what is kept is where the literal ends first.
//!
//! Costs at most one pass over the record for each different literal.

use std::collections::HashMap;

use memchr::memmem::Finder;
use regex_syntax::hir::{Hir, HirKind};

use crate::pure::ids::PatternIndex;

use super::patterns::Split;

/// The minimum length of a literal that is looked for, in bytes. Shorter ones are in most records.
const MIN_LEN: usize = 3;

/// The literals that the heads of all patterns require.
#[derive(Debug, Default)]
pub(super) struct HeadLiterals {
    finders: Vec<Finder<'static>>,
    /// By pattern: an index into `finders`.
    of: Vec<Option<u32>>,
}

/// Where a literal ends first in a record.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FirstEnd {
    /// The record, by its epoch.
    epoch: u64,
    /// `usize::MAX` if the record does not contain the literal.
    end: usize,
}

impl HeadLiterals {
    /// `splits` has the two parts of each pattern that is verified in two parts.
    pub(super) fn new(splits: &[Option<Box<Split>>]) -> HeadLiterals {
        let mut ids: HashMap<&[u8], u32> = HashMap::new();
        let mut finders = Vec::new();
        let of = splits.iter().map(|split| {
            let literal = longest_literal(&split.as_ref()?.head)?;
            (literal.len() >= MIN_LEN).then(|| {
                *ids.entry(literal).or_insert_with(|| {
                    finders.push(Finder::new(literal).into_owned());
                    finders.len() as u32 - 1
                })
            })
        });
        let of = of.collect();
        HeadLiterals { finders, of }
    }

    /// Creates the results of one scanner.
    pub(super) fn create_cache(&self) -> Vec<FirstEnd> {
        vec![FirstEnd::default(); self.finders.len()]
    }

    /// Whether the literal of the pattern's head, if it has one, lies before `end` in `record`.
    /// `epoch` differs from record to record.
    #[inline]
    pub(super) fn is_before(
        &self,
        pattern: PatternIndex,
        cache: &mut [FirstEnd],
        epoch: u64,
        record: &[u8],
        end: usize,
    ) -> bool {
        let Some(id) = self.of[pattern.index()] else { return true };
        let first = &mut cache[id as usize];
        if first.epoch != epoch {
            let finder = &self.finders[id as usize];
            let found = finder.find(record).map(|start| start + finder.needle().len());
            *first = FirstEnd { epoch, end: found.unwrap_or(usize::MAX) };
        }
        first.end <= end
    }

    /// Heap memory in bytes.
    pub(super) fn memory(&self) -> usize {
        size_of_val(&self.of[..])
            + size_of_val(&self.finders[..])
            + self.finders.iter().map(|finder| finder.needle().len()).sum::<usize>()
    }
}

/// The longest literal that every match of `hir` contains, of those that stand in it as such. Of
/// equally long ones, the last.
fn longest_literal(hir: &Hir) -> Option<&[u8]> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(&literal.0),
        HirKind::Capture(capture) => longest_literal(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => longest_literal(&repetition.sub),
        HirKind::Concat(subs) => {
            subs.iter().filter_map(longest_literal).max_by_key(|literal| literal.len())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literals(heads: &[&str]) -> HeadLiterals {
        let split = |head: &&str| {
            let head = regex_syntax::parse(head).unwrap();
            Some(Box::new(Split { head, tail: Hir::empty() }))
        };
        HeadLiterals::new(&heads.iter().map(split).collect::<Vec<_>>())
    }

    #[test]
    fn the_longest_literal_of_a_head_is_required() {
        for (head, expected) in [
            ("Android.*; ", Some(&b"Android"[..])),
            ("a(?:bcd(?:efg)+h){2}i", Some(b"efg")),
            ("(?:abc)?de", None),
            ("abc|abd", None),
            ("[ab]bcd[ef]fghi", Some(b"fghi")),
        ] {
            let literals = literals(&[head]);
            assert_eq!(literals.finders.first().map(Finder::needle), expected, "{head}");
        }
    }

    #[test]
    fn a_literal_must_end_before_the_hit() {
        let literals = literals(&["abc.*", "x"]);
        let mut cache = literals.create_cache();
        let (first, second) = (PatternIndex::new(0), PatternIndex::new(1));
        let record = b"-abcabc";
        for end in 0..=record.len() {
            assert_eq!(literals.is_before(first, &mut cache, 1, record, end), end >= 4);
            assert!(literals.is_before(second, &mut cache, 1, record, end));
        }
        // Each record is searched once.
        assert!(literals.is_before(first, &mut cache, 1, b"", 7));
        assert!(!literals.is_before(first, &mut cache, 2, b"-ab", 3));
    }
}
