//! Classes of bytes and of characters as positions.
//!
//! A character that is not ASCII is several positions, one for each byte of its UTF-8 form.
//! Characters that end in the same bytes share the positions of these, so that `.` takes 15.

use std::collections::HashMap;

use regex_syntax::hir::{Class, ClassUnicode};
use regex_syntax::utf8::Utf8Sequences;

use crate::pure::literal::ByteSet;

/// The largest number of positions of one class of characters. Classes with more, such as the
/// Unicode `\w`, are the ones that lazy DFAs search well.
const MAX_CHARACTER_BYTES: usize = 512;

/// The UTF-8 forms of the characters of a class, as a graph of bytes in which equal endings are
/// shared.
pub(super) struct Characters {
    /// Each byte, and the index of the byte that comes after it, if it is not the last one of a
    /// character.
    pub(super) bytes: Vec<(ByteSet, Option<usize>)>,
    /// The first bytes of characters, by what comes after them.
    heads: HashMap<Option<usize>, usize>,
}

impl Characters {
    /// Returns `None` if there are more than [`MAX_CHARACTER_BYTES`] bytes.
    pub(super) fn new(class: &ClassUnicode) -> Option<Characters> {
        let mut characters = Characters { bytes: Vec::new(), heads: HashMap::new() };
        // By the class of a byte and what comes after it: bytes within characters.
        let mut inner: HashMap<(u8, u8, Option<usize>), usize> = HashMap::new();
        for sequence in class.ranges().iter().flat_map(|r| Utf8Sequences::new(r.start(), r.end())) {
            let mut next = None;
            let (head, rest) = sequence.as_slice().split_first()?;
            for range in rest.iter().rev() {
                next = Some(*inner.entry((range.start, range.end, next)).or_insert_with(|| {
                    characters.bytes.push(((range.start..=range.end).collect(), next));
                    characters.bytes.len() - 1
                }));
            }
            let head_set: ByteSet = (head.start..=head.end).collect();
            match characters.heads.get(&next) {
                Some(&known) => {
                    let set = &mut characters.bytes[known].0;
                    *set = set.union(&head_set);
                }
                None => {
                    characters.heads.insert(next, characters.bytes.len());
                    characters.bytes.push((head_set, next));
                }
            }
            if characters.bytes.len() > MAX_CHARACTER_BYTES {
                return None;
            }
        }
        Some(characters)
    }

    /// The first bytes of characters, as indexes into `bytes`.
    pub(super) fn heads(&self) -> impl Iterator<Item = usize> {
        self.heads.values().copied()
    }
}

/// The number of positions that a class takes, or `usize::MAX` if it is too large.
pub(super) fn positions_of(class: &Class) -> usize {
    match class {
        Class::Unicode(chars) if !chars.is_ascii() => {
            Characters::new(chars).map_or(usize::MAX, |characters| characters.bytes.len())
        }
        _ => 1,
    }
}
