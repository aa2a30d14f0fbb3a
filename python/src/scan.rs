//! Runs scans on threads without the interpreter's lock.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use dragnet::arrow::{ColumnError, ColumnScanner};
use dragnet::{Engine, Report, Scan, ScanError, Scanner, StopFlag};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::error;

/// How often the waiting thread handles signals and reports progress.
const TICK: Duration = Duration::from_millis(50);

/// An engine, which is compiled on first use, and its scanners that no thread uses.
pub(crate) struct Pool {
    set: dragnet::PatternSet,
    report: Report,
    engine: OnceLock<Engine>,
    idle: Mutex<Vec<Scanner>>,
}

impl Pool {
    pub(crate) fn new(set: &dragnet::PatternSet, report: Report) -> Pool {
        let (engine, idle) = (OnceLock::new(), Mutex::new(Vec::new()));
        Pool { set: set.clone(), report, engine, idle }
    }

    /// Calls `use_scanner` with a scanner that `stop` stops.
    pub(crate) fn with_scanner<T>(
        &self,
        stop: &StopFlag,
        use_scanner: impl FnOnce(Scanner) -> (Scanner, T),
    ) -> Result<T, ScanError> {
        // A panic leaves a complete list.
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = idle().pop();
        let mut scanner = match taken {
            Some(scanner) => scanner,
            None => self.engine.get_or_init(|| Engine::new(&self.set, self.report)).scanner()?,
        };
        scanner.set_stop(stop.clone());
        let (scanner, value) = use_scanner(scanner);
        idle().push(scanner);
        Ok(value)
    }
}

/// Jobs to run, how many threads run them, and how progress is reported.
pub(crate) struct Jobs<'j> {
    pub(crate) threads: NonZero<usize>,
    /// The number of records of each job.
    pub(crate) records: &'j [usize],
    /// Called with the numbers of records that are scanned, and of all.
    pub(crate) progress: Option<&'j Bound<'j, PyAny>>,
}

/// Runs each job on one of the threads, and returns the results in the order of the jobs.
///
/// The calling thread waits. Signals, a failed callback and a failed job stop all scans.
pub(crate) fn run<T: Send>(
    py: Python<'_>,
    pool: &Pool,
    jobs: &Jobs<'_>,
    job: impl Fn(&mut ColumnScanner<Scanner>, usize) -> Result<T, ColumnError> + Sync,
) -> PyResult<Vec<T>> {
    let progress = jobs.progress.map(|callback| callback.clone().unbind());
    let total: usize = jobs.records.iter().sum();
    let report = |py: Python<'_>, done: usize| match &progress {
        Some(callback) => callback.call1(py, (done, total)).map(drop),
        None => Ok(()),
    };
    let (records, threads) = (jobs.records, jobs.threads.get().min(jobs.records.len()));
    let results = py.detach(|| run_detached(pool, records, threads, &job, &report))?;
    report(py, total)?;
    Ok(results)
}

fn run_detached<T: Send>(
    pool: &Pool,
    records: &[usize],
    threads: usize,
    job: &(impl Fn(&mut ColumnScanner<Scanner>, usize) -> Result<T, ColumnError> + Sync),
    report: &impl Fn(Python<'_>, usize) -> PyResult<()>,
) -> PyResult<Vec<T>> {
    let stop = &StopFlag::new();
    let next = &AtomicUsize::new(0);
    let mut results: Vec<Option<T>> = records.iter().map(|_| None).collect();
    let mut outcome = Ok(());
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..threads {
            let sender = sender.clone();
            let work = move || {
                let done = pool.with_scanner(stop, |scanner| {
                    let mut scanner = ColumnScanner::new(scanner);
                    while !stop.is_raised() {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= records.len() {
                            break;
                        }
                        // The receiver lives until all threads have ended.
                        let _ = sender.send(job(&mut scanner, number).map(|value| (number, value)));
                    }
                    (scanner.into_inner(), ())
                });
                if let Err(error) = done {
                    let _ = sender.send(Err(ColumnError::Scan(error)));
                }
            };
            if let Err(error) = thread::Builder::new().spawn_scoped(scope, work) {
                outcome = Err(PyRuntimeError::new_err(format!("can't start a thread: {error}")));
                stop.raise();
                break;
            }
        }
        drop(sender);
        let (mut done, mut tick) = (0, Instant::now());
        loop {
            match receiver.recv_timeout(TICK.saturating_sub(tick.elapsed())) {
                Ok(Ok((number, value))) => {
                    done += records[number];
                    results[number] = Some(value);
                }
                Ok(Err(failure)) => {
                    if outcome.is_ok() {
                        outcome = Err(error::of_column(failure));
                    }
                    stop.raise();
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if tick.elapsed() < TICK {
                continue;
            }
            tick = Instant::now();
            // After a failure, the threads stop, which takes as long as a record does.
            if outcome.is_ok() {
                outcome = Python::attach(|py| {
                    py.check_signals()?;
                    report(py, done)
                });
                if outcome.is_err() {
                    stop.raise();
                }
            }
        }
    });
    outcome?;
    // Without a failure each job has a result.
    Ok(results.into_iter().flatten().collect())
}
