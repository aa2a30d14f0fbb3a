//! A client's connection to one server, from the handshake to the end.
//!
//! A connection submits chunks, and receives and validates the blocks of their answers; batches are
//! the concern of the [`Sidecar`](super::Sidecar). When a connection fails, the `Sidecar` drops it
//! and makes another one.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::fs::SealFlags;

use super::connection_error::{ConnectionError, broken, system};
use super::connector::{Connector, ServerProcess};
use super::control::{BlockHeader, ControlMemory};
use super::frame::{self, FrameError, FrameKind, Hello, RegionNotice, Welcome};
use super::hangup_watcher::HangupWatcher;
use super::layout::{BLOCK_MATCHES, CONTROL_LEN, status};
use super::match_check;
use super::memory::SharedMapping;
use super::region::Region;
use super::sequence::{Generation, RegionIndex, SLOTS, Sequence};
use super::sys;
use dragnet::{Backend, Match, Report, ScanError, StopFlag};

/// How often a wait checks the stop flag, and so the maximum delay until a raised flag is noticed.
const MAX_SLEEP: Duration = Duration::from_millis(5);

/// How long to wait for the exit status of a server whose socket has closed. The kernel closes the
/// sockets of a dying process shortly before its parent can wait for it.
const EXIT_TIMEOUT: Duration = Duration::from_millis(200);

/// What a client requests from each server that it connects to.
#[derive(Debug)]
pub(super) struct SessionRequest {
    pub(super) hello: Hello,
    /// The encoded patterns, in sealed memory.
    pub(super) patterns: OwnedFd,
    /// How long to wait for a message or an answer before the server counts as hung.
    pub(super) timeout: Duration,
}

/// A block of an answer, whose matches were appended to a list.
pub(super) enum ReceivedBlock {
    /// Another block follows.
    More,
    /// This was the last block.
    Last,
    /// The chunk was cancelled.
    Stopped,
    /// The scan failed.
    Failed(ScanError),
}

/// A connection to a server.
pub(super) struct Connection {
    socket: Arc<OwnedFd>,
    control: ControlMemory,
    watcher: HangupWatcher,
    /// Declared after the watcher, so that the connection is closed before the process is killed.
    process: Option<ServerProcess>,
    timeout: Duration,
    backend: Backend,
    fallback_reason: String,
    max_region_len: u64,
    patterns: u32,
    has_spans: bool,
    /// The generations of the regions that the server has received.
    sent_regions: [Option<Generation>; SLOTS],
    /// The number of the next chunk.
    next: Sequence,
    /// All chunks before this one have ended: they were answered or cancelled.
    ended: Sequence,
}

impl Connection {
    /// Starts a server or connects to one, and waits until it has compiled the patterns.
    pub(super) fn new(
        connector: &Connector,
        request: &SessionRequest,
        stop: &StopFlag,
    ) -> Result<Connection, ConnectionError> {
        let connected = connector.connect(request.timeout);
        let (socket, process) = connected.map_err(|error| match error.kind() {
            // The server may be about to start, or about to be replaced.
            io::ErrorKind::ConnectionRefused
            | io::ErrorKind::NotFound
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::WouldBlock => {
                ConnectionError::Broken(format!("there is no server: {error}"))
            }
            _ => ConnectionError::System("a server could not be started", error),
        })?;
        let socket = Arc::new(socket);
        let memory = sys::memory(CONTROL_LEN).map_err(system("creating shared memory"))?;
        let mapping = SharedMapping::new(memory.as_fd(), CONTROL_LEN, true)
            .map_err(system("mapping shared memory"))?;
        sys::seal(memory.as_fd(), SealFlags::SHRINK | SealFlags::GROW)
            .map_err(system("sealing shared memory"))?;
        let control = ControlMemory::new(mapping);
        let watcher = HangupWatcher::start(Arc::clone(&socket), |words| &words.client_event, || ())
            .map_err(system("starting a thread"))?;
        watcher.signal_in(&control);
        let mut connection = Connection {
            socket,
            control,
            watcher,
            process,
            timeout: request.timeout,
            backend: Backend::Pure,
            fallback_reason: String::new(),
            max_region_len: 0,
            patterns: request.hello.patterns,
            has_spans: frame::report_from_code(request.hello.report) == Some(Report::Spans),
            sent_regions: [None; SLOTS],
            next: Sequence::default(),
            ended: Sequence::default(),
        };
        match connection.handshake(&memory, request, stop) {
            Ok(()) => Ok(connection),
            Err(error) => Err(connection.explain(error)),
        }
    }

    fn handshake(
        &mut self,
        control: &OwnedFd,
        request: &SessionRequest,
        stop: &StopFlag,
    ) -> Result<(), ConnectionError> {
        let hello = bytemuck::bytes_of(&request.hello);
        self.send(FrameKind::Hello, hello, &[control.as_fd(), request.patterns.as_fd()])?;
        let deadline = Instant::now().checked_add(self.timeout);
        let received = loop {
            let now = Instant::now();
            let until = deadline.map_or(now + MAX_SLEEP, |deadline| deadline.min(now + MAX_SLEEP));
            match frame::receive(&*self.socket, Some(until)) {
                Err(FrameError::TimedOut) if deadline.is_none_or(|deadline| now < deadline) => {}
                received => break received,
            }
            if stop.is_raised() {
                return Err(ConnectionError::Stopped);
            }
        };
        let frame = match received {
            Ok(frame) => frame,
            Err(error @ FrameError::Version(_)) => {
                return Err(ConnectionError::Refused(error.to_string()));
            }
            Err(error) => return broken(error.to_string()),
        };
        match frame.kind {
            FrameKind::Welcome => {
                let (welcome, fallback_reason) = frame
                    .body::<Welcome>(true)
                    .map_err(|error| ConnectionError::Broken(error.to_string()))?;
                self.backend = match frame::backend_from_code(welcome.backend) {
                    Some(backend) if backend != Backend::Auto => backend,
                    _ => return broken("the server named an unknown backend"),
                };
                if welcome.patterns != self.patterns {
                    return broken("the server has compiled another number of patterns");
                }
                self.fallback_reason = fallback_reason;
                self.max_region_len = welcome.max_region_len;
                Ok(())
            }
            FrameKind::Refused => Err(ConnectionError::Refused(frame.text())),
            FrameKind::Error => broken(frame.text()),
            other => broken(format!("the server answered the handshake with {other:?}")),
        }
    }

    fn send(
        &self,
        kind: FrameKind,
        value: &[u8],
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<(), ConnectionError> {
        let sent = frame::send(&*self.socket, kind, value, "", descriptors);
        sent.map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::NotConnected
            | io::ErrorKind::WouldBlock => {
                ConnectionError::Broken(format!("the server does not receive messages: {error}"))
            }
            _ => ConnectionError::System("the server's socket", error),
        })
    }

    /// The backend that the server uses.
    pub(super) fn backend(&self) -> Backend {
        self.backend
    }

    /// Why the server does not use the native backend; empty if it does, or was not asked to.
    pub(super) fn fallback_reason(&self) -> &str {
        &self.fallback_reason
    }

    /// The longest region that the server maps, in bytes.
    pub(super) fn max_region_len(&self) -> u64 {
        self.max_region_len
    }

    /// The process of the server, if it was started for this connection.
    pub(super) fn server_pid(&self) -> Option<u32> {
        self.process.as_ref().map(ServerProcess::id)
    }

    /// Submits the chunk whose records are in a region. The caller keeps at most [`SLOTS`] chunks in
    /// flight.
    pub(super) fn submit(
        &mut self,
        index: RegionIndex,
        region: &Region,
    ) -> Result<(), ConnectionError> {
        let generation = region.generation();
        if self.sent_regions[index.get()] != Some(generation) {
            let notice = RegionNotice {
                number: index.number(),
                generation: generation.get(),
                len: region.len() as u64,
            };
            let descriptors = [region.memory().as_fd()];
            self.send(FrameKind::Region, bytemuck::bytes_of(&notice), &descriptors)?;
            self.sent_regions[index.get()] = Some(generation);
        }
        self.control.submit(self.next, &region.request(index));
        self.next = self.next.next();
        Ok(())
    }

    /// Cancels all chunks that were submitted so far.
    pub(super) fn cancel_all(&mut self) {
        self.mark_ended(self.next);
        self.control.words().server_event.signal();
    }

    /// Publishes to the server that all chunks before `end` have ended, which cancels those that it
    /// has not answered. Must be called at least once in 2^31 chunks, because sequence numbers wrap
    /// around.
    pub(super) fn mark_ended(&mut self, end: Sequence) {
        if self.ended.is_before(end) {
            self.ended = end;
            self.control.set_cancelled(end);
        }
    }

    /// Waits for the block after the first `taken` blocks of a chunk's answer, and appends its matches
    /// to `out`.
    ///
    /// The matches are checked against the records in `region`, and must follow the last match that is
    /// in `out` already.
    pub(super) fn receive_block(
        &self,
        sequence: Sequence,
        taken: u32,
        region: &Region,
        stop: &StopFlag,
        out: &mut Vec<Match>,
    ) -> Result<ReceivedBlock, ConnectionError> {
        if taken > 0 {
            self.control.take(sequence, taken);
        }
        // If a block is ready, the wait below returns without checking the flag, so a long answer
        // could never be stopped.
        if stop.is_raised() {
            return Err(ConnectionError::Stopped);
        }
        let is_over = || self.watcher.is_gone() || stop.is_raised();
        let deadline = Instant::now().checked_add(self.timeout);
        let header = self
            .control
            .wait_for_block(sequence, taken, deadline, Some(MAX_SLEEP), is_over)
            .map_err(system("waiting for the server"))?;
        let Some(BlockHeader { count, status, found, code }) = header else {
            return match () {
                () if self.watcher.is_gone() => broken("the server has closed the connection"),
                () if deadline.is_some_and(|deadline| deadline <= Instant::now()) => {
                    broken(format!("no answer within {:?}", self.timeout))
                }
                // The flag was raised, even if it was cleared since.
                () => Err(ConnectionError::Stopped),
            };
        };
        if count != taken.wrapping_add(1) {
            return broken(format!("block {count} of an answer came after block {taken}"));
        }
        let found = found as usize;
        let may_be_empty = status != status::MORE;
        let may_have_matches = status == status::MORE || status == status::DONE;
        if found > BLOCK_MATCHES || found == 0 && !may_be_empty || found > 0 && !may_have_matches {
            return broken(format!("{found} matches in a block with status {status}"));
        }
        let start = out.len();
        self.control.read_block(sequence, found, out);
        let with_last = &out[start.saturating_sub(1)..];
        match_check::check(with_last, region, self.patterns, self.has_spans)?;
        Ok(match status {
            status::MORE => ReceivedBlock::More,
            status::DONE => ReceivedBlock::Last,
            status::STOPPED => ReceivedBlock::Stopped,
            status::FAILED => ReceivedBlock::Failed(match code {
                0 => ScanError::Unavailable { reason: self.error_text() },
                _ => ScanError::Native { library: self.error_text(), code: code as i32 },
            }),
            status::PANICKED => {
                ReceivedBlock::Failed(ScanError::Panicked { message: self.error_text() })
            }
            _ => return broken(format!("a block has the unknown status {status}")),
        })
    }

    /// The text that a server sends before it publishes a block with an error status.
    fn error_text(&self) -> String {
        self.receive_error().unwrap_or_else(|| "the server gave no reason".to_owned())
    }

    /// The text of the ERROR frame that the socket holds, if there is one.
    fn receive_error(&self) -> Option<String> {
        let frame = frame::receive(&*self.socket, Some(Instant::now())).ok()?;
        (frame.kind == FrameKind::Error).then(|| frame.text())
    }

    /// Adds the server's last message and its exit status to an error, if they are available.
    pub(super) fn explain(&mut self, error: ConnectionError) -> ConnectionError {
        let ConnectionError::Broken(reason) = error else { return error };
        let mut reasons = vec![reason];
        if let Some(text) = self.receive_error() {
            reasons.push(format!("the server's last message: {text}"));
        }
        let hangup = PollFlags::RDHUP | PollFlags::HUP;
        let has_hung_up = sys::poll(self.socket.as_fd(), PollFlags::RDHUP, Some(Duration::ZERO))
            .is_ok_and(|events| events.intersects(hangup));
        let timeout = if has_hung_up { EXIT_TIMEOUT } else { Duration::ZERO };
        if let Some(status) = self.process.as_mut().and_then(|process| process.wait(timeout)) {
            reasons.push(format!("its process ended with {status}"));
        }
        ConnectionError::Broken(reasons.join("; "))
    }
}
