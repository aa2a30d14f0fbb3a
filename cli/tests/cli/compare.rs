//! `dragnet compare`: the report and the exit status.

use crate::common::Tree;

#[test]
fn json_is_one_object_with_all_backends() {
    let large = "abc\n".repeat(300_000);
    let tree =
        Tree::with(&[("a", "abc\nb"), ("large", &large), (".gitignore", "no\n"), ("no", "b")]);
    std::fs::create_dir(tree.path().join(".git")).unwrap();
    let run = tree.run(["compare", "--format", "json", "-e", "b", "-e", "z+", "."]);
    assert_eq!(run.status, Some(0), "{run:?}");
    let [report] = run.json().try_into().unwrap();
    assert_eq!(report["patterns"], 2);
    assert_eq!(report["records"], 300_002);
    assert_eq!(report["equal"], true);
    let contenders = report["contenders"].as_array().unwrap();
    assert!(contenders.iter().any(|contender| contender["name"] == "pure"));
    for contender in contenders {
        assert_eq!(contender["matches"], 300_002, "{contender}");
        for name in ["build_seconds", "first_scan_seconds", "scan_seconds"] {
            assert!(contender[name].as_f64().unwrap() > 0.0, "{contender}");
        }
    }
    let sample = report["sample_bytes"].as_u64().unwrap();
    assert!(0 < sample && sample <= report["bytes"].as_u64().unwrap(), "{report}");
    assert!(report["rounds"].as_u64().unwrap() >= 5, "{report}");
    if contenders.len() == 1 {
        assert!(report["faster"].is_null() && report["break_even_bytes"].is_null(), "{report}");
    }
}

#[test]
fn text_is_a_table_and_a_recommendation() {
    let tree = Tree::with(&[("f", "abc\n")]);
    let run = tree.run(["compare", "-e", "b", "f"]);
    assert_eq!(run.lines()[0], "patterns: 1, lines: 1, bytes: 4");
    assert!(run.stdout.contains("\npure "), "{}", run.stdout);
    // A few bytes say nothing about speed.
    assert!(!run.stdout.contains("times as fast"), "{}", run.stdout);
    if run.stdout.contains("\nnative ") {
        assert!(run.stdout.contains("The sample of 4 bytes is too small"), "{}", run.stdout);
    }
    if cfg!(not(feature = "native")) {
        assert!(run.stdout.contains("--features native"), "{}", run.stdout);
    }
    assert_eq!(run.status, Some(0));
}

#[test]
fn empty_input_has_no_speed() {
    let run = Tree::with(&[("f", "")]).run(["compare", "-e", "b", "f"]);
    let row = run.lines().into_iter().find(|line| line.starts_with("pure ")).unwrap();
    let cells: Vec<&str> = row.split_whitespace().collect();
    assert_eq!((cells[2], cells[3], cells[5]), ("-", "-", "0"), "{row}");
    assert_eq!(run.status, Some(0));
}

#[test]
fn matches_of_a_long_line_are_counted() {
    let tree = Tree::with(&[("f", "a".repeat(64 << 10)), ("rules", ".\n".repeat(100))]);
    let run = tree.run(["compare", "--format", "json", "-f", "rules", "f"]);
    assert_eq!(run.json()[0]["contenders"][0]["matches"], 100 << 16, "{run:?}");
}

#[test]
fn unreadable_file_is_an_error() {
    let tree = Tree::with(&[("f", "abc\n")]);
    let run = tree.run(["compare", "--format", "json", "-e", "b", "missing", "f"]);
    assert_eq!(run.status, Some(2));
    assert_eq!(run.json()[0]["records"], 1);
    assert!(run.stderr.contains("dragnet: missing: "), "{}", run.stderr);
}
