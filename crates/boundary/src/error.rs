//! What can go wrong with a call to another thread.

use std::any::Any;
use std::error::Error;
use std::io;

use super::sync::discard;

/// Why an [`Owner`](super::Owner) or a [`Pool`](super::Pool) could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A value could not be made.
    #[error(transparent)]
    Make(#[from] MakeError),
    /// The system has no thread to give; on some, such as plain WebAssembly, it never has.
    #[error("a thread could not be started: {0}")]
    Spawn(#[source] io::Error),
}

/// Why a value could not be made on its thread.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MakeError {
    /// Its maker returned an error.
    #[error("the value could not be made: {0}")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
    /// Its maker panicked, with this message.
    #[error("the maker of the value panicked: {0}")]
    Panicked(String),
}

impl MakeError {
    pub(super) fn panicked(payload: Box<dyn Any + Send>) -> MakeError {
        let message = match payload.downcast::<String>() {
            Ok(message) => *message,
            Err(payload) => match payload.downcast_ref::<&str>() {
                Some(message) => (*message).to_owned(),
                None => {
                    discard(payload);
                    "a value that is not a text".to_owned()
                }
            },
        };
        MakeError::Panicked(message)
    }
}

/// Why a call has no result.
///
/// A call that panicked has none either, but that is no error of this kind: the panic goes on in
/// whoever waits for the result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// It did not come back in time. It may have run, in part or whole, or not at all.
    #[error("the call did not come back in time")]
    TimedOut,
    /// The queue is full, and the call was not to wait for a place. It did not run.
    #[error("the queue is full")]
    Full,
    /// The owner or pool was dropped before the call ran.
    #[error("the owner was dropped before the call ran")]
    Closed,
    /// It was made, or waited for, on a thread of the same owner or pool, where it could wait for
    /// itself forever.
    #[error("a call from one of the owner's own threads would wait for itself")]
    Reentrant,
    /// Every thread is stuck in a call that was given up, and no more threads may be started. The
    /// call did not run. Calls run again once a stuck one comes back.
    #[error("no thread is left: {stuck} are stuck in calls that were given up")]
    Exhausted {
        /// How many threads are stuck.
        stuck: usize,
    },
    /// The value was lost, to a panic or with a thread that was given up, and could not be made
    /// again. The call did not run; the next one tries again.
    #[error(transparent)]
    Make(#[from] MakeError),
    /// The thread that watches deadlines could not be started. The call did not run.
    #[error("the thread that watches deadlines could not be started: {0}")]
    Spawn(#[source] io::Error),
    /// Its result was taken before: the handle was polled after it had given it.
    #[error("the result of the call was taken before")]
    Taken,
}
