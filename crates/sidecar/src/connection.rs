//! A connection to a server, from its start to its end.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::fs::SealFlags;

use super::control::{self, Answer, CONTROL, Control, Request, SLOTS, status};
use super::frame::{self, FrameError, Hello, Kind, Welcome};
use super::launch::{Launch, Process};
use super::memory::Mapping;
use super::region::Region;
use super::sys;
use super::watcher::Watcher;
use dragnet::{Backend, Match, Report, ScanError, StopFlag};

/// For how long a wait for an answer sleeps before it looks at the stop flag again.
const NAP: Duration = Duration::from_millis(5);

/// Why a connection is of no use.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// The server does not want this client.
    #[error("{0}")]
    Refused(String),
    /// The server is gone, silent or mad.
    #[error("{0}")]
    Broken(String),
    /// This process lacks something.
    #[error("{0}: {1}")]
    System(&'static str, io::Error),
    /// The flag was raised.
    #[error("stopped")]
    Stopped,
}

fn system(what: &'static str) -> impl FnOnce(io::Error) -> Fault {
    move |error| Fault::System(what, error)
}

fn broken<T>(reason: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Broken(reason.into()))
}

/// What a client asks of each server.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) hello: Hello,
    /// The patterns, sealed.
    pub(super) patterns: OwnedFd,
    /// For how long a server may be silent.
    pub(super) deadline: Duration,
}

/// One block of an answer.
pub(super) enum Block {
    More,
    Last,
    Stopped,
    Failed(ScanError),
}

pub(super) struct Connection {
    socket: Arc<OwnedFd>,
    control: Control,
    watcher: Watcher,
    /// After the watcher, so that it is not killed before the socket is shut down.
    process: Option<Process>,
    deadline: Duration,
    pub(super) backend: Backend,
    /// Why the server did not take the native engine; empty if it did, or was not to.
    pub(super) fallback_reason: String,
    /// The longest region that it takes.
    pub(super) most: u64,
    patterns: u32,
    report: u32,
    /// The generations of the regions that it knows of.
    known: [Option<u32>; SLOTS],
    submitted: u32,
    /// How many parts, from the first on, are not wanted any more.
    unwanted: u32,
}

impl Connection {
    /// Starts a server, or connects to one, and waits until it has compiled the patterns.
    pub(super) fn new(launch: &Launch, ask: &Ask, stop: &StopFlag) -> Result<Connection, Fault> {
        let (socket, process) = launch.start(ask.deadline).map_err(|error| match error.kind() {
            // What may be better next time, and is not this process's fault.
            io::ErrorKind::ConnectionRefused
            | io::ErrorKind::NotFound
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::WouldBlock => Fault::Broken(format!("there is no server: {error}")),
            _ => Fault::System("a server could not be started", error),
        })?;
        let socket = Arc::new(socket);
        let memory = sys::memory(CONTROL).map_err(system("shared memory could not be had"))?;
        let mapping = Mapping::new(memory.as_fd(), CONTROL, true)
            .map_err(system("shared memory could not be mapped"))?;
        sys::seal(memory.as_fd(), SealFlags::SHRINK | SealFlags::GROW)
            .map_err(system("shared memory could not be sealed"))?;
        let control = Control::new(mapping);
        let watcher = Watcher::start(Arc::clone(&socket), |words| &words.to_client, || ())
            .map_err(system("a thread could not be started"))?;
        watcher.ring_at_end(&control);
        let mut connection = Connection {
            socket,
            control,
            watcher,
            process,
            deadline: ask.deadline,
            backend: Backend::Pure,
            fallback_reason: String::new(),
            most: 0,
            patterns: ask.hello.patterns,
            report: ask.hello.report,
            known: [None; SLOTS],
            submitted: 0,
            unwanted: 0,
        };
        let greeted = connection.greet(&memory, ask, stop);
        greeted.map_err(|fault| connection.explain(fault)).map(|()| connection)
    }

    fn greet(&mut self, memory: &OwnedFd, ask: &Ask, stop: &StopFlag) -> Result<(), Fault> {
        let hello = bytemuck::bytes_of(&ask.hello);
        let descriptors = [memory.as_fd(), ask.patterns.as_fd()];
        self.send(Kind::Hello, hello, &descriptors)?;
        let deadline = Instant::now().checked_add(self.deadline);
        let mut received;
        loop {
            let now = Instant::now();
            let nap = deadline.map_or(now + NAP, |deadline| deadline.min(now + NAP));
            received = frame::receive(&*self.socket, Some(nap));
            if !matches!(received, Err(FrameError::TimedOut)) || deadline.is_some_and(|d| d <= now)
            {
                break;
            }
            if stop.is_raised() {
                return Err(Fault::Stopped);
            }
        }
        let answer = match received {
            Ok(answer) => answer,
            Err(FrameError::Version(version)) => {
                return Err(Fault::Refused(FrameError::Version(version).to_string()));
            }
            Err(error) => return broken(error.to_string()),
        };
        match answer.kind {
            Kind::Welcome => {
                let (welcome, fallback_reason) = answer
                    .body::<Welcome>(true)
                    .map_err(|error| Fault::Broken(error.to_string()))?;
                self.backend = match control::backend_from(welcome.backend) {
                    Some(backend) if backend != Backend::Auto => backend,
                    _ => return broken("the server named a backend that there is not"),
                };
                if welcome.patterns != self.patterns {
                    return broken("the server has compiled other patterns");
                }
                self.fallback_reason = fallback_reason;
                self.most = welcome.region;
                Ok(())
            }
            Kind::Refused => Err(Fault::Refused(answer.text())),
            Kind::Fault => broken(answer.text()),
            other => broken(format!("the server began with {other:?}")),
        }
    }

    fn send(
        &self,
        kind: Kind,
        value: &[u8],
        descriptors: &[std::os::fd::BorrowedFd<'_>],
    ) -> Result<(), Fault> {
        frame::send(&*self.socket, kind, value, "", descriptors).map_err(|error| {
            match error.kind() {
                io::ErrorKind::BrokenPipe
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::NotConnected
                | io::ErrorKind::WouldBlock => {
                    Fault::Broken(format!("the server does not listen: {error}"))
                }
                _ => Fault::System("the server's socket", error),
            }
        })
    }

    /// The process of the server, if it was started for this connection.
    pub(super) fn process(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// The number that the next part will have.
    pub(super) fn next(&self) -> u32 {
        self.submitted
    }

    /// Submits the part that is in a region. The slot is free: at most [`SLOTS`] parts are on their
    /// way.
    pub(super) fn submit(&mut self, number: usize, region: &Region) -> Result<(), Fault> {
        if self.known[number] != Some(region.generation) {
            let len = region.mapping.len() as u64;
            let tell = frame::Region { number: number as u32, generation: region.generation, len };
            let descriptors = [region.memory.as_fd()];
            self.send(Kind::Region, bytemuck::bytes_of(&tell), &descriptors)?;
            self.known[number] = Some(region.generation);
        }
        let request = Request {
            region: number as u32,
            generation: region.generation,
            bytes: region.part.bytes,
            offsets: region.part.offsets,
            records: region.part.records,
            terminator: region.part.terminator,
        };
        self.control.submit(self.submitted, &request);
        self.submitted = self.submitted.wrapping_add(1);
        Ok(())
    }

    /// Says that the parts before this number are not wanted any more.
    pub(super) fn cancel(&mut self, before: u32) {
        self.forget(before);
        self.control.words().to_server.ring();
    }

    /// Says that the first `before` parts are over. So that numbers can go around, this is said
    /// more often than every 2^31 parts. What was cancelled stays so.
    pub(super) fn forget(&mut self, before: u32) {
        if control::is_before(self.unwanted, before) {
            self.unwanted = before;
            self.control.words().cancelled.0.store(before, Ordering::Release);
        }
    }

    /// Waits for the block behind the first `taken` ones of a part's answer, and appends its matches
    /// to `out`, checked: they are ones that `region` may have, and follow those that are there.
    pub(super) fn block(
        &self,
        sequence: u32,
        taken: u32,
        region: &Region,
        stop: Option<&StopFlag>,
        out: &mut Vec<Match>,
    ) -> Result<Block, Fault> {
        if taken > 0 {
            self.control.take(sequence, taken);
        }
        let is_stopped = || stop.is_some_and(StopFlag::is_raised);
        // Looked at here, too: there may be a block each time, and many of them.
        if is_stopped() {
            return Err(Fault::Stopped);
        }
        let is_over = || self.watcher.is_gone() || is_stopped();
        let deadline = Instant::now().checked_add(self.deadline);
        let answer = self
            .control
            .wait_for_block(sequence, taken, deadline, Some(NAP), is_over)
            .map_err(system("waiting for the server"))?;
        let Some(Answer { count, status, found, code }) = answer else {
            return match () {
                () if self.watcher.is_gone() => broken("the server is gone"),
                () if deadline.is_some_and(|deadline| deadline <= Instant::now()) => {
                    broken(format!("no answer within {:?}", self.deadline))
                }
                // The flag was raised, and may have been cleared since.
                () => Err(Fault::Stopped),
            };
        };
        let found = found as usize;
        if count != taken.wrapping_add(1) {
            return broken(format!("block {count} of an answer came after block {taken}"));
        }
        let is_empty = status != status::MORE && status != status::DONE;
        if found > control::RESULTS || is_empty && found > 0 || status == status::MORE && found == 0
        {
            return broken(format!("{found} matches in a block of status {status}"));
        }
        let start = out.len();
        self.control.read_block(sequence, found, out);
        let is_spans = control::report_from(self.report) == Some(Report::Spans);
        check(&out[start.saturating_sub(1)..], region, self.patterns, is_spans)?;
        Ok(match status {
            status::MORE => Block::More,
            status::DONE => Block::Last,
            status::STOPPED => Block::Stopped,
            status::FAILED if code != 0 => {
                Block::Failed(ScanError::Native { library: self.told(), code: code as i32 })
            }
            status::FAILED => Block::Failed(ScanError::Unavailable { reason: self.told() }),
            status::PANICKED => Block::Failed(ScanError::Panicked { message: self.told() }),
            _ => return broken(format!("an answer of status {status}")),
        })
    }

    /// The message on the socket, which was sent before what is known.
    fn told(&self) -> String {
        self.last_words().unwrap_or_else(|| "the server did not say what".to_owned())
    }

    /// The reason that the server has sent before it ended the connection, if it has.
    fn last_words(&self) -> Option<String> {
        let frame = frame::receive(&*self.socket, Some(Instant::now())).ok()?;
        (frame.kind == Kind::Fault).then(|| frame.text())
    }

    /// Adds what can be found out about the end of a connection to a fault.
    pub(super) fn explain(&mut self, fault: Fault) -> Fault {
        let Fault::Broken(reason) = fault else { return fault };
        let mut reasons = vec![reason];
        if let Some(text) = self.last_words() {
            reasons.push(format!("the server said: {text}"));
        }
        // One that is going down closes its socket a little before it ends.
        let ended = PollFlags::RDHUP | PollFlags::HUP;
        let is_over = sys::poll(self.socket.as_fd(), PollFlags::RDHUP, Some(Duration::ZERO))
            .is_ok_and(|events| events.intersects(ended));
        let patience = Duration::from_millis(if is_over { 200 } else { 0 });
        if let Some(status) = self.process.as_mut().and_then(|process| process.ended(patience)) {
            reasons.push(format!("its process ended with {status}"));
        }
        Fault::Broken(reasons.join("; "))
    }
}

/// Checks matches that another process claims to have found. They are in order, behind the first
/// one if that was there before, name only patterns and bytes that there are, and do not overlap
/// or, without spans, have none. So there can't be many more of them than bytes and patterns.
fn check(matches: &[Match], region: &Region, patterns: u32, is_spans: bool) -> Result<(), Fault> {
    let in_range = |m: &Match| {
        let len = region.record_len(m.record());
        m.pattern() < patterns as usize
            && m.start() <= m.end()
            && len.is_some_and(|len| m.end() <= len as usize)
            && (is_spans || m.end() == 0)
    };
    let sorted = matches.is_sorted_by(|a, b| {
        a < b && ((a.record(), a.pattern()) != (b.record(), b.pattern()) || a.end() <= b.start())
    });
    match matches.iter().find(|m| !in_range(m)) {
        None if sorted => Ok(()),
        None => broken("the server's matches are not in order"),
        Some(m) => broken(format!("the server found what can't be: {m:?}")),
    }
}
