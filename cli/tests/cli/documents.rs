//! Redacts 10,000 documents with credentials in the formats of the built-in rules, as they stand in files and
//! logs: none of the credentials is left, and all other bytes are.

use std::fmt::Write;
use std::ops::Range;

use dragnet::{BatchBuf, Engine, Matches, Pattern, PatternSet, Report, Scan, Scanner};
use dragnet_testkit::Rng;
use toml::de::{DeTable, DeValue};

use crate::common::Tree;

const DOCUMENTS: usize = 10_000;

/// The number of ways in which [`wrap`] writes a text.
const WRAPPINGS: usize = 15;

/// A credential, with what shows that it is one.
#[derive(Clone, Debug)]
struct Example {
    rule: usize,
    text: String,
    /// The bytes that must be hidden.
    secret: Range<usize>,
    /// The offset from which on letters and digits can be replaced by others of their kind.
    free: usize,
}

fn built_in_rules() -> (Vec<String>, PatternSet, Vec<Vec<String>>) {
    let file = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/rules/builtin.toml"));
    let file = file.unwrap();
    let table = DeTable::parse(&file).unwrap();
    let rules = table.get_ref()["rules"].get_ref().as_array().unwrap();
    let (mut ids, mut patterns, mut examples) = (Vec::new(), Vec::new(), Vec::new());
    for rule in rules {
        let rule = rule.get_ref().as_table().unwrap();
        let text = |value: &DeValue<'_>| value.as_str().unwrap().to_owned();
        let group = rule
            .get("secretGroup")
            .map_or(0, |group| group.get_ref().as_integer().unwrap().as_str().parse().unwrap());
        ids.push(text(rule["id"].get_ref()));
        let regex = text(rule["regex"].get_ref());
        patterns.push(Pattern::new(regex).unicode(false).multi_line(true).report_group(group));
        let list = rule["matches"].get_ref().as_array().unwrap();
        examples.push(list.iter().map(|example| text(example.get_ref())).collect());
    }
    (ids, PatternSet::new(patterns).unwrap(), examples)
}

/// The first match of a rule in a text.
fn find(scanner: &mut Scanner, rule: usize, text: &str) -> Option<Range<usize>> {
    let mut batch = BatchBuf::new();
    batch.push(text.as_bytes()).unwrap();
    let mut found = Matches::new();
    scanner.scan(&batch.as_batch(), &mut found).unwrap();
    found.iter().find(|m| m.pattern() == rule).map(|m| m.range())
}

/// Replaces letters and digits from an offset of the secret on.
fn vary(example: &Example, free: usize, rng: &mut Rng) -> String {
    let vary = |(at, byte): (usize, u8)| {
        let list: &[u8] = match byte {
            _ if at < free || at >= example.secret.end => return byte,
            b'0'..=b'9' => b"0123456789",
            b'a'..=b'f' => b"abcdef",
            b'A'..=b'F' => b"ABCDEF",
            b'g'..=b'z' => b"ghijklmnopqrstuvwxyz",
            b'G'..=b'Z' => b"GHIJKLMNOPQRSTUVWXYZ",
            _ => return byte,
        };
        *rng.pick(list)
    };
    String::from_utf8(example.text.bytes().enumerate().map(vary).collect()).unwrap()
}

/// A private key of a kind, such as `RSA PRIVATE KEY`.
fn key(kind: &str, rng: &mut Rng) -> String {
    const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let lines = 2 + rng.below(20);
    let mut body: Vec<String> = (0..lines).map(|_| rng.string(BASE64, 64)).collect();
    let len = 4 * (1 + rng.below(15));
    body.push(rng.string(BASE64, len - 1) + "=");
    let body = body.join("\n");
    match kind {
        "PuTTY" => format!(
            "PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\nComment: a key\nPublic-Lines: 2\n{body}\n\
             Private-Lines: {lines}\n{body}\nPrivate-MAC: {}",
            rng.string(b"0123456789abcdef", 40)
        ),
        _ => format!("-----BEGIN {kind}-----\n{body}\n-----END {kind}-----"),
    }
}

fn escape(text: &str, escapes: &[(&str, &str)]) -> String {
    escapes.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

const JSON: [(&str, &str); 4] = [("\\", "\\\\"), ("\"", "\\\""), ("\n", "\\n"), ("\t", "\\t")];

/// Returns what stands before the text, the text as it is written there, and what stands after it.
fn wrap(wrapping: usize, text: &str) -> (String, String, String) {
    let json = escape(text, &JSON);
    let (before, text, after) = match wrapping {
        0 => ("# .env\nDEBUG=1\nVALUE=", text.to_owned(), "\nPORT=80\n"),
        1 => ("{\"id\": 7, \"value\": \"", json, "\", \"tags\": [\"a\"]}\n"),
        2 => ("value: |\n    ", text.replace('\n', "\n    "), "\nother: yes\n"),
        3 => {
            let escapes = [("\\", "\\\\"), ("\"", "\\\""), ("$", "\\$"), ("`", "\\`")];
            ("#!/bin/sh\nexport VALUE=\"", escape(text, &escapes), "\"\necho ok\n")
        }
        4 => {
            let escapes = [("%", "%25"), ("\n", "%0A"), (" ", "%20"), ("\"", "%22"), ("'", "%27")];
            ("GET /path?q=", escape(text, &escapes), "&page=1 HTTP/1.1\n")
        }
        5 => ("2026-01-01T00:00:00Z INFO [main] got ", text.replace('\n', "\\n"), " in 3 ms\n"),
        6 => (
            "Bag Attributes\n    friendlyName: ",
            text.replace('\n', "\n    "),
            "\n-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUEXAMPLE\n-----END CERTIFICATE-----\n",
        ),
        7 => ("{\"log\": \"{\\\"value\\\": \\\"", escape(&json, &JSON), "\\\"}\\n\"}\n"),
        8 => ("POST / HTTP/1.1\r\nX-Value: ", text.replace('\n', "\r\n "), "\r\nAccept: */*\r\n"),
        9 => ("[section]\nvalue = '''\n", text.to_owned(), "'''\nother = 1\n"),
        10 => {
            let escapes = [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")];
            ("<a>\n  <value>", escape(text, &escapes), "</value>\n</a>\n")
        }
        11 => ("id,value,time\n1,\"", text.replace('"', "\"\""), "\",12:00\n"),
        12 => (
            "2026-01-01T00:00:00.017Z stdout F ",
            text.replace('\n', "\n2026-01-01T00:00:00.018Z stdout F "),
            "\n2026-01-01T00:00:01Z stdout F ok\n",
        ),
        13 => ("On Monday they wrote:\n> ", text.replace('\n', "\n> "), "\n> thanks\n"),
        _ => (
            "{\"log\":\"",
            json.replace("\\n", "\\n\",\"stream\":\"stdout\"}\n{\"log\":\""),
            "\\n\",\"stream\":\"stdout\"}\n",
        ),
    };
    (before.to_owned(), text, after.to_owned())
}

/// Whether `redacted` is `text` with some parts replaced.
fn is_redacted(mut text: &str, redacted: &str) -> bool {
    let mut parts = redacted.split("[REDACTED:");
    let Some(rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    text = rest;
    let mut parts = parts.filter_map(|part| part.split_once(']')).peekable();
    while let Some((_, part)) = parts.next() {
        if parts.peek().is_none() {
            return text.len() > part.len() && text.ends_with(part);
        }
        let Some(at) = text.find(part).filter(|&at| at > 0 || part.is_empty()) else {
            return false;
        };
        text = &text[at + part.len()..];
    }
    false
}

#[test]
fn no_credential_is_left_in_ten_thousand_documents() {
    let (ids, set, texts) = built_in_rules();
    let mut scanner = Engine::new(&set, Report::Spans).scanner().unwrap();
    let rng = &mut Rng::new(14);
    let mut examples = Vec::new();
    for (rule, texts) in texts.iter().enumerate() {
        for text in texts {
            let secret = find(&mut scanner, rule, text).expect(text);
            let mut example = Example { rule, text: text.clone(), secret: secret.clone(), free: 0 };
            // As much as possible is varied.
            let is_free = |&free: &usize| {
                (0..8).all(|_| {
                    let text = vary(&example, free, rng);
                    find(&mut scanner, rule, &text) == Some(secret.clone())
                })
            };
            let mut offsets = secret.clone();
            example.free = offsets.find(is_free).unwrap_or(secret.end);
            examples.push(example);
        }
    }
    let mut input = String::new();
    let mut documents = Vec::new();
    for number in 0..DOCUMENTS {
        let example = &examples[number % examples.len()];
        let wrapping = number / examples.len() % WRAPPINGS;
        let kind = match ids[example.rule].as_str() {
            "private-key-openssh" => "OPENSSH PRIVATE KEY",
            "private-key-pem" => *rng.pick(&["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"]),
            "private-key-pgp" => "PGP PRIVATE KEY BLOCK",
            "private-key-putty" => "PuTTY",
            _ => "",
        };
        let (text, secret) = if kind.is_empty() {
            // A variation can be wrong in rare cases: some formats have no digit 1.
            let secret = Some(example.secret.clone());
            let variations = (0..100).map(|_| vary(example, example.free, rng));
            let text = { variations }
                .find(|text| find(&mut scanner, example.rule, text) == secret)
                .unwrap_or_else(|| example.text.clone());
            let secret = text[example.secret.clone()].to_owned();
            (text, secret)
        } else {
            let key = key(kind, rng);
            (key.clone(), key)
        };
        let (before, text, after) = wrap(wrapping, &text);
        write!(input, "=== {number} ===\n{before}{text}{after}").unwrap();
        documents.push((example.rule, wrapping, before, text, after, secret));
    }
    let run = Tree::new().pipe(["redact"], &input);
    assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""));
    let mut rest = run.stdout.as_str();
    let mut wrong = Vec::new();
    for (number, (rule, wrapping, before, text, after, secret)) in documents.iter().enumerate() {
        rest = rest.strip_prefix(&*format!("=== {number} ===\n")).expect("a document is missing");
        let end = rest.find(&format!("=== {} ===\n", number + 1)).unwrap_or(rest.len());
        let found;
        (found, rest) = rest.split_at(end);
        let value = found.strip_prefix(&**before).and_then(|found| found.strip_suffix(&**after));
        let is_right = value.is_some_and(|value| is_redacted(text, value));
        // Parts that no escape changes.
        let mut parts: Vec<&str> = secret.split(|c: char| !c.is_ascii_alphanumeric()).collect();
        parts.retain(|part| part.len() >= 12);
        if parts.is_empty() {
            parts.push(secret);
        }
        if !is_right || parts.iter().any(|part| found.contains(part)) {
            wrong.push(format!("{} in {wrapping}: {before}{text}{after}{found}", ids[*rule]));
        }
    }
    assert_eq!(rest, "");
    assert!(
        wrong.is_empty(),
        "{} documents:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(20)].join("\n")
    );
}
