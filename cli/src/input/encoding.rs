//! Decodes text that is not UTF-8 while it is read, as ripgrep does.
//!
//! A file that starts with a byte order mark in UTF-16 is decoded to UTF-8; all other bytes are searched as
//! they are. With `--encoding`, the bytes of every file without a mark are decoded from that encoding.

use std::io::{self, BufReader, Read};
use std::str::FromStr;

use encoding_rs_io::{DecodeReaderBytes, DecodeReaderBytesBuilder};

const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";
const UTF16_MARKS: [&[u8]; 2] = [b"\xFF\xFE", b"\xFE\xFF"];

/// The decoder loses what it has left at the end if it is read into fewer than four bytes, so small reads
/// go through a buffer of this many bytes.
const DECODER_BUFFER: usize = 8 << 10;

/// The number of bytes at the start of a file from which [`is_likely_utf16`] decides.
const GUESS_BYTES: usize = 1 << 10;

/// The encoding of files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// UTF-16 if there is a mark that says so, and bytes as they are otherwise.
    #[default]
    Auto,
    /// Bytes as they are, a mark included.
    None,
    /// What a mark says, and this one if there is none.
    Fixed(&'static encoding_rs::Encoding),
}

impl FromStr for Encoding {
    type Err = String;

    fn from_str(text: &str) -> Result<Encoding, String> {
        match text {
            "auto" => Ok(Encoding::Auto),
            "none" => Ok(Encoding::None),
            label => match encoding_rs::Encoding::for_label_no_replacement(label.as_bytes()) {
                Some(encoding) => Ok(Encoding::Fixed(encoding)),
                None => Err("it must be auto, none or an encoding such as utf-16le".to_owned()),
            },
        }
    }
}

impl Encoding {
    /// Whether text that starts with these bytes is decoded.
    pub(super) fn decodes(self, first: &[u8]) -> bool {
        match self {
            Encoding::None => false,
            Encoding::Auto => UTF16_MARKS.iter().any(|mark| first.starts_with(mark)),
            Encoding::Fixed(_) => true,
        }
    }

    /// The length of the mark in UTF-8 that text with these first bytes has, and that is not searched.
    pub(super) fn mark_len(self, first: &[u8]) -> usize {
        if self != Encoding::None && first.starts_with(UTF8_MARK) { UTF8_MARK.len() } else { 0 }
    }
}

/// Whether text with these first bytes is probably UTF-16 that nothing marks as such: at least three
/// quarters of all bytes at even offsets, or of those at odd ones, are NUL, and no others.
pub(crate) fn is_likely_utf16(first: &[u8]) -> bool {
    let first = &first[..first.len().min(GUESS_BYTES)];
    let count = |offset: usize| first.iter().skip(offset).step_by(2).filter(|&&b| b == 0).count();
    let most = first.len() / 2;
    first.len() >= 8
        && matches!((count(0), count(1)), (0, nuls) | (nuls, 0) if nuls * 4 >= most * 3)
}

/// A reader whose bytes are decoded.
#[derive(Debug)]
pub(crate) struct Decoded<R: Read> {
    encoding: Encoding,
    /// Whether a mark in UTF-8 is removed.
    strips_mark: bool,
    state: State<R>,
    /// The first bytes that were returned as they are.
    first: Vec<u8>,
}

#[derive(Debug)]
enum State<R: Read> {
    /// Nothing has been read.
    New(R),
    Bytes(Prefixed<R>),
    Decoder(Box<BufReader<DecodeReaderBytes<Prefixed<R>, Vec<u8>>>>),
    /// Reading the first bytes has failed.
    Failed,
}

impl<R: Read> Decoded<R> {
    /// Returns a reader for text to be searched.
    pub(crate) fn new(reader: R, encoding: Encoding) -> Decoded<R> {
        Decoded { encoding, strips_mark: true, state: State::New(reader), first: Vec::new() }
    }

    /// Returns a reader for text to be copied, which keeps a mark in UTF-8.
    pub(crate) fn with_mark(reader: R, encoding: Encoding) -> Decoded<R> {
        Decoded { strips_mark: false, ..Decoded::new(reader, encoding) }
    }

    /// Whether the bytes are decoded. False before the first read.
    pub(crate) fn is_decoded(&self) -> bool {
        matches!(self.state, State::Decoder(_))
    }

    /// Whether the bytes so far were read as they are, although they [look like
    /// UTF-16](is_likely_utf16) and nobody asked for that.
    pub(crate) fn is_likely_utf16(&self) -> bool {
        self.encoding != Encoding::None && is_likely_utf16(&self.first)
    }

    /// Reads the bytes that may be a mark, and no more, because the next read may block.
    fn start(&mut self, mut reader: R) -> io::Result<()> {
        let mut first = [0; 3];
        let mut len = 0;
        while self.encoding != Encoding::None && len < first.len() {
            let is_start = |mark: &&[u8]| mark.len() > len && mark.starts_with(&first[..len]);
            if ![UTF8_MARK, UTF16_MARKS[0], UTF16_MARKS[1]].iter().any(is_start) {
                break;
            }
            match reader.read(&mut first[len..]) {
                Ok(0) => break,
                Ok(count) => len += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let encoding = self.encoding;
        let mark_len = if self.strips_mark { encoding.mark_len(&first[..len]) } else { 0 };
        let has_mark = encoding.mark_len(&first[..len]) > 0;
        let bytes = Prefixed { first, at: mark_len, len, reader };
        self.state = if encoding.decodes(&first[..len]) && !has_mark {
            let mut builder = DecodeReaderBytesBuilder::new();
            if let Encoding::Fixed(encoding) = encoding {
                builder.encoding(Some(encoding));
            }
            let decoder = builder.bom_override(true).strip_bom(true).build(bytes);
            State::Decoder(Box::new(BufReader::with_capacity(DECODER_BUFFER, decoder)))
        } else {
            State::Bytes(bytes)
        };
        Ok(())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if matches!(self.state, State::New(_))
            && let State::New(reader) = std::mem::replace(&mut self.state, State::Failed)
        {
            self.start(reader)?;
        }
        match &mut self.state {
            State::Bytes(bytes) => {
                let count = bytes.read(buffer)?;
                let room = GUESS_BYTES - self.first.len();
                self.first.extend_from_slice(&buffer[..count.min(room)]);
                Ok(count)
            }
            State::Decoder(decoder) => decoder.read(buffer),
            State::New(_) | State::Failed => Ok(0),
        }
    }
}

/// A reader some of whose bytes have been read already.
#[derive(Debug)]
struct Prefixed<R> {
    first: [u8; 3],
    at: usize,
    len: usize,
    reader: R,
}

impl<R: Read> Read for Prefixed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(self.len - self.at);
        buffer[..count].copy_from_slice(&self.first[self.at..self.at + count]);
        self.at += count;
        if count > 0 { Ok(count) } else { self.reader.read(buffer) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::buffer::Buffer;
    use super::*;

    fn utf16(text: &str, mark: &[u8]) -> Vec<u8> {
        let is_little = mark != b"\xFE\xFF";
        let unit = |unit: u16| if is_little { unit.to_le_bytes() } else { unit.to_be_bytes() };
        [mark.to_vec(), text.encode_utf16().flat_map(unit).collect()].concat()
    }

    #[test]
    fn text_is_decoded_as_its_mark_says() {
        let latin = Encoding::from_str("latin1").unwrap();
        let little = Encoding::from_str("utf-16le").unwrap();
        let marked = [UTF8_MARK, b"ab"].concat();
        let text = "a\u{e9}\u{1F600}\n";
        let cases: [(Encoding, Vec<u8>, &[u8]); 13] = [
            (Encoding::Auto, b"a\xE9\0".to_vec(), b"a\xE9\0"),
            (Encoding::Auto, vec![], b""),
            (Encoding::Auto, vec![0xFF], b"\xFF"),
            (Encoding::Auto, marked.clone(), b"ab"),
            (Encoding::None, marked.clone(), &marked),
            (latin, marked.clone(), b"ab"),
            (latin, b"a\xE9".to_vec(), "a\u{e9}".as_bytes()),
            (Encoding::Auto, utf16(text, UTF16_MARKS[0]), text.as_bytes()),
            (Encoding::Auto, utf16(text, UTF16_MARKS[1]), text.as_bytes()),
            (latin, utf16(text, UTF16_MARKS[1]), text.as_bytes()),
            (little, utf16(text, b""), text.as_bytes()),
            (Encoding::Auto, b"\xFF\xFEa\0b".to_vec(), "a\u{FFFD}".as_bytes()),
            (Encoding::None, utf16("a", UTF16_MARKS[0]), b"\xFF\xFEa\0"),
        ];
        for (encoding, bytes, expected) in cases {
            let mut found = Vec::new();
            Decoded::new(&bytes[..], encoding).read_to_end(&mut found).unwrap();
            assert_eq!(found, expected, "{encoding:?} {bytes:?}");
        }
        let mut kept = Vec::new();
        Decoded::with_mark(&marked[..], Encoding::Auto).read_to_end(&mut kept).unwrap();
        assert_eq!(kept, marked);
    }

    #[test]
    fn parts_of_a_text_are_those_of_the_whole() {
        let text: String = (0..1000).map(|number| format!("{number}\u{e9}\n")).collect();
        let cases = [
            (Encoding::Auto, text.clone().into_bytes()),
            (Encoding::None, text.clone().into_bytes()),
            (Encoding::Auto, [UTF8_MARK, text.as_bytes()].concat()),
            (Encoding::Auto, utf16(&text, UTF16_MARKS[0])),
        ];
        for (encoding, bytes) in cases {
            for size in [1, 3, 1000, GUESS_BYTES, 2000, 100_000] {
                let mut decoded = Decoded::new(&bytes[..], encoding);
                let mut found = Buffer::default();
                while found.read(&mut decoded, size, None).unwrap() == size {}
                assert!(found.bytes() == text.as_bytes(), "{encoding:?} {size}");
                assert_eq!(decoded.first, &found.bytes()[..decoded.first.len()]);
            }
        }
    }

    #[test]
    fn likely_utf16_is_recognized() {
        for (bytes, expected) in [
            (utf16("a line of text\n", b""), true),
            (utf16("a line of text\n", b"\xFE\xFF")[2..].to_vec(), true),
            (b"a line of text\n".to_vec(), false),
            (vec![0; 100], false),
            (b"a\0b\0".to_vec(), false),
            (b"abc\0def\0ghi\0jkl\0".to_vec(), false),
        ] {
            assert_eq!(is_likely_utf16(&bytes), expected, "{bytes:?}");
        }
    }
}
