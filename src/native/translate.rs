//! Prints a parsed pattern in libhs's syntax, with exactly our meaning or not at all.
//!
//! What comes out is read by libhs byte by byte, with no flags: everything that a flag would
//! change is spelled out. Only what decides whether a record matches is kept; which of several
//! spans wins, and so whether a repeat is greedy, is left out.

use std::fmt::Write;

use regex_syntax::hir::{Class, ClassBytes, ClassUnicode, Hir, HirKind, Look, Repetition};
use regex_syntax::utf8::{Utf8Range, Utf8Sequences};

/// The longest expression that libhs reads (its `limitPatternLength`).
const MAX_LENGTH: usize = 16_000;

/// The largest bound of a counted repeat that libhs reads.
const MAX_REPEAT: u32 = 32_767;

/// The most sequences of bytes that the Unicode classes of one pattern may come to, with counted
/// repeats multiplied out. libhs takes some hundred microseconds to compile each, and minutes for
/// a few thousand, which `\w{5}` has.
const MAX_SEQUENCES: u64 = 128;

/// Prints `hir`, or says why it can't be said to libhs with the same meaning.
pub(super) fn translate(hir: &Hir) -> Result<String, &'static str> {
    match hir.properties().minimum_len() {
        None => return Err("it can never match"),
        // Reporting that nothing was found somewhere needs a flag, and reports more than a match
        // of nothing for some patterns.
        Some(0) => return Err("it can match nothing"),
        Some(_) => {}
    }
    let mut printer = Printer { out: String::new(), sequences: 0, copies: 1 };
    printer.hir(hir, false)?;
    printer.check_length()?;
    Ok(printer.out)
}

struct Printer {
    out: String,
    /// How many sequences were printed for Unicode classes, each times the copies that it had.
    sequences: u64,
    /// How many copies of what is printed now the repeats around it make.
    copies: u64,
}

impl Printer {
    /// Prints `hir`. `followed` says that whatever matches behind it takes at least one byte.
    fn hir(&mut self, hir: &Hir, followed: bool) -> Result<(), &'static str> {
        // Looked at on the way, so that a large pattern ends early.
        self.check_length()?;
        match hir.kind() {
            HirKind::Empty => self.out.push_str("(?:)"),
            HirKind::Literal(literal) => literal.0.iter().for_each(|&byte| self.byte(byte)),
            HirKind::Class(Class::Bytes(class)) => self.bytes(class),
            HirKind::Class(Class::Unicode(class)) => match class.to_byte_class() {
                // ASCII alone.
                Some(class) => self.bytes(&class),
                None => self.unicode(class)?,
            },
            HirKind::Look(look) => self.look(*look, followed)?,
            HirKind::Repetition(repetition) => self.repetition(repetition, followed)?,
            HirKind::Capture(capture) => self.group(&capture.sub, followed)?,
            HirKind::Concat(subs) => {
                for (i, sub) in subs.iter().enumerate() {
                    let followed = followed
                        || subs[i + 1..]
                            .iter()
                            .any(|next| next.properties().minimum_len().is_none_or(|len| len > 0));
                    self.hir(sub, followed)?;
                }
            }
            HirKind::Alternation(subs) => {
                self.out.push_str("(?:");
                for (i, sub) in subs.iter().enumerate() {
                    if i > 0 {
                        self.out.push('|');
                    }
                    self.hir(sub, followed)?;
                }
                self.out.push(')');
            }
        }
        Ok(())
    }

    fn group(&mut self, sub: &Hir, followed: bool) -> Result<(), &'static str> {
        self.out.push_str("(?:");
        self.hir(sub, followed)?;
        self.out.push(')');
        Ok(())
    }

    fn repetition(&mut self, r: &Repetition, followed: bool) -> Result<(), &'static str> {
        // Repeating something without width says no more than having it once, or not caring.
        // libhs gets `(?:\z)*` and the like wrong (VectorCamp/vectorscan #100).
        if r.sub.properties().maximum_len() == Some(0) {
            return if r.min == 0 {
                self.out.push_str("(?:)");
                Ok(())
            } else {
                self.group(&r.sub, followed)
            };
        }
        if r.min.max(r.max.unwrap_or(0)) > MAX_REPEAT {
            return Err("a counted repeat is too large for libhs");
        }
        let outside = self.copies;
        self.copies = outside.saturating_mul(r.max.unwrap_or(r.min).max(1).into());
        self.group(&r.sub, followed)?;
        self.copies = outside;
        match (r.min, r.max) {
            (0, None) => self.out.push('*'),
            (1, None) => self.out.push('+'),
            (0, Some(1)) => self.out.push('?'),
            (min, None) => self.write(format_args!("{{{min},}}")),
            (min, Some(max)) if min == max => self.write(format_args!("{{{min}}}")),
            (min, Some(max)) => self.write(format_args!("{{{min},{max}}}")),
        }
        Ok(())
    }

    fn look(&mut self, look: Look, followed: bool) -> Result<(), &'static str> {
        self.out.push_str(match look {
            Look::Start => r"\A",
            // Not `$`, which in libhs also matches before a last line feed.
            Look::End => r"\z",
            // Ours also matches behind a line feed that ends the record; theirs does not. It is
            // the same where more must follow.
            Look::StartLF if followed => "(?m:^)",
            Look::StartLF => return Err("`(?m:^)` can match at the end of a record"),
            Look::EndLF => "(?m:$)",
            Look::StartCRLF | Look::EndCRLF => return Err("libhs has no CRLF mode"),
            Look::WordAscii => r"\b",
            Look::WordAsciiNegate => r"\B",
            Look::WordUnicode | Look::WordUnicodeNegate => {
                return Err("libhs has no Unicode word boundaries over bytes");
            }
            _ => return Err("libhs has no word boundaries of one side"),
        });
        Ok(())
    }

    fn bytes(&mut self, class: &ClassBytes) {
        self.class(class.ranges().iter().map(|range| (range.start(), range.end())));
    }

    /// A class of one byte, as its ranges.
    fn class(&mut self, ranges: impl IntoIterator<Item = (u8, u8)>) {
        self.out.push('[');
        for (start, end) in ranges {
            self.escape(start);
            if start < end {
                self.out.push('-');
                self.escape(end);
            }
        }
        self.out.push(']');
    }

    /// A class of code points, as the sequences of bytes that encode them. Sequences that differ
    /// in the last byte alone come one after the other and share one class for it.
    fn unicode(&mut self, class: &ClassUnicode) -> Result<(), &'static str> {
        let mut sequences =
            class.ranges().iter().flat_map(|range| Utf8Sequences::new(range.start(), range.end()));
        let mut next = sequences.next();
        self.out.push_str("(?:");
        let mut first = true;
        while let Some(sequence) = next {
            if !first {
                self.out.push('|');
            }
            first = false;
            self.sequences = self.sequences.saturating_add(self.copies);
            if self.sequences > MAX_SEQUENCES {
                return Err("its Unicode classes are too large for libhs");
            }
            let (last, lead) = split_last(sequence.as_slice());
            let mut lasts = vec![last];
            next = sequences.next();
            while let Some(more) = next {
                let (last, same) = split_last(more.as_slice());
                if same != lead {
                    break;
                }
                lasts.push(last);
                next = sequences.next();
            }
            for range in lead {
                self.class([(range.start, range.end)]);
            }
            self.class(lasts);
        }
        self.out.push(')');
        Ok(())
    }

    /// One byte outside of a class.
    fn byte(&mut self, byte: u8) {
        if byte.is_ascii_alphanumeric() {
            self.out.push(char::from(byte));
        } else {
            self.escape(byte);
        }
    }

    fn escape(&mut self, byte: u8) {
        self.write(format_args!("\\x{byte:02x}"));
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        self.out.write_fmt(text).expect("writing to a string does not fail");
    }

    fn check_length(&self) -> Result<(), &'static str> {
        if self.out.len() > MAX_LENGTH { Err("it is too long for libhs") } else { Ok(()) }
    }
}

/// The last byte's range of a sequence, which is never empty, and what leads to it.
fn split_last(sequence: &[Utf8Range]) -> ((u8, u8), &[Utf8Range]) {
    let (last, lead) = sequence.split_last().expect("a code point has at least one byte");
    ((last.start, last.end), lead)
}

#[cfg(test)]
mod tests {
    use super::translate;

    fn printed(regex: &str) -> Result<String, &'static str> {
        translate(&regex_syntax::ParserBuilder::new().utf8(false).build().parse(regex).unwrap())
    }

    #[test]
    fn patterns_are_spelled_out_byte_by_byte() {
        let cases = [
            ("ab-c", r"ab\x2dc"),
            ("a{2}b{2,}c{1,3}?", "(?:a){2}(?:b){2,}(?:c){1,3}"),
            ("a+?b*c?d", "(?:a)+(?:b)*(?:c)?d"),
            ("(?:a+){2}", "(?:(?:a)+){2}"),
            (r"(?-u)[^a]\xff", r"[\x00-\x60\x62-\xff]\xff"),
            ("(?i)a1", r"[\x41\x61]1"),
            (r"^a$", r"\Aa\z"),
            (r"(?m)^a$", r"(?m:^)a(?m:$)"),
            (r"(?-u:\b)a(?-u:\B)", r"\ba\B"),
            // The last bytes of one lead share a class.
            ("[\u{e0}\u{e2}\u{100}]", r"(?:[\xc3][\xa0\xa2]|[\xc4][\x80])"),
            ("x[a\u{20ac}]", r"x(?:[\x61]|[\xe2][\x82][\xac])"),
            // A repeated look is no look, or one.
            (r"x(?:\z)*", "x(?:)"),
            (r"(?:^|b)a", r"(?:\A|b)a"),
        ];
        for (regex, expected) in cases {
            assert_eq!(printed(regex).as_deref(), Ok(expected), "{regex}");
        }
    }

    #[test]
    fn what_libhs_reads_otherwise_is_not_printed() {
        let cases = [
            ("", "it can match nothing"),
            ("a*", "it can match nothing"),
            (r"\b|a", "it can match nothing"),
            (r"[^\s\S]", "it can never match"),
            (r"\n(?m:^)", "`(?m:^)` can match at the end of a record"),
            (r"a(?:b|(?m:^))", "`(?m:^)` can match at the end of a record"),
            (r"(?:a(?m:^))+", "`(?m:^)` can match at the end of a record"),
            (r"(?mR)a$", "libhs has no CRLF mode"),
            (r"\ba", "libhs has no Unicode word boundaries over bytes"),
            (r"(?-u)\b{start}a", "libhs has no word boundaries of one side"),
            ("a{32768}", "a counted repeat is too large for libhs"),
            (r"\w", "its Unicode classes are too large for libhs"),
            (r"\d{3}", "its Unicode classes are too large for libhs"),
        ];
        for (regex, expected) in cases {
            assert_eq!(printed(regex), Err(expected), "{regex}");
        }
        assert_eq!(printed(&"a\n".repeat(10_000)), Err("it is too long for libhs"));
        assert!(printed(r"\n(?m:^)a").is_ok());
        assert!(printed(r"(?:(?m:^)|b)(?:c|d+)").is_ok());
    }
}
