//! The socket that a server listens on.
//!
//! A socket appears at its path only when it is ready: it is bound under a temporary name in the same
//! directory, gets its permissions and starts to listen, and is then linked to its path. Otherwise a
//! client could connect before the permissions are set, or find a socket that does not listen yet and
//! take it for a stale one.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use rustix::net::SocketAddrUnix;

use super::frame::{self, FrameKind};
use super::sys;

/// A Unix socket that listens at a path, for clients of the same user. Dropping it removes the path.
#[derive(Debug)]
pub struct Listener {
    socket: OwnedFd,
    path: PathBuf,
}

impl Listener {
    /// Listens at a path, with permissions for the owner only. A stale socket at the path, which no
    /// process listens on, is replaced.
    ///
    /// The socket is prepared under a temporary name in the same directory, `.dragnet-` and two
    /// numbers, and is ready for clients once it appears at `path`.
    ///
    /// # Errors
    ///
    /// If another process listens at the path, if there is a file that is not a socket, or if the
    /// path can't be created or is too long for a socket (108 bytes).
    pub fn bind(path: impl AsRef<Path>) -> io::Result<Listener> {
        let path = path.as_ref().to_owned();
        let address = SocketAddrUnix::new(&path)?;
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let directory = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = sys::open(directory, flags)?;

        let socket = sys::socket()?;
        let temporary = TemporaryName::bind(&socket, &directory)?;
        // Before it listens, so that no other user can connect.
        sys::set_mode(&directory, &temporary.name, Mode::RUSR | Mode::WUSR)?;
        sys::listen(socket.as_fd(), 16)?;

        match sys::link(&directory, &temporary.name, name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if !is_stale(&path, &address) {
                    return Err(Errno::ADDRINUSE.into());
                }
                sys::rename(&directory, &temporary.name, name)?;
            }
            linked => linked?,
        }
        drop(temporary);
        Ok(Listener { socket, path })
    }

    /// Waits for a client, and returns the server's end of its socket.
    ///
    /// # Errors
    ///
    /// If the system can't accept a client, for lack of descriptors for example. A later call may
    /// succeed.
    pub fn accept(&self) -> io::Result<OwnedFd> {
        sys::accept(self.socket.as_fd())
    }

    /// Closes a connection that [`accept`](Listener::accept) returned, instead of serving it.
    ///
    /// The client receives the reason, of which about 2,000 bytes fit, and may try again: its error
    /// says why only after its last attempt. Does not wait for the client.
    pub fn turn_away(client: OwnedFd, reason: &str) {
        // Fails if the client has gone.
        let _ = frame::send(&client, FrameKind::Error, &[], reason, &[]);
    }

    /// The path that this listens at.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The temporary name of a socket, removed when this is dropped.
struct TemporaryName<'a> {
    directory: &'a OwnedFd,
    name: OsString,
}

impl<'a> TemporaryName<'a> {
    fn bind(socket: &OwnedFd, directory: &'a OwnedFd) -> io::Result<TemporaryName<'a>> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let name = OsString::from(format!(".dragnet-{}-{count}", process::id()));
            // A path through the descriptor fits in a socket address, however long the directory's own
            // path is.
            let by_descriptor = format!("/proc/self/fd/{}", directory.as_raw_fd());
            let address = SocketAddrUnix::new(Path::new(&by_descriptor).join(&name))?;
            match sys::bind(socket.as_fd(), &address) {
                Ok(()) => return Ok(TemporaryName { directory, name }),
                // Left by a process that had the same number and was killed at this point.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for TemporaryName<'_> {
    fn drop(&mut self) {
        // Fails if the name was moved to the path.
        let _ = rustix::fs::unlinkat(self.directory, &self.name, AtFlags::empty());
    }
}

/// Whether there is a socket at the path that no process listens on.
fn is_stale(path: &Path, address: &SocketAddrUnix) -> bool {
    use std::os::unix::fs::FileTypeExt;
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|m| m.file_type().is_socket());
    let refused = |socket: OwnedFd| {
        // A process that listens without accepting must not block this forever.
        if sys::set_send_timeout(socket.as_fd(), Duration::from_secs(1)).is_err() {
            return false;
        }
        let tried = sys::connect(socket.as_fd(), address);
        tried.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
    };
    is_socket && sys::socket().is_ok_and(refused)
}
