//! Runs a test in a process of its own, because it counts or limits the resources of its process.

use std::path::Path;
use std::process::{Command, Stdio};

/// Names the variable with the name of the test that runs alone in this process.
const TEST_ALONE: &str = "DRAGNET_TEST_ALONE";

/// Runs the calling test, which is named `test`, in a new process, and returns false once it has
/// succeeded there. Returns true in that new process.
pub(crate) fn is_own_process(test: &str) -> bool {
    if std::env::var(TEST_ALONE).as_deref() == Ok(test) {
        return true;
    }
    let output = command(test).output().expect("this program runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{text}\n{errors}", output.status);
    // A misspelled name would run no test.
    assert!(text.contains("1 passed"), "{test} did not run: {text}");
    false
}

/// The command that runs a test of this program in a new process.
pub(crate) fn command(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env(TEST_ALONE, test);
    command.stdin(Stdio::null());
    command
}

/// The resources that a process can leak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Census {
    pub(crate) descriptors: usize,
    pub(crate) threads: usize,
    pub(crate) children: usize,
    pub(crate) mappings: usize,
}

/// The resources of this process.
pub(crate) fn census() -> Census {
    let count = |path: &str| std::fs::read_dir(path).expect(path).count();
    let maps = std::fs::read_to_string("/proc/self/maps").expect("there is /proc");
    Census {
        descriptors: count("/proc/self/fd"),
        threads: count("/proc/self/task"),
        children: children().len(),
        mappings: maps.lines().filter(|line| line.contains("memfd:dragnet")).count(),
    }
}

/// The child processes of this process, including zombies.
pub(crate) fn children() -> Vec<u32> {
    let this = std::process::id().to_string();
    let parent = |entry: &Path| {
        let stat = std::fs::read_to_string(entry.join("stat")).ok()?;
        // The name is in parentheses and may hold any character, so start after the last one.
        let rest = stat.rsplit_once(')')?.1;
        rest.split_whitespace().nth(1).map(str::to_owned)
    };
    std::fs::read_dir("/proc")
        .expect("there is /proc")
        .filter_map(|entry| entry.ok())
        .filter_map(|entry| {
            let number = entry.file_name().to_str()?.parse().ok()?;
            (parent(&entry.path())? == this).then_some(number)
        })
        .collect()
}
