//! Lists directories, and opens what is in them relative to the open directory.
//!
//! The system resolves a path component by component, and does so anew for each call. For a small file in
//! a deep tree that takes about as long as reading it. Relative to the open directory there is one
//! component, and nobody can lead the call elsewhere by replacing a directory by a link.
//!
//! The files of a directory keep it open until they are searched. Only a part of the files that the process
//! may open is used for that; entries of other directories, and all on systems without such calls, are opened
//! by their path.

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// The largest number of directories that a walk keeps open.
const MAX_OPEN: usize = 256;

/// Directories may use one in this many of the process's open files.
const OPEN_FILES_PER_DIRECTORY: usize = 4;

/// An entry of a directory.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: OsString,
    pub(super) kind: Kind,
}

/// The type of an entry. Links are not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    /// A link or a special file.
    Other,
}

/// An open directory. Made by [`OpenDirectories::list`].
#[derive(Debug)]
pub(super) struct Directory {
    #[cfg_attr(not(unix), allow(dead_code, reason = "there is none"))]
    fd: system::Fd,
    open: Arc<AtomicUsize>,
}

impl Drop for Directory {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Lists directories, and counts those that are open.
#[derive(Debug)]
pub(super) struct OpenDirectories {
    open: Arc<AtomicUsize>,
    limit: usize,
}

impl OpenDirectories {
    pub(super) fn new() -> OpenDirectories {
        let limit = (system::max_open_files() / OPEN_FILES_PER_DIRECTORY).min(MAX_OPEN);
        OpenDirectories { open: Arc::default(), limit }
    }

    /// Appends the entries of a directory, in the order of the system. `path` ends with its name in `parent`;
    /// without a parent, it may be a link. Returns the directory if it remains open.
    ///
    /// # Errors
    ///
    /// Also after some of the entries were appended.
    pub(super) fn list(
        &self,
        parent: Option<&Directory>,
        path: &Path,
        follow_link: bool,
        entries: &mut Vec<Entry>,
    ) -> io::Result<Option<Arc<Directory>>> {
        let Some(fd) = system::list(parent, path, follow_link, entries)? else { return Ok(None) };
        if self.open.fetch_add(1, Ordering::Relaxed) >= self.limit {
            self.open.fetch_sub(1, Ordering::Relaxed);
            return Ok(None);
        }
        Ok(Some(Arc::new(Directory { fd, open: self.open.clone() })))
    }
}

/// Opens a file for reading, if it is no link. Does not wait, whatever it is. `path` ends with its name in
/// `parent`.
pub(super) fn open_file(parent: Option<&Directory>, path: &Path) -> io::Result<File> {
    system::open_file(parent, path)
}

/// Returns the size of an entry in bytes. `path` ends with its name in `parent`.
pub(super) fn file_size(parent: Option<&Directory>, path: &Path) -> io::Result<u64> {
    system::file_size(parent, path)
}

/// Whether standard output is redirected to this file. A search that read it would read its own output, and
/// might never end.
pub(super) fn is_stdout(file: &File, metadata: &Metadata) -> bool {
    static STDOUT: OnceLock<Option<system::FileId>> = OnceLock::new();
    let stdout = STDOUT.get_or_init(system::stdout);
    stdout.as_ref().is_some_and(|stdout| system::is_same_file(stdout, file, metadata))
}

cfg_if::cfg_if! {
    if #[cfg(unix)] {
        mod system {
            use std::ffi::{OsStr, OsString};
            use std::fs::{File, Metadata};
            use std::io;
            use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
            use std::os::unix::ffi::{OsStrExt, OsStringExt};
            use std::os::unix::fs::MetadataExt;
            use std::path::Path;

            use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat};
            use rustix::process::{Resource, getrlimit};

            use super::{Directory, Entry, Kind};

            pub(super) type Fd = OwnedFd;

            /// The numbers of the device and of the file on it.
            pub(super) type FileId = (u64, u64);

            pub(super) fn stdout() -> Option<FileId> {
                let stdout = File::from(io::stdout().as_fd().try_clone_to_owned().ok()?);
                let metadata = stdout.metadata().ok()?;
                metadata.is_file().then(|| (metadata.dev(), metadata.ino()))
            }

            pub(super) fn is_same_file(id: &FileId, _: &File, metadata: &Metadata) -> bool {
                *id == (metadata.dev(), metadata.ino())
            }

            /// For every file that is opened: to wait for nothing, and to leave nothing to child processes.
            const FLAGS: OFlags =
                OFlags::CLOEXEC.union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

            pub(super) fn max_open_files() -> usize {
                getrlimit(Resource::Nofile).current.map_or(usize::MAX, |limit| limit as usize)
            }

            pub(super) fn list(
                parent: Option<&Directory>,
                path: &Path,
                follow_link: bool,
                entries: &mut Vec<Entry>,
            ) -> io::Result<Option<Fd>> {
                let (at, name) = location(parent, path);
                let mut flags = FLAGS | OFlags::DIRECTORY;
                if !follow_link {
                    flags |= OFlags::NOFOLLOW;
                }
                let fd = open(at, name, flags)?;
                let mut listing = Dir::new(rustix::io::fcntl_dupfd_cloexec(&fd, 0)?)?;
                while let Some(entry) = listing.read() {
                    let entry = entry?;
                    let name = entry.file_name().to_bytes();
                    if matches!(name, b"." | b"..") {
                        continue;
                    }
                    let kind = match entry.file_type() {
                        // Some file systems do not store it. The error, if there is one, will be that of the
                        // file.
                        FileType::Unknown => stat(fd.as_fd(), OsStr::from_bytes(name))
                            .map_or(Kind::File, |stat| kind(FileType::from_raw_mode(stat.st_mode as _))),
                        file_type => kind(file_type),
                    };
                    entries.push(Entry { name: OsString::from_vec(name.to_vec()), kind });
                }
                Ok(Some(fd))
            }

            pub(super) fn open_file(parent: Option<&Directory>, path: &Path) -> io::Result<File> {
                let (at, name) = location(parent, path);
                Ok(File::from(open(at, name, FLAGS | OFlags::NOFOLLOW)?))
            }

            fn open(at: BorrowedFd<'_>, name: &OsStr, flags: OFlags) -> io::Result<OwnedFd> {
                let opened =
                    rustix::io::retry_on_intr(|| rustix::fs::openat(at, name, flags, Mode::empty()));
                Ok(opened?)
            }

            pub(super) fn file_size(parent: Option<&Directory>, path: &Path) -> io::Result<u64> {
                let (at, name) = location(parent, path);
                Ok(u64::try_from(stat(at, name)?.st_size).unwrap_or(0))
            }

            fn stat(at: BorrowedFd<'_>, name: &OsStr) -> io::Result<Stat> {
                Ok(rustix::fs::statat(at, name, AtFlags::SYMLINK_NOFOLLOW)?)
            }

            fn location<'a>(
                parent: Option<&'a Directory>,
                path: &'a Path,
            ) -> (BorrowedFd<'a>, &'a OsStr) {
                match (parent, path.file_name()) {
                    (Some(parent), Some(name)) => (parent.fd.as_fd(), name),
                    _ => (CWD, path.as_os_str()),
                }
            }

            fn kind(file_type: FileType) -> Kind {
                match file_type {
                    FileType::RegularFile => Kind::File,
                    FileType::Directory => Kind::Directory,
                    _ => Kind::Other,
                }
            }
        }
    } else {
        mod system {
            use std::fs::{File, FileType, Metadata};
            use std::io;
            use std::path::Path;

            use super::{Directory, Entry, Kind};

            /// No directory is kept open.
            #[derive(Debug)]
            pub(super) enum Fd {}

            pub(super) type FileId = same_file::Handle;

            pub(super) fn stdout() -> Option<FileId> {
                let handle = same_file::Handle::stdout().ok()?;
                let is_file = handle.as_file().metadata().is_ok_and(|metadata| metadata.is_file());
                is_file.then_some(handle)
            }

            pub(super) fn is_same_file(id: &FileId, file: &File, _: &Metadata) -> bool {
                let handle = file.try_clone().and_then(same_file::Handle::from_file);
                handle.is_ok_and(|handle| handle == *id)
            }

            pub(super) fn max_open_files() -> usize {
                0
            }

            pub(super) fn list(
                _: Option<&Directory>,
                path: &Path,
                _: bool,
                entries: &mut Vec<Entry>,
            ) -> io::Result<Option<Fd>> {
                for entry in std::fs::read_dir(path)? {
                    let entry = entry?;
                    let kind = entry.file_type().map_or(Kind::File, kind);
                    entries.push(Entry { name: entry.file_name(), kind });
                }
                Ok(None)
            }

            pub(super) fn open_file(_: Option<&Directory>, path: &Path) -> io::Result<File> {
                File::open(path)
            }

            pub(super) fn file_size(_: Option<&Directory>, path: &Path) -> io::Result<u64> {
                Ok(std::fs::symlink_metadata(path)?.len())
            }

            fn kind(file_type: FileType) -> Kind {
                match () {
                    () if file_type.is_file() => Kind::File,
                    () if file_type.is_dir() => Kind::Directory,
                    () => Kind::Other,
                }
            }
        }
    }
}
