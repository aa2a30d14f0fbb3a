//! Errors that end a server's connection.

use std::io;

use super::frame::FrameError;

/// Why a [`Server`](super::Server) ended its connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The descriptor is not a client's socket, or the system failed.
    #[error("{context}: {error}")]
    System {
        /// What failed.
        context: &'static str,
        /// The error of the system.
        error: io::Error,
    },
    /// The client runs as another user, whose id this is.
    #[error("the client runs as user {0}, who may not use this server")]
    OtherUser(u32),
    /// The client violated the protocol.
    #[error("the client violated the protocol: {0}")]
    Protocol(String),
    /// The server refused the client's patterns or backend. The client received the same text.
    #[error("the client was refused: {0}")]
    Refused(String),
}

impl From<FrameError> for ServeError {
    fn from(error: FrameError) -> ServeError {
        match error {
            FrameError::Io(error) => ServeError::System { context: "the client's socket", error },
            error => ServeError::Protocol(error.to_string()),
        }
    }
}

/// Converts an `io::Error` to a [`ServeError::System`].
pub(super) fn system(context: &'static str) -> impl FnOnce(io::Error) -> ServeError {
    move |error| ServeError::System { context, error }
}

/// Returns a [`ServeError::Protocol`] with this description.
pub(super) fn protocol<T>(reason: impl Into<String>) -> Result<T, ServeError> {
    Err(ServeError::Protocol(reason.into()))
}
