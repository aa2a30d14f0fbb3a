//! Programs that misuse the boundary layer do not compile, and the compiler's error is the one that
//! the misuse deserves.
//!
//! The words of errors change from release to release, so the programs are compiled only by the
//! release that the `.stderr` files beside them are from. With any other, the `compile_fail` examples
//! of `Flat` and `Owner` are what is left.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The release that the `.stderr` files are from.
const WORDED_BY: &str = "rustc 1.95.";

/// The programs, and what the error of each contains: its code, except for errors about lifetimes, which
/// have none.
const CASES: [(&str, &str); 7] = [
    ("flat_pointer", "E0277"),
    ("flat_pointer_inside", "E0277"),
    ("flat_padding", "E0080"),
    ("c_owned_to_another_thread", "E0277"),
    ("owned_value_leaves_its_thread", "E0277"),
    ("owned_value_is_borrowed_beyond_a_call", "lifetime may not live long enough"),
    ("foreign_value_gets_in", "E0277"),
];

#[test]
fn misuse_does_not_compile() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compile_fail");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    files.sort();
    let mut listed: Vec<_> =
        CASES.iter().map(|(name, _)| folder.join(name).with_extension("rs")).collect();
    listed.sort();
    assert_eq!(files, listed, "every program is listed");
    for (name, code) in CASES {
        let text = std::fs::read_to_string(folder.join(name).with_extension("stderr"))
            .unwrap_or_else(|error| panic!("{name}.stderr: {error}"));
        assert!(text.contains(code), "{name} must fail with {code}:\n{text}");
    }

    let version = Command::new("rustc").arg("--version").output().unwrap().stdout;
    let version = String::from_utf8(version).unwrap();
    if version.starts_with(WORDED_BY) {
        let cases = trybuild::TestCases::new();
        for (name, _) in CASES {
            cases.compile_fail(format!("tests/compile_fail/{name}.rs"));
        }
    } else {
        let expected = std::env::var("DRAGNET_EXPECT").unwrap_or_default();
        let reason = format!("compile-fail: the errors are those of {WORDED_BY}, not of {version}");
        assert!(!expected.split_whitespace().any(|word| word == "compile-fail"), "{reason}");
        // Not by a macro: the harness shows what these print only if the test fails.
        let _ = writeln!(std::io::stderr(), "dragnet tests: not tested here: {reason}");
    }
}
