//! How a command ends.

use std::io;

use crate::messages;

/// How a command ended that ran to its end, as grep tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Something was found, or there was nothing to find: exit status 0.
    Found,
    /// Nothing was found: exit status 1.
    Nothing,
    /// There was an error, which has been reported: exit status 2.
    Failed,
}

impl Status {
    /// The exit status of the process.
    pub(crate) fn code(self) -> u8 {
        match self {
            Status::Found => 0,
            Status::Nothing => 1,
            Status::Failed => 2,
        }
    }
}

/// Why a command ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The reader of the output has gone away. Not worth a word.
    ClosedPipe,
    /// Errors that have not been reported yet, each a message of its own.
    Errors(Vec<String>),
}

impl Failure {
    /// A failure with one message.
    pub(crate) fn new(message: impl Into<String>) -> Failure {
        Failure::Errors(vec![message.into()])
    }

    /// What it means that standard output could not be written.
    pub(crate) fn output(error: &io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::ClosedPipe,
            _ => Failure::new(format!("can't write the output: {error}")),
        }
    }

    /// Tells the user, and how the command has ended by it.
    pub(crate) fn report(self) -> Status {
        match self {
            // Whoever read the output has seen enough; that is no error.
            Failure::ClosedPipe => Status::Found,
            Failure::Errors(errors) => {
                errors.iter().for_each(messages::error);
                Status::Failed
            }
        }
    }
}
