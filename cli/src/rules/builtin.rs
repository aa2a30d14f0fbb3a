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
    use std::ops::Range;

    use dragnet::{BatchBuf, Engine, Matches, Report, Scan};
    use toml::de::{DeTable, DeValue};

    use super::*;
    use crate::rules::{Options, compile};

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

    /// A scanner for the built-in rules that reports the spans of secrets or of whole matches.
    fn scanner(reports_secrets: bool) -> dragnet::Scanner {
        let mut rules = rules().rules;
        if !reports_secrets {
            rules.iter_mut().for_each(|rule| rule.report_group = 0);
        }
        let set = compile(&rules, Options::default()).unwrap();
        Engine::new(&set, Report::Spans).scanner().unwrap()
    }

    /// The first match of a rule in a text.
    fn first_match(
        scanner: &mut dragnet::Scanner,
        rule: usize,
        text: &str,
    ) -> Option<Range<usize>> {
        let mut batch = BatchBuf::new();
        batch.push(text.as_bytes()).unwrap();
        let mut found = Matches::new();
        scanner.scan(&batch.as_batch(), &mut found).unwrap();
        found.iter().find(|m| m.pattern() == rule).map(|m| m.range())
    }

    /// Checks for each text whether the rule with this number matches it.
    fn check(cases: &[(usize, String, bool)]) {
        let rules = rules().rules;
        let mut batch = BatchBuf::new();
        for (_, text, _) in cases {
            batch.push(text.as_bytes()).unwrap();
        }
        let mut found = Matches::new();
        scanner(true).scan(&batch.as_batch(), &mut found).unwrap();
        let wrong: Vec<String> = cases
            .iter()
            .enumerate()
            .filter(|(record, (rule, _, expected))| {
                found.of_record(*record).iter().any(|m| m.pattern() == *rule) != *expected
            })
            .map(|(_, (rule, text, expected))| {
                let verb = if *expected { "misses" } else { "matches" };
                format!("{} {verb} {text}", rules[*rule].id)
            })
            .collect();
        assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
    }

    #[test]
    fn rules_match_examples_and_reject_near_misses() {
        let mut cases = Vec::new();
        for (key, expected) in [("matches", true), ("rejects", false)] {
            for (rule, examples) in examples(key).into_iter().enumerate() {
                assert!(!examples.is_empty(), "{} has no {key}", rules().rules[rule].id);
                cases.extend(examples.into_iter().map(|example| (rule, example, expected)));
            }
        }
        check(&cases);
    }

    /// What stands before and after credentials where they leak.
    const SURROUNDINGS: [(&str, &str); 16] = [
        (r"\n", r"\n"),
        (r"key:\t", r"\r\n"),
        (r"\\n", r"\\n"),
        ("\x1b[31m", "\x1b[0m"),
        (r"\u001b[1;31m", r"\u001b[0m"),
        (r"\x1b[0m", r"\x1b[0m"),
        ("q%3D", "%26"),
        ("q%3d", "%0A"),
        (r"\u003d", r"\u0026"),
        ("a%20", "%20b"),
        ("KEY_", ""),
        ("\"", "\""),
        ("'", "'"),
        (r#"\""#, r#"\""#),
        ("(", ")"),
        ("x=", "&y=1"),
    ];

    #[test]
    fn rules_match_where_credentials_leak() {
        let (whole, secret) = (&mut scanner(false), &mut scanner(true));
        let rules = rules().rules;
        let mut cases = Vec::new();
        for (key, expected) in [("matches", true), ("rejects", false)] {
            for (rule, examples) in examples(key).into_iter().enumerate() {
                for example in examples {
                    // The surroundings replace what the example has before and after the match.
                    let range = first_match(whole, rule, &example);
                    let start = first_match(secret, rule, &example)
                        .zip(range.clone())
                        .map(|(secret, whole)| secret.start - whole.start);
                    let text = range.map_or(example.as_str(), |range| {
                        // A URL continues after the password.
                        let end = example[range.end..].find([' ', '"', '\'']);
                        &example[range.start..end.map_or(example.len(), |end| range.end + end)]
                    });
                    for (before, after) in SURROUNDINGS {
                        // A letter before a token that is one too short can complete it.
                        if expected || !before.ends_with(|c: char| c.is_alphanumeric()) {
                            let surrounded = format!("{before}{text}{after}");
                            // What stands before a secret is never reported with it.
                            if let Some(start) = start
                                && let Some(found) = first_match(secret, rule, &surrounded)
                            {
                                let start = before.len() + start;
                                assert_eq!(found.start, start, "{}: {surrounded}", rules[rule].id);
                            }
                            cases.push((rule, surrounded, expected));
                        }
                    }
                }
            }
        }
        check(&cases);
    }

    #[test]
    fn rules_without_a_prefix_need_a_boundary() {
        let mut cases = Vec::new();
        for (rule, examples) in examples("matches").into_iter().enumerate() {
            let regex = &rules().rules[rule].regex;
            if regex.starts_with(r"(?:\b|_|\\(?:[nrt]|") {
                // Letters and digits before a token make it a part of something longer.
                let token = examples[0].rsplit(['=', ' ', ':', '"']).next().unwrap().to_owned();
                for before in ["a", "0", "Z9", "before"] {
                    cases.push((rule, format!("{before}{token}"), false));
                }
            }
        }
        assert!(cases.len() > 50);
        check(&cases);
    }

    #[test]
    fn the_secret_is_the_only_group() {
        for rule in rules().rules {
            let (mut in_class, mut escaped) = (false, false);
            for (at, c) in rule.regex.char_indices() {
                match c {
                    _ if escaped => escaped = false,
                    '\\' => escaped = true,
                    '[' => in_class = true,
                    ']' => in_class = false,
                    '(' if !in_class => {
                        let rest = &rule.regex[at..];
                        let captures = !rest.starts_with("(?") || rest.starts_with("(?P<");
                        assert!(!captures || rest.starts_with("(?P<secret>"), "{}", rule.id);
                    }
                    _ => {}
                }
            }
            let groups = rule.regex.matches("(?P<secret>").count();
            assert_eq!(rule.report_group, groups, "{}", rule.id);
        }
    }
}
