//! Files that change between the walk that finds them and the read.

use std::ffi::OsStr;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use super::*;
use crate::input::{Tasks, WalkOptions, walk};

fn make_fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Reads a tree in which `change` replaces the file `f` between the walk and the read. Returns the text
/// that is searched, and the messages.
fn read_after(size: usize, change: impl Fn(&Path)) -> (String, Vec<String>) {
    let tree = tempfile::tempdir().unwrap();
    let file = tree.path().join("f");
    std::fs::write(&file, "a".repeat(size)).unwrap();
    std::fs::write(tree.path().join("g"), "g\n").unwrap();
    let is_small = size < BLOCK_SIZE;
    let mut tasks =
        Tasks::new(walk(&[tree.path().to_owned()], &WalkOptions::default())).whole_files(!is_small);
    let task = tasks.next().unwrap().unwrap();
    std::fs::remove_file(&file).unwrap();
    change(&file);
    let (mut text, mut messages) = (String::new(), Vec::new());
    let mut chunk = Chunk::new(!is_small);
    for task in std::iter::once(Ok(task)).chain(tasks) {
        let searched: Result<(), ()> = chunk.load(
            task.unwrap(),
            |error| messages.push(error.message.rsplit('/').next().unwrap().to_owned()),
            |chunk| {
                text.push_str(std::str::from_utf8(chunk.bytes()).unwrap());
                Ok(())
            },
        );
        searched.unwrap();
    }
    (text, messages)
}

#[test]
fn what_replaces_a_file_after_the_walk_is_refused_and_named() {
    let refused = |name: &str| format!("f: it is {name}, not a regular file");
    type Change<'a> = &'a dyn Fn(&Path);
    let cases: [(Change<'_>, String); 5] = [
        (&make_fifo, refused("a FIFO")),
        (&|path| std::fs::create_dir(path).unwrap(), refused("a directory")),
        (
            &|path| std::os::unix::fs::symlink("/dev/zero", path).unwrap(),
            "f: Too many levels of symbolic links (os error".to_owned(),
        ),
        // Opening a socket is refused by the system.
        (&|path| drop(UnixListener::bind(path).unwrap()), "f: ".to_owned()),
        (&|_| {}, "f: No such file or directory".to_owned()),
    ];
    // Small files are read at once, others in blocks. An empty file may be one of /proc.
    for size in [0, 10, BLOCK_SIZE] {
        for (change, expected) in &cases {
            let (text, messages) = read_after(size, change);
            assert_eq!((text.as_str(), messages.len()), ("g\n", 1), "{messages:?}");
            assert!(messages[0].starts_with(expected), "{size}: {messages:?}");
        }
    }
}

#[test]
fn files_that_change_size_after_the_walk_are_read_whole() {
    for new in [0, 5, 20, 100_000, MAX_SMALL_FILE + 1] {
        let written = "b".repeat(new);
        let (text, messages) = read_after(10, |path| std::fs::write(path, &written).unwrap());
        let expected = if new == 0 { String::new() } else { written + "\n" };
        assert_eq!(text.replace("g\n", "").trim_end(), expected.trim_end());
        assert!(text.contains("g\n") && messages.is_empty(), "{new}: {messages:?}");
    }
}

#[test]
fn an_interrupt_ends_the_walk() {
    let tree = tempfile::tempdir().unwrap();
    std::fs::write(tree.path().join("f"), "a").unwrap();
    let mut tasks = Tasks::new(walk(&[tree.path().to_owned()], &WalkOptions::default()));
    tasks.interrupt().set();
    assert!(tasks.next().is_none());
    assert_eq!(tasks.files(), 0);
}

/// A file is found in its open directory, whatever happens to the path.
#[test]
fn replaced_directories_do_not_redirect_the_search() {
    let tree = tempfile::tempdir().unwrap();
    let path = |name: &str| tree.path().join(name);
    for (name, text) in [("d/f", "right\n"), ("other/f", "wrong\n")] {
        std::fs::create_dir(path(name).parent().unwrap()).unwrap();
        std::fs::write(path(name), text).unwrap();
    }
    let mut tasks = Tasks::new(walk(&[path("d")], &WalkOptions::default()));
    let task = tasks.next().unwrap().unwrap();
    std::fs::rename(path("d"), path("moved")).unwrap();
    std::os::unix::fs::symlink("other", path("d")).unwrap();
    let mut chunk = Chunk::default();
    let mut text = Vec::new();
    let searched: Result<(), ()> = chunk.load(
        task,
        |error| panic!("{error:?}"),
        |chunk| {
            assert_eq!(chunk.parts()[0].source.path().unwrap().file_name(), Some(OsStr::new("f")));
            text.extend_from_slice(chunk.bytes());
            Ok(())
        },
    );
    assert!(searched.is_ok() && text == b"right\n");
}

#[test]
fn what_replaces_a_file_after_its_directory_was_listed_is_left_alone() {
    let tree = tempfile::tempdir().unwrap();
    let path = |name: &str| tree.path().join(name);
    for name in ["a", "b", "c", "d"] {
        std::fs::write(path(name), "").unwrap();
    }
    let mut files = walk(&[tree.path().to_owned()], &WalkOptions::default());
    let mut next = || files.next().map(|file| file.unwrap().source.path().unwrap().to_owned());
    assert_eq!(next(), Some(path("a")));
    for name in ["b", "c"] {
        std::fs::remove_file(path(name)).unwrap();
    }
    make_fifo(&path("b"));
    std::os::unix::fs::symlink("/dev/zero", path("c")).unwrap();
    assert_eq!((next(), next()), (Some(path("d")), None));
}
