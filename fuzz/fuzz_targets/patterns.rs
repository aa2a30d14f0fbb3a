//! Compiles arbitrary bytes as patterns, flags and limits. The result must be a set, which then
//! compiles to an engine, or an error that names the invalid patterns; never a panic.
//!
//! An input is three bytes of limits and then patterns, separated by `0xFF`, which never occurs in
//! UTF-8. Each pattern is a byte of flags and its text.

#![no_main]

use dragnet::pure::Engine;
use dragnet::{Batch, BuildError, Matches, Pattern, PatternError, PatternSet, Report, Scan};
use libfuzzer_sys::fuzz_target;

/// The maximum size of a set that is also scanned with, in the unit of
/// `PatternSetBuilder::set_size_limit`. The automata of larger ones are built slowly.
const MAX_SCANNED_SIZE: u64 = 2_000;

/// The maximum number of patterns in a set, so that the fuzzer does not spend its time on sets of
/// empty patterns.
const MAX_PATTERNS: usize = 16;

fuzz_target!(|data: &[u8]| {
    let Some((&limits, data)) = data.split_first_chunk::<3>() else { return };
    let patterns: Vec<Pattern> = data
        .splitn(MAX_PATTERNS, |&byte| byte == 0xFF)
        .enumerate()
        .map(|(n, text)| pattern(n, text))
        .collect();
    let mut builder = PatternSet::builder().patterns(patterns.clone());
    // The byte 0 stands for the default limit, and another byte n for the limit 2^n - 1.
    let power = |byte: u8| 1_u64.checked_shl(u32::from(byte)).unwrap_or(u64::MAX);
    if limits[0] > 0 {
        builder = builder.pattern_size_limit(power(limits[0]) - 1);
    }
    if limits[1] > 0 {
        builder = builder.set_size_limit(power(limits[1]) - 1);
    }
    if limits[2] > 0 {
        // Above the default limit of 250, the stack may be too small.
        builder = builder.nest_limit(u32::from(limits[2]).min(250) - 1);
    }
    match builder.build() {
        Ok(set) => engines(&set, &patterns, data),
        Err(BuildError::Patterns(errors)) => {
            assert!(!errors.is_empty(), "an error without a pattern");
            assert!(errors.is_sorted_by(|a, b| a.index() < b.index()), "{errors:?}");
            errors.iter().for_each(|error| check(error, &patterns[error.index()]));
        }
        Err(BuildError::SetTooLarge { size, limit }) => assert!(size > limit),
        Err(error) => panic!("{error}"),
    }
});

fn pattern(number: usize, bytes: &[u8]) -> Pattern {
    let (flags, text) = bytes.split_first().map_or((0, bytes), |(&flags, text)| (flags, text));
    let on = |bit: u8| flags >> bit & 1 == 1;
    let pattern = Pattern::new(String::from_utf8_lossy(text))
        .case_insensitive(on(0))
        .multi_line(on(1))
        .dot_matches_new_line(on(2))
        .ignore_whitespace(on(3))
        .crlf(on(4))
        .swap_greed(on(5))
        .unicode(!on(6));
    if on(7) { pattern.name(format!("name {number}")) } else { pattern }
}

/// Asserts that an error has a valid position in its pattern, and a reason.
fn check(error: &PatternError, pattern: &Pattern) {
    assert_eq!(error.regex(), pattern.as_str());
    assert_eq!(error.name(), pattern.get_name());
    match error.position() {
        Some(position) => {
            // Panics if it is out of range, or within a character.
            let _ = &error.regex()[position];
        }
        None => {
            assert!(error.reason().contains("exceeds the limit"), "{error}: it has no position")
        }
    }
    assert!(!error.reason().is_empty() && !error.to_string().contains('\n'), "{error}");
}

/// Builds the engines of a set and reads all that they report, and scans if the set is small.
fn engines(set: &PatternSet, patterns: &[Pattern], data: &[u8]) {
    assert!(set.iter().eq(patterns));
    assert!(set.memory() > 0);
    for report in [Report::Patterns, Report::Spans] {
        let engine = Engine::new(set, report);
        let _ = (engine.memory(), engine.describe_literal_search());
        for number in 0..patterns.len() {
            assert!(
                engine
                    .explain(number)
                    .is_some_and(|explanation| !explanation.to_string().is_empty())
            );
        }
        assert!(engine.explain(patterns.len()).is_none());
        if set.size() <= MAX_SCANNED_SIZE {
            // Some patterns match their own text.
            let mut offsets = Vec::new();
            let batch = Batch::lines(data, &mut offsets).expect("it is short");
            let mut matches = Matches::new();
            engine.scanner().scan(&batch, &mut matches).expect("the scan succeeds");
            assert!(matches.iter().all(|m| m.pattern() < set.len() && m.record() < batch.len()));
        }
    }
}
