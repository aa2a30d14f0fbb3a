//! Prints the output of tasks in the order of their input, whichever finishes first.
//!
//! A task collects its output in memory. It prints the output itself if all earlier tasks have been
//! printed; otherwise the thread that completes the preceding task does. A task can
//! [hand back](TaskOutput::hand_back) a part of its input, as tasks of their own that come after it and
//! before all others. Any thread takes them. A task that can only run at its turn is
//! [put off](TaskOutput::at_turn) until then, so that its thread runs others.
//!
//! Two limits bound the memory: a task starts only if it is one of the first `window` that are not printed,
//! and a task with more than [`MAX_BUFFERED`] bytes of output waits for its turn. Nothing waits forever,
//! because a thread that takes a task takes the earliest one: so the first task that is not printed either
//! runs and waits for nothing, or can be taken.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::progress_bar::ScanProgressBar;
use crate::messages;
use crate::status::Failure;

/// The size of a task's output, in bytes, at which the task waits for its turn to print it. Output
/// below this never makes a worker wait.
const MAX_BUFFERED: usize = 4 << 20;

/// Standard output and standard error, shared by all tasks of a search, and the tasks of type `T` that were
/// handed back.
pub(super) struct OrderedOutput<T> {
    queue: Mutex<OutputQueue<T>>,
    /// Notified when the queue has changed and `OutputQueue::waiting` is not 0.
    changed: Condvar,
    /// The number of tasks that may be started and not printed yet.
    window: usize,
}

struct OutputQueue<T> {
    stdout: Box<dyn Write + Send>,
    progress_bar: ScanProgressBar,
    /// The tasks that are not printed, in the order of their input.
    slots: VecDeque<Slot<T>>,
    /// The number of the next task.
    next: u64,
    /// Whether all tasks come from the slots from now on.
    is_complete: bool,
    /// The number of threads that wait for a change.
    waiting: usize,
}

/// The place of a task in the order of the output.
struct Slot<T> {
    /// The number of the task. Numbers are in no order.
    number: u64,
    state: State<T>,
}

enum State<T> {
    /// Handed back.
    Waiting(T),
    /// Put off until all earlier tasks have been printed.
    PutOff(T),
    Running,
    Finished(BufferedOutput),
}

/// What a thread is to do next.
pub(super) enum Turn<'a, T> {
    /// Search a task that was handed back.
    HandedBack(TaskOutput<'a, T>, T),
    /// Search a new task.
    New(TaskOutput<'a, T>),
    /// All tasks are finished.
    End,
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

impl<T> OrderedOutput<T> {
    pub(super) fn new(
        stdout: Box<dyn Write + Send>,
        progress_bar: ScanProgressBar,
        window: usize,
    ) -> OrderedOutput<T> {
        let queue = OutputQueue {
            stdout,
            progress_bar,
            slots: VecDeque::new(),
            next: 0,
            is_complete: false,
            waiting: 0,
        };
        OrderedOutput { queue: Mutex::new(queue), changed: Condvar::new(), window }
    }

    /// Returns the earliest task that was handed back, if it may start. Does not wait.
    pub(super) fn take(&self) -> Option<(TaskOutput<'_, T>, T)> {
        let (number, task) = self.lock().take(self.window)?;
        Some((TaskOutput::new(self, number), task))
    }

    /// Returns the earliest task that was handed back, or begins a new one after all others. Waits until
    /// one of them may start.
    pub(super) fn begin(&self) -> Turn<'_, T> {
        let mut queue = self.lock();
        loop {
            if let Some((number, task)) = queue.take(self.window) {
                return Turn::HandedBack(TaskOutput::new(self, number), task);
            }
            if !queue.is_complete && queue.slots.len() < self.window {
                let number = queue.new_number();
                queue.slots.push_back(Slot { number, state: State::Running });
                return Turn::New(TaskOutput::new(self, number));
            }
            if queue.is_complete && queue.slots.is_empty() {
                return Turn::End;
            }
            queue = self.wait(queue);
        }
    }

    /// From now on, no new tasks begin.
    pub(super) fn complete(&self) {
        let mut queue = self.lock();
        queue.is_complete = true;
        self.notify(&queue);
    }

    /// Removes the progress bar. All tasks must be finished.
    pub(super) fn finish(self) {
        self.lock().progress_bar.remove();
    }

    fn lock(&self) -> MutexGuard<'_, OutputQueue<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(
        &self,
        mut queue: MutexGuard<'a, OutputQueue<T>>,
    ) -> MutexGuard<'a, OutputQueue<T>> {
        queue.waiting += 1;
        let mut queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        queue.waiting -= 1;
        queue
    }

    /// Wakes the threads that wait. To notify a condition costs a call of the system also if nobody waits.
    fn notify(&self, queue: &OutputQueue<T>) {
        if queue.waiting > 0 {
            self.changed.notify_all();
        }
    }
}

impl<T> OutputQueue<T> {
    /// Takes the first task that was handed back, if it is among the first `window`, or that was put off and
    /// has its turn.
    fn take(&mut self, window: usize) -> Option<(u64, T)> {
        let mut slots = self.slots.iter_mut().take(window).enumerate();
        let (_, slot) = slots.find(|(position, slot)| match slot.state {
            State::Waiting(_) => true,
            State::PutOff(_) => *position == 0,
            State::Running | State::Finished(_) => false,
        })?;
        match std::mem::replace(&mut slot.state, State::Running) {
            State::Waiting(task) | State::PutOff(task) => Some((slot.number, task)),
            State::Running | State::Finished(_) => None,
        }
    }

    fn new_number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    /// The position of a task that is not printed.
    fn position(&self, number: u64) -> Option<usize> {
        self.slots.iter().position(|slot| slot.number == number)
    }

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
pub(super) struct TaskOutput<'a, T> {
    shared: &'a OrderedOutput<T>,
    /// The task's number.
    number: u64,
    buffered: BufferedOutput,
}

impl<'a, T> TaskOutput<'a, T> {
    fn new(shared: &'a OrderedOutput<T>, number: u64) -> TaskOutput<'a, T> {
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

    /// The messages that have not been printed.
    #[cfg(test)]
    pub(super) fn messages(&mut self) -> &mut Vec<String> {
        &mut self.buffered.messages
    }

    /// Adds tasks directly after this one, in this order.
    pub(super) fn hand_back(&self, tasks: Vec<T>) {
        if tasks.is_empty() {
            return;
        }
        let mut queue = self.shared.lock();
        let Some(position) = queue.position(self.number) else { return };
        for (task, position) in tasks.into_iter().zip(position + 1..) {
            let number = queue.new_number();
            queue.slots.insert(position, Slot { number, state: State::Waiting(task) });
        }
        self.shared.notify(&queue);
    }

    /// Returns this task, which can only run when all earlier ones have been printed, if they are. Otherwise
    /// a thread takes it when they are. It must have no output yet.
    pub(super) fn at_turn(self, task: T) -> Option<(TaskOutput<'a, T>, T)> {
        let mut queue = self.shared.lock();
        match queue.position(self.number)? {
            0 => {
                drop(queue);
                Some((self, task))
            }
            position => {
                queue.slots[position].state = State::PutOff(task);
                None
            }
        }
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
        while queue.slots.front().is_some_and(|slot| slot.number != self.number) {
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
        let Some(position) = queue.position(self.number) else { return };
        queue.slots[position].state = State::Finished(std::mem::take(&mut self.buffered));
        while let Some(Slot { state: State::Finished(output), .. }) = queue.slots.front_mut() {
            let mut output = std::mem::take(output);
            queue.slots.pop_front();
            queue.print(&mut output);
        }
        self.shared.notify(&queue);
    }
}

#[cfg(test)]
mod tests;
