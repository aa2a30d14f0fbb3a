//! Times of calls, and what they come to.

use std::io;
use std::time::{Duration, Instant};

/// How long a sample takes at least. Reading the clock is less than a hundredth of it.
const SAMPLE: Duration = Duration::from_micros(10);

/// How many calls are timed together at most.
const MAX_CALLS: u64 = 1 << 20;

/// How many samples are kept at most.
const MAX_SAMPLES: usize = 100_000;

/// How long calls took, in nanoseconds for one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Percentiles {
    /// A tenth of the samples took at most this: what it takes when nothing disturbs.
    pub(crate) p10: f64,
    /// Half of the samples took at most this.
    pub(crate) p50: f64,
    /// Nine of ten samples took at most this.
    pub(crate) p90: f64,
    /// All samples but one of a hundred took at most this.
    pub(crate) p99: f64,
    /// The mean.
    pub(crate) mean: f64,
    /// How many samples there are.
    pub(crate) samples: usize,
    /// How many calls were timed together for each sample: more than one where a call takes
    /// less than 10 microseconds. The percentiles are those of their means, then.
    pub(crate) calls: u64,
}

impl Percentiles {
    /// Those of these samples; `None` if there are none. They are put in order.
    fn of(samples: &mut [f64], calls: u64) -> Option<Percentiles> {
        if samples.is_empty() {
            return None;
        }
        samples.sort_unstable_by(f64::total_cmp);
        let len = samples.len();
        // The least sample that so many are not above.
        let at = |percent: usize| samples[(len * percent).div_ceil(100).max(1) - 1];
        let mean = samples.iter().sum::<f64>() / len as f64;
        Some(Percentiles {
            p10: at(10),
            p50: at(50),
            p90: at(90),
            p99: at(99),
            mean,
            samples: len,
            calls,
        })
    }
}

/// Times calls of one kind, in as many turns as there are, so that others can be timed in between.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter {
    calls: u64,
    samples: Vec<f64>,
}

impl Meter {
    /// A meter that has timed nothing.
    #[allow(dead_code)]
    pub(crate) fn new() -> Meter {
        Meter::default()
    }

    /// Times calls for about this long, one sample at least. `repeat` makes as many calls as it is
    /// told. The first turn finds out how many are to be timed together, which is not counted.
    ///
    /// # Errors
    ///
    /// Those of `repeat`.
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

    /// The same, with whatever tells how long so many calls take.
    fn turn(
        &mut self,
        time: Duration,
        mut timed: impl FnMut(u64) -> io::Result<Duration>,
    ) -> io::Result<()> {
        if self.calls == 0 {
            // What is not there yet, such as memory, is there after the first.
            timed(1)?;
            self.calls = 1;
            while self.calls < MAX_CALLS
                && timed(self.calls)?.min(timed(self.calls)?).min(timed(self.calls)?) < SAMPLE
            {
                self.calls *= 2;
            }
        }
        let start = Instant::now();
        loop {
            let sample = timed(self.calls)?.as_nanos() as f64 / self.calls as f64;
            if self.samples.len() < MAX_SAMPLES {
                self.samples.push(sample);
            }
            if start.elapsed() >= time {
                return Ok(());
            }
        }
    }

    /// What all turns come to; `None` before the first.
    pub(crate) fn percentiles(&self) -> Option<Percentiles> {
        Percentiles::of(&mut self.samples.clone(), self.calls)
    }
}

/// What part of the work the crossing may be where it does not count.
const SHARE: f64 = 0.05;

/// Times of one batch size, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) records: usize,
    pub(super) plain: f64,
    pub(super) crossed: f64,
}

/// The least batch from which on the crossing takes less than a twentieth of the work; `None` if
/// it takes more in the largest that was measured.
///
/// Above the last size where it takes more, it is taken to cost what it costs there, since what
/// small batches tell of it is exact, and in large ones it is lost in the noise.
pub(super) fn enough(sizes: &[Times]) -> Option<usize> {
    let too_much = |size: &Times| size.crossed - size.plain >= SHARE * size.plain;
    let Some(last) = sizes.iter().rposition(too_much) else {
        return sizes.first().map(|size| size.records);
    };
    let (below, above) = (sizes[last], sizes.get(last + 1)?);
    let record = above.plain / above.records as f64;
    let records = ((below.crossed - below.plain) / (SHARE * record)).ceil();
    // The float is cut to the integers, and then to between the two sizes.
    Some((records as usize).clamp(below.records + 1, above.records))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_the_least_samples_that_so_many_are_not_above() {
        let mut samples: Vec<f64> = (1..=1_000).rev().map(f64::from).collect();
        let found = Percentiles::of(&mut samples, 3).unwrap();
        assert_eq!((found.p10, found.p50, found.p90, found.p99), (100.0, 500.0, 900.0, 990.0));
        assert_eq!((found.mean, found.samples, found.calls), (500.5, 1_000, 3));

        let found = Percentiles::of(&mut [7.0], 1).unwrap();
        assert_eq!((found.p50, found.p90, found.p99, found.mean), (7.0, 7.0, 7.0, 7.0));
        let found = Percentiles::of(&mut [4.0, 1.0, 2.0], 1).unwrap();
        assert_eq!((found.p50, found.p90, found.p99), (2.0, 4.0, 4.0));
        assert_eq!(Percentiles::of(&mut [], 1), None);
    }

    #[test]
    fn a_meter_times_in_turns_and_makes_as_many_calls_as_it_says() {
        let mut meter = Meter::new();
        assert_eq!(meter.percentiles(), None);
        let mut asked = Vec::new();
        for _ in 0..3 {
            let repeat = |calls| {
                asked.push(calls);
                std::thread::sleep(Duration::from_micros(20));
                Ok(())
            };
            meter.run(Duration::ZERO, repeat).unwrap();
        }
        // One to warm up, three to see that one takes long enough, and one in each turn.
        assert_eq!(asked, [1; 7]);
        let found = meter.percentiles().unwrap();
        assert_eq!((found.samples, found.calls), (3, 1));
        // No sleep is shorter than it was told to be.
        assert!(found.p50 >= 20_000.0);

        // What is too short to be timed alone is timed together.
        let mut meter = Meter::new();
        let mut asked = Vec::new();
        let nanosecond_each = |calls| {
            asked.push(calls);
            Ok(Duration::from_nanos(calls))
        };
        meter.turn(Duration::ZERO, nanosecond_each).unwrap();
        let calls = meter.percentiles().unwrap().calls;
        assert_eq!(u128::from(calls), SAMPLE.as_nanos().next_power_of_two());
        assert_eq!(calls, asked[asked.len() - 1]);
        assert!(asked.is_sorted());

        let failed = meter.run(Duration::ZERO, |_| Err(io::Error::other("gone")));
        assert_eq!(failed.unwrap_err().to_string(), "gone");
    }

    /// What is enough, where these are the nanoseconds that a crossing takes in batches of 1, 10,
    /// 100 and so on, and a record takes 100.
    fn enough_for(crossing: &[f64]) -> Option<usize> {
        let size = |(i, crossing)| {
            let records = 10_usize.pow(i as u32);
            let plain = records as f64 * 100.0;
            Times { records, plain, crossed: plain + crossing }
        };
        enough(&crossing.iter().enumerate().map(size).collect::<Vec<_>>())
    }

    #[test]
    fn a_batch_is_enough_where_the_crossing_is_under_a_twentieth() {
        // 2 of 100 ns are less than 5%, also if it seems to take less than nothing.
        assert_eq!(enough_for(&[2.0; 5]), Some(1));
        assert_eq!(enough_for(&[2.0, -3.0, -100.0]), Some(1));
        // 1,000 ns are 5% of 20,000 ns, which 200 records take.
        assert_eq!(enough_for(&[1_000.0; 5]), Some(200));
        assert_eq!(enough_for(&[5.0; 5]), Some(2));
        // Of 1,000,000 they are 5% only in a batch of 200,000.
        assert_eq!(enough_for(&[1e6; 5]), None);
        // A part that grows with the batch is never less.
        assert_eq!(enough_for(&[6.0, 60.0, 600.0]), None);
        // The noise in large batches does not come into it.
        assert_eq!(enough_for(&[1_000.0, 1_000.0, 1_000.0, 4_000.0, -9_000.0]), Some(200));
        // It is never less than a size that was too small, nor more than one that is enough.
        assert_eq!(enough_for(&[900.0, 400.0, 300.0]), Some(80));
        assert_eq!(enough_for(&[900.0, 900.0, 300.0]), Some(100));
        assert_eq!(enough_for(&[0.0, 51.0, 0.0]), Some(11));
        assert_eq!(enough(&[]), None);
    }
}
