//! Recovery from a lost server: wait (exponential backoff), connect to another server, and submit
//! all chunks again.

use std::time::{Duration, Instant};

use super::super::connection::Connection;
use super::super::connection_error::ConnectionError;
use super::Sidecar;
use dragnet::ScanError;

/// How often a wait checks the stop flag.
const MAX_SLEEP: Duration = Duration::from_millis(5);

impl Sidecar {
    /// Drops a connection that has failed, and backs off. The next receive connects again and
    /// submits all chunks to the new server. If this has happened too often to the oldest chunk, which
    /// is the one that the server was working on, the batch of that chunk fails.
    pub(super) fn on_disconnect(&mut self, error: ConnectionError) {
        let error = match &mut self.connection {
            Some(connection) => connection.explain(error),
            None => error,
        };
        self.disconnect();
        // No batch waits for the unwanted chunks, and no server scans them any more.
        self.chunks.retain(|chunk| chunk.is_wanted);
        let Some(oldest) = self.chunks.front_mut() else { return };
        oldest.attempts += 1;
        let attempts = oldest.attempts;
        if attempts < self.config.max_attempts && !matches!(error, ConnectionError::Refused(_)) {
            self.back_off();
            return;
        }
        let reason = error.after_attempts(attempts);
        self.end_oldest(Err(ScanError::Unavailable { reason }));
        self.chunks.retain(|chunk| chunk.is_wanted);
    }

    /// Drops the connection. Regions that its server may still read are not written to any more.
    fn disconnect(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        let is_killed = connection.server_pid().is_some();
        // Kills a server that this client has started, and waits for its end.
        drop(connection);
        if !is_killed {
            // A server that listens is not this client's child, and may be in the middle of a scan.
            self.regions.iter_mut().flatten().for_each(|region| region.retire());
        }
    }

    /// Sleeps before another attempt. The time doubles with each server lost since the last answer, up
    /// to a maximum.
    pub(super) fn back_off(&mut self) {
        let (first, longest) = self.config.backoff;
        let wait = first.saturating_mul(1 << self.losses.min(20)).min(longest);
        self.losses = self.losses.saturating_add(1);
        let start = Instant::now();
        while !self.stop.is_raised() {
            let left = wait.saturating_sub(start.elapsed());
            if left.is_zero() {
                break;
            }
            std::thread::sleep(left.min(MAX_SLEEP));
        }
    }

    /// Makes a new connection, whose chunks are numbered from 0.
    pub(super) fn connect(&mut self) -> Result<(), ConnectionError> {
        self.oldest = Default::default();
        self.connection = Some(Connection::new(&self.connector, &self.request, &self.stop)?);
        Ok(())
    }

    /// Makes a new connection and submits all chunks to it.
    pub(super) fn reconnect(&mut self) -> Result<(), ConnectionError> {
        if self.stop.is_raised() {
            return Err(ConnectionError::Stopped);
        }
        self.connect()?;
        self.restarts += 1;
        let Some(connection) = &mut self.connection else { return Ok(()) };
        for chunk in &mut self.chunks {
            chunk.taken = 0;
            if let Some(region) = &self.regions[chunk.region.get()] {
                connection.submit(chunk.region, region)?;
            }
        }
        Ok(())
    }
}
