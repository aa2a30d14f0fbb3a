//! What is left when it is over: nothing.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::alone::{alone, census, command};
use crate::times;
use crate::work::{check, sidecar, signal, work};

#[test]
fn nothing_is_left_of_a_thousand_servers_that_were_started_and_crashed() {
    if !alone("ends::nothing_is_left_of_a_thousand_servers_that_were_started_and_crashed") {
        return;
    }
    use dragnet::{Matches, Scan};
    let (batch, expected) = &work().batches[0];
    let mut matches = Matches::new();
    // What the first one makes once and for all.
    drop(sidecar());
    let before = census();
    let mut kept = sidecar();
    let with_one = census();
    for round in 0..500 * times() {
        let mut fresh = sidecar();
        for sidecar in [&mut kept, &mut fresh] {
            signal(sidecar.process().unwrap(), Signal::KILL);
            sidecar.scan(&batch.as_batch(), &mut matches).unwrap();
            assert!(matches.as_slice() == expected);
        }
        drop(fresh);
        // The kept one has the memory of the last part, which it did not have at first.
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

/// Not a test of its own: what the client is that the next one kills.
#[test]
fn a_client_that_waits_to_be_killed() {
    if std::env::var_os("DRAGNET_TEST_VICTIM").is_none() {
        return;
    }
    let mut sidecar = sidecar();
    check(&mut sidecar);
    println!("\nserver {}", sidecar.process().unwrap());
    loop {
        // Busy, so that it is killed amid its work.
        check(&mut sidecar);
    }
}

#[test]
fn a_server_ends_when_its_client_is_killed() {
    for delay in [0, 1, 5, 20] {
        let mut client = command("ends::a_client_that_waits_to_be_killed")
            .env("DRAGNET_TEST_VICTIM", "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(client.stdout.take().unwrap()).lines();
        let server: u32 = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("server ")?.parse().ok())
            .expect("it names its server");
        thread::sleep(Duration::from_millis(delay));
        client.kill().unwrap();
        client.wait().unwrap();
        let end = Instant::now() + Duration::from_secs(30);
        // A process that has ended and that nobody waits for has no executable any more.
        let is_there =
            || std::fs::read_link(Path::new("/proc").join(server.to_string()).join("exe")).is_ok();
        while is_there() {
            assert!(Instant::now() < end, "process {server} goes on without its client");
            thread::sleep(Duration::from_millis(2));
        }
    }
}
