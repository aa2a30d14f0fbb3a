//! The comparison of one batch, on the background thread.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::thread;

use super::background::{Background, RunningComparison};
use super::copy::BatchCopy;
use super::difference::{describe, differences};
use super::second_engine::SecondEngine;
use dragnet::{Match, ScanError};
use dragnet_boundary::CancelFlag;
use dragnet_boundary::sync::panic_message;

/// The comparison of one batch, queued or running. Its drop updates the counts, so they are right
/// however the comparison ends.
pub(super) struct Comparison {
    pub(super) background: Arc<Background>,
    pub(super) copy: BatchCopy,
    /// The number of the batch.
    pub(super) batch: u64,
    /// Number of bytes that were reserved for the copy.
    pub(super) reserved: usize,
    pub(super) has_started: bool,
}

impl Comparison {
    /// Scans with the second engine, compares the answers and reports the differences. A panic of the
    /// second engine is reported and then resumed, so that the owner thread drops the engine.
    pub(super) fn run(mut self, second: &mut SecondEngine, cancel: &CancelFlag) {
        self.has_started = true;
        self.background.start(RunningComparison {
            batch: self.batch,
            cancel: cancel.clone(),
            thread: thread::current().id(),
            is_counted: false,
        });
        // Unwind safe: after a panic, nobody uses the engine again before it is made anew.
        match catch_unwind(AssertUnwindSafe(|| second.scan(&self.copy, cancel))) {
            Ok(Ok(())) => self.compare(second.answer.as_slice()),
            Ok(Err(error)) => self.background.fail(self.batch, error),
            Err(payload) => {
                let message = panic_message(&*payload);
                self.background.fail(self.batch, ScanError::Panicked { message });
                resume_unwind(payload);
            }
        }
    }

    fn compare(&self, second: &[Match]) {
        let first = self.copy.first_answer();
        let count = differences(first, second).count() as u64;
        if !self.background.count_compared(self.batch, count) || count == 0 {
            return;
        }
        let Ok(records) = self.copy.batch() else { return };
        let Background { set, on_difference, max_differences, .. } = &*self.background;
        for answers in differences(first, second).take(*max_differences) {
            if let Some(difference) = describe(self.batch, &records, set, answers) {
                on_difference(&difference);
            }
        }
    }
}

impl Drop for Comparison {
    fn drop(&mut self) {
        let copy = mem::take(&mut self.copy);
        self.background.end(self.batch, self.has_started, self.reserved, copy);
    }
}
