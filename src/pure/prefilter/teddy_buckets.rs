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
#[derive(Clone, Copy, Debug)]
pub(super) struct WindowNibbles(pub(super) [(u16, u16); WINDOW]);

impl WindowNibbles {
    fn join(&self, other: &WindowNibbles) -> WindowNibbles {
        let mut joined = *self;
        for (mine, theirs) in joined.0.iter_mut().zip(other.0) {
            *mine = (mine.0 | theirs.0, mine.1 | theirs.1);
        }
        joined
    }

    /// The probability that each byte of a window of ordinary text has a nibble of each set. Bytes
    /// count as independent, which is good enough to compare windows.
    pub(super) fn frequency(&self) -> f64 {
        let byte = |&(low, high): &(u16, u16)| -> f64 {
            if low == u16::MAX && high == u16::MAX {
                return 1.0;
            }
            let mut sum = 0.0;
            for h in (0..16).filter(|h| high >> h & 1 != 0) {
                for l in (0..16).filter(|l| low >> l & 1 != 0) {
                    sum += byte_frequency::of_value(h << 4 | l);
                }
            }
            sum
        };
        self.0.iter().map(byte).product()
    }
}

/// The window of a literal whose nibbles are the rarest.
pub(super) fn rarest_window(needle: NeedleId, literal: &Literal) -> (WindowNibbles, Window) {
    let len = literal.len().min(WINDOW);
    let nibbles = |offset: usize| {
        let mut all = [(u16::MAX, u16::MAX); WINDOW];
        for (pair, cube) in all.iter_mut().zip(&literal.cubes()[offset..offset + len]) {
            *pair = (0, 0);
            for b in cube.values() {
                pair.0 |= 1 << (b & 15);
                pair.1 |= 1 << (b >> 4);
            }
        }
        WindowNibbles(all)
    };
    let (offset, nibbles) = (0..=literal.len() - len)
        .map(|offset| (offset, nibbles(offset)))
        .min_by(|a, b| a.1.frequency().total_cmp(&b.1.frequency()))
        .unwrap_or((0, WindowNibbles([(0, 0); WINDOW])));
    (nibbles, Window { needle, offset: offset as u32 })
}

/// Divides windows, the most frequent first, into at most `count` buckets, and returns the nibbles
/// that each bucket allows.
pub(super) fn buckets(windows: &[(WindowNibbles, Window)], count: usize) -> Vec<WindowNibbles> {
    let mut buckets: Vec<(WindowNibbles, f64)> = Vec::new();
    for (nibbles, _) in windows {
        if buckets.len() < count {
            buckets.push((*nibbles, nibbles.frequency()));
            continue;
        }
        let joined = |(bucket, frequency): &(WindowNibbles, f64)| {
            let bucket = bucket.join(nibbles);
            let joined = bucket.frequency();
            (joined - frequency, (bucket, joined))
        };
        let candidates = buckets.iter().map(joined).enumerate();
        if let Some((index, (_, bucket))) = candidates.min_by(|a, b| a.1.0.total_cmp(&b.1.0)) {
            buckets[index] = bucket;
        }
    }
    buckets.into_iter().map(|(nibbles, _)| nibbles).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_frequency_counts_all_bytes_that_pass() {
        let some = |low: u16, high: u16| -> f64 {
            let fits = |&b: &u8| low >> (b & 15) & 1 != 0 && high >> (b >> 4) & 1 != 0;
            (0..=u8::MAX).filter(fits).map(byte_frequency::of_value).sum()
        };
        let sets = [(1 << 1, 1 << 6), (0b1001_0000_0110, 0b1100_1000), (1, u16::MAX), (6, 0xFF)];
        let (found, each) =
            (WindowNibbles(sets).frequency(), sets.map(|(low, high)| some(low, high)));
        let expected: f64 = each.iter().product();
        assert!(expected > 0.0 && (found / expected - 1.0).abs() < 1e-9, "{found} {expected}");
        assert_eq!(WindowNibbles([sets[0], sets[1], sets[2], (0, 0xFF)]).frequency(), 0.0);
        for &(low, high) in &sets {
            let mut others = [(u16::MAX, u16::MAX); WINDOW];
            others[2] = (low, high);
            let (found, expected) = (WindowNibbles(others).frequency(), some(low, high));
            assert!(expected > 0.0 && (found / expected - 1.0).abs() < 1e-9, "{found} {expected}");
        }
        assert_eq!(WindowNibbles([(u16::MAX, u16::MAX); WINDOW]).frequency(), 1.0);
    }
}
