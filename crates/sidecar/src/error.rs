//! Errors that keep a sidecar from starting.

use std::io;

/// Why a [`Sidecar`](super::Sidecar) could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SidecarError {
    /// The operating system has no sealed shared memory, sequenced-packet sockets that carry
    /// descriptors, or futexes. Linux has them.
    #[error("sidecars are only supported on Linux; scan in this process instead")]
    Unsupported,
    /// The server refused the patterns or the backend, or speaks another version of the protocol.
    #[error("the sidecar refuses: {0}")]
    Refused(String),
    /// Every one of the configured [attempts](super::SidecarBuilder::max_attempts) to start or
    /// reach a server failed.
    #[error("{0}")]
    Unavailable(String),
    /// This process has run out of descriptors, memory or threads.
    #[error("{context}: {error}")]
    System {
        /// What failed.
        context: &'static str,
        /// The error of the system.
        error: io::Error,
    },
}
