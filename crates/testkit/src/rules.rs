//! Random rules of the shapes that people write for secret scanners, in any number.

use super::Choices;

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";

/// Returns `count` rules, to be parsed with Unicode off. Of every eight, three match an assignment
/// of a key to a variable with a certain name, four a token with a certain prefix, and one a URL.
pub fn secret_rules(choices: &mut dyn Choices, count: usize) -> Vec<String> {
    (0..count)
        .map(|index| {
            let len = 5 + choices.below(6);
            let name = word(choices, len);
            let short = word(choices, 3);
            match index % 8 {
                0..3 => format!(
                    r#"(?i)\b[\w.-]{{0,30}}{name}[\w .-]{{0,20}}["']?\s{{0,3}}[:=]{{1,2}}\s{{0,3}}["']?[0-9a-f]{{32}}\b"#
                ),
                3..5 => format!(r"\b{short}_[0-9A-Za-z]{{36}}\b"),
                5 => format!(r"\b(?:{short}1|{short}2|{short}x)-[0-9a-f]{{24,40}}\b"),
                6 => format!(r"https://[\w-]{{1,20}}\.{name}\.com/[\w/]{{10,60}}"),
                _ => format!(r"{name}\.[A-Za-z0-9_-]{{20,}}\.[A-Za-z0-9_-]{{10,}}"),
            }
        })
        .collect()
}

/// A word of `len` lower-case letters. Does not use `text`, which makes more choices, so that a
/// seed keeps giving the same rules: benchmarks are compared with earlier versions.
fn word(choices: &mut dyn Choices, len: usize) -> String {
    let letters: Vec<char> = LOWER.chars().collect();
    (0..len).map(|_| choices.pick(&letters)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Rng, Spec, set};

    #[test]
    fn rules_are_valid_and_the_same_for_a_seed() {
        let rules = secret_rules(&mut Rng::new(2), 16);
        assert_eq!(rules, secret_rules(&mut Rng::new(2), 16));
        let specs: Vec<Spec> = rules.iter().map(|rule| Spec::new(rule.as_str(), "-u")).collect();
        assert_eq!(set(&specs).len(), 16);
    }
}
