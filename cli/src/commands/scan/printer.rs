//! Formats matches and counts, as text or as JSON.

use std::io::stdout;
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

/// Formats matches or their counts, with the options of the command line.
pub(super) struct Printer<'a> {
    rules: &'a Rules,
    /// The rules' ids, escaped once instead of for each match.
    escaped_ids: Vec<String>,
    format: Format,
    count: bool,
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
struct JsonCount<'a> {
    path: &'a str,
    count: u64,
}

impl<'a> Printer<'a> {
    pub(super) fn new(args: &ScanArgs, rules: &'a Rules) -> Printer<'a> {
        Printer {
            rules,
            escaped_ids: rules.iter().map(|rule| escape::text(rule.id.as_bytes())).collect(),
            format: args.output.format,
            count: args.count,
            redact: args.redact,
            colors: AutoStream::choice(&stdout()) != ColorChoice::Never,
        }
    }

    /// Whether counts are printed instead of matches.
    pub(super) fn prints_counts(&self) -> bool {
        self.count
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
            Format::Text => {
                self.push_styled(out, PATH, source.display_path().as_bytes());
                out.push(b':');
                self.push_styled(out, LINE, number.to_string().as_bytes());
                out.push(b':');
                out.extend_from_slice((found.start() + 1).to_string().as_bytes());
                out.extend_from_slice(b": ");
                self.push_styled(out, RULE, self.escaped_ids[found.pattern()].as_bytes());
                out.extend_from_slice(b": ");
                self.push_style(out, MATCH);
                escape::push(out, text);
                self.push_style_reset(out, MATCH);
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
                self.push_styled(out, PATH, source.display_path().as_bytes());
                out.extend_from_slice(format!(":{count}\n").as_bytes());
            }
            Format::Json => json::push_line(out, &JsonCount { path: &source.json_path(), count }),
        }
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
