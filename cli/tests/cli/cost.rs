//! `dragnet cost`: its output, and that none of its processes outlives it. The measured times are not
//! tested.

use crate::common::Tree;
#[cfg(target_os = "linux")]
use crate::common::without_fallback_warning;

const RUNGS: [(&str, &str); 11] = [
    ("rust", "Rust function"),
    ("c", "C function"),
    ("c-guarded", "C function, catch_unwind"),
    ("c-mutex", "C function, mutex"),
    ("c-callback", "C function that calls back"),
    ("handle", "handle look-up"),
    ("panic", "caught panic"),
    ("owner", "Owner"),
    ("pool", "Pool"),
    ("unix-socket", "Unix socket"),
    ("shared-memory", "shared memory"),
];

/// Checks the percentiles of a call and returns the median.
fn median(call: &serde_json::Value) -> f64 {
    let [p10, p50, p90, p99, mean] = ["p10_ns", "p50_ns", "p90_ns", "p99_ns", "mean_ns"]
        .map(|name| call[name].as_f64().expect(name));
    assert!(0.0 < p10 && p10 <= p50 && p50 <= p90 && p90 <= p99 && mean > 0.0, "{call}");
    assert!(call["samples"].as_u64() >= Some(5), "{call}");
    assert!(call["calls_per_sample"].as_u64() >= Some(1), "{call}");
    p50
}

#[test]
fn json_is_one_object_with_all_rungs() {
    let tree = Tree::new();
    let run = tree.run(["cost", "--time", "1", "--format", "json"]);
    assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""), "{run:?}");
    let [report] = run.json().try_into().unwrap();
    assert_eq!(report["record_bytes"], 64);
    let rungs = report["rungs"].as_array().unwrap();
    let names: Vec<_> = rungs.iter().map(|rung| (&rung["name"], &rung["title"])).collect();
    assert_eq!(names.len(), RUNGS.len());
    let mut plain = None;
    for (rung, (name, title)) in rungs.iter().zip(RUNGS) {
        assert_eq!((&rung["name"], &rung["title"]), (&name.into(), &title.into()));
        if !rung["unsupported"].is_null() {
            // Only the rungs with another process are unsupported on some systems.
            let has_process = matches!(name, "unix-socket" | "shared-memory");
            if cfg!(target_os = "linux") || !has_process {
                panic!("{rung}");
            }
            continue;
        }
        let mut medians = vec![median(&rung["call"])];
        let batches = rung["batches"].as_array().unwrap();
        let sizes = batches.iter().map(|batch| batch["records"].as_u64().unwrap());
        assert_eq!(sizes.collect::<Vec<_>>(), [1, 10, 100, 1_000, 10_000]);
        medians.extend(batches.iter().map(|batch| median(&batch["call"])));
        let plain = plain.get_or_insert_with(|| medians.clone());
        let mut ratios = vec![&rung["ratio"]];
        ratios.extend(batches.iter().map(|batch| &batch["ratio"]));
        for ((ratio, median), plain) in ratios.into_iter().zip(&medians).zip(plain) {
            assert!((ratio.as_f64().unwrap() - median / *plain).abs() < 1e-6 * median, "{rung}");
        }
        let negligible_from = &rung["records_for_5_percent"];
        let in_range = |records| (1..=10_000).contains(&records);
        assert!(
            negligible_from.is_null() || negligible_from.as_u64().is_some_and(in_range),
            "{rung}"
        );
        assert!(name != "rust" || *negligible_from == 1, "{rung}");
    }
    // Nothing was left in the directory.
    assert_eq!(std::fs::read_dir(tree.path()).unwrap().count(), 0);
}

#[test]
fn text_in_a_pipe_has_all_rungs_and_no_bars() {
    let run = Tree::new().run(["cost", "--time", "1"]);
    assert_eq!(run.status, Some(0), "{run:?}");
    let lines = run.lines();
    assert_eq!(lines.len(), 2 + RUNGS.len() + 1 + RUNGS.len());
    for (line, (_, title)) in lines[2..].iter().zip(RUNGS) {
        assert!(line.starts_with(&format!("{title:<27} ")), "{line}");
    }
    for (line, (_, title)) in lines[2 + RUNGS.len() + 1..].iter().zip(RUNGS) {
        assert!(line.starts_with(&format!("{title}: ")) && line.ends_with('.'), "{line}");
    }
    assert!(run.stdout.is_ascii());
}

#[test]
fn invalid_time_is_an_error() {
    for time in ["0", "60001", "-1", "x"] {
        let run = Tree::new().run(["cost", &format!("--time={time}")]);
        assert_eq!((run.status, run.stdout.as_str()), (Some(2), ""), "{run:?}");
    }
}

#[test]
fn peer_without_a_socket_fails() {
    let tree = Tree::new();
    for peer in ["frame-socket", "sidecar"] {
        // Standard input is not a socket here. The message depends on the system.
        let run = tree.run(["cost-peer", peer]);
        assert_eq!((run.status, run.stdout.as_str()), (Some(2), ""), "{run:?}");
        assert!(run.stderr.starts_with("dragnet: cost-peer: "), "{run:?}");
    }
    assert_eq!(tree.run(["cost-peer", "nobody"]).status, Some(2));
    assert!(!tree.run(["--help"]).stdout.contains("cost-peer"));
}

/// Returns the ids of the processes that run the program at this path.
#[cfg(target_os = "linux")]
fn running(program: &std::path::Path) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    processes
        .filter(|process| {
            std::fs::read_link(process.path().join("exe")).is_ok_and(|exe| exe == program)
        })
        .map(|process| process.file_name().to_string_lossy().into_owned())
        .collect()
}

/// What the test does to a running command.
#[cfg(target_os = "linux")]
#[derive(Clone, Copy, PartialEq)]
enum Action {
    Nothing,
    Kill,
    KillPeers,
}

/// Runs the command, and disturbs it as `action` says. Returns its exit status and messages once none
/// of its processes is left. The program is a copy, so that [`running`] does not count the processes of
/// other tests.
#[cfg(target_os = "linux")]
fn run_with(action: Action, time: &str) -> (Option<i32>, String) {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    let tree = Tree::new();
    let program = tree.path().canonicalize().unwrap().join("dragnet");
    // `cp` writes the copy, because a file that is open for writing can't be executed, and a child that
    // another test forks at that moment would inherit the open file from this process.
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_dragnet")).arg(&program).status();
    assert!(copied.unwrap().success());
    let until = |what: &str, condition: &dyn Fn() -> bool| {
        let start = Instant::now();
        while !condition() {
            assert!(start.elapsed() < Duration::from_secs(60), "{what}");
            std::thread::sleep(Duration::from_millis(2));
        }
    };
    let child = Command::new(&program)
        .args(["cost", "--time", time])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let own = child.id().to_string();
    if action != Action::Nothing {
        until("its two peers start", &|| running(&program).len() == 3);
        // Long enough that the second peer has answered its first call and the measurement has begun.
        std::thread::sleep(Duration::from_millis(100));
        let mut victims = running(&program);
        victims.retain(|victim| (*victim == own) == (action == Action::Kill));
        assert!(Command::new("kill").arg("-KILL").args(victims).status().unwrap().success());
    }
    let output = child.wait_with_output().unwrap();
    if action == Action::Kill {
        until("its peers end", &|| running(&program).is_empty());
    }
    assert_eq!(running(&program), [""; 0]);
    (output.status.code(), without_fallback_warning(output.stderr))
}

#[cfg(target_os = "linux")]
#[test]
fn no_process_is_left_after_a_run() {
    assert_eq!(run_with(Action::Nothing, "1"), (Some(0), String::new()));
}

#[cfg(target_os = "linux")]
#[test]
fn no_process_is_left_after_a_kill() {
    assert_eq!(run_with(Action::Kill, "60000").0, None);
}

#[cfg(target_os = "linux")]
#[test]
fn killed_peer_is_an_error() {
    let (status, message) = run_with(Action::KillPeers, "1000");
    assert_eq!(status, Some(2));
    assert_eq!(message, "dragnet: Unix socket: the other process has ended\n");
}
