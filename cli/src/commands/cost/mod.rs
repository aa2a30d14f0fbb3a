//! `dragnet cost`: measures what crossings cost on this machine.

mod args;
mod measure;
mod report;

use std::io::{self, IsTerminal, stdout};
use std::process::Command;
use std::time::Duration;

pub(crate) use self::args::{CostArgs, CostPeerArgs};
use self::measure::Options;
use crate::args::Format;
use crate::output;
use crate::status::{ExitStatus, Failure};

/// In how many turns each rung is measured.
const ROUNDS: u32 = 5;

/// Runs the command.
pub(crate) fn run(args: &CostArgs) -> Result<ExitStatus, Failure> {
    let options = Options { time: Duration::from_millis(args.time), rounds: ROUNDS, peer };
    let ladder = measure::measure(&options).map_err(|error| Failure::new(error.to_string()))?;
    let mut out = Vec::new();
    match args.output.format {
        Format::Text => report::text(&mut out, &ladder, stdout().is_terminal()),
        Format::Json => report::json(&mut out, &ladder),
    }
    output::print(&out)?;
    Ok(ExitStatus::Success)
}

/// This command again, as the other process of a rung.
fn peer() -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("cost-peer");
    Ok(command)
}

/// Is that other process.
pub(crate) fn serve(args: &CostPeerArgs) -> Result<ExitStatus, Failure> {
    match measure::serve(args.peer) {
        Ok(()) => Ok(ExitStatus::Success),
        Err(error) => Err(Failure::new(format!("cost-peer: {error}"))),
    }
}
