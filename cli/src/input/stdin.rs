//! Whether there is something to read on standard input.

use std::io::{IsTerminal, stdin};

/// Whether standard input is a pipe, a socket or a file, so that searching it makes sense when no
/// path was given. A terminal and `/dev/null` are not, as in ripgrep.
pub(crate) fn is_piped() -> bool {
    !stdin().is_terminal() && is_readable()
}

#[cfg(unix)]
fn is_readable() -> bool {
    use std::os::unix::fs::FileTypeExt;

    metadata(stdin()).is_ok_and(|metadata| {
        let kind = metadata.file_type();
        kind.is_file() || kind.is_fifo() || kind.is_socket()
    })
}

/// What is known about an open file, such as standard input.
#[cfg(unix)]
pub(crate) fn metadata(file: impl std::os::fd::AsFd) -> std::io::Result<std::fs::Metadata> {
    std::fs::File::from(file.as_fd().try_clone_to_owned()?).metadata()
}

#[cfg(not(unix))]
fn is_readable() -> bool {
    true
}
