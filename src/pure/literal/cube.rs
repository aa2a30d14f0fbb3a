//! Literals as strings of byte sets.

use std::hash::{Hash, Hasher};

use regex_syntax::hir::ClassBytes;

/// The bit in which an upper-case ASCII letter differs from the lower-case one.
const CASE: u8 = 0x20;
/// The mask of a letter in both cases.
pub(super) const CASE_MASK: u8 = !CASE;

/// A set of byte values that agree in some bits: all `b` with `b & mask == value`.
///
/// With all bits set in the mask it is a single byte; with `0xDF` and an upper-case letter, that
/// letter in both cases. Logic minimization calls such a set a cube. Comparing text with a cube
/// takes one `and`, and eight cubes are compared as one 64-bit number, which is why literals are
/// not strings of arbitrary byte sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cube {
    pub(crate) value: u8,
    pub(crate) mask: u8,
}

/// Hashes the cubes of a literal by the word, since building an engine hashes each literal several times.
impl Hash for Cube {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u16(u16::from_le_bytes([self.value, self.mask]));
    }

    fn hash_slice<H: Hasher>(cubes: &[Cube], state: &mut H) {
        let (words, rest) = cubes.as_chunks();
        for word in words {
            let [a, b, c, d] =
                word.map(|cube: Cube| u64::from(cube.value) << 8 | u64::from(cube.mask));
            state.write_u64(a << 48 | b << 32 | c << 16 | d);
        }
        rest.iter().for_each(|cube| cube.hash(state));
    }
}

impl Cube {
    /// The set of one byte.
    pub(crate) fn exact(value: u8) -> Cube {
        Cube { value, mask: 0xFF }
    }

    /// The set of a letter in both cases, if these are its two cases.
    pub(super) fn letter(upper: u8, lower: u8) -> Option<Cube> {
        let is_letter = upper.is_ascii_uppercase() && lower == upper | CASE;
        is_letter.then_some(Cube { value: upper, mask: CASE_MASK })
    }

    /// The cube of a class, if it is one byte or a letter in both cases. Building an engine asks for each letter of each
    /// case-insensitive string, so no [`ByteSet`](super::ByteSet) is made of it.
    pub(super) fn of(class: &ClassBytes) -> Option<Cube> {
        if class.ranges().iter().any(|range| range.start() != range.end()) {
            return None;
        }
        match *class.ranges() {
            [byte] => Some(Cube::exact(byte.start())),
            [upper, lower] => Cube::letter(upper.start(), lower.start()),
            _ => None,
        }
    }

    #[cfg(test)]
    pub(crate) fn contains(self, byte: u8) -> bool {
        byte & self.mask == self.value
    }

    /// The bytes in the set, ascending.
    pub(crate) fn values(self) -> impl Iterator<Item = u8> {
        // Counts through the bits that the mask leaves open: setting all others before adding one
        // lets the carry pass over them.
        let free = !self.mask;
        let mut next = Some(0u8);
        std::iter::from_fn(move || {
            let bits = next?;
            next = (bits != free).then(|| (bits | self.mask).wrapping_add(1) & free);
            Some(self.value | bits)
        })
    }

    /// Covers distinct bytes with cubes: one for each letter that is there in both cases, and one
    /// for each other byte. The cover is exact, but not always the smallest one.
    pub(super) fn cover(bytes: &[u8]) -> Vec<Cube> {
        let mut cubes: Vec<Cube> = Vec::with_capacity(bytes.len());
        for &b in bytes {
            let other = b ^ CASE;
            if !b.is_ascii_alphabetic() || !bytes.contains(&other) {
                cubes.push(Cube::exact(b));
            } else {
                cubes.extend(Cube::letter(b, other));
            }
        }
        cubes
    }
}

/// A string of cubes. All strings that it stands for have the same length.
///
/// `(?i)key` is one literal, not eight.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Literal {
    pub(super) cubes: Vec<Cube>,
}

impl Literal {
    pub(crate) fn empty() -> Literal {
        Literal { cubes: Vec::new() }
    }

    /// The literal that stands for this string alone.
    pub(crate) fn exact(bytes: &[u8]) -> Literal {
        Literal { cubes: bytes.iter().map(|&b| Cube::exact(b)).collect() }
    }

    #[cfg(test)]
    pub(crate) fn from_cubes(cubes: impl Iterator<Item = Cube>) -> Literal {
        Literal { cubes: cubes.collect() }
    }

    pub(crate) fn cubes(&self) -> &[Cube] {
        &self.cubes
    }

    /// The length of each string that the literal stands for, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.cubes.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.cubes.is_empty()
    }

    /// Whether the first cubes are those of `other`.
    pub(crate) fn starts_with(&self, other: &Literal) -> bool {
        self.cubes.starts_with(&other.cubes)
    }

    pub(super) fn concat(&self, other: &Literal) -> Literal {
        Literal { cubes: [&self.cubes[..], &other.cubes].concat() }
    }

    /// Whether the literal is in `haystack` at `at`; `false` if it would pass the end.
    #[cfg(test)]
    pub(crate) fn is_at(&self, haystack: &[u8], at: usize) -> bool {
        haystack
            .get(at..)
            .and_then(|rest| rest.get(..self.len()))
            .is_some_and(|bytes| self.cubes.iter().zip(bytes).all(|(c, &b)| c.contains(b)))
    }
}

#[cfg(test)]
mod tests {
    use regex_syntax::hir::ClassBytesRange;

    use super::*;

    #[test]
    fn the_cube_of_a_class_covers_its_bytes() {
        for a in 0..=255 {
            for b in a..=255 {
                for last in [a, b] {
                    let class = ClassBytes::new([
                        ClassBytesRange::new(a, last),
                        ClassBytesRange::new(b, b),
                    ]);
                    let ranges = class.ranges().iter();
                    let bytes: Vec<u8> = ranges.flat_map(|r| r.start()..=r.end()).collect();
                    let cover = Cube::cover(&bytes);
                    let only = if let [cube] = cover[..] { Some(cube) } else { None };
                    assert_eq!(Cube::of(&class), only, "{class:?}");
                }
            }
        }
        assert!(Cube::of(&ClassBytes::new([ClassBytesRange::new(b'a', b'c')])).is_none());
    }
}
