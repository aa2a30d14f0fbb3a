//! A scanner for tests: it records its calls, waits at a gate, and fails or panics on request.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use dragnet::{Batch, Match, Matches, Scan, ScanError, StopFlag};

/// What all scanners of a test share: the record of their calls, and the gate.
#[derive(Default)]
pub(crate) struct Probe {
    /// The number of records of each scan, in order.
    pub(crate) scans: Mutex<Vec<usize>>,
    pub(crate) made: AtomicUsize,
    pub(crate) dropped: AtomicUsize,
    /// Number of scans that wait at the gate or pass it.
    inside: Mutex<usize>,
    changed: Condvar,
    shut: AtomicBool,
    /// Whether scans that wait at the gate poll their stop flag.
    pub(crate) polls_stop: AtomicBool,
}

impl Probe {
    pub(crate) fn new() -> Arc<Probe> {
        Arc::default()
    }

    pub(crate) fn make(self: &Arc<Self>) -> Result<Probing, String> {
        self.made.fetch_add(1, Ordering::SeqCst);
        Ok(Probing { probe: Arc::clone(self), stop: StopFlag::new() })
    }

    /// Closes the gate: scans wait from now on.
    pub(crate) fn shut(&self) {
        self.shut.store(true, Ordering::SeqCst);
    }

    pub(crate) fn open(&self) {
        let _inside = self.inside.lock().unwrap();
        self.shut.store(false, Ordering::SeqCst);
        self.changed.notify_all();
    }

    /// Waits until `count` scans wait at the gate.
    pub(crate) fn until_inside(&self, count: usize) {
        let mut inside = self.inside.lock().unwrap();
        while *inside < count {
            inside = self.changed.wait(inside).unwrap();
        }
    }

    pub(crate) fn scans(&self) -> Vec<usize> {
        self.scans.lock().unwrap().clone()
    }

    fn pass(&self, stop: &StopFlag) -> Result<(), ScanError> {
        let mut inside = self.inside.lock().unwrap();
        *inside += 1;
        self.changed.notify_all();
        let mut answer = Ok(());
        while self.shut.load(Ordering::SeqCst) {
            if self.polls_stop.load(Ordering::SeqCst) && stop.is_raised() {
                answer = Err(ScanError::Stopped);
                break;
            }
            let time = std::time::Duration::from_millis(1);
            inside = self.changed.wait_timeout(inside, time).unwrap().0;
        }
        *inside -= 1;
        answer
    }
}

/// Reports one match per record, as long as the record. Panics on the record `panic`, and fails on the
/// record `error`.
pub(crate) struct Probing {
    probe: Arc<Probe>,
    stop: StopFlag,
}

impl Scan for Probing {
    fn scan(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError> {
        out.clear();
        self.probe.scans.lock().unwrap().push(batch.len());
        self.probe.pass(&self.stop)?;
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

impl Drop for Probing {
    fn drop(&mut self) {
        self.probe.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

/// Returns the lengths that a [`Probing`] scanner has reported, by record.
pub(crate) fn lengths(matches: &Matches) -> Vec<usize> {
    assert!(matches.iter().map(Match::record).eq(0..matches.len()), "{matches:?}");
    matches.iter().map(Match::end).collect()
}
