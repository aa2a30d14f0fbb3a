//! Counts the resources of the process before and after a test, to find leaks.

use std::fmt;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::time::Instant;

/// The number of panics in server threads so far.
pub(super) static PANICS: AtomicUsize = AtomicUsize::new(0);

/// Makes the tests that count resources run one at a time.
pub(super) fn exclusive() -> MutexGuard<'static, ()> {
    static EXCLUSIVE: Mutex<()> = Mutex::new(());
    count_panics();
    EXCLUSIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts the panics of server threads. A server catches its panics, so without this count they would
/// not fail a test.
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

/// How many resources of each kind that sidecars use this process holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Resources {
    sockets: usize,
    memfds: usize,
    mappings: usize,
    threads: usize,
    panics: usize,
}

impl fmt::Debug for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Resources { sockets, memfds, mappings, threads, panics } = self;
        write!(f, "{sockets} sockets, {memfds} memfds, {mappings} mappings, ")?;
        write!(f, "{threads} threads, {panics} panics")
    }
}

impl Resources {
    pub(super) fn now() -> Resources {
        let links: Vec<String> = fs::read_dir("/proc/self/fd")
            .expect("/proc is mounted")
            .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
            .map(|link| link.to_string_lossy().into_owned())
            .collect();
        let threads = fs::read_dir("/proc/self/task")
            .expect("/proc is mounted")
            .filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("comm")).ok())
            .filter(|name| name.starts_with("dragnet-sidecar") || name.starts_with("hostile-"))
            .count();
        let maps = fs::read_to_string("/proc/self/maps").expect("/proc is mounted");
        let count = |start: &str| links.iter().filter(|link| link.starts_with(start)).count();
        Resources {
            sockets: count("socket:"),
            memfds: count("/memfd:"),
            mappings: maps.lines().filter(|line| line.contains("/memfd:")).count(),
            threads,
            panics: PANICS.load(Ordering::SeqCst),
        }
    }

    /// Ignores the resources that an emulator leaks: if a message carries more descriptors than the
    /// receiver has room for, qemu 7.2 opens them all and keeps the surplus open.
    fn without_leaks_of_emulator(self) -> Resources {
        match is_emulated() {
            true => Resources { sockets: 0, memfds: 0, ..self },
            false => self,
        }
    }

    /// Whether there are more resources of any kind than before. There may be fewer, if a test of
    /// another module has freed some in the meantime.
    fn is_more_than(self, before: Resources) -> bool {
        let counts = |held: Resources| {
            let Resources { sockets, memfds, mappings, threads, panics } = held;
            [sockets, memfds, mappings, threads, panics]
        };
        counts(self).iter().zip(counts(before)).any(|(&now, before)| now > before)
    }

    /// Fails if the process still holds more than these resources after ten seconds. It waits because
    /// the system lists a thread for a moment after it has ended.
    pub(super) fn assert_nothing_leaked(self, context: impl fmt::Display) {
        let start = Instant::now();
        let before = self.without_leaks_of_emulator();
        while Resources::now().without_leaks_of_emulator().is_more_than(before) {
            let waited = start.elapsed();
            let now = Resources::now();
            assert!(waited.as_secs() < 10, "{context}: {self:?} before, {now:?} now");
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }
}

/// Whether an emulator runs this program. The counts then include the emulator's descriptors and
/// memory.
fn is_emulated() -> bool {
    std::env::var_os("DRAGNET_TEST_RUNNER").is_some_and(|runner| !runner.is_empty())
}

/// The resident memory of this process in KiB; 0 in an emulator, which does not report it.
pub(super) fn resident_kib() -> u64 {
    if is_emulated() {
        return 0;
    }
    let status = fs::read_to_string("/proc/self/status").expect("/proc is mounted");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}
