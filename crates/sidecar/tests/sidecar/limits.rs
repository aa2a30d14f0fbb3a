//! Exhausted resources and limits: each is an error that names what ran out.

use std::process::{Command, Stdio};

use dragnet::{Backend, BatchBuf, Matches, PatternSet, Report, Scan, ScanError};
use dragnet_sidecar::{Sidecar, SidecarError};
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};

use crate::own_process::{census, is_own_process};
use crate::work::{builder, check, kill, sidecar, work};
use dragnet_testkit::server;

/// A server whose error messages are discarded, for tests that expect some.
fn quiet_server() -> Command {
    let mut command = server();
    command.stderr(Stdio::null());
    command
}

#[test]
fn running_out_of_descriptors_is_a_passing_error() {
    if !is_own_process("limits::running_out_of_descriptors_is_a_passing_error") {
        return;
    }
    let mut sidecar = sidecar();
    check(&mut sidecar);
    let usual = getrlimit(Resource::Nofile);
    // From no free descriptor to as many as a restart takes.
    for free in 0..12 {
        kill(sidecar.server_pid().unwrap(), Signal::KILL);
        let limit = census().descriptors as u64 - 5 + free;
        setrlimit(Resource::Nofile, Rlimit { current: Some(limit), ..usual }).unwrap();
        let (batch, expected) = &work().batches[2];
        let mut matches = Matches::new();
        let answer = sidecar.scan(&batch.as_batch(), &mut matches);
        setrlimit(Resource::Nofile, usual).unwrap();
        match answer {
            Ok(()) => assert!(matches.as_slice() == expected),
            Err(ScanError::Unavailable { reason }) => {
                assert!(reason.contains("Too many open files"), "{reason}");
                assert!(matches.is_empty());
            }
            Err(other) => panic!("{other:?}"),
        }
        check(&mut sidecar);
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(8), ..usual }).unwrap();
    let error = builder().spawn_with(server).expect_err("there are no descriptors");
    setrlimit(Resource::Nofile, usual).unwrap();
    assert!(error.to_string().contains("Too many open files"), "{error}");
}

#[test]
fn no_server_memory_for_records_is_an_error() {
    let mut sidecar = builder()
        .chunk_bytes(64 << 20)
        .spawn_with(|| {
            let mut command = quiet_server();
            command.env(dragnet_testkit::MEMORY_LIMIT, (24 << 20).to_string());
            command
        })
        .expect("there is enough to start");
    check(&mut sidecar);
    let mut large = BatchBuf::new();
    large.push(&vec![b'z'; 48 << 20]).unwrap();
    match sidecar.scan(&large.as_batch(), &mut Matches::new()) {
        Err(ScanError::Unavailable { reason }) => {
            assert!(reason.contains("failed 3 times"), "{reason}");
            assert!(reason.contains("Cannot allocate memory"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    check(&mut sidecar);
}

#[test]
fn running_out_of_memory_compiling_is_an_error() {
    let words = (0..30_000).map(|i| format!("{:016x}", i * 0x9E37_79B9_7F4A_u64));
    let set = PatternSet::new(words).unwrap();
    let error = Sidecar::builder(&set, Report::Patterns)
        .backend(Backend::Pure)
        .max_attempts(2)
        .spawn_with(|| {
            let mut command = quiet_server();
            command.env(dragnet_testkit::MEMORY_LIMIT, (4 << 20).to_string());
            command
        })
        .expect_err("it is too little");
    match &error {
        SidecarError::Unavailable(reason) => {
            assert!(reason.contains("failed 2 times"), "{reason}");
            assert!(reason.contains("SIGABRT") || reason.contains("allocate"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn records_over_the_limit_are_refused_by_size() {
    let mut sidecar = builder()
        .spawn_with(|| {
            let mut command = server();
            command.env(dragnet_testkit::REGION_LIMIT, (1 << 20).to_string());
            command
        })
        .unwrap();
    let mut records = BatchBuf::new();
    records.push(b"ab").unwrap();
    records.push(&vec![b'z'; 2 << 20]).unwrap();
    let answer = sidecar.scan(&records.as_batch(), &mut Matches::new());
    match answer {
        Err(ScanError::TooLarge { size, limit }) => {
            assert_eq!(size, 2 << 20);
            records.clear();
            records.push(&vec![b'z'; limit]).unwrap();
            sidecar.scan(&records.as_batch(), &mut Matches::new()).expect("it is at the limit");
        }
        other => panic!("{other:?}"),
    }
    // Short records that are longer than this together are split into chunks.
    records.clear();
    for _ in 0..3000 {
        records.push(&[b'z'; 1000]).unwrap();
    }
    sidecar.scan(&records.as_batch(), &mut Matches::new()).unwrap();
    assert_eq!(sidecar.restarts(), 0);
}

#[test]
fn programs_that_are_no_servers_are_errors() {
    for program in ["/nowhere/dragnet", "/bin/true", "/bin/cat"] {
        let builder = builder().deadline(std::time::Duration::from_secs(5)).max_attempts(2);
        let command = move || {
            let mut command = Command::new(program);
            command.args(["serve", "--stdin"]).stderr(Stdio::null());
            command
        };
        let error = builder.spawn_with(command).expect_err("it is no server").to_string();
        match program {
            "/nowhere/dragnet" => assert!(error.contains(program), "{error}"),
            _ => assert!(error.contains("failed 2 times"), "{error}"),
        }
    }
    let error = builder().spawn("/nowhere/dragnet").expect_err("it is not there").to_string();
    assert!(error.contains("/nowhere/dragnet"), "{error}");
}

#[test]
fn refusals_name_the_reason() {
    let set = PatternSet::builder().nest_limit(400).pattern("(".repeat(300) + &")".repeat(300));
    let error = Sidecar::builder(&set.build().unwrap(), Report::Patterns)
        .spawn_with(quiet_server)
        .expect_err("it is nested deeper than usual");
    assert!(matches!(&error, SidecarError::Refused(reason) if reason.contains("nest")), "{error}");
    if matches!(dragnet_testkit::native(), dragnet_testkit::Native::NotBuilt) {
        let error = builder().backend(Backend::Native).spawn_with(quiet_server).expect_err("none");
        assert!(
            matches!(&error, SidecarError::Refused(reason) if reason.contains("no native backend")),
            "{error}"
        );
    }
}
