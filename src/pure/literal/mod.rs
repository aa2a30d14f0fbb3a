//! Literals that a match must contain, taken from a pattern's HIR.
//!
//! A scan looks for the literals of all patterns in one pass and runs a pattern only where one of
//! its literals stands, so the literals decide how fast a set is. [`required`] finds, for one
//! pattern, the set of literals of which every match contains at least one, and how far from the
//! literal such a match can reach. The idea is that of Cox, "Regular Expression Matching with a
//! Trigram Index" (2012), and of RE2's `FilteredRE2`; here the choice between sets is by expected
//! frequency, and distances are kept.

mod extract;
mod follow;
mod lead;
mod needle;
pub(crate) mod rank;
mod run;

pub(crate) use extract::{Bound, Required, add, longest, required};
pub(crate) use follow::{Follows, union};
pub(crate) use lead::{leading, parts, split};
pub(crate) use needle::NeedleId;
pub(crate) use run::{ByteSet, Run, any_run, bytes_of, required_run};

/// A set of byte values that agree in some bits: all `b` with `b & mask == value`.
///
/// With all bits set in the mask it is a single byte; with `0xDF` and a letter, that letter in
/// both cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Cube {
    pub(crate) value: u8,
    pub(crate) mask: u8,
}

impl Cube {
    pub(crate) fn exact(value: u8) -> Cube {
        Cube { value, mask: 0xFF }
    }

    #[cfg(test)]
    pub(crate) fn contains(self, byte: u8) -> bool {
        byte & self.mask == self.value
    }

    /// The bytes in the set, ascending.
    pub(crate) fn values(self) -> impl Iterator<Item = u8> {
        // Steps through the bits that the mask leaves open.
        let free = !self.mask;
        let mut next = Some(0u8);
        std::iter::from_fn(move || {
            let bits = next?;
            next = (bits != free).then(|| (bits | self.mask).wrapping_add(1) & free);
            Some(self.value | bits)
        })
    }

    /// Covers `bytes`, which are distinct, with as few cubes as pairing letters' cases gives.
    fn cover(bytes: &[u8]) -> Vec<Cube> {
        const CASE: u8 = 0x20;
        let mut cubes: Vec<Cube> = Vec::with_capacity(bytes.len());
        for &b in bytes {
            let other = b ^ CASE;
            if !b.is_ascii_alphabetic() || !bytes.contains(&other) {
                cubes.push(Cube::exact(b));
            } else if b & CASE == 0 {
                cubes.push(Cube { value: b, mask: !CASE });
            }
        }
        cubes
    }
}

/// A string of byte sets: every string that it stands for has the same length.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Literal {
    cubes: Vec<Cube>,
}

impl Literal {
    pub(crate) fn empty() -> Literal {
        Literal { cubes: Vec::new() }
    }

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

    pub(crate) fn len(&self) -> usize {
        self.cubes.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.cubes.is_empty()
    }

    pub(crate) fn starts_with(&self, other: &Literal) -> bool {
        self.cubes.starts_with(&other.cubes)
    }

    fn concat(&self, other: &Literal) -> Literal {
        Literal { cubes: [&self.cubes[..], &other.cubes].concat() }
    }

    /// Whether the literal stands in `haystack` at `at`. No position is out of range.
    #[cfg(test)]
    pub(crate) fn is_at(&self, haystack: &[u8], at: usize) -> bool {
        haystack
            .get(at..)
            .and_then(|rest| rest.get(..self.len()))
            .is_some_and(|bytes| self.cubes.iter().zip(bytes).all(|(c, &b)| c.contains(b)))
    }
}
