//! Parses rule files: TOML with an array of `[[rules]]`, the format of gitleaks configurations.
//!
//! A rule's `id`, `regex`, `description` and `secretGroup`, the group to report, are read. The other
//! settings of gitleaks filter matches; they are ignored with a warning, so dragnet reports more than
//! gitleaks would. Where `secretGroup` is missing, gitleaks reports the first group that is not empty, and
//! dragnet the whole match. The
//! parser works on spanned values instead of deserializing a struct, to give each error its line
//! and to report all errors of a file at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::{Origin, Rule, line_number, utf8};
use crate::escape;

/// Top-level keys that do not change what matches, and so are ignored without a warning.
const FILE_METADATA: [&str; 3] = ["title", "description", "minVersion"];

/// Keys of a rule that do not change what matches: `tags` of gitleaks, and those of the built-in
/// rules.
const RULE_METADATA: [&str; 4] = ["tags", "source", "matches", "rejects"];

/// The rules of a file, and the messages about it.
#[derive(Debug, Default)]
pub(super) struct ParsedRuleFile {
    /// The valid rules, also if the file has errors: their patterns are then checked all the same,
    /// so that all errors are reported together.
    pub(super) rules: Vec<Rule>,
    /// Messages about unsupported settings. Empty if there are errors.
    pub(super) warnings: Vec<String>,
    /// One message per error.
    pub(super) errors: Vec<String>,
}

impl ParsedRuleFile {
    /// The result for a file from which no rules can be read.
    pub(super) fn failed(errors: Vec<String>) -> ParsedRuleFile {
        ParsedRuleFile { errors, ..ParsedRuleFile::default() }
    }
}

/// Parses the contents of the rule file `name`.
pub(super) fn parse(name: &Arc<str>, bytes: &[u8]) -> ParsedRuleFile {
    let text = match utf8(name, bytes) {
        Ok(text) => text,
        Err(error) => return ParsedRuleFile::failed(vec![error]),
    };
    let (table, toml_errors) = DeTable::parse_recoverable(text);
    if !toml_errors.is_empty() {
        let mut errors: Vec<String> =
            toml_errors.iter().map(|error| syntax_error(name, text, error)).collect();
        // One mistake often gives several errors in the same line.
        errors.dedup_by_key(|error| error.split(": ").next().map(str::to_owned));
        return ParsedRuleFile::failed(errors);
    }
    let mut parser = RuleFileParser::new(name, text);
    parser.parse_file(table.get_ref());
    let warnings = if parser.errors.is_empty() { parser.warnings() } else { Vec::new() };
    ParsedRuleFile { rules: parser.rules, warnings, errors: parser.errors }
}

/// Returns the message for a syntax error in TOML, with its line.
fn syntax_error(name: &str, text: &str, error: &toml::de::Error) -> String {
    let message = escape::text(error.message().replace('\n', ", ").as_bytes());
    match error.span() {
        Some(span) => {
            let offset = span.start.min(text.len());
            format!("{name}:{}: invalid TOML: {message}", line_number(text.as_bytes(), offset))
        }
        None => format!("{name}: invalid TOML: {message}"),
    }
}

/// Collects the rules and errors of one file.
struct RuleFileParser<'a> {
    name: &'a Arc<str>,
    /// The offsets of all line ends. Counting the lines before each rule from the start of the file
    /// would be quadratic.
    line_ends: Vec<usize>,
    rules: Vec<Rule>,
    errors: Vec<String>,
    /// Whether the file extends another one. A rule without a regex may then amend a rule of the other
    /// file.
    extends: bool,
    /// Unsupported top-level keys.
    ignored_settings: Vec<String>,
    /// Unsupported keys of rules, each with the number of rules that have it.
    ignored_keys: BTreeMap<String, usize>,
    /// The ids of rules that were skipped because they have no regex.
    skipped: Vec<String>,
}

impl<'a> RuleFileParser<'a> {
    fn new(name: &'a Arc<str>, text: &'a str) -> RuleFileParser<'a> {
        RuleFileParser {
            name,
            line_ends: memchr::memchr_iter(b'\n', text.as_bytes()).collect(),
            rules: Vec::new(),
            errors: Vec::new(),
            extends: false,
            ignored_settings: Vec::new(),
            ignored_keys: BTreeMap::new(),
            skipped: Vec::new(),
        }
    }

    fn parse_file(&mut self, table: &DeTable<'_>) {
        self.extends = table.contains_key("extend");
        let mut has_rules = false;
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "rules" => {
                    has_rules = true;
                    self.parse_rules(value);
                }
                key if FILE_METADATA.contains(&key) => {}
                key => self.ignored_settings.push(escape::text(key.as_bytes())),
            }
        }
        if !has_rules {
            self.errors.push(format!("{}: no [[rules]] in this file", self.name));
        }
    }

    fn parse_rules(&mut self, value: &Spanned<DeValue<'_>>) {
        let Some(list) = value.get_ref().as_array() else {
            self.push_error(
                value.span().start,
                "`rules` must be an array of tables, written [[rules]]",
            );
            return;
        };
        for item in list.iter() {
            match item.get_ref().as_table() {
                Some(table) => self.parse_rule(table, item.span().start),
                None => self.push_error(item.span().start, "a rule must be a table"),
            }
        }
    }

    /// Parses the rule in `table`, which starts at the byte `start`.
    fn parse_rule(&mut self, table: &DeTable<'_>, start: usize) {
        let (mut id, mut regex, mut description) = (None, None, None);
        let mut valid = true;
        let mut has_path = false;
        let mut report_group = 0;
        for (key, value) in table {
            let target = match key.get_ref().as_ref() {
                "id" => &mut id,
                "regex" => &mut regex,
                "description" => &mut description,
                "secretGroup" => {
                    // Parsed like TOML's own integers, which may be written as `0x1` or `1_0`.
                    match value.get_ref().as_integer().and_then(group_number) {
                        Some(group) => report_group = group,
                        None => {
                            valid = false;
                            let message = "`secretGroup` must be the number of a group";
                            self.push_error(value.span().start, message);
                        }
                    }
                    continue;
                }
                key => {
                    has_path |= key == "path";
                    if !RULE_METADATA.contains(&key) {
                        *self.ignored_keys.entry(escape::text(key.as_bytes())).or_default() += 1;
                    }
                    continue;
                }
            };
            match value.get_ref().as_str() {
                Some(text) => *target = Some((text.to_owned(), value.span().start)),
                None => {
                    valid = false;
                    self.push_error(
                        value.span().start,
                        &format!("`{key}` must be a string", key = key.get_ref()),
                    );
                }
            }
        }
        if !valid {
            return;
        }
        match (id, regex) {
            (None, _) => self.push_error(start, "this rule has no id"),
            (Some((id, _)), Some((regex, at))) => self.rules.push(Rule {
                origin: Origin::RuleFile {
                    file: self.name.clone(),
                    line: self.line(at),
                    id: id.clone(),
                },
                id,
                regex,
                description: description.map(|(text, _)| text),
                report_group,
            }),
            // gitleaks has rules for paths alone, and rules that amend those of an extended file.
            (Some((id, _)), None) if has_path || self.extends => self.skipped.push(id),
            (Some((id, _)), None) => {
                self.push_error(
                    start,
                    &format!("rule {} has no regex", escape::text(id.as_bytes())),
                );
            }
        }
    }

    /// The line number, from 1, of the byte at `offset`.
    fn line(&self, offset: usize) -> usize {
        self.line_ends.partition_point(|&end| end < offset) + 1
    }

    fn push_error(&mut self, offset: usize, message: &str) {
        self.errors.push(format!("{}:{}: {message}", self.name, self.line(offset)));
    }

    /// Returns at most one message each for ignored keys, ignored settings and skipped rules.
    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if !self.ignored_keys.is_empty() {
            let keys: Vec<String> = self
                .ignored_keys
                .iter()
                .map(|(key, &count)| format!("{key} ({})", number_of_rules(count)))
                .collect();
            warnings.push(format!("{}: ignored unsupported keys: {}", self.name, keys.join(", ")));
        }
        if !self.ignored_settings.is_empty() {
            warnings.push(format!(
                "{}: ignored unsupported settings: {}",
                self.name,
                self.ignored_settings.join(", ")
            ));
        }
        if !self.skipped.is_empty() {
            let ids = escape::text(self.skipped.join(", ").as_bytes());
            warnings.push(format!(
                "{}: skipped {} without a regex: {ids}",
                self.name,
                number_of_rules(self.skipped.len())
            ));
        }
        warnings
    }
}

/// The number that is written as a TOML integer, unless it is negative or too large.
fn group_number(integer: &DeInteger<'_>) -> Option<usize> {
    usize::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn number_of_rules(count: usize) -> String {
    if count == 1 { "1 rule".to_owned() } else { format!("{count} rules") }
}
