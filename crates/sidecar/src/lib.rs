//! Scanning in another process.
//!
//! A [`Sidecar`] implements [`Scan`](dragnet::Scan), and a server in another process does the work:
//! the `dragnet serve` command, or any program that runs a [`Server`]. So a crash, a hang or a leak
//! of a C library is that process's alone, and this one needs no C.
//!
//! ```text
//!   client                                            server
//!     |---- Unix socket: patterns, memory, faults ----->|
//!     |==== memory of records, which the server reads ==>| (no copy)
//!     |<=== control memory: requests, blocks of matches =>| (futexes)
//! ```
//!
//! # Who trusts whom
//!
//! Nobody. The server checks that its client is of the same user; that memory is sealed, so that it
//! can't be cut off under it; and every length, offset and number after it has been copied out.
//! What does not hold ends the connection with a [`ServeError`]. The bytes of records alone are read
//! where they are: a client that changes them during the scan gets an answer about something else.
//! The native engine takes records from C's side in the same way, so a server for clients that are
//! not trusted at all should have one process for each, as the command does.
//!
//! The client checks the server's user, and of each match that it has a record, a pattern and bytes
//! that there are, and its place in the order; the memory of records can't be written to by the
//! server. What does not hold is a fault of the server, as its crash would be.
//!
//! # Systems
//!
//! Linux. Elsewhere a builder fails with [`SidecarError::Unsupported`].

mod builder;
mod error;

pub use builder::SidecarBuilder;
pub use error::SidecarError;

cfg_if::cfg_if! {
    if #[cfg(all(loom, test))] {
        // What the models run, and no more.
        mod bell;
        mod blocks;
        #[allow(dead_code)]
        mod control;
        mod model;
        mod sync;
        mod unsupported;

        pub use unsupported::Sidecar;
    } else if #[cfg(target_os = "linux")] {
        mod bell;
        mod blocks;
        mod client;
        mod connection;
        mod control;
        #[cfg(test)]
        mod fault;
        mod frame;
        #[cfg(fuzzing)]
        #[doc(hidden)]
        pub mod fuzz;
        mod launch;
        mod limits;
        mod listener;
        mod memory;
        mod patterns;
        mod region;
        mod request;
        mod server;
        mod sync;
        mod sys;
        #[cfg(test)]
        mod tests;
        mod watcher;

        pub use client::Sidecar;
        pub use limits::Limits;
        pub use listener::Listener;
        pub use server::{ServeError, Server};
    } else {
        mod unsupported;

        pub use unsupported::Sidecar;
    }
}
