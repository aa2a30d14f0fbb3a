//! `dragnet redact`: copies its input, matches replaced.

use std::io::{Stdout, Write, stdout};
use std::ops::Range;
use std::path::{Path, PathBuf};

use dragnet::{Batch, Match, Matches, Scan, Scanner};

use crate::args::RedactArgs;
use crate::engine;
use crate::input::{Block, Blocks, Source};
use crate::messages;
use crate::rules::Rules;
use crate::status::{Failure, Status};

/// Runs the command.
pub(crate) fn run(args: &RedactArgs) -> Result<Status, Failure> {
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
            let may_wait = metadata.is_ok_and(|metadata| !metadata.is_file());
            Source::file(path, true, may_wait)
        }
    };
    redactor.copy(&source, &mut stdout())
}

/// What each rule's matches are replaced by.
fn replacements(rules: &Rules, with: Option<&str>) -> Vec<Vec<u8>> {
    rules
        .iter()
        .map(|rule| match with {
            Some(text) => text.as_bytes().to_vec(),
            None => format!("[REDACTED:{}]", rule.id).into_bytes(),
        })
        .collect()
}

struct Redactor {
    /// What each rule's matches are replaced by.
    replacements: Vec<Vec<u8>>,
    scanner: Scanner,
    offsets: Vec<u32>,
    matches: Matches,
    merged: Vec<Merged>,
    redacted: Vec<u8>,
}

/// Matches that overlap, as one.
#[derive(Debug, PartialEq, Eq)]
struct Merged {
    range: Range<usize>,
    /// The rule of the match that starts first; of several that do, the first rule.
    rule: usize,
}

impl Redactor {
    /// Copies all there is to read, block by block.
    fn copy(&mut self, source: &Source, out: &mut Stdout) -> Result<Status, Failure> {
        let unreadable = |error| {
            messages::error(format_args!("{}: {error}", source.name()));
            Ok(Status::Failed)
        };
        let mut blocks = match Blocks::open(source) {
            Ok(blocks) => blocks,
            Err(error) => return unreadable(error),
        };
        let mut block = Block::default();
        loop {
            match blocks.next(&mut block) {
                Ok(true) => {}
                Ok(false) => return Ok(Status::Found),
                Err(error) => return unreadable(error),
            }
            self.redact(&block.bytes)?;
            // What can wait for more input comes in blocks that end where it waits.
            out.write_all(&self.redacted)
                .and_then(|()| out.flush())
                .map_err(|error| Failure::output(&error))?;
        }
    }

    /// Replaces the matches in some lines; the result is in `redacted`.
    fn redact(&mut self, lines: &[u8]) -> Result<(), Failure> {
        // Nothing may pass that was not searched, so any error ends the copy.
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
            for Merged { range, rule } in &self.merged {
                self.redacted.extend_from_slice(&lines[copied..start + range.start]);
                self.redacted.extend_from_slice(&self.replacements[*rule]);
                copied = start + range.end;
            }
        }
        self.redacted.extend_from_slice(&lines[copied..]);
        Ok(())
    }
}

/// Merges the matches of one record that overlap. Those that match nothing have nothing to hide;
/// those that only touch stay apart.
fn merge(matches: &[Match], merged: &mut Vec<Merged>) {
    merged.clear();
    merged.extend(
        matches
            .iter()
            .filter(|m| !m.range().is_empty())
            .map(|m| Merged { range: m.range(), rule: m.pattern() }),
    );
    merged.sort_unstable_by_key(|m| (m.range.start, m.rule));
    merged.dedup_by(|later, earlier| {
        let overlaps = later.range.start < earlier.range.end;
        if overlaps {
            earlier.range.end = earlier.range.end.max(later.range.end);
        }
        overlaps
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A match: its rule, start and end.
    type Span = (u32, u32, u32);

    #[test]
    fn matches_that_overlap_are_merged_under_the_first_name() {
        let cases: [(&[Span], &[Span]); 8] = [
            (&[], &[]),
            (&[(0, 1, 4)], &[(0, 1, 4)]),
            (&[(0, 2, 5), (1, 3, 8)], &[(0, 2, 8)]),
            (&[(0, 3, 8), (1, 2, 5)], &[(1, 2, 8)]),
            (&[(0, 2, 5), (1, 2, 9), (2, 8, 9)], &[(0, 2, 9)]),
            (&[(0, 0, 9), (1, 3, 4), (1, 5, 6)], &[(0, 0, 9)]),
            (&[(0, 0, 3), (0, 3, 5), (1, 5, 6)], &[(0, 0, 3), (0, 3, 5), (1, 5, 6)]),
            (&[(0, 1, 1), (0, 4, 4), (1, 2, 3)], &[(1, 2, 3)]),
        ];
        let mut merged = Vec::new();
        for (matches, expected) in cases {
            let matches: Vec<_> =
                matches.iter().map(|&(rule, start, end)| Match::new(0, rule, start..end)).collect();
            merge(&matches, &mut merged);
            let found: Vec<_> = merged
                .iter()
                .map(|m| (m.rule as u32, m.range.start as u32, m.range.end as u32))
                .collect();
            assert_eq!(found, expected);
        }
    }
}
