//! The configuration of a shadow.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::background::{Background, OnDifference, OnFailure};
use super::difference::Difference;
use super::report::ShadowFailure;
use super::scanner::Shadow;
use super::second_engine::{MakeScanner, SecondEngine};
use dragnet::{Matches, PatternSet, Scan};
use dragnet_boundary::{Builder, MakeError, OnDrop, OnPanic, StartError};

/// Configures and starts a [`Shadow`].
#[must_use]
pub struct ShadowBuilder<S> {
    first: S,
    set: PatternSet,
    every_nth: u64,
    capacity: usize,
    max_bytes: usize,
    deadline: Duration,
    max_differences: usize,
    on_difference: OnDifference,
    on_failure: OnFailure,
}

impl<S: Scan> Shadow<S> {
    /// Makes a builder with the default configuration.
    ///
    /// `first` is the scanner of the first engine, and `set` its patterns. Reports take the patterns'
    /// names from `set`.
    pub fn builder(first: S, set: &PatternSet) -> ShadowBuilder<S> {
        ShadowBuilder {
            first,
            set: set.clone(),
            every_nth: 100,
            capacity: 4,
            max_bytes: 64 << 20,
            deadline: Duration::from_secs(10),
            max_differences: 100,
            on_difference: Box::new(|_| {}),
            on_failure: Box::new(|_| {}),
        }
    }
}

impl<S: Scan> ShadowBuilder<S> {
    /// Samples the first batch and every nth batch after it. 100 by default; 1 samples all batches, 0
    /// none.
    pub fn sample(mut self, every_nth: u64) -> ShadowBuilder<S> {
        self.every_nth = every_nth;
        self
    }

    /// Sets how many batches may be queued or compared in the background at a time, at least one, and how
    /// many bytes their copies may take together, including the first engine's answers. Batches beyond
    /// either limit are skipped. 4 batches and 64 MiB by default.
    ///
    /// Up to `max_bytes` of further memory is kept for later copies.
    pub fn queue(mut self, capacity: usize, max_bytes: usize) -> ShadowBuilder<S> {
        self.capacity = capacity.max(1);
        self.max_bytes = max_bytes;
        self
    }

    /// Sets how long a batch may stay in the background. Ten seconds by default. A time that the clock
    /// can't represent is no limit.
    ///
    /// A batch that is still queued at its deadline is skipped. If the second engine is scanning it,
    /// the engine's stop flag is raised. If the engine does not stop within a second, its thread is
    /// abandoned, and another thread makes the engine again. At most one additional thread is started
    /// in this way: while two are stuck, all batches are skipped.
    pub fn deadline(mut self, deadline: Duration) -> ShadowBuilder<S> {
        self.deadline = deadline;
        self
    }

    /// Sets how many differences of one batch are reported. 100 by default. The others are
    /// [counted](super::ShadowStats::unreported).
    pub fn differences(mut self, limit: usize) -> ShadowBuilder<S> {
        self.max_differences = limit;
        self
    }

    /// Sets a function to call with each difference, in the order of the records.
    ///
    /// It runs on the background thread, and its time counts towards the deadline. If it panics, no
    /// further differences of that batch are reported.
    pub fn on_difference(
        mut self,
        report: impl Fn(&Difference<'_>) + Send + Sync + 'static,
    ) -> ShadowBuilder<S> {
        self.on_difference = Box::new(report);
        self
    }

    /// Sets a function to call when the second engine fails or misses the deadline.
    ///
    /// It runs on the background thread, or on the thread that tracks deadlines, so it should return
    /// quickly. A panic in it is ignored.
    pub fn on_failure(
        mut self,
        report: impl Fn(&ShadowFailure) + Send + Sync + 'static,
    ) -> ShadowBuilder<S> {
        self.on_failure = Box::new(report);
        self
    }

    /// Starts a thread that makes the second engine's scanner with `make` and owns it. Returns once the
    /// scanner is made.
    ///
    /// `make` is called again, on the same or another thread, after the scanner has panicked or its
    /// thread was abandoned.
    ///
    /// # Errors
    ///
    /// If the system can't start a thread, or `make` fails or panics.
    pub fn start<T, E>(
        self,
        make: impl Fn() -> Result<T, E> + Send + Sync + 'static,
    ) -> Result<Shadow<S>, StartError>
    where
        T: Scan + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let make: Arc<MakeScanner> = Arc::new(move || match make() {
            Ok(scanner) => Ok(Box::new(scanner)),
            Err(error) => Err(MakeError::Failed(error.into())),
        });
        let background = Arc::new(Background::new(
            self.set,
            (self.on_difference, self.on_failure),
            self.max_differences,
            (self.capacity, self.max_bytes),
        ));
        let abandoned = Arc::clone(&background);
        let is_first = AtomicBool::new(true);
        let owner = Builder::new("dragnet-shadow")
            .capacity(self.capacity)
            .on_panic(OnPanic::Rebuild)
            .on_drop(OnDrop::Reject)
            .spares(1)
            .on_abandoned(move |_| abandoned.abandon())
            .owner(move || {
                // Later scanners are made within a comparison, which reports errors.
                let is_first = is_first.swap(false, Ordering::Relaxed);
                let scanner = if is_first { Some(make()?) } else { None };
                let make = Arc::clone(&make);
                Ok::<_, MakeError>(SecondEngine { scanner, make, answer: Matches::new() })
            })
            .map_err(flatten)?;
        Ok(Shadow {
            first: self.first,
            every_nth: self.every_nth,
            deadline: self.deadline,
            seen: 0,
            answer: Vec::new(),
            background,
            owner,
        })
    }
}

/// Unwraps an error of `make` from the error that the owner wraps it in.
fn flatten(error: StartError) -> StartError {
    match error {
        StartError::Make(MakeError::Failed(inner)) => match inner.downcast::<MakeError>() {
            Ok(inner) => StartError::Make(*inner),
            Err(inner) => StartError::Make(MakeError::Failed(inner)),
        },
        error => error,
    }
}

impl<S> fmt::Debug for ShadowBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShadowBuilder")
            .field("every_nth", &self.every_nth)
            .field("capacity", &self.capacity)
            .field("max_bytes", &self.max_bytes)
            .field("deadline", &self.deadline)
            .field("max_differences", &self.max_differences)
            .finish_non_exhaustive()
    }
}
