//! `dragnet compare`: the report and the exit status.

use crate::common::Tree;

#[test]
fn json_is_one_object_with_all_backends() {
    let large = "abc\n".repeat(500_000);
    let tree =
        Tree::with(&[("a", "abc\nb"), ("large", &large), (".gitignore", "no\n"), ("no", "b")]);
    std::fs::create_dir(tree.path().join(".git")).unwrap();
    let run = tree.run(["compare", "--format", "json", "-e", "b", "-e", "z+", "."]);
    assert_eq!(run.status, Some(0), "{run:?}");
    let [report] = run.json().try_into().unwrap();
    assert_eq!(report["patterns"], 2);
    assert_eq!(report["records"], 500_002);
    assert_eq!(report["equal"], true);
    let contenders = report["contenders"].as_array().unwrap();
    assert!(contenders.iter().any(|contender| contender["name"] == "pure"));
    for contender in contenders {
        assert_eq!(contender["matches"], 500_002, "{contender}");
        assert!(contender["build_seconds"].is_f64() && contender["scan_seconds"].is_f64());
    }
}

#[test]
fn text_is_a_table_and_a_recommendation() {
    let tree = Tree::with(&[("f", "abc\n")]);
    let run = tree.run(["compare", "-e", "b", "f"]);
    assert_eq!(run.lines()[0], "patterns: 1, lines: 1, bytes: 4");
    assert!(run.stdout.contains("\npure "), "{}", run.stdout);
    if cfg!(not(feature = "native")) {
        assert!(run.stdout.contains("--features native"), "{}", run.stdout);
    }
    assert_eq!(run.status, Some(0));
}

#[test]
fn unreadable_file_is_an_error() {
    let tree = Tree::with(&[("f", "abc\n")]);
    let run = tree.run(["compare", "--format", "json", "-e", "b", "missing", "f"]);
    assert_eq!(run.status, Some(2));
    assert_eq!(run.json()[0]["records"], 1);
    assert!(run.stderr.contains("dragnet: missing: "), "{}", run.stderr);
}
