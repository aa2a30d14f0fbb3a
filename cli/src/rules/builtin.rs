//! The built-in rules, which find credentials by the formats that their issuers document.

use super::rule_file::{self, ParsedRuleFile};

const FILE: &str = include_str!("../../rules/builtin.toml");

/// The built-in rules, in the order of their ids.
pub(super) fn rules() -> ParsedRuleFile {
    rule_file::parse(&"built-in rules".into(), FILE.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use dragnet::{BatchBuf, Engine, Matches, Report, Scan};
    use toml::de::{DeTable, DeValue};

    use super::*;
    use crate::rules::compile;

    /// Returns the examples under `key`, such as `matches`, by rule number.
    fn examples(key: &str) -> Vec<Vec<String>> {
        let table = DeTable::parse(FILE).unwrap();
        let rules = table.get_ref()["rules"].get_ref().as_array().unwrap();
        let strings = |value: &DeValue<'_>| -> Vec<String> {
            let list = value.as_array().expect("a list of examples");
            list.iter().map(|text| text.get_ref().as_str().unwrap().to_owned()).collect()
        };
        rules
            .iter()
            .map(|rule| strings(rule.get_ref().as_table().unwrap()[key].get_ref()))
            .collect()
    }

    #[test]
    fn at_least_sixty_rules_with_unique_ids() {
        let parsed = rules();
        assert_eq!((parsed.warnings, parsed.errors), (vec![], vec![]));
        assert!(parsed.rules.len() >= 60, "{}", parsed.rules.len());
        let ids: BTreeSet<&str> = parsed.rules.iter().map(|rule| rule.id.as_str()).collect();
        assert_eq!(ids.len(), parsed.rules.len());
        for rule in &parsed.rules {
            assert!(rule.description.is_some(), "{}", rule.id);
        }
    }

    #[test]
    fn rules_match_examples_and_reject_near_misses() {
        let rules = rules().rules;
        let set = compile(&rules, false).unwrap();
        let mut scanner = Engine::new(&set, Report::Patterns).scanner().unwrap();
        for (key, expected) in [("matches", true), ("rejects", false)] {
            let mut batch = BatchBuf::new();
            let mut cases = Vec::new();
            for (rule, examples) in examples(key).iter().enumerate() {
                assert!(!examples.is_empty(), "{} has no {key}", rules[rule].id);
                for example in examples {
                    batch.push(example.as_bytes()).unwrap();
                    cases.push((rule, example.clone()));
                }
            }
            let mut found = Matches::new();
            scanner.scan(&batch.as_batch(), &mut found).unwrap();
            for (record, (rule, example)) in cases.iter().enumerate() {
                let matched = found.of_record(record).iter().any(|m| m.pattern() == *rule);
                assert_eq!(matched, expected, "{}: {key}: {example}", rules[*rule].id);
            }
        }
    }
}
