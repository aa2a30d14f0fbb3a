//! Sockets at which servers listen: when they are seen, and what is left when a call fails.

use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::Errno;
use rustix::net::SocketAddrUnix;

use super::super::fault::{self, Plan};
use super::super::sys;
use super::{Held, turn};
use crate::Listener;

/// An empty folder, removed when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("dragnet-{name}-{}", std::process::id()));
        fs::create_dir(&path).expect("a new folder");
        Folder(path)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).expect("a folder");
        entries.map(|e| e.expect("an entry").file_name().into_string().expect("UTF-8")).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn connect(path: &Path) -> std::io::Result<()> {
    let socket = sys::socket()?;
    sys::connect(socket.as_fd(), &SocketAddrUnix::new(path)?)
}

/// A socket file whose process is gone.
fn leave_stale(path: &Path) {
    drop(UnixListener::bind(path).expect("the path is free"));
    assert!(path.exists());
}

#[test]
fn whoever_sees_a_socket_can_connect_and_nobody_else_may() {
    let _turn = turn();
    let folder = Folder::new("seen");
    let path = folder.0.join("socket");
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
            assert_eq!(mode.expect("it is there"), 0o600);
            connected.expect("it listens");
            assert_eq!(folder.names(), ["socket"]);
            drop(listener);
        });
    }
    assert!(folder.names().is_empty());
}

#[test]
fn a_socket_without_a_server_is_replaced_and_all_else_is_not() {
    let _turn = turn();
    let folder = Folder::new("stale");
    let path = folder.0.join("socket");
    leave_stale(&path);
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
    assert_eq!(folder.names(), ["socket"]);

    for nowhere in [folder.0.join("none/socket"), path.join("socket"), folder.0.join("..")] {
        Listener::bind(&nowhere).expect_err("it can't be there");
    }
    assert_eq!(folder.names(), ["socket"]);
}

#[test]
fn the_longest_path_that_has_an_address_is_listened_at() {
    let _turn = turn();
    let folder = Folder::new("long");
    let longest = 108;
    let name = "x".repeat(longest - folder.0.as_os_str().len() - 1);
    let path = folder.0.join(&name);
    let listener = Listener::bind(&path).expect("it has an address");
    connect(&path).expect("it listens");
    drop(listener);
    Listener::bind(path.with_file_name(name + "x")).expect_err("it is too long");
    assert!(folder.names().is_empty());
}

#[test]
fn a_call_that_fails_leaves_no_socket() {
    let _turn = turn();
    let folder = Folder::new("calls");
    let path = folder.0.join("socket");
    let errors = [Errno::INTR, Errno::MFILE, Errno::NOSPC, Errno::ACCESS, Errno::NOMEM];
    for errno in errors {
        for stale in [false, true] {
            let mut after = 0;
            loop {
                if stale {
                    leave_stale(&path);
                }
                let before = Held::now();
                let (plan, failed) = Plan::new(after, errno);
                plan.begin();
                let listener = Listener::bind(&path);
                fault::end();
                let failed = failed.load(Ordering::SeqCst);
                let what = format!("{errno}, call {after}, stale {stale}");
                match listener {
                    Ok(listener) => {
                        connect(&path).unwrap_or_else(|error| panic!("{what}: {error}"));
                        drop(listener);
                        assert!(folder.names().is_empty(), "{what}: {:?}", folder.names());
                    }
                    Err(error) => {
                        assert!(failed && errno != Errno::INTR, "{what}: {error}");
                        // What was there is still there.
                        let kind = fs::symlink_metadata(&path).map(|data| data.file_type());
                        assert_eq!(kind.is_ok_and(|kind| kind.is_socket()), stale, "{what}");
                        let _ = fs::remove_file(&path);
                        assert!(folder.names().is_empty(), "{what}: {:?}", folder.names());
                    }
                }
                before.is_all(&what);
                if !failed {
                    break;
                }
                after += 1;
            }
            assert!(after >= 6, "{errno}, stale {stale}: {after} calls");
        }
    }
}
