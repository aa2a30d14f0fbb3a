//! Formats matches and counts, as text or as JSON.

use std::io::{Write, stdout};
use std::sync::atomic::Ordering;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use dragnet::Match;
use serde::Serialize;

use super::args::ScanArgs;
use crate::args::Format;
use crate::escape;
use crate::input::Source;
use crate::json;
use crate::rules::Rules;

/// The text that replaces a match with `--redact`.
const REDACTED: &[u8] = b"[REDACTED]";

const PATH: Style = AnsiColor::Magenta.on_default();
const LINE: Style = AnsiColor::Green.on_default();
const RULE: Style = AnsiColor::Cyan.on_default();
const MATCH: Style = AnsiColor::Red.on_default().bold();

/// What is printed for a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output {
    Matches,
    /// The text of matches alone.
    Texts,
    Count,
    Path,
    Nothing,
}

/// Formats matches, counts or paths, with the options of the command line.
pub(super) struct Printer<'a> {
    rules: &'a Rules,
    /// The rules' ids, escaped once instead of for each match.
    escaped_ids: Vec<String>,
    format: Format,
    pub(super) output: Output,
    /// The numbers of lines before and after a match, if lines are printed at all.
    pub(super) context: Option<(u64, u64)>,
    /// The number of lines with a match after which a file ends.
    pub(super) max_count: Option<u64>,
    /// What follows a path.
    after_path: u8,
    max_columns: usize,
    redact: bool,
    colors: bool,
}

#[derive(Serialize)]
struct JsonMatch<'a> {
    path: &'a str,
    line: u64,
    rule: &'a str,
    start: usize,
    end: usize,
    r#match: &'a str,
}

#[derive(Serialize)]
struct JsonPath<'a> {
    path: &'a str,
}

#[derive(Serialize)]
struct JsonCount<'a> {
    path: &'a str,
    count: u64,
}

impl<'a> Printer<'a> {
    pub(super) fn new(args: &ScanArgs, rules: &'a Rules) -> Printer<'a> {
        let output = &args.output;
        let lines = |side: Option<usize>| side.or(output.context).unwrap_or(0) as u64;
        let has_lines = output.has_lines() && !output.quiet && output.format == Format::Text;
        Printer {
            rules,
            escaped_ids: rules.iter().map(|rule| escape::text(rule.id.as_bytes())).collect(),
            format: output.format,
            output: match () {
                () if output.quiet => Output::Nothing,
                () if output.count => Output::Count,
                () if output.files_with_matches => Output::Path,
                () if output.only_matching => Output::Texts,
                () => Output::Matches,
            },
            context: has_lines.then(|| (lines(output.before_context), lines(output.after_context))),
            max_count: output.max_count,
            after_path: if output.null { 0 } else { b':' },
            max_columns: output.max_columns.unwrap_or(usize::MAX),
            redact: output.redact,
            colors: AutoStream::choice(&stdout()) != ColorChoice::Never,
        }
    }

    /// Whether the blocks of a file must be searched one after the other.
    pub(super) fn needs_order(&self) -> bool {
        self.context.is_some() || self.max_count.is_some()
    }

    /// Appends one match in `line`, whose number is `number`, to `out`.
    pub(super) fn print_match(
        &self,
        out: &mut Vec<u8>,
        source: &Source,
        number: u64,
        line: &[u8],
        found: &Match,
    ) {
        let text = if self.redact { REDACTED } else { &line[found.range()] };
        match self.format {
            Format::Text if self.output == Output::Texts => {
                self.push_text(out, MATCH, text);
                out.push(b'\n');
            }
            Format::Text => {
                self.push_path(out, source, self.after_path);
                self.push_line_number(out, number);
                out.push(b':');
                push_number(out, found.start() as u64 + 1);
                out.extend_from_slice(b": ");
                self.push_styled(out, RULE, self.escaped_ids[found.pattern()].as_bytes());
                out.extend_from_slice(b": ");
                self.push_text(out, MATCH, text);
                out.push(b'\n');
            }
            Format::Json => json::push_line(
                out,
                &JsonMatch {
                    path: &source.json_path(),
                    line: number,
                    rule: self.rules.id(found.pattern()),
                    start: found.start(),
                    end: found.end(),
                    r#match: &String::from_utf8_lossy(text),
                },
            ),
        }
    }

    /// Appends the number of matches in a file to `out`, unless it is 0.
    pub(super) fn print_count(&self, out: &mut Vec<u8>, source: &Source) {
        let count = source.match_count.load(Ordering::Relaxed);
        if count == 0 {
            return;
        }
        match self.format {
            Format::Text => {
                self.push_path(out, source, self.after_path);
                out.extend_from_slice(format!("{count}\n").as_bytes());
            }
            Format::Json => json::push_line(out, &JsonCount { path: &source.json_path(), count }),
        }
    }

    /// Appends the path of a file that has a match.
    pub(super) fn print_path(&self, out: &mut Vec<u8>, source: &Source) {
        match self.format {
            Format::Text => {
                self.push_path(out, source, if self.after_path == 0 { 0 } else { b'\n' });
            }
            Format::Json => json::push_line(out, &JsonPath { path: &source.json_path() }),
        }
    }

    /// Appends a line of a file, whose number is `number`.
    pub(super) fn print_line(&self, out: &mut Vec<u8>, source: &Source, number: u64, line: &[u8]) {
        self.push_path(out, source, if self.after_path == 0 { 0 } else { b'-' });
        self.push_line_number(out, number);
        out.push(b'-');
        self.push_text(out, Style::new(), line.strip_suffix(b"\r").unwrap_or(line));
        out.push(b'\n');
    }

    fn push_path(&self, out: &mut Vec<u8>, source: &Source, end: u8) {
        // A program that splits at NUL bytes needs the path as it is.
        let path = match self.after_path {
            0 => source.path().map(|path| path.as_os_str().as_encoded_bytes()),
            _ => None,
        };
        self.push_styled(out, PATH, path.unwrap_or(source.display_path().as_bytes()));
        out.push(end);
    }

    /// Appends text of a file, escaped, or its length if it is too long.
    fn push_text(&self, out: &mut Vec<u8>, style: Style, text: &[u8]) {
        self.push_style(out, style);
        if text.len() > self.max_columns {
            out.extend_from_slice(format!("[{} bytes]", text.len()).as_bytes());
        } else {
            escape::push(out, text);
        }
        self.push_style_reset(out, style);
    }

    fn push_line_number(&self, out: &mut Vec<u8>, number: u64) {
        self.push_style(out, LINE);
        push_number(out, number);
        self.push_style_reset(out, LINE);
    }

    fn push_styled(&self, out: &mut Vec<u8>, style: Style, text: &[u8]) {
        self.push_style(out, style);
        out.extend_from_slice(text);
        self.push_style_reset(out, style);
    }

    fn push_style(&self, out: &mut Vec<u8>, style: Style) {
        if self.colors {
            out.extend_from_slice(style.render().to_string().as_bytes());
        }
    }

    fn push_style_reset(&self, out: &mut Vec<u8>, style: Style) {
        if self.colors {
            out.extend_from_slice(style.render_reset().to_string().as_bytes());
        }
    }
}

/// Appends a number in decimal digits, without an allocation.
fn push_number(out: &mut Vec<u8>, number: u64) {
    // Writing to memory can't fail.
    let _ = write!(out, "{number}");
}
