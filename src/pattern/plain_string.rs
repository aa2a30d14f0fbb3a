//! Parses patterns that are plain strings, as most in lists of words, host names and user agents are.
//!
//! Without this, the parser of `regex-syntax` takes 0.25 µs for each byte of a case-insensitive string, more than half
//! of the time to build an engine for thousands of them.

use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, ClassUnicode, ClassUnicodeRange, Hir};

use super::PatternFlags;

/// The HIR of `regex` if it is a string of ASCII characters, with or without a leading `(?i)`: what `regex-syntax`
/// makes of it. `None` if it has any other syntax.
pub(super) fn parse(regex: &str, flags: PatternFlags) -> Option<Hir> {
    if flags.ignore_whitespace || !regex.is_ascii() {
        return None;
    }
    let (regex, folded) = match regex.strip_prefix("(?i)") {
        Some(rest) => (rest, true),
        None => (regex, flags.case_insensitive),
    };
    let string = unescape(regex)?;
    if !folded {
        return Some(Hir::literal(string));
    }
    let mut parts = Vec::with_capacity(string.len());
    for run in string.chunk_by(|a, b| !a.is_ascii_alphabetic() && !b.is_ascii_alphabetic()) {
        match *run {
            // A byte that is not a letter gives a class of one byte, of which `Hir::class` makes a literal.
            [byte] => parts.push(Hir::class(both_cases(byte, flags.unicode))),
            _ => parts.push(Hir::literal(run)),
        }
    }
    Some(Hir::concat(parts))
}

/// The string that `regex` stands for, if it has no syntax but escapes of punctuation.
fn unescape(regex: &str) -> Option<Vec<u8>> {
    let mut string = Vec::with_capacity(regex.len());
    let mut bytes = regex.bytes();
    while let Some(byte) = bytes.next() {
        // Of what `regex-syntax` calls meta characters, `#`, `&`, `-` and `~` have a meaning in classes or with the flag
        // `x` only.
        string.push(match byte {
            b'\\' => bytes.next().filter(|&b| regex_syntax::is_escapeable_character(b.into()))?,
            b'.' | b'+' | b'*' | b'?' | b'(' | b')' | b'|' | b'[' | b']' | b'{' | b'}' | b'^'
            | b'$' => return None,
            _ => byte,
        });
    }
    Some(string)
}

/// The class of an ASCII character in both cases.
fn both_cases(byte: u8, unicode: bool) -> Class {
    let cases = [byte.to_ascii_uppercase(), byte.to_ascii_lowercase()];
    if !unicode {
        return Class::Bytes(ClassBytes::new(cases.map(|b| ClassBytesRange::new(b, b))));
    }
    // The letters outside of ASCII that are folded to ASCII ones.
    let other = match cases[1] {
        b'k' => Some('\u{212A}'),
        b's' => Some('\u{17F}'),
        _ => None,
    };
    let all = cases.map(char::from).into_iter().chain(other);
    Class::Unicode(ClassUnicode::new(all.map(|c| ClassUnicodeRange::new(c, c))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(regex: &str, flags: PatternFlags) -> Option<Hir> {
        regex_syntax::ParserBuilder::new()
            .utf8(false)
            .case_insensitive(flags.case_insensitive)
            .unicode(flags.unicode)
            .ignore_whitespace(flags.ignore_whitespace)
            .build()
            .parse(regex)
            .ok()
    }

    fn all_flags() -> impl Iterator<Item = PatternFlags> {
        (0..8).map(|bits| PatternFlags {
            case_insensitive: bits & 1 != 0,
            unicode: bits & 2 != 0,
            ignore_whitespace: bits & 4 != 0,
            ..PatternFlags::default()
        })
    }

    /// Each character, alone and next to up to two that have a meaning in some syntax, with all flags.
    #[test]
    fn plain_strings_are_parsed_as_regex_syntax_does() {
        let chars: Vec<char> =
            (0..128).map(|byte: u8| byte as char).chain(['\u{e9}', '\u{17f}']).collect();
        let special = "\\.+*?()|[]{}^$#&-~ /<>%:\"'ask09nxbQ\n";
        let mut strings: Vec<String> = vec![String::new()];
        for &a in &chars {
            strings.push(a.into());
            strings.push(format!("\\{a}"));
            for b in special.chars() {
                strings.push(format!("{a}{b}"));
                strings.push(format!("{b}\\{a}k"));
                strings.extend(special.chars().map(|c| format!("{b}{c}{a}")));
            }
        }
        let mut plain = 0;
        for string in &strings {
            for regex in [string.clone(), format!("(?i){string}")] {
                for flags in all_flags() {
                    if let Some(hir) = parse(&regex, flags) {
                        plain += 1;
                        assert_eq!(Some(hir), expected(&regex, flags), "{regex:?} {flags:?}");
                    }
                }
            }
        }
        assert!(plain > strings.len());
    }

    #[test]
    fn plain_strings_are_recognized() {
        let flags = PatternFlags::default();
        for plain in ["", "word", "(?i)google\\.com/", "(?i)", "a b#c-d&e~f", "\\\\\\.\\-\\/"] {
            assert!(parse(plain, flags).is_some(), "{plain}");
        }
        for other in ["a.", "(?s)a", "a\\d", "a\\", "\u{e9}", "a|b", "(?i)(?-i)a"] {
            assert!(parse(other, flags).is_none(), "{other}");
        }
    }
}
