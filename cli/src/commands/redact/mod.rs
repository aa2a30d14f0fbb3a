//! `dragnet redact`: copies its input to standard output and replaces every match.
//!
//! The library copies and replaces. This module chooses the replacements and, if some rule may match across
//! lines, cuts the input into [`segments`], so that lines are written at once, and most are searched by
//! themselves.

mod args;
mod line_cuts;
mod segments;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use dragnet::Scanner;
use dragnet::reader::{ReadError, ReaderScan};
use dragnet::redact::{RedactError, Redactor, Replacement};

pub(crate) use self::args::RedactArgs;
use self::line_cuts::LineCuts;
use self::segments::{SegmentWriter, Segments};
use crate::engine;
use crate::escape;
use crate::input::{Decoded, Encoding};
use crate::messages;
use crate::rules::{Multiline, Rules};
use crate::status::{ExitStatus, Failure};

/// The longest line, in bytes.
const MAX_LINE: usize = 1 << 30;

/// Runs `dragnet redact`.
pub(crate) fn run(args: &RedactArgs) -> Result<ExitStatus, Failure> {
    let multiline = if args.multiline { Multiline::All } else { Multiline::BuiltIn };
    let rules = Rules::load(&args.rules, multiline)?;
    let path = args.file.as_deref().filter(|path| *path != Path::new("-"));
    rules.check_stdin(&[path.unwrap_or(Path::new("-")).to_owned()])?;
    let scanner = engine::build(&rules, args.engine.backend.into())?.scanner();
    let mut copy = Copy {
        redactor: redactor(&rules, args.with.as_deref()),
        scanner: scanner.map_err(|error| Failure::new(error.to_string()))?,
        lines: ReaderScan::lines().max_record(MAX_LINE),
        across: rules
            .across_lines()
            .map(|across| ReaderScan::across_lines(across).max_record(MAX_LINE)),
        encoding: args.encoding.encoding,
        name: path.map_or_else(|| "<stdin>".to_owned(), escape::path),
    };
    let across = rules.across_lines();
    let cuts = across.and_then(|across| LineCuts::new(&rules.hirs_across_lines(), across.window()));
    match path {
        None => copy.run(io::stdin(), cuts, &mut io::stdout().lock()),
        Some(path) => {
            let file = File::open(path).map_err(|error| copy.failure(error))?;
            copy.run(file, cuts, &mut io::stdout().lock())
        }
    }
}

/// Returns the library's redactor with the replacement of each rule.
fn redactor(rules: &Rules, with: Option<&str>) -> Redactor {
    let redactor = Redactor::new(rules.patterns());
    if let Some(text) = with {
        return redactor.replacement(Replacement::text(text));
    }
    rules.iter().enumerate().fold(redactor, |redactor, (number, rule)| {
        // A line end or an escape sequence in a rule's name would change the text.
        let text = format!("[REDACTED:{}]", escape::text(rule.id.as_bytes()));
        redactor.pattern_replacement(number, Replacement::text(text))
    })
}

/// What copies one input.
struct Copy {
    redactor: Redactor,
    scanner: Scanner,
    lines: ReaderScan,
    /// Set if some rule may match across lines.
    across: Option<ReaderScan>,
    encoding: Encoding,
    /// The name of the input in messages.
    name: String,
}

impl Copy {
    /// Copies an input, in the segments that `cuts` divides it into.
    ///
    /// # Errors
    ///
    /// If the input can't be read or scanned, or the output can't be written. What has been written then is
    /// a prefix of the right output.
    fn run(
        &mut self,
        reader: impl Read,
        cuts: Option<LineCuts>,
        out: &mut impl Write,
    ) -> Result<ExitStatus, Failure> {
        let reader = Decoded::with_mark(reader, self.encoding);
        let mut segments = Segments::new(reader, cuts);
        let mut has_added = false;
        loop {
            let has_lines = segments.fill().map_err(|error| self.failure(error))?;
            let scan = self.across.as_ref().filter(|_| !has_lines).unwrap_or(&self.lines);
            let writer = SegmentWriter::new(&mut *out, has_added);
            let scanner = &mut self.scanner;
            let result = self.redactor.redact_reader(scan, &mut segments, scanner, writer);
            match result {
                Ok(()) => {}
                Err(RedactError::Write(error)) => return Err(Failure::output(&error)),
                Err(RedactError::Read(ReadError::Io { source, .. })) => {
                    return Err(self.failure(source));
                }
                Err(RedactError::Read(ReadError::RecordTooLong { offset, limit })) => {
                    let offset = segments.base() + offset;
                    let message = format!("the line at byte {offset} is longer than {limit} bytes");
                    return Err(self.failure(message));
                }
                Err(error) => return Err(self.failure(error)),
            }
            if !has_added {
                self.note_encoding(segments.reader());
            }
            if !segments.next() {
                return Ok(ExitStatus::Success);
            }
            has_added = true;
        }
    }

    /// Says what the user may not expect of the encoding. Called after the first segment.
    fn note_encoding(&self, reader: &Decoded<impl Read>) {
        let name = &self.name;
        if reader.is_decoded() {
            messages::note(format_args!("{name}: decoded, and written as UTF-8"));
        } else if reader.is_likely_utf16() {
            messages::warning(format_args!(
                "{name}: copied as bytes, but it looks like UTF-16: see --encoding"
            ));
        }
    }

    fn failure(&self, error: impl std::fmt::Display) -> Failure {
        Failure::new(format!("{}: {error}", self.name))
    }
}
