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

use super::cube::{Cube, Literal};

/// A filter that is expected more often than once in 64 bytes is no use: verifying the candidates
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

/// The exponent that corrects the product of byte frequencies for the dependence of neighbouring
/// bytes: a literal is more frequent than the product of its bytes. English has about half the
/// entropy per letter that single letters suggest (Shannon, 1951), which would be 0.5; names and
/// keys have more.
const DEPENDENCE: f64 = 0.75;

/// The probability that a digit is followed by one certain other digit. Digits stand in numbers,
/// so it is far higher than the frequency of that digit.
const NEXT_DIGIT: f64 = 0.05;

/// The frequency of a byte: a value from 0 to 1.
pub(crate) fn of_value(byte: u8) -> f64 {
    static FREQUENCIES: LazyLock<[f64; 256]> =
        LazyLock::new(|| EIGHTH_BITS.map(|bits| (-f64::from(bits) / 8.0).exp2()));
    FREQUENCIES[usize::from(byte)]
}

/// The frequency of bytes that are in `cube`.
pub(crate) fn of_cube(cube: Cube) -> f64 {
    cube.values().map(of_value).sum::<f64>().min(1.0)
}

/// The probability that `literal` is at a given position of ordinary text.
pub(crate) fn of_literal(literal: &Literal) -> f64 {
    let (mut independent, mut digits) = (1.0, 1.0);
    let mut in_number = false;
    for &cube in literal.cubes() {
        let digit = cube.values().all(|value| value.is_ascii_digit());
        if digit && in_number {
            digits *= NEXT_DIGIT * cube.values().count() as f64;
        } else {
            independent *= of_cube(cube);
        }
        in_number = digit;
    }
    independent.powf(DEPENDENCE) * digits
}

#[cfg(test)]
mod tests {
    use super::*;

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
