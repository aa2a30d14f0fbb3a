//! Sidecars leak no processes, threads, descriptors or memory.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::own_process::{census, command, is_own_process};
use crate::times;
use crate::work::{check, sidecar, signal, work};

#[test]
fn a_thousand_crashed_servers_leave_nothing_behind() {
    if !is_own_process("leaks::a_thousand_crashed_servers_leave_nothing_behind") {
        return;
    }
    use dragnet::{Matches, Scan};
    let (batch, expected) = &work().batches[0];
    let mut matches = Matches::new();
    // The first sidecar creates resources that stay until the process ends.
    drop(sidecar());
    let before = census();
    let mut kept = sidecar();
    let with_one = census();
    for round in 0..500 * times() {
        let mut fresh = sidecar();
        for sidecar in [&mut kept, &mut fresh] {
            signal(sidecar.server_pid().unwrap(), Signal::KILL);
            sidecar.scan(&batch.as_batch(), &mut matches).unwrap();
            assert!(matches.as_slice() == expected);
        }
        drop(fresh);
        // The kept sidecar may have one more region than at first.
        let now = census();
        assert_eq!(now.children, with_one.children, "after {round} rounds");
        assert_eq!(now.threads, with_one.threads, "after {round} rounds");
        assert!(now.descriptors <= with_one.descriptors + 1, "{now:?} after {round} rounds");
        assert!(now.mappings <= with_one.mappings + 1, "{now:?} after {round} rounds");
    }
    check(&mut kept);
    drop(kept);
    assert_eq!(census(), before);
}

/// Not a test of its own: the client that the next test kills.
#[test]
fn a_client_to_be_killed() {
    if std::env::var_os("DRAGNET_TEST_VICTIM").is_none() {
        return;
    }
    let mut sidecar = sidecar();
    check(&mut sidecar);
    println!("\nserver {}", sidecar.server_pid().unwrap());
    loop {
        // Keep scanning, so that the client is killed during a scan.
        check(&mut sidecar);
    }
}

#[test]
fn a_server_ends_when_its_client_is_killed() {
    for delay in [0, 1, 5, 20] {
        let mut client = command("leaks::a_client_to_be_killed")
            .env("DRAGNET_TEST_VICTIM", "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(client.stdout.take().unwrap()).lines();
        let server: u32 = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("server ")?.parse().ok())
            .expect("it prints the id of its server");
        thread::sleep(Duration::from_millis(delay));
        client.kill().unwrap();
        client.wait().unwrap();
        let end = Instant::now() + Duration::from_secs(30);
        // A zombie has no executable.
        let is_running =
            || std::fs::read_link(Path::new("/proc").join(server.to_string()).join("exe")).is_ok();
        while is_running() {
            assert!(Instant::now() < end, "process {server} still runs without its client");
            thread::sleep(Duration::from_millis(2));
        }
    }
}
