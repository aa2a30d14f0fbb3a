//! Rules and texts from files that environment variables name.

use std::fs;
use std::path::{Path, PathBuf};

use dragnet_testkit::{Spec, say};

/// Returns the rules of a file. Reports and skips those that are not regexes for contents, such as
/// rules for file names, or that have another syntax.
pub(crate) fn rules_of(path: &Path) -> Vec<Spec> {
    let text = fs::read_to_string(path).unwrap();
    let table: toml::Table = text.parse().unwrap();
    let rules = table["rules"].as_array().expect("rules are a list");
    let mut specs = Vec::new();
    for (number, rule) in rules.iter().enumerate() {
        let Some(regex) = rule.get("regex").and_then(toml::Value::as_str) else {
            say(&format!("rule {number} has no regex"));
            continue;
        };
        let spec = Spec::new(regex, "-u");
        match dragnet::PatternSet::new([spec.pattern()]) {
            Ok(_) => specs.push(spec),
            Err(error) => say(&format!("rule {number} is skipped: {error}")),
        }
    }
    say(&format!("{} of {} rules", specs.len(), rules.len()));
    assert!(!specs.is_empty());
    specs
}

/// Returns the files of a folder, but not those of its subfolders, in order.
pub(crate) fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.is_file()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} has no files", folder.display());
    files
}
