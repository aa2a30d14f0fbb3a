//! The threads behind an owner or a pool: they take calls from one queue, and are replaced when
//! they are given up.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::builder::{Builder, GivenUp, OnDrop, OnPanic};
use super::queue::{Patience, Queue, Refusal};
use super::reply::{Reply, Timed};
use super::roster::Roster;
use super::sync::{self, Condvar, Mutex, lock, quietly, wait};
use super::task::{Call, Task, Work};
use super::watch::{Due, Watch};
use super::{CallError, CancelFlag, MakeError, StartError};

/// Numbers crews, so that a thread knows whose it is; 0 is nobody's.
static NEXT_CREW: AtomicU64 = AtomicU64::new(1);

pub(super) type Make<S> = dyn Fn() -> Result<S, MakeError> + Send + Sync;

/// What the threads share with each other, the watch and those who call.
///
/// Locks are taken in this order: roster, then queue or reply. The watch's lock is taken alone.
/// Code of a caller never runs under any of them.
pub(super) struct Crew<S> {
    number: u64,
    members: usize,
    config: Builder,
    make: Box<Make<S>>,
    queue: Queue<Task<S>>,
    watch: Arc<Watch>,
    watching: AtomicBool,
    roster: Mutex<Roster>,
    /// A thread serves no more.
    left: Condvar,
}

impl<S: 'static> Crew<S> {
    /// Starts the threads and waits until each has made its value.
    pub(super) fn start(
        config: Builder,
        members: usize,
        make: Box<Make<S>>,
    ) -> Result<Arc<Crew<S>>, StartError> {
        let crew = Arc::new(Crew {
            number: NEXT_CREW.fetch_add(1, Ordering::Relaxed),
            members: members.max(1),
            queue: Queue::new(config.capacity),
            watch: Arc::new(Watch::new(config.grace)),
            watching: AtomicBool::new(false),
            roster: Mutex::default(),
            left: Condvar::new(),
            config,
            make,
        });
        let started = crew.start_members();
        if started.is_err() {
            crew.shut_down();
        }
        started.map(|()| crew)
    }

    fn start_members(self: &Arc<Self>) -> Result<(), StartError> {
        let mut reports = Vec::new();
        for _ in 0..self.members {
            let report = Arc::new(Reply::new());
            reports.push(Arc::clone(&report));
            self.add(&mut lock(&self.roster), Some(report)).map_err(StartError::Spawn)?;
        }
        for report in reports {
            // A report is a result and nothing else.
            if let Ok(Ok(made)) = report.wait() {
                made?;
            }
        }
        Ok(())
    }

    /// Starts a thread, which makes its value at once if there is someone to report to, or else
    /// for its first call.
    fn add(
        self: &Arc<Self>,
        roster: &mut Roster,
        report: Option<Arc<Reply<Result<(), MakeError>>>>,
    ) -> io::Result<()> {
        let number = roster.next_number();
        let name = if self.members == 1 {
            self.config.name.clone()
        } else {
            format!("{}-{number}", self.config.name)
        };
        let crew = Arc::clone(self);
        let handle = sync::Builder::new().name(name).spawn(move || crew.serve(number, report))?;
        roster.add(handle);
        Ok(())
    }

    /// What each thread does.
    fn serve(self: Arc<Self>, number: u64, report: Option<Arc<Reply<Result<(), MakeError>>>>) {
        sync::set_crew(self.number);
        let mut value = None;
        if let Some(report) = report {
            let made = self.make().map(|made| value = Some(made));
            report.finish(Ok(Ok(made)));
        }
        while let Some(task) = self.queue.pop() {
            if !self.run(number, &mut value, task) && !self.come_back(number) {
                return;
            }
        }
        quietly(|| drop(value));
        self.leave(number);
    }

    fn make(&self) -> Result<S, MakeError> {
        match catch_unwind(AssertUnwindSafe(|| (self.make)())) {
            Ok(made) => made,
            Err(payload) => Err(MakeError::panicked(payload)),
        }
    }

    /// Runs a call. Returns false if it was given up meanwhile; the value is then dropped.
    fn run(&self, number: u64, value: &mut Option<S>, task: Task<S>) -> bool {
        let Task { mut work, watched } = task;
        let mut kept = true;
        if work.start(number) {
            let made = match &mut *value {
                Some(value) => Ok(value),
                // Within the call, so that its deadline covers it.
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
        quietly(|| drop(watched));
        if !kept {
            quietly(|| drop(value.take()));
        }
        kept
    }

    /// Lets a thread that was given up take an empty place, if there is one. If not, it must end.
    fn come_back(&self, number: u64) -> bool {
        let mut roster = lock(&self.roster);
        let wanted = !roster.closing && roster.serving() < self.members;
        if wanted {
            // If the queue is halted, the next call finds that there is a thread again.
            roster.take_back(number);
        } else {
            roster.forget(number);
        }
        wanted
    }

    fn leave(&self, number: u64) {
        let mut roster = lock(&self.roster);
        roster.leave(number);
        self.settle(&roster);
    }

    /// Ends the watch with the last thread, and says that a thread is gone.
    fn settle(&self, roster: &Roster) {
        if roster.closing && roster.serving() == 0 {
            self.watch.close();
        }
        self.left.notify_all();
    }

    /// Starts threads in place of those that were given up, as many as may be. Returns whether
    /// there is any to serve.
    fn replace(self: &Arc<Self>, roster: &mut Roster) -> bool {
        while roster.serving() < self.members
            && roster.stuck() + roster.serving() < self.members.saturating_add(self.config.spares)
            // If the system has no thread to give, the next call that finds none tries again.
            && self.add(roster, None).is_ok()
        {}
        roster.serving() > 0
    }

    /// Gives up the thread of a call that did not stop when it was told to.
    fn give_up(self: &Arc<Self>, call: &dyn Timed) {
        let mut roster = lock(&self.roster);
        // Under the lock, so that a thread that comes back at once finds itself given up.
        let Some(number) = call.give_up() else { return };
        roster.give_up(number);
        let served = roster.serving();
        let any = self.replace(&mut roster);
        let replaced = roster.serving() > served;
        let refused = if any { Default::default() } else { self.queue.halt() };
        self.settle(&roster);
        let (stuck, total) = (roster.stuck(), roster.given_up);
        drop(roster);
        for task in refused {
            task.refuse(CallError::Exhausted { stuck });
        }
        if let Some(report) = &self.config.on_given_up {
            let name = self.config.name.clone();
            quietly(|| report(&GivenUp { name, total, stuck, replaced }));
        }
    }

    /// What the thread does that watches deadlines.
    fn keep_watch(self: Arc<Self>) {
        sync::set_crew(self.number);
        while let Some(due) = self.watch.next() {
            self.see_to(due);
        }
    }

    /// Does what is due about a call.
    pub(super) fn see_to(self: &Arc<Self>, due: Due) {
        let call = match due {
            Due::Late(number, call) => {
                self.expire(number, &*call);
                call
            }
            Due::Stuck(call) => {
                self.give_up(&*call);
                call
            }
        };
        // It may be the last to hold a result that nobody took.
        quietly(|| drop(call));
    }

    /// Ends the wait for a call that is late, and frees its place if it still has one.
    fn expire(&self, number: u64, call: &dyn Timed) {
        if call.expire() {
            let queued = |task: &Task<S>| {
                task.watched.as_ref().is_some_and(|watched| watched.number() == number)
            };
            let task = self.queue.remove(queued);
            quietly(|| drop(task));
        }
    }

    fn start_watch(self: &Arc<Self>) -> Result<(), CallError> {
        if self.watching.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut roster = lock(&self.roster);
        if roster.watch.is_none() {
            let crew = Arc::clone(self);
            let thread = sync::Builder::new().name(format!("{}-watch", self.config.name));
            let handle = thread.spawn(move || crew.keep_watch()).map_err(CallError::Spawn)?;
            roster.watch = Some(handle);
            self.watching.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Queues a call, with a deadline if there is a timeout.
    pub(super) fn submit<F, R>(
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
        self.submit_from_anywhere(function, wait, timeout)
    }

    /// As [`submit`](Crew::submit), also on a thread of the crew, which then must not wait.
    pub(super) fn submit_from_anywhere<F, R>(
        self: &Arc<Self>,
        function: F,
        wait: bool,
        timeout: Option<Duration>,
    ) -> Result<Arc<Reply<R>>, CallError>
    where
        F: FnOnce(&mut S, &CancelFlag) -> R + Send + 'static,
        R: Send + 'static,
    {
        // A deadline that the clock can't express never comes.
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        if deadline.is_some() {
            self.start_watch()?;
        }
        self.enter(function, wait, deadline)
    }

    /// Queues a call, with the watch there to see to its deadline.
    pub(super) fn enter<F, R>(
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
        let watched = deadline.map(|deadline| self.watch.enter(timed, deadline));
        let patience = match deadline {
            _ if !wait => Patience::None,
            Some(deadline) => Patience::Until(deadline),
            None => Patience::Forever,
        };
        let work = Box::new(Call::new(function, Arc::clone(&reply)));
        self.push(Task { work, watched }, patience)?;
        Ok(reply)
    }

    /// Runs a call and waits for it, however long it takes.
    pub(super) fn call<F, R>(self: &Arc<Self>, function: F) -> Result<R, CallError>
    where
        F: FnOnce(&mut S) -> R + Send,
        R: Send,
    {
        self.check_thread()?;
        let reply = Arc::new(Reply::new());
        let function = |value: &mut S, _: &CancelFlag| function(value);
        let work: Box<dyn Work<S> + '_> = Box::new(Call::new(function, Arc::clone(&reply)));
        // SAFETY: only the lifetime changes. What the function and its result borrow is used by
        // other threads only before the reply has an outcome: the function is consumed by its run
        // or dropped in `conclude`, both before that, and the result is moved into the reply. This
        // function does not return, nor unwind, before it has taken that outcome out: what comes
        // in between, `push` and `wait`, runs no code that may panic. What is left afterwards, in
        // the hands of a thread that is about to drop it, is an empty call and an empty reply.
        let work = unsafe { std::mem::transmute::<Box<dyn Work<S> + '_>, Box<dyn Work<S>>>(work) };
        self.push(Task { work, watched: None }, Patience::Forever)?;
        super::pending::resume(reply.wait())
    }

    fn push(self: &Arc<Self>, mut task: Task<S>, patience: Patience) -> Result<(), CallError> {
        loop {
            let refusal;
            (task, refusal) = match self.queue.push(task, patience) {
                Ok(()) => return Ok(()),
                Err(refused) => refused,
            };
            return Err(match refusal {
                Refusal::Full => CallError::Full,
                Refusal::TimedOut => CallError::TimedOut,
                Refusal::Closed => CallError::Closed,
                Refusal::Halted => {
                    let mut roster = lock(&self.roster);
                    // A thread may have come back, or can be had that could not be had before.
                    if self.replace(&mut roster) {
                        self.queue.resume();
                        continue;
                    }
                    CallError::Exhausted { stuck: roster.stuck() }
                }
            });
        }
    }

    /// Refuses calls from threads that would wait for themselves.
    pub(super) fn check_thread(&self) -> Result<(), CallError> {
        if sync::crew() == self.number { Err(CallError::Reentrant) } else { Ok(()) }
    }

    #[cfg(all(loom, test))]
    pub(super) fn watch(&self) -> &Watch {
        &self.watch
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn queued(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn given_up(&self) -> usize {
        lock(&self.roster).given_up
    }

    pub(super) fn stuck(&self) -> usize {
        lock(&self.roster).stuck()
    }

    /// Ends all threads and waits for those that are not given up, unless it is called on one.
    pub(super) fn shut_down(&self) {
        let mut roster = lock(&self.roster);
        roster.closing = true;
        let refused = match self.config.on_drop {
            OnDrop::Drain => {
                self.queue.close();
                Default::default()
            }
            OnDrop::Reject => self.queue.close_and_clear(),
        };
        self.settle(&roster);
        drop(roster);
        for task in refused {
            task.refuse(CallError::Closed);
        }
        if self.check_thread().is_err() {
            return;
        }
        let mut roster = lock(&self.roster);
        while roster.serving() > 0 {
            roster = wait(&self.left, roster);
        }
        let watch = roster.watch.take();
        let left = roster.take_left();
        drop(roster);
        // They end without a panic, so there is nothing to learn from them.
        for handle in left.into_iter().chain(watch) {
            let _ = handle.join();
        }
    }
}
