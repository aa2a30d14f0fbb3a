//! The other process of sidecars: this test program once more, which then does nothing else.

use std::io::{Read, stdin};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio, exit};
use std::sync::OnceLock;
use std::thread;

use dragnet_sidecar::{Limits, Listener, Server};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, setrlimit};

/// Set in the process that is to be a server.
const MARK: &str = "DRAGNET_TEST_SERVER";

/// Where the server listens, if it serves more than one client.
const SOCKET: &str = "DRAGNET_TEST_SOCKET";

/// How much memory the server may map, in bytes, beyond what it has when it starts.
pub const MEMORY: &str = "DRAGNET_TEST_MEMORY";

/// The longest region of memory that the server takes, in bytes.
pub const REGION: &str = "DRAGNET_TEST_REGION";

/// Says what runs this program, with its arguments, where the system itself can't.
const RUNNER: &str = "DRAGNET_TEST_RUNNER";

/// Starts this program as a server, whatever else it tests.
pub fn server() -> Command {
    let program = std::env::current_exe().expect("this program has a path");
    let runner = std::env::var(RUNNER).unwrap_or_default();
    let mut runner = runner.split_whitespace();
    let mut command = match runner.next() {
        Some(emulator) => {
            let mut command = Command::new(emulator);
            command.args(runner).arg(program);
            command
        }
        None => Command::new(program),
    };
    command.args(["the_other_process_serves", "--exact", "--nocapture"]);
    command.env(MARK, "1");
    command
}

/// Why this program can't be started once more: the system does not know its format. An emulator
/// that runs this process is not asked to run others, unless `DRAGNET_TEST_RUNNER` names it.
pub fn foreign() -> Option<String> {
    let mut command = server();
    command.env_remove(MARK).stdin(Stdio::null()).stdout(Stdio::null());
    match command.status() {
        Err(error) if error.raw_os_error() == Some(Errno::NOEXEC.raw_os_error()) => {
            Some(error.to_string())
        }
        // An emulated system can't tell why.
        Ok(status) if status.code() == Some(127) => Some(status.to_string()),
        // All else is for the tests to find.
        _ => None,
    }
}

/// The socket of a server for all sidecars of this process, for tests that need so many of them that
/// it would take too long to start a process for each. It ends with this process.
pub fn socket() -> &'static Path {
    static SERVER: OnceLock<(Child, PathBuf)> = OnceLock::new();
    let start = || {
        let path = std::env::temp_dir().join(format!("dragnet-test-{}", std::process::id()));
        let mut command = server();
        command.env(SOCKET, &path).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn().expect("this program starts");
        // Once it is there, it listens.
        while !path.exists() {
            let ended = child.try_wait().expect("it is our child");
            assert!(ended.is_none(), "the server ended: {ended:?}");
            thread::sleep(std::time::Duration::from_millis(1));
        }
        (child, path)
    };
    &SERVER.get_or_init(start).1
}

/// Serves clients, each on a thread, until standard input ends.
fn listen(path: &Path) -> ! {
    let listener = Listener::bind(path).expect("the path is free");
    let path = path.to_owned();
    thread::spawn(move || {
        let _ = stdin().read_to_end(&mut Vec::new());
        let _ = std::fs::remove_file(path);
        exit(0);
    });
    loop {
        let client = listener.accept().expect("a client");
        thread::spawn(move || {
            // It is not ended for a client that is gone while a slow machine still scans: it has
            // other clients.
            let server = Server::new(client, Limits::default(), || ()).expect("our client");
            if let Err(error) = server.run() {
                eprintln!("dragnet tests: a server ended: {error}");
            }
        });
    }
}

/// Runs the server, and then ends the process, where this process was started by [`server`].
///
/// Each test program that uses a sidecar must call this from a test at its root with the name
/// `the_other_process_serves`.
pub fn serve() {
    if std::env::var_os(MARK).is_none() {
        return;
    }
    if let Some(path) = std::env::var_os(SOCKET) {
        listen(Path::new(&path));
    }
    if let Some(bytes) = number(MEMORY) {
        let now = std::fs::read_to_string("/proc/self/status").expect("there is /proc");
        for (name, resource) in [("VmSize:", Resource::As), ("VmData:", Resource::Data)] {
            let line = now.lines().find_map(|line| line.strip_prefix(name)).expect(name);
            let size: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
            let limit = Some((size << 10) + bytes);
            setrlimit(resource, Rlimit { current: limit, maximum: limit }).expect("it may be less");
        }
    }
    let mut limits = Limits::default();
    limits.region_bytes = number(REGION).unwrap_or(limits.region_bytes);
    let socket = stdin().as_fd().try_clone_to_owned().expect("standard input is a socket");
    let server = Server::new(socket, limits, || exit(3)).expect("it is its client's");
    // SAFETY: the client is a `Sidecar`, which does not write to the memory of a pending request.
    let server = unsafe { server.search_in_place() };
    match server.run() {
        Ok(()) => exit(0),
        Err(error) => {
            eprintln!("dragnet tests: a server ended: {error}");
            exit(1);
        }
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|value| value.parse().expect("a number"))
}
