//! Trees and rules made to harm whoever scans them: they may not stop a scan, take much memory or
//! write on a terminal.
//!
//! Every command here has a limit of memory and of time; see [`run_limited`].

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::{Run, TOKEN_RULE, Tree, token, without_fallback_warning};
use dragnet_testkit::not_tested;

/// The address space that a command may use, in MiB. Threads and allocators reserve some hundred
/// without using them.
const MAX_MIB: u64 = 600;

/// The time after which a command is killed, in seconds. All of these take below a second on an idle
/// machine.
const MAX_SECONDS: &str = "60";

/// Runs the command with limits. The status is `None` if it was killed.
fn run_limited(tree: &Tree, args: &[&str]) -> Run {
    run_in(MAX_MIB, tree, args)
}

/// Runs the command with `mib` MiB of address space.
fn run_in(mib: u64, tree: &Tree, args: &[&str]) -> Run {
    let mut command = Command::new("timeout");
    command.current_dir(tree.path()).args(["-s", "KILL", MAX_SECONDS, "sh", "-c"]);
    let script = format!("ulimit -v {}; exec \"$@\"", mib << 10);
    let output = command
        .args([&script, "sh", env!("CARGO_BIN_EXE_dragnet")])
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Run {
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: without_fallback_warning(output.stderr),
        status: output.status.code(),
    }
}

fn make_fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Creates a file of NUL bytes that takes no space on the disk, after some text.
fn make_sparse(path: &Path, text: &str, size: u64) {
    std::fs::write(path, text).unwrap();
    File::options().write(true).open(path).unwrap().set_len(size).unwrap();
}

/// Checks that a text has no bytes that control a terminal.
fn assert_printable(text: &str) {
    let unsafe_char = text.chars().find(|&c| c.is_control() && c != '\n' && c != '\t');
    assert_eq!(unsafe_char, None, "{text:?}");
}

#[test]
fn irregular_ignore_files_are_refused_and_named() {
    let huge = 5 << 30;
    type Case<'a> = (&'a str, &'a dyn Fn(&Path), &'a str);
    let make: [Case<'_>; 7] = [
        (".ignore", &|path| symlink("/dev/zero", path).unwrap(), "it is a device"),
        (".gitignore", &|path| symlink("/dev/zero", path).unwrap(), "it is a device"),
        (".gitignore", &|path| make_fifo(path), "it is a FIFO"),
        (".ignore", &|path| drop(UnixListener::bind(path).unwrap()), "it is a socket"),
        (".gitignore", &|path| std::fs::create_dir(path).unwrap(), "it is a directory"),
        (".ignore", &|path| make_sparse(path, "", huge), "it is larger than 1024 KiB"),
        (".git/info/exclude", &|path| symlink("/dev/zero", path).unwrap(), "it is a device"),
    ];
    for (name, make, reason) in make {
        for directory in ["", "sub/"] {
            let tree = Tree::with(&[("sub/f", "needle\n"), ("g", "needle\n")]);
            std::fs::create_dir_all(tree.path().join(".git/info")).unwrap();
            std::fs::create_dir_all(tree.path().join("sub/.git/info")).unwrap();
            let name = format!("{directory}{name}");
            make(&tree.path().join(&name));
            let run = run_limited(&tree, &["scan", "-e", "needle"]);
            assert_eq!(run.lines(), ["g:1:1: 1: needle", "sub/f:1:1: 1: needle"], "{run:?}");
            let message = format!("dragnet: ./{name}: not used: {reason}");
            assert!(run.stderr.starts_with(&message), "{run:?}");
            assert_eq!((run.stderr.lines().count(), run.status), (1, Some(0)), "{run:?}");
        }
    }
}

#[test]
fn ignore_files_above_the_root_are_bounded_too() {
    let tree = Tree::with(&[("sub/deep/f", "needle\n")]);
    symlink("/dev/zero", tree.path().join(".ignore")).unwrap();
    make_fifo(&tree.path().join("sub/.ignore"));
    let run = run_limited(&tree, &["scan", "-e", "needle", "sub/deep"]);
    assert_eq!(run.lines(), ["sub/deep/f:1:1: 1: needle"], "{run:?}");
    assert_eq!((run.stderr.lines().count(), run.status), (2, Some(0)), "{run:?}");
}

#[test]
fn git_file_of_a_worktree_is_bounded() {
    let tree = Tree::with(&[
        ("a/f", "needle\n"),
        ("b/f", "needle\n"),
        ("b/.git", "gitdir: ../real\n"),
        ("real/x", ""),
        ("c/f", "needle\n"),
        ("c/g", "needle\n"),
        ("c/.git", "gitdir: ../store/worktrees/c\n"),
        ("store/worktrees/c/commondir", "../..\n"),
        ("store/info/exclude", "g\n"),
    ]);
    symlink("/dev/zero", tree.path().join("a/.git")).unwrap();
    make_fifo(&tree.path().join("real/commondir"));
    let run = run_limited(&tree, &["scan", "-e", "needle"]);
    let expected = ["a", "b", "c"].map(|folder| format!("{folder}/f:1:1: 1: needle"));
    assert_eq!(run.lines(), expected, "{run:?}");
    assert!(run.stderr.contains("b/../real/commondir: not used: it is a FIFO"), "{run:?}");
    assert_eq!((run.stderr.lines().count(), run.status), (1, Some(0)), "{run:?}");
}

#[test]
fn many_globs_are_bounded() {
    let tree = Tree::with(&[("f", "needle\n"), ("g", "needle\n")]);
    let globs = (0..100_000).map(|number| format!("{number:05}?[\n"));
    tree.write(".ignore", "g\n".to_owned() + &globs.collect::<String>());
    let run = run_limited(&tree, &["scan", "-e", "needle"]);
    assert_eq!((run.lines(), run.status), (vec!["f:1:1: 1: needle"], Some(0)));
    assert!(run.stderr.lines().count() <= 12, "{}", run.stderr);
    assert!(run.stderr.ends_with("./.ignore: only the first 20000 globs are used\n"));
}

#[test]
fn names_and_globs_are_escaped_in_messages() {
    let escape = "\x1b]0;x\x07";
    let tree = Tree::with(&[
        (".ignore", format!("{escape}{{a\n\u{9b}31m[z-a]\n").as_str()),
        (&format!("{escape}f"), "needle\n"),
        (&format!("bad\n{escape}/.ignore"), "{\n"),
    ]);
    // Can't be read, unless the tests run as root.
    let unreadable = tree.write(&format!("u{escape}"), "needle\n");
    std::fs::set_permissions(&unreadable, PermissionsExt::from_mode(0o000)).unwrap();
    let missing = format!("missing{escape}");
    let flag = format!("--no-such-flag{escape}");
    for args in [
        &["scan", "-e", "needle"][..],
        &["scan", "-e", "needle", &missing],
        &["scan", "-f", &missing],
        &["scan", "-r", &missing],
        &["scan", &flag],
        &["scan", "--backend", escape],
        &["redact", &missing],
        &["compare", &missing],
        &["compare", "-e", "needle", "."],
        &["serve", "--socket", &format!("nowhere/{escape}")],
    ] {
        let run = run_limited(&tree, args);
        assert_printable(&run.stderr);
        assert_printable(&run.stdout);
    }
    let run = run_limited(&tree, &["scan", "-e", "needle"]);
    assert_eq!(run.stderr.lines().filter(|line| line.contains("not used")).count(), 3, "{run:?}");
    assert!(run.stderr.contains(r"./.ignore:1: not used: error parsing glob '\x1b]0;x\x07{a'"));
    assert!(run.stderr.contains(r"./bad\n\x1b]0;x\x07/.ignore:1: not used: "), "{run:?}");
    assert!(run.stdout.contains(r"\x1b]0;x\x07f:1:1: 1: needle"), "{run:?}");
}

#[test]
fn rules_are_escaped_in_output_and_messages() {
    let rules =
        "[[rules]]\nid = \"\\u001b[31m\\nx\"\nregex = 'needle'\ndescription = \"\\u009b1m\"\n";
    let tree = Tree::with(&[
        ("r.toml", rules),
        ("bad.toml", &rules.replace("needle", "(\x7f")),
        ("twice.toml", "[[rules]]\n\"\\u001b\" = 1\n\"\\u001b\" = 2\n"),
        ("unknown.toml", "\"\\u001b\" = 1\n[[rules]]\n\"\\u001b\" = 1\nid = 'x'\nregex = 'x'\n"),
        ("control.toml", "a = \x1b]0;x\x07\n"),
        ("patterns", "(\x1b[31m\n"),
        ("f", "a needle\n"),
    ]);
    let cases: [(&[&str], i32); 10] = [
        (&["scan", "-r", "r.toml", "f"], 0),
        (&["scan", "-r", "r.toml", "--format", "json", "f"], 0),
        (&["redact", "-r", "r.toml", "f"], 0),
        (&["rules", "-r", "r.toml", "--explain"], 0),
        (&["rules", "-r", "r.toml", "--format", "json"], 0),
        (&["scan", "-r", "bad.toml", "f"], 2),
        (&["scan", "-r", "twice.toml", "f"], 2),
        (&["scan", "-r", "unknown.toml", "f"], 1),
        (&["scan", "-r", "control.toml", "f"], 2),
        (&["scan", "-f", "patterns", "f"], 2),
    ];
    for (args, status) in cases {
        let run = tree.run(args);
        assert_printable(&run.stdout);
        assert_printable(&run.stderr);
        assert_eq!(run.status, Some(status), "{args:?}: {run:?}");
    }
    let run = tree.run(["redact", "-r", "r.toml", "f"]);
    assert_eq!(run.stdout, "a [REDACTED:\\x1b[31m\\nx]\n");
    let run = tree.run(["scan", "-r", "r.toml", "--format", "json", "f"]);
    assert_eq!(run.json()[0]["rule"], "\x1b[31m\nx");
}

#[test]
fn sparse_files_are_seen_to_be_binary() {
    let text = "needle\n".repeat(20_000);
    let tree = Tree::with(&[("f", "needle\n")]);
    make_sparse(&tree.path().join("disk.img"), "", 5 << 30);
    make_sparse(&tree.path().join("header.img"), "needle\n", 5 << 30);
    // Text in the bytes that are checked first, and a hole after them.
    make_sparse(&tree.path().join("late.img"), &text, 5 << 30);
    let run = run_limited(&tree, &["scan", "--count", "-e", "needle"]);
    assert_eq!(run.lines(), ["f:1", "late.img:20000"], "{run:?}");
    assert_eq!(
        (run.stderr.as_str(), run.status),
        ("dragnet: late.img: not searched from line 20001 on: it is binary\n", Some(0))
    );
}

/// A named file is searched even if it is binary.
#[test]
fn named_sparse_files_are_searched_in_bounded_memory() {
    // Less than the file. The limit is one of address space, of which glibc reserves 64 MiB for each thread
    // that allocates, and a C library takes some more; the memory in use is about 40 MiB.
    const MIB: u64 = 220;
    let tree = Tree::new();
    make_sparse(&tree.path().join("disk.img"), "a needle\n", 300 << 20);
    let args = &["scan", "-e", "needle", "-e", "\\x00\\z", "-m1", "disk.img"];
    assert_eq!(run_in(MIB, &tree, args).lines(), ["disk.img:1:3: 1: needle"]);
    let run = run_in(MIB, &tree, &["scan", "--count", "-j1", "-e", "needle", "disk.img"]);
    assert_eq!((run.stdout.as_str(), run.status), ("disk.img:1\n", Some(0)), "{run:?}");
    let script = format!("ulimit -v {}; cat disk.img | \"$@\"", MIB << 10);
    let mut command = Command::new("sh");
    command.current_dir(tree.path()).args(["-c", &script, "sh", env!("CARGO_BIN_EXE_dragnet")]);
    let output = command.args(["scan", "--count", "-j1", "-e", "needle"]).output().unwrap();
    assert_eq!(output.stdout, b"<stdin>:1\n", "{output:?}");
}

#[test]
fn matches_of_a_long_line_are_not_held_at_once() {
    // 6 and 12 million matches, of 16 bytes each.
    let (short, long) = ("a".repeat(16 << 10), "a".repeat(32 << 10));
    let tree = Tree::with(&[("short", &short), ("long", &long), ("rules", &".\n".repeat(400))]);
    let run = run_in(110, &tree, &["redact", "-f", "rules", "short"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert!(run.stdout == "[REDACTED:1]".repeat(short.len()));

    // The output would be 200 MB; a part of it shows that it is written as it is found.
    let script = format!("ulimit -v {}; \"$@\" | head -c 5000000 | wc -c", 220 << 10);
    let output = Command::new("sh")
        .current_dir(tree.path())
        .args(["-c", &script, "sh", env!("CARGO_BIN_EXE_dragnet"), "scan", "-f", "rules", "long"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "5000000");
    assert_eq!(without_fallback_warning(output.stderr), "");
}

#[test]
fn special_files_in_a_tree_are_not_opened() {
    let tree = Tree::with(&[("z", "needle\n"), ("sub/f", "needle\n")]);
    make_fifo(&tree.path().join("fifo"));
    let _socket = UnixListener::bind(tree.path().join("socket")).unwrap();
    symlink("/dev/zero", tree.path().join("zero")).unwrap();
    symlink(".", tree.path().join("sub/loop")).unwrap();
    symlink("../..", tree.path().join("sub/out")).unwrap();
    let run = run_limited(&tree, &["scan", "-e", "needle"]);
    assert_eq!(run.lines(), ["sub/f:1:1: 1: needle", "z:1:1: 1: needle"], "{run:?}");
    assert_eq!((run.stderr.as_str(), run.status), ("", Some(0)));
}

#[test]
fn unreadable_files_and_directories_are_named() {
    let tree = Tree::with(&[("a", "needle\n"), ("dir/f", "needle\n"), ("z", "needle\n")]);
    for path in ["a", "dir"] {
        let path = tree.path().join(path);
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o000)).unwrap();
    }
    if File::open(tree.path().join("a")).is_ok() {
        not_tested("permissions", "this user can read every file");
        return;
    }
    let run = run_limited(&tree, &["scan", "-e", "needle"]);
    assert_eq!((run.lines(), run.status), (vec!["z:1:1: 1: needle"], Some(2)), "{run:?}");
    assert!(run.stderr.contains("a: Permission denied") && run.stderr.contains("dir: Permission"));
    std::fs::set_permissions(tree.path().join("dir"), PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
fn deep_and_wide_trees_are_searched() {
    let deep = "d/".repeat(300) + "f";
    let tree = Tree::with(&[(&*deep, "needle\n")]);
    for number in 0..5000 {
        std::fs::write(tree.path().join(format!("{number:05}")), "needle\n").unwrap();
    }
    let run = run_limited(&tree, &["scan", "--count", "-e", "needle"]);
    assert_eq!((run.lines().len(), run.status), (5001, Some(0)), "{}", run.stderr);
    assert_eq!(run.lines()[5000], format!("{deep}:1"));
}

#[test]
fn files_may_change_during_a_scan() {
    let tree = Tree::new();
    for number in 0..200 {
        tree.write(&format!("d{number}/f"), "needle\n".repeat(1000));
    }
    let root = tree.path().to_owned();
    let changes = std::thread::spawn(move || {
        let end = Instant::now() + Duration::from_secs(2);
        let mut round = 0;
        while Instant::now() < end {
            let path = root.join(format!("d{}/f", round % 200));
            let _ = std::fs::remove_file(&path);
            match round % 5 {
                0 => drop(std::fs::create_dir(&path)),
                1 => make_fifo(&path),
                2 => drop(symlink("/dev/zero", &path)),
                3 => drop(std::fs::write(&path, "needle\n".repeat(1 << 16))),
                _ => drop(std::fs::write(&path, "")),
            }
            round += 1;
        }
    });
    while !changes.is_finished() {
        let run = run_limited(&tree, &["scan", "--count", "-e", "needle"]);
        // Files that are gone are errors; everything else is searched.
        assert!(matches!(run.status, Some(0..=2)), "{run:?}");
        assert_printable(&run.stderr);
    }
    changes.join().unwrap();
}

#[test]
fn rule_files_are_read_in_linear_time() {
    let file = |rules: usize| -> String {
        (0..rules)
            .map(|n| format!("[[rules]]\nid = 'rule-{n}'\ndescription = 'd'\nregex = 'q{n}x'\n\n"))
            .collect()
    };
    let tree =
        Tree::with(&[("small", file(2_000)), ("large", file(20_000)), ("data", "q7x".into())]);
    let time = |name: &str| {
        let start = Instant::now();
        let run = run_limited(&tree, &["rules", "-r", name, "--format", "json"]);
        assert_eq!(run.status, Some(0), "{}", run.stderr);
        start.elapsed()
    };
    // Quadratic time would be 100 times as long.
    let small = time("small").max(Duration::from_millis(20));
    let large = time("large");
    assert!(large < 40 * small, "{small:?} {large:?}");
}

#[test]
fn a_line_of_the_largest_size_is_bounded_by_its_length() {
    let tree = Tree::new();
    let path = tree.path().join("line");
    let mut text = vec![b'a'; 100 << 20];
    text.extend_from_slice(b"needle");
    std::fs::write(&path, &text).unwrap();
    let run = run_limited(&tree, &["scan", "-e", "needle", "line"]);
    let expected = format!("line:1:{}: 1: needle", (100 << 20) + 1);
    assert_eq!((run.lines(), run.status), (vec![&*expected], Some(0)), "{}", run.stderr);
}

/// All of these at once, as the script makes them.
#[test]
fn a_hostile_tree_is_searched_and_every_refusal_named() {
    let tree = Tree::new();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../ci/hostile-tree");
    let made = Command::new(script).current_dir(tree.path()).args(["tree", "300"]).status();
    assert!(made.unwrap().success());
    let can_read_all = File::open(tree.path().join("tree/denied/file")).is_ok();

    let run = run_limited(&tree, &["scan", "-o", "-e", "needle", "tree"]);
    // 6 beside ignore files, 1 sparse, 2 long, 5 names, 1 deep, 300 small, and 1 without permission.
    assert_eq!(run.lines().len(), 6 + 1 + 2 + 5 + 1 + 300 + usize::from(can_read_all), "{run:?}");
    let mut expected = vec![
        "ignore/fifo/.gitignore: not used: it is a FIFO, not a regular file",
        "ignore/folder/.ignore: not used: it is a directory, not a regular file",
        "ignore/git/.git/info/exclude: not used: it is a device, not a regular file",
        r"ignore/globs/.ignore:1: not used: error parsing glob '\x1b]0;owned\x07{a': ",
        "ignore/huge/.ignore: not used: it is larger than 1024 KiB",
        "ignore/zero/.ignore: not used: it is a device, not a regular file",
        "sparse/text.img: not searched from line 20002 on: it is binary",
    ];
    if !can_read_all {
        expected
            .splice(0..0, ["denied/file: Permission denied", "denied/folder: Permission denied"]);
    }
    let found: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(found.len(), expected.len(), "{run:?}");
    for expected in expected {
        let start = format!("dragnet: tree/{expected}");
        assert!(found.iter().any(|line| line.starts_with(&start)), "{expected}: {run:?}");
    }
    assert_printable(&run.stderr);
    let run = run_limited(&tree, &["scan", "-e", "needle", "tree"]);
    assert_printable(&run.stdout);
    assert_eq!(run.status, Some(if can_read_all { 0 } else { 2 }));
    if !can_read_all {
        let folder = tree.path().join("tree/denied/folder");
        std::fs::set_permissions(folder, PermissionsExt::from_mode(0o755)).unwrap();
    }
}

#[test]
fn fifo_that_the_user_names_is_read() {
    let tree = Tree::new();
    let path = tree.path().join("fifo");
    make_fifo(&path);
    let writer = std::thread::spawn(move || std::fs::write(path, format!("x {}\n", token())));
    let run = run_limited(&tree, &["scan", "fifo"]);
    writer.join().unwrap().unwrap();
    assert_eq!(run.lines(), [format!("fifo:1:3: {TOKEN_RULE}: {}", token())]);
}

/// Nothing that is read here is a regular file, so reading must be limited by the command.
#[test]
fn endless_named_input_ends_with_the_reader() {
    let mut child = Tree::new()
        .command(["redact", "/dev/urandom"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut bytes = vec![0; 1 << 20];
    child.stdout.take().unwrap().read_exact(&mut bytes).unwrap();
    assert!(child.wait().unwrap().success());
}
