//! How many times as fast one backend is as another, and how sure that is.
//!
//! The backends scan the same sample in rounds. Each round gives one ratio of their times, which load on
//! the machine affects little, because both scan at nearly the same time. The mean of the logarithms is
//! known with an error that shrinks with the number of rounds.

use std::time::Duration;

/// The fewest rounds from which an error can be estimated.
pub(super) const MIN_ROUNDS: usize = 5;

/// The number of standard errors on either side of the mean that count as noise. It is no level of
/// significance: a few rounds show the error only roughly, and the rounds end as soon as the difference
/// is larger than the noise.
const STANDARD_ERRORS: f64 = 3.0;

/// A ratio of times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ratio {
    /// The geometric mean.
    pub(super) mean: f64,
    /// The true mean is very probably between these two.
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Ratio {
    /// The ratio of the second to the first time of each round. Returns `None` if there are too few
    /// rounds.
    pub(super) fn of(first: &[Duration], second: &[Duration]) -> Option<Ratio> {
        let logarithms: Vec<f64> = first
            .iter()
            .zip(second)
            .map(|(first, second)| (seconds(*second) / seconds(*first)).ln())
            .collect();
        let count = logarithms.len();
        if count < MIN_ROUNDS {
            return None;
        }
        let mean = logarithms.iter().sum::<f64>() / count as f64;
        let squares: f64 = logarithms.iter().map(|value| (value - mean).powi(2)).sum();
        let error = (squares / (count - 1) as f64 / count as f64).sqrt() * STANDARD_ERRORS;
        Some(Ratio { mean: mean.exp(), low: (mean - error).exp(), high: (mean + error).exp() })
    }

    /// Whether the difference between the two is larger than the noise.
    pub(super) fn is_certain(&self) -> bool {
        self.low > 1.0 || self.high < 1.0
    }
}

/// At least a nanosecond, to divide by.
fn seconds(time: Duration) -> f64 {
    time.as_secs_f64().max(1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(milliseconds: &[u64]) -> Vec<Duration> {
        milliseconds.iter().map(|&time| Duration::from_millis(time)).collect()
    }

    #[test]
    fn a_difference_is_certain_if_it_is_larger_than_the_noise() {
        let steady = times(&[100, 101, 99, 100, 102, 100]);
        let cases: [(&[u64], Option<bool>); 5] = [
            (&[200, 201, 199, 202, 200, 201], Some(true)),
            (&[50, 51, 49, 50, 50, 52], Some(true)),
            (&[101, 99, 100, 103, 97, 100], Some(false)),
            (&[60, 300, 80, 200, 150, 90], Some(false)),
            (&[200, 201, 199, 202], None),
        ];
        for (second, expected) in cases {
            let ratio = Ratio::of(&steady, &times(second));
            assert_eq!(ratio.map(|ratio| ratio.is_certain()), expected, "{second:?}: {ratio:?}");
        }
        let ratio = Ratio::of(&steady, &times(&[200, 202, 198, 200, 204, 200])).unwrap();
        assert!((ratio.mean - 2.0).abs() < 1e-9 && ratio.low <= 2.0 && ratio.high >= 2.0);
    }
}
