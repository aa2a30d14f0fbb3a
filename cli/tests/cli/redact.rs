//! `dragnet redact`: which bytes are replaced, and which are copied.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

use crate::common::{TOKEN_RULE, Tree, token};

#[test]
fn matches_are_replaced_and_other_bytes_copied() {
    let cases: [(&[&str], &[u8], &[u8]); 22] = [
        (&["-e", "b+"], b"abbc\nb", b"a[REDACTED:1]c\n[REDACTED:1]"),
        (&["-e", "x"], b"", b""),
        (&["-e", "x"], b"\n", b"\n"),
        (&["-e", "x"], b"no end", b"no end"),
        (&["-e", "x"], b"a\r\n\r\n\0\xff\xc3(\n\n", b"a\r\n\r\n\0\xff\xc3(\n\n"),
        (
            &["-e", "x"],
            b"x\r\nx\0x\xffx",
            b"[REDACTED:1]\r\n[REDACTED:1]\0[REDACTED:1]\xff[REDACTED:1]",
        ),
        (&["-e", "x", "--with", "***"], b"axb", b"a***b"),
        (&["-e", "x", "--with", ""], b"axb", b"ab"),
        (&["-e", "x", "--with", "-"], b"axb", b"a-b"),
        // Overlapping matches are replaced together, named after the one that starts first.
        (&["-e", "bcd", "-e", "abc"], b"-abcd-", b"-[REDACTED:2]-"),
        (&["-e", "abc", "-e", "b"], b"abc", b"[REDACTED:1]"),
        (&["-e", "ab", "-e", "abc"], b"abcd", b"[REDACTED:2]d"),
        (&["-e", "abc", "-e", "(?:abc)+"], b"abc", b"[REDACTED:1]"),
        // A byte order mark is no part of the first line.
        (&["-e", "^."], b"\xEF\xBB\xBFab\nc", b"\xEF\xBB\xBF[REDACTED:1]b\n[REDACTED:1]"),
        // Across lines.
        (&["-U", "-e", "b\n+c"], b"abc\nb\n\ncb\nd", b"abc\n[REDACTED:1]b\nd"),
        (&["-U", "-e", "\\s+x"], b"\n\nx\n", b"[REDACTED:1]\n"),
        (&["-U", "-e", "^b$(?:\n|\\z)"], b"b\nab\nb", b"[REDACTED:1]ab\n[REDACTED:1]"),
        (
            &["-U", "-e", "\\Ab\n", "-e", "a\n\\z"],
            b"b\na\nb\na\n",
            b"[REDACTED:1]a\nb\n[REDACTED:2]",
        ),
        (&["-U", "-e", "a\nb", "-e", "(?i)BC"], b"a\nbc", b"[REDACTED:1]"),
        // Adjacent matches are replaced separately, and empty matches not at all.
        (&["-e", "a", "-e", "b"], b"ab", b"[REDACTED:1][REDACTED:2]"),
        (&["-e", "z*"], b"azb", b"a[REDACTED:1]b"),
        // The first alternative that matches decides where the match ends.
        (&["-e", "token=.*?;|token=.*?,"], b"token=ab,cd-secret;", b"[REDACTED:1]"),
    ];
    let tree = Tree::new();
    for (args, input, expected) in cases {
        let file = tree.write("in", input);
        let args = ["redact"].iter().chain(args);
        let file_args = args.clone().map(|arg| (*arg).into()).chain([file.into_os_string()]);
        for ((stdout, stderr), status) in
            [tree.pipe_bytes(args, input), tree.pipe_bytes(file_args, b"")]
        {
            let shown = String::from_utf8_lossy(&stdout).into_owned();
            assert!(stdout == expected, "{input:?}: {shown:?}");
            assert_eq!((stderr.as_str(), status), ("", Some(0)));
        }
    }
}

#[test]
fn built_in_rules_are_the_default() {
    let run = Tree::new().pipe(["redact"], format!("token={};", token()));
    assert_eq!(run.stdout, format!("token=[REDACTED:{TOKEN_RULE}];"));
}

/// What leaked in public reports: in escaped strings, in URLs, after color codes. `$` stands for the
/// replacement.
#[test]
fn credentials_are_replaced_where_they_leak() {
    let token = token();
    let cases = [
        (format!(r#"{{"log":"token:\t{token}\n"}}"#), r#"{"log":"token:\t$\n"}"#),
        (format!(r"one\n{token}\ntwo"), r"one\n$\ntwo"),
        (format!("\x1b[31m{token}\x1b[0m"), "\x1b[31m$\x1b[0m"),
        (format!("?t%3D{token}%26a%20{token}"), "?t%3D$%26a%20$"),
        (format!("MY_{token}"), "MY_$"),
    ];
    let replacement = format!("[REDACTED:{TOKEN_RULE}]");
    for (input, expected) in cases {
        let run = Tree::new().pipe(["redact"], &input);
        assert_eq!(run.stdout, expected.replace('$', &replacement), "{input}");
    }
}

#[test]
fn only_the_secret_is_replaced() {
    let run = Tree::new().pipe(["redact"], "db=postgres://u:pw-EXAMPLE@db.example.com/x");
    assert_eq!(run.stdout, "db=postgres://u:[REDACTED:database-url-password]@db.example.com/x");
    // The context that shows that something is a key is no part of it.
    let run = Tree::new().pipe(["redact"], r"x%20AKIAIOSFODNN7EXAMPLE\nMY_AKIAIOSFODNN7EXAMPLE");
    let replaced = "[REDACTED:aws-access-key-id]";
    assert_eq!(run.stdout, format!(r"x%20{replaced}\nMY_{replaced}"));
}

/// The first alternative that leads to a match counts, also where both start with the same repetition.
#[test]
fn alternatives_with_a_common_start_are_replaced_whole() {
    for (patterns, input, expected) in [
        ("token=.*?;|token=.*?,", "token=ab,cd-secret;", "[REDACTED:1]"),
        ("token=.*;|token=.*,", "token=ab;cd-secret,", "[REDACTED:1]cd-secret,"),
        ("token=.*?,|token=.*?;", "token=ab,cd-secret;", "[REDACTED:1]cd-secret;"),
        ("a.*?c|a.*?b", "abc", "[REDACTED:1]"),
    ] {
        let run = Tree::new().pipe(["redact", "-e", patterns], input);
        assert_eq!(run.stdout, expected, "{patterns}");
    }
}

#[test]
fn private_key_on_one_line_is_replaced_to_its_end() {
    let dashes = "-----";
    let key = |kind: &str, separator: &str| {
        let begin = format!("{dashes}BEGIN {kind}PRIVATE KEY{dashes}");
        let lines = ["MIIEvQIBADANBgkq+hkiG9w0B/EXAMPLE", "0123456789abcdefEXAMPLE=="];
        let end = format!("{dashes}END {kind}PRIVATE KEY{dashes}");
        [&*begin, lines[0], lines[1], &end].join(separator)
    };
    for kind in ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "] {
        for separator in [r"\n", r"\r\n", r"\\n", "%0A", " ", "&#10;"] {
            let input = format!(r#"{{"private_key":"{}","id":7}} EXAMPLE"#, key(kind, separator));
            let run = Tree::new().pipe(["redact"], &input);
            let (start, end) = (r#"{"private_key":"[REDACTED:"#, r#"]","id":7} EXAMPLE"#);
            assert!(run.stdout.starts_with(start) && run.stdout.ends_with(end), "{run:?}");
            assert_eq!(run.stdout.matches("EXAMPLE").count(), 1, "{run:?}");
        }
        // A log line that was cut.
        let cut = key(kind, r"\n").split("END").next().unwrap().trim_end_matches('-').to_owned();
        let run = Tree::new().pipe(["redact"], &cut);
        assert!(!run.stdout.contains("EXAMPLE"), "{run:?}");
    }
}

/// Private keys and headers over several lines.
#[test]
fn credentials_over_several_lines_are_replaced() {
    let dashes = "-----";
    let body = format!("{0}\n{0}\nEXAMPLE=", "0123456789abcdef+/EXAMPLE".repeat(2));
    let block = |kind: &str, head: &str, tail: &str| {
        format!("{dashes}BEGIN {kind}{dashes}\n{head}{body}\n{tail}{dashes}END {kind}{dashes}")
    };
    let encrypted = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0123456789ABCDEF\n\n";
    let mut keys = vec![
        block("PRIVATE KEY", "", ""),
        block("EC PRIVATE KEY", "", ""),
        block("OPENSSH PRIVATE KEY", "", ""),
        block("RSA PRIVATE KEY", encrypted, ""),
        block("PGP PRIVATE KEY BLOCK", "Version: GnuPG v2\nComment: of an EXAMPLE\n\n", "=abcd\n"),
        format!(
            "PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\nComment: EXAMPLE\nPublic-Lines: 3\n\
             {body}\nPrivate-Lines: 3\n{body}\nPrivate-MAC: 0123456789abcdef"
        ),
    ];
    // A key that was cut off.
    keys.push(keys[3].split("EXAMPLE=\n").next().unwrap().trim_end().to_owned());
    let tree = Tree::new();
    let (mut input, mut expected) = (String::new(), Vec::new());
    for key in &keys {
        for (start, newline, end) in [
            ("", "\n", ""),
            ("key: |\n    ", "\n    ", ""),
            ("k = '''\n", "\r\n", "'''"),
            ("# ", "\n# ", ""),
            ("> ", "\n> ", ""),
            ("  \"", "\\n\" +\n  \"", "\";"),
            ("\"", "\\n", "\""),
            ("x=", "%0A", "&y"),
        ] {
            let key = key.replace('\n', newline);
            let text = format!("{start}{key}{end}\ntwo 0123456789abcdef.\n--- next\n");
            input.push_str(&text);
            expected.push((format!("{start}[REDACTED:private-key-"), end, text));
        }
    }
    // One run for all, which is faster.
    let run = tree.pipe(["redact"], &input);
    let mut found = run.stdout.split("--- next\n");
    for ((before, end, text), found) in expected.iter().zip(&mut found) {
        let after = format!("]{end}\ntwo 0123456789abcdef.\n");
        assert!(found.starts_with(before) && found.ends_with(&after), "{text} {found}");
        assert!(!found.contains("EXAMPLE"), "{text} {found}");
    }
    assert_eq!((found.next(), found.next()), (Some(""), None));
    let secret = "0123456789abcdef0123456789abcdef";
    let basic = "ZXhhbXBsZTpFWEFNUExF";
    for (input, secret, rule) in [
        (
            format!("Authorization: Basic\r\n  {basic}\r\nAccept: */*\r\n"),
            basic,
            "http-basic-authorization-header",
        ),
        (
            format!("Authorization:\r\n\tBasic {basic}\r\n"),
            basic,
            "http-basic-authorization-header",
        ),
        (format!("datadog_api_key: >-\n    {secret}\n"), secret, "datadog-api-key"),
    ] {
        let expected = input.replace(secret, &format!("[REDACTED:{rule}]"));
        assert_eq!(tree.pipe(["redact"], &input).stdout, expected);
    }
}

/// With the built-in rules, of which some match across lines.
#[test]
fn only_lines_that_may_belong_to_a_secret_are_held_back() {
    let mut child = Tree::new()
        .command(["redact"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let token = token();
    let header = ["-----BEGIN", "PRIVATE KEY-----\n"].join(" ");
    let footer = header.replace("BEGIN", "END");
    let replaced = "[REDACTED:private-key-pem]\n";
    for (input, expected) in [
        (format!("auth {token}\n"), format!("auth [REDACTED:{TOKEN_RULE}]\n")),
        ("plain\n".to_owned(), "plain\n".to_owned()),
        (format!("{header}MIIEvQIBADANBgkqhkiG9w0B\n{footer}x.\n"), format!("{replaced}x.\n")),
        (format!("{header}not a key.\n"), format!("{replaced}not a key.\n")),
    ] {
        for line in input.split_inclusive('\n') {
            stdin.write_all(line.as_bytes()).unwrap();
        }
        for expected in expected.split_inclusive('\n') {
            let mut line = String::new();
            // Blocks forever if the command waits for more input.
            stdout.read_line(&mut line).unwrap();
            assert_eq!(line, expected);
        }
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn large_inputs_are_copied_exactly() {
    let mut text = Vec::new();
    let mut expected = Vec::new();
    for number in 0..100_000u32 {
        let filler = "-".repeat((number % 97) as usize);
        text.extend_from_slice(format!("{filler}secret{number} \0\r\n").as_bytes());
        expected.extend_from_slice(format!("{filler}#{number} \0\r\n").as_bytes());
    }
    let tree = Tree::with(&[("in", &text)]);
    let args = ["redact", "-e", "secret", "--with", "#"];
    let ((stdout, _), status) = tree.pipe_bytes(args, &text);
    assert!(stdout == expected && status == Some(0));
    let ((stdout, _), status) = tree.pipe_bytes(args.iter().chain(&["in"]), b"");
    assert!(stdout == expected && status == Some(0));
}

#[test]
fn each_line_is_written_before_the_next_is_read() {
    let mut child = Tree::new()
        .command(["redact", "-e", "secret"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    for parts in [&["one secret\n"][..], &["two sec", "ret\n"], &["three\nfour\n"]] {
        for part in parts {
            stdin.write_all(part.as_bytes()).unwrap();
            stdin.flush().unwrap();
        }
        let text = parts.concat().replace("secret", "[REDACTED:1]");
        for expected in text.split_inclusive('\n') {
            line.clear();
            // Blocks forever if the command waits for more input.
            stdout.read_line(&mut line).unwrap();
            assert_eq!(line, expected);
        }
    }
    stdin.write_all(b"the end is a sec").unwrap();
    stdin.write_all(b"ret").unwrap();
    drop(stdin);
    line.clear();
    stdout.read_to_string(&mut line).unwrap();
    assert_eq!(line, "the end is a [REDACTED:1]");
    assert!(child.wait().unwrap().success());
}

/// Killed at random moments, with the built-in rules.
#[cfg(unix)]
#[test]
fn a_killed_command_has_written_the_start_of_the_right_output() {
    let key =
        ["-----BEGIN", "PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\n-----END PRIVATE KEY-----\n"];
    let part = format!("some text\n{}auth {}\n", key.join(" "), token());
    let replaced = format!("some text\n[REDACTED:private-key-pem]\nauth [REDACTED:{TOKEN_RULE}]\n");
    let tree = Tree::with(&[("in", part.repeat(20_000))]);
    let expected = replaced.repeat(20_000);
    for round in 0..10u64 {
        let mut command = tree.command(["redact", "in"]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let mut found = vec![0; 1 + round as usize * 70_001];
        stdout.read_exact(&mut found).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        stdout.read_to_end(&mut found).unwrap();
        assert!(expected.as_bytes().starts_with(&found), "{round}");
    }
}

#[test]
fn unreadable_input_is_an_error() {
    let tree = Tree::with(&[("directory/f", "x")]);
    for path in ["missing", "directory"] {
        let run = tree.run(["redact", path]);
        assert_eq!((run.stdout.as_str(), run.status), ("", Some(2)), "{path}");
        assert!(run.stderr.starts_with(&format!("dragnet: {path}: ")), "{}", run.stderr);
    }
}
