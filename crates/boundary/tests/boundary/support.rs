//! Values that tell what happened to them, and calls that end when they are let go.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

/// What happened to the values of a [`Census`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Made(ThreadId),
    Dropped(ThreadId),
}

/// Notes where values are made and dropped.
#[derive(Clone, Default)]
pub(crate) struct Census {
    events: Arc<Mutex<Vec<Event>>>,
    made: Arc<AtomicUsize>,
}

/// A value that is bound to its thread.
pub(crate) struct Bound {
    /// Which of the census's values it is, from 0 on.
    pub(crate) number: usize,
    census: Census,
    /// Neither `Send` nor `Sync`.
    _bound: std::rc::Rc<()>,
}

impl Census {
    pub(crate) fn make(&self) -> Result<Bound, String> {
        let number = self.made.fetch_add(1, Ordering::SeqCst);
        self.note(Event::Made(thread::current().id()));
        Ok(Bound { number, census: self.clone(), _bound: std::rc::Rc::default() })
    }

    fn note(&self, event: Event) {
        self.events.lock().unwrap().push(event);
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap().clone()
    }

    pub(crate) fn made(&self) -> usize {
        self.made.load(Ordering::SeqCst)
    }

    /// How many values there are.
    pub(crate) fn alive(&self) -> usize {
        let events = self.events();
        let made = events.iter().filter(|event| matches!(event, Event::Made(_))).count();
        2 * made - events.len()
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        self.census.note(Event::Dropped(thread::current().id()));
    }
}

/// A call that says when it has begun, and ends when it is let go: what a C function that hangs
/// looks like from here.
pub(crate) struct Stuck {
    begun: Receiver<()>,
    release: Sender<()>,
}

impl Stuck {
    /// The handle, and what the call has to run.
    pub(crate) fn new() -> (Stuck, impl FnOnce() + Send + 'static) {
        let ((tell, begun), (release, wait)) = (channel(), channel());
        let run = move || {
            tell.send(()).unwrap();
            // An error means that the test has ended.
            let _ = wait.recv();
        };
        (Stuck { begun, release }, run)
    }

    pub(crate) fn wait_until_begun(&self) {
        assert!(self.has_begun(), "it did not run");
    }

    /// Waits until the call has begun, or will not, since it was late in the queue.
    pub(crate) fn has_begun(&self) -> bool {
        self.begun.recv().is_ok()
    }

    pub(crate) fn release(&self) {
        self.release.send(()).unwrap();
    }
}

/// The message of a panic.
pub(crate) fn message(payload: Box<dyn std::any::Any + Send>) -> String {
    match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => payload.downcast_ref::<&str>().unwrap().to_string(),
    }
}

/// Runs what must panic and gives its message.
pub(crate) fn panic_of<R>(run: impl FnOnce() -> R) -> String {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)) {
        Ok(_) => panic!("it did not panic"),
        Err(payload) => message(payload),
    }
}
