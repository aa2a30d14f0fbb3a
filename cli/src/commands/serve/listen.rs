//! Accepts clients on a socket and starts a process for each.
//!
//! This process reads nothing from clients, so no client can crash it or reach another client
//! through it.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio, exit};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use dragnet_sidecar::Listener;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::ServeArgs;
use crate::escape;
use crate::messages;
use crate::status::{ExitStatus, Failure};

/// The pause after a client could not be accepted. Causes such as too many open files may pass, and
/// without a pause the loop would use a whole CPU until they do.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// Serves clients until the process receives `SIGINT` or `SIGTERM`.
pub(super) fn run(path: &Path, args: &ServeArgs) -> Result<ExitStatus, Failure> {
    let with_path = |error: std::io::Error| format!("{}: {error}", escape::path(path));
    let listener = Arc::new(Listener::bind(path).map_err(with_path).map_err(Failure::new)?);
    remove_socket_on_signals(&listener)?;
    let active = Arc::new(AtomicUsize::new(0));
    let full = format!("the server serves {} clients, and no more at a time", args.clients);
    // The number of clients that were turned away since the last one was accepted. A client that is
    // turned away tries again, so a message for each would fill the log.
    let mut turned_away = 0u64;
    loop {
        match listener.accept() {
            Ok(client) if active.load(Ordering::SeqCst) >= args.clients => {
                Listener::turn_away(client, &full);
                turned_away += 1;
                if turned_away == 1 {
                    messages::warning(format_args!("a client was turned away: {full}"));
                }
            }
            Ok(client) => {
                if turned_away > 1 {
                    messages::warning(format_args!(
                        "clients were turned away {turned_away} times until one ended"
                    ));
                }
                turned_away = 0;
                if let Err(error) = start_server(client, args, &active) {
                    messages::error(format_args!("can't start a server for a client: {error}"));
                }
            }
            Err(error) => {
                messages::error(with_path(error));
                thread::sleep(RETRY_DELAY);
            }
        }
    }
}

/// Starts the process that serves a client, and a thread that waits for it and counts it as
/// `active` until it ends.
fn start_server(
    client: OwnedFd,
    args: &ServeArgs,
    active: &Arc<AtomicUsize>,
) -> std::io::Result<()> {
    // The thread starts before the process: if the thread can't start, no process becomes a zombie.
    let (sender, receiver) = mpsc::channel::<Child>();
    let active_in_thread = Arc::clone(active);
    thread::Builder::new().name("wait".to_owned()).spawn(move || {
        if let Ok(mut child) = receiver.recv() {
            // The exit status is ignored: the client notices that its server has exited.
            let _ = child.wait();
            active_in_thread.fetch_sub(1, Ordering::SeqCst);
        }
    })?;
    let child = Command::new(std::env::current_exe()?)
        .args(["serve", "--stdin"])
        .args(["--max-memory", &args.max_memory.to_string()])
        .args(["--max-patterns", &args.max_patterns.to_string()])
        .stdin(Stdio::from(client))
        .stdout(Stdio::null())
        .spawn()?;
    active.fetch_add(1, Ordering::SeqCst);
    // Can't fail: the thread holds the receiver until it has received.
    let _ = sender.send(child);
    Ok(())
}

/// Starts a thread that removes the socket and ends the process at the first `SIGINT` or `SIGTERM`.
fn remove_socket_on_signals(listener: &Arc<Listener>) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::new(format!("can't handle signals: {error}"));
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(failed)?;
    let path = listener.path().to_owned();
    let wait = move || {
        if let Some(signal) = signals.forever().next() {
            let _ = std::fs::remove_file(&path);
            // The exit status that shells give a process that a signal ended.
            exit(128 + signal);
        }
    };
    thread::Builder::new().name("signals".to_owned()).spawn(wait).map_err(failed)?;
    Ok(())
}
