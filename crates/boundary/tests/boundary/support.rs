//! Values that record where they are made and dropped, calls that block until they are released,
//! and the messages of panics.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

/// An entry of a [`ValueLog`], with the thread on which it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Made(ThreadId),
    Dropped(ThreadId),
}

/// Makes values and records on which threads they are made and dropped. Clones share one record.
#[derive(Clone, Default)]
pub(crate) struct ValueLog {
    events: Arc<Mutex<Vec<Event>>>,
    made: Arc<AtomicUsize>,
}

/// A value of a [`ValueLog`] that can't leave its thread.
pub(crate) struct ThreadBound {
    /// Position of the value among those of its log, in the order of making, from 0.
    pub(crate) number: usize,
    log: ValueLog,
    /// Makes the type neither `Send` nor `Sync`.
    _not_send: std::rc::Rc<()>,
}

impl ValueLog {
    pub(crate) fn make(&self) -> Result<ThreadBound, String> {
        let number = self.made.fetch_add(1, Ordering::SeqCst);
        self.record(Event::Made(thread::current().id()));
        Ok(ThreadBound { number, log: self.clone(), _not_send: std::rc::Rc::default() })
    }

    fn record(&self, event: Event) {
        self.events.lock().unwrap().push(event);
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap().clone()
    }

    /// Returns the number of values made so far.
    pub(crate) fn made(&self) -> usize {
        self.made.load(Ordering::SeqCst)
    }

    /// Returns the number of values that are not dropped yet.
    pub(crate) fn alive(&self) -> usize {
        let events = self.events();
        let made = events.iter().filter(|event| matches!(event, Event::Made(_))).count();
        let dropped = events.len() - made;
        made - dropped
    }
}

impl Drop for ThreadBound {
    fn drop(&mut self) {
        self.log.record(Event::Dropped(thread::current().id()));
    }
}

/// Controls a call that blocks until it is released, like a C function that hangs.
pub(crate) struct BlockedCall {
    started: Receiver<()>,
    release: Sender<()>,
}

impl BlockedCall {
    /// Returns the control and the function that the call has to run. The function also returns
    /// when the control is dropped.
    pub(crate) fn new() -> (BlockedCall, impl FnOnce() + Send + 'static) {
        let ((report_start, started), (release, released)) = (channel(), channel());
        let run = move || {
            report_start.send(()).unwrap();
            // An error means that the control was dropped, at the end of the test at the latest.
            let _ = released.recv();
        };
        (BlockedCall { started, release }, run)
    }

    pub(crate) fn wait_until_started(&self) {
        assert!(self.has_started(), "the call was dropped without running");
    }

    /// Waits until the call runs or is dropped, and returns whether it runs.
    pub(crate) fn has_started(&self) -> bool {
        self.started.recv().is_ok()
    }

    pub(crate) fn release(&self) {
        self.release.send(()).unwrap();
    }
}

/// Runs a function that must panic, and returns the message of the panic.
pub(crate) fn panic_message<R>(run: impl FnOnce() -> R) -> String {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)) {
        Ok(_) => panic!("the function did not panic"),
        Err(payload) => match payload.downcast::<String>() {
            Ok(message) => *message,
            Err(payload) => payload.downcast_ref::<&str>().unwrap().to_string(),
        },
    }
}
