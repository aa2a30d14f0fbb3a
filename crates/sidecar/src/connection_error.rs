//! Errors after which a client's connection can't be used.

use std::io;

/// Why a connection can't be made or used any more.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectionError {
    /// The server refuses this client. Another attempt would end in the same way.
    #[error("{0}")]
    Refused(String),
    /// The server has exited, does not answer, or violated the protocol. An attempt with another
    /// server may succeed.
    #[error("{0}")]
    Broken(String),
    /// A system call of this process failed.
    #[error("{0}: {1}")]
    System(&'static str, io::Error),
    /// The stop flag was raised.
    #[error("stopped")]
    Stopped,
}

impl ConnectionError {
    /// The message when this error ended the last of `attempts` attempts.
    pub(super) fn after_attempts(&self, attempts: u32) -> String {
        match attempts {
            1 => format!("the sidecar failed: {self}"),
            _ => format!("the sidecar failed {attempts} times, most recently: {self}"),
        }
    }
}

/// Converts an `io::Error` to a [`ConnectionError::System`].
pub(super) fn system(context: &'static str) -> impl FnOnce(io::Error) -> ConnectionError {
    move |error| ConnectionError::System(context, error)
}

/// Returns a [`ConnectionError::Broken`] with this description.
pub(super) fn broken<T>(reason: impl Into<String>) -> Result<T, ConnectionError> {
    Err(ConnectionError::Broken(reason.into()))
}
