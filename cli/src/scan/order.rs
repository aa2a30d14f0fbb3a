//! The output of threads that finish in any order, in the order in which the work was begun.

use std::collections::BTreeMap;
use std::io::{Stdout, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::progress::Progress;
use crate::messages;
use crate::status::Failure;

/// How much output a piece of work keeps in memory. With more it waits for its turn.
const MAX_KEPT: usize = 4 << 20;

/// Standard output, written to in turns.
pub(super) struct InOrder {
    state: Mutex<State>,
    /// Signalled when the turn has passed on.
    turn: Condvar,
    /// How many pieces may be begun and not printed yet.
    window: u64,
}

struct State {
    out: Stdout,
    progress: Progress,
    /// The piece of work that may write.
    current: u64,
    /// The number for the next piece of work.
    next: u64,
    finished: BTreeMap<u64, Output>,
}

/// What a piece of work has to say.
#[derive(Default)]
struct Output {
    text: Vec<u8>,
    messages: Vec<String>,
    /// How many bytes have been searched for it.
    searched: u64,
}

impl InOrder {
    pub(super) fn new(out: Stdout, progress: Progress, window: u64) -> InOrder {
        let state = State { out, progress, current: 0, next: 0, finished: BTreeMap::new() };
        InOrder { state: Mutex::new(state), turn: Condvar::new(), window }
    }

    /// A number for a piece of work, once those before it are not too far behind.
    pub(super) fn begin(&self) -> u64 {
        let mut state = self.lock();
        while state.next >= state.current + self.window {
            state = self.wait(state);
        }
        state.next += 1;
        state.next - 1
    }

    /// Ends the output, of which all pieces are finished.
    pub(super) fn end(self) {
        self.lock().progress.end();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, guard: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.turn.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Prints what there is. Ends the process if it can't be printed: nobody is left to go on
    /// for, and a thread that waits for more input could not be told.
    fn write(&mut self, output: &mut Output) {
        if !(output.text.is_empty() && output.messages.is_empty()) {
            let out = &mut self.out;
            let result = self.progress.hide_during(|| {
                out.write_all(&output.text)?;
                // Whoever follows a pipe sees each match when it is found.
                out.flush()?;
                output.messages.iter().for_each(messages::error);
                Ok(())
            });
            if let Err(error) = result {
                self.progress.end();
                std::process::exit(Failure::output(&error).report().code().into());
            }
        }
        output.text.clear();
        output.messages.clear();
        self.progress.advance(std::mem::take(&mut output.searched));
    }
}

/// The output of one piece of work.
pub(super) struct Piece<'a> {
    order: &'a InOrder,
    number: u64,
    output: Output,
}

impl<'a> Piece<'a> {
    pub(super) fn new(order: &'a InOrder, number: u64) -> Piece<'a> {
        Piece { order, number, output: Output::default() }
    }

    /// Where to print to.
    pub(super) fn text(&mut self) -> &mut Vec<u8> {
        &mut self.output.text
    }

    /// Adds a message, which goes to standard error after the text.
    pub(super) fn message(&mut self, message: String) {
        self.output.messages.push(message);
    }

    /// To be called now and then while printing much: keeps what is in memory bounded.
    pub(super) fn relieve(&mut self) {
        if self.output.text.len() >= MAX_KEPT {
            self.wait_for_turn();
        }
    }

    /// Waits until all work before this has been printed, and prints what there is.
    pub(super) fn wait_for_turn(&mut self) {
        let mut state = self.order.lock();
        // Work is handed out in order, so whatever is waited for is being worked on.
        while state.current != self.number {
            state = self.order.wait(state);
        }
        state.write(&mut self.output);
    }

    /// Prints the rest, now or when it is this piece's turn. `searched` bytes have been searched.
    pub(super) fn finish(mut self, searched: u64) {
        self.output.searched = searched;
        let mut state = self.order.lock();
        let output = std::mem::take(&mut self.output);
        state.finished.insert(self.number, output);
        loop {
            let current = state.current;
            let Some(mut output) = state.finished.remove(&current) else { break };
            state.write(&mut output);
            state.current += 1;
        }
        drop(state);
        self.order.turn.notify_all();
    }
}
