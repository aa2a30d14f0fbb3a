//! A file in blocks of whole lines, in bounded memory.

use std::fs::File;
use std::io::{self, Read};

use super::ahead::ReadAhead;
use super::{BLOCK_SIZE, Source};

/// How many bytes are read ahead of a pipe.
const AHEAD: usize = 4 * BLOCK_SIZE;

/// Some whole lines of a file.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// The lines, with their ends. Only the last line of a file may have none.
    pub(crate) bytes: Vec<u8>,
    /// The number of the first line in its file, from 1.
    pub(crate) first_line: u64,
}

/// Cuts a file into blocks of about [`BLOCK_SIZE`] bytes; a longer line makes a longer block.
///
/// What can make its reader wait, such as a pipe, comes in smaller blocks, each as soon as its
/// lines are complete.
#[derive(Debug)]
pub(crate) struct Blocks {
    from: From,
    next_line: u64,
}

#[derive(Debug)]
enum From {
    File(Cutter<File>),
    Stream(ReadAhead),
}

impl Blocks {
    /// Opens the file.
    pub(crate) fn open(source: &Source) -> io::Result<Blocks> {
        let from = match source.path() {
            None => From::Stream(ReadAhead::new(io::stdin(), AHEAD)?),
            Some(path) if source.may_wait() => {
                From::Stream(ReadAhead::new(File::open(path)?, AHEAD)?)
            }
            Some(path) => From::File(Cutter::new(File::open(path)?, BLOCK_SIZE)),
        };
        Ok(Blocks { from, next_line: 1 })
    }

    /// Replaces `block` by the next one. False at the end.
    ///
    /// # Errors
    ///
    /// If reading failed, after all lines before that have been returned, or if a line is longer
    /// than a batch can be.
    pub(crate) fn next(&mut self, block: &mut Block) -> io::Result<bool> {
        match &mut self.from {
            From::File(cutter) => cutter.next(&mut block.bytes)?,
            From::Stream(ahead) => ahead.take(&mut block.bytes)?,
        }
        if block.bytes.len() > dragnet::MAX_BUFFER {
            return Err(too_long(self.next_line));
        }
        block.first_line = self.next_line;
        self.next_line += memchr::memchr_iter(b'\n', &block.bytes).count() as u64;
        Ok(!block.bytes.is_empty())
    }
}

fn too_long(line: u64) -> io::Error {
    let message = format!("line {line} is longer than {} bytes", dragnet::MAX_BUFFER);
    io::Error::new(io::ErrorKind::InvalidData, message)
}

/// Cuts what a reader gives into pieces of whole lines.
#[derive(Debug)]
struct Cutter<R> {
    reader: R,
    size: usize,
    /// The start of a line whose end was not in the last block.
    rest: Vec<u8>,
    /// Set when there is nothing more to read.
    end: Option<io::Result<()>>,
}

impl<R: Read> Cutter<R> {
    fn new(reader: R, size: usize) -> Cutter<R> {
        Cutter { reader, size, rest: Vec::new(), end: None }
    }

    /// Replaces `lines` by the next ones; leaves it empty at the end.
    fn next(&mut self, lines: &mut Vec<u8>) -> io::Result<()> {
        lines.clear();
        lines.append(&mut self.rest);
        while self.end.is_none() {
            let searched = lines.len();
            // At least as much again, so that a long line is copied a bounded number of times.
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
                        self.rest.extend_from_slice(&lines[whole..]);
                        lines.truncate(whole);
                        return Ok(());
                    }
                }
                // What was read before the error is in `lines` and is not lost.
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

    /// Fails after some bytes.
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
        let mut cutter = Cutter::new(reader, size);
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
    fn blocks_end_where_lines_do() {
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
    fn any_block_size_gives_the_same_bytes() {
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
    fn what_was_read_before_an_error_is_not_lost() {
        for size in 1..9 {
            let (blocks, error) = cut(Failing(b"ab\ncd"), size);
            assert_eq!((blocks.concat().as_str(), error.as_deref()), ("ab\ncd", Some("broken")));
        }
    }
}
