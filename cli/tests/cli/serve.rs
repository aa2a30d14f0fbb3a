//! `dragnet serve` as the server of sidecars: isolation, access and limits.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use dragnet::{BatchBuf, Matches, PatternSet, Report, Scan, ScanError};
use dragnet_sidecar::{Sidecar, SidecarBuilder, SidecarError};
use dragnet_testkit::not_tested;

const PROGRAM: &str = env!("CARGO_BIN_EXE_dragnet");

fn builder() -> SidecarBuilder {
    let set = PatternSet::new(["error", r"\bid=[0-9a-f]{8}\b"]).unwrap();
    Sidecar::builder(&set, Report::Spans)
        .deadline(Duration::from_secs(20))
        .backoff(Duration::from_millis(1), Duration::from_millis(20))
}

/// Scans two records and checks the matches.
fn check(sidecar: &mut Sidecar) {
    let mut records = BatchBuf::new();
    records.push(b"all is well").unwrap();
    records.push(b"error, id=deadbeef, error").unwrap();
    let mut matches = Matches::new();
    sidecar.scan(&records.as_batch(), &mut matches).unwrap();
    let found: Vec<_> = matches.iter().map(|m| (m.record(), m.pattern(), m.range())).collect();
    assert_eq!(found, [(1, 0, 0..5), (1, 0, 20..25), (1, 1, 7..18)]);
}

/// Waits for an effect of another process, up to 30 seconds.
fn until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !done() {
        assert!(Instant::now() < end, "timed out: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A listening server, which is killed when this is dropped.
struct ListeningServer {
    child: Child,
    path: PathBuf,
}

impl ListeningServer {
    fn start(path: PathBuf, arguments: &[&str]) -> ListeningServer {
        let mut command = Command::new(PROGRAM);
        command.args([OsStr::new("serve"), OsStr::new("--socket"), path.as_os_str()]);
        let child = command.args(arguments).stderr(Stdio::piped()).spawn().unwrap();
        ListeningServer { child, path }
    }

    fn connect(&self) -> Sidecar {
        builder().max_attempts(200).connect(&self.path).expect("the server listens")
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let child = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(child, signal).unwrap();
    }

    /// Returns the ids of the processes that serve its clients.
    fn client_servers(&self) -> Vec<u32> {
        let of_thread = |task: PathBuf| std::fs::read_to_string(task.join("children")).ok();
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let children: String = tasks.filter_map(|task| of_thread(task.unwrap().path())).collect();
        children.split_whitespace().map(|number| number.parse().unwrap()).collect()
    }
}

impl Drop for ListeningServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn server_drops_privileges_before_it_reads() {
    let mut sidecar = builder().spawn(PROGRAM).unwrap();
    check(&mut sidecar);
    let process = sidecar.server_pid().unwrap();
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let mut count = 0;
    for thread in threads {
        let status = std::fs::read_to_string(thread.unwrap().path().join("status")).unwrap();
        let mut lines = vec!["NoNewPrivs:\t1"];
        if cfg!(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")) {
            lines.push("Seccomp:\t2");
        } else {
            not_tested("filter", "there is no filter for this processor");
        }
        for line in lines {
            assert!(status.contains(line), "{line} is not in {status}");
        }
        count += 1;
    }
    assert_eq!(count, 2, "one thread scans, the other watches for the client's disconnection");
    let limits = std::fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
    let cores = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(cores.split_whitespace().nth(4), Some("0"), "{cores}");
}

#[test]
fn each_client_has_a_server_and_survives_its_death() {
    let folder = tempfile::tempdir().unwrap();
    let server = ListeningServer::start(folder.path().join("socket"), &[]);
    let mut first = server.connect();
    let mut second = server.connect();
    check(&mut first);
    check(&mut second);
    assert_eq!((first.server_pid(), server.client_servers().len()), (None, 2));
    for process in server.client_servers() {
        let process = rustix::process::Pid::from_raw(process as i32).unwrap();
        rustix::process::kill_process(process, rustix::process::Signal::KILL).unwrap();
    }
    check(&mut first);
    check(&mut second);
    drop(first);
    until("a process ends with its client", || server.client_servers().len() == 1);
    check(&mut second);
    drop(second);
    until("a process ends with its client", || server.client_servers().is_empty());
}

#[test]
fn only_the_same_user_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let server = ListeningServer::start(folder.path().join("socket"), &[]);
    check(&mut server.connect());
    let mode = std::fs::metadata(&server.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // Only root can run a client as another user.
    if rustix::process::geteuid().is_root() {
        std::fs::set_permissions(&server.path, PermissionsExt::from_mode(0o666)).unwrap();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let other_user = Command::new("python3")
            .args(["-c", OTHER_USER_CLIENT, server.path.to_str().unwrap()])
            .output();
        match other_user {
            Ok(output) => {
                let text = String::from_utf8_lossy(&output.stdout).into_owned();
                assert_eq!(text.trim(), "closed", "{}", String::from_utf8_lossy(&output.stderr));
            }
            Err(error) => not_tested("stranger", &format!("python3: {error}")),
        }
    } else {
        not_tested("stranger", "only root can run a client as another user");
    }
}

/// A Python script that connects as another user and prints whether it was served.
const OTHER_USER_CLIENT: &str = "
import os, socket, sys
os.setgid(65534); os.setuid(65534)
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(sys.argv[1]); s.settimeout(20)
print('closed' if s.recv(100) == b'' else 'served')
";

#[test]
fn stale_socket_is_replaced_and_other_files_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let killed = ListeningServer::start(path.clone(), &[]);
    check(&mut killed.connect());
    drop(killed);
    assert!(std::fs::metadata(&path).unwrap().file_type().is_socket(), "SIGKILL leaves it");
    let server = ListeningServer::start(path.clone(), &[]);
    check(&mut server.connect());

    let second = refused(&path);
    assert!(second.contains("in use"), "{second}");
    check(&mut server.connect());

    let file = folder.path().join("file");
    std::fs::write(&file, "precious").unwrap();
    assert!(refused(&file).contains("in use"));
    assert_eq!(std::fs::read(&file).unwrap(), b"precious");
    let nowhere = refused(Path::new("/nowhere/socket"));
    assert!(nowhere.contains("/nowhere/socket") && nowhere.contains("No such file"), "{nowhere}");
}

#[test]
fn full_disk_is_an_error_with_the_path() {
    let folder = tempfile::tempdir().unwrap();
    // The one inode is that of the root directory, so no file can be created.
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=4k,nr_inodes=1", "none"])
        .arg(folder.path())
        .status()
        .is_ok_and(|status| status.success());
    if !mounted {
        not_tested("full-disk", "mounting one needs root");
        return;
    }
    let message = std::panic::catch_unwind(|| refused(&folder.path().join("socket")));
    let unmounted = Command::new("umount").arg(folder.path()).status();
    let message = message.unwrap();
    assert!(message.contains("socket") && message.contains("No space left"), "{message}");
    assert!(unmounted.is_ok_and(|status| status.success()));
}

/// Runs `dragnet serve` for a path where it can't listen, and returns its message.
fn refused(path: &Path) -> String {
    let output = Command::new(PROGRAM)
        .args([OsStr::new("serve"), OsStr::new("--socket"), path.as_os_str()])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn terminated_server_removes_its_socket() {
    let folder = tempfile::tempdir().unwrap();
    for signal in [rustix::process::Signal::TERM, rustix::process::Signal::INT] {
        let mut server = ListeningServer::start(folder.path().join("socket"), &[]);
        let mut sidecar = server.connect();
        check(&mut sidecar);
        server.signal(signal);
        assert_eq!(server.child.wait().unwrap().code(), Some(128 + signal.as_raw()));
        assert!(!server.path.exists());
        // Connected clients are still served; new ones get an error.
        check(&mut sidecar);
        let error = builder().max_attempts(2).connect(&server.path).expect_err("no server listens");
        let text = error.to_string();
        assert!(matches!(error, SidecarError::Unavailable(_)), "{text}");
        assert!(text.contains("socket") && text.contains("No such file"), "{text}");
    }
}

#[test]
fn lost_server_is_an_error_with_the_path() {
    let folder = tempfile::tempdir().unwrap();
    let server = ListeningServer::start(folder.path().join("socket"), &[]);
    let mut sidecar = server.connect();
    check(&mut sidecar);
    let process = rustix::process::Pid::from_raw(server.client_servers()[0] as i32).unwrap();
    let path = server.path.clone();
    drop(server);
    std::fs::remove_file(&path).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::KILL).unwrap();
    until("the process is gone", || !Path::new(&format!("/proc/{process}/exe")).exists());
    let mut records = BatchBuf::new();
    records.push(b"error").unwrap();
    match sidecar.scan(&records.as_batch(), &mut Matches::new()) {
        Err(ScanError::Unavailable { reason }) => {
            assert!(reason.contains(path.to_str().unwrap()), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    let _again = ListeningServer::start(path, &[]);
    check(&mut sidecar);
}

#[test]
fn clients_and_patterns_beyond_limits_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let mut server =
        ListeningServer::start(path.clone(), &["--clients", "1", "--max-patterns", "2"]);
    let mut first = server.connect();
    check(&mut first);
    for _ in 0..2 {
        let error =
            builder().max_attempts(2).connect(&path).expect_err("the only client slot is taken");
        assert!(matches!(error, SidecarError::Unavailable(_)), "{error}");
        let text = error.to_string();
        assert!(text.contains("the server serves 1 clients, and no more at a time"), "{text}");
    }
    check(&mut first);
    drop(first);
    until("the client slot is free", || server.client_servers().is_empty());
    let set = PatternSet::new(["a", "b", "c"]).unwrap();
    let error = Sidecar::builder(&set, Report::Patterns).max_attempts(200).connect(&path);
    match error {
        Err(SidecarError::Refused(reason)) => {
            assert!(
                reason.contains("3 patterns") && reason.contains("limit of 2 patterns"),
                "{reason}"
            );
        }
        other => panic!("{other:?}"),
    }
    check(&mut server.connect());
    // Four attempts were turned away before, which the log says when the first and the last of them
    // are known.
    server.signal(rustix::process::Signal::KILL);
    let mut log = String::new();
    server.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("turned away")).collect();
    // The last client may have been turned away too, at first.
    assert!(lines[0].ends_with("the server serves 1 clients, and no more at a time"), "{log}");
    assert!(lines[1].ends_with("turned away 4 times until one ended"), "{log}");
}

#[test]
fn regions_beyond_the_limit_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    for size in ["0", "4096", "x"] {
        let mut command = Command::new(PROGRAM);
        command.args(["serve", "--max-memory", size, "--socket"]).arg(&path);
        assert_eq!(command.output().unwrap().status.code(), Some(2), "{size}");
    }
    let server = ListeningServer::start(path, &["--max-memory", "1"]);
    let mut sidecar = server.connect();
    check(&mut sidecar);
    let mut records = BatchBuf::new();
    records.push(&vec![b'a'; 2 << 20]).unwrap();
    let result = sidecar.scan(&records.as_batch(), &mut Matches::new());
    assert!(result.is_err(), "{result:?}");
}

#[test]
fn stream_socket_is_not_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stream");
    // A stream has no message boundaries, which the protocol relies on.
    let listener = UnixListener::bind(&path).unwrap();
    let error = builder().max_attempts(1).connect(&path).expect_err("the socket has another type");
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    drop(listener);
}

#[test]
fn standard_input_must_be_a_socket() {
    let mut child = Command::new(PROGRAM)
        .args(["serve", "--stdin"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _ = child.stdin.take().unwrap().write_all(b"hello");
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2));
    assert!(text.contains("socket"), "{text}");
}
