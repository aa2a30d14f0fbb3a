//! Bugs that random tests found in dragnet itself, shrunk. They are tested in every run, because
//! the generator may not find them again.

use super::case::Case;

const SOURCE: &str = "a random test of dragnet";

/// A case of patterns with flags, and records.
type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [&'a [u8]]);

pub(crate) fn cases() -> Vec<Case> {
    let rows: [Row<'_>; 7] = [
        (
            "a repeated repeat of a class beyond ASCII",
            &[("", "(?:(?:(?u:[a-cé])){2,}){3,}")],
            &["ébébaabbéébébéabébcbb".as_bytes()],
        ),
        (
            "a class beyond ASCII at least 8 times, after empty records",
            &[("", "(?:(?u:[a-cé])){8,}")],
            &[b"", b"", b"", b"", b"", b"", b"", b"", b"", b"", b"", "ééébééééaé".as_bytes()],
        ),
        (
            "a class before a caseless literal that repeats",
            &[("i", "(?:[a-f0-9])(?:ca){3,}")],
            &[b"0cAcaCaCa", b"", b"", b"", b"", b"", b"", b"", b"", b"", b"", b""],
        ),
        (
            "a caseless literal of 33 bytes",
            &[(
                "i",
                r"a\x20\x20\x20\x20aaa\x20\x20a\x20\x20aa\x20\x20aa\x20aa\x20\x20a\x20a\x20a\x20\x20\x20\x20",
            )],
            &[b"A    aAa  a  aA  Aa AA  a a A    "],
        ),
        (
            "a long caseless literal among short ones",
            &[
                ("", "A"),
                ("", "a"),
                ("", "a"),
                ("", "A"),
                (
                    "i",
                    r"\x20\x20aa\x20aa\x20\x20a\x20\x20\x20\x20\x20a\x20\x20\x20a\x20a\x20aa\x20\x20\x20aa\x20\x20\x20",
                ),
                ("", "A"),
            ],
            &[b"  Aa Aa  a     a   A A aA   Aa   "],
        ),
        (
            "a class at least 15 times, in records that almost have it",
            &[("", "(?:(?-u:[a-b])){15,}")],
            &[
                b"aaaa\x00babbbbabaabba a",
                b"",
                b"",
                b"",
                b"",
                b"",
                b"",
                b"",
                b"ababbbabbbbbbbbaab",
                b"",
            ],
        ),
        (
            "a repeated alternation of which a part never matches",
            &[("", "(?:|[a&&b]|b)*"), ("", "(?:|([a&&b])|b)*"), ("", "(?:[a&&b]{0,2}|b)*?b")],
            &[b"bbbb", b"b\nab"],
        ),
    ];
    rows.into_iter()
        .map(|(name, patterns, records)| {
            patterns
                .iter()
                .fold(Case::new(name, SOURCE), |case, (flags, regex)| {
                    case.patterns(flags, [*regex])
                })
                .records(records)
        })
        .collect()
}
