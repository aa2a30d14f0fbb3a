//! The options of `dragnet serve`.

use std::path::PathBuf;

/// Scan on behalf of other processes, isolated from them
///
/// This is the server of the library's `Sidecar`, which sends patterns over a Unix socket and
/// records through shared memory. If an engine crashes or hangs in the server, the client process
/// survives: a restarted server answers the request, or the client gets an error.
///
/// The server starts one process for each client, which ends when the client disconnects. Before
/// that process reads from the client, it gives up access to files and the network and, on x86-64,
/// AArch64 and RISC-V, most system calls. Only clients of the same user are served. Requires Linux.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
        dragnet serve --socket /run/user/1000/dragnet.sock\n  \
        dragnet serve --stdin         as run by Sidecar::spawn")]
#[command(group = clap::ArgGroup::new("place").required(true))]
pub(crate) struct ServeArgs {
    /// Listen on a Unix socket at PATH
    ///
    /// Only the user who runs the server can connect. A socket left over from a killed server is
    /// replaced.
    #[arg(long, value_name = "PATH", group = "place")]
    pub(crate) socket: Option<PathBuf>,

    /// Serve the one client whose socket is standard input
    #[arg(long, group = "place")]
    pub(crate) stdin: bool,

    /// Maximum number of clients served at a time; others are refused with an error that says so
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub(crate) clients: usize,

    /// Maximum size of each shared memory region of a client, in MiB
    ///
    /// A client has up to 8 regions. The size also limits the length of a record.
    #[arg(long, value_name = "MIB", default_value_t = 1024, value_parser = clap::value_parser!(u64).range(1..=4095))]
    pub(crate) max_memory: u64,

    /// Maximum number of patterns of a client
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub(crate) max_patterns: u32,
}
