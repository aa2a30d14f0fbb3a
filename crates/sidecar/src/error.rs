//! Why another process can't scan.

use std::io;

/// Why a [`Sidecar`](super::Sidecar) could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SidecarError {
    /// This system lacks what it takes: sealed shared memory, sockets that keep messages apart and
    /// carry descriptors, and futexes. Linux has them.
    #[error("a sidecar needs Linux; on this system, scan in this process")]
    Unsupported,
    /// The server does not take these patterns or this backend, or speaks another version.
    #[error("the sidecar refuses: {0}")]
    Refused(String),
    /// There was no server to be had in as many tries as were [set](super::SidecarBuilder::tries).
    #[error("{0}")]
    Unavailable(String),
    /// This process lacks what it takes to talk to one: descriptors, memory or threads.
    #[error("{what}: {error}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        error: io::Error,
    },
}
