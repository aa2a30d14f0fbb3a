//! What happens when the output can't be written.

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Stdio};

use common::{Tree, complaints};

/// The exit status of a command whose output nobody reads any more, and what it complained of.
fn end(mut child: Child) -> (Option<i32>, String) {
    let mut stderr = Vec::new();
    child.stderr.take().unwrap().read_to_end(&mut stderr).unwrap();
    (child.wait().unwrap().code(), complaints(stderr))
}

#[test]
fn a_closed_pipe_is_a_quiet_end() {
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
        // The reader is dropped, and with it the pipe, after a line.
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(!line.is_empty());
        assert_eq!(end(child), (Some(0), String::new()), "{command}");
    }
}

#[test]
fn a_closed_pipe_ends_the_command_even_while_it_waits_for_input() {
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
        // Standard input stays open until the command has ended.
        assert_eq!(end(child), (Some(0), String::new()), "{command}");
        drop(stdin);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
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
