//! Properties of every scanner, over random patterns and batches.

mod support;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use support::{Comparison, Flags, Node, Spec, case, config, patterns};

proptest! {
    #![proptest_config(config(600))]

    #[test]
    fn every_scanner_gives_the_answers_of_the_oracle(case in case(patterns(), 1)) {
        let mut comparison = Comparison::new(&case.specs);
        comparison.batch(&case.batches[0]).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn a_scanner_keeps_nothing_of_the_batches_before(case in case(patterns(), 4)) {
        let mut comparison = Comparison::new(&case.specs);
        for batch in case.batches.iter().chain(case.batches.iter().rev()) {
            comparison.batch(batch).map_err(TestCaseError::fail)?;
        }
    }

    #[test]
    fn many_short_literals_are_told_apart(case in case(literals(), 2)) {
        let mut comparison = Comparison::new(&case.specs);
        for batch in &case.batches {
            comparison.batch(batch).map_err(TestCaseError::fail)?;
        }
    }
}

/// Sets of literals that share prefixes, suffixes and all that a filter can hash.
fn literals() -> impl Strategy<Value = Vec<(Node, Flags)>> {
    let flags = select(vec![Flags::default(), Flags::parse("-u"), Flags::parse("i-u")]);
    let literal = ("[abcB]{1,6}", flags).prop_map(|(text, flags)| (Node::Text(text), flags));
    vec(literal, 20..120)
}

proptest! {
    #![proptest_config(config(1000))]

    #[test]
    fn any_text_is_a_pattern_or_an_error_with_a_position(
        texts in vec(soup(), 1..4),
        flags in select(vec!["", "i", "x", "ms", "-u", "iU-u", "Rm-u"]),
        record in vec(select(b"aAbz019 \n\r-_\xC3\xA9\xFF".to_vec()), 0..40),
    ) {
        let specs: Vec<Spec> = texts.iter().map(|text| Spec::new(text.as_str(), flags)).collect();
        let bad: Vec<usize> = (0..specs.len())
            .filter(|&index| dragnet::PatternSet::new([specs[index].pattern()]).is_err())
            .collect();
        match dragnet::PatternSet::new(specs.iter().map(Spec::pattern)) {
            Ok(set) => {
                prop_assert_eq!(bad, Vec::<usize>::new());
                // The oracle takes long for repeats of repeats.
                if set.size() < 3000 {
                    let batch = [record.clone(), Vec::new(), record];
                    Comparison::new(&specs).batch(&batch).map_err(TestCaseError::fail)?;
                }
            }
            Err(dragnet::BuildError::Patterns(errors)) => {
                prop_assert_eq!(bad, errors.iter().map(|e| e.index()).collect::<Vec<_>>());
                for error in &errors {
                    let text = &texts[error.index()];
                    prop_assert_eq!(error.regex(), text);
                    prop_assert!(!error.reason().is_empty());
                    if let Some(position) = error.position() {
                        // In range, and at the edges of characters.
                        prop_assert!(text.get(position.clone()).is_some(), "{:?}", position);
                    }
                }
            }
            Err(other) => return Err(TestCaseError::fail(other.to_string())),
        }
    }
}

/// Text made of what patterns are made of, in no order.
fn soup() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        8 => select(vec![
            "a", "b", "z", "(", ")", "[", "]", "{", "}", "*", "+", "?", "|", "^", "$", ".", "\\",
            "-", ",", "0", "2", "9", "(?", "(?:", "(?i)", "(?-u)", "(?x", "(?P<n>", "(?<", "[^",
            "[[:alpha:]]", "[[:", "&&", "~~", "--", r"\b", r"\B", r"\b{start}", r"\b{", r"\d", r"\W",
            r"\p", r"\p{", r"\pL", r"\p{Greek}", r"\x", r"\x{", r"\xFF", r"\u00E9", r"\U", r"\z",
            r"\A", r"\Q", r"\1", "{2}", "{2,", "{,3}", "{3,1}", "{99999999999}", "#", " ", "\n",
            "é", "星", "😀", "\0",
        ])
        .prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    vec(token, 0..14).prop_map(|tokens| tokens.concat())
}
