//! The page `docs/boundary.md`: the files and tests that it names exist, and what it claims about all
//! of the C code is true.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Whether a file has a test of this name: a function right after the attribute `#[test]`, with only
/// other attributes and comments between them.
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
fn the_files_and_tests_of_the_page_exist() {
    let page = read(&root().join("docs/boundary.md"));
    let (mut paths, mut tests) = (0, 0);
    for name in page.split('`').skip(1).step_by(2).filter(|name| name.contains(['/', '.'])) {
        let (path, test) = match name.split_once("::") {
            Some((path, test)) => (path, Some(test)),
            None => (name, None),
        };
        assert!(root().join(path).is_file(), "docs/boundary.md names {path}, which does not exist");
        paths += 1;
        if let Some(test) = test {
            let source = read(&root().join(path));
            assert!(has_test(&source, test), "docs/boundary.md names {name}, which is not a test");
            tests += 1;
        }
    }
    assert!(paths >= 40 && tests >= 20, "{paths} paths, {tests} tests");
}

#[test]
fn only_functions_marked_as_tests_are_tests() {
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

/// C code without its comments.
fn without_comments(text: &str) -> String {
    let mut parts = text.split("/*");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |code, part| code + " " + part.split_once("*/").map_or("", |(_, rest)| rest))
}

#[test]
fn the_c_code_has_no_state_and_no_allocations() {
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
        // Code that is not indented is a function, a type, an assertion or a macro, but no variable.
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
