//! What stands for a sidecar on systems that can't have one.

use std::convert::Infallible;
use std::path::PathBuf;
use std::process::Command;

use super::SidecarBuilder;
use dragnet::{Backend, Batch, Matches, PatternSet, Report, Scan, ScanError, StopFlag};

/// Scans in another process. On this system there can be none: its builder always fails with
/// [`SidecarError::Unsupported`](super::SidecarError::Unsupported).
#[derive(Debug)]
pub struct Sidecar {
    never: Infallible,
}

#[allow(dead_code)]
pub(super) enum Launch {
    Spawn(Box<dyn Fn() -> Command + Send>),
    Connect(PathBuf),
}

impl Sidecar {
    /// Sets up how to get to a server, and what to ask of it.
    pub fn builder(set: &PatternSet, report: Report) -> SidecarBuilder {
        SidecarBuilder::new(set, report)
    }

    /// The backend that the server runs.
    pub fn backend(&self) -> Option<Backend> {
        match self.never {}
    }

    /// Why the server did not take the native backend.
    pub fn fallback_reason(&self) -> Option<&str> {
        match self.never {}
    }

    /// The process of the server.
    pub fn process(&self) -> Option<u32> {
        match self.never {}
    }

    /// How often a server was lost and replaced so far.
    pub fn restarts(&self) -> u64 {
        match self.never {}
    }

    /// Sends a batch.
    ///
    /// # Errors
    ///
    /// None, since there is no sidecar.
    pub fn begin(&mut self, _: &Batch<'_>) -> Result<(), ScanError> {
        match self.never {}
    }

    /// Waits for the batch that was begun first.
    ///
    /// # Errors
    ///
    /// None, since there is no sidecar.
    pub fn finish(&mut self, _: &mut Matches) -> Result<bool, ScanError> {
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
