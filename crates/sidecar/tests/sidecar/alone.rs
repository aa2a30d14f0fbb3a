//! Tests that need a process of their own, since they count or limit what it has.

use std::path::Path;
use std::process::{Command, Stdio};

const MARK: &str = "DRAGNET_TEST_ALONE";

/// Runs the test of this name, which calls this, once more in another process, where this returns
/// true. In the first process it returns false, once the other one has succeeded.
pub(crate) fn alone(test: &str) -> bool {
    if std::env::var(MARK).as_deref() == Ok(test) {
        return true;
    }
    let output = command(test).output().expect("this program runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{text}\n{errors}", output.status);
    // A name that is misspelled would run nothing.
    assert!(text.contains("1 passed"), "{test} has not run: {text}");
    false
}

pub(crate) fn command(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env(MARK, test);
    command.stdin(Stdio::null());
    command
}

/// What a process can leave behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Census {
    pub(crate) descriptors: usize,
    pub(crate) threads: usize,
    pub(crate) children: usize,
    pub(crate) mappings: usize,
}

/// What this process has now.
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

/// The processes whose parent this one is, dead ones that nobody has waited for among them.
pub(crate) fn children() -> Vec<u32> {
    let this = std::process::id().to_string();
    let parent = |entry: &Path| {
        let stat = std::fs::read_to_string(entry.join("stat")).ok()?;
        // The name may hold anything, so look behind it.
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
