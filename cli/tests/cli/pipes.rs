//! How the commands end when standard output can't be written.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Stdio};

use crate::common::{Tree, without_fallback_warning};

/// Waits for a command and returns its exit status and its messages.
fn wait_for_end(mut child: Child) -> (Option<i32>, String) {
    let mut stderr = Vec::new();
    child.stderr.take().unwrap().read_to_end(&mut stderr).unwrap();
    (child.wait().unwrap().code(), without_fallback_warning(stderr))
}

#[test]
fn closed_pipe_ends_the_command_without_a_message() {
    let tree = Tree::with(&[("f", "abc\n".repeat(1 << 20))]);
    for command in ["scan", "redact"] {
        let mut child = tree
            .command([command, "-e", "b", "f"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        // After one line, the reader is dropped and closes the pipe.
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(!line.is_empty());
        assert_eq!(wait_for_end(child), (Some(0), String::new()), "{command}");
    }
}

#[test]
fn closed_pipe_ends_a_command_that_waits_for_input() {
    for command in ["scan", "redact"] {
        let mut child = Tree::new()
            .command([command, "-e", "b"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(b"abc\n").unwrap();
        // `stdin` stays open, so the command has to end by itself.
        assert_eq!(wait_for_end(child), (Some(0), String::new()), "{command}");
        drop(stdin);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn full_disk_is_an_error() {
    let tree = Tree::with(&[("f", "abc\n")]);
    for args in [
        &["scan", "-e", "b", "f"][..],
        &["redact", "f"],
        &["rules"],
        &["compare", "f"],
        &["--help"],
        &["--version"],
    ] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = tree.command(args).stdin(Stdio::null()).stdout(full).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr.contains("No space left on device"), "{args:?}: {stderr}");
    }
}
