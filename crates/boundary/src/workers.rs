//! The threads of an owner or a pool. They take calls from one queue, and are replaced when they
//! are abandoned.
//!
//! A worker makes its value on its own thread, so the value need not be `Send`. A call with a
//! deadline is tracked by the [`DeadlineTimer`]: when the deadline passes, the caller gets its
//! error and the call's flag is raised; when the grace period passes too, the worker is abandoned,
//! and a new worker with a new value takes its place. If the call of an abandoned worker returns
//! after all, the worker serves again if there are too few workers by then, and ends otherwise.
//!
//! No safe way exists to end a thread from outside, so an abandoned thread is kept and counted; the
//! limit on spares bounds their number.
//!
//! `ci/loom` runs the models in `model.rs` over this file and `queue.rs`.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::builder::{Abandoned, Builder, OnDrop, OnPanic};
use crate::deadline_timer::{DeadlineTimer, Due, TimedId};
use crate::queue::{Queue, Refusal, WaitLimit};
use crate::reply::{Reply, TimedCall};
use crate::sync::{self, Condvar, Mutex, WorkersId, lock, quietly, wait};
use crate::task::{Call, Task, Work};
use crate::worker_set::{WorkerId, WorkerSet};
use crate::{CallError, CancelFlag, MakeError, StartError};

/// The id of the next owner or pool of this process.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

pub(crate) type Make<S> = dyn Fn() -> Result<S, MakeError> + Send + Sync;

/// The state that the workers share with each other, with the deadline timer and with callers.
///
/// Lock order: the worker set, then one of the queue, a reply and the timer. No two of those three
/// are held at a time, and no caller's code runs under any lock.
pub(crate) struct Workers<S> {
    id: WorkersId,
    /// Number of workers that serve the queue, unless too many are stuck.
    members: usize,
    config: Builder,
    make: Box<Make<S>>,
    queue: Queue<Task<S>>,
    timer: Arc<DeadlineTimer>,
    timer_started: AtomicBool,
    set: Mutex<WorkerSet>,
    /// Notified when a worker stops serving.
    stopped: Condvar,
}

impl<S: 'static> Workers<S> {
    /// Starts the workers and waits until each has made its value.
    pub(crate) fn start(
        config: Builder,
        members: usize,
        make: Box<Make<S>>,
    ) -> Result<Arc<Workers<S>>, StartError> {
        let workers = Arc::new(Workers {
            id: WorkersId(NEXT_ID.fetch_add(1, Ordering::Relaxed)),
            members: members.max(1),
            queue: Queue::new(config.capacity),
            timer: Arc::new(DeadlineTimer::new(config.grace)),
            timer_started: AtomicBool::new(false),
            set: Mutex::default(),
            stopped: Condvar::new(),
            config,
            make,
        });
        let started = workers.start_members();
        if started.is_err() {
            workers.shut_down();
        }
        started.map(|()| workers)
    }

    fn start_members(self: &Arc<Self>) -> Result<(), StartError> {
        let mut reports = Vec::new();
        for _ in 0..self.members {
            let report = Arc::new(Reply::new());
            reports.push(Arc::clone(&report));
            self.add_worker(&mut lock(&self.set), Some(report)).map_err(StartError::Spawn)?;
        }
        for report in reports {
            // A report is finished with a result, never with a panic or a call error.
            if let Ok(Ok(made)) = report.wait() {
                made?;
            }
        }
        Ok(())
    }

    /// Starts a worker. With a `report`, the worker makes its value at once and reports whether it
    /// could. Otherwise it makes its value for its first call.
    fn add_worker(
        self: &Arc<Self>,
        set: &mut WorkerSet,
        report: Option<Arc<Reply<Result<(), MakeError>>>>,
    ) -> io::Result<()> {
        let id = set.next_id();
        let name = if self.members == 1 {
            self.config.name.clone()
        } else {
            format!("{}-{id}", self.config.name)
        };
        let workers = Arc::clone(self);
        let handle = sync::Builder::new().name(name).spawn(move || workers.serve(id, report))?;
        set.add(handle);
        Ok(())
    }

    /// The main function of a worker.
    fn serve(self: Arc<Self>, id: WorkerId, report: Option<Arc<Reply<Result<(), MakeError>>>>) {
        sync::set_current_workers(self.id);
        let mut value = None;
        if let Some(report) = report {
            let made = self.make().map(|made| value = Some(made));
            report.finish(Ok(Ok(made)));
        }
        while let Some(task) = self.queue.pop() {
            if !self.run(id, &mut value, task) && !self.readmit(id) {
                return;
            }
        }
        quietly(|| drop(value));
        self.finish(id);
    }

    fn make(&self) -> Result<S, MakeError> {
        match catch_unwind(AssertUnwindSafe(|| (self.make)())) {
            Ok(made) => made,
            Err(payload) => Err(MakeError::panicked(payload)),
        }
    }

    /// Runs a call, and makes its value first if there is none. Returns `false` if the call was
    /// abandoned; the value is then dropped.
    fn run(&self, id: WorkerId, value: &mut Option<S>, task: Task<S>) -> bool {
        let Task { mut work, deadline } = task;
        let mut kept = true;
        if work.start(id) {
            let made = match &mut *value {
                Some(value) => Ok(value),
                // Made within the call, whose deadline then covers the time to make the value.
                None => self.make().map(|made| value.insert(made)),
            };
            let error = match made {
                Ok(made) => {
                    if work.run(made) && self.config.on_panic == OnPanic::Rebuild {
                        quietly(|| drop(value.take()));
                    }
                    CallError::Closed
                }
                Err(error) => CallError::Make(error),
            };
            quietly(|| kept = work.finish(error));
        } else {
            quietly(|| drop(work));
        }
        quietly(|| drop(deadline));
        if !kept {
            quietly(|| drop(value.take()));
        }
        kept
    }

    /// Lets an abandoned worker whose call has returned serve again, if there are too few workers.
    /// Returns `false` otherwise; the worker must then end.
    fn readmit(&self, id: WorkerId) -> bool {
        let mut set = lock(&self.set);
        let wanted = !set.closing && set.serving() < self.members;
        if wanted {
            // A halted queue stays halted until the next call is pushed; `push` resumes it.
            set.readmit(id);
        } else {
            set.forget(id);
        }
        wanted
    }

    fn finish(&self, id: WorkerId) {
        let mut set = lock(&self.set);
        set.finish(id);
        self.worker_stopped(&set);
    }

    /// Wakes `shut_down` after a worker has stopped serving. During a shutdown, the last worker
    /// closes the timer, since no call is left that has a deadline.
    fn worker_stopped(&self, set: &WorkerSet) {
        if set.closing && set.serving() == 0 {
            self.timer.close();
        }
        self.stopped.notify_all();
    }

    /// Starts workers in place of abandoned ones, as far as the limit on spares allows. Returns
    /// whether any worker serves the queue.
    fn replace(self: &Arc<Self>, set: &mut WorkerSet) -> bool {
        while set.serving() < self.members
            && set.stuck() + set.serving() < self.members.saturating_add(self.config.spares)
            // If the system can't start a thread, the next call that finds no worker tries again.
            && self.add_worker(set, None).is_ok()
        {}
        set.serving() > 0
    }

    /// Abandons the worker of a call that did not return within the grace period.
    fn abandon(self: &Arc<Self>, call: &dyn TimedCall) {
        let mut set = lock(&self.set);
        // Under the lock of the set: if the call returns now, its worker waits for this lock in
        // `readmit`, and must then find itself marked as stuck.
        let Some(id) = call.abandon() else { return };
        set.abandon(id);
        let serving = set.serving();
        let any = self.replace(&mut set);
        let replaced = set.serving() > serving;
        let refused = if any { Default::default() } else { self.queue.halt() };
        self.worker_stopped(&set);
        let (stuck, total) = (set.stuck(), set.abandoned);
        drop(set);
        for task in refused {
            task.refuse(CallError::Exhausted { stuck });
        }
        if let Some(report) = &self.config.on_abandoned {
            let name = self.config.name.clone();
            quietly(|| report(&Abandoned { name, total, stuck, replaced }));
        }
    }

    /// The main function of the thread that tracks deadlines.
    fn track_deadlines(self: Arc<Self>) {
        sync::set_current_workers(self.id);
        while let Some(due) = self.timer.next() {
            self.handle_due(due);
        }
    }

    /// Handles an event of the deadline timer.
    pub(crate) fn handle_due(self: &Arc<Self>, due: Due) {
        let call = match due {
            Due::Expired(id, call) => {
                self.expire(id, &*call);
                call
            }
            Due::Stuck(call) => {
                self.abandon(&*call);
                call
            }
        };
        // This may be the last reference to a result that nobody took, whose drop is the caller's
        // code.
        quietly(|| drop(call));
    }

    /// Ends the wait for a late call, and removes the call from the queue if it has not started.
    fn expire(&self, id: TimedId, call: &dyn TimedCall) {
        if call.expire() {
            let queued =
                |task: &Task<S>| task.deadline.as_ref().is_some_and(|deadline| deadline.id() == id);
            let task = self.queue.remove(queued);
            quietly(|| drop(task));
        }
    }

    /// Starts the thread that tracks deadlines, unless it was started before.
    fn start_timer(self: &Arc<Self>) -> Result<(), CallError> {
        if self.timer_started.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut set = lock(&self.set);
        if set.timer.is_none() {
            let workers = Arc::clone(self);
            let thread = sync::Builder::new().name(format!("{}-timer", self.config.name));
            let handle =
                thread.spawn(move || workers.track_deadlines()).map_err(CallError::Spawn)?;
            set.timer = Some(handle);
            self.timer_started.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Queues a call, with a deadline if there is a timeout. If the queue is full, waits for room
    /// if `wait` is set, and fails otherwise.
    pub(crate) fn submit<F, R>(
        self: &Arc<Self>,
        function: F,
        wait: bool,
        timeout: Option<Duration>,
    ) -> Result<Arc<Reply<R>>, CallError>
    where
        F: FnOnce(&mut S, &CancelFlag) -> R + Send + 'static,
        R: Send + 'static,
    {
        self.check_thread()?;
        self.submit_from_any_thread(function, wait, timeout)
    }

    /// As [`submit`](Workers::submit), but also from the workers' own threads, which must then not
    /// wait for the result.
    pub(crate) fn submit_from_any_thread<F, R>(
        self: &Arc<Self>,
        function: F,
        wait: bool,
        timeout: Option<Duration>,
    ) -> Result<Arc<Reply<R>>, CallError>
    where
        F: FnOnce(&mut S, &CancelFlag) -> R + Send + 'static,
        R: Send + 'static,
    {
        // A deadline that the clock can't represent never comes.
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        if deadline.is_some() {
            self.start_timer()?;
        }
        self.enqueue(function, wait, deadline)
    }

    /// Queues a call. If it has a deadline, the thread that tracks deadlines must have been
    /// started.
    pub(crate) fn enqueue<F, R>(
        self: &Arc<Self>,
        function: F,
        wait: bool,
        deadline: Option<Instant>,
    ) -> Result<Arc<Reply<R>>, CallError>
    where
        F: FnOnce(&mut S, &CancelFlag) -> R + Send + 'static,
        R: Send + 'static,
    {
        let reply = Arc::new(Reply::new());
        let timed = Arc::clone(&reply);
        let limit = match deadline {
            _ if !wait => WaitLimit::None,
            Some(deadline) => WaitLimit::Until(deadline),
            None => WaitLimit::Forever,
        };
        let deadline = deadline.map(|deadline| self.timer.track(timed, deadline));
        let work = Box::new(Call::new(function, Arc::clone(&reply)));
        self.push(Task { work, deadline }, limit)?;
        Ok(reply)
    }

    /// Runs a call and waits for its result without a time limit.
    // Lets `function` borrow from the caller, although the queue needs `'static` calls.
    #[allow(unsafe_code)]
    pub(crate) fn call<F, R>(self: &Arc<Self>, function: F) -> Result<R, CallError>
    where
        F: FnOnce(&mut S) -> R + Send,
        R: Send,
    {
        self.check_thread()?;
        let reply = Arc::new(Reply::new());
        let function = |value: &mut S, _: &CancelFlag| function(value);
        let work: Box<dyn Work<S> + '_> = Box::new(Call::new(function, Arc::clone(&reply)));
        // If anything unwound from here to the answer, the worker could use the values that
        // `function` borrows after their frame is gone.
        let no_unwind = AbortOnUnwind;
        // SAFETY: only the lifetime changes. Another thread uses the borrows of the function and of
        // its result only before the reply has an outcome: the function is consumed when it runs or
        // dropped in `Call::conclude`, both before the outcome is stored, and the result is moved
        // into the reply. This function takes the outcome before it returns, and `no_unwind` keeps
        // it from unwinding earlier. What the worker may still hold then is an empty `Call` and an
        // empty `Reply`, which borrow nothing.
        let work = unsafe { std::mem::transmute::<Box<dyn Work<S> + '_>, Box<dyn Work<S>>>(work) };
        let outcome = match self.push(Task { work, deadline: None }, WaitLimit::Forever) {
            Ok(()) => reply.wait(),
            Err(error) => Err(error),
        };
        std::mem::forget(no_unwind);
        crate::pending::resume(outcome)
    }

    fn push(self: &Arc<Self>, mut task: Task<S>, limit: WaitLimit) -> Result<(), CallError> {
        loop {
            let refusal;
            (task, refusal) = match self.queue.push(task, limit) {
                Ok(()) => return Ok(()),
                Err(refused) => refused,
            };
            return Err(match refusal {
                Refusal::Full => CallError::Full,
                Refusal::TimedOut => CallError::TimedOut,
                Refusal::Closed => CallError::Closed,
                Refusal::Halted => {
                    let mut set = lock(&self.set);
                    // A worker may have been readmitted since, or the system may be able to start a
                    // thread that it could not start before.
                    if self.replace(&mut set) {
                        self.queue.resume();
                        continue;
                    }
                    CallError::Exhausted { stuck: set.stuck() }
                }
            });
        }
    }

    /// Refuses calls from the workers' own threads, which could deadlock.
    pub(crate) fn check_thread(&self) -> Result<(), CallError> {
        if sync::current_workers() == Some(self.id) { Err(CallError::Reentrant) } else { Ok(()) }
    }

    #[cfg(all(loom, test))]
    pub(crate) fn timer(&self) -> &DeadlineTimer {
        &self.timer
    }

    pub(crate) fn id(&self) -> WorkersId {
        self.id
    }

    pub(crate) fn queued(&self) -> usize {
        self.queue.len()
    }

    pub(crate) fn abandoned(&self) -> usize {
        lock(&self.set).abandoned
    }

    pub(crate) fn stuck(&self) -> usize {
        lock(&self.set).stuck()
    }

    /// Ends all workers, and waits for those that are not abandoned, unless it runs on a worker.
    pub(crate) fn shut_down(&self) {
        let mut set = lock(&self.set);
        set.closing = true;
        let refused = match self.config.on_drop {
            OnDrop::Drain => {
                self.queue.close();
                Default::default()
            }
            OnDrop::Reject => self.queue.close_and_clear(),
        };
        self.worker_stopped(&set);
        drop(set);
        for task in refused {
            task.refuse(CallError::Closed);
        }
        if self.check_thread().is_err() {
            return;
        }
        let mut set = lock(&self.set);
        while set.serving() > 0 {
            set = wait(&self.stopped, set);
        }
        let timer = set.timer.take();
        let finished = set.take_finished();
        drop(set);
        // These threads catch all panics, so `join` has no error to report.
        for handle in finished.into_iter().chain(timer) {
            let _ = handle.join();
        }
    }
}

/// Aborts the process when it is dropped. The regular path forgets it, so only a panic drops it.
struct AbortOnUnwind;

impl Drop for AbortOnUnwind {
    fn drop(&mut self) {
        std::process::abort();
    }
}
