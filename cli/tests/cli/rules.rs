//! Loading rules, the messages about invalid ones, and `dragnet rules`.

use crate::common::Tree;

#[test]
fn rules_of_all_sources_combine() {
    let tree = Tree::with(&[
        ("pats", "two\r\n\nthree\n"),
        ("r.toml", "[[rules]]\nid = \"four\"\nregex = 'f.ur'\n"),
        ("data", "one two three four"),
    ]);
    let run =
        tree.run(["scan", "-r", "r.toml", "-f", "pats", "-e", "one", "--format", "json", "data"]);
    let mut found: Vec<(String, String)> = run
        .json()
        .iter()
        .map(|hit| (hit["rule"].as_str().unwrap().into(), hit["match"].as_str().unwrap().into()))
        .collect();
    // The empty line is a pattern that matches between all bytes.
    found.retain(|(rule, text)| !(rule == "2" && text.is_empty()));
    let found: Vec<_> = found.iter().map(|(rule, text)| (rule.as_str(), text.as_str())).collect();
    assert_eq!(found, [("1", "one"), ("1", "two"), ("3", "three"), ("four", "four")]);
}

#[test]
fn an_empty_set_matches_nothing() {
    let tree = Tree::with(&[("none", ""), ("data", "x"), ("r.toml", "rules = []")]);
    for args in [["-f", "none"], ["-r", "r.toml"]] {
        let run = tree.run(["scan", "data"].iter().chain(&args));
        assert_eq!((run.stdout.as_str(), run.stderr.as_str(), run.status), ("", "", Some(1)));
    }
}

#[test]
fn patterns_are_read_from_standard_input() {
    let tree = Tree::with(&[("data", "abc")]);
    // Standard input holds the patterns, so the current directory is searched.
    let run = tree.pipe(["scan", "-f", "-"], "b\nc\n");
    assert_eq!(run.lines(), ["data:1:2: 1: b", "data:1:3: 2: c"]);
    for args in
        [&["scan", "-f", "-", "-"][..], &["redact", "-f", "-"], &["scan", "-f", "-", "-f", "-"]]
    {
        let run = tree.pipe(args, "b");
        assert_eq!((run.stdout.as_str(), run.status), ("", Some(2)), "{args:?}");
        assert!(run.stderr.contains("standard input"), "{}", run.stderr);
    }
}

#[test]
fn errors_have_file_line_and_excerpt() {
    let cases: [(&str, &[u8], &[&str]); 13] = [
        ("-f", b"ok\na(b\n", &["in:2: unclosed group", "    a(b", "     ^"]),
        (
            "-f",
            b"(\nfine\n[z-a]",
            &[
                "in:1: unclosed group",
                "    (",
                "    ^",
                "in:3: invalid character class range, the start must be <= the end",
                "    [z-a]",
                "     ^^^",
            ],
        ),
        (
            "-f",
            b"ok\nab\xffc",
            &[
                "in:2: invalid UTF-8 at byte 3 of the line: \\xff; to match such bytes, write them as (?-u:\\xNN)",
            ],
        ),
        (
            "-r",
            b"ok = 1\n\xff",
            &[
                "in:2: invalid UTF-8 at byte 1 of the line: \\xff; to match such bytes, write them as (?-u:\\xNN)",
            ],
        ),
        ("-r", b"a = 1\n[[rules]\n", &["in:2: invalid TOML: "]),
        ("-r", b"a = 1\n", &["in: no [[rules]] in this file"]),
        (
            "-r",
            b"a = 1\nrules = 5\n",
            &["in:2: `rules` must be an array of tables, written [[rules]]"],
        ),
        ("-r", b"rules = [5]\n", &["in:1: a rule must be a table"]),
        ("-r", b"\n[[rules]]\nregex = 'a'\n", &["in:2: this rule has no id"]),
        ("-r", b"[[rules]]\nid = 'a'\nregexp = 'a'\n", &["in:1: rule a has no regex"]),
        ("-r", b"[[rules]]\nid = 'a'\nregex = 7\n", &["in:3: `regex` must be a string"]),
        (
            "-r",
            b"[[rules]]\nid = 'a'\nregex = '''\nx(y'''\n",
            &["in:3: rule a: unclosed group", "    x(y", "     ^"],
        ),
        (
            "-r",
            b"[[rules]]\nid = 'a'\nregex = '(?:a{1000}){1000}'\n",
            &["in:3: rule a: its size of "],
        ),
    ];
    for (option, contents, expected) in cases {
        let tree = Tree::with(&[("in", contents)]);
        let run = tree.run(["scan", option, "in", "-e", "fine"]);
        assert_eq!((run.status, run.stdout.as_str()), (Some(2), ""), "{run:?}");
        let lines: Vec<_> =
            run.stderr.lines().map(|line| line.strip_prefix("dragnet: ").unwrap_or(line)).collect();
        assert!(lines.len() >= expected.len(), "{run:?}");
        for (line, expected) in lines.iter().zip(expected) {
            match expected.ends_with(' ') {
                true => assert!(line.starts_with(expected), "{line} / {expected}"),
                false => assert_eq!(line, expected),
            }
        }
    }
}

#[test]
fn all_errors_are_reported_at_once() {
    let tree = Tree::with(&[("pats", "a)\n"), ("r.toml", "=")]);
    let run =
        tree.run(["scan", "-e", "(", "-f", "pats", "-f", "gone", "-r", "r.toml", "-r", "lost"]);
    assert_eq!(run.status, Some(2));
    for part in ["-e pattern 1: ", "pats:1: ", "gone: ", "r.toml:1: invalid TOML", "lost: "] {
        assert!(run.stderr.contains(&format!("dragnet: {part}")), "{part}: {}", run.stderr);
    }
}

#[test]
fn incomplete_rule_hides_no_error_of_other_rules() {
    let file = "[[rules]]\nid = 'bad'\nregex = 'a('\n\n[[rules]]\nid = 'none'\n\n\
                [[rules]]\nregex = 'a'\n\n[[rules]]\nid = 'worse'\nregex = '[z-a]'\n";
    let tree = Tree::with(&[("r.toml", file)]);
    let run = tree.run(["scan", "-r", "r.toml"]);
    assert_eq!((run.status, run.stdout.as_str()), (Some(2), ""));
    for part in [
        "3: rule bad: unclosed group",
        "5: rule none has no regex",
        "8: this rule has no id",
        "13: rule worse: invalid character class range",
    ] {
        assert!(run.stderr.contains(&format!("dragnet: r.toml:{part}")), "{part}: {}", run.stderr);
    }
}

const LIKE_GITLEAKS: &str = r#"
title = "some rules"
minVersion = "v8.25.0"

[allowlist]
paths = ['''gitleaks\.toml''']

[[rules]]
id = "generic"
description = "A key."
regex = '''(?i)key=([a-f0-9]{8,})\b'''
entropy = 3.5
keywords = ["key"]

[[rules.allowlists]]
regexTarget = "line"
regexes = ['''example''']

[[rules]]
id = "file"
description = "A file that should not be there."
path = '''(?i)(?:^|\/)[^\/]+\.p(?:12|fx)$'''

[[rules]]
id = "token"
description = "A token."
regex = '''tok_([[:alnum:]]{4})'''
secretGroup = 1
keywords = ["tok_"]
"#;

#[test]
fn gitleaks_files_load_with_warnings_for_ignored_settings() {
    let tree = Tree::with(&[("gitleaks.toml", LIKE_GITLEAKS), ("data", "KEY=0123abcd tok_9z9z")]);
    let run = tree.run(["scan", "-r", "gitleaks.toml", "data"]);
    assert_eq!(run.lines(), ["data:1:1: generic: KEY=0123abcd", "data:1:18: token: 9z9z"]);
    assert_eq!(run.status, Some(0));
    let expected = [
        "ignored unsupported keys: allowlists (1 rule), entropy (1 rule), keywords (2 rules), \
         path (1 rule)",
        "ignored unsupported settings: allowlist",
        "skipped 1 rule without a regex: file",
    ];
    let warnings: Vec<_> = run.stderr.lines().collect();
    let expected: Vec<_> =
        expected.iter().map(|text| format!("dragnet: warning: gitleaks.toml: {text}")).collect();
    assert_eq!(warnings, expected);
}

#[test]
fn a_secret_group_must_exist() {
    let rule = |id: &str, group: &str| {
        format!("[[rules]]\nid = \"{id}\"\nregex = \"a(b)\"\nsecretGroup = {group}\n")
    };
    let text = [("no-number", "\"1\""), ("negative", "-1"), ("missing", "0x2")]
        .map(|(id, group)| rule(id, group))
        .concat();
    let tree = Tree::with(&[("rules.toml", text.as_str()), ("data", "ab")]);
    let run = tree.run(["scan", "-r", "rules.toml", "data"]);
    assert_eq!(run.status, Some(2));
    for expected in [
        "rules.toml:4: `secretGroup` must be the number of a group",
        "rules.toml:8: `secretGroup` must be the number of a group",
        "rules.toml:11: rule missing: its last group is 1, and it is to report group 2",
    ] {
        assert!(run.stderr.contains(expected), "{expected}: {}", run.stderr);
    }
}

#[test]
fn redaction_replaces_only_the_secret_group() {
    let rules = "[[rules]]\nid = \"key\"\nregex = \"key=([a-z]+)\"\nsecretGroup = 1\n";
    let tree = Tree::with(&[("rules.toml", rules), ("data", "key=abc;\n")]);
    let run = tree.run(["redact", "-r", "rules.toml", "data"]);
    assert_eq!(run.lines(), ["key=[REDACTED:key];"]);
}

#[test]
fn rules_are_listed() {
    let group = "[[rules]]\nid = \"key\"\nregex = \"key=([a-z]+)\"\nsecretGroup = 1\n";
    let tree = Tree::with(&[("gitleaks.toml", LIKE_GITLEAKS), ("group.toml", group)]);
    let run = tree.run(["rules", "-r", "gitleaks.toml", "--backend", "pure"]);
    assert_eq!(
        run.lines(),
        [
            "generic (literal) A key.",
            r"    (?i)key=([a-f0-9]{8,})\b",
            "token (literal) A token.",
            "    tok_([[:alnum:]]{4})",
        ]
    );
    let run = tree.run(["rules", "--format", "json", "-e", "a", "--backend", "pure"]);
    let expected = serde_json::json!(
        {"id": "1", "description": null, "regex": "a", "search": "no filter"}
    );
    assert_eq!(run.json(), [expected]);
    let run = tree.run(["rules", "--format", "json"]);
    assert!(run.json().len() >= 60);
    let run = tree.run(["rules", "--format", "json", "-r", "group.toml"]);
    assert_eq!(run.json()[0]["group"], 1);
}

#[test]
fn search_of_each_rule_is_explained() {
    let tree = Tree::with::<&str>(&[]);
    let patterns = ["key=[a-z]{4}", "[0-9]{16}", "[a-z]+", "x*"];
    let expressions = patterns.iter().flat_map(|pattern| ["-e", pattern]);
    let args: Vec<&str> =
        ["rules", "--explain", "--backend", "pure"].into_iter().chain(expressions).collect();
    let explanations = [
        ("literal", "literal \"key=\", expected ", " to 4 bytes after it"),
        ("run", "run of 16 bytes, each one of 10 values, ", " from its start to its end"),
        ("no filter", "no filter, an automaton reads every record: ", ""),
        ("always", "matches every record", ""),
    ];

    let run = tree.run(&args);
    let lines = run.lines();
    assert_eq!((lines.len(), run.status), (3 * patterns.len() + 2, Some(0)), "{run:?}");
    for (number, (lines, (word, start, end))) in lines.chunks(3).zip(explanations).enumerate() {
        assert_eq!(lines[0], format!("{} ({word})", number + 1));
        assert_eq!(lines[1], format!("    {}", patterns[number]));
        let text = lines[2].trim_start();
        assert!(text.starts_with(start) && text.ends_with(end), "{text}");
    }
    assert_eq!(lines[12], "");
    let prefilter = lines[13].strip_prefix("Prefilter: ").unwrap();
    assert!(prefilter.ends_with(" for 1 literals"), "{prefilter}");

    let run = tree.run(args.iter().chain(&["--format", "json"]));
    let json = run.json();
    let (last, rules) = json.split_last().unwrap();
    assert_eq!(rules.len(), patterns.len());
    for (rule, (word, start, end)) in rules.iter().zip(explanations) {
        assert_eq!(rule["search"], word);
        let text = rule["explanation"].as_str().unwrap();
        assert!(text.starts_with(start) && text.ends_with(end), "{text}");
    }
    assert_eq!(last["prefilter"], prefilter);

    // Without literals there is no prefilter, and no line for it.
    let run = tree.run(["rules", "--explain", "--backend", "pure", "-e", "x*"]);
    assert_eq!(run.lines().len(), 3);
}

/// Checks nothing more if the C library fails its self-test, since there is no native engine then.
#[cfg(feature = "native")]
#[test]
fn fallback_of_a_rule_to_pure_is_explained() {
    let tree = Tree::with::<&str>(&[]);
    let args = ["rules", "--explain", "--unicode", "--backend", "native"];
    let run = tree.run(args.iter().chain(&["-e", "key=[a-z]", "-e", r"\bsecret=é"]));
    if run.status == Some(2) {
        assert!(run.stderr.contains("--backend native: "), "{run:?}");
        return;
    }
    let lines = run.lines();
    assert_eq!(lines[0], "1 (native)");
    assert_eq!(lines[2], "    the C library");
    assert_eq!(lines[3], "2 (literal)");
    assert!(lines[5].starts_with("    literal \"secret=") && lines[5].contains("; not by the C"));
    assert!(lines[7].starts_with("Prefilter: "), "{run:?}");
}

#[cfg(not(feature = "native"))]
#[test]
fn pure_build_names_the_native_feature() {
    let tree = Tree::with(&[("f", "a")]);
    for command in ["scan", "redact"] {
        let run = tree.run([command, "--backend", "native", "-e", "a", "f"]);
        assert_eq!((run.stdout.as_str(), run.status), ("", Some(2)));
        assert!(run.stderr.contains("--features native"), "{}", run.stderr);
    }
    // A build without the native backend gives no warning unless the backend is requested.
    assert_eq!(tree.run(["scan", "-e", "a", "f"]).stderr, "");
}
