//! Finds where any of many literals stand in a buffer, in one or two passes.
//!
//! The README in this folder explains the algorithms.

#![cfg_attr(
    not(any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        all(target_arch = "wasm32", target_feature = "simd128")
    )),
    allow(dead_code, reason = "what is written over vectors has none to run on")
)]

mod arch;
mod filter_set;
mod grams;
mod index;
mod runs;
mod streams;
mod strings;
mod teddy;

use std::ops::Range;

use super::literal::Literal;
use grams::Grams;
use strings::Strings;
use teddy::Teddy;

pub use arch::Level;
pub(crate) use filter_set::{FilterProgress, FilterSet};
pub(crate) use runs::{Progress, RunSearch};
pub(crate) use streams::{Part, Progress as StreamProgress, Streams};

/// A literal or a run found in the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// Where the part of the literal starts that was looked for first. Not before `start`, and
    /// within the literal.
    pub(crate) window: u32,
    /// Where the literal starts in the buffer.
    pub(crate) start: u32,
    /// Where it ends.
    pub(crate) end: u32,
    /// The literal's position in the list that the prefilter was built from.
    pub(crate) literal: u32,
}

/// Literals arranged for searching.
#[derive(Debug)]
pub(crate) struct Prefilter {
    /// Few literals, or short ones.
    teddy: Option<Teddy>,
    /// Many literals.
    grams: Option<Grams>,
    strings: Strings,
    level: Level,
}

impl Prefilter {
    /// Arranges `literals`, of which none may be empty, for searching with `level`.
    pub(crate) fn new(literals: &[Literal], level: Level) -> Prefilter {
        let (teddy, grams) = arrange(literals, level);
        Prefilter { teddy, grams, strings: Strings::new(literals), level }
    }

    /// Appends every place where a literal stands in `buffer` and its window (a part of the
    /// literal that is looked for first) starts in `range`. The places come in the order of
    /// these windows, so the literals that lie in one record come together.
    pub(crate) fn find(&self, buffer: &[u8], range: Range<usize>, out: &mut Vec<Candidate>) {
        let start = out.len();
        if let Some(teddy) = &self.teddy {
            teddy.find(self.level, buffer, range.clone(), &self.strings, out);
        }
        let middle = out.len();
        if let Some(grams) = &self.grams {
            grams.find(self.level, buffer, range, &self.strings, out);
        }
        // Each pass has its places in order.
        if start < middle && middle < out.len() {
            out[start..].sort_by_key(|candidate| candidate.window);
        }
    }

    /// Memory in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.teddy.as_ref().map_or(0, Teddy::memory)
            + self.grams.as_ref().map_or(0, Grams::memory)
            + self.strings.memory()
    }

    /// The schemes in use, in words.
    pub(crate) fn describe(&self) -> String {
        let mut parts = Vec::new();
        if let Some(teddy) = &self.teddy {
            parts.push(format!("Teddy ({}) for {} literals", self.level, teddy.literals()));
        }
        if let Some(grams) = &self.grams {
            parts.push(format!(
                "grams at every {} for {} literals",
                ["position", "second position", "third position", "fourth position"]
                    [grams.stride() - 1],
                grams.literals(),
            ));
        }
        parts.join(", ")
    }
}

/// What checking one position that a pass has left costs, in bytes that Teddy reads in that time.
const CHECK_COST: f64 = 25.0;
/// No more literals than this are tried on Teddy.
const MAX_TEDDY: usize = 256;

/// What Teddy costs for each byte and grams for each position looked at, in the same unit.
fn pass_costs(level: Level) -> (f64, f64) {
    match level {
        Level::Scalar => (6.0, 6.0),
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 | Level::Avx512 => (1.0, 1.6),
        // Without an instruction that loads from several places.
        #[allow(unreachable_patterns, reason = "some targets have no other levels")]
        _ => (1.6, 4.5),
    }
}

/// Divides literals between Teddy and grams by what the passes are expected to cost.
fn arrange(literals: &[Literal], level: Level) -> (Option<Teddy>, Option<Grams>) {
    let (teddy_cost, gram_cost) = pass_costs(level);
    let mut best = (f64::INFINITY, None, None);
    let mut last = None;
    for len in (grams::WINDOW..=grams::WINDOW + grams::MAX_STRIDE - 1).chain([usize::MAX]) {
        let (few, many): (Vec<u32>, Vec<u32>) =
            (0..literals.len() as u32).partition(|&n| literals[n as usize].len() < len);
        // Teddy takes any number, but with many its buckets let almost everything pass.
        let first = last.is_none();
        if last == Some(few.len()) || (few.len() > MAX_TEDDY && !first) {
            continue;
        }
        last = Some(few.len());
        let teddy = (!few.is_empty()).then(|| Teddy::new(&few, literals));
        let grams = (!many.is_empty()).then(|| Grams::new(&many, literals));
        let mut cost = 0.0;
        if let Some(teddy) = &teddy {
            cost += teddy_cost * teddy.part() + CHECK_COST * teddy.frequency();
        }
        if let Some(grams) = &grams {
            cost += (gram_cost + CHECK_COST * grams.frequency()) / grams.stride() as f64;
        }
        if cost < best.0 || first {
            best = (cost, teddy, grams);
        }
    }
    (best.1, best.2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::literal::Cube;
    use super::*;

    const ALPHABET: &[u8] = b"abAB_1 \x00\xFFz@`";

    fn naive(literals: &[Literal], buffer: &[u8]) -> Vec<(usize, usize)> {
        let mut all = Vec::new();
        for at in 0..buffer.len() {
            for (number, literal) in literals.iter().enumerate() {
                if literal.is_at(buffer, at) {
                    all.push((at, number));
                }
            }
        }
        all
    }

    fn literal(max: usize) -> impl Strategy<Value = Literal> {
        let cube = (prop::sample::select(ALPHABET), any::<bool>());
        prop::collection::vec(cube, 1..max).prop_map(|cubes| {
            Literal::from_cubes(cubes.into_iter().map(|(b, fold)| {
                if fold && b.is_ascii_alphabetic() {
                    Cube { value: b & 0xDF, mask: 0xDF }
                } else {
                    Cube::exact(b)
                }
            }))
        })
    }

    /// Every way to arrange the literals, at every level of this machine.
    fn arrangements(literals: &[Literal]) -> Vec<(String, Prefilter)> {
        let numbers: Vec<u32> = (0..literals.len() as u32).collect();
        let (short, long): (Vec<u32>, Vec<u32>) =
            numbers.iter().partition(|&&n| literals[n as usize].len() < grams::WINDOW);
        let mut all = Vec::new();
        for level in Level::available() {
            all.push((format!("{level}, as planned"), Prefilter::new(literals, level)));
            let teddy =
                |numbers: &[u32]| (!numbers.is_empty()).then(|| Teddy::new(numbers, literals));
            let strings = Strings::new(literals);
            all.push((
                format!("{level}, Teddy alone"),
                Prefilter { teddy: teddy(&numbers), grams: None, strings, level },
            ));
            for stride in 1..=grams::MAX_STRIDE {
                let (fit, rest): (Vec<u32>, Vec<u32>) = long
                    .iter()
                    .partition(|&&n| literals[n as usize].len() > grams::WINDOW + stride - 2);
                let grams = (!fit.is_empty()).then(|| Grams::with_stride(&fit, literals, stride));
                let strings = Strings::new(literals);
                let few = [&short[..], &rest].concat();
                all.push((
                    format!("{level}, grams of stride {stride}"),
                    Prefilter { teddy: teddy(&few), grams, strings, level },
                ));
            }
        }
        all
    }

    fn check(
        literals: &[Literal],
        arrangements: &[(String, Prefilter)],
        buffer: &[u8],
        split: usize,
    ) {
        let expected = naive(literals, buffer);
        for (name, prefilter) in arrangements {
            let mut out = Vec::new();
            prefilter.find(buffer, 0..split, &mut out);
            prefilter.find(buffer, split..buffer.len(), &mut out);
            assert!(out.is_sorted_by_key(|c| c.window), "{name}");
            for c in &out {
                assert!((c.start..c.end).contains(&c.window), "{name}");
                assert_eq!((c.end - c.start) as usize, literals[c.literal as usize].len());
            }
            let mut found: Vec<_> =
                out.iter().map(|c| (c.start as usize, c.literal as usize)).collect();
            found.sort();
            assert_eq!(found, expected, "{name}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            // Each case builds the tables of every arrangement.
            cases: ProptestConfig::default().cases.div_ceil(4),
            ..ProptestConfig::default()
        })]

        #[test]
        fn every_arrangement_finds_what_a_naive_search_finds(
            literals in (2usize..10).prop_flat_map(|max| prop::collection::vec(literal(max), 1..24)),
            buffer in prop::collection::vec(prop::sample::select(ALPHABET), 0..300),
            split in any::<prop::sample::Index>(),
        ) {
            check(&literals, &arrangements(&literals), &buffer, split.index(buffer.len() + 1));
        }
    }

    #[test]
    fn literals_are_found_at_every_place_around_the_width_of_a_vector() {
        for len in [1, 2, 3, 4, 5, 6, 9, 32] {
            let text: Vec<u8> = (0..len).map(|i| b'k' + (i % 13) as u8).collect();
            let literals = [Literal::exact(&text), Literal::exact(b"~~~~~~~")];
            let arrangements = arrangements(&literals);
            for size in (len..=len + 4).chain(60..=72).chain(124..=136).chain(254..=262) {
                for at in 0..=size - len {
                    let mut buffer = vec![b'.'; size];
                    buffer[at..at + len].copy_from_slice(&text);
                    check(&literals, &arrangements, &buffer, size / 2);
                }
            }
        }
    }

    #[test]
    fn literals_are_found_however_many_there_are() {
        let literals = ["ab", "bab", "abab", "bababab", "abababababab", "abababac", "b", "cab"]
            .map(|text| Literal::exact(text.as_bytes()));
        let mut buffer = b"ab".repeat(3000);
        buffer[4095] = b'c';
        for some in [&literals[..], &literals[2..6], &literals[3..6], &literals[3..4]] {
            check(some, &arrangements(some), &buffer, 2500);
        }
    }
}
