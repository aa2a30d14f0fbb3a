//! Vector instructions, and the proof that a machine has them.
//!
//! Nothing here depends on what is searched. The module has three parts:
//!
//! - [`Vector`]: the operations on one vector register, implemented for each instruction set in
//!   the file that is named after the architecture.
//! - A token type for each instruction set, such as `x86_64::Avx2`. Its only constructor is `new`,
//!   which returns `None` where the instructions are missing, as in memchr's `arch` modules. Every
//!   function that makes a vector takes the token, so without the instructions there is no vector.
//! - [`Isa`]: one of the tokens, chosen at run time. [`Isa::run`] hands the token to a [`Kernel`]
//!   inside a function that is compiled for its instructions.
//!
//! The functions with `#[target_feature]` are here and not with the algorithms: they are generic
//! over the kernel, so each instruction set has one, and the algorithms don't name any
//! architecture. To add an instruction set, write its token and its [`Vector`], and add one line
//! to each match below.
//!
//! Dispatch is a match on the token, once per pass over a part of the buffer, or, for bit streams,
//! once per operation on a few kilobytes, so its cost is small beside the work.

#![cfg_attr(
    not(any(
        target_arch = "x86_64",
        all(target_arch = "aarch64", target_endian = "little"),
        all(target_arch = "wasm32", target_feature = "simd128")
    )),
    allow(dead_code, reason = "targets without vectors have no use for the trait")
)]

#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
mod aarch64;
mod vector;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm32;
#[cfg(target_arch = "x86_64")]
mod x86_64;

use std::fmt;

pub(crate) use vector::{Kernel, MAX_BYTES, Vector};

/// An instruction set that the engine has vector code for and that this machine can run.
///
/// A value is a proof: it can only come from [`Isa::available`] or [`Isa::best`], which list what
/// was detected on this machine, so no engine can run instructions that are missing. All
/// instruction sets give the same matches and differ only in speed; an
/// [`Engine`](crate::pure::Engine) uses the fastest one by default.
///
/// ```
/// use dragnet::pure::{Engine, Isa};
/// use dragnet::{PatternSet, Report};
///
/// let set = PatternSet::new(["foo", "bar"])?;
/// for isa in Isa::available() {
///     let engine = Engine::with_isa(&set, Report::Patterns, isa);
///     println!("{isa}: {engine:?}");
/// }
/// # Ok::<(), dragnet::BuildError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Isa(Token);

/// The token of the instruction set, which proves that the instructions exist.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Token {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Ssse3(x86_64::Ssse3),
    #[cfg(target_arch = "x86_64")]
    Avx2(x86_64::Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(x86_64::Avx512),
    #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
    Neon(aarch64::Neon),
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    Simd128(wasm32::Simd128),
}

impl Isa {
    /// The instruction sets that this machine can run, from the slowest to the fastest.
    ///
    /// The first is always `scalar`, which uses no vectors and runs everywhere. On x86-64,
    /// `SSSE3`, `AVX2` and `AVX-512` (F and BW) may follow; on 64-bit little-endian ARM, `NEON`;
    /// in WebAssembly that was compiled with `simd128`, `simd128`.
    pub fn available() -> Vec<Isa> {
        let tokens = [
            Some(Token::Scalar),
            #[cfg(target_arch = "x86_64")]
            x86_64::Ssse3::new().map(Token::Ssse3),
            #[cfg(target_arch = "x86_64")]
            x86_64::Avx2::new().map(Token::Avx2),
            #[cfg(target_arch = "x86_64")]
            x86_64::Avx512::new().map(Token::Avx512),
            #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
            aarch64::Neon::new().map(Token::Neon),
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Some(Token::Simd128(wasm32::Simd128::new())),
        ];
        tokens.into_iter().flatten().map(Isa).collect()
    }

    /// The fastest instruction set that this machine can run.
    pub fn best() -> Isa {
        Isa::available().pop().unwrap_or(Isa(Token::Scalar))
    }

    /// The name, as in [`Isa::available`]. It is also what `Display` prints.
    pub fn name(self) -> &'static str {
        match self.0 {
            Token::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Token::Ssse3(_) => "SSSE3",
            #[cfg(target_arch = "x86_64")]
            Token::Avx2(_) => "AVX2",
            #[cfg(target_arch = "x86_64")]
            Token::Avx512(_) => "AVX-512",
            #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
            Token::Neon(_) => "NEON",
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Token::Simd128(_) => "simd128",
        }
    }

    /// Whether there are vectors at all.
    pub(crate) fn has_vectors(self) -> bool {
        !matches!(self.0, Token::Scalar)
    }

    /// Whether one instruction loads words from several places, which makes
    /// [`Vector::test_bits`] cheap.
    pub(crate) fn has_gather(self) -> bool {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Token::Avx2(_) | Token::Avx512(_) => true,
            _ => false,
        }
    }

    /// Runs the version of `kernel` that is compiled for this instruction set.
    pub(crate) fn run(self, kernel: impl Kernel) {
        match self.0 {
            Token::Scalar => kernel.run_scalar(),
            #[cfg(target_arch = "x86_64")]
            Token::Ssse3(token) => token.run(kernel),
            #[cfg(target_arch = "x86_64")]
            Token::Avx2(token) => token.run(kernel),
            #[cfg(target_arch = "x86_64")]
            Token::Avx512(token) => token.run(kernel),
            #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
            Token::Neon(token) => token.run(kernel),
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Token::Simd128(token) => token.run(kernel),
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Isa({})", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares every operation with what its documentation says, computed byte by byte.
    struct CheckOperations;

    impl CheckOperations {
        const BYTES: [u8; MAX_BYTES] = {
            let mut bytes = [0; MAX_BYTES];
            let mut index = 0;
            while index < MAX_BYTES {
                // Any bytes do that differ and have some zeros among them.
                bytes[index] = if index % 5 == 3 { 0 } else { (index * 37 + 11) as u8 };
                index += 1;
            }
            bytes
        };

        fn mask(bytes: impl Iterator<Item = bool>) -> u64 {
            bytes.enumerate().fold(0, |mask, (index, set)| mask | u64::from(set) << index)
        }

        /// The value of a vector, read one bit of each 32-bit number at a time.
        fn numbers<V: Vector>(vector: V, token: V::Token) -> Vec<u32> {
            let table: Vec<u32> = (0..32).map(|bit| 1 << bit).collect();
            let bit_of = |bit: u32| {
                let one = vector.shr_u32(bit).and(V::broadcast_u32(token, 1));
                // SAFETY: each number of `one` is 0 or 1, and the table has 32 words.
                unsafe { V::test_bits(&table, one, V::broadcast_u32(token, 1)) }
            };
            let bits: Vec<u64> = (0..32).map(bit_of).collect();
            let number =
                |lane: usize| (0..32).fold(0, |n, bit| n | ((bits[bit] >> lane & 1) as u32) << bit);
            (0..V::BYTES / 4).map(number).collect()
        }

        fn windows<V: Vector, const STRIDE: usize>(token: V::Token) {
            let windows = (0..V::BYTES / 4).map(|lane| {
                let bytes = &Self::BYTES[lane * STRIDE..];
                u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
            });
            let found = Self::numbers::<V>(V::load_windows::<STRIDE>(token, &Self::BYTES), token);
            assert_eq!(found, windows.collect::<Vec<_>>(), "stride {STRIDE}");
        }
    }

    impl Kernel for CheckOperations {
        #[inline(always)]
        fn run<V: Vector>(self, token: V::Token) {
            let bytes = &Self::BYTES[..V::BYTES];
            let vector = V::load(token, bytes);
            assert_eq!(vector.nonzero_mask(), Self::mask(bytes.iter().map(|&b| b != 0)));
            Self::windows::<V, 1>(token);
            Self::windows::<V, 2>(token);
            Self::windows::<V, 3>(token);
            Self::windows::<V, 4>(token);
            let words = |byte: &dyn Fn(u8) -> u8| -> Vec<u32> {
                let word =
                    |b: &[u8]| u32::from_le_bytes([byte(b[0]), byte(b[1]), byte(b[2]), byte(b[3])]);
                bytes.chunks(4).map(word).collect()
            };
            let table: [u8; 16] = std::array::from_fn(|index| (index * 11 + 5) as u8);
            let looked_up = V::broadcast16(token, &table).lookup(vector.low_nibbles());
            let cases: [(V, Vec<u32>); 5] = [
                (vector.low_nibbles(), words(&|b| b & 15)),
                (vector.high_nibbles(), words(&|b| b >> 4)),
                (looked_up, words(&|b| table[usize::from(b & 15)])),
                (vector.and(looked_up), words(&|b| b & table[usize::from(b & 15)])),
                (vector.or(looked_up), words(&|b| b | table[usize::from(b & 15)])),
            ];
            for (found, expected) in cases {
                assert_eq!(Self::numbers::<V>(found, token), expected);
            }
            let numbers = Self::numbers::<V>(vector, token);
            let product = vector.mul_u32(V::broadcast_u32(token, 0x9E37_79B1));
            let expected: Vec<u32> = numbers.iter().map(|n| n.wrapping_mul(0x9E37_79B1)).collect();
            assert_eq!(Self::numbers::<V>(product, token), expected);
        }

        fn run_scalar(self) {}
    }

    #[test]
    fn vector_operations_do_what_they_document() {
        Isa::available().into_iter().for_each(|isa| isa.run(CheckOperations));
    }

    #[test]
    fn scalar_is_first_and_best_is_last() {
        let names: Vec<&str> = Isa::available().into_iter().map(Isa::name).collect();
        assert_eq!(names[0], "scalar");
        assert_eq!(names.last(), Some(&Isa::best().name()));
    }
}
