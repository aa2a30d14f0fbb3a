//! `dragnet redact`: copies its input to standard output and replaces every match.

mod args;
mod merge;

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use dragnet::{Batch, Scan, Scanner};

pub(crate) use self::args::RedactArgs;
use self::merge::Merger;
use crate::engine;
use crate::escape;
use crate::input::{Block, BlockReader, Next, Source};
use crate::messages;
use crate::rules::Rules;
use crate::status::{ExitStatus, Failure};

/// Runs `dragnet redact`.
pub(crate) fn run(args: &RedactArgs) -> Result<ExitStatus, Failure> {
    let rules = Rules::load(&args.rules)?;
    let path = args.file.clone().unwrap_or_else(|| PathBuf::from("-"));
    rules.check_stdin(std::slice::from_ref(&path))?;
    let scanner = engine::build(&rules, args.engine.backend.into())?.scanner();
    let mut redactor = Redactor {
        replacements: replacements(&rules, args.with.as_deref()),
        scanner: scanner.map_err(|error| Failure::new(error.to_string()))?,
        offsets: Vec::new(),
        merger: Merger::default(),
        redacted: Vec::new(),
    };
    let source = match path == Path::new("-") {
        true => Source::stdin(),
        false => {
            let metadata = std::fs::metadata(&path);
            let may_block = metadata.is_ok_and(|metadata| !metadata.is_file());
            Source::file(path, true, may_block)
        }
    };
    redactor.copy(&source)
}

/// The replacement of each rule's matches, by rule number.
fn replacements(rules: &Rules, with: Option<&str>) -> Vec<Vec<u8>> {
    rules
        .iter()
        .map(|rule| match with {
            Some(text) => text.as_bytes().to_vec(),
            // A line end or an escape sequence in a rule's name would change the text.
            None => format!("[REDACTED:{}]", escape::text(rule.id.as_bytes())).into_bytes(),
        })
        .collect()
}

/// The size of redacted text, in bytes, from which on it is written before the block ends.
/// Replacements can be much longer than what they replace.
const MAX_BUFFERED: usize = 1 << 20;

/// Redacts blocks of lines, with buffers that are reused from block to block.
struct Redactor {
    /// The replacement of each rule's matches, by rule number.
    replacements: Vec<Vec<u8>>,
    scanner: Scanner,
    offsets: Vec<u32>,
    merger: Merger,
    /// The redacted text that has not been written yet.
    redacted: Vec<u8>,
}

impl Redactor {
    /// Copies all of `source` to standard output, block by block.
    ///
    /// Each block is flushed at its end. From a pipe, `BlockReader` returns the available whole lines at once,
    /// so every line is written before a read waits for more input.
    fn copy(&mut self, source: &Source) -> Result<ExitStatus, Failure> {
        let report_unreadable = |error| {
            messages::error(format_args!("{}: {error}", source.display_path()));
            Ok(ExitStatus::Failed)
        };
        let mut blocks = match BlockReader::open(source) {
            Ok(blocks) => blocks,
            Err(error) => return report_unreadable(error),
        };
        let mut block = Block::default();
        loop {
            match blocks.next(&mut block) {
                Ok(Next::Block) => {}
                Ok(Next::End | Next::Binary { .. }) => return Ok(ExitStatus::Success),
                Err(error) => return report_unreadable(error),
            }
            self.redact(&block.bytes)?;
        }
    }

    /// Writes `lines` to standard output, with all matches replaced.
    ///
    /// # Errors
    ///
    /// If the lines could not be scanned or written. What has been written then is a prefix of the
    /// right output. The caller must stop copying, because the rest could contain matches.
    fn redact(&mut self, lines: &[u8]) -> Result<(), Failure> {
        let batch = Batch::lines(lines, &mut self.offsets)
            .map_err(|error| Failure::new(error.to_string()))?;
        let mut copied = 0;
        // The record whose matches are being merged.
        let mut current = None;
        let mut output = Ok(());
        let (merger, redacted, replacements) =
            (&mut self.merger, &mut self.redacted, &self.replacements);
        let mut finish_record = |record: usize, merger: &mut Merger| {
            let start = batch.range(record).start;
            for (range, rule) in merger.finish() {
                redacted.extend_from_slice(&lines[copied..start + range.start]);
                redacted.extend_from_slice(&replacements[rule]);
                copied = start + range.end;
                if redacted.len() >= MAX_BUFFERED {
                    write(redacted)?;
                }
            }
            Ok(())
        };
        let scanned = self.scanner.scan_with(&batch, &mut |matches| {
            for in_record in matches.chunk_by(|a, b| a.record() == b.record()) {
                let record = in_record[0].record();
                if let Some(finished) = current.replace(record).filter(|&it| it != record) {
                    output = finish_record(finished, merger);
                    if output.is_err() {
                        return ControlFlow::Break(());
                    }
                }
                merger.add(in_record);
            }
            ControlFlow::Continue(())
        });
        output?;
        match scanned {
            Ok(_) => current.map_or(Ok(()), |record| finish_record(record, merger))?,
            Err(error) => {
                write(redacted)?;
                return Err(Failure::new(error.to_string()));
            }
        }
        redacted.extend_from_slice(&lines[copied..]);
        write(redacted)
    }
}

/// Writes `bytes` to standard output, flushes it and clears `bytes`.
fn write(bytes: &mut Vec<u8>) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let result = stdout.write_all(bytes).and_then(|()| stdout.flush());
    bytes.clear();
    result.map_err(|error| Failure::output(&error))
}
