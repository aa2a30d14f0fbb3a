//! What must not compile does not, and for the reason that it must not.
//!
//! What the compiler says changes from release to release. So the cases are compiled only where its
//! version is the one that the texts beside them were written with; elsewhere this says so.

use dragnet_testkit as expect;

use std::path::{Path, PathBuf};
use std::process::Command;

/// The release whose words the files have.
const WORDED_BY: &str = "rustc 1.95.";

/// The cases, and the error that each must end with; none has a code where a lifetime is at fault.
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
fn what_must_not_compile_does_not() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compile_fail");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    files.sort();
    let mut listed: Vec<_> =
        CASES.iter().map(|(name, _)| folder.join(name).with_extension("rs")).collect();
    listed.sort();
    assert_eq!(files, listed, "every case is listed");
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
        // The examples of `boundary::Flat` and `boundary::Owner` have the codes for any compiler.
        expect::not_tested(
            "compile-fail",
            &format!("the cases are for {WORDED_BY}, not {version}"),
        );
    }
}
