//! Prints the matches of one chunk, file by file and line by line.
//!
//! Matches arrive in the order of lines, those of a line possibly in several blocks. So a line ends
//! when a match of another line arrives, or when the chunk ends.

use std::ops::Range;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use dragnet::{Batch, Match};

use super::ordered_output::TaskOutput;
use super::printer::{Output, Printer};
use super::statistics::Statistics;
use crate::input::{Chunk, FilePart, LineProgress, Locator, Task};

pub(super) struct ChunkPrinter<'a, 'o, 't> {
    printer: &'a Printer<'a>,
    chunk: &'a Chunk,
    batch: Batch<'a>,
    locator: Locator<'a>,
    output: &'o mut TaskOutput<'t, Task>,
    /// The file that the last match was in.
    current: Option<Current<'a>>,
    pub(super) statistics: Statistics,
}

/// The part of a file that is being printed.
struct Current<'a> {
    part: &'a FilePart,
    records: Range<usize>,
    progress: LineProgress,
    /// The number of the line whose matches are being printed.
    line: Option<u64>,
    /// The last line that one of them extends to.
    last_line: u64,
    /// Whether the file has as many lines with a match as are wanted.
    is_full: bool,
}

impl<'a, 'o, 't> ChunkPrinter<'a, 'o, 't> {
    pub(super) fn new(
        printer: &'a Printer<'a>,
        chunk: &'a Chunk,
        batch: Batch<'a>,
        output: &'o mut TaskOutput<'t, Task>,
    ) -> ChunkPrinter<'a, 'o, 't> {
        let locator = Locator::new(chunk, batch);
        let statistics = Statistics::default();
        ChunkPrinter { printer, chunk, batch, locator, output, current: None, statistics }
    }

    /// Adds a message, which is printed after the matches.
    pub(super) fn push_message(&mut self, message: String) {
        self.output.push_message(message);
    }

    /// Prints matches of one line.
    pub(super) fn print(&mut self, matches: &[Match]) {
        let record = matches[0].record();
        let Some((part, line)) = self.locator.locate(record) else { return };
        if self.current.as_ref().is_none_or(|current| current.part.start != part.start) {
            self.leave();
            self.enter(part);
        }
        let Some(current) = &mut self.current else { return };
        if current.line != Some(line) {
            self.end_line();
            self.begin_line(line);
        }
        let Some(current) = self.current.as_mut().filter(|current| !current.is_full) else {
            return;
        };
        let source = &current.part.source;
        source.match_count.fetch_add(matches.len() as u64, Ordering::Relaxed);
        self.statistics.matches += matches.len() as u64;
        match self.printer.output {
            Output::Matches | Output::Texts => {
                // To the end of the buffer, because a match may end after its line.
                let text = &self.batch.buffer()[self.batch.range(record).start..];
                for found in matches {
                    if self.printer.context.is_some() {
                        let lines = &text[found.range()];
                        let more =
                            memchr::memchr_iter(b'\n', lines.strip_suffix(b"\n").unwrap_or(lines));
                        current.last_line = current.last_line.max(line + more.count() as u64);
                    }
                    self.printer.print_match(self.output.text(), source, line, text, found);
                    self.output.flush_if_large();
                }
            }
            Output::Path | Output::Nothing => {
                source.end();
            }
            Output::Count => {}
        }
    }

    /// Prints what comes after the last match. All matches of the chunk must have been printed.
    pub(super) fn finish(mut self) -> Statistics {
        self.leave();
        for part in self.chunk.parts() {
            // A block without a match can have lines after a match of the block before.
            if !part.is_whole_file && self.printer.context.is_some() && self.statistics.lines == 0 {
                self.enter(part);
                self.leave();
            }
            if part.is_last {
                if !part.is_whole_file {
                    // Other workers may still be searching earlier blocks of the file.
                    self.output.wait_for_turn();
                }
                let source = &part.source;
                if source.match_count.load(Ordering::Relaxed) > 0 {
                    self.statistics.matched_files += 1;
                    match self.printer.output {
                        Output::Count => self.printer.print_count(self.output.text(), source),
                        Output::Path => self.printer.print_path(self.output.text(), source),
                        _ => {}
                    }
                }
            }
        }
        self.statistics
    }

    fn enter(&mut self, part: &'a FilePart) {
        let records = if self.chunk.parts().len() == 1 {
            0..self.batch.len()
        } else {
            self.locator.records()
        };
        // Only one worker at a time has a block of this file, if the progress matters.
        let mut progress = part.source.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let progress = std::mem::take(&mut *progress);
        self.current =
            Some(Current { part, records, progress, line: None, last_line: 0, is_full: false });
    }

    fn begin_line(&mut self, line: u64) {
        let Some(current) = &mut self.current else { return };
        current.line = Some(line);
        if let Some(max) = self.printer.max_count {
            if current.progress.matched >= max {
                current.is_full = true;
                return;
            }
            current.progress.matched += 1;
        }
        self.statistics.lines += 1;
        if let Some((before, _)) = self.printer.context {
            self.print_lines_up_to(line - 1);
            let Some(current) = &mut self.current else { return };
            let first = line.saturating_sub(before).max(current.progress.printed + 1);
            if current.progress.printed > 0 && first > current.progress.printed + 1 {
                self.output.text().extend_from_slice(b"--\n");
            }
            for number in first..line {
                self.print_line(number);
            }
        }
    }

    /// Prints the line whose matches have been printed.
    fn end_line(&mut self) {
        let Some(current) = &mut self.current else { return };
        let (Some((_, after)), Some(line)) = (self.printer.context, current.line.take()) else {
            return;
        };
        if !current.is_full {
            let last = current.last_line.max(line);
            current.progress.end = last.saturating_add(after);
            for number in line.max(current.progress.printed + 1)..=last {
                self.print_line(number);
            }
        }
    }

    /// Prints the lines after a match up to the line `last`.
    fn print_lines_up_to(&mut self, last: u64) {
        let Some(current) = &self.current else { return };
        for number in current.progress.printed + 1..=last.min(current.progress.end) {
            self.print_line(number);
        }
    }

    fn print_line(&mut self, number: u64) {
        let Some(current) = &mut self.current else { return };
        let progress = &mut current.progress;
        let record = number
            .checked_sub(current.part.first_line)
            .map(|offset| current.records.start + offset as usize);
        let text = match record {
            Some(record) if current.records.contains(&record) => {
                &self.batch.buffer()[self.batch.range(record)]
            }
            Some(_) => return,
            None => {
                let back = (current.part.first_line - number) as usize;
                match progress.tail.len().checked_sub(back) {
                    Some(index) => progress.tail[index].as_slice(),
                    None => return,
                }
            }
        };
        self.printer.print_line(self.output.text(), &current.part.source, number, text);
        progress.printed = number;
        self.output.flush_if_large();
    }

    /// Ends the part that is being printed.
    fn leave(&mut self) {
        self.end_line();
        let Some(current) = &self.current else { return };
        let last = current.part.first_line + current.records.len() as u64;
        self.print_lines_up_to(last.saturating_sub(1));
        let Some(mut current) = self.current.take() else { return };
        // The lines after the last match are still wanted.
        if self.printer.max_count.is_some_and(|max| current.progress.matched >= max)
            && current.progress.printed >= current.progress.end
        {
            current.part.source.end();
        }
        if let Some((before, _)) = self.printer.context.filter(|_| !current.part.is_last) {
            let kept = current.records.len().min(before as usize);
            let lines = current.records.end - kept..current.records.end;
            let tail = &mut current.progress.tail;
            tail.extend(lines.map(|record| self.batch.buffer()[self.batch.range(record)].to_vec()));
            let excess = tail.len().saturating_sub(before as usize);
            tail.drain(..excess);
        }
        if !current.part.is_last {
            let source = &current.part.source;
            *source.progress.lock().unwrap_or_else(PoisonError::into_inner) = current.progress;
        }
    }
}
