//! A block: consecutive records of a stream in one buffer, with their places in the stream.

use std::ops::Range;

use crate::{Batch, BatchError};

/// Consecutive records of a stream, to be scanned as one batch.
///
/// ```text
/// bytes  |.......|..............|.............|....................|
///        0     start           end         window          filled
/// ```
///
/// The records are in `start..end`, except for a byte order mark, which belongs to none. Only a block
/// for a search across lines has bytes before `start` and a window after `end`.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// The buffer, all of it initialized; only `filled` bytes have been read.
    pub(super) bytes: Vec<u8>,
    pub(super) filled: usize,
    /// The offset in the stream of the buffer's first byte.
    pub(super) base: u64,
    /// Where the text starts of which the buffer has a part: at 0, or after a mark.
    pub(super) text: usize,
    pub(super) start: usize,
    /// Where the first record starts: at `start`, or after a mark.
    pub(super) first: usize,
    pub(super) end: usize,
    /// Whether there is a window.
    pub(super) has_window: bool,
    /// The end of the window, at least `end`.
    pub(super) window: usize,
    /// Whether the stream ends with the window.
    pub(super) is_last: bool,
    /// Offsets of the records from `first` on, as in a [`Batch`] whose records end with a terminator.
    pub(super) offsets: Vec<u32>,
    /// The length of the terminators in bytes.
    pub(super) terminator: u32,
    /// Whether `\r` before a terminator belongs to it.
    pub(super) crlf: bool,
    /// The number of the first record in the stream, from 0.
    pub(super) first_record: u64,
    /// Whether the stream was decoded.
    pub(super) is_decoded: bool,
}

/// Copies of records whose terminators are longer than one byte. Reused from block to block.
#[derive(Debug, Default)]
pub(super) struct Copies {
    bytes: Vec<u8>,
    offsets: Vec<u32>,
}

impl Block {
    /// The number of records.
    pub(crate) fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// The number of record `index` in the stream.
    pub(crate) fn record_number(&self, index: usize) -> u64 {
        self.first_record + index as u64
    }

    /// The offset in the stream of a position in the buffer.
    pub(crate) fn offset(&self, position: usize) -> u64 {
        self.base + position as u64
    }

    /// The bytes that have been read, from those before the records to those after them.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }

    /// The position in the buffer where the records end, with their terminators.
    pub(crate) fn end(&self) -> usize {
        self.end
    }

    /// Whether the block is for a search across lines, so that matches may end after their records, and
    /// after the block.
    pub(crate) fn has_window(&self) -> bool {
        self.has_window
    }

    /// The range of record `index` in the buffer.
    pub(crate) fn record(&self, index: usize) -> Range<usize> {
        let start = self.first + self.offsets[index] as usize;
        let end = self.first + (self.offsets[index + 1] - self.terminator) as usize;
        start..end - self.cr_before(start, end)
    }

    /// The length of a `\r` that belongs to the terminator at `end` of a record from `start` on.
    fn cr_before(&self, start: usize, end: usize) -> usize {
        // The last record may have no terminator.
        let has_cr = self.crlf && end < self.end && end > start && self.bytes[end - 1] == b'\r';
        usize::from(has_cr)
    }

    /// The records, which are copied to `copies` if a terminator is longer than one byte.
    pub(super) fn batch<'a>(&'a self, copies: &'a mut Copies) -> Result<Batch<'a>, BatchError> {
        let buffer = &self.bytes[self.first..self.end];
        let has_cr = |index| {
            let range = self.record(index);
            range.end < self.end && self.bytes[range.end] == b'\r'
        };
        match self.terminator {
            0 => return Batch::from_offsets(buffer, &self.offsets),
            1 if !self.crlf || !(0..self.len()).any(has_cr) => {
                return Batch::from_line_offsets(buffer, &self.offsets);
            }
            // A batch has no terminators of other lengths.
            _ => {}
        }
        copies.bytes.clear();
        copies.offsets.clear();
        copies.offsets.push(0);
        for index in 0..self.len() {
            copies.bytes.extend_from_slice(&self.bytes[self.record(index)]);
            copies.offsets.push(copies.bytes.len() as u32);
        }
        Batch::from_offsets(&copies.bytes, &copies.offsets)
    }

    /// The record that position `at` of the buffer lies in. A terminator belongs to the record before it.
    pub(super) fn record_at(&self, at: usize) -> usize {
        let after = self.offsets.partition_point(|&offset| self.first + offset as usize <= at);
        after.saturating_sub(1).min(self.len().saturating_sub(1))
    }

    /// The end of the line that the byte before `at` lies in, or `at` if that byte is a line feed.
    pub(super) fn line_end(&self, at: usize) -> usize {
        let bytes = self.bytes();
        if bytes[..at].last() == Some(&b'\n') {
            return at;
        }
        // The window ends where a line does.
        let end = memchr::memchr(b'\n', &bytes[at..]).map_or(self.filled, |len| at + len);
        let end = end.min(self.window.max(self.end));
        if self.crlf && end > at && bytes[end - 1] == b'\r' { end - 1 } else { end }
    }

    /// Removes everything and keeps the memory.
    pub(super) fn clear(&mut self) {
        let (bytes, mut offsets) =
            (std::mem::take(&mut self.bytes), std::mem::take(&mut self.offsets));
        offsets.clear();
        *self = Block { bytes, offsets, ..Block::default() };
    }

    /// Appends bytes.
    pub(super) fn append(&mut self, bytes: &[u8]) {
        let end = self.filled + bytes.len();
        self.reserve(bytes.len());
        self.bytes[self.filled..end].copy_from_slice(bytes);
        self.filled = end;
    }

    /// Makes room for `count` more bytes and returns it.
    pub(super) fn reserve(&mut self, count: usize) -> &mut [u8] {
        let end = self.filled + count;
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        &mut self.bytes[self.filled..end]
    }
}
