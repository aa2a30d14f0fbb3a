//! How an owner or a pool is set up.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::crew::Crew;
use super::{MakeError, Owner, Pool, StartError};

/// What becomes of the value when a call panics. The panic reaches the caller either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnPanic {
    /// The next call finds it as the panic left it.
    #[default]
    Keep,
    /// It is dropped, before the panic reaches the caller, and made again for the next call.
    Rebuild,
}

/// What becomes of queued calls when the owner or pool is dropped. A running call always ends
/// first, unless it is given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDrop {
    /// They run; the drop waits for them.
    #[default]
    Drain,
    /// They do not run, and get [`CallError::Closed`](super::CallError::Closed).
    Reject,
}

/// Tells of a thread that was given up.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GivenUp {
    /// The name of the owner or pool.
    pub name: String,
    /// How many of its threads were given up so far, with this one.
    pub total: usize,
    /// How many of them are still stuck.
    pub stuck: usize,
    /// Whether another thread has taken its place.
    pub replaced: bool,
}

type Report = Arc<dyn Fn(&GivenUp) + Send + Sync>;

/// Sets up an [`Owner`] or a [`Pool`].
#[derive(Clone)]
#[must_use]
pub struct Builder {
    pub(super) name: String,
    pub(super) capacity: usize,
    pub(super) on_panic: OnPanic,
    pub(super) on_drop: OnDrop,
    pub(super) grace: Duration,
    pub(super) spares: usize,
    pub(super) on_given_up: Option<Report>,
}

impl Builder {
    /// A setup with this name, which its threads have: an owner's as it is, those of a pool with a
    /// number behind it. NUL bytes, which a thread's name can't have, are left out.
    pub fn new(name: &str) -> Builder {
        Builder {
            name: name.replace('\0', ""),
            capacity: 64,
            on_panic: OnPanic::default(),
            on_drop: OnDrop::default(),
            grace: Duration::from_secs(1),
            spares: 4,
            on_given_up: None,
        }
    }

    /// How many calls may be queued, at least one; 64 if this is not called. Memory is taken for
    /// those that are, not for those that may be.
    pub fn capacity(mut self, calls: usize) -> Builder {
        self.capacity = calls;
        self
    }

    /// What becomes of the value when a call panics.
    pub fn on_panic(mut self, policy: OnPanic) -> Builder {
        self.on_panic = policy;
        self
    }

    /// What becomes of queued calls when the owner or pool is dropped.
    pub fn on_drop(mut self, policy: OnDrop) -> Builder {
        self.on_drop = policy;
        self
    }

    /// For how long a call that is late may go on after it was told to stop, until its thread is
    /// given up; a second if this is not called.
    pub fn grace(mut self, grace: Duration) -> Builder {
        self.grace = grace;
        self
    }

    /// How many threads may stand in, at a time, for threads that were given up and are still
    /// stuck; 4 if this is not called. There are never more threads than members and spares, and
    /// once none is left, calls fail at once with
    /// [`CallError::Exhausted`](super::CallError::Exhausted).
    pub fn spares(mut self, threads: usize) -> Builder {
        self.spares = threads;
        self
    }

    /// What to call when a thread was given up. It runs on the thread that watches deadlines, so
    /// it should be quick; a panic in it is ignored.
    pub fn on_given_up(mut self, report: impl Fn(&GivenUp) + Send + Sync + 'static) -> Builder {
        self.on_given_up = Some(Arc::new(report));
        self
    }

    /// Starts a thread, which makes a value and owns it. Waits until it has.
    ///
    /// The maker is called again, on a new thread, when a thread was given up, and, on the same
    /// thread, when the value is to be [rebuilt](OnPanic::Rebuild).
    ///
    /// # Errors
    ///
    /// If there is no thread to be had, or the maker fails or panics. Nothing is left running.
    pub fn owner<S, E>(
        self,
        make: impl Fn() -> Result<S, E> + Send + Sync + 'static,
    ) -> Result<Owner<S>, StartError>
    where
        S: 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let crew = Crew::start(self, 1, boxed(make))?;
        Ok(Owner { crew })
    }

    /// Starts this many threads, at least one, of which each makes a value and owns it. Waits until
    /// they have. As for [`owner`](Builder::owner) otherwise.
    ///
    /// # Errors
    ///
    /// If there are not that many threads to be had, or the maker fails or panics on any. Nothing
    /// is left running.
    pub fn pool<S, E>(
        self,
        members: usize,
        make: impl Fn() -> Result<S, E> + Send + Sync + 'static,
    ) -> Result<Pool<S>, StartError>
    where
        S: 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let crew = Crew::start(self, members, boxed(make))?;
        Ok(Pool { crew })
    }
}

fn boxed<S, E: Into<Box<dyn Error + Send + Sync>>>(
    make: impl Fn() -> Result<S, E> + Send + Sync + 'static,
) -> Box<super::crew::Make<S>> {
    Box::new(move || make().map_err(|error| MakeError::Failed(error.into())))
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("name", &self.name)
            .field("capacity", &self.capacity)
            .field("on_panic", &self.on_panic)
            .field("on_drop", &self.on_drop)
            .field("grace", &self.grace)
            .field("spares", &self.spares)
            .finish_non_exhaustive()
    }
}
