//! Streams: texts that arrive in pieces, and the records that they consist of.

use std::cmp::Reverse;
use std::io::{self, Read};
use std::ops::{ControlFlow, Range};

use dragnet::PatternSet;
use dragnet::reader::{AcrossLines, ReaderScan};
use dragnet::redact::{Redactor, Replacement};

use super::{Choices, Oracle};

/// How a stream is divided into records.
#[derive(Clone, Debug)]
pub enum Division {
    /// Lines.
    Lines,
    /// Lines that may end with `\r\n`.
    CrlfLines,
    /// Records that end with a separator.
    Separated(Vec<u8>),
    /// Records of a fixed length.
    Fixed(usize),
    /// One record.
    Whole,
    /// Lines, and matches across them with a window of this size.
    AcrossLines(usize),
    /// The same, with lines that may end with `\r\n`.
    AcrossCrlfLines(usize),
}

/// A text, and how it arrives.
#[derive(Clone, Debug)]
pub struct Stream {
    /// The bytes, without a byte order mark.
    pub text: Vec<u8>,
    /// Whether a byte order mark precedes the text.
    pub has_mark: bool,
    /// The lengths of the pieces that it arrives in, one after the other, and then from the first one again.
    pub pieces: Vec<usize>,
    /// The most bytes that are read at a time.
    pub block_bytes: usize,
    /// The number of threads.
    pub threads: usize,
    /// How it is divided.
    pub division: Division,
}

/// A match in a stream: record, pattern and range in the stream.
pub type StreamFound = (u64, usize, Range<u64>);

impl Stream {
    /// A stream of `records`, joined by what may separate them.
    pub fn of(choices: &mut dyn Choices, records: &[Vec<u8>]) -> Stream {
        let window = choices.pick(&[1, 2, 3, 5, 8, 13, 40]);
        let (division, ends): (_, &[&[u8]]) = match choices.weighted(&[2, 2, 2, 1, 1, 4, 2]) {
            0 => (Division::Lines, &[b"\n", b"\n", b"\r\n", b"\n\n"]),
            1 => (Division::CrlfLines, &[b"\n", b"\r\n", b"\r\n", b"\r\r\n"]),
            2 => {
                let separator = choices.pick(&[&b"\0"[..], b"a", b"\r\n", b"aa", b"ab\n", b"\n\n"]);
                (Division::Separated(separator.to_vec()), &[b"\0", b"a", b"\r\n", b"aa", b"ab\n"])
            }
            3 => (Division::Fixed(choices.range(1, 9)), &[b"", b"\n"]),
            4 => (Division::Whole, &[b"\n", b"\r\n", b""]),
            5 => (Division::AcrossLines(window), &[b"\n", b"\n", b"\r\n", b"\n\n", b" \n", b""]),
            _ => (Division::AcrossCrlfLines(window), &[b"\n", b"\r\n", b"\r\r\n", b""]),
        };
        let mut text = Vec::new();
        for record in records {
            text.extend_from_slice(record);
            text.extend_from_slice(choices.pick(ends));
        }
        if choices.ratio(1, 3) {
            text.truncate(text.len().saturating_sub(choices.range(1, 3)));
        }
        Stream {
            text,
            has_mark: choices.ratio(1, 4) && !matches!(division, Division::Fixed(_)),
            pieces: choices.list(1, 5, |choices| choices.pick(&[1, 1, 2, 3, 7, 20, 100, 100_000])),
            block_bytes: choices.pick(&[1, 2, 16, 100, 1 << 20]),
            threads: choices.range(1, 4),
            division,
        }
    }

    /// How dragnet scans it.
    pub fn scan(&self, set: &PatternSet) -> ReaderScan {
        let across = |window| ReaderScan::across_lines(&AcrossLines::new(set, window));
        let scan = match &self.division {
            Division::Lines => ReaderScan::lines(),
            Division::CrlfLines => ReaderScan::lines().crlf(true),
            Division::Separated(separator) => ReaderScan::separated_by(separator),
            Division::Fixed(len) => ReaderScan::fixed_length(*len),
            Division::Whole => ReaderScan::whole(),
            Division::AcrossLines(window) => across(*window),
            Division::AcrossCrlfLines(window) => across(*window).crlf(true),
        };
        scan.block_bytes(self.block_bytes)
    }

    /// The bytes of the stream, in pieces.
    pub fn reader(&self) -> Pieces {
        Pieces {
            bytes: self.bytes(),
            at: 0,
            pieces: self.pieces.clone(),
            piece: 0,
            is_ready: false,
        }
    }

    /// The bytes of the stream.
    pub fn bytes(&self) -> Vec<u8> {
        let mark: &[u8] = if self.has_mark { b"\xEF\xBB\xBF" } else { b"" };
        [mark, &self.text].concat()
    }

    /// The ranges of the records in the text.
    pub fn records(&self) -> Vec<Range<usize>> {
        let separator: &[u8] = match &self.division {
            Division::Whole => return std::iter::once(0..self.text.len()).collect(),
            Division::Fixed(len) => {
                let starts = (0..self.text.len()).step_by(*len);
                return starts.map(|start| start..self.text.len().min(start + len)).collect();
            }
            Division::Separated(separator) => separator,
            _ => b"\n",
        };
        let has_cr = matches!(self.division, Division::CrlfLines | Division::AcrossCrlfLines(_));
        let mut records = Vec::new();
        let (mut start, mut at) = (0, 0);
        while at < self.text.len() {
            if self.text[at..].starts_with(separator) {
                let cr = has_cr && self.text[start..at].ends_with(b"\r");
                records.push(start..at - usize::from(cr));
                at += separator.len();
                start = at;
            } else {
                at += 1;
            }
        }
        if start < self.text.len() {
            records.push(start..self.text.len());
        }
        records
    }

    /// The matches that must be found.
    pub fn expected(&self, oracle: &mut Oracle, set: &PatternSet) -> Vec<StreamFound> {
        let mark = if self.has_mark { 3 } else { 0 };
        let records = self.records();
        let spans = oracle.spans(records.iter().map(|range| &self.text[range.clone()]));
        let mut found: Vec<StreamFound> = spans
            .iter()
            .map(|m| {
                let start = mark + records[m.record()].start;
                let range = (start + m.start()) as u64..(start + m.end()) as u64;
                (m.record() as u64, m.pattern(), range)
            })
            .collect();
        let window = match self.division {
            Division::AcrossLines(window) | Division::AcrossCrlfLines(window) => window,
            _ => return found,
        };
        for pattern in AcrossLines::new(set, window).patterns() {
            found.retain(|(_, other, _)| *other != pattern);
            found.extend(oracle.across_lines(pattern, &self.text, window).into_iter().map(
                |(whole, span)| {
                    let line =
                        self.text[..whole.start].iter().filter(|&&byte| byte == b'\n').count();
                    let range = (mark + span.start) as u64..(mark + span.end) as u64;
                    (line as u64, pattern, range)
                },
            ));
        }
        found.sort_by_key(|(record, pattern, range)| (*record, *pattern, range.start));
        found
    }

    /// Scans the stream, and checks that matches and records are where they say.
    ///
    /// # Errors
    ///
    /// Those of the scan, and a match that is not.
    pub fn found(
        &self,
        scan: &ReaderScan,
        scanners: &mut [Box<dyn dragnet::Scan>],
    ) -> Result<Vec<StreamFound>, String> {
        let bytes = self.bytes();
        let at = |range: Range<u64>| &bytes[range.start as usize..range.end as usize];
        let mut found = Vec::new();
        let mut wrong = None;
        let flow = scan.scan_threads(self.reader(), scanners, |m| {
            let record = m.record_offset()..m.record_offset() + m.record_bytes().len() as u64;
            let is_right = m.line() == m.record() + 1
                && m.text() == at(m.stream_range())
                && m.record_bytes() == at(record.clone())
                && m.record_bytes()[m.range()] == *m.text()
                && record.start + m.range().start as u64 == m.stream_range().start;
            if !is_right {
                wrong = Some(format!("{m:?}"));
                return ControlFlow::Break(());
            }
            found.push((m.record(), m.pattern(), m.stream_range()));
            ControlFlow::Continue(())
        });
        match (flow, wrong) {
            (Ok(ControlFlow::Continue(())), None) => Ok(found),
            (flow, wrong) => Err(format!("{flow:?}, wrong: {wrong:?}")),
        }
    }

    /// The stream with the matches `found` hidden, as [`Stream::redactor`] does it: byte by byte.
    pub fn redacted(&self, found: &[StreamFound]) -> Vec<u8> {
        let bytes = self.bytes();
        let mut spans: Vec<_> = found.iter().filter(|(_, _, range)| !range.is_empty()).collect();
        spans.sort_by_key(|(_, _, range)| range.start);
        let starting_before = |at| spans.partition_point(|(_, _, range)| range.start < at);
        let mut out = Vec::new();
        let mut at = 0;
        while at < bytes.len() as u64 {
            let starting = &spans[starting_before(at)..starting_before(at + 1)];
            let first =
                starting.iter().max_by_key(|(_, pattern, range)| (range.end, Reverse(*pattern)));
            let Some((_, pattern, range)) = first else {
                out.push(bytes[at as usize]);
                at += 1;
                continue;
            };
            let mut end = range.end;
            let inside = |end| &spans[starting_before(at)..starting_before(end)];
            while let Some((_, _, longer)) = inside(end).iter().find(|(_, _, r)| r.end > end) {
                end = longer.end;
            }
            let text = &bytes[range.start as usize..range.end as usize];
            replace(*pattern, inside(end).len() > 1, text, &mut out);
            at = end;
        }
        out
    }

    /// A redactor whose replacements depend on everything that they may depend on.
    pub fn redactor(set: &PatternSet) -> Redactor {
        Redactor::new(set).replacement(Replacement::with(|hidden, out| {
            replace(hidden.pattern(), hidden.is_merged(), hidden.bytes(), out);
        }))
    }
}

fn replace(pattern: usize, is_merged: bool, text: &[u8], out: &mut Vec<u8>) {
    out.extend(format!("<{pattern} {is_merged} {}>", text.escape_ascii()).bytes());
}

/// A reader whose reads return a text in pieces. Every other read is interrupted.
#[derive(Debug)]
pub struct Pieces {
    bytes: Vec<u8>,
    at: usize,
    pieces: Vec<usize>,
    piece: usize,
    is_ready: bool,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.is_ready = !self.is_ready;
        if self.is_ready {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let len = self.pieces[self.piece % self.pieces.len()];
        self.piece += 1;
        let count = len.min(buffer.len()).min(self.bytes.len() - self.at);
        buffer[..count].copy_from_slice(&self.bytes[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}
