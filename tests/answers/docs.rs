//! What `docs/boundary.md` names is there, and what it says of the sources as a whole holds.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Whether a file has a test with this name: a function with the attribute right before it.
fn has_test(source: &str, name: &str) -> bool {
    let mut is_test = false;
    source.lines().map(str::trim).any(|line| {
        if line == "#[test]" {
            is_test = true;
        } else if !line.starts_with("#[") && !line.starts_with("//") {
            let found = is_test
                && line
                    .strip_prefix("fn ")
                    .and_then(|l| l.strip_prefix(name))
                    .is_some_and(|l| l.starts_with('('));
            is_test = false;
            return found;
        }
        false
    })
}

#[test]
fn what_the_page_on_the_boundary_names_is_there() {
    let page = read(&root().join("docs/boundary.md"));
    // The command is a package of its own: in that of the library its files are not there.
    let is_whole = root().join("cli").is_dir();
    let (mut paths, mut tests) = (0, 0);
    for name in page.split('`').skip(1).step_by(2).filter(|name| name.contains(['/', '.'])) {
        let (path, test) = match name.split_once("::") {
            Some((path, test)) => (path, Some(test)),
            None => (name, None),
        };
        if path.starts_with("cli/") && !is_whole {
            eprintln!("dragnet tests: NOT CHECKED, it is not in this package: {name}");
            continue;
        }
        assert!(root().join(path).is_file(), "docs/boundary.md names {path}, which is not there");
        paths += 1;
        if let Some(test) = test {
            let source = read(&root().join(path));
            assert!(has_test(&source, test), "docs/boundary.md names {name}, which is no test");
            tests += 1;
        }
    }
    assert!(paths >= 40 && tests >= 20, "{paths} paths, {tests} tests");
}

#[test]
fn tests_are_told_from_what_looks_like_them() {
    let source =
        "#[test]\n#[should_panic]\n// so\nfn one() {\n}\nfn two() {}\n#[test]\nfn three_more() {}";
    let found = ["one", "two", "three", "three_more"].map(|name| has_test(source, name));
    assert_eq!(found, [true, false, false, true]);
}

fn files(folder: &Path, extensions: &[&str], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, extensions, found);
        } else if path.extension().is_some_and(|e| extensions.iter().any(|x| e == *x)) {
            found.push(path);
        }
    }
}

/// The text of C with no comments in it.
fn without_comments(text: &str) -> String {
    let mut parts = text.split("/*");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |code, part| code + " " + part.split_once("*/").map_or("", |(_, rest)| rest))
}

#[test]
fn the_c_side_keeps_no_state_and_takes_no_memory() {
    let mut sources = Vec::new();
    files(&root().join("csrc"), &["c", "h"], &mut sources);
    assert!(sources.len() >= 2, "{sources:?}");
    for path in sources {
        let code = without_comments(&read(&path));
        for word in code.split(|c: char| !c.is_alphanumeric() && c != '_') {
            let is_banned = ["malloc", "calloc", "realloc", "free", "alloca", "_Thread_local"]
                .contains(&word)
                || ["pthread", "thrd_", "mtx_", "threads"]
                    .iter()
                    .any(|head| word.starts_with(head));
            assert!(!is_banned, "{}: {word}", path.display());
        }
        // At the left edge stand functions, types, assertions and macros, and no variables.
        for line in code.lines().filter(|line| line.starts_with(|c: char| c.is_alphabetic())) {
            assert!(
                line.contains('(') || line.starts_with("struct ") && line.ends_with('{'),
                "{line}"
            );
        }
        let is_static = |line: &&str| line.trim_start().starts_with("static ");
        for line in code.lines().filter(is_static) {
            assert!(line.contains('(') && !line.contains('='), "{}: {line}", path.display());
        }
    }
}

#[test]
fn unsafe_code_is_only_where_it_may_be() {
    let mut sources = Vec::new();
    files(&root().join("src"), &["rs"], &mut sources);
    assert!(sources.len() > 50, "{}", sources.len());
    for path in sources {
        let inside = path.strip_prefix(root().join("src")).unwrap();
        let may = ["native", "boundary", "sidecar", "pure/prefilter/qgrams.rs", "pure/simd"];
        if may.iter().any(|folder| inside.starts_with(folder)) {
            continue;
        }
        for line in read(&path).lines().filter(|line| !line.trim_start().starts_with("//")) {
            assert!(
                !["unsafe {", "unsafe fn", "unsafe impl"].iter().any(|u| line.contains(u)),
                "{}: {line}",
                path.display()
            );
        }
    }
}
