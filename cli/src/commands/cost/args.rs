//! The options of `dragnet cost`.

use super::measure::Peer;
use crate::args::OutputArgs;

/// Measure the cost of calling into C, other threads and other processes
///
/// Runs the same work, hashing 64-byte records, as a plain Rust function and across each kind of
/// boundary. The time beyond that of the Rust function is the cost of crossing the boundary:
///
/// "C function" calls a C function before the work; with catch_unwind around it, with a mutex
/// locked, or with the work in a callback from C. "handle look-up" finds a value by an integer
/// handle. "caught panic" catches a panic before the work. "Owner" has the work done by another
/// thread, and "Pool" by one of two threads. "Unix socket" sends the records to another process in
/// frames of the sidecar's socket. "shared memory" has them hashed by a sidecar, as `dragnet serve`
/// would search them. The last two require Linux.
///
/// The columns are the crossing alone (a call without records) as its median and its 90th and 99th
/// percentiles; its median relative to the plain Rust call; the time per record in batches of 1 to
/// 10,000; and the smallest batch to which the crossing adds less than 5%.
///
/// The measurements take turns, but other load on the machine still affects them. JSON output has
/// all percentiles of all batches, in nanoseconds.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
        dragnet cost\n  \
        dragnet cost --time 500 --format json > cost.json")]
pub(crate) struct CostArgs {
    #[command(flatten)]
    pub(crate) output: OutputArgs,

    /// Time to measure each of 11 rungs at each of 6 batch sizes, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    pub(crate) time: u64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CostPeerArgs {
    #[arg(value_parser = |name: &str| Peer::from_name(name).ok_or("no such peer"))]
    pub(crate) peer: Peer,
}
