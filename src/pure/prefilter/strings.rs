//! The literals themselves, to compare candidates with.

use std::ops::Range;

use super::super::literal::Literal;
use super::Candidate;

/// The bytes of all literals in one place.
#[derive(Debug)]
pub(super) struct Strings {
    values: Vec<u8>,
    masks: Vec<u8>,
    /// Where each literal starts in the above, and behind them the end of the last.
    starts: Vec<u32>,
}

impl Strings {
    pub(super) fn new(literals: &[Literal]) -> Strings {
        let mut strings = Strings { values: vec![], masks: vec![], starts: vec![0] };
        for literal in literals {
            strings.values.extend(literal.cubes().iter().map(|c| c.value));
            strings.masks.extend(literal.cubes().iter().map(|c| c.mask));
            strings.starts.push(strings.values.len() as u32);
        }
        strings
    }

    fn range(&self, literal: u32) -> Range<usize> {
        self.starts[literal as usize] as usize..self.starts[literal as usize + 1] as usize
    }

    /// The candidate for the literal if it stands in `buffer` with its byte `offset` at `window`.
    #[inline]
    pub(super) fn check(
        &self,
        buffer: &[u8],
        window: usize,
        literal: u32,
        offset: u32,
    ) -> Option<Candidate> {
        let start = window.checked_sub(offset as usize)?;
        let range = self.range(literal);
        let end = start + range.len();
        let bytes = buffer.get(start..end)?;
        let pairs = self.values[range.clone()].iter().zip(&self.masks[range]);
        let equal = bytes.iter().zip(pairs).all(|(&b, (&value, &mask))| b & mask == value);
        // In range: buffers are shorter than 2^32 bytes.
        let (window, start, end) = (window as u32, start as u32, end as u32);
        equal.then_some(Candidate { window, start, end, literal })
    }

    pub(super) fn memory(&self) -> usize {
        self.values.len() * 2 + self.starts.len() * 4
    }
}
