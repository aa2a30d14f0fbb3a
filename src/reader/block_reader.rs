//! Cuts a stream into blocks of whole records.
//!
//! A block ends after the last record that is complete when a read returns, so that records of a slow
//! stream are searched as soon as they are there, and many at a time if they arrive faster than they are
//! searched. Where reads cut the stream decides which records share a block, and nothing else.
//!
//! Blocks for a search [across lines](super::AcrossLines) are an exception. The matches depend on where
//! they end, so they end where the text says.
//!
//! The bytes after the last complete record are kept, and copied to the start of the next block. Blocks
//! across lines take them step by step, because many such blocks may come of one read.
//! A record that is longer than a block is collected in one, which grows with it: each byte is copied a
//! fixed number of times.

use std::io::Read;

use memchr::{memchr_iter, memmem, memrchr};

use super::block::Block;
use super::input::{Input, Start, UTF8_MARK};
use super::{ReadError, ReaderScan, Records};

/// The size of the first read, in bytes: the capacity of a pipe on Linux. A short stream needs no larger
/// buffer. The size is doubled each time that a read returns as much as was asked for.
const FIRST_READ: usize = 64 << 10;

/// Bytes before a window that are kept, so that assertions at its start see the character before it: the
/// length of the longest character in UTF-8.
const MARGIN: usize = 4;

/// The least number of bytes that are taken at a time of those that were read before.
const MIN_STEP: usize = 1 << 10;

/// Reads a stream block by block.
#[derive(Debug)]
pub(super) struct BlockReader<'a, R: Read> {
    input: Input<R>,
    scan: &'a ReaderScan,
    /// What is known of the start of the stream; `None` before the first read.
    start: Option<Start>,
    /// The bytes of the stream that are in no block yet, and before them a margin of some that are.
    rest: Vec<u8>,
    /// Where the bytes of `rest` start that no block has yet, with the margin before them.
    rest_start: usize,
    /// The end of those that the current block has.
    rest_taken: usize,
    /// The most bytes that a block takes of `rest` at a time, beyond the margin. A block across lines may end
    /// long before them.
    rest_step: usize,
    margin: usize,
    /// The offset in the stream of the first byte that is in no block.
    offset: u64,
    next_record: u64,
    read_size: usize,
    /// Set when there are no more blocks.
    end: Option<Result<(), ReadError>>,
}

impl<'a, R: Read> BlockReader<'a, R> {
    pub(super) fn new(reader: R, scan: &'a ReaderScan) -> BlockReader<'a, R> {
        BlockReader {
            input: Input::new(reader, scan.marks()),
            scan,
            start: None,
            rest: Vec::new(),
            rest_start: 0,
            rest_taken: 0,
            rest_step: match &scan.records {
                Records::AcrossLines(across) => (6 * across.window()).max(MIN_STEP),
                _ => usize::MAX,
            },
            margin: 0,
            offset: 0,
            next_record: 0,
            read_size: FIRST_READ.min(scan.block_bytes),
            end: None,
        }
    }

    /// Replaces `block` by the next one, which has at least one record or a byte order mark. Returns false
    /// at the end.
    ///
    /// # Errors
    ///
    /// If reading failed or a record is too long. All complete records before that were in earlier
    /// blocks. There are no more blocks after that.
    pub(super) fn next(&mut self, block: &mut Block) -> Result<bool, ReadError> {
        if let Some(end) = &mut self.end {
            return std::mem::replace(end, Ok(())).map(|()| false);
        }
        let found = self.fill(block);
        if !matches!(found, Ok(true)) {
            self.end.get_or_insert(Ok(()));
        }
        found
    }

    fn fill(&mut self, block: &mut Block) -> Result<bool, ReadError> {
        block.clear();
        if self.start.is_none() {
            let start = self.input.start().map_err(|source| self.io_error(0, source))?;
            if self.start.insert(start).is_marked {
                block.append(UTF8_MARK);
            }
        }
        let mark = block.filled;
        self.rest_taken = self.rest_start.saturating_add(self.margin);
        self.rest_taken = self.rest.len().min(self.rest_taken.saturating_add(self.rest_step));
        block.append(&self.rest[self.rest_start..self.rest_taken]);
        block.base = self.offset - self.margin as u64;
        block.start = self.margin;
        block.first = self.margin + mark;
        block.text = mark;
        block.is_decoded = self.start.is_some_and(|start| start.is_decoded);
        block.first_record = self.next_record;
        block.crlf = self.scan.crlf && self.scan.records.are_lines();
        block.terminator = self.scan.records.terminator() as u32;
        let is_complete = match &self.scan.records {
            Records::AcrossLines(across) => self.fill_window(block, across.window())?,
            _ => self.fill_records(block)?,
        };
        if !is_complete {
            return Ok(false);
        }
        self.next_record += block.len() as u64;
        self.margin = match self.scan.records {
            Records::AcrossLines(_) => MARGIN.min(block.end),
            _ => 0,
        };
        self.offset = block.offset(block.end);
        let tail = &block.bytes[block.end - self.margin..block.filled];
        if self.rest_taken < self.rest.len() {
            // The block has read nothing since, so that its last bytes are in `rest`.
            self.rest_start = self.rest_taken - tail.len();
        } else {
            self.rest.clear();
            self.rest.extend_from_slice(tail);
            self.rest_start = 0;
        }
        match self.scan.records {
            // Checked line by line, in the window too.
            Records::AcrossLines(_) => Ok(true),
            _ => self.check_lengths(block),
        }
    }

    /// Reads until there is a complete record, or to the end of the stream. Returns false if there are
    /// no more records.
    fn fill_records(&mut self, block: &mut Block) -> Result<bool, ReadError> {
        let mut searched = block.first;
        loop {
            let end = self
                .scan
                .records
                .complete(&block.bytes[block.first..block.filled], searched - block.first);
            if end > 0 {
                block.end = block.first + end;
                break;
            }
            // The end of the bytes may be the start of a separator.
            searched =
                block.first.max((block.filled + 1).saturating_sub(self.scan.records.terminator()));
            self.check_incomplete(block, block.first)?;
            if !self.read(block)? {
                self.end = Some(Ok(()));
                block.end = block.filled;
                if block.end == block.start && !matches!(self.scan.records, Records::Whole) {
                    return Ok(false);
                }
                break;
            }
        }
        block.window = block.end;
        self.scan.records.append_offsets(&block.bytes[block.first..block.end], &mut block.offsets);
        Ok(true)
    }

    /// Reads a block for a search across lines: whole lines of at least [`AcrossLines::cell`] bytes
    /// together, and after them a window of at least `window` bytes that ends before a `\n`.
    ///
    /// [`AcrossLines::cell`]: super::AcrossLines::cell
    fn fill_window(&mut self, block: &mut Block, window: usize) -> Result<bool, ReadError> {
        let cell = super::AcrossLines::cell(window);
        // Where the line starts that is being read.
        let mut line = block.first;
        let mut end = None;
        let mut searched = block.first;
        'window: loop {
            let mut line_ends = memchr_iter(b'\n', &block.bytes[searched..block.filled]);
            while let Some(at) = line_ends.next().map(|at| searched + at) {
                let has_cr = block.crlf && at > line && block.bytes[at - 1] == b'\r';
                self.check_line(block, line, at - usize::from(has_cr))?;
                line = at + 1;
                match end {
                    None if line - block.first >= cell => end = Some(line),
                    None => {}
                    Some(end) if at >= end + window => {
                        block.window = at;
                        break 'window;
                    }
                    Some(_) => {}
                }
            }
            searched = block.filled;
            self.check_incomplete(block, line)?;
            if !self.read(block)? {
                self.check_line(block, line, block.filled)?;
                block.window = block.filled;
                block.is_last = true;
                break;
            }
        }
        block.has_window = true;
        block.end = end.unwrap_or(block.filled);
        if block.is_last && block.end == block.filled {
            self.end = Some(Ok(()));
        }
        if block.end == block.start {
            return Ok(false);
        }
        let records = &block.bytes[block.first..block.end];
        self.scan.records.append_offsets(records, &mut block.offsets);
        Ok(true)
    }

    /// Adds bytes that were read before, or reads once. Returns false at the end of the stream.
    fn read(&mut self, block: &mut Block) -> Result<bool, ReadError> {
        if self.rest_taken < self.rest.len() {
            let end = self.rest.len().min(self.rest_taken.saturating_add(self.rest_step));
            block.append(&self.rest[self.rest_taken..end]);
            self.rest_taken = end;
            return Ok(true);
        }
        let wanted = self.read_size;
        let count = self
            .input
            .read(block.reserve(wanted))
            .map_err(|source| self.io_error(block.filled, source))?;
        block.filled += count;
        if count == wanted {
            self.read_size = (2 * wanted).min(self.scan.block_bytes);
        }
        Ok(count > 0)
    }

    fn io_error(&self, filled: usize, source: std::io::Error) -> ReadError {
        let offset = self.offset + filled.saturating_sub(self.margin) as u64;
        ReadError::Io { offset, source }
    }

    /// Fails if the incomplete record at `start` is longer than allowed, wherever it ends.
    fn check_incomplete(&self, block: &Block, start: usize) -> Result<(), ReadError> {
        // Some of its bytes may be the start of its terminator.
        let most = self.scan.records.terminator().saturating_sub(1) + usize::from(block.crlf);
        if block.filled - start > self.scan.max_record.saturating_add(most) {
            return Err(self.too_long(block, start));
        }
        Ok(())
    }

    /// Fails if the record `start..end` is longer than allowed.
    fn check_line(&self, block: &Block, start: usize, end: usize) -> Result<(), ReadError> {
        if end - start > self.scan.max_record { Err(self.too_long(block, start)) } else { Ok(()) }
    }

    /// Removes the first record that is longer than allowed and those after it, and ends the stream
    /// there. Returns whether there are records before it.
    fn check_lengths(&mut self, block: &mut Block) -> Result<bool, ReadError> {
        if block.end - block.first <= self.scan.max_record {
            return Ok(true);
        }
        let too_long = |&index: &usize| block.record(index).len() > self.scan.max_record;
        let Some(index) = (0..block.len()).find(too_long) else { return Ok(true) };
        let start = block.record(index).start;
        let error = self.too_long(block, start);
        if index == 0 {
            self.end = Some(Ok(()));
            return Err(error);
        }
        block.offsets.truncate(index + 1);
        block.end = start;
        block.window = start;
        self.end = Some(Err(error));
        Ok(true)
    }

    fn too_long(&self, block: &Block, start: usize) -> ReadError {
        ReadError::RecordTooLong { offset: block.offset(start), limit: self.scan.max_record }
    }
}

impl Records {
    /// The length of a terminator in bytes.
    fn terminator(&self) -> usize {
        match self {
            Records::Lines | Records::AcrossLines(_) => 1,
            Records::Separated(separator) => separator.len(),
            Records::Fixed(_) | Records::Whole => 0,
        }
    }

    /// Where the last complete record of `bytes` ends, with its terminator; 0 if there is none. No record
    /// ends in the bytes before `searched`.
    fn complete(&self, bytes: &[u8], searched: usize) -> usize {
        match self {
            Records::Lines | Records::AcrossLines(_) => {
                memrchr(b'\n', &bytes[searched..]).map_or(0, |at| searched + at + 1)
            }
            Records::Separated(separator) => {
                match memmem::find_iter(&bytes[searched..], &**separator).last() {
                    Some(at) => searched + at + separator.len(),
                    None => 0,
                }
            }
            Records::Fixed(len) => bytes.len() - bytes.len() % len,
            Records::Whole => 0,
        }
    }

    /// Replaces `offsets` by those of the records of `bytes`, the last of which may lack its terminator.
    fn append_offsets(&self, bytes: &[u8], offsets: &mut Vec<u32>) {
        offsets.clear();
        offsets.push(0);
        // In range: a block is shorter than 4 GiB, as `ReaderScan` limits what it consists of.
        match self {
            Records::Lines | Records::AcrossLines(_) => {
                crate::batch::append_line_ends(bytes, offsets)
            }
            Records::Separated(separator) => match &**separator {
                [byte] => offsets.extend(memchr_iter(*byte, bytes).map(|at| at as u32 + 1)),
                separator => offsets.extend(
                    memmem::find_iter(bytes, separator).map(|at| (at + separator.len()) as u32),
                ),
            },
            Records::Fixed(len) => {
                offsets.extend((1..=bytes.len() / len).map(|count| (count * len) as u32));
            }
            Records::Whole => {}
        }
        let complete = offsets.last().copied().unwrap_or(0) as usize;
        if complete < bytes.len() || matches!(self, Records::Whole) {
            offsets.push((bytes.len() + self.terminator()) as u32);
        }
    }
}
