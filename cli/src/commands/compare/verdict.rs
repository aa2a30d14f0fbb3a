//! The verdict of a comparison: which backend to use, from how much data on, or that the measurement does
//! not show it.

use super::ratio::Ratio;

/// The smallest sample for which a recommendation is made, in bytes. In a smaller one, the fixed cost of
/// a scan counts for more than the speed on the data.
pub(super) const MIN_BYTES: u64 = 64 << 10;

/// The ratio below which one backend is not called faster, even if the difference is certain: it would
/// change with the next release.
const NOTABLE_RATIO: f64 = 1.05;

/// What is known about two backends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    /// The size of the sample, in bytes.
    pub(super) sample_bytes: u64,
    /// The times to build the two, in seconds.
    pub(super) build: [f64; 2],
    /// The median times to scan the sample, in seconds.
    pub(super) warm: [f64; 2],
    /// The ratio of the second's time to that of the first.
    pub(super) ratio: Option<Ratio>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict {
    TooLittleData,
    /// The difference is small, or not larger than its noise.
    Same {
        /// The largest factor between the two that the measurement allows.
        within: f64,
    },
    Faster {
        /// The index of the faster one.
        winner: usize,
        times: f64,
        /// The number of bytes from which on the faster one is ahead although it takes longer to build.
        /// 0 if it does not.
        break_even: u64,
    },
}

impl Measured {
    pub(super) fn verdict(&self) -> Verdict {
        let Some(ratio) = self.ratio.filter(|_| self.sample_bytes >= MIN_BYTES) else {
            return Verdict::TooLittleData;
        };
        let times = ratio.mean.max(1.0 / ratio.mean);
        if !ratio.is_certain() || times < NOTABLE_RATIO {
            return Verdict::Same { within: ratio.high.max(1.0 / ratio.low) };
        }
        let winner = usize::from(ratio.mean < 1.0);
        let loser = 1 - winner;
        let longer_build = self.build[winner] - self.build[loser];
        let saved_per_byte = (self.warm[loser] - self.warm[winner]) / self.sample_bytes as f64;
        // A float that is too large becomes the largest number of bytes.
        let break_even = (longer_build.max(0.0) / saved_per_byte.max(1e-15)) as u64;
        Verdict::Faster { winner, times, break_even }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(build: [f64; 2], warm: [f64; 2]) -> Measured {
        let mean = warm[1] / warm[0];
        let ratio = Some(Ratio { mean, low: mean * 0.97, high: mean * 1.03 });
        Measured { sample_bytes: 1_000_000, build, warm, ratio }
    }

    #[test]
    fn verdict_counts_building() {
        // The second saves 1 ms for each MB, and takes 0.5 s longer to build.
        let verdict = measured([0.1, 0.6], [0.002, 0.001]).verdict();
        let Verdict::Faster { winner: 1, times, break_even } = verdict else {
            panic!("{verdict:?}")
        };
        assert!((times - 2.0).abs() < 1e-9 && break_even.abs_diff(500_000_000) < 10);
        let verdict = measured([0.1, 0.6], [0.001, 0.003]).verdict();
        assert!(matches!(verdict, Verdict::Faster { winner: 0, break_even: 0, .. }), "{verdict:?}");
    }

    #[test]
    fn small_differences_are_no_verdict() {
        for warm in [[0.001, 0.00104], [0.00104, 0.001], [0.001, 0.001]] {
            assert!(matches!(measured([0.1, 0.2], warm).verdict(), Verdict::Same { .. }));
        }
        let mut little = measured([0.1, 0.2], [0.001, 0.01]);
        little.sample_bytes = 6;
        assert_eq!(little.verdict(), Verdict::TooLittleData);
        little = Measured { sample_bytes: 1 << 20, ratio: None, ..little };
        assert_eq!(little.verdict(), Verdict::TooLittleData);
    }
}
