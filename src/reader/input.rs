//! Reads bytes: repeats interrupted reads, recognizes a byte order mark, and decodes UTF-16.

use std::io::{self, Read};

/// The byte order mark in UTF-8.
pub(super) const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";
#[cfg(feature = "encoding")]
const UTF16_MARKS: [&[u8]; 2] = [b"\xFF\xFE", b"\xFE\xFF"];

/// The marks that are looked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marks {
    /// Whether a mark in UTF-8 is no part of the text.
    pub(super) utf8: bool,
    /// Whether text with a mark in UTF-16 is decoded.
    #[cfg(feature = "encoding")]
    pub(super) utf16: bool,
}

/// A reader, with a look at its first bytes.
#[derive(Debug)]
pub(super) struct Input<R: Read> {
    source: Source<R>,
    marks: Marks,
}

#[derive(Debug)]
enum Source<R: Read> {
    /// Nothing has been read.
    New(R),
    /// The bytes of the reader.
    Bytes(Prefixed<R>),
    /// Text that was UTF-16.
    #[cfg(feature = "encoding")]
    Decoded(Box<Decoder<R>>),
    /// Reading the mark has failed.
    Failed,
}

/// The decoder loses what it has left at the end of a stream if it is read into fewer than four bytes, so
/// that small reads go through a buffer.
#[cfg(feature = "encoding")]
type Decoder<R> = std::io::BufReader<encoding_rs_io::DecodeReaderBytes<Prefixed<R>, Vec<u8>>>;

/// Reads of fewer bytes go through the buffer.
#[cfg(feature = "encoding")]
const DECODER_BUFFER: usize = 64;

/// What the first bytes of a stream are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Start {
    /// Whether they are a mark in UTF-8 that is no part of the text. The following reads don't return it.
    pub(super) is_marked: bool,
    /// Whether the bytes that reads return are decoded.
    pub(super) is_decoded: bool,
}

impl<R: Read> Input<R> {
    pub(super) fn new(reader: R, marks: Marks) -> Input<R> {
        Input { source: Source::New(reader), marks }
    }

    /// Reads the bytes that may be a mark. Must be called once, before everything else.
    pub(super) fn start(&mut self) -> io::Result<Start> {
        let Source::New(mut reader) = std::mem::replace(&mut self.source, Source::Failed) else {
            return Ok(Start::default());
        };
        let mut first = [0; 3];
        let mut len = 0;
        // Stops at the first byte that rules out a mark, because the next read may block.
        while len < first.len() && self.may_be_mark(&first[..len]) {
            match read(&mut reader, &mut first[len..])? {
                0 => break,
                count => len += count,
            }
        }
        let is_marked = self.marks.utf8 && &first[..len] == UTF8_MARK;
        let bytes = Prefixed { first, at: if is_marked { len } else { 0 }, len, reader };
        #[cfg(feature = "encoding")]
        if self.marks.utf16 && UTF16_MARKS.iter().any(|mark| first[..len].starts_with(mark)) {
            let decoder =
                encoding_rs_io::DecodeReaderBytesBuilder::new().strip_bom(true).build(bytes);
            let decoder = std::io::BufReader::with_capacity(DECODER_BUFFER, decoder);
            self.source = Source::Decoded(Box::new(decoder));
            return Ok(Start { is_marked, is_decoded: true });
        }
        self.source = Source::Bytes(bytes);
        Ok(Start { is_marked, is_decoded: false })
    }

    /// Whether a mark may start with these bytes and have more of them.
    fn may_be_mark(&self, first: &[u8]) -> bool {
        let is_start = |mark: &[u8]| mark.len() > first.len() && mark.starts_with(first);
        #[cfg(feature = "encoding")]
        if self.marks.utf16 && UTF16_MARKS.iter().any(|mark| is_start(mark)) {
            return true;
        }
        self.marks.utf8 && is_start(UTF8_MARK)
    }

    /// Reads into `buffer`, which must not be empty. Returns 0 at the end.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.source {
            Source::Bytes(bytes) => read(bytes, buffer),
            #[cfg(feature = "encoding")]
            Source::Decoded(decoder) => read(decoder, buffer),
            Source::New(_) | Source::Failed => Ok(0),
        }
    }
}

/// Reads as often as reading is interrupted.
fn read(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // A faulty reader, which must not make the scan panic.
            Ok(count) if count > buffer.len() => {
                return Err(io::Error::other("the reader returned more bytes than asked for"));
            }
            result => return result,
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
        if self.at == self.len {
            return read(&mut self.reader, buffer);
        }
        let count = buffer.len().min(self.len - self.at);
        buffer[..count].copy_from_slice(&self.first[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}
