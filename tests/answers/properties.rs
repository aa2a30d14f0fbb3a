//! Properties of every scanner, over random patterns and batches.
//!
//! Scanners on other threads and in other processes ("placed" ones) are compared in one case of
//! six. What they add is the way of a batch there and of its matches back, which depends little on
//! the patterns, and starting their threads and processes takes most of the time of a case.

use std::fmt;

use proptest::prelude::*;

use dragnet::{BuildError, PatternSet};
use dragnet_testkit::{Choices, Comparison, Spec, case, config, drawn, literals, patterns};

proptest! {
    #![proptest_config(config(480))]

    #[test]
    fn every_scanner_finds_the_oracles_matches(
        (placed, case) in drawn(|choices| (placed(choices), case(choices, patterns, 1))),
    ) {
        let mut comparison = Comparison::with_placements(&case.specs, placed);
        comparison.batch(&case.batches[0]).map_err(TestCaseError::fail)?;
    }
}

// Each case scans several batches.
proptest! {
    #![proptest_config(config(180))]

    #[test]
    fn a_scanner_keeps_nothing_of_earlier_batches(
        (placed, case) in drawn(|choices| (placed(choices), case(choices, patterns, 4))),
    ) {
        let mut comparison = Comparison::with_placements(&case.specs, placed);
        for batch in case.batches.iter().chain(case.batches.iter().rev()) {
            comparison.batch(batch).map_err(TestCaseError::fail)?;
        }
    }

    #[test]
    fn many_short_literals_are_distinguished(
        (placed, case) in drawn(|choices| (placed(choices), case(choices, literals, 2))),
    ) {
        let mut comparison = Comparison::with_placements(&case.specs, placed);
        for batch in &case.batches {
            comparison.batch(batch).map_err(TestCaseError::fail)?;
        }
    }
}

proptest! {
    #![proptest_config(config(60))]

    #[test]
    fn literals_that_overlap_themselves_are_all_found(
        (placed, case) in drawn(|choices| (placed(choices), periodic(choices))),
    ) {
        let specs: Vec<Spec> =
            case.patterns.iter().map(|regex| Spec::new(regex.as_str(), "-u")).collect();
        let mut comparison = Comparison::without_native(&specs, placed);
        comparison.batch(&case.records).map_err(TestCaseError::fail)?;
    }
}

/// Whether a case compares the placed scanners too.
fn placed(choices: &mut dyn Choices) -> bool {
    choices.ratio(1, 6)
}

/// Patterns and records.
#[derive(Debug)]
struct Periodic {
    patterns: Vec<String>,
    records: Vec<Vec<u8>>,
}

/// Generates patterns with literals of 8 to 40 bytes that repeat a short unit, and records in which
/// such a literal overlaps itself. Adds 150 to 249 words as patterns, because the engine searches for
/// four-byte parts of literals only if there are many literals.
fn periodic(choices: &mut dyn Choices) -> Periodic {
    let (mut patterns, mut records) = (Vec::new(), Vec::new());
    choices.list(1, 3, |choices| {
        let unit = choices.text("eq7ABCDEFGHIJKLMNOPQRSTUVWXYZ", 1, 9);
        let len = choices.range(8, 40);
        let literal: String = unit.chars().cycle().take(len).collect();
        patterns.extend(choices.list(1, 4, |choices| {
            let head = choices
                .pick(&["", "^", "x.*", "x.*?", "x.{0,30}", "[0-9]{3}", "[0-9]{2}", "[0-9]+"]);
            let tail = choices
                .pick(&["", "$", ".*y", ".*?y", ".{0,30}y", "[0-9]{3}", "[0-9]{2}", "[0-9]+"]);
            format!("{head}{literal}{tail}")
        }));
        records.extend(choices.list(1, 5, |choices| {
            let pieces = choices.list(1, 11, |choices| {
                choices.one_of(&[
                    (4, &|_| literal.clone()),
                    (8, &|choices| unit.repeat(choices.range(1, 7))),
                    (3, &|choices| choices.text("0123456789", 2, 3)),
                    (2, &|choices| choices.pick(&["x", "y", " ", "x ", " y", "\n"]).to_owned()),
                    (1, &|choices| choices.text("azAZ09", 1, 1)),
                ])
            });
            pieces.concat().into_bytes()
        }));
    });
    let word = |choices: &mut dyn Choices| {
        (0..12).map(|_| char::from(b'a' + choices.below(26) as u8)).collect()
    };
    patterns.extend(choices.list(150, 249, word));
    Periodic { patterns, records }
}

proptest! {
    #![proptest_config(config(1000))]

    #[test]
    fn any_text_is_a_pattern_or_a_positioned_error(
        (placed, input) in drawn(|choices| (placed(choices), any_text(choices))),
    ) {
        let AnyText { texts, flags, record } = input;
        let specs: Vec<Spec> = texts.iter().map(|text| Spec::new(text.as_str(), flags)).collect();
        let invalid: Vec<usize> = (0..specs.len())
            .filter(|&index| PatternSet::new([specs[index].pattern()]).is_err())
            .collect();
        match PatternSet::new(specs.iter().map(Spec::pattern)) {
            Ok(set) => {
                prop_assert_eq!(invalid, Vec::<usize>::new());
                // The oracle takes too long for repetitions of repetitions.
                if set.size() < 3000 {
                    let batch = [record.clone(), Vec::new(), record];
                    let mut comparison = Comparison::with_placements(&specs, placed);
                    comparison.batch(&batch).map_err(TestCaseError::fail)?;
                }
            }
            Err(BuildError::Patterns(errors)) => {
                prop_assert_eq!(invalid, errors.iter().map(|e| e.index()).collect::<Vec<_>>());
                for error in &errors {
                    let text = &texts[error.index()];
                    prop_assert_eq!(error.regex(), text);
                    prop_assert!(!error.reason().is_empty());
                    if let Some(position) = error.position() {
                        // `get` is None out of range and within a character.
                        prop_assert!(text.get(position.clone()).is_some(), "{:?}", position);
                    }
                }
            }
            Err(other) => return Err(TestCaseError::fail(other.to_string())),
        }
    }
}

/// Texts that may or may not be patterns, and a record.
struct AnyText {
    texts: Vec<String>,
    flags: &'static str,
    record: Vec<u8>,
}

impl fmt::Debug for AnyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} flags {:?}, b\"{}\"", self.texts, self.flags, self.record.escape_ascii())
    }
}

/// Tokens of the pattern syntax, complete and truncated.
#[rustfmt::skip]
const TOKENS: &[&str] = &[
    "a", "b", "z", "(", ")", "[", "]", "{", "}", "*", "+", "?", "|", "^", "$", ".", "\\", "-", ",",
    "0", "2", "9", "(?", "(?:", "(?i)", "(?-u)", "(?x", "(?P<n>", "(?<", "[^", "[[:alpha:]]", "[[:",
    "&&", "~~", "--", r"\b", r"\B", r"\b{start}", r"\b{", r"\d", r"\W", r"\p", r"\p{", r"\pL",
    r"\p{Greek}", r"\x", r"\x{", r"\xFF", r"\u00E9", r"\U", r"\z", r"\A", r"\Q", r"\1", "{2}",
    "{2,", "{,3}", "{3,1}", "{99999999999}", "#", " ", "\n", "é", "星", "😀", "\0",
];

fn any_text(choices: &mut dyn Choices) -> AnyText {
    let token = |choices: &mut dyn Choices| match choices.weighted(&[8, 1]) {
        0 => choices.pick(TOKENS).to_owned(),
        // Any character. A surrogate code point is not a character, and is replaced by U+FFFD.
        _ => char::from_u32(choices.below(0x11_0000) as u32).unwrap_or('\u{FFFD}').to_string(),
    };
    AnyText {
        texts: choices.list(1, 3, |choices| choices.list(0, 13, token).concat()),
        flags: choices.pick(&["", "i", "x", "ms", "-u", "iU-u", "Rm-u"]),
        record: choices.list(0, 39, |choices| choices.pick(b"aAbz019 \n\r-_\xC3\xA9\xFF")),
    }
}
