//! Times of calls: their percentiles, and the batch size that amortizes a crossing.

use std::io;
use std::time::{Duration, Instant};

/// Minimum duration of a sample. Reading the clock takes less than 1% of it.
const MIN_SAMPLE: Duration = Duration::from_micros(10);

/// Maximum number of calls in a sample.
const MAX_CALLS_PER_SAMPLE: u64 = 1 << 20;

/// Maximum number of samples that a meter keeps: 800 KB.
const MAX_SAMPLES: usize = 100_000;

/// The percentiles of the time of a call, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Percentiles {
    /// A tenth of the samples took at most this: those that other load on the machine disturbed least.
    pub(crate) p10: f64,
    /// The median.
    pub(crate) p50: f64,
    /// Nine of ten samples took at most this.
    pub(crate) p90: f64,
    /// 99 of 100 samples took at most this.
    pub(crate) p99: f64,
    /// The mean.
    pub(crate) mean: f64,
    /// Number of samples.
    pub(crate) samples: usize,
    /// Number of calls in a sample. If a call takes less than 10 microseconds, this is more than one, and
    /// the percentiles are those of the means of samples.
    pub(crate) calls_per_sample: u64,
}

impl Percentiles {
    /// Computes the percentiles of these samples, which it sorts. Returns `None` if there are none.
    fn of(samples: &mut [f64], calls_per_sample: u64) -> Option<Percentiles> {
        if samples.is_empty() {
            return None;
        }
        samples.sort_unstable_by(f64::total_cmp);
        let len = samples.len();
        // The nearest-rank definition: the least sample that `percent` of the samples do not exceed.
        let at = |percent: usize| samples[(len * percent).div_ceil(100).max(1) - 1];
        let mean = samples.iter().sum::<f64>() / len as f64;
        Some(Percentiles {
            p10: at(10),
            p50: at(50),
            p90: at(90),
            p99: at(99),
            mean,
            samples: len,
            calls_per_sample,
        })
    }
}

/// Times calls of one kind. It does so in turns, so that several meters can alternate.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter {
    /// 0 before the first turn.
    calls_per_sample: u64,
    /// The time of a call in each sample, in nanoseconds.
    samples: Vec<f64>,
}

impl Meter {
    /// Times calls for about `time`, and at least one sample. `repeat` makes the given number of
    /// calls. The first turn also determines the number of calls in a sample, from calls that are not
    /// counted.
    ///
    /// # Errors
    ///
    /// The errors of `repeat`.
    pub(crate) fn run(
        &mut self,
        time: Duration,
        mut repeat: impl FnMut(u64) -> io::Result<()>,
    ) -> io::Result<()> {
        self.turn(time, |calls| {
            let start = Instant::now();
            repeat(calls).map(|()| start.elapsed())
        })
    }

    /// As [`run`](Meter::run), with a function that returns the time of the given number of calls.
    fn turn(
        &mut self,
        time: Duration,
        mut timed: impl FnMut(u64) -> io::Result<Duration>,
    ) -> io::Result<()> {
        if self.calls_per_sample == 0 {
            // The first call is slower than the others: it allocates memory and fills caches.
            timed(1)?;
            self.calls_per_sample = 1;
            while self.calls_per_sample < MAX_CALLS_PER_SAMPLE
                && timed(self.calls_per_sample)?
                    .min(timed(self.calls_per_sample)?)
                    .min(timed(self.calls_per_sample)?)
                    < MIN_SAMPLE
            {
                self.calls_per_sample *= 2;
            }
        }
        let start = Instant::now();
        loop {
            let sample =
                timed(self.calls_per_sample)?.as_nanos() as f64 / self.calls_per_sample as f64;
            if self.samples.len() < MAX_SAMPLES {
                self.samples.push(sample);
            }
            if start.elapsed() >= time {
                return Ok(());
            }
        }
    }

    /// Returns the percentiles of all turns; `None` before the first.
    pub(crate) fn percentiles(&self) -> Option<Percentiles> {
        Percentiles::of(&mut self.samples.clone(), self.calls_per_sample)
    }
}

/// A crossing is negligible if it takes less than this fraction of the time of the work.
const NEGLIGIBLE_SHARE: f64 = 0.05;

/// The times of a batch of one size, without and with a crossing, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct BatchTimes {
    pub(super) records: usize,
    pub(super) plain: f64,
    pub(super) crossed: f64,
}

/// Returns the smallest batch, in records, from which on the crossing takes less than 5% of the time of
/// the work; `None` if it takes more even in the largest batch that was measured.
///
/// The result lies between two sizes: the largest one at which the crossing takes 5% or more, and the
/// next one. It is computed from the cost of the crossing at the smaller of the two, because in larger
/// batches that cost disappears in the noise.
pub(super) fn negligible_from(sizes: &[BatchTimes]) -> Option<usize> {
    let too_much = |size: &BatchTimes| size.crossed - size.plain >= NEGLIGIBLE_SHARE * size.plain;
    let Some(last) = sizes.iter().rposition(too_much) else {
        return sizes.first().map(|size| size.records);
    };
    let (below, above) = (sizes[last], sizes.get(last + 1)?);
    let record = above.plain / above.records as f64;
    let records = ((below.crossed - below.plain) / (NEGLIGIBLE_SHARE * record)).ceil();
    // The cast saturates. The result is between the two sizes that were measured.
    Some((records as usize).clamp(below.records + 1, above.records))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let mut samples: Vec<f64> = (1..=1_000).rev().map(f64::from).collect();
        let found = Percentiles::of(&mut samples, 3).unwrap();
        assert_eq!((found.p10, found.p50, found.p90, found.p99), (100.0, 500.0, 900.0, 990.0));
        assert_eq!((found.mean, found.samples, found.calls_per_sample), (500.5, 1_000, 3));

        let found = Percentiles::of(&mut [7.0], 1).unwrap();
        assert_eq!((found.p50, found.p90, found.p99, found.mean), (7.0, 7.0, 7.0, 7.0));
        let found = Percentiles::of(&mut [4.0, 1.0, 2.0], 1).unwrap();
        assert_eq!((found.p50, found.p90, found.p99), (2.0, 4.0, 4.0));
        assert_eq!(Percentiles::of(&mut [], 1), None);
    }

    #[test]
    fn meter_chooses_the_calls_per_sample_once() {
        let mut meter = Meter::default();
        assert_eq!(meter.percentiles(), None);
        let mut requested = Vec::new();
        for _ in 0..3 {
            let repeat = |calls| {
                requested.push(calls);
                std::thread::sleep(Duration::from_micros(20));
                Ok(())
            };
            meter.run(Duration::ZERO, repeat).unwrap();
        }
        // One call to warm up, three that show that one call per sample is enough, and one in each of
        // the three turns.
        assert_eq!(requested, [1; 7]);
        let found = meter.percentiles().unwrap();
        assert_eq!((found.samples, found.calls_per_sample), (3, 1));
        // A sleep never ends early.
        assert!(found.p50 >= 20_000.0);

        // Short calls are timed in groups.
        let mut meter = Meter::default();
        let mut requested = Vec::new();
        let nanosecond_each = |calls| {
            requested.push(calls);
            Ok(Duration::from_nanos(calls))
        };
        meter.turn(Duration::ZERO, nanosecond_each).unwrap();
        let calls = meter.percentiles().unwrap().calls_per_sample;
        assert_eq!(u128::from(calls), MIN_SAMPLE.as_nanos().next_power_of_two());
        assert_eq!(calls, requested[requested.len() - 1]);
        assert!(requested.is_sorted());

        let failed = meter.run(Duration::ZERO, |_| Err(io::Error::other("gone")));
        assert_eq!(failed.unwrap_err().to_string(), "gone");
    }

    /// Calls [`negligible_from`] with these costs of a crossing, in nanoseconds, in batches of 1, 10, 100
    /// records and so on, where the work takes 100 ns for each record.
    fn negligible_for(crossing: &[f64]) -> Option<usize> {
        let size = |(i, crossing)| {
            let records = 10_usize.pow(i as u32);
            let plain = records as f64 * 100.0;
            BatchTimes { records, plain, crossed: plain + crossing }
        };
        negligible_from(&crossing.iter().enumerate().map(size).collect::<Vec<_>>())
    }

    #[test]
    fn crossing_is_negligible_below_5_percent() {
        // 2 of 100 ns are less than 5%. Noise can make the cost negative.
        assert_eq!(negligible_for(&[2.0; 5]), Some(1));
        assert_eq!(negligible_for(&[2.0, -3.0, -100.0]), Some(1));
        // 1,000 ns are 5% of 20,000 ns, which 200 records take.
        assert_eq!(negligible_for(&[1_000.0; 5]), Some(200));
        assert_eq!(negligible_for(&[5.0; 5]), Some(2));
        // 1,000,000 ns are 5% only in a batch of 200,000 records.
        assert_eq!(negligible_for(&[1e6; 5]), None);
        // A cost in proportion to the batch is never amortized.
        assert_eq!(negligible_for(&[6.0, 60.0, 600.0]), None);
        // Noise in large batches has no effect.
        assert_eq!(negligible_for(&[1_000.0, 1_000.0, 1_000.0, 4_000.0, -9_000.0]), Some(200));
        // The result is above the last size that was too small, and at most the next one.
        assert_eq!(negligible_for(&[900.0, 400.0, 300.0]), Some(80));
        assert_eq!(negligible_for(&[900.0, 900.0, 300.0]), Some(100));
        assert_eq!(negligible_for(&[0.0, 51.0, 0.0]), Some(11));
        assert_eq!(negligible_from(&[]), None);
    }
}
