//! The numbers that the stages of the pure engine pass to one another, each kind as a type of its
//! own.
//!
//! A pattern has two numbers: its position in the caller's [`PatternSet`](crate::PatternSet),
//! which matches report, and its position among the patterns of this engine, which all tables are
//! indexed by. They differ where the engine has only some of the set's patterns. A plain `u32`
//! always means the first, a [`PatternIndex`] the second.

/// A pattern's position among the patterns of one engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub(crate) struct PatternIndex(u32);

/// The number of a needle: a literal, a class run or a class sequence that a filter searches for.
///
/// Literals come first, class runs after them, class sequences last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub(crate) struct NeedleId(u32);

macro_rules! id {
    ($name:ident) => {
        impl $name {
            pub(crate) const fn new(number: u32) -> $name {
                $name(number)
            }

            /// The position `index`, which must be below 2^32.
            pub(crate) fn from_index(index: usize) -> $name {
                debug_assert!(u32::try_from(index).is_ok(), "an id is below 2^32");
                $name(index as u32)
            }

            pub(crate) const fn get(self) -> u32 {
                self.0
            }

            /// The number as an index into a table.
            #[inline(always)]
            pub(crate) const fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

id!(PatternIndex);
id!(NeedleId);
