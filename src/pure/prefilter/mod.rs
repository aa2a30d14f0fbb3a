//! Finds where any of many literals stand in a buffer, in one pass.

mod table;

use std::ops::Range;

use super::literal::Literal;
use table::{Long, Short};

/// A literal found in the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// Where the literal starts in the buffer.
    pub(crate) at: u32,
    /// The literal's position in the list that the prefilter was built from.
    pub(crate) literal: u32,
}

/// Literals arranged for searching.
#[derive(Debug)]
pub(crate) struct Prefilter {
    long: Option<Long>,
    short: Option<Short>,
    strings: Strings,
}

impl Prefilter {
    /// Arranges `literals`, of which none may be empty.
    pub(crate) fn new(literals: &[Literal]) -> Prefilter {
        let strings = Strings::new(literals);
        let of = |range: Range<usize>| {
            let mut numbers =
                (0..literals.len() as u32).filter(|&n| range.contains(&strings.len(n)));
            numbers.next().map(|first| std::iter::once(first).chain(numbers).collect::<Vec<_>>())
        };
        let long = of(table::WINDOW..usize::MAX).map(|numbers| Long::new(&numbers, literals));
        let short = of(1..table::WINDOW).map(|numbers| Short::new(&numbers, literals));
        Prefilter { long, short, strings }
    }

    /// Appends every place where a literal stands in `buffer` and its window (a part of the
    /// literal that is looked for first) starts in `range`. The places come in the order of
    /// these windows, so the literals that lie in one record come together.
    pub(crate) fn find(&self, buffer: &[u8], range: Range<usize>, out: &mut Vec<Candidate>) {
        match (&self.long, &self.short) {
            (None, None) => {}
            (Some(long), None) => long.find(buffer, range, &self.strings, out),
            (None, Some(short)) => short.find(buffer, range, &self.strings, out),
            (Some(long), Some(short)) => {
                let middle = out.len();
                long.find(buffer, range.clone(), &self.strings, out);
                let end = out.len();
                short.find(buffer, range, &self.strings, out);
                // Each half is in order but for the windows' offsets; together they need not be.
                if middle < end && end < out.len() {
                    let key = |c: &Candidate| c.at + self.window_offset(c.literal);
                    out[middle..].sort_by_key(key);
                }
            }
        }
    }

    fn window_offset(&self, literal: u32) -> u32 {
        self.strings.offsets[literal as usize]
    }

    /// The length of a literal.
    pub(crate) fn literal_len(&self, literal: u32) -> usize {
        self.strings.len(literal)
    }

    /// Memory in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.long.as_ref().map_or(0, Long::memory)
            + self.short.as_ref().map_or(0, Short::memory)
            + self.strings.memory()
    }
}

/// The literals' bytes in one place, to compare candidates with.
#[derive(Debug)]
struct Strings {
    values: Vec<u8>,
    masks: Vec<u8>,
    /// Where each literal starts in the above, and behind them the end of the last.
    starts: Vec<u32>,
    /// Where in each literal its window starts.
    offsets: Vec<u32>,
}

impl Strings {
    fn new(literals: &[Literal]) -> Strings {
        let mut strings =
            Strings { values: vec![], masks: vec![], starts: vec![0], offsets: vec![] };
        for literal in literals {
            strings.values.extend(literal.cubes().iter().map(|c| c.value));
            strings.masks.extend(literal.cubes().iter().map(|c| c.mask));
            strings.starts.push(strings.values.len() as u32);
            strings.offsets.push(table::window_offset(literal) as u32);
        }
        strings
    }

    fn range(&self, literal: u32) -> Range<usize> {
        self.starts[literal as usize] as usize..self.starts[literal as usize + 1] as usize
    }

    fn len(&self, literal: u32) -> usize {
        self.range(literal).len()
    }

    /// Where the literal starts if it stands in `buffer` with its window at `window`.
    #[inline]
    fn check(&self, buffer: &[u8], window: usize, literal: u32) -> Option<u32> {
        let at = window.checked_sub(self.offsets[literal as usize] as usize)?;
        let range = self.range(literal);
        let bytes = buffer.get(at..at + range.len())?;
        let pairs = self.values[range.clone()].iter().zip(&self.masks[range]);
        let equal = bytes.iter().zip(pairs).all(|(&b, (&value, &mask))| b & mask == value);
        equal.then_some(at as u32)
    }

    fn memory(&self) -> usize {
        self.values.len() * 2 + (self.starts.len() + self.offsets.len()) * 4
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn naive(literals: &[Literal], buffer: &[u8]) -> Vec<(usize, usize)> {
        let mut all = Vec::new();
        for at in 0..buffer.len() {
            for (number, literal) in literals.iter().enumerate() {
                if literal.is_at(buffer, at) {
                    all.push((at, number));
                }
            }
        }
        all
    }

    fn literal() -> impl Strategy<Value = Literal> {
        let cube = (prop::sample::select(&b"abAB_1 \x00\xFFz@`"[..]), any::<bool>());
        prop::collection::vec(cube, 1..9).prop_map(|cubes| {
            Literal::from_cubes(cubes.into_iter().map(|(b, fold)| {
                if fold && b.is_ascii_alphabetic() {
                    super::super::literal::Cube { value: b & 0xDF, mask: 0xDF }
                } else {
                    super::super::literal::Cube::exact(b)
                }
            }))
        })
    }

    proptest! {
        #[test]
        fn finds_what_a_naive_search_finds(
            literals in prop::collection::vec(literal(), 1..12),
            buffer in prop::collection::vec(prop::sample::select(&b"abAB_1 \x00\xFFz@`"[..]), 0..300),
            split in any::<prop::sample::Index>(),
        ) {
            let prefilter = Prefilter::new(&literals);
            let split = split.index(buffer.len() + 1);
            let mut out = Vec::new();
            prefilter.find(&buffer, 0..split, &mut out);
            prefilter.find(&buffer, split..buffer.len(), &mut out);
            let windows: Vec<_> =
                out.iter().map(|c| c.at + prefilter.window_offset(c.literal)).collect();
            prop_assert!(windows.is_sorted(), "{windows:?}");
            let mut found: Vec<_> =
                out.iter().map(|c| (c.at as usize, c.literal as usize)).collect();
            found.sort();
            prop_assert_eq!(found, naive(&literals, &buffer));
        }
    }
}
