//! `dragnet rules`: lists the rules, and how each is searched.

use std::io::{Write, stdout};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use dragnet::{Engine, Explanation, pure};
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
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<String>,
}

/// The last line of an explained list.
#[derive(Serialize)]
struct JsonPrefilter<'a> {
    prefilter: &'a str,
}

/// Runs the command.
pub(crate) fn run(args: &ListArgs) -> Result<Status, Failure> {
    let rules = Rules::load(&args.rules)?;
    let engine = engine::build(&rules, args.engine.backend.into())?;
    let mut out = Vec::new();
    match args.format {
        Format::Text => text(&mut out, &rules, &engine, args.explain),
        Format::Json => json(&mut out, &rules, &engine, args.explain),
    }
    let mut stdout = stdout().lock();
    stdout
        .write_all(&out)
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::output(&error))?;
    Ok(Status::Found)
}

/// What the rule is searched by, in a word.
fn word(search: &Explanation) -> &'static str {
    match search {
        Explanation::Native => "native",
        Explanation::Pure { by, .. } => match by {
            pure::Explanation::Always => "always",
            pure::Explanation::Literals { .. } => "literal",
            pure::Explanation::Run { .. } => "run",
            pure::Explanation::Classes { .. } => "classes",
            pure::Explanation::EveryRecord => "no filter",
            _ => "pure",
        },
        _ => "unknown",
    }
}

/// The rules with how they are searched.
fn searches<'a>(
    rules: &'a Rules,
    engine: &'a Engine,
) -> impl Iterator<Item = (&'a Rule, Option<Explanation>)> {
    rules.iter().enumerate().map(|(number, rule)| (rule, engine.explain(number)))
}

fn json(out: &mut Vec<u8>, rules: &Rules, engine: &Engine, explain: bool) {
    for (Rule { id, regex, description, .. }, search) in searches(rules, engine) {
        let description = description.as_deref();
        let explanation = search.as_ref().filter(|_| explain).map(Explanation::to_string);
        let search = search.as_ref().map_or("unknown", word);
        json::push_line(out, &JsonRule { id, description, regex, search, explanation });
    }
    if explain {
        json::push_line(out, &JsonPrefilter { prefilter: &engine.prefilter() });
    }
}

/// Two lines per rule: its id, how it is searched and its description, then its regex; and a third
/// one if that is to be explained.
fn text(out: &mut Vec<u8>, rules: &Rules, engine: &Engine, explain: bool) {
    let (on, off) = match AutoStream::choice(&stdout()) {
        ColorChoice::Never => (String::new(), String::new()),
        _ => (ID.render().to_string(), ID.render_reset().to_string()),
    };
    for (rule, search) in searches(rules, engine) {
        let id = escape::text(rule.id.as_bytes());
        let description = escape::text(rule.description.as_deref().unwrap_or_default().as_bytes());
        let word = search.as_ref().map_or("unknown", word);
        let line = format!("{on}{id}{off} ({word}) {description}");
        let regex = escape::text(rule.regex.as_bytes());
        out.extend_from_slice(format!("{}\n    {regex}\n", line.trim_end()).as_bytes());
        if let Some(search) = search.filter(|_| explain) {
            let search = escape::text(search.to_string().as_bytes());
            out.extend_from_slice(format!("    {search}\n").as_bytes());
        }
    }
    let prefilter = engine.prefilter();
    if explain && !prefilter.is_empty() {
        out.extend_from_slice(
            format!("\nThe literals are looked for by {prefilter}.\n").as_bytes(),
        );
    }
}
