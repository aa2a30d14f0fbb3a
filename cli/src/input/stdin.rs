//! Decides whether standard input is searched when no path is given.

use std::io::{IsTerminal, stdin};

/// Whether standard input is a pipe, a socket or a file. A terminal and other devices, such as
/// `/dev/null`, are not searched unless `-` is given, as in ripgrep.
pub(crate) fn is_readable() -> bool {
    !stdin().is_terminal() && has_readable_type()
}

#[cfg(unix)]
fn has_readable_type() -> bool {
    use std::os::unix::fs::FileTypeExt;

    metadata(stdin()).is_ok_and(|metadata| {
        let file_type = metadata.file_type();
        file_type.is_file() || file_type.is_fifo() || file_type.is_socket()
    })
}

/// Returns the metadata of an open file, such as standard input.
#[cfg(unix)]
pub(crate) fn metadata(file: impl std::os::fd::AsFd) -> std::io::Result<std::fs::Metadata> {
    std::fs::File::from(file.as_fd().try_clone_to_owned()?).metadata()
}

#[cfg(not(unix))]
fn has_readable_type() -> bool {
    true
}
