//! Scans streams: files, sockets, pipes, anything that implements [`Read`].
//!
//! A [`ReaderScan`] says what the records of a stream are, and how much memory they may take. Its
//! [`for_each`](ReaderScan::for_each) reads a stream to its end with any scanner, and calls a function with
//! each match, which has its record at hand and knows its place in the stream. With
//! [`scan`](ReaderScan::scan), that function can end the scan.
//! [`for_each_threads`](ReaderScan::for_each_threads) and [`scan_threads`](ReaderScan::scan_threads) do the
//! same on several threads, in the same order.
//!
//! ```
//! use dragnet::reader::ReaderScan;
//! use dragnet::{Engine, PatternSet, Report};
//!
//! let set = PatternSet::new(["error|warning", r"\d+ ms"])?;
//! let mut scanner = Engine::new(&set, Report::Spans).scanner()?;
//!
//! let log = "start\nerror: 30 ms\n".as_bytes(); // or a file, a socket, ...
//! let mut found = Vec::new();
//! ReaderScan::lines().for_each(log, &mut scanner, |m| {
//!     found.push((m.line(), m.pattern(), m.stream_range()));
//! })?;
//! assert_eq!(found, [(2, 0, 6..11), (2, 1, 13..18)]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How streams are read
//!
//! Records are searched in blocks, each as soon as at least one record of it is complete. A slow stream
//! is searched record by record as it arrives, a fast one in blocks of
//! [`block_bytes`](ReaderScan::block_bytes). No reader needs to be wrapped in a
//! [`BufReader`](std::io::BufReader), which would only make the blocks smaller. Nothing that is found
//! depends on where reads cut the stream. A read that is interrupted is repeated.
//!
//! Memory is bounded by the longest record that is allowed and by the size of a block, for each thread.
//! Nothing is allocated for a record or a match.
//!
//! # Positions
//!
//! All positions in the stream are 64 bits wide. Offsets count the bytes that were read, from 0. Only
//! if a stream in UTF-16 was decoded, which needs the feature `encoding` and
//! `ReaderScan::decode_utf16`, they count those of the decoded text, which is UTF-8 and has no byte
//! order mark; [`StreamMatch::is_decoded`] says so.
//!
//! A byte order mark in UTF-8 at the start of a stream is no part of the first record, which then starts at
//! offset 3. Records of a fixed length are not text, so that there it is.
//!
//! # Matches across lines
//!
//! A record is searched on its own, so no pattern matches across lines where records are lines, and
//! one that [needs a line feed](crate::PatternSet::line_feed_required) matches nothing. There are two ways
//! to search across lines: [`ReaderScan::whole`], for inputs that fit in memory, and
//! [`ReaderScan::across_lines`], which moves a window over streams of any length.

mod across;
mod block;
mod block_reader;
mod error;
mod input;
mod run;
mod stream_match;
#[cfg(test)]
mod tests;
mod threads;

use std::io::Read;
use std::ops::ControlFlow;

use crate::{BatchError, Scan, ScanError};

pub use across::AcrossLines;
pub use error::ReadError;
pub use stream_match::StreamMatch;

pub(crate) use block::Block;
pub(crate) use run::Consumer;

/// What the records of a stream are, and how the stream is read.
///
/// It does not change while streams are scanned, and can be used for any number of them.
#[derive(Clone, Debug)]
pub struct ReaderScan {
    records: Records,
    crlf: bool,
    max_record: usize,
    block_bytes: usize,
    #[cfg(feature = "encoding")]
    decode_utf16: bool,
}

#[derive(Clone, Debug)]
enum Records {
    Lines,
    Separated(Box<[u8]>),
    Fixed(usize),
    Whole,
    AcrossLines(AcrossLines),
}

/// The longest record by default, in bytes. Lines of text are far shorter; a stream without line ends
/// does not fill the memory.
const MAX_RECORD: usize = 64 << 20;

/// The size of a block by default, in bytes: as much as the engines need to be fast.
const BLOCK_BYTES: usize = 1 << 20;

/// The highest limits that can be set, in bytes. What is read of a stream at a time has to fit in a batch,
/// of less than 4 GiB: with the longest record, a block, and a window across lines.
const MAX_RECORD_LIMIT: usize = 1 << 30;
const MAX_BLOCK_BYTES: usize = 256 << 20;

impl ReaderScan {
    fn new(records: Records) -> ReaderScan {
        ReaderScan {
            records,
            crlf: false,
            max_record: MAX_RECORD,
            block_bytes: BLOCK_BYTES,
            #[cfg(feature = "encoding")]
            decode_utf16: false,
        }
    }

    /// Records are lines. Each ends with `\n`, which is no part of it; see also
    /// [`crlf`](ReaderScan::crlf). A last line without `\n` is a record. There is no empty record after a
    /// final `\n`.
    pub fn lines() -> ReaderScan {
        ReaderScan::new(Records::Lines)
    }

    /// Records end with a separator, such as `b"\0"`, as lines do with `\n`. Separators are found from left
    /// to right and do not overlap.
    ///
    /// # Panics
    ///
    /// If the separator is empty.
    pub fn separated_by(separator: impl AsRef<[u8]>) -> ReaderScan {
        let separator = separator.as_ref();
        assert!(!separator.is_empty(), "the separator must not be empty");
        ReaderScan::new(Records::Separated(separator.into()))
    }

    /// Records have `bytes` bytes each. The last one has as many as are left, if that is not 0.
    ///
    /// # Panics
    ///
    /// If `bytes` is 0.
    pub fn fixed_length(bytes: usize) -> ReaderScan {
        assert!(bytes > 0, "records must not be empty");
        ReaderScan::new(Records::Fixed(bytes))
    }

    /// The whole stream is one record, even if it is empty. It must fit in memory, and within
    /// [`max_record`](ReaderScan::max_record).
    pub fn whole() -> ReaderScan {
        ReaderScan::new(Records::Whole)
    }

    /// Records are lines, and patterns that may match a line feed are searched across them.
    /// [`AcrossLines`] says what is found. The scanner must be one for the set that `across` was made for.
    /// [Combinations](crate::Combinations) are evaluated in each line, and not at all if every pattern of the
    /// set may match a line feed.
    ///
    /// What a scan finds before an error may lack the matches of the last few windows.
    pub fn across_lines(across: &AcrossLines) -> ReaderScan {
        ReaderScan::new(Records::AcrossLines(across.clone()))
    }

    /// Sets whether `\r\n` ends a line, too: a `\r` right before the `\n` is then no part of the record. Off by
    /// default. Does nothing if records are not lines. A search across lines sees every `\r`.
    ///
    /// Lines that end with `\r\n` are copied before they are scanned.
    pub fn crlf(mut self, yes: bool) -> ReaderScan {
        self.crlf = yes;
        self
    }

    /// Sets the length of the longest record in bytes, without its terminator: 64 MiB by default, at most
    /// 1 GiB. A longer record ends the scan with [`ReadError::RecordTooLong`], after the matches of all records
    /// before it.
    pub fn max_record(mut self, bytes: usize) -> ReaderScan {
        self.max_record = bytes.min(MAX_RECORD_LIMIT);
        self
    }

    /// Sets how many bytes are read at a time at most: 1 MiB by default, at least 1, at most 256 MiB. A
    /// scan starts with smaller reads.
    pub fn block_bytes(mut self, bytes: usize) -> ReaderScan {
        self.block_bytes = bytes.clamp(1, MAX_BLOCK_BYTES);
        self
    }

    /// Sets whether a stream that starts with a byte order mark in UTF-16 is decoded. Off by default.
    /// Unpaired surrogates become U+FFFD. Records of a fixed length are never decoded.
    ///
    /// Available with the feature `encoding`.
    #[cfg(feature = "encoding")]
    pub fn decode_utf16(mut self, yes: bool) -> ReaderScan {
        self.decode_utf16 = yes;
        self
    }

    /// Scans `reader` to its end on the calling thread, and calls `each` with every match, in the order of
    /// records, then patterns, then starts.
    ///
    /// # Errors
    ///
    /// As [`scan`](ReaderScan::scan).
    pub fn for_each<R, S, F>(
        &self,
        reader: R,
        scanner: &mut S,
        mut each: F,
    ) -> Result<(), ReadError>
    where
        R: Read,
        S: Scan,
        F: FnMut(StreamMatch<'_>),
    {
        let flow = self.scan(reader, scanner, |m| {
            each(m);
            ControlFlow::Continue(())
        });
        flow.map(drop)
    }

    /// As [`for_each`](ReaderScan::for_each), but `each` can end the scan.
    ///
    /// When `each` breaks, the scan ends early and returns [`ControlFlow::Break`]. The reader may
    /// then have been read beyond the match.
    ///
    /// # Errors
    ///
    /// If reading or scanning fails, or a record is too long. `each` has been called with the matches of
    /// all records that were complete before the error, and not with those of an incomplete last one.
    pub fn scan<R, S, F>(
        &self,
        reader: R,
        scanner: &mut S,
        each: F,
    ) -> Result<ControlFlow<()>, ReadError>
    where
        R: Read,
        S: Scan,
        F: FnMut(StreamMatch<'_>) -> ControlFlow<()>,
    {
        self.consume_here(reader, scanner, &mut run::Each(each))
    }

    /// As [`for_each`](ReaderScan::for_each), with one thread for each scanner. `each` is called on the
    /// calling thread, with the same matches in the same order. With one scanner, no thread is started.
    ///
    /// The threads take turns at reading, so that nothing is read ahead of a slow stream. A block is
    /// scanned while others are; the matches of about two blocks per thread wait for their turn. The
    /// call returns when all threads have ended.
    ///
    /// ```
    /// use dragnet::reader::ReaderScan;
    /// use dragnet::{Engine, PatternSet, Report};
    ///
    /// let set = PatternSet::new(["b+"])?;
    /// let engine = Engine::new(&set, Report::Spans);
    /// let mut scanners = engine.scanners(4)?;
    /// let mut lines = Vec::new();
    /// ReaderScan::lines().for_each_threads("abb\na\nb\n".as_bytes(), &mut scanners, |m| {
    ///     lines.push(m.line());
    /// })?;
    /// assert_eq!(lines, [1, 3]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`scan_threads`](ReaderScan::scan_threads).
    ///
    /// # Panics
    ///
    /// As [`scan_threads`](ReaderScan::scan_threads).
    pub fn for_each_threads<R, S, F>(
        &self,
        reader: R,
        scanners: &mut [S],
        mut each: F,
    ) -> Result<(), ReadError>
    where
        R: Read + Send,
        S: Scan,
        F: FnMut(StreamMatch<'_>),
    {
        let flow = self.scan_threads(reader, scanners, |m| {
            each(m);
            ControlFlow::Continue(())
        });
        flow.map(drop)
    }

    /// As [`for_each_threads`](ReaderScan::for_each_threads), but `each` can end the scan. After a break or an
    /// error, the call waits for a read that is under way.
    ///
    /// # Errors
    ///
    /// As [`scan`](ReaderScan::scan), also if no thread can be started.
    ///
    /// # Panics
    ///
    /// If there is no scanner. A panic on one of the threads is continued on the calling one.
    pub fn scan_threads<R, S, F>(
        &self,
        reader: R,
        scanners: &mut [S],
        each: F,
    ) -> Result<ControlFlow<()>, ReadError>
    where
        R: Read + Send,
        S: Scan,
        F: FnMut(StreamMatch<'_>) -> ControlFlow<()>,
    {
        self.consume(reader, scanners, &mut run::Each(each))
    }

    /// Scans `reader` on the calling thread, and passes blocks and matches to `consumer`.
    pub(crate) fn consume_here<S: Scan>(
        &self,
        reader: impl Read,
        scanner: &mut S,
        consumer: &mut impl Consumer,
    ) -> Result<ControlFlow<()>, ReadError> {
        run::run(self, reader, scanner, consumer)
    }

    /// Scans `reader` with one thread for each scanner, and passes blocks and matches to `consumer`.
    pub(crate) fn consume<S: Scan>(
        &self,
        reader: impl Read + Send,
        scanners: &mut [S],
        consumer: &mut impl Consumer,
    ) -> Result<ControlFlow<()>, ReadError> {
        match scanners {
            [scanner] => run::run(self, reader, scanner, consumer),
            scanners => threads::run(self, reader, scanners, consumer),
        }
    }

    fn across(&self) -> Option<&AcrossLines> {
        match &self.records {
            Records::AcrossLines(across) => Some(across),
            _ => None,
        }
    }

    fn marks(&self) -> input::Marks {
        let is_text = !matches!(self.records, Records::Fixed(_));
        input::Marks {
            utf8: is_text,
            #[cfg(feature = "encoding")]
            utf16: is_text && self.decode_utf16,
        }
    }
}

impl Records {
    fn are_lines(&self) -> bool {
        matches!(self, Records::Lines | Records::AcrossLines(_))
    }
}

/// The error of a block that is no batch. The limits of a `ReaderScan` rule it out.
fn too_large(error: BatchError) -> ScanError {
    ScanError::Unavailable { reason: error.to_string() }
}
