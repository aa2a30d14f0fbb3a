//! How matches are printed.

use std::io::stdout;
use std::sync::atomic::Ordering;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::args::{Format, ScanArgs};
use crate::escape;
use crate::input::{Hit, Source};
use crate::json;
use crate::rules::Rules;

/// What is printed in place of matches that are not to be seen.
const REDACTED: &[u8] = b"[REDACTED]";

const PATH: Style = AnsiColor::Magenta.on_default();
const LINE: Style = AnsiColor::Green.on_default();
const RULE: Style = AnsiColor::Cyan.on_default();
const MATCH: Style = AnsiColor::Red.on_default().bold();

/// Prints matches or their counts.
pub(super) struct Printer<'a> {
    rules: &'a Rules,
    /// The rules' ids, safe to print on a terminal.
    names: Vec<String>,
    format: Format,
    count: bool,
    redact: bool,
    colors: bool,
}

#[derive(Serialize)]
struct JsonHit<'a> {
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
            names: rules.iter().map(|rule| escape::text(rule.id.as_bytes())).collect(),
            format: args.format,
            count: args.count,
            redact: args.redact,
            colors: AutoStream::choice(&stdout()) != ColorChoice::Never,
        }
    }

    /// Whether only counts are printed.
    pub(super) fn counts(&self) -> bool {
        self.count
    }

    /// Prints one match.
    pub(super) fn hit(&self, out: &mut Vec<u8>, hit: &Hit<'_>) {
        let text = if self.redact { REDACTED } else { hit.text };
        match self.format {
            Format::Text => {
                self.styled(out, PATH, hit.part.source.name().as_bytes());
                out.push(b':');
                self.styled(out, LINE, hit.line.to_string().as_bytes());
                out.push(b':');
                out.extend_from_slice((hit.found.start() + 1).to_string().as_bytes());
                out.extend_from_slice(b": ");
                self.styled(out, RULE, self.names[hit.found.pattern()].as_bytes());
                out.extend_from_slice(b": ");
                self.start(out, MATCH);
                escape::push(out, text);
                self.stop(out, MATCH);
                out.push(b'\n');
            }
            Format::Json => json::push_line(
                out,
                &JsonHit {
                    path: &hit.part.source.json_path(),
                    line: hit.line,
                    rule: self.rules.id(hit.found.pattern()),
                    start: hit.found.start(),
                    end: hit.found.end(),
                    r#match: &String::from_utf8_lossy(text),
                },
            ),
        }
    }

    /// Prints how many matches a file has, if it has any.
    pub(super) fn count(&self, out: &mut Vec<u8>, source: &Source) {
        let count = source.matches.load(Ordering::Relaxed);
        if count == 0 {
            return;
        }
        match self.format {
            Format::Text => {
                self.styled(out, PATH, source.name().as_bytes());
                out.extend_from_slice(format!(":{count}\n").as_bytes());
            }
            Format::Json => json::push_line(out, &JsonCount { path: &source.json_path(), count }),
        }
    }

    fn styled(&self, out: &mut Vec<u8>, style: Style, text: &[u8]) {
        self.start(out, style);
        out.extend_from_slice(text);
        self.stop(out, style);
    }

    fn start(&self, out: &mut Vec<u8>, style: Style) {
        if self.colors {
            out.extend_from_slice(style.render().to_string().as_bytes());
        }
    }

    fn stop(&self, out: &mut Vec<u8>, style: Style) {
        if self.colors {
            out.extend_from_slice(style.render_reset().to_string().as_bytes());
        }
    }
}
