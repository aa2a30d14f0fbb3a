//! Translates parsed patterns into libhs's syntax, with exactly the same meaning or not at all.
//!
//! libhs reads a dialect of PCRE in which some constructs look like those of the `regex` crate and
//! mean something else: `$` also matches before a final line feed, and `(?m:^)` does not match at
//! the end of a record. So patterns are not passed on as their authors wrote them. They are printed
//! from the parsed form, with every byte and class spelled out, and without any flag of libhs, so
//! that no option changes what they mean. Printing visits each node of the pattern once.
//!
//! A translation only has to decide whether a record matches. Which of several spans is the match,
//! and therefore whether a repeat is greedy, does not matter and is left out.
//!
//! A pattern with a construct that libhs lacks, or defines differently in a way that no other
//! construct expresses, has no translation. It runs on the pure engine.

use std::fmt::Write;

use regex_syntax::hir::{Class, ClassBytes, ClassUnicode, Hir, HirKind, Look, Repetition};
use regex_syntax::utf8::{Utf8Range, Utf8Sequences};

/// The longest expression that libhs accepts, in bytes (its `limitPatternLength`).
const MAX_LENGTH: usize = 16_000;

/// The largest bound of a counted repeat that libhs accepts.
const MAX_REPEAT: u32 = 32_767;

/// The most UTF-8 byte sequences that the Unicode classes of one pattern may expand to, including
/// the copies that counted repeats make of them.
///
/// libhs takes a few hundred microseconds to compile each sequence, and minutes for the few thousand
/// that `\w{5}` expands to.
const MAX_SEQUENCES: u64 = 128;

/// Translates `hir`, or returns the reason why it has no translation.
pub(super) fn translate(hir: &Hir) -> Result<String, &'static str> {
    match hir.properties().minimum_len() {
        None => return Err("it can never match"),
        // libhs reports empty matches only with HS_FLAG_ALLOWEMPTY, and with that flag it reports
        // records that some such patterns do not match.
        Some(0) => return Err("it can match the empty string"),
        Some(_) => {}
    }
    let mut translator = Translator { out: String::new(), sequences: 0, copies: 1 };
    translator.hir(hir, false)?;
    translator.check_length()?;
    Ok(translator.out)
}

struct Translator {
    out: String,
    /// The UTF-8 byte sequences written so far, each counted as often as repeats copy it.
    sequences: u64,
    /// The number of copies that the enclosing repeats make of the node that is being written.
    copies: u64,
}

impl Translator {
    /// Writes `hir`. `followed` says that every match of the pattern consumes at least one more
    /// byte after `hir`.
    fn hir(&mut self, hir: &Hir, followed: bool) -> Result<(), &'static str> {
        // Checked for every node, so that an oversized pattern fails early.
        self.check_length()?;
        match hir.kind() {
            HirKind::Empty => self.out.push_str("(?:)"),
            HirKind::Literal(literal) => literal.0.iter().for_each(|&byte| self.byte(byte)),
            HirKind::Class(Class::Bytes(class)) => self.byte_class(class),
            HirKind::Class(Class::Unicode(class)) => match class.to_byte_class() {
                // The class is ASCII only.
                Some(class) => self.byte_class(&class),
                None => self.unicode_class(class)?,
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
        // libhs gives wrong answers for repeats of zero-width nodes such as `(?:\z)*`
        // (VectorCamp/vectorscan #100). They are not needed: such a repeat matches where a single
        // copy does, or everywhere if its minimum is 0.
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
        let enclosing_copies = self.copies;
        self.copies = enclosing_copies.saturating_mul(r.max.unwrap_or(r.min).max(1).into());
        self.group(&r.sub, followed)?;
        self.copies = enclosing_copies;
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
            // `$` of libhs also matches before a final line feed.
            Look::End => r"\z",
            // After a line feed that ends the record, `(?m:^)` matches in the `regex` crate but not
            // in libhs. They agree if at least one more byte must follow.
            Look::StartLF if followed => "(?m:^)",
            Look::StartLF => return Err("`(?m:^)` can match at the end of a record"),
            Look::EndLF => "(?m:$)",
            Look::StartCRLF | Look::EndCRLF => return Err("libhs has no CRLF mode"),
            Look::WordAscii => r"\b",
            Look::WordAsciiNegate => r"\B",
            Look::WordUnicode | Look::WordUnicodeNegate => {
                return Err("libhs has no Unicode word boundaries over arbitrary bytes");
            }
            _ => return Err("libhs has no one-sided word boundaries"),
        });
        Ok(())
    }

    fn byte_class(&mut self, class: &ClassBytes) {
        self.ranges(class.ranges().iter().map(|range| (range.start(), range.end())));
    }

    /// Writes a class that matches one byte.
    fn ranges(&mut self, ranges: impl IntoIterator<Item = (u8, u8)>) {
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

    /// Writes a class of code points as an alternation of the UTF-8 byte sequences that encode
    /// them. Neighbouring sequences that differ only in their last byte share a class for it.
    fn unicode_class(&mut self, class: &ClassUnicode) -> Result<(), &'static str> {
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
            let (last, prefix) = split_last(sequence.as_slice());
            let mut lasts = vec![last];
            next = sequences.next();
            while let Some(more) = next {
                let (last, same) = split_last(more.as_slice());
                if same != prefix {
                    break;
                }
                lasts.push(last);
                next = sequences.next();
            }
            for range in prefix {
                self.ranges([(range.start, range.end)]);
            }
            self.ranges(lasts);
        }
        self.out.push(')');
        Ok(())
    }

    /// Writes one byte outside of a class.
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

/// Splits a sequence, which is never empty, into the range of its last byte and the ranges before.
fn split_last(sequence: &[Utf8Range]) -> ((u8, u8), &[Utf8Range]) {
    let (last, prefix) = sequence.split_last().expect("a code point has at least one byte");
    ((last.start, last.end), prefix)
}

#[cfg(test)]
mod tests {
    use super::translate;

    fn translated(regex: &str) -> Result<String, &'static str> {
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
            // Sequences with the same bytes before the last share a class.
            ("[\u{e0}\u{e2}\u{100}]", r"(?:[\xc3][\xa0\xa2]|[\xc4][\x80])"),
            ("x[a\u{20ac}]", r"x(?:[\x61]|[\xe2][\x82][\xac])"),
            // A repeated look is written once, or not at all.
            (r"x(?:\z)*", "x(?:)"),
            (r"(?:^|b)a", r"(?:\A|b)a"),
        ];
        for (regex, expected) in cases {
            assert_eq!(translated(regex).as_deref(), Ok(expected), "{regex}");
        }
    }

    #[test]
    fn untranslatable_patterns_have_a_reason() {
        let cases = [
            ("", "it can match the empty string"),
            ("a*", "it can match the empty string"),
            (r"\b|a", "it can match the empty string"),
            (r"[^\s\S]", "it can never match"),
            (r"\n(?m:^)", "`(?m:^)` can match at the end of a record"),
            (r"a(?:b|(?m:^))", "`(?m:^)` can match at the end of a record"),
            (r"(?:a(?m:^))+", "`(?m:^)` can match at the end of a record"),
            (r"(?mR)a$", "libhs has no CRLF mode"),
            (r"\ba", "libhs has no Unicode word boundaries over arbitrary bytes"),
            (r"(?-u)\b{start}a", "libhs has no one-sided word boundaries"),
            ("a{32768}", "a counted repeat is too large for libhs"),
            (r"\w", "its Unicode classes are too large for libhs"),
            (r"\d{3}", "its Unicode classes are too large for libhs"),
        ];
        for (regex, expected) in cases {
            assert_eq!(translated(regex), Err(expected), "{regex}");
        }
        assert_eq!(translated(&"a\n".repeat(10_000)), Err("it is too long for libhs"));
        assert!(translated(r"\n(?m:^)a").is_ok());
        assert!(translated(r"(?:(?m:^)|b)(?:c|d+)").is_ok());
    }
}
