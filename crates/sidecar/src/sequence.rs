//! The numbers in a protocol message, one type for each kind.
//!
//! All of them are `u32` in shared memory and on the socket. Separate types keep a chunk's number
//! from being used where a region's number is meant.

/// The number of chunks that can be in flight, and of regions. Models use the smallest number with
/// which slots can be confused, because their running time grows with it.
pub(super) const SLOTS: usize = if cfg!(all(loom, test)) { 2 } else { 8 };

/// The number of a chunk in its connection, counted modulo 2^32.
///
/// Two numbers can be compared if they are less than 2^31 apart. Numbers of chunks in flight always
/// are, because at most [`SLOTS`] chunks are in flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sequence(u32);

impl Sequence {
    pub(super) const fn new(number: u32) -> Sequence {
        Sequence(number)
    }

    pub(super) fn get(self) -> u32 {
        self.0
    }

    /// The number of the chunk after this one.
    pub(super) fn next(self) -> Sequence {
        Sequence(self.0.wrapping_add(1))
    }

    /// Whether this chunk comes before the chunk with the number `other`.
    pub(super) fn is_before(self, other: Sequence) -> bool {
        (other.0.wrapping_sub(self.0) as i32) > 0
    }

    /// How many chunks there are from `earlier` up to this one, modulo 2^32.
    pub(super) fn since(self, earlier: Sequence) -> u32 {
        self.0.wrapping_sub(earlier.0)
    }

    /// The index of the slot that this chunk uses.
    pub(super) fn slot(self) -> usize {
        self.0 as usize % SLOTS
    }
}

/// The index of one of the [`SLOTS`] regions of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RegionIndex(u8);

#[cfg_attr(all(loom, test), expect(dead_code, reason = "models have no regions"))]
impl RegionIndex {
    /// The region with this number; `None` if there is no such region.
    pub(super) fn new(number: u32) -> Option<RegionIndex> {
        ((number as usize) < SLOTS).then_some(RegionIndex(number as u8))
    }

    /// All regions, in ascending order.
    pub(super) fn all() -> impl Iterator<Item = RegionIndex> {
        (0..SLOTS as u8).map(RegionIndex)
    }

    pub(super) fn number(self) -> u32 {
        u32::from(self.0)
    }

    pub(super) fn get(self) -> usize {
        usize::from(self.0)
    }
}

/// Distinguishes the successive memories of a region, which is replaced when it does not fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Generation(u32);

#[cfg_attr(all(loom, test), expect(dead_code, reason = "models have no regions"))]
impl Generation {
    pub(super) const fn new(number: u32) -> Generation {
        Generation(number)
    }

    pub(super) fn get(self) -> u32 {
        self.0
    }

    pub(super) fn next(self) -> Generation {
        Generation(self.0.wrapping_add(1))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn sequences_compare_across_the_wrap() {
        let last = Sequence::new(u32::MAX);
        let first = last.next();
        assert_eq!(first.get(), 0);
        assert!(last.is_before(first) && !first.is_before(last) && !first.is_before(first));
        assert_eq!((first.since(last), last.since(last)), (1, 0));
        assert_eq!((first.slot(), last.slot()), (0, SLOTS - 1));
    }

    #[test]
    fn region_indices_are_below_the_slot_count() {
        assert_eq!(RegionIndex::all().count(), SLOTS);
        assert!(RegionIndex::all().all(|r| RegionIndex::new(r.number()) == Some(r)));
        assert_eq!(RegionIndex::new(SLOTS as u32), None);
        assert_eq!(RegionIndex::new(u32::MAX), None);
    }
}
