//! Error messages and warnings on standard error.
//!
//! Messages contain names of files and texts of other libraries. Whoever makes a message escapes
//! what may hold a line end; all other characters that control a terminal are escaped here, so that
//! none can be forgotten.

use std::fmt::Display;
use std::io::Write;

use crate::escape;

/// Prints an error message.
pub(crate) fn error(message: impl Display) {
    // An error of writing the message can't be reported anywhere; `eprintln!` would panic.
    let _ = writeln!(std::io::stderr(), "dragnet: {}", escape::lines(&message.to_string()));
}

/// Prints a message about something that does not stop the command.
pub(crate) fn warning(message: impl Display) {
    error(format_args!("warning: {message}"));
}

/// Prints a message about what the command did.
pub(crate) fn note(message: impl Display) {
    error(format_args!("note: {message}"));
}
