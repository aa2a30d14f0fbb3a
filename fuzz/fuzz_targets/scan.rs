//! Compares one scanner with the oracle, on small sets of patterns and batches: with both reports and
//! all layouts of a batch, by `scan` and by `scan_with`.
//!
//! The first byte of an input selects the scanner: that of an engine, or of the pure engine with one
//! instruction set of this machine. The rest are choices for the generator of the tests. A third of the
//! patterns are text, which the fuzzer mutates freely; the others are always valid.

#![no_main]

use arbitrary::Unstructured;
use dragnet::PatternSet;
use dragnet_testkit::{
    Bounds, Case, Choices, Comparison, Spec, contenders, flags, pattern, records,
};
use libfuzzer_sys::{Corpus, fuzz_target};
use regex_syntax::hir::Hir;

/// The maximum size of a pattern, in the unit of `PatternSetBuilder::pattern_size_limit`. Larger
/// ones take the oracle too long.
const MAX_PATTERN_SIZE: u64 = 1500;

/// The maximum length of all records in a batch, in bytes.
const MAX_BATCH_LEN: usize = 2000;

/// The input of the fuzzer, as choices.
struct Input<'a>(Unstructured<'a>);

impl Choices for Input<'_> {
    fn below(&mut self, limit: usize) -> usize {
        // Consumes as many bytes as the limit needs. Answers 0 when none are left.
        self.0.int_in_range(0..=limit - 1).unwrap_or(0)
    }
}

fuzz_target!(|data: &[u8]| -> Corpus {
    let Some((&engine, data)) = data.split_first() else { return Corpus::Reject };
    let Some(case) = case(&mut Input(Unstructured::new(data))) else { return Corpus::Reject };
    // One engine for each input: building all of them takes longer than what they then scan.
    let all = contenders();
    let name = &all[usize::from(engine) % all.len()].name;
    let mut comparison = Comparison::of(&case.specs, |contender| contender.name == *name);
    for records in &case.batches {
        if let Err(difference) = comparison.batch(records) {
            panic!("{difference}{case:?}");
        }
    }
    Corpus::Keep
});

/// The case of an input. `None` if a pattern is invalid, or the set or a batch is too large.
fn case(choices: &mut dyn Choices) -> Option<Case> {
    let max = [4, 40][choices.weighted(&[7, 1])];
    let patterns = choices.list(1, max, |choices| match choices.weighted(&[2, 1]) {
        0 => {
            let (node, flags) = pattern(choices);
            (node.regex(flags.ascii), flags, Some(node))
        }
        _ => {
            let text = choices.list(0, 40, |choices| choices.below(256) as u8);
            (String::from_utf8_lossy(&text).into_owned(), flags(choices), None)
        }
    });
    let mut alphabet = b"a\n".to_vec();
    for (regex, _, node) in &patterns {
        match node {
            Some(node) => node.alphabet(&mut alphabet),
            None => alphabet.extend(regex.bytes().filter(u8::is_ascii_alphanumeric)),
        }
    }
    let specs: Vec<Spec> = patterns
        .into_iter()
        .map(|(regex, flags, _)| Spec { regex, flags, report_group: 0, bounds: Bounds::default() })
        .collect();
    let builder = PatternSet::builder()
        .pattern_size_limit(MAX_PATTERN_SIZE)
        .set_size_limit(MAX_PATTERN_SIZE * 4);
    builder.patterns(specs.iter().map(Spec::pattern)).build().ok()?;
    let hirs: Vec<Hir> = specs.iter().map(Spec::hir).collect();
    let batches = choices.list(1, 2, |choices| records(choices, &hirs, &alphabet));
    let fits = |batch: &Vec<Vec<u8>>| batch.iter().map(Vec::len).sum::<usize>() <= MAX_BATCH_LEN;
    batches.iter().all(fits).then_some(Case { specs, batches })
}
