//! The `dragnet` command: which of thousands of regular expressions match which lines, and where.
//!
//! The command is thin: it loads [rules], reads [input] in blocks of whole lines, hands them to
//! the `dragnet` library and prints what it finds.

mod args;
mod compare;
mod engine;
mod escape;
mod input;
mod json;
mod list;
mod messages;
mod redact;
mod rules;
mod scan;
mod status;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};
use crate::status::Failure;

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Scan(args) => scan::run(&args),
        Command::Redact(args) => redact::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Rules(args) => list::run(&args),
    };
    ExitCode::from(result.unwrap_or_else(Failure::report).code())
}
