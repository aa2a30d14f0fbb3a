//! Settings of a sidecar.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use dragnet::{Backend, PatternSet, Report};

use super::{Sidecar, SidecarError};

/// The length of a chunk, in bytes of records. 128 KiB is the fastest of the powers of two in
/// `benches/sidecar.rs`: the chunks in flight stay in a processor's cache, and a chunk's round trip is
/// short compared with its scan.
const CHUNK_BYTES: usize = 128 << 10;

/// How many chunks are in flight: while the server scans one, the client can copy the records of
/// another one and receive the matches of a third.
const MAX_IN_FLIGHT: usize = 4;

impl Sidecar {
    /// Returns a builder for sidecars that search for these patterns.
    pub fn builder(set: &PatternSet, report: Report) -> SidecarBuilder {
        SidecarBuilder {
            set: set.clone(),
            report,
            backend: Backend::Auto,
            deadline: Duration::from_secs(30),
            max_attempts: 3,
            backoff: (Duration::from_millis(1), Duration::from_secs(1)),
            chunk_bytes: CHUNK_BYTES,
            max_in_flight: MAX_IN_FLIGHT,
        }
    }
}

/// Builds a [`Sidecar`].
#[derive(Clone, Debug)]
#[must_use]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "no sidecar can be built"))]
#[cfg_attr(all(loom, test), expect(dead_code, reason = "models build no sidecar"))]
pub struct SidecarBuilder {
    set: PatternSet,
    report: Report,
    backend: Backend,
    deadline: Duration,
    max_attempts: u32,
    backoff: (Duration, Duration),
    chunk_bytes: usize,
    max_in_flight: usize,
}

impl SidecarBuilder {
    /// Sets the backend that the server uses. A server that does not have it refuses the client.
    ///
    /// The default is [`Backend::Auto`].
    pub fn backend(mut self, backend: Backend) -> SidecarBuilder {
        self.backend = backend;
        self
    }

    /// Sets how long the server may be silent while it has a chunk to scan or patterns to compile. A
    /// server that is silent for longer is replaced, as if it had crashed.
    ///
    /// The default is 30 seconds.
    pub fn deadline(mut self, deadline: Duration) -> SidecarBuilder {
        self.deadline = deadline;
        self
    }

    /// Sets the maximum number of attempts to get a chunk answered, and to make the first connection; at
    /// least 1. A record that crashes every server fails its own batch after this number of attempts.
    ///
    /// The default is 3.
    pub fn max_attempts(mut self, attempts: u32) -> SidecarBuilder {
        self.max_attempts = attempts.max(1);
        self
    }

    /// Sets how long to wait before another server is started: `first` after the first loss, and twice
    /// as long after each further loss without an answer in between, up to `longest`.
    ///
    /// The defaults are 1 millisecond and 1 second.
    pub fn backoff(mut self, first: Duration, longest: Duration) -> SidecarBuilder {
        self.backoff = (first, longest);
        self
    }

    /// Sets the approximate length of a chunk, in bytes of records. A longer record is a chunk of its
    /// own. Shorter chunks let copying and scanning overlap more; longer ones need fewer round trips.
    ///
    /// The default is 128 KiB.
    pub fn chunk_bytes(mut self, bytes: usize) -> SidecarBuilder {
        self.chunk_bytes = bytes.max(1);
        self
    }

    /// Sets how many chunks may be in flight, from 1 to 8. Each takes a region of shared memory.
    ///
    /// The default is 4.
    pub fn max_in_flight(mut self, chunks: usize) -> SidecarBuilder {
        self.max_in_flight = chunks.clamp(1, 8);
        self
    }

    /// Starts the `dragnet` command as `PROGRAM serve --stdin`, and waits until it has compiled the
    /// patterns. The program is searched as by [`Command::new`].
    ///
    /// # Errors
    ///
    /// If the program can't be started or does not answer, or if it refuses the patterns or the
    /// backend. Always [`SidecarError::Unsupported`] if the system is not Linux.
    pub fn spawn(self, program: impl AsRef<OsStr>) -> Result<Sidecar, SidecarError> {
        let program = program.as_ref().to_owned();
        self.spawn_with(move || {
            let mut command = Command::new(&program);
            command.args(["serve", "--stdin"]);
            command
        })
    }

    /// Starts a server. `command` is called for each server, and returns the command that starts
    /// it. The server's standard input is its end of the socket, to be passed to
    /// [`Server::new`](super::Server::new); its standard output is discarded.
    ///
    /// # Errors
    ///
    /// As [`spawn`](SidecarBuilder::spawn).
    pub fn spawn_with(
        self,
        command: impl Fn() -> Command + Send + 'static,
    ) -> Result<Sidecar, SidecarError> {
        self.start_with(move || Connector::Spawn(Box::new(command)))
    }

    /// Connects to a server that listens at a path: `dragnet serve --socket PATH`.
    ///
    /// # Errors
    ///
    /// As [`spawn`](SidecarBuilder::spawn); and if the server runs as a user that is neither the user
    /// of this process nor root.
    pub fn connect(self, path: impl AsRef<Path>) -> Result<Sidecar, SidecarError> {
        let path = path.as_ref().to_owned();
        self.start_with(move || Connector::Listener(path))
    }

    cfg_if::cfg_if! {
        if #[cfg(all(target_os = "linux", not(all(loom, test))))] {
            pub(super) fn start_with(
                self,
                connector: impl FnOnce() -> Connector,
            ) -> Result<Sidecar, SidecarError> {
                use super::{client, connection, frame, pattern_codec, sys};
                use rustix::fs::SealFlags;
                use std::os::fd::AsFd;

                let text = pattern_codec::encode(&self.set);
                let patterns = sys::memory(0)
                    .and_then(|memory| {
                        let mut file = std::fs::File::from(memory);
                        std::io::Write::write_all(&mut file, &text)?;
                        let all = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
                        sys::seal(file.as_fd(), all)?;
                        Ok(file.into())
                    })
                    .map_err(|error| SidecarError::System {
                        context: "no shared memory for the patterns",
                        error,
                    })?;
                let hello = frame::Hello {
                    // In range: a set has less than 2^31 patterns.
                    patterns: self.set.len() as u32,
                    report: frame::report_code(self.report),
                    backend: frame::backend_code(self.backend),
                    reserved: 0,
                    bytes: text.len() as u64,
                };
                let request =
                    connection::SessionRequest { hello, patterns, timeout: self.deadline };
                let config = client::SidecarConfig {
                    max_attempts: self.max_attempts,
                    backoff: self.backoff,
                    chunk_bytes: self.chunk_bytes,
                    max_in_flight: self.max_in_flight,
                };
                Sidecar::start(config, connector(), request)
            }
        } else {
            fn start_with(self, _: impl FnOnce() -> Connector) -> Result<Sidecar, SidecarError> {
                Err(SidecarError::Unsupported)
            }
        }
    }
}

cfg_if::cfg_if! {
    if #[cfg(all(target_os = "linux", not(all(loom, test))))] {
        use super::connector::Connector;
    } else {
        use super::unsupported::Connector;
    }
}
