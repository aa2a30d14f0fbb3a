//! The socket of a sidecar alone, for measurements: sends and receives frames, without shared memory
//! and without a scan.
//!
//! `dragnet cost` compares a round trip over this socket with a whole [`Sidecar`](super::Sidecar).
//! The rest of the transport is measured through `Sidecar` and
//! [`Server::run_with`](super::Server::run_with).

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;

use super::connector::{self, ServerProcess};
use super::frame::{self, FrameError, FrameKind};
use super::sys;

/// The longest body of a frame, in bytes.
pub const MAX_BODY_LEN: usize = frame::MAX_BODY_LEN;

/// One end of a socket that carries frames.
#[derive(Debug)]
pub struct FrameSocket {
    socket: OwnedFd,
    _process: Option<ServerProcess>,
}

impl FrameSocket {
    /// Starts a process with the other end as its standard input. Dropping this kills the process.
    ///
    /// # Errors
    ///
    /// If the process can't be started.
    pub fn spawn(command: Command) -> io::Result<FrameSocket> {
        let (socket, process) = connector::spawn(command)?;
        Ok(FrameSocket { socket, _process: process })
    }

    /// Uses an existing end: the standard input of a process that [`spawn`](FrameSocket::spawn)
    /// started, or one end of a socket pair.
    pub fn new(socket: OwnedFd) -> FrameSocket {
        FrameSocket { socket, _process: None }
    }

    /// Sends a frame. Waits while the socket has no room for it.
    ///
    /// # Errors
    ///
    /// If the other end is closed.
    ///
    /// # Panics
    ///
    /// If `body` is longer than [`MAX_BODY_LEN`].
    pub fn send(&self, body: &[u8]) -> io::Result<()> {
        loop {
            match frame::send(&self.socket, FrameKind::Probe, body, "", &[]) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    sys::poll(self.socket.as_fd(), PollFlags::OUT, None)?;
                }
                sent => return sent,
            }
        }
    }

    /// Receives the body of a frame; `None` once the other end is closed.
    ///
    /// # Errors
    ///
    /// If no frame arrives in time, or a message arrives that is not a frame of this type.
    pub fn receive(&self, timeout: Duration) -> io::Result<Option<Vec<u8>>> {
        match frame::receive(&self.socket, Instant::now().checked_add(timeout)) {
            Ok(frame) if frame.kind == FrameKind::Probe => Ok(Some(frame.body)),
            Ok(frame) => Err(io::Error::other(format!("{:?} is not a probe", frame.kind))),
            Err(FrameError::Closed) => Ok(None),
            Err(FrameError::Io(error)) => Err(error),
            Err(error @ FrameError::TimedOut) => {
                Err(io::Error::new(io::ErrorKind::TimedOut, error.to_string()))
            }
            Err(error) => Err(io::Error::other(error.to_string())),
        }
    }
}
