//! Tests of what is hidden. That it is the same in streams is a property in `tests/answers/streams.rs`.

use std::io;

use super::hide::MIN_MERGE;
use super::*;
use crate::reader::AcrossLines;
use crate::{Combinations, Engine, Pattern, Report, Scanner};

fn scanner(set: &PatternSet) -> Scanner {
    Engine::new(set, Report::Spans).scanner().unwrap()
}

fn set(patterns: &[(&str, &str)]) -> PatternSet {
    PatternSet::new(patterns.iter().map(|(name, regex)| Pattern::new(*regex).name(*name))).unwrap()
}

#[test]
fn overlapping_matches_are_hidden_together_under_the_first() {
    type Patterns<'a> = &'a [(&'a str, &'a str)];
    let cases: [(Patterns<'_>, &str, &str); 8] = [
        (&[("a", "x")], "", ""),
        (&[("a", "bc"), ("b", "cde")], "abcdef", "a<a>f"),
        (&[("b", "cde"), ("a", "bc")], "abcdef", "a<a>f"),
        (&[("a", "bc"), ("b", "bcd"), ("c", "def")], "abcdefg", "a<b>g"),
        (&[("a", "bc"), ("b", "bc")], "abcd", "a<a>d"),
        (&[("a", "b"), ("b", "c")], "abcd", "a<a><b>d"),
        (&[("a", "a.*f"), ("b", "b"), ("c", "d")], "abcdefg", "<a>g"),
        (&[("a", "x*"), ("b", "c")], "abcd", "ab<b>d"),
    ];
    for (patterns, text, expected) in cases {
        let set = set(patterns);
        let mut redactor = Redactor::new(&set).replacement(Replacement::with(|hidden, out| {
            out.extend(format!("<{}>", hidden.name().unwrap()).bytes());
        }));
        let found = redactor.redact(&mut scanner(&set), text.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(found).unwrap(), expected, "{patterns:?}");
    }
}

#[test]
fn many_matches_of_a_record_are_merged_as_they_come() {
    let set = set(&[("a", "a"), ("b", "b"), ("c", "[ab]"), ("d", "b+c"), ("e", "ca+")]);
    let redactor = || {
        Redactor::new(&set).replacement(Replacement::with(|hidden, out| {
            out.extend(format!("<{} {}>", hidden.name().unwrap(), hidden.is_merged()).bytes());
        }))
    };
    let text = "aabbcaa-".repeat(MIN_MERGE / 2);
    let expected = "<a true><a true><d true>-".repeat(MIN_MERGE / 2);
    let mut out = Vec::new();
    let lines = ReaderScan::lines();
    redactor().redact_reader(&lines, text.as_bytes(), &mut scanner(&set), &mut out).unwrap();
    assert_eq!(out.len(), expected.len());
    assert!(out == expected.as_bytes());
    assert!(redactor().redact(&mut scanner(&set), text.as_bytes()).unwrap() == out);
}

#[test]
fn no_byte_of_an_overlapped_match_is_kept() {
    let set = set(&[("a", "ab*c"), ("b", "cd+")]);
    let mut redactor = Redactor::new(&set).replacement(Replacement::keep_last(1));
    let mut redact = |text: &str| redactor.redact(&mut scanner(&set), text.as_bytes()).unwrap();
    assert_eq!(redact("-abc-cd-"), b"-****c-****d-");
    assert_eq!(redact("-abcdd-"), b"-****-");
}

#[test]
fn records_of_a_batch_stay_records() {
    let set = set(&[("a", "a+"), ("b", "^$")]);
    let mut records = BatchBuf::new();
    for record in [&b"a-aa"[..], b"", b"b", b"a"] {
        records.push(record).unwrap();
    }
    let mut redactor = Redactor::new(&set).pattern_replacement(0, Replacement::text("X"));
    let mut out = BatchBuf::new();
    redactor.redact_batch(&mut scanner(&set), &records.as_batch(), &mut out).unwrap();
    assert_eq!(out.as_batch().iter().collect::<Vec<_>>(), [&b"X-X"[..], b"", b"b", b"X"]);
}

#[test]
fn combinations_hide_nothing_of_their_own() {
    let set = set(&[("a", "a"), ("b", "b")]);
    let combinations = Combinations::new(&set, [("both", "a and b")]).unwrap();
    let mut scanner = combinations.scanner(scanner(&set));
    let redacted = Redactor::new(&set).redact(&mut scanner, b"-a-b-").unwrap();
    assert_eq!(redacted, b"-[REDACTED:a]-[REDACTED:b]-");
}

#[test]
fn a_scanner_without_spans_is_an_error() {
    let set = set(&[("a", "a")]);
    let mut scanner = Engine::new(&set, Report::Patterns).scanner().unwrap();
    let mut redactor = Redactor::new(&set);
    let error = redactor.redact(&mut scanner, b"a").unwrap_err();
    assert!(matches!(error, RedactError::NoSpans), "{error}");
    let mut out = Vec::new();
    let error = redactor
        .redact_reader(&ReaderScan::lines(), &b"a"[..], &mut scanner, &mut out)
        .unwrap_err();
    assert!(matches!(error, RedactError::NoSpans), "{error}");
    assert_eq!(out, b"");
}

/// Fails after some bytes.
struct Limited {
    written: Vec<u8>,
    limit: usize,
}

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(self.limit - self.written.len());
        self.written.extend_from_slice(&bytes[..count]);
        if count == 0 { Err(io::Error::other("full")) } else { Ok(count) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_is_written_before_an_error_is_the_start_of_the_output() {
    let set = set(&[("a", "a+"), ("b", "b+\nb+")]);
    let across = AcrossLines::new(&set, 2);
    let text = b"-aa-\n-a-bbb\nbbb-\n-\n-bb\nbb\n\n\n\n\n--a";
    for settings in [ReaderScan::lines(), ReaderScan::across_lines(&across)] {
        let mut redactor = Redactor::new(&set).replacement(Replacement::text("XX"));
        let mut whole = Vec::new();
        redactor.redact_reader(&settings, &text[..], &mut scanner(&set), &mut whole).unwrap();
        for limit in 0..whole.len() {
            let mut writer = Limited { written: Vec::new(), limit };
            let error = redactor
                .redact_reader(&settings, &text[..], &mut scanner(&set), &mut writer)
                .unwrap_err();
            assert!(matches!(error, RedactError::Write(_)), "{error}");
            assert_eq!(writer.written, whole[..limit]);
        }
        // An error of the reader after each byte of the text.
        for len in 0..text.len() {
            let mut written = Vec::new();
            let reader = text[..len].chain(Broken);
            let error = redactor
                .redact_reader(&settings, reader, &mut scanner(&set), &mut written)
                .unwrap_err();
            assert!(matches!(error, RedactError::Read(_)), "{error}");
            assert!(whole.starts_with(&written), "{len}: {}", written.escape_ascii());
        }
    }
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("broken"))
    }
}
