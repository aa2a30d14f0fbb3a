//! Cuts a stream into segments at the line ends that [`LineCuts`] finds.

use std::io::{self, Read, Write};

use super::line_cuts::LineCuts;
use crate::input::BLOCK_SIZE;

/// A stream as one or more streams, called segments. Reading one ends where it is cut, and
/// [`next`](Segments::next) begins with the one after it.
///
/// Each segment but the first starts with the line end before it, which is no part of the stream.
#[derive(Debug)]
pub(super) struct Segments<R> {
    reader: R,
    /// `None` if the stream is not cut.
    cuts: Option<LineCuts>,
    buffer: Vec<u8>,
    /// What has been read and not returned, as a range in `buffer`.
    start: usize,
    end: usize,
    /// Where the segment ends in `buffer`, if this is known.
    cut: Option<usize>,
    /// Whether no match of the segment crosses lines, as far as this is known.
    is_plain: bool,
    has_ended: bool,
    /// The offset in the stream of the next byte.
    offset: u64,
    base: u64,
}

impl<R: Read> Segments<R> {
    pub(super) fn new(reader: R, cuts: Option<LineCuts>) -> Segments<R> {
        let buffer = Vec::new();
        Segments {
            reader,
            cuts,
            buffer,
            start: 0,
            end: 0,
            cut: None,
            is_plain: false,
            has_ended: false,
            offset: 0,
            base: 0,
        }
    }

    /// The reader of the stream.
    pub(super) fn reader(&self) -> &R {
        &self.reader
    }

    /// The offset in the stream where the segment starts, with the line end that was added.
    pub(super) fn base(&self) -> u64 {
        self.base
    }

    /// Reads the first bytes of the segment. Returns whether its matches are the same line by line.
    ///
    /// # Errors
    ///
    /// If reading fails.
    pub(super) fn fill(&mut self) -> io::Result<bool> {
        if self.cuts.is_some() && self.cut.is_none() && !self.has_ended {
            self.read_more()?;
        }
        Ok(self.is_plain && self.cut.is_some())
    }

    /// Begins with the next segment. Returns false at the end of the stream.
    pub(super) fn next(&mut self) -> bool {
        if self.has_ended {
            return false;
        }
        let rest = self.end - self.start;
        self.buffer.resize(self.buffer.len().max(rest + 1), 0);
        self.buffer.copy_within(self.start..self.end, 1);
        self.buffer[0] = b'\n';
        (self.start, self.end, self.cut) = (0, 1 + rest, None);
        self.offset -= 1;
        self.base = self.offset;
        true
    }
}

impl<R: Read> Segments<R> {
    /// Reads once, after the bytes that are in the buffer.
    fn read_more(&mut self) -> io::Result<()> {
        let Some(cuts) = &mut self.cuts else { return Ok(()) };
        self.buffer.resize(self.end + BLOCK_SIZE, 0);
        let count = loop {
            match self.reader.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        self.has_ended = count == 0;
        let fed = cuts.feed(&self.buffer[self.end..self.end + count]);
        self.cut = (fed.cut > 0).then_some(self.end + fed.cut);
        self.is_plain = fed.is_plain;
        self.end += count;
        Ok(())
    }
}

impl<R: Read> Read for Segments<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.cuts.is_none() {
            let count = self.reader.read(buffer)?;
            self.has_ended |= count == 0;
            return Ok(count);
        }
        if self.start == self.end && self.cut.is_none() && !self.has_ended {
            (self.start, self.end) = (0, 0);
            self.read_more()?;
        }
        let count = buffer.len().min(self.cut.unwrap_or(self.end) - self.start);
        buffer[..count].copy_from_slice(&self.buffer[self.start..self.start + count]);
        self.start += count;
        self.offset += count as u64;
        Ok(count)
    }
}

/// Passes on what is written, except for the line end that was added to a segment.
#[derive(Debug)]
pub(super) struct SegmentWriter<W> {
    writer: W,
    is_at_added: bool,
}

impl<W: Write> SegmentWriter<W> {
    pub(super) fn new(writer: W, has_added: bool) -> SegmentWriter<W> {
        SegmentWriter { writer, is_at_added: has_added }
    }
}

impl<W: Write> Write for SegmentWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_at_added && !bytes.is_empty() {
            self.is_at_added = false;
            return Ok(1);
        }
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::super::line_cuts::tests::cuts;
    use super::*;

    #[test]
    fn segments_make_up_the_stream() {
        /// Returns some bytes at a time.
        struct Slow<'a>(&'a [u8], usize);

        impl Read for Slow<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let count = self.1.min(buffer.len());
                self.0.read(&mut buffer[..count])
            }
        }

        let text = b"one\nb\nc\ntwo\n\nb\nb\nthree";
        for (size, most) in (1..text.len() + 2).map(|size| (size, 3)).chain([(2, 1000)]) {
            let mut segments = Segments::new(Slow(text, size), cuts(&["b\nc"]));
            let mut found = Vec::new();
            let mut has_added = false;
            loop {
                let mut buffer = vec![0; most];
                let start = found.len();
                let _ = segments.fill().unwrap();
                assert_eq!(segments.base(), (start as u64) - u64::from(has_added));
                let mut writer = SegmentWriter::new(&mut found, has_added);
                loop {
                    let count = segments.read(&mut buffer).unwrap();
                    if count == 0 {
                        break;
                    }
                    writer.write_all(&buffer[..count]).unwrap();
                }
                if !segments.next() {
                    break;
                }
                assert!(found.ends_with(b"\n") && !found.ends_with(b"b\n"), "{found:?}");
                has_added = true;
            }
            assert_eq!(found, text, "{size}");
        }
    }
}
