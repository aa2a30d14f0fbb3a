//! Whether there is something to read on standard input.

use std::io::{IsTerminal, stdin};

/// Whether standard input is a pipe, a socket or a file, so that searching it makes sense when no
/// path was given. A terminal and `/dev/null` are not, as in ripgrep.
pub(crate) fn is_piped() -> bool {
    !stdin().is_terminal() && is_readable()
}

#[cfg(unix)]
fn is_readable() -> bool {
    use std::os::fd::AsFd;
    use std::os::unix::fs::FileTypeExt;

    let metadata =
        stdin().as_fd().try_clone_to_owned().and_then(|fd| std::fs::File::from(fd).metadata());
    metadata.is_ok_and(|metadata| {
        let kind = metadata.file_type();
        kind.is_file() || kind.is_fifo() || kind.is_socket()
    })
}

#[cfg(not(unix))]
fn is_readable() -> bool {
    true
}
