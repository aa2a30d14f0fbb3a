//! Decides assertions, as the documentation of the `regex` crate defines them, with one exception in
//! records that are not UTF-8 (see `side_before`).

use regex_syntax::ast::AssertionKind;

/// An assertion, and the flags that were on where it stands in the pattern.
#[derive(Clone, Debug)]
pub(super) struct Look {
    pub(super) kind: AssertionKind,
    pub(super) multi_line: bool,
    pub(super) crlf: bool,
    pub(super) unicode: bool,
}

impl Look {
    /// Whether the assertion holds before the byte `at` of `record`.
    pub(super) fn holds(&self, record: &[u8], at: usize) -> bool {
        let (before, after) = (record[..at].last().copied(), record.get(at).copied());
        let sides = || (self.side_before(record, at), self.side_after(record, at));
        match self.kind {
            AssertionKind::StartText => before.is_none(),
            AssertionKind::EndText => after.is_none(),
            AssertionKind::StartLine => match before {
                None => true,
                Some(b'\n') => self.multi_line,
                // Not between the `\r` and the `\n` of one line end.
                Some(b'\r') => self.multi_line && self.crlf && after != Some(b'\n'),
                Some(_) => false,
            },
            AssertionKind::EndLine => match after {
                None => true,
                Some(b'\n') => self.multi_line && !(self.crlf && before == Some(b'\r')),
                Some(b'\r') => self.multi_line && self.crlf,
                Some(_) => false,
            },
            AssertionKind::WordBoundary => {
                let (before, after) = sides();
                (before == Side::Word) != (after == Side::Word)
            }
            // A place beside bytes that are not UTF-8 may be within a character, where a match
            // must not start or end.
            AssertionKind::NotWordBoundary => match sides() {
                (Side::Invalid, _) | (_, Side::Invalid) => false,
                (before, after) => before == after,
            },
            AssertionKind::WordBoundaryStart | AssertionKind::WordBoundaryStartAngle => {
                let (before, after) = sides();
                before != Side::Word && after == Side::Word
            }
            AssertionKind::WordBoundaryEnd | AssertionKind::WordBoundaryEndAngle => {
                let (before, after) = sides();
                before == Side::Word && after != Side::Word
            }
            AssertionKind::WordBoundaryStartHalf => self.side_before(record, at) == Side::Other,
            AssertionKind::WordBoundaryEndHalf => self.side_after(record, at) == Side::Other,
        }
    }

    fn side_before(&self, record: &[u8], at: usize) -> Side {
        if at == 0 {
            return Side::Other;
        }
        if !self.unicode {
            return Side::of_byte(record[at - 1]);
        }
        // This is where the definition is not that of the documentation, but of the code of the
        // `regex` crate: continuation bytes that do not belong to a character are skipped, up to
        // three of them. So `a\xA9` ends with a word character, although it ends with a byte that is
        // not UTF-8.
        let is_continuation = |byte: u8| byte & 0b1100_0000 == 0b1000_0000;
        let last_bytes = at.saturating_sub(4)..at;
        let start = last_bytes.rev().find(|&start| !is_continuation(record[start]));
        Side::of_char(start.and_then(|start| char_at(&record[..at], start)))
    }

    fn side_after(&self, record: &[u8], at: usize) -> Side {
        if at == record.len() {
            return Side::Other;
        }
        if !self.unicode { Side::of_byte(record[at]) } else { Side::of_char(char_at(record, at)) }
    }
}

/// What is on one side of a position.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Word,
    /// Another character or byte, or the end of the record.
    Other,
    /// Bytes that are not UTF-8, where the assertion is about characters.
    Invalid,
}

impl Side {
    fn of_byte(byte: u8) -> Side {
        if byte.is_ascii_alphanumeric() || byte == b'_' { Side::Word } else { Side::Other }
    }

    fn of_char(c: Option<char>) -> Side {
        match c {
            None => Side::Invalid,
            Some(c) if regex_syntax::is_word_character(c) => Side::Word,
            Some(_) => Side::Other,
        }
    }
}

/// The character whose UTF-8 encoding starts at `at`.
pub(super) fn char_at(record: &[u8], at: usize) -> Option<char> {
    let rest = &record[at..];
    match rest.first() {
        Some(byte) if byte.is_ascii() => Some(char::from(*byte)),
        _ => (1..=rest.len().min(4)).filter_map(|len| only_char(&rest[..len])).next(),
    }
}

/// The character that `bytes` are the UTF-8 encoding of.
fn only_char(bytes: &[u8]) -> Option<char> {
    let mut chars = std::str::from_utf8(bytes).ok()?.chars();
    let c = chars.next()?;
    chars.next().is_none().then_some(c)
}
