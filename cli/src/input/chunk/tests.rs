//! Files that change between the walk that finds them and the read.

use std::ffi::OsStr;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use super::*;
use crate::input::{BLOCK_SIZE, Tasks, WalkOptions, walk};

fn make_fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Reads a tree in which `change` replaces the file `f` between the walk and the read. Returns the text
/// that is searched, and the messages.
fn read_after(size: usize, whole: bool, change: impl Fn(&Path)) -> (String, Vec<String>) {
    let tree = tempfile::tempdir().unwrap();
    let file = tree.path().join("f");
    std::fs::write(&file, "a".repeat(size)).unwrap();
    std::fs::write(tree.path().join("g"), "g\n").unwrap();
    let mut tasks =
        Tasks::new(walk(&[tree.path().to_owned()], &WalkOptions::default())).whole_files(whole);
    let task = tasks.next().unwrap().unwrap();
    std::fs::remove_file(&file).unwrap();
    change(&file);
    let (mut text, mut messages) = (String::new(), Vec::new());
    let mut chunk = Chunk::new(whole);
    let mut rest = vec![task];
    rest.extend(tasks.map(Result::unwrap));
    rest.reverse();
    while let Some(task) = rest.pop() {
        let report = |error: WalkError| {
            messages.push(error.message.rsplit('/').next().unwrap().to_owned());
        };
        rest.extend(chunk.load(task, report).into_iter().rev());
        text.push_str(std::str::from_utf8(chunk.bytes()).unwrap());
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
    for whole in [false, true] {
        for (change, expected) in &cases {
            let (text, messages) = read_after(10, whole, change);
            assert_eq!((text.as_str(), messages.len()), ("g\n", 1), "{messages:?}");
            assert!(messages[0].starts_with(expected), "{messages:?}");
        }
    }
}

#[test]
fn files_that_change_size_after_the_walk_are_read_whole() {
    for new in [0, 5, 20, 100_000, LARGE_FILE, MAX_SMALL_FILE + 1] {
        let written = "b".repeat(new);
        let (text, messages) =
            read_after(10, false, |path| std::fs::write(path, &written).unwrap());
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
    assert!(chunk.load(task, |error| panic!("{error:?}")).is_empty());
    assert_eq!(chunk.parts()[0].source.path().unwrap().file_name(), Some(OsStr::new("f")));
    assert_eq!(chunk.bytes(), b"right\n");
}

#[test]
fn tasks_are_handed_back_in_the_order_of_their_lines() {
    let tree = tempfile::tempdir().unwrap();
    let line = "0123456\n";
    let sizes = [10, 0, SEARCH_SIZE, 20, 3 * LARGE_FILE, LARGE_FILE, 30];
    let mut expected = String::new();
    for (number, size) in sizes.into_iter().enumerate() {
        let text = line.repeat(size / line.len());
        std::fs::write(tree.path().join(number.to_string()), &text).unwrap();
        expected += &text;
    }
    let mut tasks = Tasks::new(walk(&[tree.path().to_owned()], &WalkOptions::default()));
    let mut rest = vec![tasks.next().unwrap().unwrap()];
    assert!(tasks.next().is_none());
    let (mut chunk, mut text, mut in_blocks) = (Chunk::default(), String::new(), 0);
    while let Some(task) = rest.pop() {
        in_blocks += usize::from(matches!(task, Task::Blocks(..)));
        rest.extend(chunk.load(task, |error| panic!("{error:?}")).into_iter().rev());
        // No chunk is larger than the last file of it.
        assert!(chunk.bytes().len() <= SEARCH_SIZE + LARGE_FILE);
        text.push_str(std::str::from_utf8(chunk.bytes()).unwrap());
    }
    assert_eq!(text, expected);
    // The ends of the two large files are tasks, too.
    assert_eq!(in_blocks, 4 * LARGE_FILE / BLOCK_SIZE + 2);
    assert_eq!(chunk.take_counts().searched, sizes.len() as u64);
}

/// A file can grow or shrink after its size was seen, and files of /proc have none.
#[test]
fn files_of_another_size_than_expected_are_read_whole() {
    let tree = tempfile::tempdir().unwrap();
    let path = tree.path().join("f");
    let sizes = [0, 1, 10, BINARY_CHECK, BINARY_CHECK + 1, LARGE_FILE + 1];
    for actual in sizes.into_iter().chain([MAX_SMALL_FILE, MAX_SMALL_FILE + 1]) {
        std::fs::write(&path, "a".repeat(actual)).unwrap();
        for expected in sizes {
            for is_explicit in [false, true] {
                let source = Source::file(path.clone(), is_explicit, false);
                let mut chunk = Chunk::default();
                let mut file = File::open(&path).unwrap();
                chunk.read_file(&source, &mut file, expected as u64).unwrap();
                // From the largest size on, the caller reads it in blocks.
                assert_eq!(chunk.buffer.len(), actual.min(MAX_SMALL_FILE), "{actual} {expected}");
                assert!(chunk.bytes().iter().all(|&byte| byte == b'a'));
            }
        }
    }
}
