//! `dragnet cost`: measures what crossings cost on this machine.

pub(crate) mod measure;
mod report;

use std::io::{self, IsTerminal, Write, stdout};
use std::process::Command;
use std::time::Duration;

use self::measure::Options;

use crate::args::{CostArgs, CostPeerArgs, Format};
use crate::status::{Failure, Status};

/// In how many turns each rung is measured.
const ROUNDS: u32 = 5;

/// Runs the command.
pub(crate) fn run(args: &CostArgs) -> Result<Status, Failure> {
    let options = Options { time: Duration::from_millis(args.time), rounds: ROUNDS, peer };
    let ladder = measure::measure(&options).map_err(|error| Failure::new(error.to_string()))?;
    let mut out = Vec::new();
    match args.format {
        Format::Text => report::text(&mut out, &ladder, stdout().is_terminal()),
        Format::Json => report::json(&mut out, &ladder),
    }
    let mut stdout = stdout().lock();
    stdout
        .write_all(&out)
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::output(&error))?;
    Ok(Status::Found)
}

/// This command again, as the other process of a rung.
fn peer() -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("cost-peer");
    Ok(command)
}

/// Is that other process.
pub(crate) fn serve(args: &CostPeerArgs) -> Result<Status, Failure> {
    match measure::serve(args.peer) {
        Ok(()) => Ok(Status::Found),
        Err(error) => Err(Failure::new(format!("cost-peer: {error}"))),
    }
}
