//! The pairs of rule sets and texts that `DRAGNET_PAIRS` names.

use std::path::{Path, PathBuf};

use crate::support::rules::RuleSet;

/// Each rule set of the file with its texts, or `None` if the variable is not set.
pub(super) fn named() -> Option<Vec<(RuleSet, Vec<PathBuf>)>> {
    let path = PathBuf::from(std::env::var_os("DRAGNET_PAIRS")?);
    let list = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut sets: Vec<(PathBuf, Vec<PathBuf>)> = Vec::new();
    for line in list.lines().filter(|line| !line.is_empty()) {
        let (rules, text) = line
            .split_once('\t')
            .unwrap_or_else(|| panic!("{}: not two paths: {line}", path.display()));
        let (rules, text) = (folder.join(rules), folder.join(text));
        match sets.iter_mut().find(|(known, _)| *known == rules) {
            Some((_, texts)) => texts.push(text),
            None => sets.push((rules, vec![text])),
        }
    }
    Some(sets.into_iter().map(|(rules, texts)| (RuleSet::file(&rules), texts)).collect())
}
