//! Sets of bytes.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::byte_frequency;

/// A set of bytes, as a table of 256 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ByteSet([u64; 4]);

impl ByteSet {
    pub(crate) const EMPTY: ByteSet = ByteSet([0; 4]);

    /// The bytes that `hir` matches, if it always matches a single byte.
    pub(crate) fn of_byte(hir: &Hir) -> Option<ByteSet> {
        match hir.kind() {
            HirKind::Class(class) => ByteSet::of_byte_class(class),
            HirKind::Literal(literal) => match literal.0[..] {
                [byte] => Some(ByteSet::from_iter([byte])),
                _ => None,
            },
            HirKind::Capture(capture) => ByteSet::of_byte(&capture.sub),
            _ => None,
        }
    }

    /// The bytes of a class, if each of its characters is a single byte.
    pub(crate) fn of_byte_class(class: &Class) -> Option<ByteSet> {
        match class {
            Class::Unicode(chars) if !chars.is_ascii() => None,
            class => Some(ByteSet::of(class)),
        }
    }

    /// The bytes that a class matches. A character that is not ASCII stands for all bytes from
    /// 0x80 on, so that the set contains each byte of its UTF-8 form.
    pub(crate) fn of(class: &Class) -> ByteSet {
        let mut set = ByteSet::EMPTY;
        match class {
            Class::Bytes(bytes) => {
                bytes.ranges().iter().for_each(|r| set.insert_range(r.start(), r.end()));
            }
            Class::Unicode(chars) => {
                for range in chars.ranges() {
                    if range.start().is_ascii() {
                        set.insert_range(range.start() as u8, range.end().min('\x7F') as u8);
                    }
                    if !range.end().is_ascii() {
                        set.insert_range(0x80, 0xFF);
                    }
                }
            }
        }
        set
    }

    pub(super) fn insert(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    /// Adds the bytes from `first` to `last`.
    fn insert_range(&mut self, first: u8, last: u8) {
        if first == last {
            return self.insert(first);
        }
        for (index, word) in (0..).zip(&mut self.0) {
            let from = u32::from(first).saturating_sub(64 * index);
            let to = (u32::from(last) + 1).saturating_sub(64 * index).min(64);
            if from < to {
                *word |= u64::MAX >> (64 - (to - from)) << from;
            }
        }
    }

    pub(crate) fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 != 0
    }

    /// The number of bytes of the set that `bytes` begins with.
    #[inline]
    pub(crate) fn count_leading(&self, bytes: &[u8]) -> usize {
        bytes.iter().take_while(|&&byte| self.contains(byte)).count()
    }

    /// The only byte of the set, if it has just one.
    pub(crate) fn only_byte(&self) -> Option<u8> {
        self.iter().next().filter(|_| self.len() == 1)
    }

    /// The number of bytes in the set.
    fn len(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    /// The bytes of the set, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u8> {
        self.0.into_iter().enumerate().flat_map(|(index, mut bits)| {
            std::iter::from_fn(move || {
                let byte = (64 * index) as u8 | bits.trailing_zeros() as u8;
                (bits != 0).then(|| {
                    bits &= bits - 1;
                    byte
                })
            })
        })
    }

    pub(crate) fn union(mut self, other: &ByteSet) -> ByteSet {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine |= theirs;
        }
        self
    }

    pub(crate) fn difference(mut self, other: &ByteSet) -> ByteSet {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine &= !theirs;
        }
        self
    }

    /// The probability that a byte of ordinary text is in the set.
    pub(crate) fn frequency(&self) -> f64 {
        let sum = |set: &ByteSet| byte_frequency::of_bytes(set.iter());
        // Of a large set, the fewer bytes that are not in it are added up.
        let frequency = if self.len() <= 128 {
            sum(self)
        } else {
            byte_frequency::of_all() - sum(&ByteSet(self.0.map(|word| !word)))
        };
        frequency.clamp(0.0, 1.0)
    }
}

impl FromIterator<u8> for ByteSet {
    fn from_iter<I: IntoIterator<Item = u8>>(bytes: I) -> ByteSet {
        let mut set = ByteSet::EMPTY;
        bytes.into_iter().for_each(|byte| set.insert(byte));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_all_bytes_between_their_ends() {
        for first in 0..=255u8 {
            for last in first..=255 {
                let mut set = ByteSet::EMPTY;
                set.insert_range(first, last);
                assert_eq!(set, (first..=last).collect(), "{first} {last}");
            }
        }
    }
}
