//! A backend that takes part in a comparison.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use dragnet::{Backend, Batch, Engine, Match, Matches, Report, Scan, Scanner};

use crate::rules::Rules;
use crate::status::Failure;

/// A backend, with its times.
pub(super) struct Contender {
    pub(super) backend: Backend,
    scanner: Scanner,
    pub(super) build_time: Duration,
    /// The time of the first scan of each batch.
    pub(super) first_time: Duration,
    /// The times of all further scans of the sample, one for each round.
    pub(super) rounds: Vec<Duration>,
    /// The number of matches in all batches.
    pub(super) total_matches: u64,
}

/// The matches of a batch: their number, and a hash of all of them in their order. The matches
/// themselves may be far more than the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Digest {
    count: u64,
    hash: u64,
}

impl Digest {
    fn add(&mut self, found: &Match) {
        let fields = [found.record(), found.pattern(), found.start(), found.end()];
        for field in fields {
            // FNV-1a, on 64 bits at a time. Its input is not chosen to collide: both backends would
            // have to be wrong.
            self.hash = (self.hash ^ field as u64).wrapping_mul(0x0100_0000_01b3).rotate_left(23);
        }
        self.count += 1;
    }
}

impl Contender {
    pub(super) fn new(rules: &Rules, backend: Backend) -> Result<Contender, String> {
        let start = Instant::now();
        let engine = Engine::with_backend(rules.patterns(), Report::Spans, backend);
        let engine = engine.map_err(|error| error.to_string())?;
        let scanner = engine.scanner().map_err(|error| error.to_string())?;
        Ok(Contender {
            backend,
            scanner,
            build_time: start.elapsed(),
            first_time: Duration::ZERO,
            rounds: Vec::new(),
            total_matches: 0,
        })
    }

    /// Scans a batch, and returns its digest and the time that the scan took.
    pub(super) fn scan(&mut self, batch: &Batch<'_>) -> Result<(Digest, Duration), Failure> {
        let mut digest = Digest { count: 0, hash: 0 };
        let start = Instant::now();
        let result = self.scanner.scan_with(batch, &mut |matches| {
            matches.iter().for_each(|found| digest.add(found));
            ControlFlow::Continue(())
        });
        let time = start.elapsed();
        let _ = result.map_err(|error| self.failure(&error))?;
        Ok((digest, time))
    }

    /// Scans a batch for the first time.
    pub(super) fn scan_first(&mut self, batch: &Batch<'_>) -> Result<Digest, Failure> {
        let (digest, time) = self.scan(batch)?;
        self.first_time += time;
        self.total_matches += digest.count;
        Ok(digest)
    }

    /// Replaces `matches` by those of a batch.
    pub(super) fn matches(
        &mut self,
        batch: &Batch<'_>,
        matches: &mut Matches,
    ) -> Result<(), Failure> {
        self.scanner.scan(batch, matches).map_err(|error| self.failure(&error))
    }

    fn failure(&self, error: &dragnet::ScanError) -> Failure {
        Failure::new(format!("{} backend: {error}", self.backend))
    }

    /// The median time of a round, in seconds.
    pub(super) fn warm_seconds(&self) -> f64 {
        let mut times: Vec<f64> = self.rounds.iter().map(Duration::as_secs_f64).collect();
        times.sort_by(f64::total_cmp);
        times.get(times.len() / 2).copied().unwrap_or(0.0)
    }
}
