//! A scanner for tests: it records its calls, waits at a gate, and fails or panics on request.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use dragnet::{Batch, Match, Matches, Scan, ScanError, StopFlag};

/// The state that all scanners of a test share: the record of their calls, and the gate.
#[derive(Default)]
pub(crate) struct Probe {
    /// The number of records of each scan, in order.
    pub(crate) scans: Mutex<Vec<usize>>,
    pub(crate) made: AtomicUsize,
    pub(crate) dropped: AtomicUsize,
    /// Number of scans that wait at the gate.
    at_gate: Mutex<usize>,
    changed: Condvar,
    is_closed: AtomicBool,
    /// Whether scans that wait at the gate poll their stop flag.
    pub(crate) polls_stop: AtomicBool,
}

impl Probe {
    pub(crate) fn new() -> Arc<Probe> {
        Arc::default()
    }

    pub(crate) fn make(self: &Arc<Self>) -> Result<ProbeScanner, String> {
        self.made.fetch_add(1, Ordering::SeqCst);
        Ok(ProbeScanner { probe: Arc::clone(self), stop: StopFlag::new() })
    }

    /// Closes the gate: scans that start from now on wait.
    pub(crate) fn close_gate(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
    }

    pub(crate) fn open_gate(&self) {
        let _at_gate = self.at_gate.lock().unwrap();
        self.is_closed.store(false, Ordering::SeqCst);
        self.changed.notify_all();
    }

    /// Waits until `count` scans wait at the gate.
    pub(crate) fn wait_for_scans_at_gate(&self, count: usize) {
        let mut at_gate = self.at_gate.lock().unwrap();
        while *at_gate < count {
            at_gate = self.changed.wait(at_gate).unwrap();
        }
    }

    pub(crate) fn scans(&self) -> Vec<usize> {
        self.scans.lock().unwrap().clone()
    }

    fn pass_gate(&self, stop: &StopFlag) -> Result<(), ScanError> {
        let mut at_gate = self.at_gate.lock().unwrap();
        *at_gate += 1;
        self.changed.notify_all();
        let mut answer = Ok(());
        while self.is_closed.load(Ordering::SeqCst) {
            if self.polls_stop.load(Ordering::SeqCst) && stop.is_raised() {
                answer = Err(ScanError::Stopped);
                break;
            }
            let poll = std::time::Duration::from_millis(1);
            at_gate = self.changed.wait_timeout(at_gate, poll).unwrap().0;
        }
        *at_gate -= 1;
        answer
    }
}

/// Reports one match per record, as long as the record. Panics on the record `panic`, and fails on the
/// record `error`.
pub(crate) struct ProbeScanner {
    probe: Arc<Probe>,
    stop: StopFlag,
}

impl Scan for ProbeScanner {
    fn scan(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError> {
        out.clear();
        self.probe.scans.lock().unwrap().push(batch.len());
        self.probe.pass_gate(&self.stop)?;
        if self.stop.is_raised() {
            return Err(ScanError::Stopped);
        }
        for (number, record) in batch.iter().enumerate() {
            match record {
                b"panic" => panic!("requested by the record"),
                b"error" => {
                    out.clear();
                    return Err(ScanError::Native { library: "none".to_owned(), code: 7 });
                }
                _ => out.push(Match::new(number as u32, 0, 0..record.len() as u32)),
            }
        }
        Ok(())
    }

    fn set_stop(&mut self, stop: StopFlag) {
        self.stop = stop;
    }
}

impl Drop for ProbeScanner {
    fn drop(&mut self) {
        self.probe.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

/// Returns the record lengths that a [`ProbeScanner`] has reported, by record.
pub(crate) fn lengths(matches: &Matches) -> Vec<usize> {
    assert!(matches.iter().map(Match::record).eq(0..matches.len()), "{matches:?}");
    matches.iter().map(Match::end).collect()
}
