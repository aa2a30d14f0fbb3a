//! The errors of starting threads and of calling them.

use std::any::Any;
use std::error::Error;
use std::io;

use crate::sync::{discard, panic_message};

/// Why an [`Owner`](crate::Owner) or a [`Pool`](crate::Pool) could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A value could not be made.
    #[error(transparent)]
    Make(#[from] MakeError),
    /// The system could not start a thread. Targets without threads, such as plain WebAssembly,
    /// always return this.
    #[error("a thread could not be started: {0}")]
    Spawn(#[source] io::Error),
}

/// Why a value could not be made on its thread.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MakeError {
    /// The function that makes the value returned an error.
    #[error("the value could not be made: {0}")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
    /// The function that makes the value panicked with this message.
    #[error("the value could not be made: panic: {0}")]
    Panicked(String),
}

impl MakeError {
    pub(crate) fn panicked(payload: Box<dyn Any + Send>) -> MakeError {
        let message = panic_message(&*payload);
        discard(payload);
        MakeError::Panicked(message)
    }
}

/// Why a call has no result.
///
/// The panic of a call is not such an error: it is resumed on the thread that waits for the result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The call did not return before its deadline. It may have run in part, in whole, or not at
    /// all.
    #[error("the call exceeded its deadline")]
    TimedOut,
    /// The queue is full, and the call was submitted without waiting. It did not run.
    #[error("the queue is full")]
    Full,
    /// The owner or pool was dropped before the call ran.
    #[error("the owner was dropped before the call ran")]
    Closed,
    /// The call was made, or its result awaited, on a thread of the same owner or pool, where it
    /// could deadlock.
    #[error("a call from one of the owner's own threads would deadlock")]
    Reentrant,
    /// Every thread is stuck in an abandoned call, and no more threads may be started. The call did
    /// not run. Calls run again once a stuck one returns.
    #[error("no thread is left: {stuck} are stuck in abandoned calls")]
    Exhausted {
        /// Number of stuck threads.
        stuck: usize,
    },
    /// The value was lost to a panic or with an abandoned thread, and could not be made again. The
    /// call did not run. The next call tries again.
    #[error(transparent)]
    Make(#[from] MakeError),
    /// The thread that tracks deadlines could not be started. The call did not run.
    #[error("the thread that tracks deadlines could not be started: {0}")]
    Spawn(#[source] io::Error),
    /// The result was taken before: the future was polled after it had returned the result.
    #[error("the result of the call was already taken")]
    Taken,
}
