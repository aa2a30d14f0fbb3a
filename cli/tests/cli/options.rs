//! Every option of `dragnet scan`: what it does, and that the help names no other.

use std::process::Stdio;

use crate::common::{Run, Tree};

/// The files that the cases search.
fn tree() -> Tree {
    let tree = Tree::with(&[
        ("a.rs", "one\ntwo needle\nthree\nfour\nfive needle needle\nsix\n".as_bytes()),
        ("b.py", b"Needle\r\nneedles\r\n"),
        ("c/large.txt", "needle in a larger file\n".repeat(50).as_bytes()),
        (".hidden", b"needle\n"),
        ("c/ignored", b"needle\n"),
        (".ignore", b"ignored\n"),
        ("patterns", b"f.*e\n"),
        ("rules.toml", b"[[rules]]\nid = 'six'\nregex = 'six'\n"),
    ]);
    let time = |path: &str, seconds: u64| {
        let file = std::fs::File::options().write(true).open(tree.path().join(path)).unwrap();
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        file.set_times(std::fs::FileTimes::new().set_modified(time).set_accessed(time)).unwrap();
    };
    for (number, path) in ["c/large.txt", "b.py", "a.rs"].into_iter().enumerate() {
        time(path, 1_000_000 + number as u64);
    }
    tree
}

/// An option, the arguments of a run, and the lines that it prints.
type Case = (&'static str, &'static [&'static str], &'static [&'static str]);

const CASES: &[Case] = &[
    ("regexp", &["-e", "two", "-e", "three", "a.rs"], &["a.rs:2:1: 1: two", "a.rs:3:1: 2: three"]),
    ("file", &["-f", "patterns", "a.rs"], &["a.rs:5:1: 1: five needle needle"]),
    ("rules", &["-r", "rules.toml", "a.rs"], &["a.rs:6:1: six: six"]),
    (
        "ignore-case",
        &["-i", "-e", "NEEDLES?", "b.py"],
        &["b.py:1:1: 1: Needle", "b.py:2:1: 1: needles"],
    ),
    ("word-regexp", &["-w", "-e", "(?i)needle", "b.py"], &["b.py:1:1: 1: Needle"]),
    ("word-regexp", &["-w", "-e", "need|needles", "b.py"], &["b.py:2:1: 1: needles"]),
    ("word-regexp", &["-w", "-e", "-x", "patterns"], &[]),
    ("crlf", &["--crlf", "-e", "^.*s$", "b.py"], &["b.py:2:1: 1: needles"]),
    ("unicode", &["--unicode", "-e", "^.{6}\\W$", "b.py"], &[r"b.py:1:1: 1: Needle\r"]),
    ("hidden", &["--hidden", "-l", "-e", "needle", "-g", ".hid*"], &[".hidden"]),
    ("no-hidden", &["--hidden", "--no-hidden", "-l", "-e", "needle", "-t", "py"], &["b.py"]),
    ("no-ignore", &["--no-ignore", "-l", "-e", "needle", "c"], &["c/ignored", "c/large.txt"]),
    ("glob", &["-g", "*.rs", "--count", "-e", "needle"], &["a.rs:3"]),
    ("glob", &["-g", "!*.rs", "-g", "!c/", "-l", "-e", "needle"], &["b.py"]),
    ("type", &["-t", "py", "-t", "rust", "-l", "-e", "(?i)needle"], &["a.rs", "b.py"]),
    ("type-not", &["-T", "txt", "-T", "rust", "-l", "-e", "needle"], &["b.py"]),
    ("max-filesize", &["--max-filesize", "1K", "-l", "-e", "needle"], &["a.rs", "b.py"]),
    ("max-filesize", &["--max-filesize", "10", "-l", "-e", "needle", "a.rs"], &["a.rs"]),
    ("sort", &["--sort", "modified", "-l", "-e", "needle"], &["c/large.txt", "b.py", "a.rs"]),
    ("sort", &["--sort", "path", "-l", "-e", "needle"], &["a.rs", "b.py", "c/large.txt"]),
    ("sort", &["--sort", "none", "-l", "-e", "needle", "a.rs"], &["a.rs"]),
    ("sortr", &["--sortr", "modified", "-l", "-e", "needle"], &["a.rs", "b.py", "c/large.txt"]),
    ("sortr", &["--sortr", "path", "-l", "-e", "needle"], &["c/large.txt", "b.py", "a.rs"]),
    ("format", &["--format", "json", "-l", "-e", "two"], &[r#"{"path":"a.rs"}"#]),
    ("count", &["--count", "-e", "needle", "a.rs"], &["a.rs:3"]),
    ("files-with-matches", &["-l", "-e", "needle", "c/", "a.rs"], &["c/large.txt", "a.rs"]),
    ("quiet", &["-q", "-e", "needle"], &[]),
    ("only-matching", &["-o", "-e", "f[a-z]+", "a.rs"], &["four", "five"]),
    ("redact", &["--redact", "-e", "two", "a.rs"], &["a.rs:2:1: 1: [REDACTED]"]),
    ("redact", &["--redact", "-o", "-e", "two", "a.rs"], &["[REDACTED]"]),
    ("max-count", &["-m", "1", "-e", "needle", "a.rs"], &["a.rs:2:5: 1: needle"]),
    (
        "max-count",
        &["-m2", "-e", "needle", "a.rs"],
        &["a.rs:2:5: 1: needle", "a.rs:5:6: 1: needle", "a.rs:5:13: 1: needle"],
    ),
    ("max-count", &["-m", "3", "--count", "-e", "needle", "-g", "*.txt"], &["c/large.txt:3"]),
    ("max-count", &["-m", "0", "-e", "needle", "a.rs"], &[]),
    (
        "after-context",
        &["-A", "1", "-e", "needle", "a.rs"],
        &[
            "a.rs:2:5: 1: needle",
            "a.rs-2-two needle",
            "a.rs-3-three",
            "--",
            "a.rs:5:6: 1: needle",
            "a.rs:5:13: 1: needle",
            "a.rs-5-five needle needle",
            "a.rs-6-six",
        ],
    ),
    (
        "after-context",
        &["-A", "18446744073709551615", "-e", "five needle", "a.rs"],
        &["a.rs:5:1: 1: five needle", "a.rs-5-five needle needle", "a.rs-6-six"],
    ),
    (
        "before-context",
        &["-B1", "-e", "t[wh]", "a.rs"],
        &["a.rs-1-one", "a.rs:2:1: 1: tw", "a.rs-2-two needle", "a.rs:3:1: 1: th", "a.rs-3-three"],
    ),
    (
        "context",
        &["-C", "1", "-m1", "-e", "needle", "a.rs", "b.py"],
        &[
            "a.rs-1-one",
            "a.rs:2:5: 1: needle",
            "a.rs-2-two needle",
            "a.rs-3-three",
            "b.py-1-Needle",
            "b.py:2:1: 1: needle",
            "b.py-2-needles",
        ],
    ),
    ("null", &["-0", "-l", "-e", "needle", "a.rs", "b.py"], &["a.rs\0b.py\0"]),
    ("null", &["-0", "-e", "two", "a.rs"], &["a.rs\x002:1: 1: two"]),
    ("null", &["-0", "--count", "-e", "two", "a.rs"], &["a.rs\x001"]),
    (
        "max-columns",
        &["-M", "5", "-e", "n.*|one", "a.rs"],
        &["a.rs:1:1: 1: one", "a.rs:2:5: 1: [6 bytes]", "a.rs:5:6: 1: [13 bytes]"],
    ),
    ("color", &["--color", "never", "-e", "two", "a.rs"], &["a.rs:2:1: 1: two"]),
    (
        "color",
        &["--color", "always", "-e", "two", "a.rs"],
        &["\x1b[35ma.rs\x1b[0m:\x1b[32m2\x1b[0m:1: \x1b[36m1\x1b[0m: \x1b[1m\x1b[31mtwo\x1b[0m"],
    ),
    ("threads", &["-j", "1", "-e", "two"], &["a.rs:2:1: 1: two"]),
    ("threads", &["-j", "3", "-e", "two"], &["a.rs:2:1: 1: two"]),
    ("threads", &["-j", "18446744073709551615", "-e", "two"], &["a.rs:2:1: 1: two"]),
    ("backend", &["--backend", "pure", "-e", "two"], &["a.rs:2:1: 1: two"]),
];

fn scan(tree: &Tree, args: &[&str]) -> Run {
    tree.run(["scan"].iter().chain(args))
}

#[test]
fn each_option_does_what_the_table_says() {
    let tree = tree();
    for (option, args, expected) in CASES {
        let run = scan(&tree, args);
        assert_eq!(run.lines(), *expected, "--{option}: {args:?}: {run:?}");
        assert_eq!(run.stderr, "", "--{option}: {args:?}");
        let found = !expected.is_empty() || *option == "quiet";
        assert_eq!(run.status, Some(i32::from(!found)), "--{option}: {args:?}");
    }
}

/// Options that have a test of their own.
const ELSEWHERE: [&str; 5] = ["encoding", "exit-code", "multiline", "stats", "type-list"];

/// Returns the options in the help of a command.
fn options(command: &str) -> Vec<String> {
    let help = Tree::new().run([command, "--help"]).stdout;
    help.lines()
        .filter_map(|line| line.trim_start().strip_prefix('-'))
        .filter_map(|line| {
            line.split_once("--").map(|(_, option)| option).or(line.strip_prefix('-'))
        })
        .filter_map(|option| option.split([' ', '=']).next())
        .filter(|option| !["help", "version"].contains(option))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_table_has_every_option_of_the_help() {
    let mut options = options("scan");
    assert!(options.len() > 30, "{options:?}");
    for (name, ..) in CASES {
        assert!(options.iter().any(|option| option == name), "{name}");
    }
    options.retain(|option| {
        !CASES.iter().any(|(name, ..)| name == option) && !ELSEWHERE.contains(&option.as_str())
    });
    assert_eq!(options, [""; 0]);
}

/// An option of `dragnet redact`, the arguments of a run, its input and its output.
const REDACT_CASES: &[(&str, &[&str], &str, &str)] = &[
    ("regexp", &["-e", "two"], "one two\n", "one [REDACTED:1]\n"),
    ("file", &["-f", "patterns"], "file five\n", "[REDACTED:1]\n"),
    ("rules", &["-r", "rules.toml"], "six\n", "[REDACTED:six]\n"),
    ("ignore-case", &["-i", "-e", "two"], "TWO\n", "[REDACTED:1]\n"),
    ("word-regexp", &["-w", "-e", "two"], "twos two\n", "twos [REDACTED:1]\n"),
    ("crlf", &["--crlf", "-e", "o$"], "two\r\n", "tw[REDACTED:1]\r\n"),
    ("crlf", &["--crlf", "-U", "-e", r"\r^|x\n"], "a\r\nb\r\n", "a\r\nb\r\n"),
    ("unicode", &["--unicode", "-e", "^.$"], "\u{e9}\n", "[REDACTED:1]\n"),
    ("with", &["--with", "X", "-e", "two"], "one two\n", "one X\n"),
    ("multiline", &["-U", "-e", "e\nt"], "one\ntwo\n", "on[REDACTED:1]wo\n"),
    ("multiline", &["--multiline", "-e", "^two$\n"], "one\ntwo\nx", "one\n[REDACTED:1]x"),
    ("backend", &["--backend", "pure", "-e", "two"], "two\n", "[REDACTED:1]\n"),
];

#[test]
fn each_option_of_redact_does_what_the_table_says() {
    let tree = tree();
    for (option, args, input, expected) in REDACT_CASES {
        let run = tree.pipe(["redact"].iter().chain(*args), input);
        assert_eq!(
            (run.stdout.as_str(), run.stderr.as_str()),
            (*expected, ""),
            "{option} {args:?}"
        );
    }
    let mut options = options("redact");
    options.retain(|option| {
        // Its test is among those of encodings.
        !REDACT_CASES.iter().any(|(name, ..)| name == option) && option != "encoding"
    });
    assert_eq!(options, [""; 0]);
}

/// The options of the other commands: at least some test gives each.
#[test]
fn other_commands_have_a_test_for_each_option() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli");
    let tests: String = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    for command in ["compare", "cost", "rules", "serve"] {
        for option in options(command) {
            // Those that choose rules are the same for all commands.
            let is_shared = REDACT_CASES.iter().any(|(name, ..)| *name == option);
            let is_given = tests.contains(&format!("\"--{option}\""));
            assert!(is_shared || is_given, "{command} --{option}");
        }
    }
}

#[test]
fn options_that_contradict_are_refused() {
    let tree = tree();
    for args in [
        &["-A1", "--count"][..],
        &["-C1", "-l"],
        &["-B1", "-o"],
        &["-C1", "--redact"],
        &["-C1", "--format", "json"],
        &["-l", "--count"],
        &["-o", "--count"],
        &["--sort", "path", "--sortr", "path"],
        &["-t", "nonesuch"],
        &["-T", "nonesuch"],
        &["-g", "[z-a]"],
        &["--max-filesize", "1X"],
        &["--max-filesize", "99999999999G"],
        &["-m", "-1"],
        &["-j", "-1"],
        &["-A", "-1"],
        &["-E", "utf-99"],
        &["--color", "sometimes"],
        // In parentheses this would be a pattern.
        &["-w", "-e", "a)|(b"],
    ] {
        let run = scan(&tree, &[args, &["-e", "x", "a.rs"]].concat());
        assert_eq!((run.status, run.stdout.as_str()), (Some(2), ""), "{args:?}: {run:?}");
        assert!(!run.stderr.is_empty());
    }
}

#[test]
fn statistics_are_on_standard_error() {
    let tree = tree();
    let run = scan(&tree, &["--stats", "-e", "needle", "--max-filesize", "1K"]);
    let lines: Vec<&str> = run.stderr.lines().collect();
    let note = |text: &str| format!("dragnet: note: {text}");
    assert_eq!(lines[0], note("4 matches"), "{run:?}");
    assert_eq!(lines[1], note("3 lines with a match"));
    assert_eq!(lines[2], note("2 files with a match"));
    assert_eq!(lines[3], note("4 files searched"));
    let bytes = 49 + 17 + 5 + 35;
    assert_eq!(lines[4], note(&format!("{bytes} bytes searched")));
    assert!(lines[5].ends_with(" seconds"));
    assert_eq!(
        lines[6],
        note(
            "not searched: 2 hidden (see --hidden), 1 excluded by ignore files (see --no-ignore), \
             1 larger than --max-filesize"
        )
    );
    assert_eq!((lines.len(), run.lines().len()), (7, 4));
}

#[test]
fn types_are_listed() {
    let run = Tree::new().run(["scan", "--type-list"]);
    assert!(run.lines().contains(&"rust: *.rs"), "{}", run.stdout);
    assert_eq!(run.status, Some(0));
}

#[test]
fn quiet_ends_at_the_first_match() {
    let tree = tree();
    // As in ripgrep, a match counts even if a file can't be read.
    assert_eq!(scan(&tree, &["-q", "-e", "needle", "missing", "a.rs"]).status, Some(0));
    assert_eq!(scan(&tree, &["-q", "-e", "q", "missing", "a.rs"]).status, Some(2));
    assert_eq!(scan(&tree, &["-q", "-e", "q", "a.rs"]).status, Some(1));
    assert_eq!(scan(&tree, &["-q", "--exit-code", "4", "-e", "needle", "a.rs"]).status, Some(4));
    // This input never ends.
    if cfg!(unix) {
        let mut command = tree.command(["scan", "-q", "-e", "[a-z]", "/dev/urandom"]);
        assert!(command.stdin(Stdio::null()).status().unwrap().success());
    }
}

/// Inputs whose writer waits, or never ends.
#[cfg(unix)]
#[test]
fn a_search_that_is_complete_reads_no_more() {
    use std::io::{Read, Write};

    let cases: [(&[&str], &str); 5] = [
        (&["-m1"], "<stdin>:2:1: 1: ab\n"),
        (
            &["-m2", "-A1"],
            "<stdin>:2:1: 1: ab\n<stdin>-2-ab\n<stdin>:3:1: 1: ab\n<stdin>-3-ab\n<stdin>-4-\n",
        ),
        (&["-l"], "<stdin>\n"),
        (&["-q"], ""),
        (&["-q", "-m0"], ""),
    ];
    for (args, expected) in cases {
        let tree = Tree::new();
        let all = [&["scan", "-e", "ab", "-"], args].concat();
        let mut command = tree.command(&all);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(b"\nab\nab\n\n").unwrap();
        // The pipe stays open.
        let mut found = String::new();
        child.stdout.take().unwrap().read_to_string(&mut found).unwrap();
        let status = child.wait().unwrap().code();
        assert_eq!((found.as_str(), status), (expected, Some(i32::from(args.contains(&"-m0")))));
        drop(stdin);
    }
    // A match in one file ends the wait for another.
    let tree = Tree::with(&[("f", "ab\n")]);
    for multiline in [&[][..], &["--multiline"]] {
        let args = [&["scan", "-q", "-j2", "-e", r"ab\n?", "-", "f"], multiline].concat();
        let mut child = tree.command(args).stdin(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take();
        assert!(child.wait().unwrap().success(), "{multiline:?}");
        drop(stdin);
    }
    let run = tree.run(["scan", "-m", "3", "-o", "-e", "^", "/dev/urandom"]);
    assert_eq!((run.stdout.as_str(), run.status), ("\n\n\n", Some(0)));
}

/// A file whose blocks are searched by several threads.
#[test]
fn context_and_limits_cross_blocks() {
    let line = |number: usize| format!("{number:07} {}\n", "x".repeat(100));
    let text: String = (1..=40_000).map(line).collect();
    let tree = Tree::with(&[("large", text.as_bytes()), ("small", b"0000001 y\n")]);
    // Every 1,000th line, so that some are near the cuts between blocks, and all lines around.
    let run = scan(&tree, &["-C", "499", "-e", "000 x", "large"]);
    let mut expected = Vec::new();
    let mut lines = text.lines();
    for number in 1..=40_000 {
        if number % 1000 == 0 {
            expected.push(format!("large:{number}:5: 1: 000 x"));
        }
        let line = lines.next().unwrap();
        match number {
            1..501 => {}
            _ if number % 1000 == 500 => {}
            _ => {
                if number % 1000 == 501 && number > 501 {
                    expected.push("--".to_owned());
                }
                // The match is printed before its line.
                expected.push(format!("large-{number}-{line}"));
            }
        }
    }
    let found = run.lines();
    for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert_eq!(found, expected, "line {index}");
    }
    assert_eq!(found.len(), expected.len());

    let run = scan(&tree, &["-m", "30000", "--count", "-e", "00", "-e", "x", "large", "small"]);
    let count = |number: usize| line(number).matches("00").count() + 100;
    let expected: usize = (1..=30_000).map(count).sum();
    assert_eq!(run.lines(), [format!("large:{expected}"), "small:3".to_owned()]);
    let run = scan(&tree, &["-m", "25000", "-o", "-e", "^[0-9]{7}"]);
    assert_eq!(run.lines().len(), 25_001);
    assert_eq!(run.lines()[24_999], "0025000");
}

#[test]
fn completions_and_manual_pages_name_every_command() {
    let tree = Tree::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let run = tree.run(["completions", shell]);
        assert_eq!(run.status, Some(0));
        assert!(run.stdout.contains("max-filesize"), "{shell}");
    }
    assert_eq!(tree.run(["completions", "dos"]).status, Some(2));
    let run = tree.run(["man"]);
    assert!(run.stdout.starts_with(".ie") && run.stdout.contains("scan"), "{}", run.stdout);
    for command in ["scan", "redact", "compare", "rules", "serve", "cost", "completions", "man"] {
        let run = tree.run(["man", command]);
        let title = format!(".TH dragnet-{command} 1");
        assert!(run.stdout.contains(&title), "{command}: {}", run.stdout);
    }
    assert_eq!(tree.run(["man", "cost-peer"]).status, Some(2));
    assert_eq!(tree.run(["man", "nonesuch"]).status, Some(2));
}
