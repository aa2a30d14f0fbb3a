//! The other process of sidecars: this test program once more, which then does nothing else.

use std::io::stdin;
use std::os::fd::AsFd;
use std::process::{Command, exit};

use dragnet::sidecar::{Limits, Server};

/// Set in the process that is to be a server.
const MARK: &str = "DRAGNET_TEST_SERVER";

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
    let socket = stdin().as_fd().try_clone_to_owned().expect("standard input is a socket");
    let server = Server::new(socket, Limits::default(), || exit(3)).expect("it is its client's");
    match server.run() {
        Ok(()) => exit(0),
        Err(error) => {
            eprintln!("dragnet tests: a server ended: {error}");
            exit(1);
        }
    }
}
