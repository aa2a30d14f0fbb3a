//! The `dragnet` command: which of thousands of regular expressions match which lines, and where.
//!
//! The command is thin: it loads [rules], reads [input] in blocks of whole lines, hands them to
//! the `dragnet` library and prints what it finds.

mod args;
mod compare;
mod cost;
mod engine;
mod escape;
mod input;
mod json;
mod list;
mod messages;
mod redact;
mod rules;
mod scan;
mod serve;
mod status;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};
use crate::status::{Failure, Status};

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return ExitCode::from(answer(&error).code()),
    };
    let result = match args.command {
        Command::Scan(args) => scan::run(&args),
        Command::Redact(args) => redact::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Rules(args) => list::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Cost(args) => cost::run(&args),
        Command::CostPeer(args) => cost::serve(&args),
    };
    ExitCode::from(result.unwrap_or_else(Failure::report).code())
}

/// Prints what clap has to say: the help, the version or what is wrong with the arguments. Its
/// own `exit` takes no notice of output that can't be written.
fn answer(answer: &clap::Error) -> Status {
    match answer.print() {
        // There is nowhere left to complain to if standard error is closed.
        _ if answer.use_stderr() => Status::Failed,
        Ok(()) => Status::Found,
        Err(error) => Failure::output(&error).report(),
    }
}
