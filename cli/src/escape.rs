//! Escapes bytes of scanned files so that they are safe to print on a terminal.
//!
//! A scanned file may be hostile: it can hold escape sequences that change the terminal's title or
//! contents, and characters that reorder the text of a line. This module prints both as escapes.
//! JSON output has the same characters as escapes of JSON (see [`crate::json`]).

use std::ffi::OsStr;
use std::path::Path;

/// Appends `bytes` to `out`. Invalid UTF-8 becomes escapes such as `\xff`; characters that control
/// a terminal or reorder text become the escapes of a Rust string literal; all other text is
/// unchanged.
pub(crate) fn push(out: &mut Vec<u8>, bytes: &[u8]) {
    // Most text. Without an early exit, the loop is compiled to vector instructions.
    if bytes.iter().fold(true, |plain, byte| plain & matches!(byte, b'\t' | b' '..=b'~')) {
        return out.extend_from_slice(bytes);
    }
    for chunk in bytes.utf8_chunks() {
        let valid = chunk.valid();
        let mut copied = 0;
        for (at, c) in valid.char_indices().filter(|&(_, c)| is_unsafe(c)) {
            out.extend_from_slice(&valid.as_bytes()[copied..at]);
            push_escaped(out, c);
            copied = at + c.len_utf8();
        }
        out.extend_from_slice(&valid.as_bytes()[copied..]);
        for byte in chunk.invalid() {
            out.extend_from_slice(format!("\\x{byte:02x}").as_bytes());
        }
    }
}

/// Returns a message of one or more lines, escaped as by [`push`] except for its line ends.
pub(crate) fn lines(message: &str) -> String {
    let mut out = Vec::with_capacity(message.len());
    for (number, line) in message.split('\n').enumerate() {
        if number > 0 {
            out.push(b'\n');
        }
        push(&mut out, line.as_bytes());
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Returns `bytes`, escaped as by [`push`].
pub(crate) fn text(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len());
    push(&mut out, bytes);
    // Never lossy: `push` appends valid UTF-8 only.
    String::from_utf8_lossy(&out).into_owned()
}

/// Whether [`push`] changes the text of an argument.
pub(crate) fn is_needed(text: &OsStr) -> bool {
    text.to_str().is_none_or(|text| text.contains(is_unsafe))
}

/// Returns a path, escaped as by [`push`].
pub(crate) fn path(path: &Path) -> String {
    text(path.as_os_str().as_encoded_bytes())
}

fn push_escaped(out: &mut Vec<u8>, c: char) {
    match c {
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        c if c.is_ascii() => out.extend_from_slice(format!("\\x{:02x}", u32::from(c)).as_bytes()),
        c => out.extend_from_slice(format!("\\u{{{:x}}}", u32::from(c)).as_bytes()),
    }
}

/// Whether `c` can change how a terminal displays other characters. This holds for control
/// characters except the tab, for line and paragraph separators, and for the bidirectional marks,
/// embeddings, overrides and isolates.
pub(crate) fn is_unsafe(c: char) -> bool {
    (c.is_control() && c != '\t')
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    #[test]
    fn terminal_controls_are_escaped() {
        let cases: [(&[u8], &str); 8] = [
            (b"plain \ttext", "plain \ttext"),
            ("caf\u{e9} \u{661f}".as_bytes(), "caf\u{e9} \u{661f}"),
            (b"\x1b[31mred\x07", r"\x1b[31mred\x07"),
            (b"a\r\nb\0", r"a\r\nb\x00"),
            (b"\x7f", r"\x7f"),
            ("\u{9b}31m".as_bytes(), r"\u{9b}31m"),
            ("a\u{202e}b".as_bytes(), r"a\u{202e}b"),
            (b"\xffok\xc3", r"\xffok\xc3"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(super::text(bytes), expected, "{bytes:?}");
        }
    }
}
