//! `dragnet redact`: copies its input to standard output and replaces every match.

mod args;
mod merge;

use std::path::{Path, PathBuf};

use dragnet::{Batch, Matches, Scan, Scanner};

pub(crate) use self::args::RedactArgs;
use self::merge::{MergedMatch, merge};
use crate::engine;
use crate::input::{Block, BlockReader, Source};
use crate::messages;
use crate::output;
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
        matches: Matches::new(),
        merged: Vec::new(),
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
            None => format!("[REDACTED:{}]", rule.id).into_bytes(),
        })
        .collect()
}

/// Redacts blocks of lines, with buffers that are reused from block to block.
struct Redactor {
    /// The replacement of each rule's matches, by rule number.
    replacements: Vec<Vec<u8>>,
    scanner: Scanner,
    offsets: Vec<u32>,
    matches: Matches,
    merged: Vec<MergedMatch>,
    /// The redacted text of the current block.
    redacted: Vec<u8>,
}

impl Redactor {
    /// Copies all of `source` to standard output, block by block.
    ///
    /// Each block is flushed. From a pipe, `BlockReader` returns the available whole lines at once,
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
                Ok(true) => {}
                Ok(false) => return Ok(ExitStatus::Success),
                Err(error) => return report_unreadable(error),
            }
            self.redact(&block.bytes)?;
            output::print(&self.redacted)?;
        }
    }

    /// Writes `lines`, with all matches replaced, to `self.redacted`.
    ///
    /// # Errors
    ///
    /// If the lines could not be scanned. The caller must stop copying then, because the block
    /// could contain matches.
    fn redact(&mut self, lines: &[u8]) -> Result<(), Failure> {
        let batch = Batch::lines(lines, &mut self.offsets)
            .map_err(|error| Failure::new(error.to_string()))?;
        self.scanner
            .scan(&batch, &mut self.matches)
            .map_err(|error| Failure::new(error.to_string()))?;
        self.redacted.clear();
        let mut copied = 0;
        for matches in self.matches.as_slice().chunk_by(|a, b| a.record() == b.record()) {
            let start = batch.range(matches[0].record()).start;
            merge(matches, &mut self.merged);
            for MergedMatch { range, rule } in &self.merged {
                self.redacted.extend_from_slice(&lines[copied..start + range.start]);
                self.redacted.extend_from_slice(&self.replacements[*rule]);
                copied = start + range.end;
            }
        }
        self.redacted.extend_from_slice(&lines[copied..]);
        Ok(())
    }
}
