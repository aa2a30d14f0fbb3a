//! The calls that scan rounds, and the one that waits for a round to be due.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use super::core::Core;
use super::round::{Answer, Buffers, Round};
use super::state::{Load, Next};
use super::{panicked, scan_error};
use dragnet::{Matches, Scan, ScanError};
use dragnet_boundary::sync::{Mutex, lock};
use dragnet_boundary::{CallError, CancelFlag, Pending};

/// A call to scan one round.
pub(super) struct Errand {
    core: Arc<Core>,
    /// Locked under the core's state, or alone.
    progress: Mutex<Progress>,
    /// What the pool beneath says of it: asked when that wakes.
    pending: Mutex<Option<Pending<()>>>,
}

struct Progress {
    /// The round, as long as it was not begun.
    load: Option<Load>,
    /// The round that has to be answered.
    round: Option<Arc<Round>>,
    /// It may still claim a round.
    unclaimed: bool,
    /// It no longer counts as running.
    over: bool,
}

/// Sends what was counted as sent. Called without the lock.
pub(super) fn send(core: &Arc<Core>, next: Next) {
    let load = match next {
        Next::Bound(load) => Some(load),
        Next::Unbound => None,
    };
    let progress = Progress {
        round: load.as_ref().map(|load| Arc::clone(&load.round)),
        unclaimed: load.is_none(),
        load,
        over: false,
    };
    let errand = Arc::new(Errand {
        core: Arc::clone(core),
        progress: Mutex::new(progress),
        pending: Mutex::new(None),
    });
    let run = {
        let errand = Arc::clone(&errand);
        move |scanner: &mut Box<dyn Scan>, stop: &CancelFlag| errand.run(scanner, stop)
    };
    match core.pool.try_submit_from_any_thread(core.limits.deadline, run) {
        // Whoever sends goes on with the next one.
        Err(error) => errand.fail(&error),
        Ok(pending) => {
            if let Some(error) = errand.follow(pending) {
                errand.fail(&error);
            }
        }
    }
}

impl Errand {
    /// Claims a round, scans it and answers; then sends the next.
    fn run(&self, scanner: &mut Box<dyn Scan>, stop: &CancelFlag) {
        let Some(Load { round, buffers, .. }) = self.claim() else { return self.release() };
        let scanned = catch_unwind(AssertUnwindSafe(|| {
            scanner.set_stop(crate::stop_flag(stop));
            scan(&mut **scanner, stop, buffers)
        }));
        match scanned {
            Ok(answer) => {
                let answer = answer.map_err(|error| match error {
                    // Nothing but the deadline raises this flag.
                    ScanError::Stopped if stop.is_raised() => ScanError::TimedOut,
                    error => error,
                });
                round.finish(answer);
                drop(round);
                self.release();
            }
            Err(payload) => {
                let error = panicked(payload);
                round.finish(Err(error.clone()));
                drop(round);
                self.release();
                // So that the pool makes the scanner anew.
                resume_unwind(Box::new(error.to_string()));
            }
        }
    }

    fn claim(&self) -> Option<Load> {
        let mut state = lock(&self.core.state);
        let mut progress = lock(&self.progress);
        if std::mem::take(&mut progress.unclaimed) {
            state.unclaimed -= 1;
            progress.load = state.take_due(&self.core.limits);
            self.core.tell_of_room(&state);
            progress.round = progress.load.as_ref().map(|load| Arc::clone(&load.round));
        }
        progress.load.take()
    }

    /// Lets another one run, once.
    fn release(&self) {
        let core = &self.core;
        let mut state = lock(&core.state);
        let mut progress = lock(&self.progress);
        progress.round = None;
        if !std::mem::replace(&mut progress.over, true) {
            state.running -= 1;
        }
        drop(progress);
        core.dispatch(state);
    }

    /// Answers for a call that did not run or is late.
    fn fail(&self, error: &CallError) {
        // What it did not claim fails with it: another errand would find the same.
        let load = self.claim();
        let round = lock(&self.progress).round.take();
        if let Some(round) = round {
            round.finish(Err(scan_error(error)));
        }
        if let Some(load) = load {
            self.core.recycle(load.buffers);
        }
        let mut state = lock(&self.core.state);
        if !std::mem::replace(&mut lock(&self.progress).over, true) {
            state.running -= 1;
        }
    }

    /// Sees to it that it is known when the call is over. Returns why it did not run if that is
    /// known by now.
    fn follow(self: &Arc<Self>, pending: Pending<()>) -> Option<CallError> {
        let waker = Waker::from(Arc::clone(self));
        let mut place = lock(&self.pending);
        let mut pending = pending;
        match poll(&mut pending, &mut Context::from_waker(&waker)) {
            Poll::Ready(error) => error,
            Poll::Pending => {
                // Whoever wakes waits for the lock.
                *place = Some(pending);
                None
            }
        }
    }
}

/// Runs on a thread of the pool, when the call is over or late.
impl Wake for Errand {
    fn wake(self: Arc<Self>) {
        let pending = lock(&self.pending).take();
        let Some(mut pending) = pending else { return };
        let context = &mut Context::from_waker(Waker::noop());
        if let Poll::Ready(Some(error)) = poll(&mut pending, context) {
            self.fail(&error);
            self.core.dispatch(lock(&self.core.state));
        }
    }
}

/// What became of a call: an error if it did not run or was late. Its panic is answered already.
fn poll(pending: &mut Pending<()>, context: &mut Context<'_>) -> Poll<Option<CallError>> {
    match catch_unwind(AssertUnwindSafe(|| pin!(pending).poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(outcome)) => Poll::Ready(outcome.err()),
        Err(_) => Poll::Ready(None),
    }
}

/// Scans a round. If that fails, each caller's records are scanned alone, so that an error stays
/// with those whose records cause it.
fn scan(
    scanner: &mut dyn Scan,
    stop: &CancelFlag,
    mut buffers: Buffers,
) -> Result<Answer, ScanError> {
    buffers.merge();
    let Buffers { records, matches, parts, .. } = &mut buffers;
    let batch = records.as_batch();
    let mut failed = Vec::new();
    match scanner.scan(&batch, matches) {
        Ok(()) => {}
        Err(error @ (ScanError::Stopped | ScanError::TimedOut)) => return Err(error),
        Err(error) if parts.len() < 2 => return Err(error),
        Err(_) => {
            matches.clear();
            let mut found = Matches::new();
            let ends = parts[1..].iter().copied().chain([batch.len() as u32]);
            for part in parts.iter().zip(ends).map(|(&start, end)| start..end) {
                if stop.is_raised() {
                    return Err(ScanError::Stopped);
                }
                let range = part.start as usize..part.end as usize;
                match scanner.scan(&batch.slice(range), &mut found) {
                    Ok(()) => {
                        matches.extend(found.iter().map(|m| m.offset_record(part.start)));
                    }
                    Err(error) => failed.push((part, error)),
                }
            }
        }
    }
    buffers.index();
    Ok(Answer { buffers, failed })
}

/// Waits on a member until the open round is due, so that nobody else has to.
pub(super) struct Minder {
    core: Arc<Core>,
    begun: bool,
}

impl Minder {
    pub(super) fn new(core: Arc<Core>) -> Minder {
        Minder { core, begun: false }
    }

    pub(super) fn mind(mut self) {
        self.begun = true;
        self.core.mind();
    }
}

/// Also if it did not run: then the round is due at once, and gets to know why.
impl Drop for Minder {
    fn drop(&mut self) {
        let mut state = lock(&self.core.state);
        state.minding = false;
        if let Some(open) = &mut state.open {
            open.wanted |= !self.begun;
        }
        self.core.dispatch(state);
    }
}
