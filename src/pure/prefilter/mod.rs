//! Finds where any of many literals stand in a buffer, in one or two passes.
//!
//! The README in this folder explains the algorithms.

mod arch;
mod grams;
mod runs;
mod strings;
mod teddy;

use std::ops::Range;

use super::literal::{Literal, rank};
use grams::Grams;
use strings::Strings;
use teddy::Teddy;

pub use arch::Level;
pub(crate) use runs::{Progress, RunSearch};

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
        let (few, many) = divide(literals, level);
        Prefilter {
            teddy: (!few.is_empty()).then(|| Teddy::new(&few, literals)),
            grams: (!many.is_empty()).then(|| Grams::new(&many, literals)),
            strings: Strings::new(literals),
            level,
        }
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
            grams.find(buffer, range, &self.strings, out);
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
                "4-grams at every {} for {} literals",
                ["position", "second position", "third position"][grams.stride() - 1],
                grams.literals(),
            ));
        }
        parts.join(", ")
    }
}

/// What checking one candidate costs, in bytes that Teddy reads in that time.
const CHECK_COST: f64 = 16.0;
/// What a pass of grams costs for each position looked at, in the same unit.
const GRAM_COST: f64 = 10.0;
/// No more literals than this are tried on Teddy.
const MAX_TEDDY: usize = 256;

/// Divides literals between Teddy and grams by what the passes are expected to cost.
fn divide(literals: &[Literal], level: Level) -> (Vec<u32>, Vec<u32>) {
    let all = || 0..literals.len() as u32;
    let shorter = |len: usize| -> (Vec<u32>, Vec<u32>) {
        all().partition(|&n| literals[n as usize].len() < len)
    };
    let cost = |(few, many): &(Vec<u32>, Vec<u32>)| {
        // Teddy takes any number, but with many its buckets let almost everything pass.
        let teddy = match few.len() {
            0 => 0.0,
            count if count > MAX_TEDDY => f64::INFINITY,
            count => {
                let pass = if level == Level::Scalar { GRAM_COST } else { 1.0 };
                // A candidate is compared with all literals of its bucket.
                let check = CHECK_COST + count as f64 / 8.0;
                pass + check * Teddy::new(few, literals).frequency()
            }
        };
        let grams = match many.len() {
            0 => 0.0,
            count => {
                let stride = grams::stride(many, literals) as f64;
                // A gram stands for its letters in both cases, and text repeats its grams.
                let grams: f64 = many.iter().map(|&n| rank::literal(&literals[n as usize])).sum();
                let false_ones = count as f64 * stride / (8 * grams::table_size(count)) as f64;
                (GRAM_COST + CHECK_COST * (grams + false_ones)) / stride
            }
        };
        teddy + grams
    };
    let mut best = shorter(grams::WINDOW);
    for divided in
        [shorter(grams::WINDOW + 1), shorter(grams::WINDOW + 2), (all().collect(), vec![])]
    {
        if cost(&divided) < cost(&best) {
            best = divided;
        }
    }
    best
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
            literals in prop::collection::vec(literal(10), 1..24),
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
            for size in (len..=len + 4).chain(60..=72).chain(124..=136) {
                for at in 0..=size - len {
                    let mut buffer = vec![b'.'; size];
                    buffer[at..at + len].copy_from_slice(&text);
                    check(&literals, &arrangements, &buffer, size / 2);
                }
            }
        }
    }
}
