//! Scanning in another process.
//!
//! A [`Sidecar`] implements [`Scan`](dragnet::Scan). The work is done by a server in another process:
//! the `dragnet serve` command, or any program that runs a `Server`. A crash, a hang or a memory leak
//! of a C library then affects that process only, and this process needs no C.
//!
//! ```text
//!  client                                                        server
//!    ├─── Unix socket: handshake, descriptors, errors ─────────────┤
//!    ├══► regions: the records of a chunk, searched in place ══════┤  one copy, by the client
//!    ├◄═► control memory: requests ──►  ◄── blocks of matches ═════┤  futexes, no copy to a socket
//! ```
//!
//! # Trust
//!
//! Neither process trusts the other.
//!
//! The server accepts clients of its own user only. It refuses to map memory that is not sealed
//! against shrinking, because an access to truncated memory would kill it. It copies every length,
//! offset and number out of shared memory before it validates it. A client that violates the
//! protocol is disconnected.
//!
//! The records are the only data that are not always copied. By default a server copies each chunk of
//! records before it searches it. `Server::search_in_place` avoids this copy; it is an unsafe function,
//! because a client that changes records during a scan then causes undefined behaviour in the server.
//! `dragnet serve` uses it, and contains the damage: one sandboxed process per client.
//!
//! The client connects to servers of its own user or of root only. It checks that each match names
//! an existing record, pattern and span, and that matches are in order, so that a wrong match can't
//! make the caller panic. The server can't write to the memory of records. A server that violates
//! the protocol is replaced, like one that has crashed.
//!
//! What this does not protect against: a server can leave out matches or invent plausible ones, and a
//! client can make the server use as much time and memory as the limits allow.
//!
//! # Systems
//!
//! Linux. On other systems every builder fails with [`SidecarError::Unsupported`], and there is no
//! `Server` and no `Listener`.

// Allowed where memory is mapped and shared with another process.
#![deny(unsafe_code)]

mod builder;
mod error;

/// Compiles the examples of the README.
#[cfg(all(doctest, target_os = "linux"))]
#[doc = include_str!("../README.md")]
mod readme {}

pub use builder::SidecarBuilder;
pub use error::SidecarError;

cfg_if::cfg_if! {
    if #[cfg(all(loom, test))] {
        // Only the modules that the models run.
        mod block_writer;
        #[allow(unsafe_code, reason = "views shared memory as atomic words")]
        mod control;
        mod futex_event;
        #[allow(dead_code, reason = "models use some of the statuses")]
        mod layout;
        mod model;
        mod sequence;
        #[allow(unsafe_code, reason = "simulates shared memory for models")]
        mod simulated;
        mod sync;
        mod unsupported;

        pub use unsupported::Sidecar;
    } else if #[cfg(target_os = "linux")] {
        mod block_writer;
        mod chunk_records;
        mod client;
        mod client_memory;
        mod connection;
        mod connection_error;
        mod connector;
        #[allow(unsafe_code, reason = "views shared memory as atomic words")]
        mod control;
        #[cfg(test)]
        mod fault_injection;
        mod frame;
        mod futex_event;
        #[cfg(fuzzing)]
        #[doc(hidden)]
        pub mod fuzz;
        mod hangup_watcher;
        mod layout;
        mod limits;
        mod listener;
        mod match_check;
        #[allow(unsafe_code, reason = "maps shared memory")]
        mod memory;
        mod pattern_codec;
        #[allow(unsafe_code, reason = "writes records to shared memory")]
        mod region;
        mod scanner_source;
        mod sequence;
        mod serve_error;
        #[allow(unsafe_code, reason = "offers to search shared memory in place")]
        mod server;
        #[allow(unsafe_code, reason = "searches shared memory in place")]
        mod session;
        mod sync;
        #[allow(unsafe_code, reason = "makes system calls")]
        mod sys;
        #[cfg(test)]
        #[allow(unsafe_code, reason = "attacks shared memory")]
        mod tests;
        #[doc(hidden)]
        pub mod transport;

        pub use client::Sidecar;
        pub use limits::Limits;
        pub use listener::Listener;
        pub use serve_error::ServeError;
        pub use server::Server;
    } else {
        mod unsupported;

        pub use unsupported::Sidecar;
    }
}
