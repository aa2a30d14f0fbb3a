//! Reads ahead on a thread of its own, so that whoever takes the lines gets those that are there
//! as soon as they are there, and many at once when it is slower than the writer.

use std::io::{self, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// How many bytes are asked for at a time; what a pipe holds.
const READ_SIZE: usize = 64 << 10;

/// A reader's bytes, in whole lines.
#[derive(Debug)]
pub(super) struct ReadAhead {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Signalled when the state has changed.
    changed: Condvar,
    /// How many bytes are read ahead, unless a line is longer.
    limit: usize,
}

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    /// How many of the bytes are whole lines.
    whole: usize,
    /// Set when there is nothing more to read.
    end: Option<io::Result<()>>,
    /// Whether nobody takes the lines any more.
    abandoned: bool,
}

impl ReadAhead {
    /// Starts to read, at most about `limit` bytes ahead if no line is longer.
    pub(super) fn new(
        mut reader: impl Read + Send + 'static,
        limit: usize,
    ) -> io::Result<ReadAhead> {
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new(), limit });
        let theirs = shared.clone();
        // Never joined: it may wait for input for ever, and has nothing to clean up.
        std::thread::Builder::new()
            .name("read ahead".to_owned())
            .spawn(move || theirs.read(&mut reader))?;
        Ok(ReadAhead { shared })
    }

    /// Replaces `lines` by all whole lines that there are, waiting for one. The last line before
    /// the end counts as whole. Leaves it empty at the end.
    ///
    /// # Errors
    ///
    /// If reading failed, after all that was read has been taken.
    pub(super) fn take(&mut self, lines: &mut Vec<u8>) -> io::Result<()> {
        lines.clear();
        let mut state = self.shared.lock();
        while state.whole == 0 && state.end.is_none() {
            state = self.shared.wait(state);
        }
        if state.end.is_some() {
            state.whole = state.bytes.len();
        }
        if state.whole == 0 {
            return state.end.replace(Ok(())).unwrap_or(Ok(()));
        }
        let whole = std::mem::take(&mut state.whole);
        lines.extend_from_slice(&state.bytes[whole..]);
        std::mem::swap(lines, &mut state.bytes);
        lines.truncate(whole);
        self.shared.changed.notify_all();
        Ok(())
    }
}

impl Drop for ReadAhead {
    fn drop(&mut self) {
        self.shared.lock().abandoned = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn read(&self, reader: &mut impl Read) {
        let mut block = vec![0; READ_SIZE];
        loop {
            let result = reader.read(&mut block);
            let mut state = self.lock();
            match result {
                Ok(0) => state.end = Some(Ok(())),
                Ok(count) => {
                    if let Some(newline) = memchr::memrchr(b'\n', &block[..count]) {
                        state.whole = state.bytes.len() + newline + 1;
                    }
                    state.bytes.extend_from_slice(&block[..count]);
                    if state.whole == 0 && state.bytes.len() > dragnet::MAX_BUFFER {
                        // No batch can hold this line; whoever takes it will say so.
                        state.end = Some(Ok(()));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => state.end = Some(Err(error)),
            }
            self.changed.notify_all();
            // A line must be read to its end, however long it is.
            while state.bytes.len() >= self.limit && state.whole > 0 && !state.abandoned {
                state = self.wait(state);
            }
            if state.end.is_some() || state.abandoned {
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is valid between any two statements, so a panic elsewhere can't spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, guard: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }
}
