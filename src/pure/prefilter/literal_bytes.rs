//! The bytes of all literals, to compare candidates with.

use super::candidate::Candidate;
use crate::pure::ids::NeedleId;
use crate::pure::literal::Literal;

/// The number of bytes that are compared at once.
const WORD: usize = 8;

/// The bytes of all literals of a prefilter, in one list.
#[derive(Debug)]
pub(super) struct LiteralBytes {
    /// Each eight bytes of a literal, as a value and a mask: text matches if `text & mask` equals
    /// the value. Bytes after the literal's end have an empty mask.
    words: Vec<(u64, u64)>,
    /// By literal.
    literals: Vec<WordRange>,
}

/// The words of one literal.
#[derive(Clone, Copy, Debug)]
pub(super) struct WordRange {
    /// The index of the first word.
    pub(super) first: u32,
    /// The length of the literal, in bytes.
    pub(super) len: u32,
}

impl LiteralBytes {
    /// Stores `literals`, whose needle ids are their indexes.
    pub(super) fn new(literals: &[Literal]) -> LiteralBytes {
        let mut strings = LiteralBytes { words: vec![], literals: vec![] };
        for literal in literals {
            let (first, len) = (strings.words.len() as u32, literal.len() as u32);
            strings.literals.push(WordRange { first, len });
            for cubes in literal.cubes().chunks(WORD) {
                let (mut value, mut mask) = ([0; WORD], [0; WORD]);
                for (index, cube) in cubes.iter().enumerate() {
                    (value[index], mask[index]) = (cube.value, cube.mask);
                }
                strings.words.push((u64::from_le_bytes(value), u64::from_le_bytes(mask)));
            }
        }
        strings
    }

    /// Returns a candidate if the literal `needle` is in `buffer` such that its byte number
    /// `offset` is at position `window`.
    #[inline]
    pub(super) fn check(
        &self,
        buffer: &[u8],
        window: usize,
        needle: NeedleId,
        offset: u32,
    ) -> Option<Candidate> {
        self.check_words(buffer, window, needle, offset, self.words_of(needle))
    }

    /// The words of a literal.
    pub(super) fn words_of(&self, needle: NeedleId) -> WordRange {
        self.literals[needle.index()]
    }

    /// As [`LiteralBytes::check`], for a caller that has kept [`LiteralBytes::words_of`] the literal.
    #[inline]
    pub(super) fn check_words(
        &self,
        buffer: &[u8],
        window: usize,
        needle: NeedleId,
        offset: u32,
        range: WordRange,
    ) -> Option<Candidate> {
        let start = window.checked_sub(offset as usize)?;
        let (first, len) = (range.first as usize, range.len as usize);
        let words = &self.words[first..first + len.div_ceil(WORD)];
        let bytes = buffer.get(start..)?;
        let equal = match bytes.get(..words.len() * WORD) {
            Some(bytes) => words.iter().zip(bytes.chunks_exact(WORD)).all(|(&(value, mask), b)| {
                let b = [b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]];
                u64::from_le_bytes(b) & mask == value
            }),
            None => bytes.len() >= len && equal_at_end(words, &bytes[..len]),
        };
        // The casts are lossless, since buffers are shorter than 2^32 bytes.
        let (window, start, end) = (window as u32, start as u32, (start + len) as u32);
        equal.then_some(Candidate { window_start: window, start, end, needle })
    }

    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        size_of_val(&self.words[..]) + size_of_val(&self.literals[..])
    }
}

/// Compares byte by byte, where the buffer ends before the last word does.
#[cold]
fn equal_at_end(words: &[(u64, u64)], bytes: &[u8]) -> bool {
    let pairs = words
        .iter()
        .flat_map(|(value, mask)| value.to_le_bytes().into_iter().zip(mask.to_le_bytes()));
    bytes.iter().zip(pairs).all(|(&byte, (value, mask))| byte & mask == value)
}
