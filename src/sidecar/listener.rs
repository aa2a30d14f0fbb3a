//! The socket at which clients find a server.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::Mode;
use rustix::net::{SocketAddrUnix, SocketFlags};

use super::sys;

/// A Unix socket at a path, for clients of the same user. The path is removed when it is dropped.
#[derive(Debug)]
pub struct Listener {
    socket: OwnedFd,
    path: PathBuf,
}

impl Listener {
    /// Listens at a path, which only the owner may use. A socket that is there already and that
    /// nobody listens at is replaced; anything else that is there is an error.
    ///
    /// The permissions of files that other threads make at the same moment may be narrower, too.
    ///
    /// # Errors
    ///
    /// If the path can't be had.
    pub fn bind(path: impl AsRef<Path>) -> io::Result<Listener> {
        let path = path.as_ref().to_owned();
        let address = SocketAddrUnix::new(&path)?;
        let socket = sys::socket()?;
        let bind = || {
            // Set before the socket is there, so that at no moment others may connect.
            let old = rustix::process::umask(Mode::from_raw_mode(0o177));
            let bound = rustix::net::bind(&socket, &address);
            rustix::process::umask(old);
            bound
        };
        let mut bound = bind();
        if matches!(bound, Err(rustix::io::Errno::ADDRINUSE)) && is_stale(&path, &address) {
            let _ = std::fs::remove_file(&path);
            bound = bind();
        }
        bound?;
        // From here on, a drop removes it.
        let listener = Listener { socket, path };
        rustix::net::listen(&listener.socket, 16)?;
        Ok(listener)
    }

    /// Waits for a client.
    ///
    /// # Errors
    ///
    /// If there is none to be had, for want of descriptors for example; the next call may do better.
    pub fn accept(&self) -> io::Result<OwnedFd> {
        let accepted = rustix::io::retry_on_intr(|| {
            rustix::net::accept_with(self.socket.as_fd(), SocketFlags::CLOEXEC)
        });
        Ok(accepted?)
    }

    /// Where it listens.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Whether what is at the path is a socket at which nobody listens.
fn is_stale(path: &Path, address: &SocketAddrUnix) -> bool {
    use std::os::unix::fs::FileTypeExt;
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|m| m.file_type().is_socket());
    let refused = |socket: OwnedFd| {
        // One that listens and does not accept is there, too.
        if sys::limit_waiting(socket.as_fd(), Duration::from_secs(1)).is_err() {
            return false;
        }
        let tried = sys::connect(socket.as_fd(), address);
        tried.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
    };
    is_socket && sys::socket().is_ok_and(refused)
}
