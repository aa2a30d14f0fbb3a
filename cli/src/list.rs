//! `dragnet rules`: lists the rules, and how each is searched.

use std::io::{Write, stdout};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use dragnet::Engine;
use serde::Serialize;

use crate::args::{Format, ListArgs};
use crate::engine;
use crate::escape;
use crate::json;
use crate::rules::{Rule, Rules};
use crate::status::{Failure, Status};

const ID: Style = AnsiColor::Cyan.on_default();

#[derive(Serialize)]
struct JsonRule<'a> {
    id: &'a str,
    description: Option<&'a str>,
    regex: &'a str,
    search: &'a str,
}

/// Runs the command.
pub(crate) fn run(args: &ListArgs) -> Result<Status, Failure> {
    let rules = Rules::load(&args.rules)?;
    let engine = engine::build(&rules, args.engine.backend.into())?;
    let mut out = Vec::new();
    match args.format {
        Format::Text => text(&mut out, &rules, &engine),
        Format::Json => {
            for (number, rule) in rules.iter().enumerate() {
                let Rule { id, regex, description, .. } = rule;
                let search = search(&engine, number);
                json::push_line(
                    &mut out,
                    &JsonRule { id, description: description.as_deref(), regex, search: &search },
                );
            }
        }
    }
    let mut stdout = stdout().lock();
    stdout
        .write_all(&out)
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::output(&error))?;
    Ok(Status::Found)
}

/// How the rule with this number is searched. All that there is to tell so far is the engine.
fn search(engine: &Engine, _number: usize) -> String {
    engine.backend().to_string()
}

/// Two lines per rule: its id, how it is searched and its description, then its regex.
fn text(out: &mut Vec<u8>, rules: &Rules, engine: &Engine) {
    let (on, off) = match AutoStream::choice(&stdout()) {
        ColorChoice::Never => (String::new(), String::new()),
        _ => (ID.render().to_string(), ID.render_reset().to_string()),
    };
    for (number, rule) in rules.iter().enumerate() {
        let id = escape::text(rule.id.as_bytes());
        let description = escape::text(rule.description.as_deref().unwrap_or_default().as_bytes());
        let line = format!("{on}{id}{off} ({}) {description}", search(engine, number));
        let regex = escape::text(rule.regex.as_bytes());
        out.extend_from_slice(format!("{}\n    {regex}\n", line.trim_end()).as_bytes());
    }
}
