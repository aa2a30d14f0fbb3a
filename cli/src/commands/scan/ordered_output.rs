//! Prints the output of tasks in the order in which they were started, whichever finishes first.
//!
//! A task collects its output in memory. It prints the output itself if all earlier tasks have been
//! printed; otherwise the thread that completes the preceding task does. Two limits bound the
//! memory: a task starts only when fewer than `window` tasks are started and not printed, and a
//! task with more than [`MAX_BUFFERED`] bytes of output waits for its turn.

use std::collections::BTreeMap;
use std::io::{Stdout, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::progress_bar::ScanProgressBar;
use crate::messages;
use crate::status::Failure;

/// The size of a task's output, in bytes, at which the task waits for its turn to print it. Output
/// below this never makes a worker wait.
const MAX_BUFFERED: usize = 4 << 20;

/// Standard output and standard error, shared by all tasks of a search.
pub(super) struct OrderedOutput {
    queue: Mutex<OutputQueue>,
    /// Notified when `OutputQueue::current` has changed.
    turn: Condvar,
    /// The number of tasks that may be started and not printed yet.
    window: u64,
}

struct OutputQueue {
    stdout: Stdout,
    progress_bar: ScanProgressBar,
    /// The number of the task whose turn it is to print. All earlier tasks have been printed.
    current: u64,
    /// The number of the next task to be started.
    next: u64,
    /// The output of tasks that finished before their turn.
    finished: BTreeMap<u64, BufferedOutput>,
}

/// Output of a task that has not been printed yet.
#[derive(Default)]
struct BufferedOutput {
    text: Vec<u8>,
    /// Error messages, printed after the text.
    messages: Vec<String>,
    /// The number of input bytes that were searched, for the progress bar.
    searched: u64,
}

impl OrderedOutput {
    pub(super) fn new(stdout: Stdout, progress_bar: ScanProgressBar, window: u64) -> OrderedOutput {
        let finished = BTreeMap::new();
        let queue = OutputQueue { stdout, progress_bar, current: 0, next: 0, finished };
        OrderedOutput { queue: Mutex::new(queue), turn: Condvar::new(), window }
    }

    /// Returns the number of a new task. Waits while as many tasks as the window allows are started
    /// and not printed.
    pub(super) fn begin_task(&self) -> u64 {
        let mut queue = self.lock();
        while queue.next >= queue.current + self.window {
            queue = self.wait(queue);
        }
        queue.next += 1;
        queue.next - 1
    }

    /// Removes the progress bar. All tasks must be finished.
    pub(super) fn finish(self) {
        self.lock().progress_bar.remove();
    }

    fn lock(&self) -> MutexGuard<'_, OutputQueue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, guard: MutexGuard<'a, OutputQueue>) -> MutexGuard<'a, OutputQueue> {
        self.turn.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }
}

impl OutputQueue {
    /// Prints and clears `output`.
    ///
    /// Ends the process if standard output can't be written: the rest of the search is of no use,
    /// and another thread may be blocked reading a pipe, where it can't be interrupted.
    fn print(&mut self, output: &mut BufferedOutput) {
        if !(output.text.is_empty() && output.messages.is_empty()) {
            let stdout = &mut self.stdout;
            let result = self.progress_bar.hide_during(|| {
                stdout.write_all(&output.text)?;
                // So that a reader of a pipe gets each match as soon as it is found.
                stdout.flush()?;
                output.messages.iter().for_each(messages::error);
                Ok(())
            });
            if let Err(error) = result {
                self.progress_bar.remove();
                std::process::exit(Failure::output(&error).report().code().into());
            }
        }
        output.text.clear();
        output.messages.clear();
        self.progress_bar.advance(std::mem::take(&mut output.searched));
    }
}

/// The output of one task.
pub(super) struct TaskOutput<'a> {
    shared: &'a OrderedOutput,
    /// The task's number.
    number: u64,
    buffered: BufferedOutput,
}

impl<'a> TaskOutput<'a> {
    pub(super) fn new(shared: &'a OrderedOutput, number: u64) -> TaskOutput<'a> {
        TaskOutput { shared, number, buffered: BufferedOutput::default() }
    }

    /// The buffer to append text for standard output to.
    pub(super) fn text(&mut self) -> &mut Vec<u8> {
        &mut self.buffered.text
    }

    /// Adds an error message, which is printed after the text.
    pub(super) fn push_message(&mut self, message: String) {
        self.buffered.messages.push(message);
    }

    /// Prints the text once it has [`MAX_BUFFERED`] bytes, after waiting for this task's turn.
    /// Callers that append without bound call this after each piece.
    pub(super) fn flush_if_large(&mut self) {
        if self.buffered.text.len() >= MAX_BUFFERED {
            self.wait_for_turn();
        }
    }

    /// Waits until all earlier tasks have been printed, then prints what is buffered.
    pub(super) fn wait_for_turn(&mut self) {
        let mut queue = self.shared.lock();
        // No deadlock: workers take tasks in order, so another worker has every earlier task or has
        // finished it, and the earliest of them never waits.
        while queue.current != self.number {
            queue = self.shared.wait(queue);
        }
        queue.print(&mut self.buffered);
    }

    /// Ends the task, for which `searched` bytes of input were searched. Its remaining output is
    /// printed now or, if it is not this task's turn yet, by the thread that finishes the preceding
    /// task.
    pub(super) fn finish(mut self, searched: u64) {
        self.buffered.searched = searched;
        let mut queue = self.shared.lock();
        let output = std::mem::take(&mut self.buffered);
        queue.finished.insert(self.number, output);
        loop {
            let current = queue.current;
            let Some(mut output) = queue.finished.remove(&current) else { break };
            queue.print(&mut output);
            queue.current += 1;
        }
        drop(queue);
        self.shared.turn.notify_all();
    }
}
