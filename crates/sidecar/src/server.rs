//! The server's side of a connection: set-up and handshake. [`Session`] then answers chunks.

use std::fmt;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::fs::SealFlags;

use super::control::ControlMemory;
use super::frame::{self, Frame, FrameError, FrameKind, Hello, Welcome};
use super::hangup_watcher::HangupWatcher;
use super::layout::CONTROL_LEN;
use super::limits::Limits;
use super::scanner_source::ScannerSource;
use super::serve_error::{ServeError, protocol, system};
use super::session::{Peer, Session};
use super::{client_memory, pattern_codec, sys};
use dragnet::{Backend, PatternSet, Report, Scan, StopFlag};

/// How long the server waits for a message that the protocol requires the client to send.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a scan may continue after its client has disconnected, before `on_stuck` is called.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// The interval between checks whether such a scan has ended.
const STOP_POLL: Duration = Duration::from_millis(5);

/// Serves one client over a socket.
///
/// The server does not trust its client: see the [crate documentation](super). It searches a private
/// copy of the records, unless [`search_in_place`](Server::search_in_place) is called.
///
/// ```no_run
/// # #[cfg(target_os = "linux")] {
/// use std::os::fd::AsFd;
/// use std::process::exit;
///
/// use dragnet_sidecar::{Limits, Server};
///
/// // A program for `SidecarBuilder::spawn_with`: its standard input is the socket.
/// let socket = std::io::stdin().as_fd().try_clone_to_owned()?;
/// let server = Server::new(socket, Limits::default(), || exit(2))?;
/// server.run()?;
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Server {
    peer: Peer,
    stop: StopFlag,
    has_ended: Arc<AtomicBool>,
    limits: Limits,
}

/// Makes the source of a session's scanners from what the client requests.
type MakeSource<'a> =
    &'a dyn Fn(&PatternSet, Report, Backend, StopFlag) -> Result<ScannerSource, String>;

impl Server {
    /// Makes a server for the client at the other end of a socket of the type `SOCK_SEQPACKET`.
    ///
    /// This starts the thread that notices the end of the connection, but reads nothing from the
    /// socket. So a process can enter a sandbox between `new` and [`run`](Server::run).
    ///
    /// When the client closes the connection, the stop flag of a scan in progress is raised. If the scan
    /// has not ended after one second, the thread calls `on_stuck`, which usually exits the process.
    ///
    /// # Errors
    ///
    /// If the descriptor is not a socket, or the client runs as another user.
    pub fn new(
        socket: OwnedFd,
        limits: Limits,
        on_stuck: impl FnOnce() + Send + 'static,
    ) -> Result<Server, ServeError> {
        let socket = Arc::new(socket);
        let client = sys::peer(socket.as_fd()).map_err(system("the user of the client"))?;
        if client.uid != rustix::process::geteuid() {
            return Err(ServeError::OtherUser(client.uid.as_raw()));
        }
        let (stop, has_ended) = (StopFlag::new(), Arc::new(AtomicBool::new(false)));
        let on_hangup = {
            let (stop, has_ended) = (stop.clone(), Arc::clone(&has_ended));
            move || {
                stop.raise();
                let end = Instant::now() + STOP_TIMEOUT;
                while !has_ended.load(Ordering::SeqCst) {
                    if Instant::now() >= end {
                        return on_stuck();
                    }
                    std::thread::sleep(STOP_POLL);
                }
            }
        };
        let watcher =
            HangupWatcher::start(Arc::clone(&socket), |words| &words.server_event, on_hangup)
                .map_err(system("starting a thread"))?;
        let peer = Peer {
            socket,
            watcher,
            max_region_len: limits.region_bytes,
            timeout: MESSAGE_TIMEOUT,
            in_place: false,
        };
        Ok(Server { peer, stop, has_ended, limits })
    }

    /// Searches records in the memory shared with the client, instead of in a private copy.
    ///
    /// This saves one copy of every record.
    ///
    /// # Safety
    ///
    /// The client must not write to the memory of a request before the request is answered. A
    /// [`Sidecar`](super::Sidecar) never does: it reuses memory only after an answer, or after it has
    /// killed the server.
    ///
    /// The system does not enforce this. A client that breaks the rule causes undefined behaviour in
    /// the process of the server. Where clients are not trusted to keep it, call this only in a
    /// process that serves a single client, holds nothing that this client may not read, and has given
    /// up the rights that the client does not have. Then the client can harm nothing but its own
    /// scans. `dragnet serve` is such a process.
    pub unsafe fn search_in_place(mut self) -> Server {
        self.peer.in_place = true;
        self
    }

    /// Replaces [`MESSAGE_TIMEOUT`], which is too long for tests.
    #[cfg(any(test, fuzzing))]
    pub(super) fn set_message_timeout(&mut self, timeout: Duration) {
        self.peer.timeout = timeout;
    }

    /// Serves the client until it closes the connection, which is not an error.
    ///
    /// # Errors
    ///
    /// If the client violates the protocol or is refused. The client has received the reason.
    pub fn run(self) -> Result<(), ServeError> {
        self.run_source(&ScannerSource::engine)
    }

    /// As [`run`](Server::run), with scanners of the caller in place of dragnet's engines: to measure
    /// the transport, or to serve another engine.
    ///
    /// `make_scanner` is called with what the client asks for: the patterns, the report, the backend
    /// and the flag that stops a scan; and again after a scanner has panicked. An error refuses the
    /// client. The client checks the matches of these scanners as it checks those of an engine.
    ///
    /// # Errors
    ///
    /// As [`run`](Server::run).
    pub fn run_with(
        self,
        make_scanner: impl Fn(&PatternSet, Report, Backend, StopFlag) -> Result<Box<dyn Scan>, String>
        + 'static,
    ) -> Result<(), ServeError> {
        let make_scanner = Rc::new(make_scanner);
        self.run_source(&|set, report, backend, stop| {
            let (set, make_scanner) = (set.clone(), Rc::clone(&make_scanner));
            let make = move |stop| make_scanner(&set, report, backend, stop);
            Ok(ScannerSource::function(make, backend, stop))
        })
    }

    fn run_source(self, make_source: MakeSource<'_>) -> Result<(), ServeError> {
        let result = self.serve(make_source);
        match &result {
            Ok(()) | Err(ServeError::Refused(_)) => {}
            Err(error) => self.peer.send_error(&error.to_string()),
        }
        result
    }

    fn serve(&self, make_source: MakeSource<'_>) -> Result<(), ServeError> {
        let deadline = Instant::now().checked_add(self.peer.timeout);
        let hello = match frame::receive(&*self.peer.socket, deadline) {
            // The client has closed the connection without a request.
            Err(FrameError::Closed) => return Ok(()),
            Err(error @ FrameError::Version(_)) => return self.peer.refuse(error.to_string()),
            received => received?,
        };
        match self.handshake(hello, make_source)? {
            Some(session) => session.run(),
            None => Ok(()),
        }
    }

    /// Answers the first message. Returns `None` if the client has closed the connection meanwhile.
    fn handshake(
        &self,
        frame: Frame,
        make_source: MakeSource<'_>,
    ) -> Result<Option<Session<'_>>, ServeError> {
        if frame.kind != FrameKind::Hello {
            return protocol(format!("the first message is {:?}", frame.kind));
        }
        let (hello, _) = frame.body::<Hello>(false)?;
        let Ok([control, patterns]) = <[OwnedFd; 2]>::try_from(frame.descriptors) else {
            return protocol("the first message does not have two descriptors");
        };
        let (Some(report), Some(backend)) =
            (frame::report_from_code(hello.report), frame::backend_from_code(hello.backend))
        else {
            return protocol("the report or the backend is unknown");
        };
        if hello.patterns > self.limits.patterns || hello.bytes > self.limits.pattern_bytes {
            return self.peer.refuse(format!(
                "{} patterns of {} bytes exceed the limit of {} patterns of {} bytes",
                hello.patterns, hello.bytes, self.limits.patterns, self.limits.pattern_bytes,
            ));
        }
        let fixed_len = SealFlags::SHRINK | SealFlags::GROW;
        let control = client_memory::map(&control, CONTROL_LEN as u64, fixed_len, true)?;
        let control = ControlMemory::new(control);
        self.peer.watcher.signal_in(&control);

        let mut encoded = Vec::new();
        if hello.bytes > 0 {
            let seals = fixed_len | SealFlags::WRITE;
            let mapping = client_memory::map(&patterns, hello.bytes, seals, false)?;
            mapping.load(0, mapping.len(), &mut encoded);
        }
        drop(patterns);
        let count = hello.patterns as usize;
        let set = match pattern_codec::decode(&encoded, count, self.limits.set_size) {
            Ok(set) => set,
            Err(pattern_codec::DecodeError::Build(error)) => {
                return self.peer.refuse(error.to_string());
            }
            Err(error) => return protocol(error.to_string()),
        };
        drop(encoded);
        let made = make_source(&set, report, backend, self.stop.clone())
            .and_then(|source| Ok((source.make_scanner()?, source)));
        let (scanner, source) = match made {
            Ok(made) => made,
            Err(reason) => return self.peer.refuse(reason),
        };
        let welcome = Welcome {
            backend: frame::backend_code(source.backend),
            patterns: hello.patterns,
            max_region_len: self.limits.region_bytes,
        };
        let welcome = bytemuck::bytes_of(&welcome);
        let (socket, reason) = (&*self.peer.socket, &source.fallback_reason);
        if frame::send(socket, FrameKind::Welcome, welcome, reason, &[]).is_err() {
            return Ok(None);
        }
        Ok(Some(Session::new(&self.peer, control, source, scanner)))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.has_ended.store(true, Ordering::SeqCst);
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("limits", &self.limits).finish_non_exhaustive()
    }
}
