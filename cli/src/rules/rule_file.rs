//! Rule files: TOML with a list of `[[rules]]`, as gitleaks has them.

use std::collections::BTreeMap;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Origin, Rule, line_number, utf8};
use crate::escape;

/// Keys that say nothing about what matches: gitleaks' own and those of the built-in rules.
const ABOUT_FILE: [&str; 3] = ["title", "description", "minVersion"];
const ABOUT_RULE: [&str; 4] = ["tags", "source", "matches", "rejects"];

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    /// The rules that are complete, so that their patterns can be checked even if there are
    /// errors elsewhere.
    pub(super) rules: Vec<Rule>,
    /// What is not supported. Nothing if there are errors, which matter more.
    pub(super) warnings: Vec<String>,
    /// Messages, one for each fault.
    pub(super) errors: Vec<String>,
}

impl Parsed {
    /// A file of which nothing can be read.
    pub(super) fn failed(errors: Vec<String>) -> Parsed {
        Parsed { errors, ..Parsed::default() }
    }
}

/// Reads the rules of a file.
pub(super) fn parse(name: &Arc<str>, bytes: &[u8]) -> Parsed {
    let text = match utf8(name, bytes) {
        Ok(text) => text,
        Err(error) => return Parsed::failed(vec![error]),
    };
    let (table, faults) = DeTable::parse_recoverable(text);
    if !faults.is_empty() {
        let mut errors: Vec<String> =
            faults.iter().map(|fault| syntax(name, text, fault)).collect();
        // One slip makes the parser stumble more than once over the same line.
        errors.dedup_by_key(|error| error.split(": ").next().map(str::to_owned));
        return Parsed::failed(errors);
    }
    let mut file = Reader::new(name, text);
    file.top_level(table.get_ref());
    let warnings = if file.errors.is_empty() { file.warnings() } else { Vec::new() };
    Parsed { rules: file.rules, warnings, errors: file.errors }
}

/// A fault in the TOML itself, with its line.
fn syntax(name: &str, text: &str, fault: &toml::de::Error) -> String {
    let message = fault.message().replace('\n', ", ");
    match fault.span() {
        Some(span) => {
            let offset = span.start.min(text.len());
            format!("{name}:{}: not TOML: {message}", line_number(text.as_bytes(), offset))
        }
        None => format!("{name}: not TOML: {message}"),
    }
}

struct Reader<'a> {
    name: &'a Arc<str>,
    text: &'a str,
    rules: Vec<Rule>,
    errors: Vec<String>,
    /// Whether the file builds on another, whose rules it may refer to without their regex.
    extends: bool,
    /// Keys outside of rules that are ignored.
    ignored_settings: Vec<String>,
    /// Keys in rules that are ignored, and in how many rules they are.
    ignored_keys: BTreeMap<String, usize>,
    /// Rules that have no regex.
    skipped: Vec<String>,
}

impl<'a> Reader<'a> {
    fn new(name: &'a Arc<str>, text: &'a str) -> Reader<'a> {
        Reader {
            name,
            text,
            rules: Vec::new(),
            errors: Vec::new(),
            extends: false,
            ignored_settings: Vec::new(),
            ignored_keys: BTreeMap::new(),
            skipped: Vec::new(),
        }
    }

    fn top_level(&mut self, table: &DeTable<'_>) {
        self.extends = table.contains_key("extend");
        let mut found = false;
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "rules" => {
                    found = true;
                    self.rule_list(value);
                }
                key if ABOUT_FILE.contains(&key) => {}
                key => self.ignored_settings.push(escape::text(key.as_bytes())),
            }
        }
        if !found {
            self.errors.push(format!("{}: there are no [[rules]] in this file", self.name));
        }
    }

    fn rule_list(&mut self, value: &Spanned<DeValue<'_>>) {
        let Some(list) = value.get_ref().as_array() else {
            self.error(value.span().start, "`rules` is not a list of tables, [[rules]]");
            return;
        };
        for item in list.iter() {
            match item.get_ref().as_table() {
                Some(table) => self.rule(table, item.span().start),
                None => self.error(item.span().start, "a rule is not a table"),
            }
        }
    }

    fn rule(&mut self, table: &DeTable<'_>, start: usize) {
        let (mut id, mut regex, mut description) = (None, None, None);
        let mut valid = true;
        let mut has_path = false;
        for (key, value) in table {
            let slot = match key.get_ref().as_ref() {
                "id" => &mut id,
                "regex" => &mut regex,
                "description" => &mut description,
                key => {
                    has_path |= key == "path";
                    if !ABOUT_RULE.contains(&key) {
                        *self.ignored_keys.entry(escape::text(key.as_bytes())).or_default() += 1;
                    }
                    continue;
                }
            };
            match value.get_ref().as_str() {
                Some(text) => *slot = Some((text.to_owned(), value.span().start)),
                None => {
                    valid = false;
                    self.error(
                        value.span().start,
                        &format!("`{key}` is not a string", key = key.get_ref()),
                    );
                }
            }
        }
        if !valid {
            return;
        }
        match (id, regex) {
            (None, _) => self.error(start, "this rule has no id"),
            (Some((id, _)), Some((regex, at))) => self.rules.push(Rule {
                origin: Origin::Rule(self.name.clone(), self.line(at), id.clone()),
                id,
                regex,
                description: description.map(|(text, _)| text),
            }),
            (Some((id, _)), None) if has_path || self.extends => self.skipped.push(id),
            (Some((id, _)), None) => {
                self.error(start, &format!("rule {} has no regex", escape::text(id.as_bytes())));
            }
        }
    }

    fn line(&self, offset: usize) -> usize {
        line_number(self.text.as_bytes(), offset)
    }

    fn error(&mut self, offset: usize, message: &str) {
        self.errors.push(format!("{}:{}: {message}", self.name, self.line(offset)));
    }

    /// What was ignored, each thing once.
    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if !self.ignored_keys.is_empty() {
            let keys: Vec<String> = self
                .ignored_keys
                .iter()
                .map(|(key, &count)| format!("{key} ({})", rules(count)))
                .collect();
            warnings.push(format!("{}: not supported and ignored: {}", self.name, keys.join(", ")));
        }
        if !self.ignored_settings.is_empty() {
            warnings.push(format!(
                "{}: settings not supported and ignored: {}",
                self.name,
                self.ignored_settings.join(", ")
            ));
        }
        if !self.skipped.is_empty() {
            let ids = escape::text(self.skipped.join(", ").as_bytes());
            warnings.push(format!(
                "{}: {} without a regex skipped: {ids}",
                self.name,
                rules(self.skipped.len())
            ));
        }
        warnings
    }
}

fn rules(count: usize) -> String {
    if count == 1 { "1 rule".to_owned() } else { format!("{count} rules") }
}
