//! Parses pattern files: one pattern per line, as for `grep -f` and `rg -f`.

use std::sync::Arc;

use super::{Origin, Rule, utf8};

/// Returns one rule per line of the file `name`, also for empty lines. The line terminator, `\n` or
/// `\r\n`, is not part of the pattern.
///
/// # Errors
///
/// A message if the file is not UTF-8.
pub(super) fn parse(name: &Arc<str>, bytes: &[u8]) -> Result<Vec<Rule>, String> {
    let text = utf8(name, bytes)?;
    let rules = text.lines().enumerate().map(|(index, line)| Rule {
        id: (index + 1).to_string(),
        regex: line.to_owned(),
        description: None,
        report_group: 0,
        origin: Origin::PatternFile { file: name.clone(), line: index + 1 },
    });
    Ok(rules.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_pattern() {
        let cases: [(&str, &[(&str, &str)]); 6] = [
            ("", &[]),
            ("a", &[("1", "a")]),
            ("a\n", &[("1", "a")]),
            ("a\r\nb\r\n", &[("1", "a"), ("2", "b")]),
            ("\n", &[("1", "")]),
            ("a\n\n b \n", &[("1", "a"), ("2", ""), ("3", " b ")]),
        ];
        for (text, expected) in cases {
            let rules = parse(&"patterns".into(), text.as_bytes()).unwrap();
            let found: Vec<_> = rules.iter().map(|r| (r.id.as_str(), r.regex.as_str())).collect();
            assert_eq!(found, expected, "{text:?}");
        }
    }
}
