//! Runs the `dragnet` command and checks its output, messages and exit status, one module per
//! subcommand.
//!
//! All modules are one test binary, which is built and linked faster than one for each.

mod common;
mod compare;
mod cost;
mod documents;
mod encoding;
#[cfg(target_os = "linux")]
mod hostile;
mod multiline;
mod options;
mod pipes;
mod redact;
mod rules;
mod scan;
#[cfg(target_os = "linux")]
mod serve;
#[cfg(unix)]
mod walk;
mod whole_search;
