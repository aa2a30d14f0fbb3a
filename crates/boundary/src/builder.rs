//! The settings of an owner or a pool, and how it starts.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::workers::{Make, Workers};
use super::{MakeError, Owner, Pool, StartError};

/// What happens to the value when a call panics. The panic reaches the caller in either case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnPanic {
    /// The value is kept as the panic left it.
    #[default]
    Keep,
    /// The value is dropped before the panic reaches the caller, and made again for the next call.
    Rebuild,
}

/// What happens to queued calls when the owner or pool is dropped. In either case the drop waits for
/// running calls, unless their thread is abandoned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDrop {
    /// Queued calls run, and the drop waits for them.
    #[default]
    Drain,
    /// Queued calls do not run, and fail with [`CallError::Closed`](super::CallError::Closed).
    Reject,
}

/// Reports an abandoned thread; see [`Builder::on_abandoned`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Abandoned {
    /// Name of the owner or pool.
    pub name: String,
    /// Number of threads abandoned so far, including this one.
    pub total: usize,
    /// Number of abandoned threads that are still stuck.
    pub stuck: usize,
    /// Whether a new thread has taken its place.
    pub replaced: bool,
}

type OnAbandoned = Arc<dyn Fn(&Abandoned) + Send + Sync>;

/// Configures and starts an [`Owner`] or a [`Pool`].
#[derive(Clone)]
#[must_use]
pub struct Builder {
    pub(super) name: String,
    pub(super) capacity: usize,
    pub(super) on_panic: OnPanic,
    pub(super) on_drop: OnDrop,
    pub(super) grace: Duration,
    pub(super) spares: usize,
    pub(super) on_abandoned: Option<OnAbandoned>,
}

impl Builder {
    /// Returns the default settings.
    ///
    /// The thread of an owner is named `name`; those of a pool are named `name-0`, `name-1` and so
    /// on. NUL bytes, which a thread's name can't contain, are removed.
    pub fn new(name: &str) -> Builder {
        Builder {
            name: name.replace('\0', ""),
            capacity: 64,
            on_panic: OnPanic::default(),
            on_drop: OnDrop::default(),
            grace: Duration::from_secs(1),
            spares: 4,
            on_abandoned: None,
        }
    }

    /// Sets the number of calls that can be queued: 64 by default, and at least one. Memory is
    /// allocated as calls are queued.
    pub fn capacity(mut self, calls: usize) -> Builder {
        self.capacity = calls;
        self
    }

    /// Sets what happens to the value when a call panics. [`OnPanic::Keep`] by default.
    pub fn on_panic(mut self, policy: OnPanic) -> Builder {
        self.on_panic = policy;
        self
    }

    /// Sets what happens to queued calls when the owner or pool is dropped. [`OnDrop::Drain`] by
    /// default.
    pub fn on_drop(mut self, policy: OnDrop) -> Builder {
        self.on_drop = policy;
        self
    }

    /// Sets how long a call may run on after its deadline has passed and its flag was raised, before
    /// its thread is abandoned. One second by default.
    pub fn grace(mut self, grace: Duration) -> Builder {
        self.grace = grace;
        self
    }

    /// Sets how many additional threads may run in place of abandoned ones that are still stuck. 4 by
    /// default.
    ///
    /// So there are never more threads than the members and the spares. Once all of them are stuck,
    /// calls fail at once with [`CallError::Exhausted`](super::CallError::Exhausted).
    pub fn spares(mut self, threads: usize) -> Builder {
        self.spares = threads;
        self
    }

    /// Sets a function to call when a thread is abandoned.
    ///
    /// It runs on the thread that tracks deadlines, so it should return quickly. A panic in it is
    /// ignored.
    pub fn on_abandoned(mut self, report: impl Fn(&Abandoned) + Send + Sync + 'static) -> Builder {
        self.on_abandoned = Some(Arc::new(report));
        self
    }

    /// Starts a thread that makes a value with `make` and owns it. Returns once the value is made.
    ///
    /// `make` is called again on a new thread when the thread was abandoned, and on the same thread
    /// when the value has to be [rebuilt](OnPanic::Rebuild).
    ///
    /// # Errors
    ///
    /// If the system can't start a thread, or `make` fails or panics. No thread is then left running.
    pub fn owner<S, E>(
        self,
        make: impl Fn() -> Result<S, E> + Send + Sync + 'static,
    ) -> Result<Owner<S>, StartError>
    where
        S: 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let workers = Workers::start(self, 1, boxed(make))?;
        Ok(Owner { workers })
    }

    /// Starts `members` threads, at least one, each of which makes a value with `make` and owns it.
    /// Returns once all values are made. Otherwise as [`owner`](Builder::owner).
    ///
    /// # Errors
    ///
    /// If the system can't start that many threads, or `make` fails or panics on any of them. No
    /// thread is then left running.
    pub fn pool<S, E>(
        self,
        members: usize,
        make: impl Fn() -> Result<S, E> + Send + Sync + 'static,
    ) -> Result<Pool<S>, StartError>
    where
        S: 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let workers = Workers::start(self, members, boxed(make))?;
        Ok(Pool { workers })
    }
}

fn boxed<S, E: Into<Box<dyn Error + Send + Sync>>>(
    make: impl Fn() -> Result<S, E> + Send + Sync + 'static,
) -> Box<Make<S>> {
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
