//! Vector instructions, and the proof that a machine has them.
//!
//! Nothing here depends on what is searched. The module has three parts:
//!
//! - [`Vector`]: the operations on one vector register, implemented for each instruction set in
//!   the file that is named after the architecture.
//! - A token type for each instruction set, such as `x86_64::Avx2`. Its only constructor is `new`,
//!   which returns `None` where the instructions are missing, as in memchr's `arch` modules. (Where
//!   `wasm32::Simd128` is compiled at all, it always exists.) Every function that makes a vector
//!   takes the token, so without the instructions there is no vector.
//! - [`Isa`]: one of the tokens, chosen at run time. [`Isa::run`] hands the token to a [`Kernel`]
//!   inside a function that is compiled for its instructions.
//!
//! The functions with `#[target_feature]` are here and not with the algorithms: they are generic
//! over the kernel, so each instruction set has one, and the algorithms don't name any
//! architecture. To add an instruction set, write its token and its [`Vector`], and add a row to
//! the table in `instruction_sets!` below; everything that lists tokens is made from it. A file for
//! another architecture also has its `mod` here, and an entry in the list of `super`, which only
//! keeps lints quiet on targets without vectors.
//!
//! Dispatch is a match on the token, once per pass over a part of the buffer, or, for bit streams,
//! once per operation on a few kilobytes, so its cost is small beside the work.

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

/// Defines [`Token`] and all functions that list its variants, from a table with one row for each
/// instruction set: the targets that it is compiled for, the variant, the token's type, the name
/// for people, and the length of its vectors in bytes. The rows go from the slowest instruction
/// set of a target to the fastest; that without vectors comes first and has no row.
macro_rules! instruction_sets {
    ($(
        #[$target:meta]
        $variant:ident($token:ty), $name:literal, vector_len: $vector_len:literal;
    )*) => {
        /// The token of the instruction set, which proves that the instructions exist.
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        enum Token {
            Scalar,
            $(#[$target] $variant($token),)*
        }

        impl Token {
            /// The tokens of this machine, from the slowest to the fastest.
            fn available() -> impl Iterator<Item = Token> {
                let tokens = [
                    Some(Token::Scalar),
                    $(#[$target] <$token>::new().map(Token::$variant),)*
                ];
                tokens.into_iter().flatten()
            }

            fn name(self) -> &'static str {
                match self {
                    Token::Scalar => "scalar",
                    $(#[$target] Token::$variant(_) => $name,)*
                }
            }

            fn vector_len(self) -> usize {
                match self {
                    Token::Scalar => 0,
                    $(#[$target] Token::$variant(_) => $vector_len,)*
                }
            }

            fn run(self, kernel: impl Kernel) {
                match self {
                    Token::Scalar => kernel.run_scalar(),
                    $(#[$target] Token::$variant(token) => token.run(kernel),)*
                }
            }
        }
    };
}

instruction_sets! {
    #[cfg(target_arch = "x86_64")]
    Ssse3(x86_64::Ssse3), "SSSE3", vector_len: 16;
    #[cfg(target_arch = "x86_64")]
    Avx2(x86_64::Avx2), "AVX2", vector_len: 32;
    #[cfg(target_arch = "x86_64")]
    Avx512(x86_64::Avx512), "AVX-512", vector_len: 64;
    #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
    Neon(aarch64::Neon), "NEON", vector_len: 16;
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    Simd128(wasm32::Simd128), "simd128", vector_len: 16;
}

impl Isa {
    /// Returns the instruction sets that this machine can run, from the slowest to the fastest.
    ///
    /// The first is always `scalar`, which uses no vectors and runs everywhere. On x86-64,
    /// `SSSE3`, `AVX2` (with BMI1, BMI2, LZCNT and POPCNT) and `AVX-512` (F and BW) may follow; on
    /// 64-bit little-endian ARM, `NEON`; in WebAssembly that was compiled with `simd128`, `simd128`.
    pub fn available() -> Vec<Isa> {
        Token::available().map(Isa).collect()
    }

    /// Returns the fastest instruction set that this machine can run.
    pub fn best() -> Isa {
        Isa(Token::available().last().unwrap_or(Token::Scalar))
    }

    /// Returns the name, as in [`Isa::available`]. `Display` prints the same.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The length of a vector in bytes; 0 if there are none.
    pub(crate) fn vector_len(self) -> usize {
        self.0.vector_len()
    }

    /// Runs the version of `kernel` that is compiled for this instruction set.
    pub(crate) fn run(self, kernel: impl Kernel) {
        self.0.run(kernel);
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

        /// Tests bits of words all over a table of 64 words.
        fn tested_bits<V: Vector>(token: V::Token) {
            let table: [u32; 64] =
                std::array::from_fn(|n| (n as u32 + 1).wrapping_mul(0x9E37_79B1));
            // The high six bits of a number are an index of the table.
            let words = V::load(token, &Self::BYTES).mul_u32(V::broadcast_u32(token, 0x85EB_CA77));
            let words = words.shr_u32(26);
            // All 32 bits of each number vary; only the low five count.
            let bits = V::load(token, &Self::BYTES).mul_u32(V::broadcast_u32(token, 0xC2B2_AE3D));
            let expected = Self::numbers::<V>(words, token)
                .into_iter()
                .zip(Self::numbers::<V>(bits, token))
                .map(|(word, bit)| table[word as usize] >> (bit % 32) & 1 != 0);
            let expected = Self::mask(expected);
            // SAFETY: each number of `words` is below 2^6, and the table has 64 words.
            let found = unsafe { V::test_bits(&table, words, bits) };
            assert_eq!(found, expected);
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
            let all = Self::mask(bytes.iter().map(|_| true));
            let vector = V::load(token, bytes);
            assert_eq!(vector.nonzero_mask(), Self::mask(bytes.iter().map(|&b| b != 0)));
            let other = vector.low_nibbles();
            let expected = Self::mask(bytes.iter().map(|&b| b == b & 15));
            assert_eq!((vector.equal_mask(other), other.equal_mask(other)), (expected, all));
            Self::tested_bits::<V>(token);
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
            let cases: [(V, Vec<u32>); 6] = [
                (vector.low_nibbles(), words(&|b| b & 15)),
                (vector.high_nibbles(), words(&|b| b >> 4)),
                (looked_up, words(&|b| table[usize::from(b & 15)])),
                (vector.and(looked_up), words(&|b| b & table[usize::from(b & 15)])),
                (vector.xor(looked_up), words(&|b| b ^ table[usize::from(b & 15)])),
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
