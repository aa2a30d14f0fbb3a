//! Strings in a [`Program`](super::program::Program): positions of which each can only be followed by the next one.
//!
//! Literals in either case are most of what patterns of real rule sets consist of. Eight of their bytes are compared
//! at once, where one choice after the other would be taken for each.

use crate::pure::literal::{ByteSet, Cube, word_at};
use crate::pure::mechanism;

use super::program::{Choice, List, ListKind};

/// A string that must come next.
#[derive(Debug)]
pub(super) struct Chain {
    /// By eight bytes: their values and masks, as in [`Cube`]. The masks beyond the end are 0.
    words: Box<[(u64, u64)]>,
    /// The length in bytes.
    pub(super) len: usize,
    /// The position of the last byte.
    pub(super) last: u16,
}

impl Chain {
    /// The chain of these bytes, of which the last one is read at position `last`.
    pub(super) fn new(cubes: &[Cube], last: u16) -> Chain {
        let word = |cubes: &[Cube]| {
            let (mut values, mut masks) = ([0; 8], [0; 8]);
            for (index, cube) in cubes.iter().enumerate() {
                (values[index], masks[index]) = (cube.value, cube.mask);
            }
            (u64::from_le_bytes(values), u64::from_le_bytes(masks))
        };
        Chain { words: cubes.chunks(8).map(word).collect(), len: cubes.len(), last }
    }

    /// Whether the chain is in `record` at `at`.
    #[inline]
    pub(super) fn is_at(&self, record: &[u8], at: usize) -> bool {
        at + self.len <= record.len()
            && (self.words.iter().zip((at..).step_by(8)))
                .all(|(&(value, mask), at)| word_at(record, at) & mask == value)
    }

    /// Heap memory in bytes.
    pub(super) fn memory(&self) -> usize {
        size_of_val(&self.words[..])
    }
}

/// Finds the lists that a [chain](Chain) of at least two bytes starts with, and sets their kinds.
pub(super) fn find(
    lists: &mut [List],
    choices: &[Choice],
    after: &[u16],
    sets: &[ByteSet],
) -> Vec<Chain> {
    let cubes: Vec<Option<Cube>> = sets.iter().map(Cube::of).collect();
    // By list: the only choice of a byte, and the byte.
    let links: Vec<Option<(u16, Cube)>> = (lists.iter())
        .map(|list| match choices[list.range()] {
            [Choice { looks: 0, position, set }] if position < Choice::RUN => {
                Some((position, cubes[usize::from(set)]?))
            }
            _ => None,
        })
        .collect();
    // What only one choice leads to continues the chain of that choice.
    let continues = |list: u16| lists[usize::from(list)].memo == List::NO_MEMO;
    let mut is_inner = vec![false; lists.len()];
    for (position, _) in links.iter().flatten() {
        let next = after[usize::from(*position)];
        is_inner[usize::from(next)] = continues(next);
    }
    let mut chains = Vec::new();
    let mut starts = Vec::new();
    let mut string = Vec::new();
    for first in (0..lists.len()).filter(|&list| !is_inner[list]) {
        string.clear();
        let mut list = first;
        let mut last = 0;
        while let Some((position, cube)) = links[list] {
            string.push(cube);
            last = position;
            let next = after[usize::from(position)];
            if !continues(next) {
                break;
            }
            list = usize::from(next);
        }
        if string.len() > 1 && mechanism::chains() {
            starts.push((first, chains.len()));
            chains.push(Chain::new(&string, last));
        }
    }
    for (list, chain) in starts {
        // At most one chain for each two of MAX_POSITIONS positions.
        lists[list].kind = ListKind::Chain(chain as u16);
    }
    chains
}

#[cfg(test)]
mod tests {
    use super::super::program::Program;
    use super::super::tests::parse;
    use super::*;

    #[test]
    fn what_can_only_be_followed_by_one_byte_is_a_chain() {
        let cases: &[(&str, &[usize])] = &[
            ("abcdef", &[6]),
            ("(?i)abc-def", &[7]),
            ("[ab]cde", &[3]),
            ("a+bcd", &[2]),
            ("a[bc]d", &[]),
            ("(?:abc|xyz)def", &[2, 2, 3]),
            // An assertion is between two chains.
            (r"ab\bcde", &[2, 2]),
        ];
        for (pattern, expected) in cases {
            let program = Program::new(&parse(pattern)).unwrap();
            let mut lens: Vec<usize> = program.chains.iter().map(|chain| chain.len).collect();
            lens.sort_unstable();
            assert_eq!(lens, *expected, "{pattern}");
        }
    }

    #[test]
    fn chains_are_found_up_to_the_end_of_a_record() {
        let text = b"Content-Type: text/html";
        for len in 1..=text.len() {
            let cubes: Vec<Cube> = (text[..len].iter())
                .map(|&byte| match byte {
                    b'a'..=b'z' => Cube { value: byte & 0xDF, mask: 0xDF },
                    _ => Cube::exact(byte),
                })
                .collect();
            let chain = Chain::new(&cubes, 7);
            assert_eq!((chain.len, chain.last), (len, 7));
            for before in 0..9 {
                for after in 0..9 {
                    let mut record = vec![b'C'; before];
                    record.extend_from_slice(&text[..len]);
                    record.resize(before + len + after, 0);
                    assert!(chain.is_at(&record, before), "{len} {before} {after}");
                    assert!(!chain.is_at(&record[..before + len - 1], before));
                    record.make_ascii_uppercase();
                    assert!(chain.is_at(&record, before), "{len} {before} {after}");
                    for wrong in before..before + len {
                        record[wrong] ^= 1;
                        assert!(!chain.is_at(&record, before), "{len} {before} {after} {wrong}");
                        record[wrong] ^= 1;
                    }
                }
            }
            assert!(!chain.is_at(text, text.len()) && !chain.is_at(text, text.len() + 1));
        }
    }
}
