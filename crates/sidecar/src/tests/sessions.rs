//! Runs many sessions of hostile peers, several at a time.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// When no session has ended for this long, one of them hangs.
const HANG_TIMEOUT: Duration = Duration::from_secs(60);

/// How often each outcome was seen.
pub(super) type Outcomes = Mutex<BTreeMap<&'static str, u64>>;

pub(super) fn count(outcomes: &Outcomes, what: &'static str) {
    *outcomes.lock().unwrap_or_else(PoisonError::into_inner).entry(what).or_default() += 1;
}

/// Runs sessions until they have sent `DRAGNET_HOSTILE` messages. A session gets its seed, and returns
/// how many messages it sent.
pub(super) fn run(what: &'static str, session: impl Fn(u64) -> u64 + Send + Sync + 'static) {
    let messages = env_number("DRAGNET_HOSTILE", 20_000);
    let first = env_number("DRAGNET_SEED", 1);
    let (next, sent) = (Arc::new(AtomicU64::new(first)), Arc::new(AtomicU64::new(0)));
    let start = Instant::now();
    let session = Arc::new(session);
    let start_worker = || {
        let (next, sent, session) = (Arc::clone(&next), Arc::clone(&sent), Arc::clone(&session));
        let current = Arc::new(AtomicU64::new(0));
        let shown = Arc::clone(&current);
        let thread = spawn_named("hostile-session", move || {
            while sent.load(Ordering::SeqCst) < messages {
                current.store(next.fetch_add(1, Ordering::SeqCst), Ordering::SeqCst);
                sent.fetch_add(session(current.load(Ordering::SeqCst)), Ordering::SeqCst);
            }
        });
        (thread, shown)
    };
    let workers: Vec<_> = (0..8).map(|_| start_worker()).collect();
    let mut progress = (first, Instant::now());
    while let Some((_, current)) = workers.iter().find(|(thread, _)| !thread.is_finished()) {
        let now = next.load(Ordering::SeqCst);
        if now != progress.0 {
            progress = (now, Instant::now());
        }
        let seed = current.load(Ordering::SeqCst);
        assert!(progress.1.elapsed() < HANG_TIMEOUT, "{what}: DRAGNET_SEED={seed} hangs");
        std::thread::sleep(Duration::from_millis(2));
    }
    for (thread, seed) in workers {
        let seed = seed.load(Ordering::SeqCst);
        assert!(thread.join().is_ok(), "{what}: DRAGNET_SEED={seed} fails");
    }
    let (sent, number) = (sent.load(Ordering::SeqCst), next.load(Ordering::SeqCst) - first);
    println!("{what}: {sent} messages in {number} sessions, {:?}", start.elapsed());
}

/// A number from the environment.
fn env_number(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is a number")),
        Err(_) => default,
    }
}

/// Starts a thread whose name the resource counts know.
pub(super) fn spawn_named(name: &str, work: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).expect("a thread")
}
