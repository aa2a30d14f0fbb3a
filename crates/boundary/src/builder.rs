//! Configures and starts owners and pools.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::workers::{Make, Workers};
use crate::{MakeError, Owner, Pool, StartError};

/// The policy for the value of a call that panicked. The panic reaches the caller in either case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnPanic {
    /// The value is kept as the panic left it.
    #[default]
    Keep,
    /// The value is dropped before the panic reaches the caller, and made again for the next call.
    Rebuild,
}

/// The policy for queued calls when their owner or pool is dropped. In either case the drop waits
/// for running calls, unless their thread is abandoned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDrop {
    /// Queued calls run, and the drop waits for them.
    #[default]
    Drain,
    /// Queued calls do not run, and fail with [`CallError::Closed`](crate::CallError::Closed).
    Reject,
}

/// The report of an abandoned thread, for [`Builder::on_abandoned`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Abandoned {
    /// Name of the owner or pool.
    pub name: String,
    /// Number of threads abandoned so far, including this one.
    pub total: usize,
    /// Number of abandoned threads that are still stuck.
    pub stuck: usize,
    /// Whether a new thread has taken its place. If not, the [spares](Builder::spares) are used up,
    /// or the system can't start a thread.
    pub replaced: bool,
}

type OnAbandoned = Arc<dyn Fn(&Abandoned) + Send + Sync>;

/// Configures and starts an [`Owner`] or a [`Pool`].
///
/// ```
/// use std::time::Duration;
/// use dragnet_boundary::{Builder, OnPanic};
///
/// let owner = Builder::new("decoder")
///     .capacity(16)
///     .on_panic(OnPanic::Rebuild)
///     .grace(Duration::from_millis(200))
///     .on_abandoned(|report| eprintln!("{}: {} threads are stuck", report.name, report.stuck))
///     .owner(|| Ok::<_, String>(String::from("a value")))?;
/// assert_eq!(owner.call(|value| value.len())?, 7);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct Builder {
    pub(crate) name: String,
    pub(crate) capacity: usize,
    pub(crate) on_panic: OnPanic,
    pub(crate) on_drop: OnDrop,
    pub(crate) grace: Duration,
    pub(crate) spares: usize,
    pub(crate) on_abandoned: Option<OnAbandoned>,
}

impl Builder {
    /// Returns the default settings.
    ///
    /// The thread of an owner is named `name`; those of a pool are named `name-0`, `name-1` and so
    /// on. NUL bytes, which a thread's name can't contain, are removed.
    pub fn new(name: &str) -> Builder {
        // The defaults are estimates; none was measured.
        Builder {
            name: name.replace('\0', ""),
            // Absorbs bursts, and makes producers wait soon if calls take long.
            capacity: 64,
            on_panic: OnPanic::default(),
            on_drop: OnDrop::default(),
            // Plenty for code that polls its flag.
            grace: Duration::from_secs(1),
            // More threads would not help a library in which that many calls are stuck.
            spares: 4,
            on_abandoned: None,
        }
    }

    /// Sets the maximum number of queued calls. 64 by default; 0 counts as 1. Memory is allocated
    /// as calls are queued.
    pub fn capacity(mut self, calls: usize) -> Builder {
        self.capacity = calls;
        self
    }

    /// Sets the policy for the value of a call that panicked. [`OnPanic::Keep`] by default.
    pub fn on_panic(mut self, policy: OnPanic) -> Builder {
        self.on_panic = policy;
        self
    }

    /// Sets the policy for queued calls when the owner or pool is dropped. [`OnDrop::Drain`] by
    /// default.
    pub fn on_drop(mut self, policy: OnDrop) -> Builder {
        self.on_drop = policy;
        self
    }

    /// Sets the grace period: how long a call may still run after its deadline has passed and its
    /// flag was raised. After that its thread is abandoned. One second by default.
    pub fn grace(mut self, grace: Duration) -> Builder {
        self.grace = grace;
        self
    }

    /// Sets the maximum number of additional threads, which replace abandoned ones that are still
    /// stuck. 4 by default.
    ///
    /// An owner or pool never has more threads than its members and spares, stuck ones included,
    /// and one that tracks deadlines. Once all members and spares are stuck, calls fail at once
    /// with [`CallError::Exhausted`](crate::CallError::Exhausted).
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
    /// Later, `make` runs again on the new thread that replaces an abandoned one, and on the same
    /// thread to [rebuild](OnPanic::Rebuild) the value after a panic.
    ///
    /// # Errors
    ///
    /// If the system can't start a thread, or `make` fails or panics. No thread is then left
    /// running.
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
