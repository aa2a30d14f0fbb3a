//! What to do when a server is lost: wait a little, start another one, send everything again.

use std::time::{Duration, Instant};

use super::super::connection::{Connection, Fault};
use super::Sidecar;
use dragnet::ScanError;

impl Sidecar {
    /// Ends a connection that is of no use, and waits a little. The next try makes another one and
    /// sends all parts again. The oldest part, which is what the server was at, fails if that
    /// happened too often.
    pub(super) fn lose(&mut self, fault: Fault) {
        let fault = match &mut self.connection {
            Some(connection) => connection.explain(fault),
            None => fault,
        };
        self.connection = None;
        // Nobody waits for these, and no server has them.
        self.parts.retain(|part| part.wanted);
        let Some(oldest) = self.parts.front_mut() else { return };
        oldest.tries += 1;
        let tries = oldest.tries;
        if tries < self.config.tries && !matches!(fault, Fault::Refused(_)) {
            self.back_off();
            return;
        }
        self.end_oldest(Err(ScanError::Unavailable { reason: gave_up(tries, &fault) }));
        self.parts.retain(|part| part.wanted);
    }

    /// Waits, the longer the more often a server was lost in a row.
    pub(super) fn back_off(&mut self) {
        let (first, most) = self.config.backoff;
        let wait = first.saturating_mul(1 << self.lost.min(20)).min(most);
        self.lost = self.lost.saturating_add(1);
        let start = Instant::now();
        while !self.stop.is_raised() {
            let left = wait.saturating_sub(start.elapsed());
            if left.is_zero() {
                break;
            }
            std::thread::sleep(left.min(Duration::from_millis(5)));
        }
    }

    pub(super) fn connect(&mut self) -> Result<(), Fault> {
        self.first = 0;
        self.connection = Some(Connection::new(&self.launch, &self.ask, &self.stop)?);
        Ok(())
    }

    /// Makes another connection and sends it all parts again.
    pub(super) fn reconnect(&mut self) -> Result<(), Fault> {
        if self.stop.is_raised() {
            return Err(Fault::Stopped);
        }
        self.connect()?;
        self.restarts += 1;
        let Some(connection) = &mut self.connection else { return Ok(()) };
        for part in &mut self.parts {
            part.taken = 0;
            if let Some(region) = &self.regions[part.region] {
                connection.submit(part.region, region)?;
            }
        }
        Ok(())
    }
}

pub(super) fn gave_up(tries: u32, fault: &Fault) -> String {
    match tries {
        1 => format!("the sidecar failed: {fault}"),
        _ => format!("the sidecar failed {tries} times, the last time so: {fault}"),
    }
}
