//! Files in other encodings than UTF-8.

use crate::common::{TOKEN_RULE, Tree, token};

fn utf16(text: &str, is_little: bool) -> Vec<u8> {
    let unit = |unit: u16| if is_little { unit.to_le_bytes() } else { unit.to_be_bytes() };
    text.encode_utf16().flat_map(unit).collect()
}

#[test]
fn utf16_with_a_mark_is_searched() {
    let token = token();
    let filler = "a line of text \u{e9}\n".repeat(100_000);
    let tree = Tree::new();
    for is_little in [true, false] {
        for (name, before) in [("small", "first\n"), ("large", &filler)] {
            let text = format!("\u{FEFF}{before}key: {token}\n");
            let line = before.lines().count() + 1;
            let bytes = utf16(&text, is_little);
            tree.write(&format!("d/{name}"), &bytes);
            let found = |name: &str| format!("{name}:{line}:6: {TOKEN_RULE}: {token}");
            assert_eq!(tree.run(["scan", "d"]).lines(), [found(&format!("d/{name}"))]);
            let ((stdout, stderr), _) = tree.pipe_bytes(["scan", "-"], &bytes);
            let stdout = String::from_utf8(stdout).unwrap();
            assert_eq!((stdout.trim_end(), stderr.as_str()), (found("<stdin>").as_str(), ""));

            // Copies are UTF-8.
            let ((stdout, stderr), status) = tree.pipe_bytes(["redact"], &bytes);
            let expected = format!("{before}key: [REDACTED:{TOKEN_RULE}]\n");
            assert!(stdout == expected.as_bytes() && status == Some(0));
            assert_eq!(stderr, "dragnet: note: <stdin>: decoded, and written as UTF-8\n");
            std::fs::remove_file(tree.path().join("d").join(name)).unwrap();
        }
    }
}

#[test]
fn utf16_without_a_mark_needs_an_option() {
    let token = token();
    let text = utf16(&format!("key: {token}\n"), true);
    let tree = Tree::with(&[("f", &text)]);
    let run = tree.run(["scan", "f"]);
    assert_eq!((run.stdout.as_str(), run.status), ("", Some(1)));
    let hint = "searched as bytes, but it looks like UTF-16: see --encoding";
    assert_eq!(run.stderr, format!("dragnet: f: {hint}\n"));
    assert_eq!(tree.pipe(["scan"], &text).stderr, format!("dragnet: <stdin>: {hint}\n"));
    let ((stdout, stderr), _) = tree.pipe_bytes(["redact"], &text);
    assert!(stdout == text && stderr.contains("looks like UTF-16"), "{stderr}");

    for command in ["scan", "redact"] {
        assert_eq!(tree.pipe_bytes([command, "-E", "none"], &text).0.1, "");
    }

    for path in ["f", "."] {
        let run = tree.run(["scan", "-E", "utf-16le", path]);
        assert_eq!(run.status, Some(0), "{run:?}");
        assert!(run.stdout.contains(&token), "{run:?}");
    }
    let run = tree.run(["redact", "--encoding", "UTF-16LE", "f"]);
    assert_eq!(run.stdout, format!("key: [REDACTED:{TOKEN_RULE}]\n"));
}

#[test]
fn marks_and_bytes_are_as_in_ripgrep() {
    let tree = Tree::with(&[("f", b"\xEF\xBB\xBFab\xE9\n")]);
    for (encoding, pattern, column) in [
        ("auto", "^ab", Some(1)),
        ("none", "^ab", None),
        ("none", r"^\xEF", Some(1)),
        ("latin1", r"^ab\xE9$", Some(1)),
    ] {
        let run = tree.run(["scan", "-E", encoding, "-e", pattern, "f"]);
        let found = column.map(|column| format!("f:1:{column}: "));
        assert_eq!(run.stdout.is_empty(), found.is_none(), "{encoding} {pattern}: {run:?}");
        assert!(run.stdout.starts_with(&found.unwrap_or_default()), "{run:?}");
    }
    let tree = Tree::with(&[("f", b"ab\xE9\n")]);
    let run = tree.run(["scan", "-E", "latin1", "--unicode", "-e", "ab\u{e9}", "f"]);
    assert_eq!(run.lines(), ["f:1:1: 1: ab\u{e9}"]);
    for command in ["scan", "redact"] {
        let run = tree.run([command, "-E", "utf-99", "f"]);
        assert_eq!(run.status, Some(2));
        assert!(run.stderr.contains("an encoding such as utf-16le"), "{run:?}");
    }
}
