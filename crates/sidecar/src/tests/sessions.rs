//! Runs many sessions of hostile peers, several at a time.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// If no session starts for this long, one of the running ones counts as hung.
const HANG_TIMEOUT: Duration = Duration::from_secs(60);

/// The number of sessions or messages with each outcome.
pub(super) type Outcomes = Mutex<BTreeMap<&'static str, u64>>;

pub(super) fn count(outcomes: &Outcomes, what: &'static str) {
    *outcomes.lock().unwrap_or_else(PoisonError::into_inner).entry(what).or_default() += 1;
}

/// Runs sessions on eight threads until they have sent `DRAGNET_HOSTILE` messages in total.
/// `session` gets its seed, and returns the number of messages that it sent.
pub(super) fn run(what: &'static str, session: impl Fn(u64) -> u64 + Send + Sync + 'static) {
    let messages = env_number("DRAGNET_HOSTILE", 12_000);
    let first = env_number("DRAGNET_SEED", 1);
    let (next, sent) = (Arc::new(AtomicU64::new(first)), Arc::new(AtomicU64::new(0)));
    let start = Instant::now();
    let session = Arc::new(session);
    let start_worker = || {
        let (next, sent, session) = (Arc::clone(&next), Arc::clone(&sent), Arc::clone(&session));
        let current = Arc::new(AtomicU64::new(0));
        let for_caller = Arc::clone(&current);
        let thread = spawn_named("hostile-session", move || {
            while sent.load(Ordering::SeqCst) < messages {
                current.store(next.fetch_add(1, Ordering::SeqCst), Ordering::SeqCst);
                sent.fetch_add(session(current.load(Ordering::SeqCst)), Ordering::SeqCst);
            }
        });
        (thread, for_caller)
    };
    let workers: Vec<_> = (0..8).map(|_| start_worker()).collect();
    // The seed of the newest session, and when it started.
    let mut newest = (first, Instant::now());
    while let Some((_, current)) = workers.iter().find(|(thread, _)| !thread.is_finished()) {
        let now = next.load(Ordering::SeqCst);
        if now != newest.0 {
            newest = (now, Instant::now());
        }
        let seed = current.load(Ordering::SeqCst);
        assert!(newest.1.elapsed() < HANG_TIMEOUT, "{what}: DRAGNET_SEED={seed} hangs");
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
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")),
        Err(_) => default,
    }
}

/// Starts a thread with a name, which the tests that count threads recognize.
pub(super) fn spawn_named(name: &str, work: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).expect("the thread starts")
}
