//! Standard output.

use std::io::{Write, stdout};

use crate::status::Failure;

/// Writes `bytes` to standard output and flushes it, so that a reader of a pipe gets them at once.
pub(crate) fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(|error| Failure::output(&error))
}
