//! How a shadow is set up.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::background::{OnDifference, OnFailure, Shared};
use super::job::{Make, Seat};
use super::{Difference, Shadow, ShadowFailure};
use dragnet::{Matches, PatternSet, Scan};
use dragnet_boundary::{Builder, MakeError, OnDrop, OnPanic, StartError};

/// Sets up a [`Shadow`].
#[must_use]
pub struct ShadowBuilder<S> {
    primary: S,
    set: PatternSet,
    every: u64,
    capacity: usize,
    max_bytes: usize,
    deadline: Duration,
    limit: usize,
    on_difference: OnDifference,
    on_failure: OnFailure,
}

impl<S: Scan> ShadowBuilder<S> {
    pub(super) fn new(primary: S, set: &PatternSet) -> ShadowBuilder<S> {
        ShadowBuilder {
            primary,
            set: set.clone(),
            every: 100,
            capacity: 4,
            max_bytes: 64 << 20,
            deadline: Duration::from_secs(10),
            limit: 100,
            on_difference: Box::new(|_| {}),
            on_failure: Box::new(|_| {}),
        }
    }

    /// Takes every nth batch as a sample: the first one and each nth after it, whatever is in them.
    /// 100 if this is not called; 1 takes all, 0 none.
    pub fn sample(mut self, every_nth: u64) -> ShadowBuilder<S> {
        self.every = every_nth;
        self
    }

    /// How many batches may be waiting or at work in the background at a time, at least one, and
    /// how many bytes their copies may have together, with the first engine's answers. What is
    /// beyond either is skipped. 4 batches and 64 MiB if this is not called.
    ///
    /// No more than as many bytes again are kept for the next copies.
    pub fn queue(mut self, capacity: usize, max_bytes: usize) -> ShadowBuilder<S> {
        self.capacity = capacity.max(1);
        self.max_bytes = max_bytes;
        self
    }

    /// For how long a batch may be in the background. One that has had no turn by then is skipped.
    /// If the second engine is at work on it, it is told to stop; if it has not a second later,
    /// its thread is given up, and another one makes the engine again. Only one such thread may be
    /// stuck at a time beside the one that works; while two are, all is skipped.
    ///
    /// Ten seconds if this is not called. A time that is longer than the clock can tell is no
    /// limit.
    pub fn deadline(mut self, deadline: Duration) -> ShadowBuilder<S> {
        self.deadline = deadline;
        self
    }

    /// How many differences of one batch are reported; the others are
    /// [counted](super::ShadowStats::unreported). 100 if this is not called.
    pub fn differences(mut self, limit: usize) -> ShadowBuilder<S> {
        self.limit = limit;
        self
    }

    /// What to call with each difference, in the order of the records. It runs on the background's
    /// thread, and counts towards the deadline. If it panics, no more differences of that batch
    /// are reported.
    pub fn on_difference(
        mut self,
        report: impl Fn(&Difference<'_>) + Send + Sync + 'static,
    ) -> ShadowBuilder<S> {
        self.on_difference = Box::new(report);
        self
    }

    /// What to call when the second engine has no answer. It runs on one of the background's
    /// threads, so it should be quick; a panic in it is ignored.
    pub fn on_failure(
        mut self,
        report: impl Fn(&ShadowFailure) + Send + Sync + 'static,
    ) -> ShadowBuilder<S> {
        self.on_failure = Box::new(report);
        self
    }

    /// Starts a thread that makes the second engine's scanner and owns it. Waits until it has.
    ///
    /// The maker is called again, on the same or another thread, when the scanner has panicked or
    /// was given up.
    ///
    /// # Errors
    ///
    /// If there is no thread to be had, or the maker fails or panics.
    pub fn start<T, E>(
        self,
        make: impl Fn() -> Result<T, E> + Send + Sync + 'static,
    ) -> Result<Shadow<S>, StartError>
    where
        T: Scan + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let make: Arc<Make> = Arc::new(move || match make() {
            Ok(second) => Ok(Box::new(second)),
            Err(error) => Err(MakeError::Failed(error.into())),
        });
        let shared = Arc::new(Shared::new(
            self.set,
            (self.on_difference, self.on_failure),
            self.limit,
            (self.capacity, self.max_bytes),
        ));
        let report = Arc::clone(&shared);
        let is_first = AtomicBool::new(true);
        let owner = Builder::new("dragnet-shadow")
            .capacity(self.capacity)
            .on_panic(OnPanic::Rebuild)
            .on_drop(OnDrop::Reject)
            .spares(1)
            .on_abandoned(move |_| report.abandoned())
            .owner(move || {
                // Later ones are made within a job, where what goes wrong is reported.
                let is_first = is_first.swap(false, Ordering::Relaxed);
                let second = if is_first { Some(make()?) } else { None };
                Ok::<_, MakeError>(Seat { second, make: Arc::clone(&make), found: Matches::new() })
            })
            .map_err(flat)?;
        Ok(Shadow {
            primary: self.primary,
            every: self.every,
            deadline: self.deadline,
            seen: 0,
            answer: Vec::new(),
            shared,
            owner,
        })
    }
}

/// Takes the maker's own error out of that of the owner's maker.
fn flat(error: StartError) -> StartError {
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
            .field("every", &self.every)
            .field("capacity", &self.capacity)
            .field("max_bytes", &self.max_bytes)
            .field("deadline", &self.deadline)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
