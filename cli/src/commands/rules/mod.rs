//! `dragnet rules`: lists the rules and how each one is searched.

mod args;
mod explain;

use std::io::stdout;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use dragnet::{Engine, Explanation, pure};
use serde::Serialize;

pub(crate) use self::args::RulesArgs;
use crate::args::Format;
use crate::engine;
use crate::escape;
use crate::json;
use crate::output;
use crate::rules::{Multiline, Rule, Rules};
use crate::status::{ExitStatus, Failure};

const ID: Style = AnsiColor::Cyan.on_default();

/// One line of JSON output.
#[derive(Serialize)]
struct JsonRule<'a> {
    id: &'a str,
    description: Option<&'a str>,
    regex: &'a str,
    /// The group whose span is reported in place of the match.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<usize>,
    /// The strategy, as returned by [`strategy_name`].
    search: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<String>,
}

/// The last line of JSON output with `--explain`.
#[derive(Serialize)]
struct JsonPrefilter<'a> {
    prefilter: &'a str,
}

/// Runs `dragnet rules`.
pub(crate) fn run(args: &RulesArgs) -> Result<ExitStatus, Failure> {
    args.color.apply();
    let rules = Rules::load(&args.rules, Multiline::None)?;
    let engine = engine::build(&rules, args.engine.backend.into())?;
    let mut out = Vec::new();
    match args.output.format {
        Format::Text => write_text(&mut out, &rules, &engine, args.explain),
        Format::Json => write_json(&mut out, &rules, &engine, args.explain),
    }
    output::print(&out)?;
    Ok(ExitStatus::Success)
}

/// The name of a rule's search strategy, as listed in the help of `dragnet rules`.
fn strategy_name(explanation: Option<&Explanation>) -> &'static str {
    match explanation {
        Some(Explanation::Native) => "native",
        Some(Explanation::Pure { strategy, .. }) => match strategy {
            pure::Explanation::Always => "always",
            pure::Explanation::Never => "never",
            pure::Explanation::Literals { .. } => "literal",
            pure::Explanation::ByteRun { .. } => "run",
            pure::Explanation::ClassSequence { .. } => "classes",
            pure::Explanation::EveryRecord => "no filter",
            _ => "pure",
        },
        _ => "unknown",
    }
}

/// The rules, each with the engine's explanation of how it is searched.
fn explained_rules<'a>(
    rules: &'a Rules,
    engine: &'a Engine,
) -> impl Iterator<Item = (&'a Rule, Option<Explanation>)> {
    rules.iter().enumerate().map(|(number, rule)| (rule, engine.explain(number)))
}

/// Appends one JSON object per rule, and with `explain` one for the prefilter.
fn write_json(out: &mut Vec<u8>, rules: &Rules, engine: &Engine, explain: bool) {
    for (rule, explanation) in explained_rules(rules, engine) {
        let Rule { id, regex, description, report_group, .. } = rule;
        let description = description.as_deref();
        let group = Some(*report_group).filter(|&group| group > 0);
        let search = strategy_name(explanation.as_ref());
        let explanation = explanation.filter(|_| explain).map(|it| explain::sentence(&it));
        json::push_line(out, &JsonRule { id, description, regex, group, search, explanation });
    }
    if explain {
        json::push_line(out, &JsonPrefilter { prefilter: &engine.describe_literal_search() });
    }
}

/// Appends two lines per rule: its id, strategy and description, then its regex. With `explain`,
/// each rule also has a line with its explanation, and the last line describes the prefilter.
fn write_text(out: &mut Vec<u8>, rules: &Rules, engine: &Engine, explain: bool) {
    let (on, off) = match AutoStream::choice(&stdout()) {
        ColorChoice::Never => (String::new(), String::new()),
        _ => (ID.render().to_string(), ID.render_reset().to_string()),
    };
    for (rule, explanation) in explained_rules(rules, engine) {
        let id = escape::text(rule.id.as_bytes());
        let description = escape::text(rule.description.as_deref().unwrap_or_default().as_bytes());
        let strategy = strategy_name(explanation.as_ref());
        let line = format!("{on}{id}{off} ({strategy}) {description}");
        let regex = escape::text(rule.regex.as_bytes());
        out.extend_from_slice(format!("{}\n    {regex}\n", line.trim_end()).as_bytes());
        if let Some(explanation) = explanation.filter(|_| explain) {
            let explanation = escape::text(explain::sentence(&explanation).as_bytes());
            out.extend_from_slice(format!("    {explanation}\n").as_bytes());
        }
    }
    let prefilter = engine.describe_literal_search();
    if explain && !prefilter.is_empty() {
        out.extend_from_slice(format!("\nPrefilter: {prefilter}\n").as_bytes());
    }
}
