//! `dragnet cost`: measures what it costs to cross boundaries on this machine.

mod args;
mod measure;
mod report;

use std::io::{IsTerminal, stdout};
use std::time::Duration;

pub(crate) use self::args::{CostArgs, CostPeerArgs};
use self::measure::Options;
use crate::args::Format;
use crate::output;
use crate::status::{ExitStatus, Failure};

/// Number of rounds. Each rung is measured in one turn per round and batch size.
const ROUNDS: u32 = 5;

/// Runs the command.
pub(crate) fn run(args: &CostArgs) -> Result<ExitStatus, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::new(error.to_string());
    let program = std::env::current_exe().map_err(|error| failed(&error))?;
    let options = Options { time: Duration::from_millis(args.time), rounds: ROUNDS, program };
    let measurements = measure::measure(&options).map_err(|error| failed(&error))?;
    let mut out = Vec::new();
    match args.output.format {
        Format::Text => report::text(&mut out, &measurements, stdout().is_terminal()),
        Format::Json => report::json(&mut out, &measurements),
    }
    output::print(&out)?;
    Ok(ExitStatus::Success)
}

/// Runs the hidden command `dragnet cost-peer`: the other process of a rung that measures processes.
pub(crate) fn serve(args: &CostPeerArgs) -> Result<ExitStatus, Failure> {
    match measure::serve(args.peer) {
        Ok(()) => Ok(ExitStatus::Success),
        Err(error) => Err(Failure::new(format!("cost-peer: {error}"))),
    }
}
