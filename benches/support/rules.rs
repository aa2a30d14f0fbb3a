//! Rule sets: the built-in rules, generated ones of several sizes and kinds, and the files that
//! `DRAGNET_RULES` names.
//!
//! Generated sets depend only on a fixed seed, so that the results of two commits are comparable.

use std::path::Path;

use dragnet::{Pattern, PatternSet};
use dragnet_testkit::{Rng, secret_rules};

/// A named list of patterns.
#[derive(Clone)]
pub(crate) struct RuleSet {
    pub(crate) name: String,
    /// Regexes that contenders compile with Unicode off, as RE2 and Hyperscan do by default.
    pub(crate) patterns: Vec<String>,
}

impl RuleSet {
    pub(crate) fn new(name: &str, patterns: Vec<String>) -> RuleSet {
        RuleSet { name: name.to_owned(), patterns }
    }

    /// The rules of a file.
    pub(crate) fn file(path: &Path) -> RuleSet {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        RuleSet::new(&format!("files {name}"), read(path))
    }

    /// Parses the patterns.
    pub(crate) fn parse(&self) -> PatternSet {
        PatternSet::builder()
            .patterns(self.patterns.iter().map(|p| Pattern::new(p).unicode(false)))
            .build()
            .unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

/// All rule sets, in the order of the report.
pub(crate) fn all() -> Vec<RuleSet> {
    let mut sets = Vec::new();
    let builtin = Path::new(env!("CARGO_MANIFEST_DIR")).join("cli/rules/builtin.toml");
    if builtin.exists() {
        sets.push(RuleSet::new("built-in", read(&builtin)));
    }
    for count in [10, 100, 200, 700, 5000] {
        sets.push(RuleSet::new(&format!("generated {count}"), generate(count)));
    }
    sets.push(RuleSet::new("no literals", no_literals()));
    sets.push(RuleSet::new("literals everywhere", common_literals()));
    let named = std::env::var("DRAGNET_RULES").unwrap_or_default();
    let paths = named.split(':').filter(|p| !p.is_empty());
    sets.extend(paths.map(|path| RuleSet::file(Path::new(path))));
    sets
}

/// Returns the regexes of a file's `[[rules]]`. Rules without one are skipped.
fn read(path: &Path) -> Vec<String> {
    let text =
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let table: toml::Table =
        text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let rules = table.get("rules").and_then(|rules| rules.as_array());
    let rules = rules.unwrap_or_else(|| panic!("{}: no [[rules]]", path.display()));
    rules.iter().filter_map(|rule| Some(rule.get("regex")?.as_str()?.to_owned())).collect()
}

/// Rules like those of secret scanners, the same in every run.
pub(crate) fn generate(count: usize) -> Vec<String> {
    secret_rules(&mut Rng::new(2), count)
}

/// Rules without a literal that could serve as a prefilter: most are runs of character classes.
pub(crate) fn no_literals() -> Vec<String> {
    [
        r"\b[a-f0-9]{40}\b",
        r"\b[A-Z]{3,6}\d{6,9}\b",
        r"\b\d{15,16}\|\w",
        r"\b(?:\d{1,3}\.){3}\d{1,3}:\d{4,5}\b",
        r"[A-Za-z0-9+/]{86}==",
        r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
        r"\b[2-9A-HJ-NP-Z]{26}\b",
        r"(?i)\b[a-z]{2}\d{2}(?:\s?[a-z0-9]{4}){4,7}\b",
        r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b",
        r"\w{12,}\d\w{12,}\d",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Rules that hardly ever match, although their literals occur in most records: the worst case for
/// a prefilter.
pub(crate) fn common_literals() -> Vec<String> {
    ["the ", "token", "error", "2026-", "for ", "request", "let ", "return", "://", "user"]
        .into_iter()
        .flat_map(|literal| {
            [
                format!(r"{literal}\w{{0,8}}=[0-9a-f]{{16}}\b"),
                format!(r"\b[A-Z]{{2}}\d{{2}} {literal}"),
                format!(r"(?i){literal}.{{0,20}}[0-9]{{12}}$"),
            ]
        })
        .collect()
}
