//! How a sidecar is set up.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use dragnet::{Backend, PatternSet, Report};

use super::{Sidecar, SidecarError};

/// Sets up a [`Sidecar`].
#[derive(Clone, Debug)]
#[must_use]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "there is nothing to set up"))]
#[cfg_attr(all(loom, test), expect(dead_code, reason = "its users are not in the models"))]
pub struct SidecarBuilder {
    set: PatternSet,
    report: Report,
    backend: Backend,
    deadline: Duration,
    tries: u32,
    backoff: (Duration, Duration),
    part: usize,
    in_flight: usize,
}

impl SidecarBuilder {
    pub(super) fn new(set: &PatternSet, report: Report) -> SidecarBuilder {
        SidecarBuilder {
            set: set.clone(),
            report,
            backend: Backend::Auto,
            deadline: Duration::from_secs(30),
            tries: 3,
            backoff: (Duration::from_millis(1), Duration::from_secs(1)),
            part: 128 << 10,
            in_flight: 4,
        }
    }

    /// The backend that the server is to use; [`Backend::Auto`] if this is not called. One that it
    /// does not have makes it refuse.
    pub fn backend(mut self, backend: Backend) -> SidecarBuilder {
        self.backend = backend;
        self
    }

    /// For how long the server may be silent while it has a part of a batch to answer, or patterns
    /// to compile; 30 seconds if this is not called. One that is silent longer is given up and
    /// replaced, as if it had crashed.
    pub fn deadline(mut self, deadline: Duration) -> SidecarBuilder {
        self.deadline = deadline;
        self
    }

    /// How often one part of a batch is tried, and how often a server is looked for, at least once;
    /// 3 times if this is not called. A record that crashes each server fails its batch alone.
    pub fn tries(mut self, tries: u32) -> SidecarBuilder {
        self.tries = tries.max(1);
        self
    }

    /// How long to wait before another server is started: the first of these times, then twice as
    /// long after each that is lost in a row, and never longer than the second. 1 ms and 1 second
    /// if this is not called.
    pub fn backoff(mut self, first: Duration, most: Duration) -> SidecarBuilder {
        self.backoff = (first, most);
        self
    }

    /// How many bytes of records a part of a batch has, about; 128 KiB if this is not called, so that
    /// all that are on their way stay in a processor's cache. A record that is longer is a part of
    /// its own.
    pub fn part(mut self, bytes: usize) -> SidecarBuilder {
        self.part = bytes.max(1);
        self
    }

    /// How many parts may be on their way at a time, from 1 to 8; 4 if this is not called.
    pub fn in_flight(mut self, parts: usize) -> SidecarBuilder {
        self.in_flight = parts.clamp(1, 8);
        self
    }

    /// Starts a program, the `dragnet` command, as `PROGRAM serve --stdin`, and has it compile the
    /// patterns. It is looked for as [`Command::new`] does.
    ///
    /// # Errors
    ///
    /// If it can't be started or does not answer, refuses the patterns or the backend; and always
    /// where the system is not Linux.
    pub fn spawn(self, program: impl AsRef<OsStr>) -> Result<Sidecar, SidecarError> {
        let program = program.as_ref().to_owned();
        self.spawn_with(move || {
            let mut command = Command::new(&program);
            command.args(["serve", "--stdin"]);
            command
        })
    }

    /// Starts a server by a command that is made anew each time; it gets its end of the socket as
    /// standard input, for [`Server::new`](super::Server::new), and its standard output is closed.
    ///
    /// # Errors
    ///
    /// As [`spawn`](SidecarBuilder::spawn).
    pub fn spawn_with(
        self,
        command: impl Fn() -> Command + Send + 'static,
    ) -> Result<Sidecar, SidecarError> {
        self.start_by(move || Launch::Spawn(Box::new(command)))
    }

    /// Connects to a server that listens at a path: `dragnet serve --socket PATH`.
    ///
    /// # Errors
    ///
    /// As [`spawn`](SidecarBuilder::spawn), and if the server is of another user than this process,
    /// and not of the system's.
    pub fn connect(self, path: impl AsRef<Path>) -> Result<Sidecar, SidecarError> {
        let path = path.as_ref().to_owned();
        self.start_by(move || Launch::Connect(path))
    }

    cfg_if::cfg_if! {
        if #[cfg(all(target_os = "linux", not(all(loom, test))))] {
            pub(super) fn start_by(
                self,
                launch: impl FnOnce() -> Launch,
            ) -> Result<Sidecar, SidecarError> {
                use super::{client, connection, control, frame, patterns, sys};
                use rustix::fs::SealFlags;
                use std::os::fd::AsFd;

                let text = patterns::encode(&self.set);
                let memory = sys::memory(0)
                    .and_then(|memory| {
                        let mut file = std::fs::File::from(memory);
                        std::io::Write::write_all(&mut file, &text)?;
                        let all = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
                        sys::seal(file.as_fd(), all)?;
                        Ok(file.into())
                    })
                    .map_err(|error| SidecarError::System {
                        what: "there is no shared memory for the patterns",
                        error,
                    })?;
                let hello = frame::Hello {
                    // In range: a set has less than 2^31.
                    patterns: self.set.len() as u32,
                    report: control::report_number(self.report),
                    backend: control::backend_number(self.backend),
                    reserved: 0,
                    bytes: text.len() as u64,
                };
                let ask = connection::Ask { hello, patterns: memory, deadline: self.deadline };
                let config = client::Config {
                    tries: self.tries,
                    backoff: self.backoff,
                    part: self.part,
                    in_flight: self.in_flight,
                };
                Sidecar::start(config, launch(), ask)
            }
        } else {
            fn start_by(self, _: impl FnOnce() -> Launch) -> Result<Sidecar, SidecarError> {
                Err(SidecarError::Unsupported)
            }
        }
    }
}

cfg_if::cfg_if! {
    if #[cfg(all(target_os = "linux", not(all(loom, test))))] {
        use super::launch::Launch;
    } else {
        use super::unsupported::Launch;
    }
}
