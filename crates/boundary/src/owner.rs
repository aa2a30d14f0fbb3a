//! Owners and pools: threads that own a value each and run the calls of other threads on it.
//!
//! This is thread confinement: the value stays on its thread, and closures travel to it. Locking a
//! mutex costs less than a hundredth of such a call (`dragnet cost` measures both), but a mutex can't
//! keep the value on one thread, and its users wait without limit for a call that hangs.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::pending::resume;
use crate::workers::Workers;
use crate::{CallError, CancelFlag, Pending};

/// A thread that makes a value and owns it, and runs the calls of other threads on it, one at a
/// time and in order.
///
/// The value need not be [`Send`]: it is made, used and dropped on that one thread, as C libraries
/// with per-thread state require. The functions of calls and their results must be `Send`.
///
/// ```
/// use std::rc::Rc;
/// use dragnet_boundary::Builder;
///
/// let owner = Builder::new("counter").owner(|| Ok::<_, String>(Rc::new(40)))?;
/// let count = owner.call(|count| {
///     *Rc::make_mut(count) += 2;
///     **count
/// })?;
/// assert_eq!(count, 42);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors at compile time
///
/// The value can't leave its thread:
///
/// ```compile_fail,E0277
/// # use std::rc::Rc;
/// # use dragnet_boundary::Builder;
/// # let owner = Builder::new("counter").owner(|| Ok::<_, String>(Rc::new(40))).unwrap();
/// let stolen: Rc<i32> = owner.call(|count| Rc::clone(count)).unwrap();
/// ```
///
/// The value can't be borrowed beyond a call:
///
/// ```compile_fail
/// # use dragnet_boundary::Builder;
/// # let owner = Builder::new("counter").owner(|| Ok::<_, String>(40)).unwrap();
/// let borrowed: &mut i32 = owner.call(|count| count).unwrap();
/// ```
///
/// A call can't use values that are bound to the calling thread:
///
/// ```compile_fail,E0277
/// # use std::rc::Rc;
/// # use dragnet_boundary::Builder;
/// # let owner = Builder::new("counter").owner(|| Ok::<_, String>(40)).unwrap();
/// let foreign = Rc::new(1);
/// owner.call(|count| *count += *foreign).unwrap();
/// ```
///
/// # Deadlocks
///
/// A function that runs on the owner's thread must not call the same owner: the call would wait for
/// itself. It fails with [`CallError::Reentrant`] instead. Wakers of [`Pending`] and the function
/// of [`on_abandoned`](crate::Builder::on_abandoned) also run on the owner's threads, so the same
/// holds for them. Two owners whose calls call each other can deadlock, as two locks can.
///
/// # Drop
///
/// Queued calls run or fail, as [configured](crate::OnDrop). Then the value is dropped on its
/// thread, and the thread is joined. The drop waits for a running call without a deadline, however
/// long it takes, but not for abandoned threads. A drop on the owner's own thread does not wait.
pub struct Owner<S: 'static> {
    pub(crate) workers: Arc<Workers<S>>,
}

/// Several threads that take calls from one queue, each with a value of its own.
///
/// A pool is for a library that at most N threads can use at a time, or that gains nothing from
/// more. Calls start in the order of submission, each on the thread that is free first. The
/// documentation of [`Owner`] applies to each thread.
///
/// ```
/// use std::cell::Cell;
/// use dragnet_boundary::Builder;
///
/// let pool = Builder::new("workers").pool(4, || Ok::<_, String>(Cell::new(0)))?;
/// let calls: Vec<_> = (0..100)
///     .map(|i| pool.submit(move |last| last.replace(i)))
///     .collect::<Result<_, _>>()?;
/// for (i, call) in calls.into_iter().enumerate() {
///     assert!(call.wait()? <= i);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Pool<S: 'static> {
    pub(crate) workers: Arc<Workers<S>>,
}

/// Implements the methods of [`Owner`] and [`Pool`], which differ in the number of their threads
/// alone. With a shared trait, callers would have to import it.
macro_rules! calls {
    ($Type:ident) => {
        impl<S: 'static> $Type<S> {
            /// Runs a function on the value and waits for its result, without a time limit.
            ///
            /// If the queue is full, waits for room first. The function may borrow from the caller.
            /// Costs two allocations and two switches between threads.
            ///
            /// # Errors
            ///
            /// If the function did not run; never [`Full`](CallError::Full) or
            /// [`TimedOut`](CallError::TimedOut).
            ///
            /// # Panics
            ///
            /// If the function panics, with the same panic.
            pub fn call<R: Send>(
                &self,
                function: impl FnOnce(&mut S) -> R + Send,
            ) -> Result<R, CallError> {
                self.workers.call(function)
            }

            /// Runs a function on the value and waits for its result, for at most `timeout`,
            /// including the time in the queue.
            ///
            /// After the timeout the caller gets [`TimedOut`](CallError::TimedOut). If the function
            /// is still queued, it never runs. If it is running, its flag is raised. If it does not
            /// return within the [grace period](crate::Builder::grace), its thread is abandoned,
            /// and a new thread with a new value takes its place. The abandoned thread keeps
            /// everything that the function owns until the function returns, and then drops it and
            /// the old value. Then it serves again if a thread is missing, for example because the
            /// [spares](crate::Builder::spares) were used up, and ends otherwise.
            ///
            /// A timeout that the clock can't represent is no limit. The first call with a timeout
            /// starts the thread that tracks deadlines.
            ///
            /// # Errors
            ///
            /// If the function did not run, or not in time; never [`Full`](CallError::Full).
            ///
            /// # Panics
            ///
            /// If the function panics before the deadline, with the same panic.
            pub fn call_within<R: Send + 'static>(
                &self,
                timeout: Duration,
                function: impl FnOnce(&mut S, &CancelFlag) -> R + Send + 'static,
            ) -> Result<R, CallError> {
                resume(self.workers.submit(function, true, Some(timeout))?.wait())
            }

            /// Queues a function and returns its pending result. If the queue is full, waits for
            /// room.
            ///
            /// # Errors
            ///
            /// If the function can't be queued; never [`Full`](CallError::Full).
            pub fn submit<R: Send + 'static>(
                &self,
                function: impl FnOnce(&mut S) -> R + Send + 'static,
            ) -> Result<Pending<R>, CallError> {
                self.pending(move |value, _| function(value), true, None)
            }

            /// Queues a function with a time limit and returns its pending result. The limit works
            /// as in
            #[doc = concat!("[`call_within`](", stringify!($Type), "::call_within).")]
            ///
            /// # Errors
            ///
            /// If the function can't be queued in time; never [`Full`](CallError::Full).
            pub fn submit_within<R: Send + 'static>(
                &self,
                timeout: Duration,
                function: impl FnOnce(&mut S, &CancelFlag) -> R + Send + 'static,
            ) -> Result<Pending<R>, CallError> {
                self.pending(function, true, Some(timeout))
            }

            /// As [`submit`](Self::submit), but fails with [`Full`](CallError::Full) if the queue
            /// is full or others wait for room.
            ///
            /// # Errors
            ///
            /// If the function can't be queued at once.
            pub fn try_submit<R: Send + 'static>(
                &self,
                function: impl FnOnce(&mut S) -> R + Send + 'static,
            ) -> Result<Pending<R>, CallError> {
                self.pending(move |value, _| function(value), false, None)
            }

            /// As [`submit_within`](Self::submit_within), but fails with
            /// [`Full`](CallError::Full) if the queue is full or others wait for room.
            ///
            /// # Errors
            ///
            /// If the function can't be queued at once.
            pub fn try_submit_within<R: Send + 'static>(
                &self,
                timeout: Duration,
                function: impl FnOnce(&mut S, &CancelFlag) -> R + Send + 'static,
            ) -> Result<Pending<R>, CallError> {
                self.pending(function, false, Some(timeout))
            }

            fn pending<R: Send + 'static>(
                &self,
                function: impl FnOnce(&mut S, &CancelFlag) -> R + Send + 'static,
                wait: bool,
                timeout: Option<Duration>,
            ) -> Result<Pending<R>, CallError> {
                let reply = self.workers.submit(function, wait, timeout)?;
                Ok(Pending { reply, workers: self.workers.id() })
            }

            /// Returns the number of queued calls, without running ones.
            pub fn queued(&self) -> usize {
                self.workers.queued()
            }

            /// Returns the number of threads abandoned so far.
            pub fn abandoned(&self) -> usize {
                self.workers.abandoned()
            }

            /// Returns the number of abandoned threads that are still stuck.
            pub fn stuck(&self) -> usize {
                self.workers.stuck()
            }
        }

        impl<S: 'static> Drop for $Type<S> {
            fn drop(&mut self) {
                self.workers.shut_down();
            }
        }

        impl<S: 'static> fmt::Debug for $Type<S> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($Type))
                    .field("queued", &self.queued())
                    .field("abandoned", &self.abandoned())
                    .field("stuck", &self.stuck())
                    .finish_non_exhaustive()
            }
        }
    };
}

calls!(Owner);
calls!(Pool);

/// Methods for `dragnet-placement`, which collects records in a queue of its own and submits them
/// from any thread.
impl<S: 'static> Pool<S> {
    /// As [`try_submit_within`](Pool::try_submit_within), with an optional time limit, and also
    /// from the pool's own threads, which must then not wait for the result.
    ///
    /// # Errors
    ///
    /// If the function can't be queued at once.
    pub fn try_submit_from_any_thread<R: Send + 'static>(
        &self,
        timeout: Option<Duration>,
        function: impl FnOnce(&mut S, &CancelFlag) -> R + Send + 'static,
    ) -> Result<Pending<R>, CallError> {
        let reply = self.workers.submit_from_any_thread(function, false, timeout)?;
        Ok(Pending { reply, workers: self.workers.id() })
    }

    /// Checks that this is not one of the pool's own threads.
    ///
    /// # Errors
    ///
    /// [`CallError::Reentrant`] if it is.
    pub fn check_thread(&self) -> Result<(), CallError> {
        self.workers.check_thread()
    }

    /// Shuts the pool down, as its drop does.
    pub fn shut_down(&self) {
        self.workers.shut_down();
    }
}
