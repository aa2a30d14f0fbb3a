//! Starts a server, or connects to one that runs.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::net::SocketAddrUnix;

use super::sys;

/// How a client gets a connection to a server.
pub(super) enum Connector {
    /// Starts a process whose standard input is the server's end of the socket.
    Spawn(Box<dyn Fn() -> Command + Send>),
    /// Connects to a server that listens at a path.
    Listener(PathBuf),
    /// Passes the server's end of the socket to a function.
    #[cfg(any(test, fuzzing))]
    Custom(Box<dyn Fn(OwnedFd) -> io::Result<()> + Send>),
}

impl Connector {
    /// Returns the client's end of the socket, and the server's process if one was started. A server
    /// that listens has until `timeout` to accept the connection.
    pub(super) fn connect(
        &self,
        timeout: Duration,
    ) -> io::Result<(OwnedFd, Option<ServerProcess>)> {
        match self {
            Connector::Spawn(command) => spawn(command()),
            Connector::Listener(path) => {
                let with_path = |error: io::Error| {
                    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
                };
                let address = SocketAddrUnix::new(path).map_err(|error| with_path(error.into()))?;
                let socket = sys::socket()?;
                sys::set_send_timeout(socket.as_fd(), timeout)?;
                sys::connect(socket.as_fd(), &address).map_err(with_path)?;
                let peer = sys::peer(socket.as_fd())?;
                // Another user who listens at the path would receive the records.
                if peer.uid != rustix::process::geteuid() && !peer.uid.is_root() {
                    let error = format!("the server runs as another user, {}", peer.uid.as_raw());
                    return Err(with_path(io::Error::new(io::ErrorKind::PermissionDenied, error)));
                }
                Ok((socket, None))
            }
            #[cfg(any(test, fuzzing))]
            Connector::Custom(start) => {
                let (client, server) = sys::socket_pair()?;
                start(server)?;
                Ok((client, None))
            }
        }
    }
}

/// Starts a process with one end of a socket as its standard input.
pub(super) fn spawn(mut command: Command) -> io::Result<(OwnedFd, Option<ServerProcess>)> {
    let (client, server) = sys::socket_pair()?;
    // The server's standard output would mix with that of this process. Its standard error is
    // inherited.
    command.stdin(Stdio::from(server)).stdout(Stdio::null());
    let child = command.spawn().map_err(|error| {
        let program = command.get_program().display();
        io::Error::new(error.kind(), format!("{program} could not be started: {error}"))
    })?;
    Ok((client, Some(ServerProcess { child })))
}

/// The process of a server. Dropping this kills the process and waits for its end, so that it never
/// outlives its connection.
#[derive(Debug)]
pub(super) struct ServerProcess {
    child: Child,
}

impl ServerProcess {
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The exit status of the process, if it exits within `timeout`.
    pub(super) fn wait(&mut self, timeout: Duration) -> Option<ExitStatus> {
        let end = Instant::now() + timeout;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if Instant::now() < end => std::thread::sleep(Duration::from_micros(200)),
                _ => return None,
            }
        }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // Both fail only if the process has exited and was waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
