//! Starts sidecar servers for tests. A server must be another process, so the test program starts
//! itself again with a filter that selects one test, and that test runs the server.
//!
//! A test program that uses [`contenders`](crate::contenders) or [`server`] must have this test in
//! its root module:
//!
//! ```ignore
//! #[cfg(target_os = "linux")]
//! #[test]
//! fn serves_sidecars_in_another_process() {
//!     dragnet_testkit::serve_if_asked();
//! }
//! ```

use std::io::{Read, stdin};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio, exit};
use std::sync::OnceLock;
use std::thread;

use dragnet_sidecar::{Limits, Listener, Server};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, setrlimit};

/// The name of the test that runs the server.
const SERVER_TEST: &str = "serves_sidecars_in_another_process";

/// Names the variable that is set in the server process only.
const IS_SERVER: &str = "DRAGNET_TEST_SERVER";

/// Names the variable with the path of the socket, if the server accepts several clients.
const SOCKET_PATH: &str = "DRAGNET_TEST_SOCKET";

/// Names the variable that limits the memory that the server may map after its start, in bytes.
pub const MEMORY_LIMIT: &str = "DRAGNET_TEST_MEMORY";

/// Names the variable that limits the shared memory that the server accepts from a client, in bytes.
pub const REGION_LIMIT: &str = "DRAGNET_TEST_REGION";

/// Names the variable with the emulator, and its arguments, that runs programs for this target.
const RUNNER: &str = "DRAGNET_TEST_RUNNER";

/// The command that starts this program as a server.
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
    command.args([SERVER_TEST, "--exact", "--nocapture"]);
    command.env(IS_SERVER, "1");
    command
}

/// Returns why this program can't start itself as a server, or `None` if it can. A program for
/// another processor runs in an emulator, but the processes that it starts do not, unless
/// `DRAGNET_TEST_RUNNER` names the emulator.
pub fn server_unavailable_reason() -> Option<String> {
    let mut command = server();
    command.env_remove(IS_SERVER).stdin(Stdio::null()).stdout(Stdio::null());
    match command.status() {
        Err(error) if error.raw_os_error() == Some(Errno::NOEXEC.raw_os_error()) => {
            Some(error.to_string())
        }
        // Some emulators don't report the error of `execve`, but exit with the shell's status for
        // it.
        Ok(status) if status.code() == Some(127) => Some(status.to_string()),
        // Any other error fails the tests that use a server.
        _ => None,
    }
}

/// Returns the socket of a server that all tests of this process share, because starting a server
/// for each takes too long. The server ends with this process.
pub fn server_socket() -> &'static Path {
    static SERVER: OnceLock<(Child, PathBuf)> = OnceLock::new();
    let start = || {
        let path = std::env::temp_dir().join(format!("dragnet-test-{}", std::process::id()));
        let mut command = server();
        command.env(SOCKET_PATH, &path).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn().expect("this program starts");
        // The socket appears when the server listens.
        while !path.exists() {
            let ended = child.try_wait().expect("the child can be waited for");
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
            // The callback does nothing: when a client disconnects during a scan, this process must
            // keep running for its other clients.
            let server =
                Server::new(client, Limits::default(), || ()).expect("the socket is a client's");
            if let Err(error) = server.run() {
                eprintln!("dragnet tests: a server ended: {error}");
            }
        });
    }
}

/// In a process that [`server`] has started, runs the server and exits. In any other, returns at
/// once.
pub fn serve_if_asked() {
    if std::env::var_os(IS_SERVER).is_none() {
        return;
    }
    if let Some(path) = std::env::var_os(SOCKET_PATH) {
        listen(Path::new(&path));
    }
    if let Some(bytes) = number(MEMORY_LIMIT) {
        let status = std::fs::read_to_string("/proc/self/status").expect("/proc is mounted");
        for (name, resource) in [("VmSize:", Resource::As), ("VmData:", Resource::Data)] {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect(name);
            let size: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
            let limit = Some((size << 10) + bytes);
            setrlimit(resource, Rlimit { current: limit, maximum: limit })
                .expect("a limit can be lowered");
        }
    }
    let mut limits = Limits::default();
    limits.region_bytes = number(REGION_LIMIT).unwrap_or(limits.region_bytes);
    let socket = stdin().as_fd().try_clone_to_owned().expect("standard input is a socket");
    let server = Server::new(socket, limits, || exit(3)).expect("the socket is a client's");
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
