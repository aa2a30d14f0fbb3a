//! Listening sockets: when they appear, which files they replace, and clean-up after failed calls.

use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::Errno;
use rustix::net::SocketAddrUnix;

use super::super::fault_injection::{self, Fault};
use super::super::sys;
use super::resources::{Resources, exclusive};
use crate::Listener;

/// A temporary directory that is removed on drop.
struct TempDir(PathBuf);

impl TempDir {
    fn new(name: &str) -> TempDir {
        let path = std::env::temp_dir().join(format!("dragnet-{name}-{}", std::process::id()));
        fs::create_dir(&path).expect("a new directory");
        TempDir(path)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).expect("a directory");
        entries.map(|e| e.expect("an entry").file_name().into_string().expect("UTF-8")).collect()
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn connect(path: &Path) -> std::io::Result<()> {
    let socket = sys::socket()?;
    sys::connect(socket.as_fd(), &SocketAddrUnix::new(path)?)
}

/// Creates a socket that no process listens on.
fn create_stale(path: &Path) {
    drop(UnixListener::bind(path).expect("the path is free"));
    assert!(path.exists());
}

#[test]
fn a_visible_socket_is_ready_and_private() {
    let _exclusive = exclusive();
    let directory = TempDir::new("seen");
    let path = directory.0.join("socket");
    for _ in 0..300 {
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let seen = scope.spawn(|| {
                while !path.exists() {
                    std::hint::spin_loop();
                }
                let mode = fs::metadata(&path).map(|data| data.permissions().mode() & 0o777);
                let connected = connect(&path);
                done.store(true, Ordering::SeqCst);
                (mode, connected)
            });
            let listener = Listener::bind(&path).expect("the path is free");
            while !done.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            let (mode, connected) = seen.join().expect("it does not panic");
            assert_eq!(mode.expect("the socket exists"), 0o600);
            connected.expect("it listens");
            assert_eq!(directory.names(), ["socket"]);
            drop(listener);
        });
    }
    assert!(directory.names().is_empty());
}

#[test]
fn only_a_stale_socket_is_replaced() {
    let _exclusive = exclusive();
    let directory = TempDir::new("stale");
    let path = directory.0.join("socket");
    create_stale(&path);
    let listener = Listener::bind(&path).expect("nobody listens there");
    connect(&path).expect("it listens");

    let error = Listener::bind(&path).expect_err("somebody listens there");
    assert_eq!(error.raw_os_error(), Some(Errno::ADDRINUSE.raw_os_error()), "{error}");
    connect(&path).expect("it still listens");
    drop(listener);

    fs::write(&path, "text").expect("a file");
    let error = Listener::bind(&path).expect_err("a file is there");
    assert_eq!(error.raw_os_error(), Some(Errno::ADDRINUSE.raw_os_error()), "{error}");
    assert_eq!(fs::read(&path).expect("a file"), b"text");
    assert_eq!(directory.names(), ["socket"]);

    for nowhere in [directory.0.join("none/socket"), path.join("socket"), directory.0.join("..")] {
        Listener::bind(&nowhere).expect_err("no such directory");
    }
    assert_eq!(directory.names(), ["socket"]);
}

#[test]
fn paths_may_fill_a_socket_address() {
    let _exclusive = exclusive();
    let directory = TempDir::new("long");
    // The size of `sun_path` on Linux, in bytes.
    let longest = 108;
    let name = "x".repeat(longest - directory.0.as_os_str().len() - 1);
    let path = directory.0.join(&name);
    let listener = Listener::bind(&path).expect("it has an address");
    connect(&path).expect("it listens");
    drop(listener);
    Listener::bind(path.with_file_name(name + "x")).expect_err("it is too long");
    assert!(directory.names().is_empty());
}

#[test]
fn a_failing_system_call_leaves_no_socket() {
    let _exclusive = exclusive();
    let directory = TempDir::new("calls");
    let path = directory.0.join("socket");
    let errors = [Errno::INTR, Errno::MFILE, Errno::NOSPC, Errno::ACCESS, Errno::NOMEM];
    for errno in errors {
        for stale in [false, true] {
            let mut after = 0;
            loop {
                if stale {
                    create_stale(&path);
                }
                let before = Resources::now();
                let (fault, has_failed) = Fault::new(after, errno);
                fault.inject();
                let listener = Listener::bind(&path);
                fault_injection::clear();
                let has_failed = has_failed.load(Ordering::SeqCst);
                let context = format!("{errno}, call {after}, stale {stale}");
                match listener {
                    Ok(listener) => {
                        connect(&path).unwrap_or_else(|error| panic!("{context}: {error}"));
                        drop(listener);
                        assert!(directory.names().is_empty(), "{context}: {:?}", directory.names());
                    }
                    Err(error) => {
                        assert!(has_failed && errno != Errno::INTR, "{context}: {error}");
                        // A stale socket is still there.
                        let kind = fs::symlink_metadata(&path).map(|data| data.file_type());
                        assert_eq!(kind.is_ok_and(|kind| kind.is_socket()), stale, "{context}");
                        let _ = fs::remove_file(&path);
                        assert!(directory.names().is_empty(), "{context}: {:?}", directory.names());
                    }
                }
                before.assert_nothing_leaked(&context);
                if !has_failed {
                    break;
                }
                after += 1;
            }
            assert!(after >= 6, "{errno}, stale {stale}: {after} calls");
        }
    }
}
