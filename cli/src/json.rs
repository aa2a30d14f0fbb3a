//! JSON output.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CompactFormatter, Formatter};

use crate::escape;

/// Appends `value` as one line of JSON.
///
/// Besides what JSON requires, characters that control a terminal or reorder text are escaped: the
/// output may be shown on one, and a program reads the same string.
pub(crate) fn push_line(out: &mut Vec<u8>, value: &impl Serialize) {
    // Writing to memory can't fail, and the values are structs of strings and numbers, which can
    // always be serialized.
    let _ = value.serialize(&mut Serializer::with_formatter(&mut *out, SafeFormatter));
    out.push(b'\n');
}

/// Formats JSON in one line, with the characters of [`escape::is_unsafe`] as escapes.
struct SafeFormatter;

impl Formatter for SafeFormatter {
    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut copied = 0;
        for (at, c) in fragment.char_indices().filter(|&(_, c)| escape::is_unsafe(c)) {
            CompactFormatter.write_string_fragment(writer, &fragment[copied..at])?;
            // All of them are below U+10000.
            write!(writer, "\\u{:04x}", u32::from(c))?;
            copied = at + c.len_utf8();
        }
        CompactFormatter.write_string_fragment(writer, &fragment[copied..])
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn unsafe_characters_are_escaped_and_read_back() {
        let text = "a\x1b[31m\x7f\u{9b}31m\u{202e}\t\"\\é\n";
        let mut out = Vec::new();
        super::push_line(&mut out, &text);
        let json = String::from_utf8(out).unwrap();
        assert_eq!(json, "\"a\\u001b[31m\\u007f\\u009b31m\\u202e\\t\\\"\\\\é\\n\"\n");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}
