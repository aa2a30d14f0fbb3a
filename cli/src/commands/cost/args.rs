//! The options of `dragnet cost`.

use super::measure::Peer;
use crate::args::OutputArgs;

/// Measure the cost of calling into C, other threads and other processes
///
/// Does the same work, hashing 64-byte records, in a plain Rust call and across each kind of
/// boundary. The time beyond that of the plain call is the cost of crossing the boundary. Each row
/// of the output, a rung, is one kind of boundary:
///
///   Rust function              does the work
///   C function                 is called before the work
///   C function, catch_unwind   the same, with panics caught
///   C function, mutex          the same, with a mutex locked
///   C function that calls back does the work in the callback
///   handle look-up             finds a value by an integer handle before the work
///   caught panic               catches a panic before the work
///   Owner                      has another thread do the work
///   Pool                       has whichever of two threads is free do the work
///   Unix socket                sends the records to another process over a sidecar's socket (Linux)
///   shared memory              has a sidecar hash the records, as it would search them (Linux)
///
/// The first columns are about the crossing alone, a call without records: its median time, its 90th
/// and 99th percentiles, and its median relative to the plain Rust call. Then come the time per record
/// in batches of 1 to 10,000, and the smallest batch to which the crossing adds less than 5%.
///
/// The rungs take turns, so that a change of the machine's speed affects all of them, but other load
/// still adds noise. JSON output has all percentiles of all batches, in nanoseconds.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
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
