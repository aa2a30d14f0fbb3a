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

/// Prints `hir`, or says why it can't be said to libhs with the same meaning.
pub(super) fn print(hir: &Hir) -> Result<String, &'static str> {
    match hir.properties().minimum_len() {
        None => return Err("it can never match"),
        // Reporting that nothing was found somewhere needs a flag, and reports more than a match
        // of nothing for some patterns.
        Some(0) => return Err("it can match nothing"),
        Some(_) => {}
    }
    let mut printer = Printer { out: String::new() };
    printer.hir(hir, false)?;
    printer.check_length()?;
    Ok(printer.out)
}

struct Printer {
    out: String,
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
            HirKind::Class(Class::Unicode(class)) => self.unicode(class),
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
        self.group(&r.sub, followed)?;
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
    fn unicode(&mut self, class: &ClassUnicode) {
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
