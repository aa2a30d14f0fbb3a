//! Takes clients at a socket, and starts a process for each.

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

use crate::args::ServeArgs;
use crate::messages;
use crate::status::{Failure, Status};

/// Listens until the process is told to end. It reads nothing of what clients send: each has a
/// process of its own, so that none can harm another.
pub(super) fn run(path: &Path, args: &ServeArgs) -> Result<Status, Failure> {
    let named = |error: std::io::Error| format!("{}: {error}", path.display());
    let listener = Arc::new(Listener::bind(path).map_err(named).map_err(Failure::new)?);
    remove_at_signals(&listener)?;
    let busy = Arc::new(AtomicUsize::new(0));
    loop {
        match listener.accept() {
            // Its end of the socket is closed, which it understands.
            Ok(_) if busy.load(Ordering::SeqCst) >= args.clients => {
                messages::warning(format_args!("a client more than {} is refused", args.clients));
            }
            Ok(client) => {
                if let Err(error) = start(client, args, &busy) {
                    messages::error(format_args!("a client could not be served: {error}"));
                }
            }
            Err(error) => {
                messages::error(named(error));
                // Out of descriptors, say: it may pass.
                thread::sleep(Duration::from_millis(100));
            }
        }
    }
}

/// Starts a process for a client, and a thread that waits for its end.
fn start(client: OwnedFd, args: &ServeArgs, busy: &Arc<AtomicUsize>) -> std::io::Result<()> {
    // The thread first, so that no process is without one.
    let (tell, told) = mpsc::channel::<Child>();
    let count = Arc::clone(busy);
    thread::Builder::new().name("wait".to_owned()).spawn(move || {
        if let Ok(mut child) = told.recv() {
            // How it ended is for its client to find out.
            let _ = child.wait();
            count.fetch_sub(1, Ordering::SeqCst);
        }
    })?;
    let child = Command::new(std::env::current_exe()?)
        .args(["serve", "--stdin"])
        .args(["--max-memory", &args.max_memory.to_string()])
        .args(["--max-patterns", &args.max_patterns.to_string()])
        .stdin(Stdio::from(client))
        .stdout(Stdio::null())
        .spawn()?;
    busy.fetch_add(1, Ordering::SeqCst);
    // The thread is there until it gets it.
    let _ = tell.send(child);
    Ok(())
}

/// Removes the socket when the process is told to end.
fn remove_at_signals(listener: &Arc<Listener>) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::new(format!("signals: {error}"));
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(failed)?;
    let path = listener.path().to_owned();
    let wait = move || {
        if let Some(signal) = signals.forever().next() {
            let _ = std::fs::remove_file(&path);
            exit(128 + signal);
        }
    };
    thread::Builder::new().name("signals".to_owned()).spawn(wait).map_err(failed)?;
    Ok(())
}
