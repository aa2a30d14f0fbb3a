//! The public scanner: runs the first engine, and samples batches for the second.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use super::background::Background;
use super::comparison::Comparison;
use super::copy::BatchCopy;
use super::report::ShadowStats;
use super::second_engine::SecondEngine;
use dragnet::{Batch, Match, Matches, Scan, ScanError, StopFlag};
use dragnet_boundary::{CallError, Owner};

/// A scanner that also scans a sample of its batches with a second engine, in the background, and
/// reports where the answers of the two engines differ. Use it before moving from one engine to
/// another.
///
/// A scan returns the answer of the first engine, unchanged, and never waits for the second engine: a
/// batch for which there is no room in the background is [skipped](ShadowStats::skipped). If the second
/// engine fails, panics or hangs, only the [reports](super::ShadowBuilder::on_failure) and the
/// [counts](Shadow::stats) show it.
///
/// ```
/// use std::sync::mpsc::channel;
/// use dragnet_placement::Shadow;
/// use dragnet::{Backend, BatchBuf, Engine, Matches, PatternSet, Report, Scan};
///
/// let set = PatternSet::new(["error|warning", r"\d+"])?;
/// let first = Engine::with_backend(&set, Report::Spans, Backend::Pure)?;
/// // The engine to move to. It has different patterns here, so that there is a difference to report.
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
/// # Cost
///
/// A batch that is not sampled costs the increment of a counter. For a sampled batch, the records and
/// the first engine's answer are copied to memory that is reused. Sending the copy to the background
/// thread takes two small allocations. The second engine uses as much processor time as it needs, on
/// its own thread. Each `Shadow` has such a thread, so if there are many scanners, give only one a
/// shadow.
///
/// # Drop
///
/// Queued batches are not compared; call [`flush`](Shadow::flush) first to compare them. The drop waits
/// for the running comparison, at most until its [deadline](super::ShadowBuilder::deadline).
pub struct Shadow<S> {
    pub(super) first: S,
    /// The first batch and every nth one after it are sampled; none if this is zero.
    pub(super) every_nth: u64,
    pub(super) deadline: Duration,
    pub(super) seen: u64,
    /// Collects the blocks of matches that the first engine reports during `scan_with`.
    pub(super) answer: Vec<Match>,
    pub(super) background: Arc<Background>,
    pub(super) owner: Owner<SecondEngine>,
}

impl<S: Scan> Shadow<S> {
    /// Returns the counts of the batches so far.
    pub fn stats(&self) -> ShadowStats {
        ShadowStats { seen: self.seen, ..self.background.stats() }
    }

    /// Waits until all sampled batches are compared and reported, or have failed.
    ///
    /// # Errors
    ///
    /// [`CallError::Reentrant`] if a report function calls it: it would wait for that same call to end.
    pub fn flush(&self) -> Result<(), CallError> {
        self.background.flush(None)
    }

    /// As [`flush`](Shadow::flush), but waits at most for `timeout`.
    ///
    /// # Errors
    ///
    /// [`CallError::TimedOut`] if a batch is still pending after that time. Otherwise as
    /// [`flush`](Shadow::flush).
    pub fn flush_within(&self, timeout: Duration) -> Result<(), CallError> {
        self.background.flush(Some(timeout))
    }

    /// Drops the shadow and returns the first engine's scanner.
    pub fn into_first(self) -> S {
        self.first
    }

    /// Counts a batch. Returns its number if it is sampled.
    fn sample(&mut self) -> Option<u64> {
        let number = self.seen;
        self.seen += 1;
        // `is_multiple_of` would sample batch 0 if `every_nth` is 0.
        (self.every_nth != 0 && number.is_multiple_of(self.every_nth)).then_some(number)
    }

    /// Queues a comparison with copies of the batch and the answer, or counts the batch as skipped.
    fn compare_later(&self, number: u64, batch: &Batch<'_>, answer: &[Match]) {
        let size = BatchCopy::size(batch, answer.len());
        let Some(copy) = self.background.reserve(size) else { return };
        let mut comparison = Comparison {
            background: Arc::clone(&self.background),
            copy,
            batch: number,
            reserved: size,
            has_started: false,
        };
        comparison.copy.fill(batch, answer);
        let call = move |second: &mut SecondEngine, cancel: &_| comparison.run(second, cancel);
        // Nobody waits for the result. If the owner refuses the call, it drops the comparison, and that
        // counts the batch as skipped.
        drop(self.owner.try_submit_within(self.deadline, call));
    }
}

impl<S: Scan> Scan for Shadow<S> {
    fn scan(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError> {
        let sampled = self.sample();
        self.first.scan(batch, out)?;
        if let Some(number) = sampled {
            self.compare_later(number, batch, out.as_slice());
        }
        Ok(())
    }

    /// Scans with the first engine. The matches of a sampled batch are also collected for the
    /// comparison; if they exceed the room in the background, the batch is skipped.
    fn scan_with(
        &mut self,
        batch: &Batch<'_>,
        each: &mut dyn FnMut(&[Match]) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, ScanError> {
        let Some(number) = self.sample() else { return self.first.scan_with(batch, each) };
        // The room can't shrink during the scan, because only this thread reserves room.
        let room = self.background.room();
        let room = room.and_then(|bytes| bytes.checked_sub(BatchCopy::size(batch, 0)));
        let mut room = room.map(|bytes| bytes / size_of::<Match>());
        let answer = &mut self.answer;
        answer.clear();
        let flow = self.first.scan_with(batch, &mut |block| {
            room = room.and_then(|matches| matches.checked_sub(block.len()));
            if room.is_some() {
                answer.extend_from_slice(block);
            }
            each(block)
        })?;
        if room.is_some() && flow.is_continue() {
            self.compare_later(number, batch, &self.answer);
        } else {
            self.background.skip();
        }
        Ok(flow)
    }

    /// Sets the stop flag of the first engine. The second engine has flags of its own.
    fn set_stop(&mut self, stop: StopFlag) {
        self.first.set_stop(stop);
    }
}

impl<S> fmt::Debug for Shadow<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shadow")
            .field("every_nth", &self.every_nth)
            .field("deadline", &self.deadline)
            .field("seen", &self.seen)
            .field("background", &self.background.stats())
            .finish_non_exhaustive()
    }
}
