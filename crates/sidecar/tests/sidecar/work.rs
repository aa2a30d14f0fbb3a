//! Patterns, records and their exact answers, shared by all tests of this program.

use std::sync::LazyLock;
use std::time::Duration;

use dragnet::{Backend, BatchBuf, Match, Matches, PatternSet, Report, Scan};
use dragnet_sidecar::{Sidecar, SidecarBuilder};
use rustix::process::{Pid, Signal, kill_process};

use dragnet_testkit::{Oracle, Spec, server, set};

/// Patterns with many matches each, and batches with their exact answers.
pub(crate) struct Work {
    pub(crate) set: PatternSet,
    pub(crate) batches: Vec<(BatchBuf, Vec<Match>)>,
}

/// The work, made once, since the oracle is slow.
pub(crate) fn work() -> &'static Work {
    static WORK: LazyLock<Work> = LazyLock::new(|| {
        let specs: Vec<Spec> = [r"\d+", "secret", r"\bab\b", "[a-f0-9]{8}", "^x", ""]
            .map(|regex| Spec::new(regex, "-u"))
            .into();
        let batches = [1, 40, 700].map(|count| {
            let records: Vec<Vec<u8>> = (0..count)
                .map(|i| format!("ab {i} secret{i} deadbeef{}", "x1".repeat(i % 90)).into())
                .collect();
            let mut batch = BatchBuf::new();
            for record in &records {
                batch.push(record).unwrap();
            }
            let expected = Oracle::new(&specs).spans(records.iter().map(Vec::as_slice));
            (batch, expected)
        });
        Work { set: set(&specs), batches: batches.into() }
    });
    &WORK
}

/// A builder of sidecars that detect a silent server after 20 seconds and restart it quickly.
pub(crate) fn builder() -> SidecarBuilder {
    Sidecar::builder(&work().set, Report::Spans)
        .backend(Backend::Pure)
        .deadline(Duration::from_secs(20))
        .backoff(Duration::from_millis(1), Duration::from_millis(20))
        .chunk_bytes(5000)
}

/// A sidecar whose server is this program.
pub(crate) fn sidecar() -> Sidecar {
    builder().spawn_with(server).expect("a server starts")
}

/// Scans all batches and checks that the answers are exact.
pub(crate) fn check(sidecar: &mut Sidecar) {
    let mut matches = Matches::new();
    for (batch, expected) in &work().batches {
        sidecar.scan(&batch.as_batch(), &mut matches).expect("there is an answer");
        assert!(matches.as_slice() == expected, "another answer than the oracle's");
    }
}

/// Sends a signal to a process.
pub(crate) fn signal(process: u32, signal: Signal) {
    let process = Pid::from_raw(process as i32).expect("a process");
    // The process may be gone already. The first SIGSEGV only removes Rust's handler for stack
    // overflows, so a second one is sent.
    for _ in 0..1 + usize::from(signal == Signal::SEGV) {
        let _ = kill_process(process, signal);
    }
}

/// Kills or suspends a server of this process, and waits until that has happened.
pub(crate) fn kill(process: u32, kind: Signal) {
    let state = || {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        stat.rsplit_once(") ")?.1.chars().next()
    };
    // A killed server stays a zombie until its client waits for it.
    while !matches!(state(), None | Some('Z' | 'T')) {
        // Sent repeatedly: a pending signal of the same kind absorbs it.
        signal(process, kind);
        std::thread::sleep(Duration::from_millis(1));
    }
}
