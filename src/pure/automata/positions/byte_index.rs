//! The choices of a long list by byte, such as those at the start of an alternation of many words.

use crate::pure::literal::ByteSet;

use super::program::Choice;

/// A list with more choices has an index by byte.
pub(super) const LONG_LIST: usize = 8;
/// The largest number of choices in such an index, of all bytes together.
const MAX_INDEX: usize = 4096;

/// The choices of a long list, by byte.
#[derive(Debug)]
pub(super) struct ByteIndex {
    choices: Box<[Choice]>,
    /// By byte: where its choices start. Then where those of the end of the record start, and where
    /// these end.
    starts: Box<[u32]>,
}

impl ByteIndex {
    /// Returns `None` for lists that are short, and for those of large classes. `sizes` has the sizes
    /// of the classes in `sets`.
    pub(super) fn new(list: &[Choice], sets: &[ByteSet], sizes: &[usize]) -> Option<ByteIndex> {
        let size = |choice: &Choice| match choice.position {
            Choice::END => 257,
            _ => sizes[usize::from(choice.set)],
        };
        if list.len() <= LONG_LIST || list.iter().map(size).sum::<usize>() > MAX_INDEX {
            return None;
        }
        let for_each_byte = |choice: &Choice, each: &mut dyn FnMut(usize)| match choice.position {
            Choice::END => (0..257).for_each(each),
            _ => sets[usize::from(choice.set)].iter().map(usize::from).for_each(each),
        };
        // Each byte's choices keep their order. First they are counted.
        let mut starts = vec![0u32; 258];
        for choice in list {
            for_each_byte(choice, &mut |byte| starts[byte + 1] += 1);
        }
        (1..starts.len()).for_each(|index| starts[index] += starts[index - 1]);
        let mut choices = vec![list[0]; starts[257] as usize];
        let mut next = starts.clone();
        for choice in list {
            for_each_byte(choice, &mut |byte| {
                choices[next[byte] as usize] = *choice;
                next[byte] += 1;
            });
        }
        Some(ByteIndex { choices: choices.into(), starts: starts.into() })
    }

    /// The choices that `byte` allows, or, without one, the end of the record.
    #[inline]
    pub(super) fn of(&self, byte: Option<u8>) -> &[Choice] {
        let byte = byte.map_or(256, usize::from);
        &self.choices[self.starts[byte] as usize..self.starts[byte + 1] as usize]
    }

    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        size_of::<ByteIndex>() + size_of_val(&self.choices[..]) + size_of_val(&self.starts[..])
    }
}
