//! Looks out for the end of a connection, while others sleep on a bell.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rustix::event::PollFlags;

use super::control::{Control, Words};
use super::sys;

/// A thread that sleeps until the other side of a socket is gone, however it went.
pub(super) struct Watcher {
    socket: Arc<OwnedFd>,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

struct State {
    gone: AtomicBool,
    control: Mutex<Option<Control>>,
    /// Whose bell this side sleeps on.
    bell: fn(&Words) -> &super::bell::Bell,
}

impl State {
    fn ring(&self) {
        let control = self.control.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(control) = &*control {
            (self.bell)(control.words()).ring();
        }
    }
}

impl Watcher {
    /// Starts the thread, which calls `at_end` once the connection has ended.
    pub(super) fn start(
        socket: Arc<OwnedFd>,
        bell: fn(&Words) -> &super::bell::Bell,
        at_end: impl FnOnce() + Send + 'static,
    ) -> io::Result<Watcher> {
        let state =
            Arc::new(State { gone: AtomicBool::new(false), control: Mutex::new(None), bell });
        let (watched, shared) = (Arc::clone(&socket), Arc::clone(&state));
        let thread = sys::spawn(move || {
            let over = PollFlags::HUP | PollFlags::ERR | PollFlags::RDHUP | PollFlags::NVAL;
            loop {
                match sys::poll(watched.as_fd(), PollFlags::RDHUP, None) {
                    Ok(events) if !events.intersects(over) => {}
                    // A socket that can't be watched is as good as none.
                    Ok(_) | Err(_) => break,
                }
            }
            shared.gone.store(true, Ordering::SeqCst);
            shared.ring();
            at_end();
        })?;
        Ok(Watcher { socket, state, thread: Some(thread) })
    }

    /// Rings the bell of this memory, too, when the connection ends.
    pub(super) fn ring_at_end(&self, control: &Control) {
        let mut place = self.state.control.lock().unwrap_or_else(PoisonError::into_inner);
        *place = Some(control.clone());
        drop(place);
        // It may have ended before there was a bell.
        if self.is_gone() {
            self.state.ring();
        }
    }

    pub(super) fn is_gone(&self) -> bool {
        self.state.gone.load(Ordering::SeqCst)
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // Which the thread sees as the end.
        sys::shut_down(&*self.socket);
        if let Some(thread) = self.thread.take() {
            // It does not panic, or nothing is lost if what it calls at the end does.
            let _ = thread.join();
        }
    }
}
