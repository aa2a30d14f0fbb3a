//! Edges of the contract: empty sets, records and matches, the ends of records and lines, bytes that
//! are not UTF-8, and the effect of each flag.

use std::ops::Range;

use super::case::{Case, one};
use dragnet_testkit::Rng;

const CONTRACT: &str = "the contract";
const REVIEW: &str = "a review of the prefilter";

pub(crate) fn cases() -> Vec<Case> {
    [
        empty(),
        boundaries(),
        anchors(),
        bytes(),
        words(),
        folding(),
        repeats(),
        flags(),
        order(),
        overlaps(),
        record_starts(),
    ]
    .concat()
}

fn empty() -> Vec<Case> {
    vec![
        Case::new("no patterns", CONTRACT).records(["", "a", "ab"]).finds([]),
        Case::new("no records", CONTRACT).patterns("", ["", "a", "^$"]).finds([]),
        Case::new("no patterns and no records", CONTRACT).finds([]),
        Case::new("an empty pattern", CONTRACT)
            .patterns("", ["", "(?:)", "|a", "a|"])
            .records(["", "a", "é"])
            .finds([
                (0, 0, 0..0),
                (0, 1, 0..0),
                (0, 2, 0..0),
                (0, 3, 0..0),
                (1, 0, 0..0),
                (1, 0, 1..1),
                (1, 1, 0..0),
                (1, 1, 1..1),
                (1, 2, 0..0),
                (1, 2, 1..1),
                (1, 3, 0..1),
                // The empty pattern also matches between the bytes of the character.
                (2, 0, 0..0),
                (2, 0, 1..1),
                (2, 0, 2..2),
                (2, 1, 0..0),
                (2, 1, 1..1),
                (2, 1, 2..2),
                (2, 2, 0..0),
                (2, 2, 1..1),
                (2, 2, 2..2),
                (2, 3, 0..0),
                (2, 3, 1..1),
                (2, 3, 2..2),
            ]),
        Case::new("only empty records", CONTRACT)
            .patterns("", ["^$", "a", r"\b", r"\B", r"\A\z"])
            .records([""; 3])
            .finds((0..3).flat_map(|r| [(r, 0, 0..0), (r, 3, 0..0), (r, 4, 0..0)])),
        one("patterns that never match", CONTRACT, "", r"[a&&b]|a\bb|$a", "ab\na", &[]),
        Case::new("empty records around one that is not", CONTRACT)
            .patterns("", ["a*", "$"])
            .records(["", "aab", ""])
            .finds([
                (0, 0, 0..0),
                (0, 1, 0..0),
                (1, 0, 0..2),
                (1, 0, 3..3),
                (1, 1, 3..3),
                (2, 0, 0..0),
                (2, 1, 0..0),
            ]),
    ]
}

/// Records abut in the buffer; no search may look past their edges.
fn boundaries() -> Vec<Case> {
    vec![
        Case::new("a match across two records", CONTRACT)
            .patterns("", ["ab", "a.*b", "(?s)a.*b", "secret", "[a-c]{2}"])
            .records(["a", "b", "sec", "ret", "secre", "t", "", "c"])
            .finds([]),
        Case::new("a literal across three records", CONTRACT)
            .patterns("i", ["abcdefghi"])
            .records(["abc", "def", "ghi", "abcdefgh", "iabcdefghi"])
            .finds([(4, 0, 1..10)]),
        Case::new("anchors see the record", CONTRACT)
            .patterns("", ["^b", "b$", r"\Ab\z"])
            .records(["ab", "b", "ba"])
            .finds([(0, 1, 1..2), (1, 0, 0..1), (1, 1, 0..1), (1, 2, 0..1), (2, 0, 0..1)]),
        Case::new("word boundaries see the record", CONTRACT)
            .patterns("", [r"\bb", r"b\b", r"\Bb"])
            .patterns("-u", [r"\bb", r"b\b", r"\Bb"])
            .records(["a", "b", "a"])
            .finds([(1, 0, 0..1), (1, 1, 0..1), (1, 3, 0..1), (1, 4, 0..1)]),
        Case::new("a character cut by the edge", CONTRACT)
            .patterns("", ["é", ".", r"\w"])
            .patterns("-u", ["é", "."])
            .records([&b"\xC3"[..], b"\xA9", b"\xC3\xA9"])
            .finds([
                (0, 4, 0..1),
                (1, 4, 0..1),
                (2, 0, 0..2),
                (2, 1, 0..2),
                (2, 2, 0..2),
                (2, 3, 0..2),
                (2, 4, 0..1),
                (2, 4, 1..2),
            ]),
        Case::new("a run across many records", CONTRACT)
            .patterns("-u", ["a{20}", "a+$", "^a+"])
            .records(vec!["a".repeat(7); 9])
            .finds((0..9).flat_map(|r| [(r, 1, 0..7), (r, 2, 0..7)])),
    ]
}

fn anchors() -> Vec<Case> {
    let spans = |starts: &[usize]| -> Vec<Range<usize>> { starts.iter().map(|&s| s..s).collect() };
    vec![
        one("$ is not before a last line end", CONTRACT, "", "a$", "a\n", &[]),
        one("$ is before a last line end with m", CONTRACT, "m", "a$", "a\n", &[0..1]),
        one(
            "line starts, one of them after the last line end",
            CONTRACT,
            "m",
            "^",
            "a\nb\n",
            &spans(&[0, 2, 4]),
        ),
        one("line ends", CONTRACT, "m", "$", "a\nb\n", &spans(&[1, 3, 4])),
        one("empty lines", CONTRACT, "m", "^$", "\n\na\n", &spans(&[0, 1, 4])),
        one("\\r\\n is no line end without R", CONTRACT, "m", "a$", "a\r\n", &[]),
        one("\\r\\n is a line end with R", CONTRACT, "mR", "a$", "a\r\n", &[0..1]),
        one("no line start between \\r and \\n", CONTRACT, "mR", "^|$", "\r\n", &spans(&[0, 2])),
        one(
            "\\r and \\n alone are line ends with R",
            CONTRACT,
            "mR",
            "^a$",
            "a\ra\na",
            &[0..1, 2..3, 4..5],
        ),
        one("dot stops at both with R", CONTRACT, "R", ".+", "a\rb\nc", &[0..1, 2..3, 4..5]),
        one("dot stops only at \\n without R", CONTRACT, "", ".+", "a\rb\nc", &[0..3, 4..5]),
        one(
            "\\A and \\z are text ends even with m",
            CONTRACT,
            "m",
            r"\Aa|a\z",
            "a\na\na",
            &[0..1, 4..5],
        ),
        one("anchors in alternatives", CONTRACT, "", "^a|b$|c", "abcb", &[0..1, 2..3, 3..4]),
        one("a start in one alternative", CONTRACT, "", "(?:a|^)b", "bab", &[0..1, 1..3]),
        one("an end in one alternative", CONTRACT, "", "a(?:b|$)", "aaba", &[1..3, 3..4]),
        one("starts repeated", CONTRACT, "", "(?:^)*a", "aa", &[0..1, 1..2]),
    ]
}

fn bytes() -> Vec<Case> {
    let mut cases = every_byte();
    cases.extend([
        one("NULs", CONTRACT, "", r"\x00+", b"\0a\0\0", &[0..1, 2..4]),
        one("a dot matches no invalid byte", CONTRACT, "", ".", b"\xFFa\x80\xC3", &[1..2]),
        one(
            "a dot matches any byte without Unicode",
            CONTRACT,
            "-u",
            ".",
            b"\xFFa\n\x80",
            &[0..1, 1..2, 3..4],
        ),
        one("a byte above ASCII", CONTRACT, "-u", r"\xFF+", b"\xFE\xFF\xFF", &[1..3]),
        one("half a character", CONTRACT, "-u", r"\xC3", "é".as_bytes(), &[0..1]),
        one("a code point above ASCII", CONTRACT, "", r"\xFF", "\u{FF}\u{FE}", &[0..2]),
        one("a negated class, Unicode", CONTRACT, "", "[^a]", b"a\xC3\xA9\xFF", &[1..3]),
        one(
            "a negated class, bytes",
            CONTRACT,
            "-u",
            "[^a]",
            b"a\xC3\xA9\xFF",
            &[1..2, 2..3, 3..4],
        ),
        one("no word characters, bytes", CONTRACT, "-u", r"\W+", b"a\xC3\xA9\xFFb", &[1..4]),
        one("overlong and surrogate forms", CONTRACT, "s", ".", b"\xC0\x80\xED\xA0\x80\xF5", &[]),
    ]);
    cases
}

/// Each byte as a pattern, in sets of 32: libhs takes minutes to compile one set of them all.
fn every_byte() -> Vec<Case> {
    let all: Vec<u8> = (0..=255).collect();
    let patterns = |start: usize| (start..start + 32).map(|byte| format!(r"\x{byte:02X}"));
    (0..256)
        .step_by(32)
        .map(|start| {
            Case::new(format!("the bytes from {start}"), CONTRACT)
                .patterns("-u", patterns(start))
                .records([&all])
                .finds((0..32).map(|n| (0, n, start + n..start + n + 1)))
        })
        .chain([Case::new("bytes, caseless", CONTRACT)
            .patterns("i-u", patterns(0x60).chain(patterns(0xC0)))
            .records([&all])])
        .collect()
}

fn words() -> Vec<Case> {
    vec![
        one(
            "word boundaries at letters beyond ASCII",
            CONTRACT,
            "",
            r"\bé\b",
            "é éa aé -é-",
            &[0..2, 12..14],
        ),
        one(
            "letters beyond ASCII are no word characters without Unicode",
            CONTRACT,
            "-u",
            r"\ba\b",
            "éaé",
            &[2..3],
        ),
        one(
            "letters beyond ASCII are word characters in Unicode",
            CONTRACT,
            "",
            r"\ba\b",
            "éaé a",
            &[6..7],
        ),
        one("a word boundary at an invalid byte", CONTRACT, "", r"a\b", b"a\xFF", &[0..1]),
        one("neither kind of boundary beside an invalid byte", CONTRACT, "", r"\B", b"a\xC3", &[]),
        one("word starts", CONTRACT, "", r"\b{start}", "é a", &[0..0, 3..3]),
        one("word ends", CONTRACT, "", r"\b{end}", "é a", &[2..2, 4..4]),
        one("half word starts", CONTRACT, "-u", r"\b{start-half}-", "a-b--", &[4..5]),
        one("half word ends", CONTRACT, "-u", r"-\b{end-half}", "a-b--", &[3..4, 4..5]),
        one("a number between words", CONTRACT, "-u", r"\b\d+\b", "12 a34 56b 78", &[0..2, 11..13]),
        one("digits beyond ASCII", CONTRACT, "", r"\d+", "1٣७x", &[0..6]),
        one("white space beyond ASCII", CONTRACT, "", r"\s+", "a\u{2003}\u{85}b", &[1..6]),
    ]
}

fn folding() -> Vec<Case> {
    vec![
        one("k is the Kelvin sign", CONTRACT, "i", "k", "kK\u{212A}", &[0..1, 1..2, 2..5]),
        one("the Kelvin sign is k", CONTRACT, "i", "\u{212A}", "kK\u{212A}", &[0..1, 1..2, 2..5]),
        one("s is long s", CONTRACT, "i", "s", "sSſ", &[0..1, 1..2, 2..4]),
        one(
            "k and s fold only in ASCII without Unicode",
            CONTRACT,
            "i-u",
            "[ks]",
            "K\u{212A}Sſ",
            &[0..1, 4..5],
        ),
        one("a word with k and s", CONTRACT, "i", "kiss", "\u{212A}iſS kis", &[0..7]),
        one("folding in a class", CONTRACT, "i", "[k-s]+", "\u{212A}ſz", &[0..5]),
        one("three sigmas", CONTRACT, "i", "σ+", "Σσς", &[0..6]),
        one("sharp s", CONTRACT, "i", "ß", "ßẞss", &[0..2, 2..5]),
        one("no folding beyond ASCII without Unicode", CONTRACT, "i-u", "é", "Éé", &[2..4]),
        one("folding in a negated class", CONTRACT, "i", "[^k]", "K\u{212A}x", &[4..5]),
        one(
            "folding in a part of a pattern",
            CONTRACT,
            "",
            "a(?i)b(?-i:c)",
            "abc aBc aBC ABc",
            &[0..3, 4..7],
        ),
        Case::new("every ASCII letter", CONTRACT)
            .patterns("i-u", ('a'..='z').map(String::from))
            .records(["ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "@[`{"])
            .finds((0..2).flat_map(|r| (0..26).map(move |p| (r, p, p..p + 1)))),
    ]
}

fn repeats() -> Vec<Case> {
    let runs = [0, 999, 1000, 1001, 2000];
    vec![
        one("zero times", CONTRACT, "", "ab{0}c", "abc ac", &[4..6]),
        one("zero to zero times", CONTRACT, "", "ab{0,0}c", "abc ac", &[4..6]),
        one("zero times, alone", CONTRACT, "", "a{0}", "a", &[0..0, 1..1]),
        one("at most twice", CONTRACT, "", "a{0,2}b", "aaab", &[1..4]),
        one("a lazy count", CONTRACT, "", "a{2,3}?", "aaaaa", &[0..2, 2..4]),
        one("a greedy count", CONTRACT, "", "a{2,3}", "aaaaa", &[0..3, 3..5]),
        Case::new("a thousand times", CONTRACT)
            .patterns("-u", ["a{1000}", "a{1000,}", "^a{999,1000}$"])
            .records(runs.map(|run| "a".repeat(run))),
        one(
            "counts of counts",
            CONTRACT,
            "-u",
            "(?:(?:a{2}){3}){4}",
            "a".repeat(49),
            &[0..24, 24..48],
        ),
        one("a count of what may be empty", CONTRACT, "", "(?:a?){3}b", "aaaab", &[1..5]),
        one(
            "an unbounded repetition of what may be empty",
            CONTRACT,
            "",
            "(?:a*)*b",
            "aab",
            &[0..3],
        ),
        one("empty alternatives", CONTRACT, "", "(?:|a)+", "aa", &[0..0, 1..1, 2..2]),
        one("a repeated assertion", CONTRACT, "", r"(?:\b){3}a", "a ba", &[0..1]),
        one(
            "repeated words with a gap between them",
            CONTRACT,
            "-u",
            r"(?:ab ?){2,3}",
            "ab abab ab",
            &[0..8],
        ),
        Case::new("unbounded on either side", CONTRACT)
            .patterns("s-u", [".*a.*", ".*?a.*?", ".+a", "a.+"])
            .records(["", "a", "ba", "ab", "a\nb", "bab\nbab"]),
        Case::new("alternatives where the first wins", CONTRACT)
            .patterns("", ["a|ab", "ab|a", "a??b?", "(?:a|ab)(?:c|bcd)"])
            .records(["ab", "abcd", "a"])
            .finds([
                (0, 0, 0..1),
                (0, 1, 0..2),
                (0, 2, 0..0),
                (0, 2, 1..2),
                (1, 0, 0..1),
                (1, 1, 0..2),
                (1, 2, 0..0),
                (1, 2, 1..2),
                (1, 2, 3..3),
                (1, 2, 4..4),
                (1, 3, 0..4),
                (2, 0, 0..1),
                (2, 1, 0..1),
                (2, 2, 0..0),
                (2, 2, 1..1),
            ]),
    ]
}

/// Each flag, off in pattern 0 and on in pattern 1, with a record that tells them apart.
fn flags() -> Vec<Case> {
    type Spans<'a> = &'a [Range<usize>];
    let rows: [(&str, &str, &str, Spans<'_>, Spans<'_>); 7] = [
        ("i", "aB", "aB Ab AB", &[0..2], &[0..2, 3..5, 6..8]),
        ("m", "^a$", "a\na", &[], &[0..1, 2..3]),
        ("s", "a.b", "a\nb a-b", &[4..7], &[0..3, 4..7]),
        ("x", "a b # c", "ab a b # c", &[3..10], &[0..2]),
        ("R", "a.", "a\rab", &[0..2, 2..4], &[2..4]),
        ("U", "a+", "aaa", &[0..3], &[0..1, 1..2, 2..3]),
        ("-u", r"\w+", "aé", &[0..3], &[0..1]),
    ];
    rows.into_iter()
        .map(|(flag, pattern, record, off, on)| {
            let spans = off.iter().map(|span| (0, 0, span.clone()));
            Case::new(format!("the flag {flag}"), CONTRACT)
                .patterns("", [pattern])
                .patterns(flag, [pattern])
                .records([record])
                .finds(spans.chain(on.iter().map(|span| (0, 1, span.clone()))))
        })
        .collect()
}

fn order() -> Vec<Case> {
    vec![
        Case::new("by record, pattern, start", CONTRACT)
            .patterns("", ["c", "b", "a", "abc"])
            .records(["abcabc", "", "cba"])
            .finds([
                (0, 0, 2..3),
                (0, 0, 5..6),
                (0, 1, 1..2),
                (0, 1, 4..5),
                (0, 2, 0..1),
                (0, 2, 3..4),
                (0, 3, 0..3),
                (0, 3, 3..6),
                (2, 0, 0..1),
                (2, 1, 1..2),
                (2, 2, 2..3),
            ]),
        Case::new("a pattern several times in the set", CONTRACT)
            .patterns("", ["ab+", "x", "ab+", "ab+"])
            .patterns("i", ["ab+"])
            .records(["abb", "AB"])
            .finds([(0, 0, 0..3), (0, 2, 0..3), (0, 3, 0..3), (0, 4, 0..3), (1, 4, 0..2)]),
        Case::new("patterns with and without literals in turn", CONTRACT)
            .patterns("", [r"\w", "secret", r"\d$", "key=[a-z]+", "", "[ab]{2}"])
            .records(["key=ab secret1", "", "2"]),
        Case::new("literals within literals", CONTRACT)
            .patterns("", ["abcd", "bc", "abc", "c", "bcd", "cd", "a"])
            .records(["abcd", "bcdabc", "abcabcd"]),
    ]
}

/// Literals that overlap themselves or contain each other, next to unbounded parts. An engine that
/// skipped a candidate because it overlaps the previous one would miss a match.
fn overlaps() -> Vec<Case> {
    let mut rng = Rng::new(1);
    // With 300 literals, the engine searches for parts of four bytes (q-grams).
    let words: Vec<String> = (0..300)
        .map(|_| (0..12).map(|_| char::from(b'a' + rng.below(26) as u8)).collect())
        .collect();
    // The longer literal contains `xq7ZK`, which also occurs up to 39 times before it.
    let nested = (0..40).map(|n| {
        let dots = ".".repeat(5000);
        format!("{}eeeeeexq7ZKeeeeeeJQXZ{dots}#", "xq7ZK".repeat(n))
    });
    vec![
        Case::new("a literal that overlaps itself, among many", REVIEW)
            .patterns(
                "",
                [
                    "x.*ZQXJeZQXJeZQXJeZQX[0-9]{3}",
                    "[0-9]{3}ZQXJeZQXJeZQXJeZQX.*y",
                    "[0-9]{3}ZQXJeZQXJeZQXJeZQX[0-9]{3}",
                ],
            )
            .patterns("", words)
            .records(["x 123ZQXJeZQXJeZQXJeZQXJeZQXJeZQX123 y"])
            .finds([(0, 0, 0..36), (0, 1, 2..38)]),
        Case::new("a literal in a literal of the same pattern", REVIEW)
            .patterns("", ["(?:xq7ZK.*!|eeeeeexq7ZKeeeeeeJQXZ.*#)"])
            .records(nested)
            .finds((0..40).map(|n| (n, 0, 5 * n..5 * n + 5022))),
    ]
}

/// Patterns that match only at the start of a record, found by what is later in it.
fn record_starts() -> Vec<Case> {
    let shared = (0..80).map(|n| format!("^3[a-z]*: .*qzvxLogin(?:{}[0-9]|$)", n % 10));
    // Their DFA takes over after 32,768 verifications, 400 in each repetition, each of which is scanned in several
    // layouts.
    let hits: [&str; 8] = [
        "3: qzvxLogin qzvxLogin qzvxLogin7 qzvxLogin8",
        "3: qzvxLogin",
        "3abc: qzvxLogi qzvxLogin qzvxLogin99",
        "qzvxLogin qzvxLogin",
        " 3: qzvxLogin9",
        "3: qzvxLogin11 qzvxLogin22",
        "39: qzvxLogin qzvxLogin",
        "3: qzvxLogin01",
    ];
    let hits = || std::iter::repeat_n(hits, 30).flatten();
    let start_in_tail =
        ["v", "w", "x", "y", "z"].map(|first| format!(r"(?-u:(?:{first}|\B)^QZXJ)"));
    vec![
        Case::new("literals in the middle and at the end of records", REVIEW)
            .patterns(
                "",
                [
                    "^[a-z]+: .*qzvx[0-9]",
                    "^(?:a|bc)?[0-9]{0,40}qzvx",
                    "^[^;]*;(?:[^;]*;)*qzvx$",
                    "^[0-9][0-9]:[0-9][0-9] [a-z]+$",
                    "^[a-f0-9]{32} .*x",
                    "^(?s:.)*[0-9a-f]{40}",
                    "(?:^a|^b).*qzvx",
                    "^a*?^b.*qzvx",
                    "^.*: ",
                    "x^.*qzvx",
                    "^qzvx$.",
                    "(?:^|;)qzvx",
                    "(?m)^qzvx",
                ],
            )
            .records([
                "",
                "q",
                "ab: qzvx qzvx0 qzvx1",
                "ab: qzvx",
                "AB: qzvx0",
                "bc12qzvx qzvx",
                "bqzvx qzvx",
                "a;b;qzvx;;qzvx",
                "12:34 abc",
                " 12:34 abc",
                "0123456789abcdef0123456789abcdef - x",
                "-0123456789abcdef0123456789abcdef01234567",
                "aab qzvx qzvx",
                "qzvx\nqzvx;qzvx",
                ": : é: ",
            ]),
        Case::new("a literal shared by many that start alike", REVIEW)
            .patterns("", shared.chain(["qzvxLogin".to_owned(), "^39.*qzvxLogin[0-9]".to_owned()]))
            .records(hits()),
        Case::new("a shared literal, with `^` in the tail and a head before it", REVIEW)
            .patterns("", start_in_tail)
            .records(["QZXJ", "vQZXJ", "v", ""])
            .finds([]),
    ]
}
