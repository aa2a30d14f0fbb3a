//! Peers that violate the protocol, and system calls that fail. In every case, a scan must end soon
//! with the exact answer or a typed error, and no resource may leak.
//!
//! `DRAGNET_HOSTILE` sets how many messages the hostile peers of a test send. A test that fails prints
//! the seed of the session; `DRAGNET_SEED` sets the seed of the first one.

mod abandoned_regions;
mod custom_scanners;
mod failing_system_calls;
mod fake_server;
mod hostile_clients;
mod hostile_memory;
mod hostile_servers;
mod listeners;
mod malformed;
mod resources;
mod rng;
mod scrambler;
mod sessions;

use std::os::fd::OwnedFd;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use self::rng::Rng;
use self::sessions::spawn_named;
use super::connector::Connector;
use super::{Limits, ServeError, Server, Sidecar, SidecarBuilder, SidecarError};
use dragnet::{Backend, Batch, BatchBuf, Engine, Match, Matches, PatternSet, Report, Scan};

/// How many patterns [`patterns`] has.
const PATTERNS: u32 = 5;

fn patterns() -> PatternSet {
    PatternSet::new(["a+b", r"\bfoo\b", "[0-9]{3}", "x.*y", "q"]).expect("they are valid")
}

fn engine(set: &PatternSet, report: Report) -> Engine {
    Engine::with_backend(set, report, Backend::Pure).expect("the pure backend is in every build")
}

/// Up to `max_len` records with matches of all patterns.
fn records(rng: &mut Rng, max_len: usize) -> BatchBuf {
    let words = ["aab", " foo ", "1234", "x", "y", "zzz", "q", "\n", "foobar", "12", "b"];
    let mut records = BatchBuf::new();
    for _ in 0..1 + rng.below(max_len) {
        let count = rng.below(12);
        let record: String = (0..count).map(|_| words[rng.below(words.len())]).collect();
        records.push(record.as_bytes()).expect("it is small");
    }
    records
}

/// The matches that an engine in this process finds.
fn find_all(engine: &Engine, batch: &Batch<'_>) -> Vec<Match> {
    let mut matches = Matches::new();
    engine.scanner().expect("pure").scan(batch, &mut matches).expect("pure");
    matches.as_slice().to_vec()
}

/// A server in a thread of this process.
struct ServerThread {
    thread: JoinHandle<()>,
    result: mpsc::Receiver<Result<(), ServeError>>,
}

impl ServerThread {
    /// Starts a server that copies records, once its thread has called `begin`.
    fn start(socket: OwnedFd, timeout: Duration, begin: impl FnOnce() + Send + 'static) -> Self {
        ServerThread::start_with(socket, timeout, begin, |server| server)
    }

    /// Starts a server after `begin` and `set_up` have been called on its thread.
    fn start_with(
        socket: OwnedFd,
        timeout: Duration,
        begin: impl FnOnce() + Send + 'static,
        set_up: impl FnOnce(Server) -> Server + Send + 'static,
    ) -> ServerThread {
        let (sender, result) = mpsc::channel();
        let mut limits = Limits::default();
        (limits.patterns, limits.pattern_bytes) = (16, 4096);
        (limits.set_size, limits.region_bytes) = (10_000, 1 << 20);
        let thread = spawn_named("hostile-server", move || {
            begin();
            let result = Server::new(socket, limits, || ()).and_then(|mut server| {
                server.set_message_timeout(timeout);
                set_up(server).run()
            });
            let _ = sender.send(result);
        });
        ServerThread { thread, result }
    }

    fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits for the end of the server.
    fn join(self) -> Result<(), ServeError> {
        let result = self.result.recv().expect("the server does not panic");
        self.thread.join().expect("the server does not panic");
        result
    }
}

/// Builds a client whose servers are started by a function.
fn sidecar(
    builder: SidecarBuilder,
    start: impl Fn(OwnedFd) -> std::io::Result<()> + Send + 'static,
) -> Result<Sidecar, SidecarError> {
    builder.start_with(move || Connector::Custom(Box::new(start)))
}
