//! Threads that own what others call.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::crew::Crew;
use super::pending::resume;
use super::{CallError, CancelFlag, Pending};

/// A thread that makes a value and owns it, and runs the calls of other threads on it, one at a
/// time, in the order in which they come.
///
/// The value need not be [`Send`]: it is made, used and dropped on that one thread, as C libraries
/// that keep state for each thread need it. What goes in and out of calls must be.
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
/// The value can't leave its thread:
///
/// ```compile_fail,E0277
/// # use std::rc::Rc;
/// # use dragnet_boundary::Builder;
/// # let owner = Builder::new("counter").owner(|| Ok::<_, String>(Rc::new(40))).unwrap();
/// let stolen: Rc<i32> = owner.call(|count| Rc::clone(count)).unwrap();
/// ```
///
/// nor be borrowed beyond a call:
///
/// ```compile_fail
/// # use dragnet_boundary::Builder;
/// # let owner = Builder::new("counter").owner(|| Ok::<_, String>(40)).unwrap();
/// let borrowed: &mut i32 = owner.call(|count| count).unwrap();
/// ```
///
/// and nothing that is bound to another thread gets in:
///
/// ```compile_fail,E0277
/// # use std::rc::Rc;
/// # use dragnet_boundary::Builder;
/// # let owner = Builder::new("counter").owner(|| Ok::<_, String>(40)).unwrap();
/// let foreign = Rc::new(1);
/// owner.call(|count| *count += *foreign).unwrap();
/// ```
///
/// # Waiting for itself
///
/// A call that is made on the owner's own thread, within another, would wait for itself, and is
/// [refused](CallError::Reentrant). That is so too for wakers of [`Pending`] and for
/// [reports](super::Builder::on_given_up), which run on its threads. Two owners that call each
/// other within calls do wait for each other, as two locks would.
///
/// # Dropping it
///
/// Queued calls run or are refused, as [configured](super::OnDrop); then the value is dropped on
/// its thread, and the thread is joined. Threads that were given up are not waited for. The drop
/// waits as long as a call without a deadline does. On the owner's own thread it does not wait.
pub struct Owner<S: 'static> {
    pub(super) crew: Arc<Crew<S>>,
}

/// Threads of which each makes a value and owns it, behind one queue: for a library that can be
/// used by so many threads at a time and no more, or gains nothing from more.
///
/// Calls start in the order in which they come, on whichever thread is free first; they do not
/// get to choose. For one thread a pool is an [`Owner`], and what is said there holds here.
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
    pub(super) crew: Arc<Crew<S>>,
}

macro_rules! calls {
    ($Type:ident) => {
        impl<S: 'static> $Type<S> {
            /// Runs a function on the value and waits for its result, however long that takes.
            ///
            /// If the queue is full, waits for a place first. The function may borrow from the
            /// caller. It costs two allocations and two hand-overs between threads.
            ///
            /// # Errors
            ///
            /// If the function did not run; never [`Full`](CallError::Full) or
            /// [`TimedOut`](CallError::TimedOut).
            ///
            /// # Panics
            ///
            /// If the function does, with the same panic.
            pub fn call<R: Send>(
                &self,
                function: impl FnOnce(&mut S) -> R + Send,
            ) -> Result<R, CallError> {
                self.crew.call(function)
            }

            /// Runs a function on the value and waits for its result, but no longer than this,
            /// with the time in the queue and for a place in it.
            ///
            /// When the time is over, the caller gets [`TimedOut`](CallError::TimedOut). A function
            /// that was still queued does not run. For one that runs, the flag that it is given is
            /// raised; if it does not return within the [grace](super::Builder::grace), its thread
            /// is given up, and another one with a new value takes its place. The thread that was
            /// given up keeps all that the function owns until that returns, and drops it and the
            /// old value then; it stands in for a missing thread if there is one.
            ///
            /// A time that is longer than the clock can tell is no limit. The first call with a
            /// limit starts the thread that watches over them.
            ///
            /// # Errors
            ///
            /// If the function did not run, or not in time; never [`Full`](CallError::Full).
            ///
            /// # Panics
            ///
            /// If the function does in time, with the same panic.
            pub fn call_within<R: Send + 'static>(
                &self,
                timeout: Duration,
                function: impl FnOnce(&mut S, &CancelFlag) -> R + Send + 'static,
            ) -> Result<R, CallError> {
                resume(self.crew.submit(function, true, Some(timeout))?.wait())
            }

            /// Queues a function, waiting for a place if there is none, and returns a handle to
            /// wait for its result.
            ///
            /// # Errors
            ///
            /// If it can't be queued; never [`Full`](CallError::Full).
            pub fn submit<R: Send + 'static>(
                &self,
                function: impl FnOnce(&mut S) -> R + Send + 'static,
            ) -> Result<Pending<R>, CallError> {
                self.pending(move |value, _| function(value), true, None)
            }

            /// Queues a function, waiting for a place if there is none, and returns a handle to
            /// wait for its result, which comes within this time as in
            #[doc = concat!("[`call_within`](", stringify!($Type), "::call_within).")]
            ///
            /// # Errors
            ///
            /// If it can't be queued in time; never [`Full`](CallError::Full).
            pub fn submit_within<R: Send + 'static>(
                &self,
                timeout: Duration,
                function: impl FnOnce(&mut S, &CancelFlag) -> R + Send + 'static,
            ) -> Result<Pending<R>, CallError> {
                self.pending(function, true, Some(timeout))
            }

            /// As [`submit`](Self::submit), but fails with [`Full`](CallError::Full) if there is
            /// no place, or others wait for one.
            ///
            /// # Errors
            ///
            /// If it can't be queued at once.
            pub fn try_submit<R: Send + 'static>(
                &self,
                function: impl FnOnce(&mut S) -> R + Send + 'static,
            ) -> Result<Pending<R>, CallError> {
                self.pending(move |value, _| function(value), false, None)
            }

            /// As [`submit_within`](Self::submit_within), but fails with
            /// [`Full`](CallError::Full) if there is no place, or others wait for one.
            ///
            /// # Errors
            ///
            /// If it can't be queued at once.
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
                let reply = self.crew.submit(function, wait, timeout)?;
                Ok(Pending { reply, crew: self.crew.number() })
            }

            /// How many calls are queued, without those that run.
            pub fn queued(&self) -> usize {
                self.crew.queued()
            }

            /// How many threads were given up so far.
            pub fn given_up(&self) -> usize {
                self.crew.given_up()
            }

            /// How many threads that were given up are still stuck.
            pub fn stuck(&self) -> usize {
                self.crew.stuck()
            }
        }

        impl<S: 'static> Drop for $Type<S> {
            fn drop(&mut self) {
                self.crew.shut_down();
            }
        }

        impl<S: 'static> fmt::Debug for $Type<S> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($Type))
                    .field("queued", &self.queued())
                    .field("given_up", &self.given_up())
                    .field("stuck", &self.stuck())
                    .finish_non_exhaustive()
            }
        }
    };
}

calls!(Owner);
calls!(Pool);

/// For placements, which keep queues of their own before that of the pool.
impl<S: 'static> Pool<S> {
    /// As [`try_submit_within`](Pool::try_submit_within), with or without a limit, and from the
    /// pool's own threads too: whoever calls this there must not wait for the result.
    pub fn pass_on<R: Send + 'static>(
        &self,
        timeout: Option<Duration>,
        function: impl FnOnce(&mut S, &CancelFlag) -> R + Send + 'static,
    ) -> Result<Pending<R>, CallError> {
        let reply = self.crew.submit_from_anywhere(function, false, timeout)?;
        Ok(Pending { reply, crew: self.crew.number() })
    }

    /// Refuses what would wait for itself: this is one of the pool's own threads.
    pub fn check_thread(&self) -> Result<(), CallError> {
        self.crew.check_thread()
    }

    /// Does what the drop does, which has nothing left to do then.
    pub fn shut_down(&self) {
        self.crew.shut_down();
    }
}
