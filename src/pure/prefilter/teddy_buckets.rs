//! The division of literals into Teddy's buckets.
//!
//! Literals in one bucket share its nibble sets, so a bucket also passes windows that mix their
//! nibbles. Each literal goes to the bucket where it adds the least to the expected number of
//! candidates, the most frequent literals first. This greedy order takes one comparison with each
//! bucket per literal. FDR, Hyperscan's search for many literals, divides them by dynamic
//! programming instead (Wang et al., NSDI 2019).

use super::window_index::Window;
use crate::pure::ids::NeedleId;
use crate::pure::literal::{Literal, byte_frequency};

/// The maximum number of bytes of a literal that Teddy looks at.
pub(super) const WINDOW: usize = 4;

/// For each byte of a window, the set of its low nibbles and the set of its high ones, as bits.
/// A byte that the literal does not have allows all nibbles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WindowNibbles(pub(super) [(u16, u16); WINDOW]);

impl WindowNibbles {
    fn join(&self, other: &WindowNibbles) -> WindowNibbles {
        let mut joined = *self;
        for (mine, theirs) in joined.0.iter_mut().zip(other.0) {
            *mine = (mine.0 | theirs.0, mine.1 | theirs.1);
        }
        joined
    }

    /// For each byte, the probability that a byte of ordinary text has a nibble of each set.
    fn frequencies(&self) -> [f64; WINDOW] {
        self.0.map(|(low, high)| {
            if low == u16::MAX && high == u16::MAX {
                return 1.0;
            }
            let bytes = ones(high).flat_map(|high| ones(low).map(move |low| high << 4 | low));
            byte_frequency::of_bytes(bytes)
        })
    }
}

/// The positions of the bits that are set.
fn ones(mut bits: u16) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        let first = bits.trailing_zeros() as u8;
        (bits != 0).then(|| {
            bits &= bits - 1;
            first
        })
    })
}

/// Nibbles, and how frequent each byte is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    pub(super) nibbles: WindowNibbles,
    bytes: [f64; WINDOW],
}

impl Bucket {
    fn new(nibbles: WindowNibbles) -> Bucket {
        Bucket { nibbles, bytes: nibbles.frequencies() }
    }

    /// The probability that a window of ordinary text passes. Bytes count as independent, which is good enough to
    /// compare windows.
    pub(super) fn frequency(&self) -> f64 {
        self.bytes.iter().product()
    }

    fn join(&self, other: &Bucket) -> Bucket {
        let nibbles = self.nibbles.join(&other.nibbles);
        // Most windows add nothing to most bytes of a bucket.
        if nibbles == self.nibbles { *self } else { Bucket::new(nibbles) }
    }
}

/// The window of a literal whose nibbles are the rarest.
pub(super) fn rarest_window(needle: NeedleId, literal: &Literal) -> (Bucket, Window) {
    let len = literal.len().min(WINDOW);
    let bucket = |offset: usize| {
        let mut all = [(u16::MAX, u16::MAX); WINDOW];
        for (pair, cube) in all.iter_mut().zip(&literal.cubes()[offset..offset + len]) {
            *pair = (0, 0);
            for b in cube.values() {
                pair.0 |= 1 << (b & 15);
                pair.1 |= 1 << (b >> 4);
            }
        }
        Bucket::new(WindowNibbles(all))
    };
    let mut best = (bucket(0), 0);
    for offset in 1..=literal.len() - len {
        let bucket = bucket(offset);
        if bucket.frequency() < best.0.frequency() {
            best = (bucket, offset);
        }
    }
    (best.0, Window { needle, offset: best.1 as u32 })
}

/// Divides windows, the most frequent first, into at most `count` buckets.
pub(super) fn buckets(windows: &[(Bucket, Window)], count: usize) -> Vec<Bucket> {
    let mut buckets: Vec<Bucket> = Vec::new();
    for (window, _) in windows {
        if buckets.len() < count {
            buckets.push(*window);
            continue;
        }
        let joined = buckets.iter().map(|bucket| (bucket.join(window), bucket.frequency()));
        let added = |(joined, before): &(Bucket, f64)| joined.frequency() - before;
        let best = joined.enumerate().min_by(|a, b| added(&a.1).total_cmp(&added(&b.1)));
        if let Some((index, (joined, _))) = best {
            buckets[index] = joined;
        }
    }
    buckets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_frequency_counts_all_bytes_that_pass() {
        let some = |low: u16, high: u16| -> f64 {
            let fits = |&b: &u8| low >> (b & 15) & 1 != 0 && high >> (b >> 4) & 1 != 0;
            byte_frequency::of_bytes((0..=u8::MAX).filter(fits))
        };
        let sets = [(1 << 1, 1 << 6), (0b1001_0000_0110, 0b1100_1000), (1, u16::MAX), (6, 0xFF)];
        let (found, each) =
            (Bucket::new(WindowNibbles(sets)).frequency(), sets.map(|(low, high)| some(low, high)));
        let expected: f64 = each.iter().product();
        assert!(expected > 0.0 && (found / expected - 1.0).abs() < 1e-9, "{found} {expected}");
        let empty = WindowNibbles([sets[0], sets[1], sets[2], (0, 0xFF)]);
        assert_eq!(Bucket::new(empty).frequency(), 0.0);
        for &(low, high) in &sets {
            let mut others = [(u16::MAX, u16::MAX); WINDOW];
            others[2] = (low, high);
            let (found, expected) =
                (Bucket::new(WindowNibbles(others)).frequency(), some(low, high));
            assert!(expected > 0.0 && (found / expected - 1.0).abs() < 1e-9, "{found} {expected}");
        }
        let all = WindowNibbles([(u16::MAX, u16::MAX); WINDOW]);
        assert_eq!(Bucket::new(all).frequency(), 1.0);
    }
}
