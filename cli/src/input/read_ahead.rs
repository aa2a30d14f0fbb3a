//! Reads input on a background thread and hands out whole lines as soon as they are available, in
//! larger blocks when the consumer lags.
//!
//! This is for input such as a pipe, whose writer may pause at any time. Reading blocks of a fixed
//! size would hold complete lines back until the writer has filled the block; reading line by line
//! would make batches too small for an engine to be fast. Here a consumer that waits gets each line
//! at once, and a busy one finds all lines that arrived in the meantime.

use std::io::{self, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The size of one read, in bytes: what a pipe on Linux has room for. Less than a block, since no more is there.
const PIPE_CAPACITY: usize = 64 << 10;

/// A reader's bytes, in whole lines.
#[derive(Debug)]
pub(super) struct ReadAhead {
    shared: Arc<Shared>,
}

/// The data that the consumer and the background thread share.
#[derive(Debug)]
struct Shared {
    buffer: Mutex<LineBuffer>,
    /// Notified when the buffer has changed.
    changed: Condvar,
    /// The number of buffered bytes at which the thread pauses, provided that a whole line is among
    /// them.
    limit: usize,
}

#[derive(Debug, Default)]
struct LineBuffer {
    bytes: Vec<u8>,
    /// The length of the prefix of `bytes` that consists of whole lines.
    complete: usize,
    /// Set when reading has ended, at the end of input or by an error.
    end: Option<io::Result<()>>,
    /// Whether nobody will take the lines: the consumer was dropped, or is to stop waiting.
    is_abandoned: bool,
}

/// Ends the input of a [`ReadAhead`] from another thread.
#[derive(Debug)]
pub(super) struct Stopper(Arc<Shared>);

impl Stopper {
    /// Makes the consumer stop waiting: it gets no more lines.
    pub(super) fn stop(&self) {
        self.0.lock().is_abandoned = true;
        self.0.changed.notify_all();
    }
}

impl ReadAhead {
    /// Starts the background thread, which reads about `limit` bytes ahead, or more if a single
    /// line is longer.
    pub(super) fn new(
        mut reader: impl Read + Send + 'static,
        limit: usize,
    ) -> io::Result<ReadAhead> {
        let shared = Arc::new(Shared { buffer: Mutex::default(), changed: Condvar::new(), limit });
        let for_thread = shared.clone();
        // Never joined: the read that the thread is blocked in may never return, and the thread has
        // nothing to clean up.
        std::thread::Builder::new()
            .name("read ahead".to_owned())
            .spawn(move || for_thread.run(&mut reader))?;
        Ok(ReadAhead { shared })
    }

    /// Returns what ends this input early.
    pub(super) fn stopper(&self) -> Stopper {
        Stopper(self.shared.clone())
    }

    /// Replaces `lines` by all available whole lines, after waiting for at least one. At the end of
    /// input, an unterminated last line counts as whole. After that, and after [`Stopper::stop`],
    /// `lines` is empty.
    ///
    /// # Errors
    ///
    /// If reading failed. All bytes read before that have been returned by earlier calls.
    pub(super) fn take(&mut self, lines: &mut Vec<u8>) -> io::Result<()> {
        lines.clear();
        let mut buffer = self.shared.lock();
        while buffer.complete == 0 && buffer.end.is_none() && !buffer.is_abandoned {
            buffer = self.shared.wait(buffer);
        }
        if buffer.is_abandoned {
            return Ok(());
        }
        if buffer.end.is_some() {
            buffer.complete = buffer.bytes.len();
        }
        if buffer.complete == 0 {
            return buffer.end.replace(Ok(())).unwrap_or(Ok(()));
        }
        let complete = std::mem::take(&mut buffer.complete);
        // Copy the incomplete line and swap the buffers, because the whole lines are usually much
        // longer.
        lines.extend_from_slice(&buffer.bytes[complete..]);
        std::mem::swap(lines, &mut buffer.bytes);
        lines.truncate(complete);
        self.shared.changed.notify_all();
        Ok(())
    }
}

impl Drop for ReadAhead {
    fn drop(&mut self) {
        self.stopper().stop();
    }
}

impl Shared {
    /// Runs the background thread: reads until the end of input, an error or the consumer's drop.
    fn run(&self, reader: &mut impl Read) {
        let mut block = vec![0; PIPE_CAPACITY];
        loop {
            let result = reader.read(&mut block);
            let mut buffer = self.lock();
            match result {
                Ok(0) => buffer.end = Some(Ok(())),
                Ok(count) => {
                    if let Some(newline) = memchr::memrchr(b'\n', &block[..count]) {
                        buffer.complete = buffer.bytes.len() + newline + 1;
                    }
                    // A long line of binary data; see `BlockReader`.
                    if buffer.complete == 0
                        && buffer.bytes.len() >= self.limit
                        && let Some(nul) = memchr::memrchr(0, &block[..count])
                    {
                        buffer.complete = buffer.bytes.len() + nul + 1;
                    }
                    buffer.bytes.extend_from_slice(&block[..count]);
                    if buffer.complete == 0 && buffer.bytes.len() > dragnet::MAX_BUFFER {
                        // No batch can hold this line. Hand out what there is, so that the consumer
                        // reports the line as too long.
                        buffer.end = Some(Ok(()));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => buffer.end = Some(Err(error)),
            }
            self.changed.notify_all();
            // Without a whole line the thread reads on beyond the limit: the consumer waits for the
            // end of the line, so waiting for the consumer would be a deadlock.
            while buffer.bytes.len() >= self.limit && buffer.complete > 0 && !buffer.is_abandoned {
                buffer = self.wait(buffer);
            }
            if buffer.end.is_some() || buffer.is_abandoned {
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, LineBuffer> {
        // A poisoned lock is used all the same: a panic can't leave the buffer invalid.
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, guard: MutexGuard<'a, LineBuffer>) -> MutexGuard<'a, LineBuffer> {
        self.changed.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }
}
