//! `--multiline`: matches across lines.

use crate::common::Tree;

#[test]
fn patterns_match_across_lines() {
    let tree = Tree::with(&[
        ("a", "one\ntwo\nthree\nfour\nfive\n"),
        ("b", "pw: {\n  \"v\": \"secret\"\n}\r\nend"),
        ("empty", ""),
    ]);
    let cases: [(&[&str], &[&str]); 14] = [
        (&["-e", r"e\st", "a"], &[r"a:1:3: 1: e\nt"]),
        (&["-e", r"(?s)wo.*fi", "a"], &[r"a:2:2: 1: wo\nthree\nfour\nfi"]),
        // A dot stays in its line, and lines have ends.
        (&["-e", "e.t", "-e", r"^t\w+$", "a"], &["a:2:1: 2: two", "a:3:1: 2: three"]),
        (
            &["-e", r"\Aone\n", "-e", r"\n\z", "-e", r"\A\n?two", "a"],
            &[r"a:1:1: 1: one\n", r"a:5:5: 2: \n"],
        ),
        (&["-e", r#"pw: \{\n\s+"v": "(\S{5,})""#, "b"], &[r#"b:1:1: 1: pw: {\n  "v": "secret""#]),
        (&["--crlf", "-e", r"\}$\s+e", "b"], &[r"b:3:1: 1: }\r\ne"]),
        // Lines and matches across them, in the order of lines, and in a line of rules.
        (
            &["-e", "t", "-e", r"e\nt", "-e", "o", "a"],
            &[
                r"a:1:3: 2: e\nt",
                "a:1:1: 3: o",
                "a:2:1: 1: t",
                "a:2:3: 3: o",
                "a:3:1: 1: t",
                "a:4:2: 3: o",
            ],
        ),
        (&["--count", "-e", r"\n"], &["a:5", "b:3"]),
        (&["-l", "-e", r"e\nend|\}\r\nend"], &["b"]),
        (&["-o", "-e", r"u(?s:.)+v"], &[r"ur\nfiv"]),
        (&["-m1", "-e", r"\w\n", "a"], &[r"a:1:3: 1: e\n"]),
        (
            &["-A1", "-e", r"wo\nth", "a"],
            &[r"a:2:2: 1: wo\nth", "a-2-two", "a-3-three", "a-4-four"],
        ),
        (
            &["-C1", "-e", r"o\n", "-e", "hr", "a"],
            &["a-1-one", r"a:2:3: 1: o\n", "a-2-two", "a:3:2: 2: hr", "a-3-three", "a-4-four"],
        ),
        (
            &["--format", "json", "-e", r"ve\n", "a"],
            &[r#"{"path":"a","line":5,"rule":"1","start":2,"end":5,"match":"ve\n"}"#],
        ),
    ];
    for (args, expected) in cases {
        let run = tree.run(["scan", "-U"].iter().chain(args));
        assert_eq!((run.lines().as_slice(), run.stderr.as_str()), (expected, ""), "{args:?}");
    }
    let run = tree.pipe(["scan", "--multiline", "-e", r"b\nc"], "a\nb\nc\n");
    assert_eq!(run.lines(), [r"<stdin>:2:1: 1: b\nc"]);
    assert_eq!(tree.run(["scan", "-U", "-e", "x", "missing", "a"]).status, Some(2));
    assert_eq!(tree.run(["scan", "-U", "-q", "-e", r"e\nt", "a"]).status, Some(0));
}

#[test]
fn the_group_that_is_reported_says_the_line() {
    let rules = "[[rules]]\nid = 'r'\nregex = '''k:\\n+(\\w+)'''\nsecretGroup = 1\n\
                 [[rules]]\nid = 'x'\nregex = 'x'\n";
    let tree = Tree::with(&[("rules.toml", rules), ("f", "k:\n\nx y\n")]);
    let run = tree.run(["scan", "-U", "-r", "rules.toml", "f"]);
    assert_eq!(run.lines(), ["f:3:1: r: x", "f:3:1: x: x"]);
}

#[test]
fn large_files_have_matches_across_blocks() {
    let text = "start\n-\nend\n".repeat(200_000);
    let tree = Tree::with(&[("large", &text)]);
    for args in [&["-j1"][..], &["-j2"]] {
        let args = [&["scan", "-U", "-o", "-e", r"start\n-\nend", "large"], args].concat();
        let run = tree.run(args);
        assert_eq!(run.lines().len(), 200_000);
    }
}

#[test]
fn a_pattern_that_needs_a_line_end_is_warned_about() {
    let tree = Tree::with(&[("f", "a\nb\n")]);
    for (command, is_warned) in [("scan", true), ("compare", true), ("redact", true)] {
        let run = tree.run([command, "-e", "b", "-e", r"a\nb", "f"]);
        let warning = "dragnet: warning: -e pattern 2: matches nothing, because a match would have a \
                       line feed, and lines are searched one by one (see --multiline of scan and \
                       redact)\n";
        assert_eq!(run.stderr.starts_with(warning), is_warned, "{run:?}");
        if command != "compare" {
            let run = tree.run([command, "-U", "-e", r"a\nb", "f"]);
            assert_eq!(run.stderr, "");
        }
    }
}
