//! How trees are walked: open directories, deep trees, and the file that output is written to.

use std::fs::File;
use std::process::{Command, Stdio};

use crate::common::Tree;

/// A script that runs the command, `$0`, in the folder of a test.
fn run_script(tree: &Tree, script: &str) -> (String, String, Option<i32>) {
    let output = Command::new("sh")
        .current_dir(tree.path())
        .args(["-c", script, env!("CARGO_BIN_EXE_dragnet")])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

#[test]
fn few_open_files_are_enough() {
    let tree = Tree::new();
    for number in 0..300 {
        tree.write(&format!("{number:03}/{number}/f"), "needle\n");
    }
    for limit in [16, 40, 200] {
        let script = format!("ulimit -n {limit}; \"$0\" scan --backend pure -e needle -j2");
        let (stdout, stderr, status) = run_script(&tree, &script);
        assert_eq!((stdout.lines().count(), &*stderr, status), (300, "", Some(0)), "{limit}");
    }
}

#[test]
fn directories_deeper_than_a_path_can_be_are_searched_or_named() {
    let tree = Tree::new();
    // 100 times 101 bytes; a path has at most 4096.
    let script = "d=$(printf %0100d 0); i=0; while [ $i -lt 100 ]; do mkdir $d && cd -P $d || exit; \
                  i=$((i + 1)); done; echo needle > f; echo x > .ignore";
    assert_eq!(run_script(&tree, script).2, Some(0));
    for (limit, is_enough) in [(1000, true), (40, false)] {
        let script = format!("ulimit -n {limit}; \"$0\" scan --backend pure -o -e needle");
        let (stdout, stderr, status) = run_script(&tree, &script);
        // Other systems may not allow as many open files, or have other limits of a path.
        if cfg!(target_os = "linux") {
            assert_eq!(status, Some(if is_enough { 0 } else { 2 }), "{limit}: {stderr}");
        }
        match (&*stdout, status) {
            // Ignore files are opened by their path.
            ("needle\n", Some(0)) => assert!(stderr.contains("/.ignore: not used: "), "{stderr}"),
            _ => {
                assert_eq!((&*stdout, status), ("", Some(2)));
                assert!(stderr.starts_with("dragnet: 000"), "{stderr}");
            }
        }
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.contains("File name too long"), "{stderr}");
    }
    let script = "i=0; while [ $i -lt 100 ]; do cd -P 0*; i=$((i + 1)); done; rm f .ignore; \
                  while [ $i -gt 0 ]; do cd -P ..; rmdir 0*; i=$((i - 1)); done";
    run_script(&tree, script);
}

#[test]
fn the_file_that_output_is_written_to_is_not_searched() {
    let tree = Tree::with(&[("a", "needle\n"), ("z", "needle\n")]);
    for name in ["m", "sub/m"] {
        let path = tree.write(name, "");
        let mut command = tree.command(["scan", "--backend", "pure", "-e", "needle"]);
        command.stdin(Stdio::null()).stdout(File::create(&path).unwrap());
        assert!(command.status().unwrap().success());
        let written = std::fs::read_to_string(&path).unwrap();
        assert_eq!(written, "a:1:1: 1: needle\nz:1:1: 1: needle\n");
        std::fs::remove_file(path).unwrap();
    }
    // A file with the same contents is searched.
    std::fs::write(tree.path().join("m"), "needle\n").unwrap();
    assert_eq!(tree.run(["scan", "-e", "needle"]).lines().len(), 3);
}
