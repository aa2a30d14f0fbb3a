//! Opens files of a tree that nobody vouches for.
//!
//! Opening a FIFO waits for a writer, opening a device can have effects of its own, and reading
//! `/dev/zero` never ends. A path in a tree can name any of these, or can be replaced by one
//! between the moment when it is listed and the moment when it is opened. So the type is checked
//! twice: before opening, which leaves devices alone, and again on the open file. For a file that a walk finds,
//! the first check is that of the entry in the list of its directory.

use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io;
use std::path::Path;

use super::directory::{Directory, is_stdout, open_file};

/// Opens a regular file, also through links. Does not wait, whatever the path names.
///
/// # Errors
///
/// [`io::ErrorKind::NotFound`] if there is no such file, and an error that names the type if it is
/// not a regular file.
pub(crate) fn regular_file(path: &Path) -> io::Result<(File, Metadata)> {
    check_type(std::fs::metadata(path)?.file_type())?;
    let file = open(path)?;
    let metadata = file.metadata()?;
    check_type(metadata.file_type())?;
    Ok((file, metadata))
}

/// Opens a file that a walk has found, and checks that it is regular. Does not wait, whatever the path names.
/// `directory` is the one that it was found in. Returns `None` for the file that standard output is
/// redirected to.
///
/// # Errors
///
/// As [`regular_file`].
pub(super) fn found_regular_file(
    directory: Option<&Directory>,
    path: &Path,
) -> io::Result<Option<(File, Metadata)>> {
    let file = open_file(directory, path)?;
    let metadata = file.metadata()?;
    check_type(metadata.file_type())?;
    Ok(if is_stdout(&file, &metadata) { None } else { Some((file, metadata)) })
}

fn check_type(file_type: FileType) -> io::Result<()> {
    if file_type.is_file() {
        return Ok(());
    }
    Err(io::Error::other(format!("it is {}, not a regular file", type_name(file_type))))
}

cfg_if::cfg_if! {
    if #[cfg(unix)] {
        use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};

        use rustix::fs::OFlags;

        fn open(path: &Path) -> io::Result<File> {
            let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
            // The bits of a C int: the same for every flag that `open` knows.
            OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(path)
        }

        fn type_name(file_type: FileType) -> &'static str {
            match () {
                () if file_type.is_dir() => "a directory",
                () if file_type.is_symlink() => "a symbolic link",
                () if file_type.is_fifo() => "a FIFO",
                () if file_type.is_socket() => "a socket",
                () if file_type.is_char_device() || file_type.is_block_device() => "a device",
                () => "something else",
            }
        }
    } else {
        fn open(path: &Path) -> io::Result<File> {
            OpenOptions::new().read(true).open(path)
        }

        fn type_name(file_type: FileType) -> &'static str {
            match () {
                () if file_type.is_dir() => "a directory",
                () if file_type.is_symlink() => "a symbolic link",
                () => "something else",
            }
        }
    }
}
