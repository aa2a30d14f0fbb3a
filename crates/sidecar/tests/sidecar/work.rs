//! Patterns, records and exact answers for all tests here.

use std::sync::LazyLock;
use std::time::Duration;

use dragnet::{Backend, BatchBuf, Match, Matches, PatternSet, Report, Scan};
use dragnet_sidecar::{Sidecar, SidecarBuilder};
use rustix::process::{Pid, Signal, kill_process};

use dragnet_testkit::{Oracle, Spec, server, set};

/// Some patterns with many matches each, and batches with the answers that are theirs.
pub(crate) struct Work {
    pub(crate) set: PatternSet,
    pub(crate) batches: Vec<(BatchBuf, Vec<Match>)>,
}

/// The same for all, since the oracle takes its time.
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

/// A sidecar whose server is this program, with little patience for one that is silent.
pub(crate) fn builder() -> SidecarBuilder {
    Sidecar::builder(&work().set, Report::Spans)
        .backend(Backend::Pure)
        .deadline(Duration::from_secs(20))
        .backoff(Duration::from_millis(1), Duration::from_millis(20))
        .part(5000)
}

pub(crate) fn sidecar() -> Sidecar {
    builder().spawn_with(server).expect("a server starts")
}

/// Scans all batches, and whatever has happened in between, the answers are exact.
pub(crate) fn check(sidecar: &mut Sidecar) {
    let mut matches = Matches::new();
    for (batch, expected) in &work().batches {
        sidecar.scan(&batch.as_batch(), &mut matches).expect("there is an answer");
        assert!(matches.as_slice() == expected, "not the answer of the oracle");
    }
}

pub(crate) fn signal(process: u32, signal: Signal) {
    let process = Pid::from_raw(process as i32).expect("a process");
    // One that is gone is as good as killed. The first SIGSEGV that is sent and has no cause is spent
    // on the handler that finds stack overflows.
    for _ in 0..1 + usize::from(signal == Signal::SEGV) {
        let _ = kill_process(process, signal);
    }
}

/// Kills or stops a server of this process, and waits until it is dead or stopped.
pub(crate) fn kill(process: u32, kind: Signal) {
    let state = || {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        stat.rsplit_once(") ")?.1.chars().next()
    };
    // Nobody has waited for it yet.
    while !matches!(state(), None | Some('Z' | 'T')) {
        // Again and again: of signals that are sent at the same time, one arrives.
        signal(process, kind);
        std::thread::sleep(Duration::from_millis(1));
    }
}
