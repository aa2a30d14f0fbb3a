//! The exit status of the command, and the errors that end it early.

use std::io;

use crate::messages;

/// The exit status of a command, with grep's meanings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExitStatus {
    /// There was a match, or the command does not search: 0.
    Success,
    /// The search ended without a match: 1.
    NoMatch,
    /// There was a match, with the number that `--exit-code` gives for it.
    Found(u8),
    /// At least one error was reported, possibly next to matches: 2.
    Failed,
}

impl ExitStatus {
    /// The number that the process exits with.
    pub(crate) fn code(self) -> u8 {
        match self {
            ExitStatus::Success => 0,
            ExitStatus::NoMatch => 1,
            ExitStatus::Found(code) => code,
            ExitStatus::Failed => 2,
        }
    }
}

/// Why a command ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The reader of standard output closed it, as `head` does. Not reported.
    ClosedPipe,
    /// Messages that have not been printed yet, one per error.
    Errors(Vec<String>),
}

impl Failure {
    /// A failure with one message.
    pub(crate) fn new(message: impl Into<String>) -> Failure {
        Failure::Errors(vec![message.into()])
    }

    /// The failure for an error of writing to standard output.
    pub(crate) fn output(error: &io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::ClosedPipe,
            _ => Failure::new(format!("can't write to standard output: {error}")),
        }
    }

    /// Prints the messages and returns the exit status that belongs to the failure.
    pub(crate) fn report(self) -> ExitStatus {
        match self {
            // The reader has seen enough, which is not an error.
            Failure::ClosedPipe => ExitStatus::Success,
            Failure::Errors(errors) => {
                errors.iter().for_each(messages::error);
                ExitStatus::Failed
            }
        }
    }
}
