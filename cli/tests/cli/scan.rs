//! `dragnet scan`: which files are searched, and how matches are printed.

use crate::common::{TOKEN_RULE, Tree, token};

#[test]
fn credentials_are_found_in_files_ripgrep_searches() {
    let token = token();
    let line = format!("token: {token}\n");
    let tree = Tree::with(&[
        ("src/deep/config.yml", line.as_bytes()),
        ("src/clean.txt", b"nothing here\n"),
        ("ignored/a.txt", line.as_bytes()),
        (".gitignore", b"/ignored\n*.log\n"),
        ("debug.log", line.as_bytes()),
        (".hidden", line.as_bytes()),
        ("image.bin", format!("\0\0{line}").as_bytes()),
        ("empty", b""),
    ]);
    std::fs::create_dir(tree.path().join(".git")).unwrap();
    tree.write(".git/config", &line);
    let found = |path: &str| format!("{path}:1:8: {TOKEN_RULE}: {token}");
    let (hidden, config) = (found(".hidden"), found("src/deep/config.yml"));
    let ignored = [found("debug.log"), found("ignored/a.txt")];
    let note = |text: &str| format!("dragnet: note: not searched: {text}\n");
    let all = note("2 excluded by ignore files (see --no-ignore), 1 binary");
    let cases: [(&[&str], &[&String], String); 9] = [
        // Hidden files are searched with the built-in rules, but not .git.
        (&["scan"], &[&hidden, &config], all.clone()),
        (&["scan", "."], &[&found("./.hidden"), &found("./src/deep/config.yml")], all.clone()),
        (&["scan", "src/"], &[&config], String::new()),
        (&["scan", "--hidden"], &[&found(".git/config"), &hidden, &config], all.clone()),
        (
            &["scan", "--no-hidden"],
            &[&config],
            note("3 hidden (see --hidden), 2 excluded by ignore files (see --no-ignore), 1 binary"),
        ),
        (&["scan", "--no-ignore"], &[&hidden, &ignored[0], &ignored[1], &config], note("1 binary")),
        (&["scan", "-e", "token:.*", "--redact"], &[], String::new()),
        // Named files are searched even if they are ignored or binary, in the order of the
        // arguments.
        (&["scan", ".hidden", "debug.log"], &[&hidden, &ignored[0]], String::new()),
        (
            &["scan", "image.bin"],
            &[&format!("image.bin:1:10: {TOKEN_RULE}: {token}")],
            String::new(),
        ),
    ];
    for (args, expected, note) in cases {
        let run = tree.run(args);
        if args.contains(&"-e") {
            // Other searches skip hidden files, as ripgrep does.
            assert_eq!(run.lines(), ["src/deep/config.yml:1:1: 1: [REDACTED]"]);
        } else {
            assert_eq!(run.lines(), expected, "{args:?}: {run:?}");
        }
        assert_eq!((run.status, run.stderr), (Some(0), note), "{args:?}");
    }
}

/// Hidden files are where credentials are kept, so a search for credentials reads them, or says that it did
/// not.
#[test]
fn hidden_files_are_searched_for_credentials_or_counted() {
    let token = token();
    let rules = "[[rules]]\nid = 'token'\nregex = 'ghp_[0-9a-z]+'\n";
    let tree = Tree::with(&[
        (".env", format!("TOKEN={token}\n")),
        (".github/workflows/ci.yml", format!("token: {token}\n")),
        (".git/config", format!("token = {token}\n")),
        ("rules.toml", rules.to_owned()),
    ]);
    let found = |rule: &str| {
        [
            format!(".env:1:7: {rule}: {token}"),
            format!(".github/workflows/ci.yml:1:8: {rule}: {token}"),
        ]
    };
    let run = tree.run(["scan"]);
    assert_eq!(run.lines(), found(TOKEN_RULE), "{run:?}");
    assert_eq!(run.stderr, "");
    let run = tree.run(["scan", "-r", "rules.toml"]);
    let note = "dragnet: note: not searched: 3 hidden (see --hidden)\n";
    assert_eq!((run.lines(), &*run.stderr, run.status), (vec![], note, Some(1)));
    let run = tree.run(["scan", "-r", "rules.toml", "--hidden", "-g", "!/.git"]);
    assert_eq!(run.lines(), found("token"), "{run:?}");
    assert_eq!(run.stderr, "");
    // A search for something else is as quiet as that of ripgrep.
    let run = tree.run(["scan", "-e", "ghp_"]);
    assert_eq!((&*run.stdout, &*run.stderr), ("rules.toml:3:10: 1: ghp_\n", ""));
}

#[test]
fn matches_have_line_and_byte_column() {
    let cases: [(&[&str], &[u8], &[&str]); 12] = [
        (&["-e", "b+"], b"abb b\nb", &["1:2: 1: bb", "1:5: 1: b", "2:1: 1: b"]),
        (&["-e", "b", "-e", "a"], b"ab\n", &["1:2: 1: b", "1:1: 2: a"]),
        // Each line is a record: anchors match at its start and end, and no match spans two lines.
        (&["-e", "^a$"], b"a\nba\na", &["1:1: 1: a", "3:1: 1: a"]),
        (&["-e", r"(?s)a.b"], b"a\nb", &[]),
        // A carriage return is part of the line.
        (&["-e", "a$"], b"a\r\n", &[]),
        (&["-e", r"a\r$"], b"a\r\n", &[r"1:1: 1: a\r"]),
        (&["-e", "x*"], b"a", &["1:1: 1: ", "1:2: 1: "]),
        // `.` is a byte by default, and a character with --unicode.
        (&["-e", "s.n"], "s\u{e9}n\n".as_bytes(), &[]),
        (&["-e", "s.n", "--unicode"], "s\u{e9}n\n".as_bytes(), &["1:1: 1: s\u{e9}n"]),
        // Bytes that control a terminal are escaped.
        (&["-e", "a.*"], b"a\x1b[31m\xff", &[r"1:1: 1: a\x1b[31m\xff"]),
        (&["-e", "-v"], b"x -v", &["1:3: 1: -v"]),
        (&["-e", "secret", "--redact"], b"a secret", &["1:3: 1: [REDACTED]"]),
    ];
    for (args, input, expected) in cases {
        let tree = Tree::with(&[("f", input)]);
        let run = tree.run(["scan", "f"].iter().chain(args));
        let expected: Vec<_> = expected.iter().map(|line| format!("f:{line}")).collect();
        assert_eq!(run.lines(), expected, "{args:?}: {run:?}");
        assert_eq!(run.status, Some(if expected.is_empty() { 1 } else { 0 }), "{args:?}");
        let run = tree.pipe(["scan"].iter().chain(args), input);
        let expected: Vec<_> =
            expected.iter().map(|line| line.replacen('f', "<stdin>", 1)).collect();
        assert_eq!(run.lines(), expected, "{args:?}: {run:?}");
    }
}

#[test]
fn json_has_one_object_per_match() {
    let tree = Tree::with(&[("a/f", b"x\n\xffab\xfe b\r\n")]);
    let run = tree.run(["scan", "--format", "json", "-e", "ab.?", "-e", "b"]);
    let expected = [
        r#"{"path":"a/f","line":2,"rule":"1","start":1,"end":4,"match":"ab\ufffd"}"#,
        r#"{"path":"a/f","line":2,"rule":"2","start":2,"end":3,"match":"b"}"#,
        r#"{"path":"a/f","line":2,"rule":"2","start":5,"end":6,"match":"b"}"#,
    ];
    let expected: Vec<serde_json::Value> =
        expected.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(run.json(), expected);

    let run = tree.run(["scan", "--format", "json", "--redact", "-e", "ab"]);
    assert_eq!(run.json()[0]["match"], "[REDACTED]");
    let run = tree.pipe(["scan", "--format", "json", "-e", "a"], "a");
    assert_eq!(run.json()[0]["path"], "<stdin>");
}

#[test]
fn count_lists_only_files_with_matches() {
    let large = "aa\n".repeat(1 << 20);
    let tree = Tree::with(&[("b", "a a\n"), ("a", "x"), ("c", "\na"), ("large", &large)]);
    let run = tree.run(["scan", "--count", "-e", "a", "-e", "aa"]);
    assert_eq!(run.lines(), ["b:2", "c:1", &format!("large:{}", 3 << 20)]);
    assert_eq!(run.status, Some(0));
    let run = tree.run(["scan", "--count", "-e", "a", "--format", "json", "b"]);
    assert_eq!(run.json(), [serde_json::json!({"path": "b", "count": 2})]);
    let run = tree.run(["scan", "--count", "-e", "q"]);
    assert_eq!((run.stdout.as_str(), run.status), ("", Some(1)));
    let run = tree.pipe(["scan", "--count", "-e", "a", "-", "c"], "aaa");
    assert_eq!(run.lines(), ["<stdin>:3", "c:1"]);
}

#[test]
fn exit_status_is_that_of_grep() {
    let tree = Tree::with(&[("f", "abc\n")]);
    let cases: [(&[&str], i32); 17] = [
        (&["scan", "--exit-code", "1", "-e", "z", "f"], 0),
        (&["scan", "--exit-code", "1", "-e", "b", "f"], 1),
        (&["scan", "--exit-code", "3", "-e", "b", "f"], 3),
        // A gate in CI must not take a path that does not exist for a clean tree or for a match.
        (&["scan", "--exit-code", "1", "-e", "z", "f", "missing"], 2),
        (&["scan", "--exit-code", "1", "-e", "b", "f", "missing"], 2),
        (&["scan", "--exit-code", "1", "missing"], 2),
        (&["scan", "--exit-code", "2", "-e", "z", "f"], 2),
        (&["scan", "-e", "b", "f"], 0),
        (&["scan", "-e", "z", "f"], 1),
        (&["scan", "f"], 1),
        (&["scan", "-e", "b", "f", "missing"], 2),
        (&["scan", "-e", "(", "f"], 2),
        (&["scan", "--bogus"], 2),
        (&["scan", "--backend", "bogus"], 2),
        (&[], 2),
        (&["--help"], 0),
        (&["rules"], 0),
    ];
    for (args, status) in cases {
        let run = tree.run(args);
        assert_eq!(run.status, Some(status), "{args:?}: {run:?}");
    }
}

#[test]
fn unreadable_file_does_not_stop_the_search() {
    let tree = Tree::with(&[("a", "x1\n"), ("z", "x2\n"), ("sub/m", "x3\n")]);
    let run = tree.run(["scan", "-e", r"x\d", "a", "missing", "sub", "z"]);
    assert_eq!(run.lines(), ["a:1:1: 1: x1", "sub/m:1:1: 1: x3", "z:1:1: 1: x2"]);
    assert!(run.stderr.starts_with("dragnet: missing: "), "{}", run.stderr);
    assert_eq!((run.stderr.lines().count(), run.status), (1, Some(2)));
}

#[test]
fn word_that_is_no_file_may_be_a_pattern() {
    let tree = Tree::with(&[("f", "abc\n")]);
    let missing = "No such file or directory (os error 2)";
    let cases: [(&[&str], String); 4] = [
        (&["scan", "abc", "f"], format!("dragnet: abc: {missing}: did you mean -e abc?\n")),
        (&["scan", "a|b", "f"], format!("dragnet: a|b: {missing}: did you mean -e 'a|b'?\n")),
        (
            &["scan", "it's", "f"],
            format!("dragnet: it's: {missing}: did you mean -e 'it'\\''s'?\n"),
        ),
        (&["scan", "-e", "z", "abc", "f"], format!("dragnet: abc: {missing}\n")),
    ];
    for (args, message) in cases {
        if cfg!(unix) {
            assert_eq!(tree.run(args).stderr, message);
        }
        assert_eq!(tree.run(args).status, Some(2));
    }
}

#[cfg(unix)]
#[test]
fn symbolic_links_are_not_followed_unless_named() {
    use std::os::unix::fs::symlink;

    let tree = Tree::with(&[("sub/f", "x\n")]);
    symlink("..", tree.path().join("sub/loop")).unwrap();
    symlink("sub/f", tree.path().join("link")).unwrap();
    symlink("nowhere", tree.path().join("dangling")).unwrap();
    let run = tree.run(["scan", "-e", "x"]);
    assert_eq!(run.lines(), ["sub/f:1:1: 1: x"], "{run:?}");
    assert_eq!((run.stderr.as_str(), run.status), ("", Some(0)));
    let run = tree.run(["scan", "-e", "x", "link"]);
    assert_eq!(run.lines(), ["link:1:1: 1: x"]);
    let run = tree.run(["scan", "-e", "x", "dangling"]);
    assert!(run.stderr.starts_with("dragnet: dangling: "), "{}", run.stderr);
    assert_eq!(run.status, Some(2));
}

#[test]
fn output_order_depends_only_on_paths() {
    let tree = Tree::new();
    let mut expected = Vec::new();
    for directory in 0..20 {
        for file in 0..40 {
            let path = format!("d{directory:02}/f{file:02}");
            // A few files are read in blocks, most in groups.
            let lines = if file == 7 && directory % 5 == 0 { 300_000 } else { 1 + file % 3 };
            let mut contents = "padding\n".repeat(lines - 1);
            contents.push_str("needle\n");
            tree.write(&path, contents);
            expected.push(format!("{path}:{lines}:1: 1: needle"));
        }
    }
    for _ in 0..5 {
        assert_eq!(tree.run(["scan", "-e", "needle"]).lines(), expected);
    }
}

/// Large files are searched by several threads at once, and end with a message.
#[test]
fn messages_are_in_the_order_of_the_files() {
    let tree = Tree::new();
    let (mut counts, mut notes) = (Vec::new(), Vec::new());
    for file in 0..12 {
        let lines = if file % 3 == 0 { 300_000 } else { 1 };
        let mut text = "needle\n".repeat(lines);
        if lines > 1 {
            text.push_str(&"\0".repeat(3 << 20));
            let line = lines + 1;
            notes.push(format!(
                "dragnet: f{file:02}: not searched from line {line} on: it is binary"
            ));
        }
        tree.write(&format!("f{file:02}"), text);
        counts.push(format!("f{file:02}:{lines}"));
    }
    let arguments = |threads| ["scan", "--count", threads, "-e", "needle"];
    for threads in ["-j1", "-j2", "-j5"] {
        let run = tree.run(arguments(threads));
        assert_eq!(run.lines(), counts);
        assert_eq!(run.stderr.lines().collect::<Vec<_>>(), notes);
    }
}

#[test]
fn lines_keep_their_numbers_across_blocks() {
    // Each line starts and ends with a needle, so that there is one on either side of every cut
    // between blocks.
    let line = format!("needle{}needle\n", "-".repeat(997));
    let count = 5000;
    let text = line.repeat(count);
    let tree = Tree::with(&[("large", &text)]);
    let expected: Vec<String> = (1..=count)
        .flat_map(|line| [1, 1004].map(|column| format!("{line}:{column}: 1: needle")))
        .collect();
    let check = |lines: Vec<&str>, name: &str| {
        assert_eq!(lines.len(), expected.len());
        for (found, expected) in lines.iter().zip(&expected) {
            assert_eq!(*found, format!("{name}:{expected}"));
        }
    };
    check(tree.run(["scan", "-e", "needle"]).lines(), "large");
    check(tree.pipe(["scan", "-e", "needle"], &text).lines(), "<stdin>");
}

#[test]
fn a_line_of_64_mib_is_one_line() {
    let mut text = b"first\n".to_vec();
    text.resize(text.len() + (64 << 20), b'-');
    text.extend_from_slice(b"needle\nlast needle");
    let tree = Tree::with(&[("huge", &text)]);
    let column = (64 << 20) + 1;
    let expected =
        |name| [format!("{name}:2:{column}: 1: needle"), format!("{name}:3:6: 1: needle")];
    let run = tree.run(["scan", "-e", "needle", "huge"]);
    assert_eq!(run.lines(), expected("huge"));
    let run = tree.pipe(["scan", "-e", "needle"], &text);
    assert_eq!(run.lines(), expected("<stdin>"));
}

#[test]
fn output_larger_than_the_buffer_is_complete() {
    let tree = Tree::new();
    for file in 0..4 {
        tree.write(&format!("f{file}"), "aaaaaaa\n".repeat(120_000));
    }
    let run = tree.run(["scan", "-e", "a"]);
    assert_eq!(run.lines().len(), 4 * 7 * 120_000);
    for (index, line) in run.lines().into_iter().enumerate() {
        let (file, at) = (index / 840_000, index % 840_000);
        assert_eq!(line, format!("f{file}:{}:{}: 1: a", at / 7 + 1, at % 7 + 1));
    }
}

#[test]
fn colors_are_only_for_terminals() {
    let tree = Tree::with(&[("f", "abc\n")]);
    assert!(!tree.run(["scan", "-e", "b"]).stdout.contains('\x1b'));
    let mut command = tree.command(["scan", "-e", "b", "f"]);
    let output = command.env("CLICOLOR_FORCE", "1").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        text,
        "\x1b[35mf\x1b[0m:\x1b[32m1\x1b[0m:2: \x1b[36m1\x1b[0m: \x1b[1m\x1b[31mb\x1b[0m\n"
    );
}
