//! Reads a file in blocks of whole lines, in bounded memory.

use std::fs::File;
use std::io::{self, Read};

use super::read_ahead::ReadAhead;
use super::{BLOCK_SIZE, Source};

/// The number of bytes that are read ahead from a pipe. Several blocks, so that the next block is
/// read while the last one is searched.
const READ_AHEAD: usize = 4 * BLOCK_SIZE;

/// Some whole lines of a file.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// The lines, with their terminators. Only the last line of a file can lack one.
    pub(crate) bytes: Vec<u8>,
    /// The number of the first line in the file, from 1.
    pub(crate) first_line: u64,
}

/// Reads a file in blocks of about [`BLOCK_SIZE`] bytes. A longer line makes a longer block.
///
/// A source that may block, such as a pipe, is read in smaller blocks, each as soon as its lines
/// are complete.
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
    /// Opens a source.
    pub(crate) fn open(source: &Source) -> io::Result<BlockReader> {
        let input = match source.path() {
            None => BlockInput::Stream(ReadAhead::new(io::stdin(), READ_AHEAD)?),
            Some(path) if source.may_block() => {
                BlockInput::Stream(ReadAhead::new(File::open(path)?, READ_AHEAD)?)
            }
            Some(path) => BlockInput::File(LineCutter::new(File::open(path)?, BLOCK_SIZE)),
        };
        Ok(BlockReader { input, next_line: 1 })
    }

    /// Replaces `block` by the next one. Returns false at the end.
    ///
    /// # Errors
    ///
    /// If reading failed, after all lines read before have been returned, or if a line is longer
    /// than a batch can be.
    pub(crate) fn next(&mut self, block: &mut Block) -> io::Result<bool> {
        match &mut self.input {
            BlockInput::File(cutter) => cutter.next(&mut block.bytes)?,
            BlockInput::Stream(ahead) => ahead.take(&mut block.bytes)?,
        }
        if block.bytes.len() > dragnet::MAX_BUFFER {
            return Err(line_too_long(self.next_line));
        }
        block.first_line = self.next_line;
        self.next_line += memchr::memchr_iter(b'\n', &block.bytes).count() as u64;
        Ok(!block.bytes.is_empty())
    }
}

fn line_too_long(line: u64) -> io::Error {
    let message = format!("line {line} is longer than {} bytes", dragnet::MAX_BUFFER);
    io::Error::new(io::ErrorKind::InvalidData, message)
}

/// Cuts the bytes of a reader into blocks of whole lines.
#[derive(Debug)]
struct LineCutter<R> {
    reader: R,
    /// The size of a block, in bytes.
    size: usize,
    /// The bytes after the last whole line that were read with the last block.
    partial_line: Vec<u8>,
    /// Set when reading has ended, at the end of the file or by an error.
    end: Option<io::Result<()>>,
}

impl<R: Read> LineCutter<R> {
    fn new(reader: R, size: usize) -> LineCutter<R> {
        LineCutter { reader, size, partial_line: Vec::new(), end: None }
    }

    /// Replaces `lines` by the next block, which is empty at the end.
    fn next(&mut self, lines: &mut Vec<u8>) -> io::Result<()> {
        lines.clear();
        lines.append(&mut self.partial_line);
        while self.end.is_none() {
            let searched = lines.len();
            // Doubling the buffer until the line ends keeps the cost of a long line linear. One
            // byte more than fits in a batch shows that the line is too long.
            let room = (dragnet::MAX_BUFFER + 1).saturating_sub(searched);
            let wanted = self.size.max(searched).min(room);
            if wanted == 0 {
                return Ok(());
            }
            match (&mut self.reader).take(wanted as u64).read_to_end(lines) {
                Ok(count) if count < wanted => self.end = Some(Ok(())),
                Ok(_) => {
                    if let Some(newline) = memchr::memrchr(b'\n', &lines[searched..]) {
                        let whole = searched + newline + 1;
                        self.partial_line.extend_from_slice(&lines[whole..]);
                        lines.truncate(whole);
                        return Ok(());
                    }
                }
                // `lines` keeps the bytes read before the error. They are returned first.
                Err(error) => self.end = Some(Err(error)),
            }
        }
        match &mut self.end {
            Some(end) if lines.is_empty() => std::mem::replace(end, Ok(())),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    fn cut(reader: impl Read, size: usize) -> (Vec<String>, Option<String>) {
        let mut cutter = LineCutter::new(reader, size);
        let mut found = Vec::new();
        let mut lines = Vec::new();
        loop {
            match cutter.next(&mut lines) {
                Ok(()) if lines.is_empty() => return (found, None),
                Ok(()) => found.push(String::from_utf8(lines.clone()).unwrap()),
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

    #[test]
    fn bytes_read_before_an_error_are_returned() {
        for size in 1..9 {
            let (blocks, error) = cut(Failing(b"ab\ncd"), size);
            assert_eq!((blocks.concat().as_str(), error.as_deref()), ("ab\ncd", Some("broken")));
        }
    }
}
