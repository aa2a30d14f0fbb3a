//! Where servers come from: a process that is started, or a socket that one listens at.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::net::SocketAddrUnix;

use super::sys;

/// How to get to a server.
pub(super) enum Launch {
    /// Starts a process, which gets its end of the socket as standard input.
    Spawn(Box<dyn Fn() -> Command + Send>),
    /// Connects to one that listens at a path.
    Connect(PathBuf),
    /// Starts a server of whatever kind with its end of the socket.
    #[cfg(any(test, fuzzing))]
    With(Box<dyn Fn(OwnedFd) -> io::Result<()> + Send>),
}

impl Launch {
    /// A connection to a server, and its process if it was started for this. One that listens but
    /// does not accept is given up after this time.
    pub(super) fn start(&self, deadline: Duration) -> io::Result<(OwnedFd, Option<Process>)> {
        match self {
            Launch::Spawn(command) => {
                let (ours, theirs) = sys::socket_pair()?;
                let mut command = command();
                // What it prints would go between the lines of this process, but for errors.
                command.stdin(Stdio::from(theirs)).stdout(Stdio::null());
                let child = command.spawn().map_err(|error| {
                    let program = command.get_program().display();
                    io::Error::new(error.kind(), format!("{program} could not be started: {error}"))
                })?;
                Ok((ours, Some(Process { child })))
            }
            Launch::Connect(path) => {
                let named = |error: io::Error| {
                    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
                };
                let address = SocketAddrUnix::new(path).map_err(|error| named(error.into()))?;
                let socket = sys::socket()?;
                sys::limit_waiting(socket.as_fd(), deadline)?;
                sys::connect(socket.as_fd(), &address).map_err(named)?;
                let peer = sys::peer(socket.as_fd())?;
                // Whoever else listens there would get to see the records.
                if peer.uid != rustix::process::geteuid() && !peer.uid.is_root() {
                    let error = format!("the server is of another user, {}", peer.uid.as_raw());
                    return Err(named(io::Error::new(io::ErrorKind::PermissionDenied, error)));
                }
                Ok((socket, None))
            }
            #[cfg(any(test, fuzzing))]
            Launch::With(start) => {
                let (ours, theirs) = sys::socket_pair()?;
                start(theirs)?;
                Ok((ours, None))
            }
        }
    }
}

/// A server's process, which is killed and waited for when this is dropped, so that it never
/// outlives its connection.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
}

impl Process {
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How the process ended, if it does within this time.
    pub(super) fn ended(&mut self, patience: Duration) -> Option<ExitStatus> {
        let end = Instant::now() + patience;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if Instant::now() < end => std::thread::sleep(Duration::from_micros(200)),
                _ => return None,
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both can only fail if it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
