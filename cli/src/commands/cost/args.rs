//! The options of `dragnet cost`.

use super::measure::Peer;
use crate::args::OutputArgs;

/// Measure the cost of calling into C, other threads and other processes
///
/// Runs the same work, hashing 64-byte records, as a plain Rust function and across each kind of
/// boundary: a C call, a C call that calls back, another thread (Owner, Pool) and another process
/// (Unix socket, shared memory). The time beyond that of the Rust function is the cost of crossing
/// the boundary.
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

    /// Time to measure each of 12 rungs at each of 6 batch sizes, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    pub(crate) time: u64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CostPeerArgs {
    #[arg(value_parser = |name: &str| Peer::from_name(name).ok_or("there is no such peer"))]
    pub(crate) peer: Peer,
}
