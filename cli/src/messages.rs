//! Error messages and warnings on standard error.

use std::fmt::Display;
use std::io::Write;

/// Prints an error message.
pub(crate) fn error(message: impl Display) {
    // An error of writing the message can't be reported anywhere; `eprintln!` would panic.
    let _ = writeln!(std::io::stderr(), "dragnet: {message}");
}

/// Prints a message about something that does not stop the command.
pub(crate) fn warning(message: impl Display) {
    error(format_args!("warning: {message}"));
}
