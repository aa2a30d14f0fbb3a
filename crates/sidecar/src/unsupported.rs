//! A [`Sidecar`] that can't be constructed, for systems other than Linux.

use std::convert::Infallible;
use std::path::PathBuf;
use std::process::Command;

use dragnet::{Backend, Batch, Matches, Scan, ScanError, StopFlag};

/// Scans in another process. This system is not supported: its builder always fails with
/// [`SidecarError::Unsupported`](super::SidecarError::Unsupported).
#[derive(Debug)]
pub struct Sidecar {
    never: Infallible,
}

/// How a client would get a connection to a server.
#[allow(dead_code, reason = "nothing connects")]
pub(super) enum Connector {
    Spawn(Box<dyn Fn() -> Command + Send>),
    Listener(PathBuf),
}

impl Sidecar {
    /// The backend of the current server.
    pub fn backend(&self) -> Option<Backend> {
        match self.never {}
    }

    /// Why the server fell back to the pure backend.
    pub fn fallback_reason(&self) -> Option<&str> {
        match self.never {}
    }

    /// The process id of the current server.
    pub fn server_pid(&self) -> Option<u32> {
        match self.never {}
    }

    /// How many servers were lost and replaced so far.
    pub fn restarts(&self) -> u64 {
        match self.never {}
    }

    /// Sends a batch, without waiting for its answer.
    ///
    /// # Errors
    ///
    /// None, since there is no sidecar.
    pub fn submit(&mut self, _: &Batch<'_>) -> Result<(), ScanError> {
        match self.never {}
    }

    /// Waits for the oldest batch that was submitted.
    ///
    /// # Errors
    ///
    /// None, since there is no sidecar.
    pub fn wait(&mut self, _: &mut Matches) -> Result<bool, ScanError> {
        match self.never {}
    }
}

impl Scan for Sidecar {
    fn scan(&mut self, _: &Batch<'_>, _: &mut Matches) -> Result<(), ScanError> {
        match self.never {}
    }

    fn set_stop(&mut self, _: StopFlag) {
        match self.never {}
    }
}
