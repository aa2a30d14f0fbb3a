//! Messages to the user, on standard error.

use std::fmt::Display;
use std::io::Write;

/// Reports what went wrong.
pub(crate) fn error(message: impl Display) {
    // A message that can't be written can't be reported either; `eprintln!` would panic.
    let _ = writeln!(std::io::stderr(), "dragnet: {message}");
}

/// Reports what the user should know and need not act on.
pub(crate) fn warning(message: impl Display) {
    error(format_args!("warning: {message}"));
}
