//! Programs that misuse the crate do not compile, and fail with the expected error.
//!
//! The wording of errors changes between compiler releases, so the programs are compiled only by
//! the release that wrote the `.stderr` files. For other releases, the `compile_fail` examples of
//! `Flat` and `Owner` check the error codes.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The start of `rustc --version` for the release that wrote the `.stderr` files.
const STDERR_RELEASE: &str = "rustc 1.95.";

/// The programs in `tests/compile_fail`, each with its error code, or with a part of the error's
/// text if it has no code, like lifetime errors.
const CASES: [(&str, &str); 7] = [
    ("flat_pointer", "E0277"),
    ("flat_pointer_inside", "E0277"),
    ("flat_padding", "E0080"),
    ("c_owned_moves_to_another_thread", "E0277"),
    ("call_returns_a_non_send_value", "E0277"),
    ("value_borrow_outlives_its_call", "lifetime may not live long enough"),
    ("call_captures_a_non_send_value", "E0277"),
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
    if version.starts_with(STDERR_RELEASE) {
        let cases = trybuild::TestCases::new();
        for (name, _) in CASES {
            cases.compile_fail(format!("tests/compile_fail/{name}.rs"));
        }
    } else {
        let expected = std::env::var("DRAGNET_EXPECT").unwrap_or_default();
        let reason =
            format!("compile-fail: the errors are those of {STDERR_RELEASE}, not of {version}");
        assert!(!expected.split_whitespace().any(|word| word == "compile-fail"), "{reason}");
        // Not with `eprintln!`, whose output the test harness hides unless the test fails.
        let _ = writeln!(std::io::stderr(), "dragnet tests: not tested here: {reason}");
    }
}
