//! Notices the end of a connection while the threads that use it wait for futex events.
//!
//! A futex does not report that the other process has died. Each side therefore has one more thread,
//! which sleeps in `poll` until the kernel reports that the socket was closed, for whatever reason:
//! the kernel closes the sockets of a process that exits or crashes. The thread then signals the event
//! that its side waits for. The alternative, checking the socket from time to time, would cost each wait a
//! system call or detect the end late.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rustix::event::PollFlags;

use super::control::ControlMemory;
use super::futex_event::FutexEvent;
use super::layout::ControlWords;
use super::sys;

/// A thread that waits for the end of a connection. Dropping it ends the connection and joins the
/// thread.
pub(super) struct HangupWatcher {
    socket: Arc<OwnedFd>,
    shared: Arc<WatchShared>,
    thread: Option<JoinHandle<()>>,
}

/// Data that the thread shares with the thread that uses the connection.
struct WatchShared {
    is_gone: AtomicBool,
    control: Mutex<Option<ControlMemory>>,
    /// Selects the event that this side waits for.
    event: fn(&ControlWords) -> &FutexEvent,
}

impl WatchShared {
    fn signal(&self) {
        let control = self.control.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(control) = &*control {
            (self.event)(control.words()).signal();
        }
    }
}

impl HangupWatcher {
    /// Starts the thread. When the connection has ended, the thread signals `event` in the control
    /// memory, if [`signal_in`](HangupWatcher::signal_in) has set that, and then calls `on_hangup`.
    pub(super) fn start(
        socket: Arc<OwnedFd>,
        event: fn(&ControlWords) -> &FutexEvent,
        on_hangup: impl FnOnce() + Send + 'static,
    ) -> io::Result<HangupWatcher> {
        let shared = Arc::new(WatchShared {
            is_gone: AtomicBool::new(false),
            control: Mutex::new(None),
            event,
        });
        let (socket_in_thread, shared_in_thread) = (Arc::clone(&socket), Arc::clone(&shared));
        let thread = sys::spawn(move || {
            let hangup = PollFlags::HUP | PollFlags::ERR | PollFlags::RDHUP | PollFlags::NVAL;
            loop {
                match sys::poll(socket_in_thread.as_fd(), PollFlags::RDHUP, None) {
                    Ok(events) if !events.intersects(hangup) => {}
                    // A socket that can't be polled can't be used either.
                    Ok(_) | Err(_) => break,
                }
            }
            shared_in_thread.is_gone.store(true, Ordering::SeqCst);
            shared_in_thread.signal();
            on_hangup();
        })?;
        Ok(HangupWatcher { socket, shared, thread: Some(thread) })
    }

    /// Sets the control memory whose event is signalled when the connection ends.
    pub(super) fn signal_in(&self, control: &ControlMemory) {
        let mut slot = self.shared.control.lock().unwrap_or_else(PoisonError::into_inner);
        *slot = Some(control.clone());
        drop(slot);
        // If the connection ended before the control memory was set, the thread had nothing to signal.
        if self.is_gone() {
            self.shared.signal();
        }
    }

    /// Whether the connection has ended.
    pub(super) fn is_gone(&self) -> bool {
        self.shared.is_gone.load(Ordering::SeqCst)
    }
}

impl Drop for HangupWatcher {
    fn drop(&mut self) {
        // Wakes the thread from `poll`.
        sys::shut_down(&*self.socket);
        if let Some(thread) = self.thread.take() {
            // An error means that `on_hangup` panicked. The connection has ended anyway.
            let _ = thread.join();
        }
    }
}
