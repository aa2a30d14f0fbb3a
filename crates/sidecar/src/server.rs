//! The other process: it compiles what its client sends, and answers parts until the client is gone.

use std::any::Any;
use std::fmt;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::fs::SealFlags;

use super::blocks::Blocks;
use super::control::{self, Answer, CONTROL, Control, SLOTS, status};
use super::frame::{self, Frame, FrameError, Hello, Kind, Region, Welcome};
use super::limits::Limits;
use super::memory::Mapping;
use super::request::{Records, Request};
use super::watcher::Watcher;
use super::{patterns, sys};
use dragnet::{Engine, Scan, ScanError, Scanner, StopFlag};

/// For how long a client may keep the server waiting for a message that is due.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a server has ended its connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// What was to be the socket of a client is not, or the system failed.
    #[error("{what}: {error}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        error: std::io::Error,
    },
    /// The client is another user.
    #[error("the client is of user {0}, who may not use this server")]
    Stranger(u32),
    /// The client broke the rules of the protocol.
    #[error("the client broke the protocol: {0}")]
    Protocol(String),
    /// The client asked for what can't be had; it was told the same.
    #[error("the client was refused: {0}")]
    Refused(String),
}

impl From<FrameError> for ServeError {
    fn from(error: FrameError) -> ServeError {
        match error {
            FrameError::Io(error) => ServeError::System { what: "the client's socket", error },
            error => ServeError::Protocol(error.to_string()),
        }
    }
}

fn system(what: &'static str) -> impl FnOnce(std::io::Error) -> ServeError {
    move |error| ServeError::System { what, error }
}

fn protocol<T>(reason: impl Into<String>) -> Result<T, ServeError> {
    Err(ServeError::Protocol(reason.into()))
}

/// One client's connection, before its first message is read.
///
/// It trusts the client with nothing: see the [module](super).
pub struct Server {
    socket: Arc<OwnedFd>,
    watcher: Watcher,
    stop: StopFlag,
    ended: Arc<AtomicBool>,
    limits: Limits,
    /// [`PATIENCE`], which is too long for tests.
    pub(super) patience: Duration,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Server {
    /// A server for the client at the other end of a socket, which must be a process of the same
    /// user. Starts the thread that looks out for the client's end; nothing is read yet, so that
    /// the process can give up its rights in between.
    ///
    /// Once the client is gone, a scan that still runs is told to stop. If it does not within a
    /// second, `at_last` is called, on the thread that looks out; it is for ending the process.
    ///
    /// Records are read where the client has put them. One that changes them meanwhile gets any
    /// answer or none, and may break what Rust believes of memory; so let no other clients depend
    /// on the process that serves one which is not trusted with that.
    ///
    /// # Errors
    ///
    /// If it is no such socket, or the client is of another user.
    pub fn new(
        socket: OwnedFd,
        limits: Limits,
        at_last: impl FnOnce() + Send + 'static,
    ) -> Result<Server, ServeError> {
        let socket = Arc::new(socket);
        let peer = sys::peer(socket.as_fd()).map_err(system("whose socket it is"))?;
        if peer.uid != rustix::process::geteuid() {
            return Err(ServeError::Stranger(peer.uid.as_raw()));
        }
        let (stop, ended) = (StopFlag::new(), Arc::new(AtomicBool::new(false)));
        let at_end = {
            let (stop, ended) = (stop.clone(), Arc::clone(&ended));
            move || {
                stop.raise();
                let over = Instant::now() + Duration::from_secs(1);
                while !ended.load(Ordering::SeqCst) {
                    if Instant::now() >= over {
                        return at_last();
                    }
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
        };
        let watcher = Watcher::start(Arc::clone(&socket), |words| &words.to_server, at_end)
            .map_err(system("a thread could not be started"))?;
        Ok(Server { socket, watcher, stop, ended, limits, patience: PATIENCE })
    }

    /// Serves the client until it is gone, which is no error.
    ///
    /// # Errors
    ///
    /// If the client broke the protocol or asked for what can't be had. It has been told so.
    pub fn run(self) -> Result<(), ServeError> {
        let result = self.serve();
        match &result {
            Ok(()) | Err(ServeError::Refused(_)) => {}
            Err(error) => self.tell(&error.to_string()),
        }
        result
    }

    fn serve(&self) -> Result<(), ServeError> {
        let hello = match frame::receive(&*self.socket, Instant::now().checked_add(self.patience)) {
            // It has thought better of it.
            Err(FrameError::Closed) => return Ok(()),
            Err(FrameError::Version(version)) => {
                return self.refuse(FrameError::Version(version).to_string());
            }
            other => other?,
        };
        let Some(mut session) = self.accept(hello)? else { return Ok(()) };
        let control = session.control.clone();
        let mut next = 0_u32;
        loop {
            let is_gone = || self.watcher.is_gone();
            let submitted = control.wait_for_part(next, is_gone).map_err(system("waiting"))?;
            if is_gone() {
                return Ok(());
            }
            // A client may have changed the word back.
            if submitted == next {
                continue;
            }
            if submitted.wrapping_sub(next) > SLOTS as u32 {
                return protocol(format!("{submitted} parts after {next}"));
            }
            session.part(next)?;
            next = next.wrapping_add(1);
        }
    }

    /// Tells the client what is wrong. It may be gone, or not read; then it gets to know by the end
    /// of the connection, or by the status of its part.
    fn tell(&self, text: &str) {
        let _ = frame::send(&*self.socket, Kind::Fault, &[], text, &[]);
    }

    /// Refuses a client for good, with the reason.
    fn refuse<T>(&self, reason: String) -> Result<T, ServeError> {
        let _ = frame::send(&*self.socket, Kind::Refused, &[], &reason, &[]);
        Err(ServeError::Refused(reason))
    }

    /// Does what the first message asks for. `None` if the client is gone already.
    fn accept(&self, hello: Frame) -> Result<Option<Session<'_>>, ServeError> {
        if hello.kind != Kind::Hello {
            return protocol(format!("it began with {:?}", hello.kind));
        }
        let (ask, _) = hello.body::<Hello>(false)?;
        let Ok([control, patterns]) = <[OwnedFd; 2]>::try_from(hello.descriptors) else {
            return protocol("it began without its two descriptors");
        };
        let (Some(report), Some(backend)) =
            (control::report_from(ask.report), control::backend_from(ask.backend))
        else {
            return protocol("it asked for a report or a backend that there is not");
        };
        if ask.patterns > self.limits.patterns || ask.bytes > self.limits.pattern_bytes {
            return self.refuse(format!(
                "{} patterns of {} bytes are more than the {} of {} bytes that this server takes",
                ask.patterns, ask.bytes, self.limits.patterns, self.limits.pattern_bytes,
            ));
        }
        let fixed = SealFlags::SHRINK | SealFlags::GROW;
        let control = Control::new(mapped(&control, CONTROL as u64, fixed, true)?);
        self.watcher.ring_at_end(&control);

        let mut text = Vec::new();
        if ask.bytes > 0 {
            // Sealed against writing, too, so that it is the same however often it is read.
            let mapping = mapped(&patterns, ask.bytes, fixed | SealFlags::WRITE, false)?;
            mapping.read(0, mapping.len(), &mut text);
        }
        drop(patterns);
        let count = ask.patterns as usize;
        let set = match patterns::decode(&text, count, self.limits.set_size) {
            Ok(set) => set,
            Err(patterns::DecodeError::Build(error)) => return self.refuse(error.to_string()),
            Err(error) => return protocol(error.to_string()),
        };
        drop(text);
        let engine = match Engine::with_backend(&set, report, backend) {
            Ok(engine) => engine,
            Err(error) => return self.refuse(error.to_string()),
        };
        let scanner = match engine.scanner_with(self.stop.clone()) {
            Ok(scanner) => scanner,
            Err(error) => return self.refuse(error.to_string()),
        };
        let welcome = Welcome {
            backend: control::backend_number(engine.backend()),
            patterns: ask.patterns,
            region: self.limits.region,
        };
        let fallback_reason = engine.fallback_reason().map_or(String::new(), ToString::to_string);
        let welcome = bytemuck::bytes_of(&welcome);
        if frame::send(&*self.socket, Kind::Welcome, welcome, &fallback_reason, &[]).is_err() {
            return Ok(None);
        }
        Ok(Some(Session {
            server: self,
            control,
            engine,
            scanner,
            regions: [const { None }; SLOTS],
            offsets: Vec::new(),
        }))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
    }
}

/// A client that was accepted.
struct Session<'a> {
    server: &'a Server,
    control: Control,
    engine: Engine,
    scanner: Scanner,
    /// The memory of records, with its generation.
    regions: [Option<(u32, Mapping)>; SLOTS],
    offsets: Vec<u32>,
}

impl Session<'_> {
    /// Answers one part.
    fn part(&mut self, sequence: u32) -> Result<(), ServeError> {
        let request = Request::read(self.control.slot(sequence));
        if control::is_cancelled(self.control.words(), sequence) {
            self.answer(sequence, 0, status::STOPPED, 0, 0);
            return Ok(());
        }
        self.map_region(&request)?;
        let Some(Some((_, mapping))) = self.regions.get(request.region as usize) else {
            return protocol("a part without memory");
        };
        let records = match Records::of(&request, mapping, &mut self.offsets) {
            Ok(records) => records,
            Err(reason) => return protocol(reason),
        };
        let is_gone = || self.server.watcher.is_gone();
        let mut blocks = Blocks::new(&self.control, sequence, &is_gone);
        let batch = match records.batch() {
            Ok(batch) => batch,
            Err(reason) => return protocol(reason),
        };
        // A panic is of this part alone: the scanner is made anew.
        let scanned = catch_unwind(AssertUnwindSafe(|| {
            self.scanner.scan_with(&batch, &mut |block| blocks.add(block))
        }));
        let (published, held) = blocks.end();
        match scanned {
            Ok(Ok(ControlFlow::Continue(()))) => {
                self.answer(sequence, published, status::DONE, held, 0);
            }
            // Cancelled, or the client is gone, which is seen in the next turn.
            Ok(Ok(ControlFlow::Break(())) | Err(ScanError::Stopped)) => {
                self.answer(sequence, published, status::STOPPED, 0, 0);
            }
            Ok(Err(error)) => {
                let (text, code) = match &error {
                    ScanError::Native { library, code } => (library.clone(), *code as u32),
                    other => (other.to_string(), 0),
                };
                self.server.tell(&text);
                self.answer(sequence, published, status::FAILED, 0, code);
            }
            Err(payload) => {
                self.server.tell(message(&*payload));
                match self.engine.scanner_with(self.server.stop.clone()) {
                    Ok(scanner) => self.scanner = scanner,
                    Err(error) => return self.server.refuse(error.to_string()),
                }
                self.answer(sequence, published, status::PANICKED, 0, 0);
            }
        }
        Ok(())
    }

    fn answer(&self, sequence: u32, published: u32, status: u32, found: u32, code: u32) {
        self.control
            .publish(sequence, &Answer { count: published.wrapping_add(1), status, found, code });
    }

    /// Sees to it that the region of a part is the one that the client means.
    fn map_region(&mut self, request: &Request) -> Result<(), ServeError> {
        let number = request.region as usize;
        let known = |regions: &[Option<(u32, Mapping)>; SLOTS]| match regions.get(number) {
            Some(Some((generation, _))) => *generation == request.generation,
            _ => false,
        };
        let deadline = Instant::now().checked_add(self.server.patience);
        while !known(&self.regions) {
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                let generation = request.generation;
                return protocol(format!(
                    "memory {number} of generation {generation} did not come"
                ));
            }
            let frame = frame::receive(&*self.server.socket, deadline)?;
            if frame.kind != Kind::Region {
                return protocol(format!("{:?} in place of memory", frame.kind));
            }
            let (region, _) = frame.body::<Region>(false)?;
            let Ok([descriptor]) = <[OwnedFd; 1]>::try_from(frame.descriptors) else {
                return protocol("memory without its one descriptor");
            };
            let Some(place) = self.regions.get_mut(region.number as usize) else {
                return protocol(format!("there is no region {}", region.number));
            };
            if region.len > self.server.limits.region {
                return protocol(format!(
                    "{} bytes of memory are more than the {} that this server takes",
                    region.len, self.server.limits.region,
                ));
            }
            // The old one first, so that never more is mapped than may be.
            *place = None;
            let mapping = mapped(&descriptor, region.len, SealFlags::SHRINK, false)?;
            *place = Some((region.generation, mapping));
        }
        Ok(())
    }
}

/// Maps memory of a client that is at least `len` bytes long and sealed as it must be.
fn mapped(
    descriptor: &OwnedFd,
    len: u64,
    seals: SealFlags,
    writable: bool,
) -> Result<Mapping, ServeError> {
    let descriptor = descriptor.as_fd();
    let found = match sys::seals(descriptor) {
        Ok(found) => found,
        Err(error) => return protocol(format!("what came is not shared memory: {error}")),
    };
    if !found.contains(seals) {
        return protocol("memory that is not sealed");
    }
    let there = sys::length(descriptor).map_err(system("the length of memory"))?;
    match usize::try_from(len) {
        Ok(mapped) if len > 0 && len <= there => {
            Mapping::new(descriptor, mapped, writable).map_err(system("memory could not be mapped"))
        }
        _ => protocol(format!("memory of {there} bytes that is said to have {len}")),
    }
}

fn message(payload: &(dyn Any + Send)) -> &str {
    match (payload.downcast_ref::<String>(), payload.downcast_ref::<&str>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text,
        _ => "a value that is not a text",
    }
}
