//! The other process of sidecars: this test program once more, which then does nothing else.

use std::io::stdin;
use std::os::fd::AsFd;
use std::process::{Command, exit};

use dragnet::sidecar::{Limits, Server};
use rustix::process::{Resource, Rlimit, setrlimit};

/// Set in the process that is to be a server.
const MARK: &str = "DRAGNET_TEST_SERVER";

/// How much memory the server may map, in bytes, beyond what it has when it starts.
pub(crate) const MEMORY: &str = "DRAGNET_TEST_MEMORY";

/// The longest region of memory that the server takes, in bytes.
pub(crate) const REGION: &str = "DRAGNET_TEST_REGION";

/// Starts this program as a server, whatever else it tests.
pub(crate) fn server() -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command.args(["support::server::the_other_process_serves", "--exact", "--nocapture"]);
    command.env(MARK, "1");
    command
}

/// Not a test of this process, but what the other one runs.
#[test]
fn the_other_process_serves() {
    if std::env::var_os(MARK).is_none() {
        return;
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
    limits.region = number(REGION).unwrap_or(limits.region);
    let socket = stdin().as_fd().try_clone_to_owned().expect("standard input is a socket");
    let server = Server::new(socket, limits, || exit(3)).expect("it is its client's");
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
