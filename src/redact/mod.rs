//! Redaction: hides what patterns match, and copies everything else as it is.
//!
//! A [`Redactor`] takes a record, a batch or a stream, and any scanner that reports spans. What stands in
//! place of a match is a [`Replacement`]: a text, the name of the pattern, the last characters, a keyed
//! hash or what a function writes. Each pattern may have its own. Of a pattern that
//! [reports a group](crate::Pattern::report_group), only that group is hidden.
//!
//! ```
//! use dragnet::reader::ReaderScan;
//! use dragnet::redact::Redactor;
//! use dragnet::{Engine, Pattern, PatternSet, Report};
//!
//! let set = PatternSet::new([Pattern::new(r"\bghp_\w+").name("token")])?;
//! let mut scanner = Engine::new(&set, Report::Spans).scanner()?;
//!
//! let log = "GET /\nauth: ghp_0123 ok\n".as_bytes(); // or a file, a pipe, ...
//! let mut output = Vec::new(); // or a file, a pipe, ...
//! Redactor::new(&set).redact_reader(&ReaderScan::lines(), log, &mut scanner, &mut output)?;
//! assert_eq!(output, b"GET /\nauth: [REDACTED:token] ok\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is hidden
//!
//! Every byte of every match that is not empty. Matches that overlap are hidden together, in one piece: the
//! replacement is that of the match that starts first; of those, of the longest; and of those, of the
//! first pattern in the set. It stands for all bytes that any of them covers, and it keeps none of them.
//! Matches that only touch are replaced one by one. Bytes outside of matches are copied, with terminators
//! of records and a byte order mark. A stream in UTF-16 that is decoded is written as UTF-8.
//!
//! # Streams
//!
//! What has been written at any moment is a prefix of the right output: if reading, scanning or writing
//! fails, no byte of a match has been written. Each block is flushed, so that a line of a slow stream
//! passes at once. Memory is bounded as that of the reader is. Beyond that, it grows with the longest record,
//! by up to 80 bytes for each of its matches that do not overlap others. With [`ReaderScan::across_lines`]
//! matches across lines are hidden, too; a byte is then written when its window has been read.

mod error;
mod hide;
mod replacement;
#[cfg(test)]
mod tests;

use std::io::{Read, Write};
use std::ops::{ControlFlow, Range};

use crate::reader::{Block, Consumer, ReadError, ReaderScan};
use crate::{Batch, BatchBuf, Match, Matches, PatternSet, Scan};

pub use error::RedactError;
pub use replacement::{Hidden, Replacement};

use hide::{Bytes, Hiding, Spans};

/// The size from which on output is written before its block is complete, in bytes.
const MAX_OUTPUT: usize = 256 << 10;

/// Hides what the patterns of a set match. Keeps its memory from call to call.
#[derive(Debug)]
pub struct Redactor {
    rules: Rules,
    hiding: Hiding,
    spans: Spans,
    matches: Matches,
    out: Vec<u8>,
}

/// The replacement of each pattern.
#[derive(Debug)]
struct Rules {
    set: PatternSet,
    replacements: Vec<Replacement>,
    unknown: Replacement,
}

impl Rules {
    fn name(&self, pattern: usize) -> Option<&str> {
        self.set.get(pattern).and_then(|pattern| pattern.get_name())
    }

    /// The replacement of a pattern. A scanner for another set has patterns that this one has not: their
    /// matches are hidden, too.
    fn replacement(&self, pattern: usize) -> &Replacement {
        self.replacements.get(pattern).unwrap_or(&self.unknown)
    }

    /// Adds a match whose record starts at `record` to `spans`. That of a
    /// [combination](crate::Combinations) covers no bytes.
    fn add(&self, spans: &mut Spans, m: &Match, record: u64) -> Result<(), RedactError> {
        match m.span() {
            Some(span) => {
                let range = record + span.start as u64..record + span.end as u64;
                spans.push(range, m.pattern() as u32);
            }
            None if m.pattern() >= self.replacements.len() => {}
            None => return Err(RedactError::NoSpans),
        }
        Ok(())
    }
}

impl Redactor {
    /// Returns a redactor for the patterns of `set`, which replaces each match by
    /// [its pattern's name](Replacement::name).
    pub fn new(set: &PatternSet) -> Redactor {
        Redactor {
            rules: Rules {
                set: set.clone(),
                replacements: vec![Replacement::name(); set.len()],
                unknown: Replacement::name(),
            },
            hiding: Hiding::default(),
            spans: Spans::default(),
            matches: Matches::new(),
            out: Vec::new(),
        }
    }

    /// Sets the replacement of all patterns.
    pub fn replacement(mut self, replacement: Replacement) -> Redactor {
        self.rules.replacements.fill(replacement);
        self
    }

    /// Sets the replacement of one pattern, by its number in the set.
    ///
    /// # Panics
    ///
    /// If the set has no such pattern.
    pub fn pattern_replacement(mut self, pattern: usize, replacement: Replacement) -> Redactor {
        self.rules.replacements[pattern] = replacement;
        self
    }

    /// Returns `record` with all matches hidden.
    ///
    /// The scanner must be one for the set of this redactor, here and in all other methods. Redact many
    /// records as a batch or a stream.
    ///
    /// # Errors
    ///
    /// If scanning fails, the record does not fit in a batch, or the scanner reports no spans.
    pub fn redact(
        &mut self,
        scanner: &mut impl Scan,
        record: &[u8],
    ) -> Result<Vec<u8>, RedactError> {
        let offsets = [0, u32::try_from(record.len()).unwrap_or(u32::MAX)];
        let batch = Batch::from_offsets(record, &offsets)?;
        scanner.scan(&batch, &mut self.matches)?;
        let mut out = Vec::with_capacity(record.len());
        self.hide_record(record, 0..self.matches.len(), &mut out)?;
        Ok(out)
    }

    /// Appends every record of `batch` to `out`, with all matches hidden.
    ///
    /// # Errors
    ///
    /// If scanning fails, the records do not fit in `out`, or the scanner reports no spans. `out` may have
    /// some of the records then.
    pub fn redact_batch(
        &mut self,
        scanner: &mut impl Scan,
        batch: &Batch<'_>,
        out: &mut BatchBuf,
    ) -> Result<(), RedactError> {
        scanner.scan(batch, &mut self.matches)?;
        let mut first = 0;
        let mut record_out = std::mem::take(&mut self.out);
        for (number, record) in batch.iter().enumerate() {
            let rest = &self.matches.as_slice()[first..];
            let count = rest.iter().take_while(|m| m.record() == number).count();
            record_out.clear();
            self.hide_record(record, first..first + count, &mut record_out)?;
            out.push(&record_out)?;
            first += count;
        }
        self.out = record_out;
        Ok(())
    }

    /// Appends a record to `out`, with the matches that are number `matches` in the list hidden.
    fn hide_record(
        &mut self,
        record: &[u8],
        matches: Range<usize>,
        out: &mut Vec<u8>,
    ) -> Result<(), RedactError> {
        let Redactor { rules, hiding, spans, .. } = self;
        spans.clear();
        for m in &self.matches.as_slice()[matches] {
            rules.add(spans, m, 0)?;
        }
        hiding.restart();
        let bytes = Bytes { bytes: record, base: 0 };
        hiding.copy(rules, bytes, record.len() as u64, spans, out);
        Ok(())
    }

    /// Copies `reader` to `writer`, with all matches hidden. `scan` says what its records are.
    ///
    /// # Errors
    ///
    /// If reading, scanning or writing fails, a record is too long, or the scanner reports no spans.
    /// What has been written is the start of the right output.
    pub fn redact_reader<S: Scan>(
        &mut self,
        scan: &ReaderScan,
        reader: impl Read,
        scanner: &mut S,
        writer: impl Write,
    ) -> Result<(), RedactError> {
        self.copy(writer, |copy| scan.consume_here(reader, scanner, copy))
    }

    /// As [`redact_reader`](Redactor::redact_reader), with one thread for each scanner; see
    /// [`ReaderScan::scan_threads`].
    ///
    /// # Errors
    ///
    /// As [`redact_reader`](Redactor::redact_reader).
    ///
    /// # Panics
    ///
    /// If there is no scanner.
    pub fn redact_reader_threads<S: Scan>(
        &mut self,
        scan: &ReaderScan,
        reader: impl Read + Send,
        scanners: &mut [S],
        writer: impl Write,
    ) -> Result<(), RedactError> {
        self.copy(writer, |copy| scan.consume(reader, scanners, copy))
    }

    fn copy<W: Write>(
        &mut self,
        writer: W,
        run: impl FnOnce(&mut StreamCopy<'_, W>) -> Result<ControlFlow<()>, ReadError>,
    ) -> Result<(), RedactError> {
        let Redactor { rules, hiding, spans, out, .. } = self;
        hiding.restart();
        spans.clear();
        out.clear();
        let mut copy = StreamCopy { rules, hiding, spans, record: 0, out, writer, error: None };
        let result = run(&mut copy);
        if let Some(error) = copy.error {
            return Err(error);
        }
        let _ = result?;
        copy.hiding.finish(copy.rules, copy.out);
        copy.writer
            .write_all(copy.out)
            .and_then(|()| copy.writer.flush())
            .map_err(RedactError::Write)
    }
}

/// Copies a stream.
struct StreamCopy<'a, W> {
    rules: &'a Rules,
    hiding: &'a mut Hiding,
    /// The matches of the current record or, in a search across lines, of the block. There, what is
    /// reported of a match may be after the end of the block.
    spans: &'a mut Spans,
    /// The number of the current record in its block.
    record: usize,
    /// What has not been written.
    out: &'a mut Vec<u8>,
    writer: W,
    /// The error that has ended the copy.
    error: Option<RedactError>,
}

impl<W: Write> StreamCopy<'_, W> {
    /// Copies the bytes up to position `end` of the block.
    fn copy_to(&mut self, block: &Block, end: usize) {
        let bytes = Bytes { bytes: block.bytes(), base: block.offset(0) };
        self.hiding.copy(self.rules, bytes, block.offset(end), self.spans, self.out);
    }

    fn write(&mut self, flush: bool) -> ControlFlow<()> {
        let mut result = self.writer.write_all(self.out);
        self.out.clear();
        if flush {
            result = result.and_then(|()| self.writer.flush());
        }
        match result {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => self.fail(RedactError::Write(error)),
        }
    }

    fn fail(&mut self, error: RedactError) -> ControlFlow<()> {
        self.error = Some(error);
        ControlFlow::Break(())
    }
}

impl<W: Write> Consumer for StreamCopy<'_, W> {
    fn matches(&mut self, block: &Block, matches: &[Match]) -> ControlFlow<()> {
        for m in matches {
            if m.record() != self.record && !block.has_window() {
                if !self.spans.is_empty() {
                    self.copy_to(block, block.record(self.record).end);
                }
                if self.out.len() >= MAX_OUTPUT {
                    self.write(false)?;
                }
            }
            self.record = m.record();
            let record = block.offset(block.record(self.record).start);
            if let Err(error) = self.rules.add(self.spans, m, record) {
                return self.fail(error);
            }
        }
        ControlFlow::Continue(())
    }

    fn end_of_block(&mut self, block: &Block) -> ControlFlow<()> {
        self.copy_to(block, block.end());
        self.record = 0;
        self.write(true)
    }
}
