//! The socket at which clients find a server.

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
    /// Whoever sees the socket can connect to it: it is made and prepared under another name in the
    /// same folder, `.dragnet-` and a number, and then gets its own.
    ///
    /// # Errors
    ///
    /// If the path can't be had.
    pub fn bind(path: impl AsRef<Path>) -> io::Result<Listener> {
        let path = path.as_ref().to_owned();
        let address = SocketAddrUnix::new(&path)?;
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let folder = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = sys::open(folder, flags)?;

        let socket = sys::socket()?;
        let hidden = Hidden::bind(&socket, &folder)?;
        // Nobody can connect before it listens.
        sys::allow(&folder, &hidden.name, Mode::RUSR | Mode::WUSR)?;
        sys::listen(socket.as_fd(), 16)?;

        match sys::link(&folder, &hidden.name, name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if !is_stale(&path, &address) {
                    return Err(Errno::ADDRINUSE.into());
                }
                sys::rename(&folder, &hidden.name, name)?;
            }
            linked => linked?,
        }
        drop(hidden);
        Ok(Listener { socket, path })
    }

    /// Waits for a client.
    ///
    /// # Errors
    ///
    /// If there is none to be had, for want of descriptors for example; the next call may do better.
    pub fn accept(&self) -> io::Result<OwnedFd> {
        sys::accept(self.socket.as_fd())
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

/// The name of a socket that does not listen yet, removed when it is dropped.
struct Hidden<'a> {
    folder: &'a OwnedFd,
    name: OsString,
}

impl<'a> Hidden<'a> {
    fn bind(socket: &OwnedFd, folder: &'a OwnedFd) -> io::Result<Hidden<'a>> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let name = OsString::from(format!(".dragnet-{}-{count}", process::id()));
            // A path by the descriptor is short enough for an address, however long the folder's is.
            let by_descriptor = format!("/proc/self/fd/{}", folder.as_raw_fd());
            let address = SocketAddrUnix::new(Path::new(&by_descriptor).join(&name))?;
            match sys::bind(socket.as_fd(), &address) {
                Ok(()) => return Ok(Hidden { folder, name }),
                // Of a process that had this number and was killed here.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        // It is not there any more if it was renamed.
        let _ = rustix::fs::unlinkat(self.folder, &self.name, AtFlags::empty());
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
