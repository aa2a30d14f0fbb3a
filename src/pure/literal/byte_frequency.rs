//! Expected frequencies of bytes and literals in text.
//!
//! All choices between literals, runs and windows compare how often each is expected per byte of
//! ordinary text. The estimate multiplies the frequencies of single bytes, corrected for the fact
//! that neighbouring bytes are not independent. A table of byte pairs would be better, but would
//! take 64 KiB instead of 256 bytes. memchr chooses its rare bytes by a table of ranks; here the
//! frequencies themselves are needed, because they are added and weighed against costs.
//!
//! The estimates are of ordinary text. A literal that is rare there may be frequent in the text at
//! hand, which costs time but no matches.

use std::sync::LazyLock;

use crate::pure::mechanism;

use super::cube::{CASE_MASK, Cube, Literal};

/// The highest frequency of a filter, per byte. Verifying the candidates of a more frequent one
/// would cost more than an automaton that reads every byte. A rough limit, not a measured one.
pub(super) const MAX_FILTER_FREQUENCY: f64 = 1.0 / 64.0;

/// For each byte, minus the binary logarithm of its frequency, in eighths of a bit.
///
/// The mean over eight kinds of files, each with the same weight: Rust, C, Python and JavaScript
/// sources, Markdown and plain documentation, XML, and logs. 128, a frequency of 1 in 65,536, is a
/// lower bound: estimates below it are noise.
#[rustfmt::skip]
const EIGHTH_BITS: [u8; 256] = [
    128, 128, 128, 128, 128, 128, 128, 128, 128, 67, 43, 128, 128, 81, 128, 128,
    128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
    21, 86, 55, 69, 93, 106, 84, 67, 56, 56, 64, 87, 55, 56, 51, 52,
    52, 53, 55, 60, 62, 63, 63, 68, 66, 65, 52, 68, 62, 56, 61, 94,
    89, 59, 70, 61, 65, 57, 65, 72, 75, 58, 88, 80, 62, 67, 60, 61,
    64, 88, 60, 56, 58, 72, 78, 76, 79, 80, 92, 68, 87, 68, 111, 47,
    67, 39, 54, 43, 45, 32, 51, 52, 50, 39, 79, 60, 44, 46, 38, 38,
    47, 81, 39, 39, 35, 47, 61, 62, 62, 56, 80, 74, 88, 74, 115, 128,
    97, 103, 99, 96, 108, 108, 110, 110, 108, 112, 111, 110, 111, 112, 115, 111,
    109, 111, 113, 112, 101, 107, 106, 113, 109, 107, 113, 110, 107, 110, 110, 110,
    108, 102, 112, 110, 108, 112, 110, 108, 109, 104, 109, 112, 113, 107, 114, 111,
    99, 104, 109, 105, 106, 101, 109, 109, 101, 108, 102, 104, 103, 101, 101, 105,
    128, 128, 112, 93, 109, 112, 128, 128, 128, 128, 128, 128, 128, 128, 101, 111,
    81, 92, 126, 128, 128, 128, 128, 100, 105, 109, 128, 128, 128, 128, 128, 128,
    115, 107, 99, 103, 115, 96, 96, 98, 99, 101, 123, 111, 108, 118, 128, 119,
    112, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
];

/// Frequent grams: three bytes with bit 5 set, which makes upper case lower case. In each line, minus the rounded
/// binary logarithm of a frequency, and the grams that have it. `S` stands for the space.
///
/// Made by `benches/common_grams.py` from Rust, C and Python sources, Markdown, and configuration with web files.
const COMMON_GRAMS: &str = include_str!("common_grams.txt");

/// The probability that a digit is followed by a given digit. Most digits are in numbers, so this
/// is far higher than the frequency of the given digit alone.
const NEXT_DIGIT: f64 = 0.05;

static FREQUENCIES: LazyLock<Frequencies> =
    LazyLock::new(|| Frequencies(EIGHTH_BITS.map(|bits| (-f64::from(bits) / 8.0).exp2())));

/// By byte: its frequency, a value from 0 to 1.
struct Frequencies([f64; 256]);

impl Frequencies {
    fn of_byte(&self, byte: u8) -> f64 {
        self.0[usize::from(byte)]
    }

    fn of_cube(&self, cube: Cube) -> f64 {
        match cube.mask {
            u8::MAX => self.of_byte(cube.value),
            // Nearly all others are letters in both cases.
            CASE_MASK => self.of_byte(cube.value) + self.of_byte(cube.value | !CASE_MASK),
            _ => cube.values().map(|byte| self.of_byte(byte)).sum::<f64>().min(1.0),
        }
    }
}

/// The frequency of a byte: a value from 0 to 1.
pub(crate) fn of_byte(byte: u8) -> f64 {
    FREQUENCIES.of_byte(byte)
}

/// The sum of the frequencies of these bytes.
pub(crate) fn of_bytes(bytes: impl Iterator<Item = u8>) -> f64 {
    let frequencies = &*FREQUENCIES;
    bytes.map(|byte| frequencies.of_byte(byte)).sum()
}

/// The sum of the frequencies of all bytes, which is nearly 1.
pub(super) fn of_all() -> f64 {
    static SUM: LazyLock<f64> = LazyLock::new(|| of_bytes(0..=u8::MAX));
    *SUM
}

/// Corrects the product of byte frequencies for the dependence of neighbouring bytes: a literal is
/// more frequent than the product of its bytes. English has about half the entropy per letter that
/// single letters suggest (Shannon, 1951), which would be the square root; names and keys have more
/// entropy, so it is the power of 0.75.
fn dependent(product: f64) -> f64 {
    let root = product.sqrt();
    root * root.sqrt()
}

/// The frequency of bytes that are in `cube`.
pub(crate) fn of_cube(cube: Cube) -> f64 {
    FREQUENCIES.of_cube(cube)
}

/// The probability that a gram, followed by the byte `next`, is at a given position of ordinary text, or 0 if the
/// gram is not among the frequent ones. `gram` is three bytes with bit 5 set, in the low bytes.
///
/// Words are far more frequent than their letters suggest: `inf` 30 times, `the` 80 times. Where the gram of each
/// literal is the rarest by this instead of by its bytes alone, uap-core's rules search logs 1.05 times as fast,
/// source 1.04 and payloads 1.07 times, and on the first pass 1.1 to 1.16 times; over 18 pairs of public rules and
/// texts, 1.02 and 1.04 times in the mean, 0.96 times at worst.
pub(crate) fn of_gram(gram: u32, next: Option<Cube>) -> f64 {
    static FREQUENCIES: LazyLock<GramTable> = LazyLock::new(|| GramTable::new(&common_grams()));
    if !mechanism::common_grams() {
        return 0.0;
    }
    match FREQUENCIES.get(gram) {
        Some(frequency) => frequency * next.map_or(1.0, |cube| dependent(of_cube(cube))),
        None => 0.0,
    }
}

/// A hash table with linear probing of grams and their frequencies: building an engine looks up each gram of each
/// literal.
struct GramTable(Box<[(u32, f64)]>);

impl GramTable {
    const BITS: u32 = 13;

    fn new(grams: &[(u32, f64)]) -> GramTable {
        let mut slots = vec![(0, 0.0); 1 << GramTable::BITS];
        for &(gram, frequency) in grams {
            let free = GramTable::probes(gram).find(|&slot| slots[slot].0 == 0);
            slots[free.unwrap_or(0)] = (gram, frequency);
        }
        GramTable(slots.into())
    }

    fn get(&self, gram: u32) -> Option<f64> {
        let at = GramTable::probes(gram).find(|&slot| [0, gram].contains(&self.0[slot].0))?;
        Some(self.0[at].1).filter(|_| self.0[at].0 == gram)
    }

    /// The slots where a gram may be, in order. A free slot, which has the gram 0, ends the search.
    fn probes(gram: u32) -> impl Iterator<Item = usize> {
        // Fibonacci hashing (Knuth, volume 3, 6.4).
        let first = (gram.wrapping_mul(0x9E37_79B1) >> (32 - GramTable::BITS)) as usize;
        (0..1 << GramTable::BITS).map(move |step| (first + step) % (1 << GramTable::BITS))
    }
}

/// The grams of [`COMMON_GRAMS`] with their frequencies. None is 0, and they fill a fraction of a [`GramTable`].
fn common_grams() -> Vec<(u32, f64)> {
    let lines = COMMON_GRAMS.lines().filter_map(|line| line.split_once(' '));
    lines
        .flat_map(|(bits, grams)| {
            let frequency = (-bits.parse().unwrap_or(0.0_f64)).exp2();
            let (grams, _) = grams.as_bytes().as_chunks();
            grams.iter().map(move |gram: &[u8; 3]| {
                let [a, b, c] = gram.map(|byte| if byte == b'S' { b' ' } else { byte | 0x20 });
                (u32::from_le_bytes([a, b, c, 0]), frequency)
            })
        })
        .collect()
}

/// The probability that `literal` is at a given position of ordinary text.
pub(crate) fn of_literal(literal: &Literal) -> f64 {
    let frequencies = &*FREQUENCIES;
    let (mut independent, mut digits) = (1.0, 1.0);
    let mut in_number = false;
    for &cube in literal.cubes() {
        let digit = cube.mask == u8::MAX && cube.value.is_ascii_digit();
        if digit && in_number {
            digits *= NEXT_DIGIT;
        } else {
            independent *= frequencies.of_cube(cube);
        }
        in_number = digit;
    }
    dependent(independent) * digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_grams_are_known_in_any_case() {
        let mut all = common_grams();
        assert!((1000..1 << (GramTable::BITS - 1)).contains(&all.len()));
        assert!(all.iter().all(|&(_, frequency)| (5e-5..0.1).contains(&frequency)));
        let table = GramTable::new(&all);
        assert!(all.iter().all(|&(gram, frequency)| table.get(gram) == Some(frequency)));
        all.sort_unstable_by_key(|&(gram, _)| gram);
        assert!(all.is_sorted_by(|(a, _), (b, _)| 0 < *a && a < b));
        let of = |text: &str| {
            let cubes = Literal::exact(text.as_bytes()).cubes().to_vec();
            let gram = [0, 1, 2].map(|at| cubes[at].value | 0x20);
            of_gram(u32::from_le_bytes([gram[0], gram[1], gram[2], 0]), cubes.get(3).copied())
        };
        assert!(of("the") > of("ses") && of("THE") == of("the"));
        assert!(of("er i") < of("er ") && of("_id") > 1e-4);
        assert_eq!(of("zqx"), 0.0);
    }

    #[test]
    fn rarer_literals_have_lower_frequencies() {
        let of = |s: &str| of_literal(&Literal::exact(s.as_bytes()));
        assert!(of("zq") < of("te"));
        assert!(of("password") < of("pass"));
        assert!(of("") == 1.0);
        // A digit makes further digits likely.
        assert!(of("wxyz") < of("1234"));
    }
}
