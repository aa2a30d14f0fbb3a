//! What `dragnet cost` tells. How long things take is not tested: it is what the command is for.

mod common;

use common::Tree;

const RUNGS: [(&str, &str); 12] = [
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
    ("shared-memory-spin", "shared memory, spinning"),
];

/// Checks percentiles, and returns the median.
fn median(call: &serde_json::Value) -> f64 {
    let [p50, p90, p99, mean] =
        ["p50_ns", "p90_ns", "p99_ns", "mean_ns"].map(|name| call[name].as_f64().expect(name));
    assert!(0.0 < p50 && p50 <= p90 && p90 <= p99 && mean > 0.0, "{call}");
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
            // What needs another process, and nothing else, is there on some systems only.
            assert!(cfg!(not(target_os = "linux")), "{rung}");
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
        let enough = &rung["records_for_5_percent"];
        let in_range = |records| (1..=10_000).contains(&records);
        assert!(enough.is_null() || enough.as_u64().is_some_and(in_range), "{rung}");
        assert!(name != "rust" || *enough == 1, "{rung}");
    }
    // Nothing was left in the directory.
    assert_eq!(std::fs::read_dir(tree.path()).unwrap().count(), 0);
}

#[test]
fn text_has_all_rungs_and_no_bars_in_a_pipe() {
    let run = Tree::new().run(["cost", "--time", "1"]);
    assert_eq!(run.status, Some(0), "{run:?}");
    let lines = run.lines();
    assert_eq!(lines.len(), 2 + RUNGS.len());
    for (line, (_, title)) in lines[2..].iter().zip(RUNGS) {
        assert!(line.starts_with(&format!("{title:<27} ")), "{line}");
    }
    assert!(run.stdout.is_ascii());
}

#[test]
fn a_time_that_is_none_is_an_error() {
    for time in ["0", "60001", "-1", "x"] {
        let run = Tree::new().run(["cost", &format!("--time={time}")]);
        assert_eq!((run.status, run.stdout.as_str()), (Some(2), ""), "{run:?}");
    }
}

#[test]
fn a_peer_that_nobody_needs_ends() {
    let tree = Tree::new();
    for peer in ["socket", "shared", "spinning"] {
        // Standard input is at its end, or no socket at all; what it says of that depends on
        // the system.
        let run = tree.run(["cost-peer", peer]);
        assert_eq!((run.status, run.stdout.as_str()), (Some(2), ""), "{run:?}");
        assert!(run.stderr.starts_with("dragnet: cost-peer: "), "{run:?}");
    }
    assert_eq!(tree.run(["cost-peer", "nobody"]).status, Some(2));
    assert!(!tree.run(["--help"]).stdout.contains("cost-peer"));
}

/// The processes that run a program of this path, by their numbers.
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

/// Runs a copy of the command, so that its processes are told from those of other tests, and
/// ends it in the middle if that is wanted.
#[cfg(target_os = "linux")]
fn processes_end(kill: bool) {
    use std::process::Stdio;
    use std::time::{Duration, Instant};

    let tree = Tree::new();
    let program = tree.path().canonicalize().unwrap().join("dragnet");
    std::fs::copy(env!("CARGO_BIN_EXE_dragnet"), &program).unwrap();
    let until = |what: &str, condition: &dyn Fn() -> bool| {
        let start = Instant::now();
        while !condition() {
            assert!(start.elapsed() < Duration::from_secs(60), "{what}");
            std::thread::sleep(Duration::from_millis(2));
        }
    };
    let mut child = std::process::Command::new(&program)
        .args(["cost", "--time", if kill { "60000" } else { "1" }])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    if kill {
        until("its three peers start", &|| running(&program).len() == 4);
        child.kill().unwrap();
    }
    assert_eq!(child.wait().unwrap().success(), !kill);
    if kill {
        until("its peers end", &|| running(&program).is_empty());
    } else {
        assert_eq!(running(&program), [""; 0]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn no_process_is_left_when_it_has_ended() {
    processes_end(false);
}

#[cfg(target_os = "linux")]
#[test]
fn no_process_is_left_when_it_is_killed() {
    processes_end(true);
}
