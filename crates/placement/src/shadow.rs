//! A second engine beside the first, to compare their answers.

mod background;
mod builder;
mod difference;
mod job;

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use dragnet::{Batch, Match, Matches, PatternSet, Scan, ScanError, StopFlag};
use dragnet_boundary::{CallError, Owner};

use background::Shared;
pub use builder::ShadowBuilder;
pub use difference::Difference;
use job::{Job, Seat, Ticket};

/// A scanner that has a second one scan a sample of its batches too, in the background, and
/// reports where the two answers differ: for those who move from one engine to another, before
/// they do.
///
/// What a scan returns is the first engine's answer, unchanged. It waits for nothing that the
/// second one does: a batch for which there is no room in the background is
/// [skipped](ShadowStats::skipped). Whether the second engine fails, panics or hangs, only the
/// [reports](ShadowBuilder::on_failure) and the [counts](Shadow::stats) tell.
///
/// ```
/// use std::sync::mpsc::channel;
/// use dragnet_placement::Shadow;
/// use dragnet::{Backend, BatchBuf, Engine, Matches, PatternSet, Report, Scan};
///
/// let set = PatternSet::new(["error|warning", r"\d+"])?;
/// let first = Engine::with_backend(&set, Report::Spans, Backend::Pure)?;
/// // The one to move to. This one has other patterns, so there is something to see.
/// let second = Engine::new(&PatternSet::new(["error", r"\d+"])?, Report::Spans);
///
/// let (sender, differences) = channel();
/// let mut scanner = Shadow::builder(first.scanner()?, &set)
///     .sample(1)
///     .on_difference(move |difference| sender.send(difference.to_string()).unwrap())
///     .start(move || second.scanner())?;
///
/// let mut records = BatchBuf::new();
/// records.push(b"error 404")?;
/// records.push(b"a warning")?;
/// let mut matches = Matches::new();
/// scanner.scan(&records.as_batch(), &mut matches)?;
/// assert_eq!(matches.len(), 3);
///
/// scanner.flush()?;
/// assert_eq!((scanner.stats().compared, scanner.stats().differing), (1, 1));
/// assert_eq!(
///     differences.recv()?,
///     r#"pattern 0 "error|warning" in record 1 of batch 0 b"a warning": "#.to_owned()
///         + "the first engine found 2..9, the second nothing"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # What it costs
///
/// A batch that is not sampled costs a count. For one that is, the records and the first engine's
/// answer are copied, each at one go, to memory that is used again and again, and handed over to
/// the other thread, which takes two small allocations. That thread takes its share of the
/// machine's processors. With several scanners, each has a background of its own; it may be enough
/// to give one to some of them.
///
/// # Dropping it
///
/// Batches that wait are not compared; [flush](Shadow::flush) first if they are to be. The drop
/// waits for the one at work, until its [deadline](ShadowBuilder::deadline) at the latest.
pub struct Shadow<S> {
    primary: S,
    every: u64,
    deadline: Duration,
    seen: u64,
    /// Collects the first engine's matches where it hands them out in blocks.
    answer: Vec<Match>,
    shared: Arc<Shared>,
    owner: Owner<Seat>,
}

/// What became of the batches that a [`Shadow`] has scanned.
///
/// Those sampled are skipped, compared, failed or still pending, and never two of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShadowStats {
    /// Batches that were given to the first engine.
    pub seen: u64,
    /// Batches that were to be compared: every nth of those seen, if the first engine answered.
    pub sampled: u64,
    /// Of those sampled, the ones that were not given to the second engine: there was no room, or
    /// they had no turn in time; or the caller broke off, so that there was no whole answer.
    pub skipped: u64,
    /// Of those sampled, the ones for which both engines have answered.
    pub compared: u64,
    /// Of those compared, the ones with two different answers.
    pub differing: u64,
    /// Of those sampled, the ones for which the second engine has no answer, or none in time.
    pub failed: u64,
    /// Of those sampled, the ones that are still in the background.
    pub pending: u64,
    /// Pairs of a record and a pattern that differ, in all batches together.
    pub differences: u64,
    /// Of those differences, the ones over the [limit](ShadowBuilder::differences) on reports.
    pub unreported: u64,
}

/// Tells of a batch for which the second engine of a [`Shadow`] has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShadowFailure {
    /// The number of the batch, counted from 0 as [`ShadowStats::seen`] does.
    pub batch: u64,
    /// Why there is none. [`ScanError::TimedOut`] if it was not there in time, and
    /// [`ScanError::Unavailable`] if the engine was lost and could not be made again.
    pub error: ScanError,
    /// Whether the thread was given up, since it did not stop when it was told to.
    pub abandoned: bool,
}

impl<S: Scan> Shadow<S> {
    /// A setup with this scanner as the first; `set` is what it scans for, to name the patterns.
    pub fn builder(primary: S, set: &PatternSet) -> ShadowBuilder<S> {
        ShadowBuilder::new(primary, set)
    }

    /// What became of the batches so far.
    pub fn stats(&self) -> ShadowStats {
        ShadowStats { seen: self.seen, ..self.shared.stats() }
    }

    /// Waits until all batches that were sampled are compared and reported, or have failed.
    ///
    /// # Errors
    ///
    /// [`CallError::Reentrant`] in a report, which it would wait for.
    pub fn flush(&self) -> Result<(), CallError> {
        self.shared.flush(None)
    }

    /// As [`flush`](Shadow::flush), but no longer than this.
    ///
    /// # Errors
    ///
    /// [`CallError::TimedOut`] if some are still pending then, and as [`flush`](Shadow::flush).
    pub fn flush_within(&self, timeout: Duration) -> Result<(), CallError> {
        self.shared.flush(Some(timeout))
    }

    /// The first engine's scanner. What is in the background is dropped, as when the shadow is.
    pub fn into_primary(self) -> S {
        self.primary
    }

    /// Counts a batch and returns its number if it is of the sample.
    fn see(&mut self) -> Option<u64> {
        let number = self.seen;
        self.seen += 1;
        // Nothing is a multiple of zero but the first.
        (self.every != 0 && number.is_multiple_of(self.every)).then_some(number)
    }

    /// Hands copies to the background, or counts the batch as skipped.
    fn offer(&self, number: u64, batch: &Batch<'_>, first: &[Match]) {
        let cost = Job::cost(batch, first.len());
        let Some(job) = self.shared.admit(cost) else { return };
        let shared = Arc::clone(&self.shared);
        let mut ticket = Ticket { shared, job, batch: number, cost, started: false };
        ticket.job.fill(batch, first);
        // A refused ticket is dropped, which counts it as skipped; there is nothing to wait for.
        drop(self.owner.try_submit_within(self.deadline, move |seat, stop| ticket.run(seat, stop)));
    }
}

impl<S: Scan> Scan for Shadow<S> {
    fn scan(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError> {
        let sampled = self.see();
        self.primary.scan(batch, out)?;
        if let Some(number) = sampled {
            self.offer(number, batch, out.as_slice());
        }
        Ok(())
    }

    /// As the first engine does it. Of a batch that is sampled, the matches are also collected, as
    /// long as there is room for them in the background.
    fn scan_with(
        &mut self,
        batch: &Batch<'_>,
        each: &mut dyn FnMut(&[Match]) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, ScanError> {
        let Some(number) = self.see() else { return self.primary.scan_with(batch, each) };
        // Room only grows meanwhile: nobody else takes of it.
        let room = self.shared.room().and_then(|bytes| bytes.checked_sub(Job::cost(batch, 0)));
        let mut room = room.map(|bytes| bytes / size_of::<Match>());
        let answer = &mut self.answer;
        answer.clear();
        let flow = self.primary.scan_with(batch, &mut |block| {
            room = room.and_then(|matches| matches.checked_sub(block.len()));
            if room.is_some() {
                answer.extend_from_slice(block);
            }
            each(block)
        })?;
        if room.is_some() && flow.is_continue() {
            self.offer(number, batch, &self.answer);
        } else {
            self.shared.skip();
        }
        Ok(flow)
    }

    /// Sets the flag of the first engine. The second one has flags of its own.
    fn set_stop(&mut self, stop: StopFlag) {
        self.primary.set_stop(stop);
    }
}

impl<S> fmt::Debug for Shadow<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shadow")
            .field("every", &self.every)
            .field("deadline", &self.deadline)
            .field("seen", &self.seen)
            .field("background", &self.shared.stats())
            .finish_non_exhaustive()
    }
}
