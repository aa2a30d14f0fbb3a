//! Every scanner on damaged matches of rules.
//!
//! Most lines of a log match no rule, or match one as its author had in mind. A wrong answer hides where
//! a text almost matches: one byte is missing, another is twice there, or two matches overlap. So the
//! records here are drawn from the rules themselves, and most are damaged afterwards.
//!
//! One test takes the rules of `logs.rs`. The other reads a file of rules that `DRAGNET_RULES` names
//! (TOML with a `regex` in each `[[rules]]`) and makes as many records as `DRAGNET_DAMAGED` says. With
//! a thousand rules, the oracle takes some ten milliseconds for a record.

use std::env;
use std::path::Path;

use regex_syntax::hir::Hir;

use dragnet_testkit::{Comparison, Rng, Spec, not_tested, sample, say};

use super::files::rules_of;
use super::logs::RULES;

/// Records that one scanner scans before it is replaced by a new one, so that first scans are compared
/// as well.
const RECORDS_OF_A_SCANNER: usize = 1500;

/// Single records that each new scanner scans before the large batch.
const BATCHES_OF_ONE: usize = 10;

/// What stands around matches in texts.
const SURROUNDINGS: [&[u8]; 14] =
    [b"", b"", b" ", b"\"", b"'", b"=", b": ", b"\\n", b"%20", b"_", b"x", b"0", b"\xFF", b"\n"];

#[test]
fn damaged_matches_have_the_oracles_matches() {
    let specs: Vec<Spec> = RULES.iter().map(|rule| Spec::new(*rule, "-u")).collect();
    compare(&specs, 1000);
}

#[test]
fn damaged_matches_of_real_rules_have_the_oracles_matches() {
    let (Some(rules), Ok(count)) = (env::var_os("DRAGNET_RULES"), env::var("DRAGNET_DAMAGED"))
    else {
        not_tested("damaged-matches", "DRAGNET_RULES and DRAGNET_DAMAGED are not set");
        return;
    };
    let count = count.parse().expect("DRAGNET_DAMAGED is a number of records");
    compare(&rules_of(Path::new(&rules)), count);
}

/// Compares every scanner on the calling thread with the oracle, on `count` records, in batches of one
/// record and of many. Every batch is scanned several times, by the layouts of the comparison.
fn compare(specs: &[Spec], count: usize) {
    let hirs: Vec<Hir> = specs.iter().map(Spec::hir).collect();
    let mut rng = Rng::new(count as u64);
    let (mut scanned, mut pairs) = (0, 0);
    while scanned < count {
        let of_scanner = RECORDS_OF_A_SCANNER.min(count - scanned);
        let records: Vec<Vec<u8>> = (0..of_scanner).map(|_| damaged(&hirs, &mut rng)).collect();
        let mut comparison = Comparison::with_placements(specs, false);
        for record in records.iter().take(BATCHES_OF_ONE) {
            comparison.assert_batch(std::slice::from_ref(record));
        }
        comparison.assert_batch(&records);
        scanned += of_scanner;
        pairs += comparison.expected(&records).len();
        say(&format!("{scanned} damaged matches compared, with {pairs} spans in them"));
    }
    // Fewer than half of the records match if the rules do so only at the start or the end of one.
    assert!(pairs * 4 > count, "too few of {count} records match: {pairs} spans");
}

/// A record of one to three texts that were drawn from rules, with damage. Half of the records are a single
/// text, because many rules match only from the start of a record or to its end.
fn damaged(hirs: &[Hir], rng: &mut Rng) -> Vec<u8> {
    if rng.below(2) == 0 {
        return damaged_text(hirs, rng, 2);
    }
    let mut record = rng.pick(&SURROUNDINGS).to_vec();
    for _ in 0..1 + rng.below(3) {
        record.extend(damaged_text(hirs, rng, 3));
        record.extend(*rng.pick(&SURROUNDINGS));
    }
    record
}

/// A text that was drawn from one of the rules, changed in fewer than `damages` places.
fn damaged_text(hirs: &[Hir], rng: &mut Rng, damages: usize) -> Vec<u8> {
    let mut text = Vec::new();
    sample(rng.pick(hirs), rng, &mut text);
    // A rule with long repetitions would make the oracle wait without finding more.
    text.truncate(600);
    for _ in 0..rng.below(damages) {
        damage(&mut text, rng);
    }
    text
}

/// Changes one place of a text.
fn damage(text: &mut Vec<u8>, rng: &mut Rng) {
    if text.is_empty() {
        return;
    }
    let at = rng.below(text.len());
    let end = at + 1 + rng.below((text.len() - at).min(8));
    match rng.below(8) {
        0 => text[at] = rng.below(256) as u8,
        1 => text[at] ^= 0x20,
        2 => drop(text.remove(at)),
        3 => text.insert(at, text[at]),
        4 => text.truncate(at),
        5 => drop(text.drain(..at)),
        6 => drop(text.drain(at..end)),
        _ => {
            let part = text[at..end].to_vec();
            text.splice(at..at, part);
        }
    }
}
