//! The native engine agrees with the oracle about every pattern.

use proptest::prelude::*;

use dragnet_testkit::{Case, case, config, drawn, patterns};

use super::{ascii, batch_of, check, is_refused};

proptest! {
    // `config` reduces this to 40 cases with libhs, because compiling the patterns takes most of the time.
    #![proptest_config(config(480))]

    #[test]
    fn random_patterns_agree(case in drawn(|choices| case(choices, patterns, 1))) {
        if !is_refused() {
            let Case { specs, batches } = case;
            for records in batches {
                check(&specs, &batch_of(records.iter().map(Vec::as_slice)).as_batch());
            }
        }
    }
}

/// Patterns that libhs would understand differently, or refuse, if they were passed to it as they
/// are. Each is scanned for in each record, alone and together with all others.
#[test]
fn patterns_that_libhs_defines_differently_agree() {
    if is_refused() {
        return;
    }
    let patterns = ascii([
        // Without multi-line mode `$` matches only at the end of the record. In libhs it also
        // matches before a final line feed.
        "a$",
        "a$|b",
        r"a\z",
        r"(?:a|\n)$",
        "(?m:a$)",
        "(?m:$)a",
        r"(?m:\n$)",
        r"(?:$|a)b",
        // `(?m:^)` matches after a final line feed. In libhs it does not.
        "(?m:^)a",
        r"\n(?m:^)",
        r"(?m:^\z)",
        r"(?m:^|a)b",
        r"(?:(?m:^)a|b\n)+",
        "a(?m:^)",
        // libhs refuses end anchors inside a pattern, and patterns that can never match.
        r"a$b",
        r"a\zb|c",
        r"(?:a\z)+b",
        "a^b",
        r"[^\x00-\xff]",
        "[^\\s\\S]a",
        r"\b\Ba",
        // Bytes that are not UTF-8, and code points as bytes.
        r"\xff",
        r"[\x80-\xff]+a",
        r"[^a]",
        r".\x00",
        r"\x00\n",
        r"(?s:.)\xff",
        "(?u:\u{e9})",
        "(?u:[^a]a)",
        "(?u:.\\xff|.a)",
        "(?u:[\u{e0}-\u{20ac}]{2})",
        "(?iu:\u{c9}a|k)",
        r"(?u:\p{Sm})",
        r"(?u:\w\b)",
        // Counted repeats.
        "a{3}",
        "(?:ab){2,}?",
        "[ab]{40,}",
        "(?:a|b.){3,5}c",
        "a{33000}",
        "(?:a{500}b){20}",
        // Assertions.
        r"\bab\b",
        r"\Bb",
        r"a\B",
        r"\b\b\ba",
        r"(?:\b|-)a",
        r"a(?:\b)*b",
        r"(?:\z)*a",
        r"(?:^)+a",
        r"(?:\A|b)*a\z",
        r"\b{start}a",
        r"a\b{end}",
        r"\b{start-half}b",
        r"b\b{end-half}",
        "(?Rm:^a)",
        "(?Rm:b$)",
        "(?Rm:$)\\r",
        r"(?R:.)+b",
        // The empty string.
        "",
        "a*",
        "(?:a|)",
        r"\b",
        r"\z",
        "^",
        "(?m:^)",
        "(?m:$)",
        r"\B",
        "()",
        "a??",
        // Inline flags.
        "(?i:ab)c",
        "(?i)a(?-i)b",
        "(?s:a.b)",
        "a.b",
        "(?x: a b # c\n)",
        "(?U:a+b+?)",
        // Literals that look like syntax.
        r"\.\*\(\?\[\]\{\}\|\\\^\$/'#",
        r"\(\*UTF8\)a",
        r"(?:\(\?i\))a",
        "\x07\x1b\t",
    ]);
    let records: [&[u8]; 36] = [
        b"",
        b"a",
        b"b",
        b"a\n",
        b"\n",
        b"\n\n",
        b"ab",
        b"ab\n",
        b"a\nb",
        b"b\na",
        b"\na\n",
        b"aab",
        b"ba",
        b"b\n\na",
        b"a\r\nb\r\n",
        b"\r\nab",
        b"\r",
        b"\xff",
        b"\xffa",
        b"a\xff",
        b"\xc3\xa9",
        b"\xc3\xa9a",
        b"\xc3",
        b"\xe2\x82\xac\xc3\xa9",
        b"\xe2\x89\xa0",
        b"\0",
        b"\0\n",
        b"a\0\n",
        b"abab",
        b"aaa-ab",
        b"- a b",
        b"ABc aBC",
        b"\xe2\x84\xaa",
        b"caa\nbab\n--b",
        br".*(?[]{}|\^$/'#(*UTF8)a(?i)a",
        b"\x07\x1b\t",
    ];
    let long = [b"ab".repeat(30), b"a".repeat(1_500), [b'a'; 500].repeat(3)].map(|mut record| {
        record.push(b'b');
        record
    });
    let batch = batch_of(records.into_iter().chain(long.iter().map(Vec::as_slice)));
    check(&patterns, &batch.as_batch());
    for pattern in patterns {
        check(&[pattern], &batch.as_batch());
    }
}
