//! Reads a file in blocks of whole lines, in bounded memory.

use std::fs::File;
use std::io::{self, Read};

use super::buffer::Buffer;
use super::encoding::Decoded;
use super::read_ahead::ReadAhead;
use super::{BINARY_CHECK, BLOCK_SIZE, Source, is_binary};

/// The number of bytes that are read ahead from a pipe. Several times what is searched at once, so that the next
/// block is read while the last one is searched.
const READ_AHEAD: usize = 4 << 20;

/// The length, in bytes, from which on a line with NUL bytes is cut. No text has lines like that.
const LONG_BINARY_LINE: usize = 1 << 20;

/// Some whole lines of a file.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// The lines, with their terminators. Only the last line of a file can lack one.
    pub(crate) lines: Buffer,
    /// The number of the first line in the file, from 1.
    pub(crate) first_line: u64,
}

/// What [`BlockReader::next`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The next block.
    Block,
    /// The end of the file.
    End,
    /// Binary data, in a file that the user did not name. The file is not to be searched, or not
    /// from this line on.
    Binary {
        /// The number of the line, from 1.
        line: u64,
    },
}

/// Reads a file in blocks of about [`BLOCK_SIZE`] bytes. A longer line makes a longer block, unless it has more
/// than [`LONG_BINARY_LINE`] bytes and NUL bytes: no text has both, and such a line of binary data (or one that is
/// longer than what is read ahead) ends after its last NUL byte so far. Otherwise a disk image would fill the
/// memory.
///
/// The holes of a sparse file that the user named are read as what they are, NUL bytes: a pattern can match
/// them, and text can follow. A file of 5 GB takes 3 s and 15 MB, and ripgrep 17 s and its size in memory.
///
/// A source that may block, such as a pipe, is read ahead. A block of it has the lines that are complete when it
/// is taken, up to [`READ_AHEAD`] bytes.
///
/// A file that the user did not name ends where it is seen to be binary: at its start if there is a
/// NUL byte in the first [`BINARY_CHECK`] bytes, of which no more are read then, or later in a line
/// of more than [`LONG_BINARY_LINE`] bytes that has one. Otherwise a sparse file of any size, which is all
/// NUL bytes, would be read as one line.
#[derive(Debug)]
pub(crate) struct BlockReader {
    input: BlockInput,
    next_line: u64,
}

#[derive(Debug)]
enum BlockInput {
    File(LineCutter<File>),
    Stream(ReadAhead),
}

impl BlockReader {
    /// Opens a source. Returns `None` for a file of a tree that standard output is redirected to.
    ///
    /// # Errors
    ///
    /// As [`Source::open`].
    pub(crate) fn open(source: &Source) -> io::Result<Option<BlockReader>> {
        let Some(path) = source.path() else {
            let stdin = Decoded::new(io::stdin(), source.encoding);
            return Ok(Some(BlockReader::stream(source, stdin)?));
        };
        match source.open(path)? {
            Some((file, _)) => BlockReader::of_file(source, file).map(Some),
            None => Ok(None),
        }
    }

    /// Returns a reader for a source that was opened.
    pub(super) fn of_file(source: &Source, file: File) -> io::Result<BlockReader> {
        let reader = Decoded::new(file, source.encoding);
        if source.may_block() {
            return BlockReader::stream(source, reader);
        }
        let mut cutter = LineCutter::new(reader, BLOCK_SIZE, LONG_BINARY_LINE);
        cutter.ends_at_binary = !source.is_explicit();
        Ok(BlockReader { input: BlockInput::File(cutter), next_line: 1 })
    }

    /// Returns a reader for a source that may block, which ends when the source does.
    fn stream(source: &Source, reader: impl Read + Send + 'static) -> io::Result<BlockReader> {
        let ahead = ReadAhead::new(reader, READ_AHEAD)?;
        source.set_stopper(ahead.stopper());
        Ok(BlockReader { input: BlockInput::Stream(ahead), next_line: 1 })
    }

    /// Replaces `block` by the next one. `block` is empty if there is none.
    ///
    /// # Errors
    ///
    /// If reading failed, after all lines read before have been returned, or if a line is longer
    /// than a batch can be.
    pub(crate) fn next(&mut self, block: &mut Block) -> io::Result<Next> {
        let is_binary = match &mut self.input {
            BlockInput::File(cutter) => cutter.next(&mut block.lines)?,
            BlockInput::Stream(ahead) => {
                block.lines.fill(|lines| ahead.take(lines))?;
                false
            }
        };
        if is_binary {
            return Ok(Next::Binary { line: self.next_line });
        }
        if block.lines.len() > dragnet::MAX_BUFFER {
            return Err(line_too_long(self.next_line));
        }
        block.first_line = self.next_line;
        self.next_line += memchr::memchr_iter(b'\n', block.lines.bytes()).count() as u64;
        Ok(if block.lines.is_empty() { Next::End } else { Next::Block })
    }
}

fn line_too_long(line: u64) -> io::Error {
    let message = format!("line {line} is longer than {} bytes", dragnet::MAX_BUFFER);
    io::Error::new(io::ErrorKind::InvalidData, message)
}

/// Cuts the bytes of a reader into blocks of whole lines.
#[derive(Debug)]
struct LineCutter<R: Read> {
    reader: Decoded<R>,
    /// The bytes that are read for a block, unless a line is longer.
    block_size: usize,
    /// The length from which on a line with NUL bytes is cut.
    binary_line: usize,
    /// The bytes after the last whole line that were read with the last block.
    partial_line: Vec<u8>,
    /// Set when reading has ended, at the end of the file or by an error.
    end: Option<io::Result<()>>,
    /// Whether the file ends where it is seen to be binary.
    ends_at_binary: bool,
    is_at_start: bool,
}

impl<R: Read> LineCutter<R> {
    fn new(reader: Decoded<R>, block_size: usize, binary_line: usize) -> LineCutter<R> {
        LineCutter {
            reader,
            block_size,
            binary_line,
            partial_line: Vec::new(),
            end: None,
            ends_at_binary: false,
            is_at_start: true,
        }
    }

    /// Replaces `lines` by the next block, which is empty at the end. Returns whether the file ends
    /// here because it is binary from here on.
    fn next(&mut self, lines: &mut Buffer) -> io::Result<bool> {
        lines.truncate(0);
        lines.extend(&self.partial_line);
        self.partial_line.clear();
        // The bytes before have no line terminator.
        let mut searched = lines.len();
        // The bytes before have no NUL byte.
        let mut searched_nul = 0;
        if std::mem::take(&mut self.is_at_start) && self.ends_at_binary {
            if let Err(error) = lines.read(&mut self.reader, BINARY_CHECK, None) {
                self.end = Some(Err(error));
            }
            if is_binary(lines.bytes()) {
                return Ok(self.end_as_binary(lines));
            }
        }
        while self.end.is_none() {
            let length = lines.len();
            // Doubling the buffer until the line ends keeps the cost of a long line linear. One
            // byte more than fits in a batch shows that the line is too long.
            let room = (dragnet::MAX_BUFFER + 1).saturating_sub(length);
            let wanted = self.block_size.max(length).min(room);
            if wanted == 0 {
                return Ok(false);
            }
            match lines.read(&mut self.reader, wanted, None) {
                Ok(count) if count < wanted => self.end = Some(Ok(())),
                Ok(_) => {
                    if let Some(newline) = memchr::memrchr(b'\n', &lines.bytes()[searched..]) {
                        self.cut(lines, searched + newline + 1);
                        return Ok(false);
                    }
                    searched = lines.len();
                    if searched < self.binary_line {
                        continue;
                    }
                    if let Some(nul) = memchr::memrchr(0, &lines.bytes()[searched_nul..]) {
                        if self.ends_at_binary {
                            return Ok(self.end_as_binary(lines));
                        }
                        self.cut(lines, searched_nul + nul + 1);
                        return Ok(false);
                    }
                    searched_nul = searched;
                }
                // `lines` keeps the bytes read before the error. They are returned first.
                Err(error) => self.end = Some(Err(error)),
            }
        }
        match &mut self.end {
            Some(end) if lines.is_empty() => std::mem::replace(end, Ok(())).map(|()| false),
            _ => Ok(false),
        }
    }

    /// Keeps the bytes from `end` on for the next block.
    fn cut(&mut self, lines: &mut Buffer, end: usize) {
        self.partial_line.extend_from_slice(&lines.bytes()[end..]);
        lines.truncate(end);
    }

    fn end_as_binary(&mut self, lines: &mut Buffer) -> bool {
        lines.truncate(0);
        self.end = Some(Ok(()));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Encoding;

    /// A reader that fails after some bytes.
    struct Failing<'a>(&'a [u8]);

    impl Read for Failing<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(io::Error::other("broken")),
                count => Ok(count),
            }
        }
    }

    fn as_they_are<R: Read>(reader: R) -> Decoded<R> {
        Decoded::new(reader, Encoding::None)
    }

    fn cut(reader: impl Read, size: usize) -> (Vec<String>, Option<String>) {
        cut_with(LineCutter::new(as_they_are(reader), size, size))
    }

    fn cut_with(mut cutter: LineCutter<impl Read>) -> (Vec<String>, Option<String>) {
        let mut found = Vec::new();
        let mut lines = Buffer::default();
        loop {
            match cutter.next(&mut lines) {
                Ok(_) if lines.is_empty() => return (found, None),
                Ok(_) => found.push(String::from_utf8(lines.bytes().to_vec()).unwrap()),
                Err(error) => return (found, Some(error.to_string())),
            }
        }
    }

    #[test]
    fn blocks_end_at_line_ends() {
        let cases: [(&str, &[&str]); 9] = [
            ("", &[]),
            ("\n", &["\n"]),
            ("ab", &["ab"]),
            ("abc\n", &["abc\n"]),
            ("abc\nd", &["abc\n", "d"]),
            ("ab\ncdefghijklm\nn\n", &["ab\n", "cdefghijklm\nn\n"]),
            ("\n\n\n\n\n", &["\n\n\n\n", "\n"]),
            ("abcdefghijklmnop", &["abcdefghijklmnop"]),
            ("a\nb\nc\nd\n", &["a\nb\n", "c\nd\n"]),
        ];
        for (text, expected) in cases {
            assert_eq!(
                cut(text.as_bytes(), 4),
                (expected.iter().map(|s| s.to_string()).collect(), None),
                "{text:?}"
            );
        }
    }

    #[test]
    fn block_size_does_not_change_the_bytes() {
        let text = "one\ntwo\r\n\nthree four five six\nseven";
        for size in 1..=text.len() + 1 {
            let (blocks, error) = cut(text.as_bytes(), size);
            assert_eq!((blocks.concat().as_str(), error), (text, None), "{size}");
            for block in &blocks[..blocks.len() - 1] {
                assert!(block.ends_with('\n'), "{size}: {block:?}");
            }
        }
    }

    /// A reader of endless NUL bytes, which counts them.
    struct Hole(usize);

    impl Read for Hole {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            buffer.fill(0);
            self.0 += buffer.len();
            Ok(buffer.len())
        }
    }

    #[test]
    fn binary_files_end_within_a_block() {
        // The number of text lines, and the number of those that are returned: none if the NUL bytes
        // begin in the bytes that are checked first.
        for (lines, expected) in [(0, 0), (10, 0), (100_000, 100_000)] {
            let text = "a line\n".repeat(lines);
            let mut hole = Hole(0);
            let reader = text.as_bytes().chain(&mut hole);
            let mut cutter = LineCutter::new(as_they_are(reader), BLOCK_SIZE, LONG_BINARY_LINE);
            cutter.ends_at_binary = true;
            let (mut found, mut block) = (0, Buffer::default());
            while !cutter.next(&mut block).unwrap() {
                assert!(block.bytes().ends_with(b"\n"));
                found += memchr::memchr_iter(b'\n', block.bytes()).count();
            }
            assert_eq!((found, block.len()), (expected, 0));
            drop(cutter);
            assert!(hole.0 <= 4 * LONG_BINARY_LINE, "{}", hole.0);
        }
    }

    #[test]
    fn long_lines_of_binary_data_are_cut() {
        for (text, size, expected) in [
            ("ab\0cd\n", 8, &["ab\0cd\n"][..]),
            ("ab\0cd\n", 4, &["ab\0", "cd\n"]),
            ("\0\0\0\0\0\0a", 3, &["\0\0\0", "\0\0\0", "a"]),
            ("a\nb\0cdefg\n", 4, &["a\n", "b\0", "cdefg\n"]),
            ("a\nbcd\0efgh\n", 4, &["a\n", "bcd\0", "efgh\n"]),
        ] {
            let expected = expected.iter().map(|s| s.to_string()).collect();
            assert_eq!(cut(text.as_bytes(), size), (expected, None), "{text:?} {size}");
        }
        // Lines of more than a read, one shorter than a line of binary data that is cut, and one longer.
        let text = "ab\ncd\0ef\na\0bcdefghij\n";
        let cutter = LineCutter::new(as_they_are(text.as_bytes()), 2, 8);
        assert_eq!(cut_with(cutter).0, ["ab\n", "cd\0ef\n", "a\0", "bcdefghij\n"]);
        let mut cutter = LineCutter::new(as_they_are(Hole(0)), BLOCK_SIZE, LONG_BINARY_LINE);
        let mut block = Buffer::default();
        for _ in 0..10 {
            assert!(!cutter.next(&mut block).unwrap());
            assert_eq!(block.len(), LONG_BINARY_LINE);
        }
    }

    #[test]
    fn bytes_read_before_an_error_are_returned() {
        for size in 1..9 {
            let (blocks, error) = cut(Failing(b"ab\ncd"), size);
            assert_eq!((blocks.concat().as_str(), error.as_deref()), ("ab\ncd", Some("broken")));
        }
    }
}
