//! Peers that break the protocol, and a system that fails: whatever they do, a scan ends with the
//! exact answer or a typed error, soon, and nothing is left behind.
//!
//! `DRAGNET_HOSTILE` sets how many messages the hostile peers send, each way; `DRAGNET_SEED`, the
//! seed of the first session, is printed when one fails.

mod failing_calls;
mod fake_server;
mod hostile_clients;
mod hostile_servers;
mod listeners;
mod requests;

use std::fmt;
use std::fs;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError, mpsc};
use std::time::{Duration, Instant};

use super::launch::Launch;
use super::{Limits, ServeError, Server, Sidecar, SidecarBuilder};
use dragnet::{Backend, Batch, BatchBuf, Engine, Match, Matches, PatternSet, Report, Scan};

/// A session that takes longer hangs.
const HANGS: Duration = Duration::from_secs(60);

/// SplitMix64, so that what a session does depends on its seed alone, but for the threads that
/// change memory while it is read.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    /// True once in so many times.
    fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// A number near an edge, or any.
    fn edge(&mut self) -> u32 {
        let near = [0, 1, 7, 8, 64, 4096, 1 << 16, 1 << 20, 1 << 31, u32::MAX];
        match self.below(4) {
            0 => self.next() as u32,
            _ => near[self.below(near.len())].wrapping_add(self.below(5) as u32).wrapping_sub(2),
        }
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.below(most + 1)).map(|_| self.next() as u8).collect()
    }
}

/// Numbers from the environment.
fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is a number")),
        Err(_) => default,
    }
}

/// Runs sessions, several at a time, until they have sent as many messages as they should; each
/// returns how many it sent.
fn sessions(what: &'static str, session: impl Fn(u64) -> u64 + Send + Sync + 'static) {
    let (messages, first) = (setting("DRAGNET_HOSTILE", 20_000), setting("DRAGNET_SEED", 1));
    let (next, sent) = (Arc::new(AtomicU64::new(first)), Arc::new(AtomicU64::new(0)));
    let start = Instant::now();
    let session = Arc::new(session);
    let work = || {
        let (next, sent, session) = (Arc::clone(&next), Arc::clone(&sent), Arc::clone(&session));
        let current = Arc::new(AtomicU64::new(0));
        let shown = Arc::clone(&current);
        let thread = named("hostile-session", move || {
            while sent.load(Ordering::SeqCst) < messages {
                current.store(next.fetch_add(1, Ordering::SeqCst), Ordering::SeqCst);
                sent.fetch_add(session(current.load(Ordering::SeqCst)), Ordering::SeqCst);
            }
        });
        (thread, shown)
    };
    let threads: Vec<_> = (0..8).map(|_| work()).collect();
    let mut seen = (first, Instant::now());
    while let Some((_, current)) = threads.iter().find(|(thread, _)| !thread.is_finished()) {
        let now = next.load(Ordering::SeqCst);
        if now != seen.0 {
            seen = (now, Instant::now());
        }
        let seed = current.load(Ordering::SeqCst);
        assert!(seen.1.elapsed() < HANGS, "{what}: DRAGNET_SEED={seed} hangs");
        std::thread::sleep(Duration::from_millis(2));
    }
    for (thread, seed) in threads {
        let seed = seed.load(Ordering::SeqCst);
        assert!(thread.join().is_ok(), "{what}: DRAGNET_SEED={seed} fails");
    }
    let (sent, number) = (sent.load(Ordering::SeqCst), next.load(Ordering::SeqCst) - first);
    println!("{what}: {sent} messages in {number} sessions, {:?}", start.elapsed());
}

fn named(name: &str, work: impl FnOnce() + Send + 'static) -> std::thread::JoinHandle<()> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).expect("a thread")
}

/// One of these tests at a time: they count what the process holds.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    count_panics();
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// Counts the panics of servers, which a server contains and tells its client of.
fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let old = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if std::thread::current().name() == Some("hostile-server") {
                PANICS.fetch_add(1, Ordering::SeqCst);
            }
            old(info);
        }));
    });
}

/// What this process holds of what a sidecar uses.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Held {
    sockets: usize,
    memories: usize,
    mappings: usize,
    threads: usize,
    panics: usize,
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Held { sockets, memories, mappings, threads, panics } = self;
        write!(f, "{sockets} sockets, {memories} memories, {mappings} mappings, ")?;
        write!(f, "{threads} threads, {panics} panics")
    }
}

impl Held {
    fn now() -> Held {
        let links: Vec<String> = fs::read_dir("/proc/self/fd")
            .expect("there is /proc")
            .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
            .map(|link| link.to_string_lossy().into_owned())
            .collect();
        let threads = fs::read_dir("/proc/self/task")
            .expect("there is /proc")
            .filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("comm")).ok())
            .filter(|name| name.starts_with("dragnet-sidecar") || name.starts_with("hostile-"))
            .count();
        let maps = fs::read_to_string("/proc/self/maps").expect("there is /proc");
        let count = |start: &str| links.iter().filter(|link| link.starts_with(start)).count();
        Held {
            sockets: count("socket:"),
            memories: count("/memfd:"),
            mappings: maps.lines().filter(|line| line.contains("/memfd:")).count(),
            threads,
            panics: PANICS.load(Ordering::SeqCst),
        }
    }

    /// Without what an emulated system loses itself: qemu 7.2 opens descriptors for which a receiver
    /// has no room, and tells it nothing of them.
    fn known(self) -> Held {
        match is_emulated() {
            true => Held { sockets: 0, memories: 0, ..self },
            false => self,
        }
    }

    /// Whether there is more of anything than before. Less is what a test of another module has let
    /// go of meanwhile.
    fn is_more_than(self, before: Held) -> bool {
        let counts = |held: Held| {
            let Held { sockets, memories, mappings, threads, panics } = held;
            [sockets, memories, mappings, threads, panics]
        };
        counts(self).iter().zip(counts(before)).any(|(&now, before)| now > before)
    }

    /// Fails if there is more now; a thread that has ended is seen for a moment longer.
    fn is_all(self, what: impl fmt::Display) {
        let start = Instant::now();
        while Held::now().known().is_more_than(self.known()) {
            let waited = start.elapsed();
            assert!(waited.as_secs() < 10, "{what}: {self:?} before, {:?} now", Held::now());
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Whether an emulator runs this program, which has descriptors and memory of its own.
fn is_emulated() -> bool {
    std::env::var_os("DRAGNET_TEST_RUNNER").is_some_and(|runner| !runner.is_empty())
}

/// How much memory the process has, in KiB; nothing that is known of an emulated one.
fn resident() -> u64 {
    if is_emulated() {
        return 0;
    }
    let status = fs::read_to_string("/proc/self/status").expect("there is /proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// How many patterns there are.
const PATTERNS: u32 = 5;

fn patterns() -> PatternSet {
    PatternSet::new(["a+b", r"\bfoo\b", "[0-9]{3}", "x.*y", "q"]).expect("they are valid")
}

fn engine(set: &PatternSet, report: Report) -> Engine {
    Engine::with_backend(set, report, Backend::Pure).expect("there always is one")
}

/// Records in which the patterns are found.
fn records(rng: &mut Rng, most: usize) -> BatchBuf {
    let parts = ["aab", " foo ", "1234", "x", "y", "zzz", "q", "\n", "foobar", "12", "b"];
    let mut records = BatchBuf::new();
    for _ in 0..1 + rng.below(most) {
        let record: String =
            (0..rng.below(12)).map(|_| parts[rng.below(parts.len())]).collect::<Vec<_>>().concat();
        records.push(record.as_bytes()).expect("it is small");
    }
    records
}

/// What the engine finds in this process.
fn found(engine: &Engine, batch: &Batch<'_>) -> Vec<Match> {
    let mut matches = Matches::new();
    engine.scanner().expect("pure").scan(batch, &mut matches).expect("pure");
    matches.as_slice().to_vec()
}

/// A server in a thread, and where it says how it ended.
struct Served {
    thread: std::thread::JoinHandle<()>,
    result: mpsc::Receiver<Result<(), ServeError>>,
}

impl Served {
    fn start(socket: OwnedFd, patience: Duration) -> Served {
        Served::start_after(|| (), socket, patience)
    }

    /// The same, once its thread has called `begin`.
    fn start_after(
        begin: impl FnOnce() + Send + 'static,
        socket: OwnedFd,
        patience: Duration,
    ) -> Served {
        let (done, result) = mpsc::channel();
        let mut limits = Limits::default();
        (limits.patterns, limits.pattern_bytes) = (16, 4096);
        (limits.set_size, limits.region) = (10_000, 1 << 20);
        let thread = named("hostile-server", move || {
            begin();
            let result = Server::new(socket, limits, || ()).and_then(|mut server| {
                server.patience = patience;
                server.run()
            });
            let _ = done.send(result);
        });
        Served { thread, result }
    }

    fn ended(self) -> Result<(), ServeError> {
        let result = self.result.recv().expect("the server does not panic");
        self.thread.join().expect("the server does not panic");
        result
    }
}

/// A client of servers that are started so.
fn sidecar(
    builder: SidecarBuilder,
    start: impl Fn(OwnedFd) -> std::io::Result<()> + Send + 'static,
) -> Result<Sidecar, super::SidecarError> {
    builder.start_by(move || Launch::With(Box::new(start)))
}
