//! The `dragnet` command: searches files for thousands of regular expressions at once.
//!
//! The command is a thin layer over the `dragnet` library. A subcommand in [`commands`] loads
//! [`rules`], reads [`input`] in chunks of whole lines, hands each chunk to a scanner of the
//! library as one batch and prints the matches.

mod args;
mod commands;
mod engine;
mod escape;
mod input;
mod json;
mod messages;
mod output;
mod rules;
mod status;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};
use crate::commands::{compare, cost, docs, redact, rules as rules_command, scan, serve};
use crate::status::{ExitStatus, Failure};

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return ExitCode::from(print_clap_message(&error).code()),
    };
    let result = match args.command {
        Command::Scan(args) => scan::run(&args),
        Command::Redact(args) => redact::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Rules(args) => rules_command::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Cost(args) => cost::run(&args),
        Command::Completions(args) => docs::completions(&args),
        Command::Man(args) => docs::man(&args),
        Command::CostPeer(args) => cost::serve(&args),
    };
    ExitCode::from(result.unwrap_or_else(Failure::report).code())
}

/// Prints the help, the version or the usage error that clap returns as an error.
///
/// `clap::Error::exit` would do this too, but it ignores errors of writing, and `dragnet --help` to
/// a full disk would succeed.
///
/// An argument can be the name of a file that a shell expanded, and usage errors repeat it. If one
/// has characters that control a terminal, the message is printed escaped and without colors.
fn print_clap_message(message: &clap::Error) -> ExitStatus {
    if message.use_stderr() && std::env::args_os().any(|arg| escape::is_needed(&arg)) {
        let text = escape::lines(&message.render().to_string());
        let _ = std::io::stderr().write_all(text.as_bytes());
        return ExitStatus::Failed;
    }
    match message.print() {
        // A usage error. If standard error is closed, there is nowhere left to report it.
        _ if message.use_stderr() => ExitStatus::Failed,
        Ok(()) => ExitStatus::Success,
        Err(error) => Failure::output(&error).report(),
    }
}
