//! Properties of every scanner, over random patterns and batches.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use dragnet_testkit::{Comparison, Flags, Node, Rng, Spec, case, config, patterns};

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
    #![proptest_config(config(60))]

    #[test]
    fn literals_that_overlap_themselves_are_all_found(
        periodic in vec(periodic(), 1..=3),
        fillers in 150..250u64,
        seed in any::<u64>(),
    ) {
        // So many literals that they are looked for by their parts of four bytes.
        let mut rng = Rng::new(seed);
        let words =
            (0..fillers).map(|_| (0..12).map(|_| char::from(b'a' + rng.below(26) as u8)).collect());
        let specs: Vec<Spec> = periodic
            .iter()
            .flat_map(|(patterns, _)| patterns.iter().cloned())
            .chain(words)
            .map(|regex: String| Spec::new(regex, "-u"))
            .collect();
        let records: Vec<Vec<u8>> =
            periodic.iter().flat_map(|(_, records)| records.iter().cloned()).collect();
        Comparison::without_native(&specs).batch(&records).map_err(TestCaseError::fail)?;
    }
}

/// Patterns around a literal of 8 to 40 bytes that repeats a short unit, and records in which the
/// literal overlaps itself.
fn periodic() -> impl Strategy<Value = (Vec<String>, Vec<Vec<u8>>)> {
    ("[A-Zeq7]{1,9}", 8..=40usize).prop_flat_map(|(unit, len)| {
        let text: String = unit.chars().cycle().take(len).collect();
        let literal = text.clone();
        let pattern = (
            select(vec!["", "x.*", "x.*?", "[0-9]{3}", "[0-9]{2}", "[0-9]+", "^", "x.{0,30}"]),
            select(vec!["", ".*y", ".*?y", "[0-9]{3}", "[0-9]{2}", "[0-9]+", "$", ".{0,30}y"]),
        )
            .prop_map(move |(head, tail)| format!("{head}{literal}{tail}"));
        let piece = prop_oneof![
            8 => (1..8usize).prop_map(move |times| unit.repeat(times)),
            4 => Just(text),
            3 => "[0-9]{2,3}",
            2 => select(vec!["x", "y", " ", "x ", " y", "\n"]).prop_map(str::to_owned),
            1 => "[a-zA-Z0-9]",
        ];
        let record = vec(piece, 1..12).prop_map(|pieces| pieces.concat().into_bytes());
        (vec(pattern, 1..=4), vec(record, 1..6))
    })
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

/// Runs the server of a sidecar, where this program was started as one; else does nothing.
#[cfg(target_os = "linux")]
#[test]
fn the_other_process_serves() {
    dragnet_testkit::serve();
}
