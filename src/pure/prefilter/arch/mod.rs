//! The vector instructions of each processor, behind one small trait, and the choice at run time.

#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
mod aarch64;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm32;
#[cfg(target_arch = "x86_64")]
mod x86_64;

use std::ops::Range;

use super::grams::{self, Table};
use super::index::Hits;
use super::runs;
use super::streams;
use super::teddy::{self, Masks};

/// The longest vector of any level, in bytes.
pub(super) const MAX_BYTES: usize = 64;

/// A vector of bytes.
///
/// # Safety
///
/// All functions need the instructions that the implementation is named after.
pub(super) trait Vector: Copy {
    /// How many bytes it has.
    const BYTES: usize;
    /// The first `BYTES` of a slice that has at least as many.
    unsafe fn load(bytes: &[u8]) -> Self;
    /// A table of 16 entries, ready for `lookup`.
    unsafe fn repeat(table: &[u8; 16]) -> Self;
    unsafe fn and(self, other: Self) -> Self;
    unsafe fn or(self, other: Self) -> Self;
    /// The low four bits of each byte.
    unsafe fn low_nibbles(self) -> Self;
    /// The high four bits of each byte, as a number below 16.
    unsafe fn high_nibbles(self) -> Self;
    /// In the place of each byte of `indexes`, all below 16, the entry of the table `self`.
    unsafe fn lookup(self, indexes: Self) -> Self;
    /// One bit for each byte that is not zero, the first byte's lowest.
    unsafe fn nonzero(self) -> u64;
    unsafe fn store(self) -> [u8; MAX_BYTES];

    // From here on, a vector of numbers of 32 bits, little-endian.

    /// The same number everywhere.
    unsafe fn splat(number: u32) -> Self;
    /// For each number in turn, the four bytes from the next multiple of `STRIDE`, 1 to 4, on,
    /// of a slice that has at least `BYTES`.
    unsafe fn spread<const STRIDE: usize>(bytes: &[u8]) -> Self;
    /// The products, without what is over 32 bits.
    unsafe fn multiply(self, other: Self) -> Self;
    /// Shifted right by less than 32 bits.
    unsafe fn shift(self, bits: u32) -> Self;
    /// For each number in turn, from the lowest bit on: whether the word of `table` with the
    /// number in `words`, which must be less than there are, has the bit that the low five bits of
    /// the number in `bits` tell.
    unsafe fn test(table: &[u32], words: Self, bits: Self) -> u64;
}

/// For [`Vector::spread`]: which bytes of sixteen go to the four numbers in as many bytes.
const fn pattern(stride: usize) -> [u8; 16] {
    let mut pattern = [0; 16];
    let mut index = 0;
    while index < 16 {
        pattern[index] = (index / 4 * stride + index % 4) as u8;
        index += 1;
    }
    pattern
}

/// [`Vector::test`] where there is no instruction to load from several places.
///
/// # Safety
///
/// The instructions of `V` must be there.
#[inline(always)]
#[allow(dead_code, reason = "some targets have such an instruction, or no vectors")]
unsafe fn test_each<V: Vector>(table: &[u32], words: V, bits: V) -> u64 {
    // SAFETY: the caller promises the instructions.
    let (words, bits) = unsafe { (numbers(words), numbers(bits)) };
    let mut set = 0;
    let mut lane = 0;
    while lane < V::BYTES / 4 {
        let word = words[lane] as usize;
        debug_assert!(word < table.len());
        // SAFETY: the caller promises that the word is there.
        let word = unsafe { *table.get_unchecked(word) };
        set |= u64::from(word >> (bits[lane] & 31) & 1) << lane;
        lane += 1;
    }
    set
}

/// A vector as numbers.
///
/// # Safety
///
/// The instructions of `V` must be there.
#[inline(always)]
#[allow(dead_code, reason = "as for `test_each`")]
unsafe fn numbers<V: Vector>(vector: V) -> [u32; MAX_BYTES / 4] {
    // SAFETY: the caller promises the instructions; any bytes are numbers.
    unsafe { std::mem::transmute::<[u8; MAX_BYTES], _>(vector.store()) }
}

/// A set of vector instructions that the prefilter has an implementation for.
///
/// All levels find the same; they differ in speed alone. An [`Engine`](crate::pure::Engine) uses
/// the best that the machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Level {
    /// No vectors; on every machine.
    Scalar,
    /// x86-64 with SSSE3, 16 bytes.
    #[cfg(target_arch = "x86_64")]
    Ssse3,
    /// x86-64 with AVX2, 32 bytes.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// x86-64 with AVX-512 F and BW, 64 bytes.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// 64-bit ARM, 16 bytes.
    #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
    Neon,
    /// WebAssembly built with `simd128`, 16 bytes.
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    Simd128,
}

impl Level {
    /// The levels that this machine can run, from the slowest to the fastest. Never empty.
    pub fn available() -> Vec<Level> {
        #[allow(unused_mut, reason = "some targets have no vectors")]
        let mut levels = vec![Level::Scalar];
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("ssse3") {
                levels.push(Level::Ssse3);
            }
            if std::arch::is_x86_feature_detected!("avx2") {
                levels.push(Level::Avx2);
            }
            if std::arch::is_x86_feature_detected!("avx512f")
                && std::arch::is_x86_feature_detected!("avx512bw")
            {
                levels.push(Level::Avx512);
            }
        }
        #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
        if std::arch::is_aarch64_feature_detected!("neon") {
            levels.push(Level::Neon);
        }
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        levels.push(Level::Simd128);
        levels
    }

    /// The fastest level that this machine can run.
    pub fn best() -> Level {
        Level::available().last().copied().unwrap_or(Level::Scalar)
    }

    /// This level, or the best that is available if the machine can't run it.
    pub(crate) fn or_available(self) -> Level {
        if Level::available().contains(&self) { self } else { Level::best() }
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Level::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Level::Ssse3 => "SSSE3",
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => "AVX2",
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => "AVX-512",
            #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
            Level::Neon => "NEON",
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Level::Simd128 => "simd128",
        })
    }
}

/// Runs Teddy with the instructions of `level`, which must be available.
pub(super) fn teddy<const LEN: usize, const HALVES: usize>(
    level: Level,
    masks: &[Masks; teddy::WINDOW],
    buffer: &[u8],
    range: Range<usize>,
    check: &mut impl FnMut(&[Hits]),
) {
    match level {
        Level::Scalar => teddy::find_scalar(masks, buffer, range, check),
        // SAFETY: a level is taken into a prefilter only if the machine has its instructions.
        #[cfg(target_arch = "x86_64")]
        Level::Ssse3 => unsafe { x86_64::teddy_ssse3::<LEN, HALVES>(masks, buffer, range, check) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { x86_64::teddy_avx2::<LEN, HALVES>(masks, buffer, range, check) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe {
            x86_64::teddy_avx512::<LEN, HALVES>(masks, buffer, range, check)
        },
        // SAFETY: as above.
        #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
        Level::Neon => unsafe { aarch64::teddy_neon::<LEN, HALVES>(masks, buffer, range, check) },
        // SAFETY: the module was compiled for a machine that has them.
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        Level::Simd128 => unsafe {
            wasm32::teddy_simd128::<LEN, HALVES>(masks, buffer, range, check)
        },
    }
}

/// Tells which bytes of `range` are in a class, with the instructions of `level`, which must be
/// available.
pub(super) fn class_bits<const HALVES: usize>(
    level: Level,
    masks: &Masks,
    buffer: &[u8],
    range: Range<usize>,
    word: &mut impl FnMut(usize, u64, usize),
) {
    match level {
        Level::Scalar => runs::class_bits_scalar(masks, buffer, range, word),
        // SAFETY: as for `teddy`.
        #[cfg(target_arch = "x86_64")]
        Level::Ssse3 => unsafe { x86_64::class_bits_ssse3::<HALVES>(masks, buffer, range, word) },
        // SAFETY: as for `teddy`.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { x86_64::class_bits_avx2::<HALVES>(masks, buffer, range, word) },
        // SAFETY: as for `teddy`.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { x86_64::class_bits_avx512::<HALVES>(masks, buffer, range, word) },
        // SAFETY: as for `teddy`.
        #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
        Level::Neon => unsafe { aarch64::class_bits_neon::<HALVES>(masks, buffer, range, word) },
        // SAFETY: as for `teddy`.
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        Level::Simd128 => unsafe {
            wasm32::class_bits_simd128::<HALVES>(masks, buffer, range, word)
        },
    }
}

/// Makes what an operation on streams does of `sources` in `out`, with the instructions of `level`,
/// which must be available.
pub(super) fn combine(
    level: Level,
    kind: &streams::Kind,
    out: &mut [u64],
    sources: [&[u64]; 2],
    carry: &mut bool,
) {
    match level {
        // SAFETY: as for `teddy`.
        #[cfg(target_arch = "x86_64")]
        Level::Ssse3 => unsafe { x86_64::combine_ssse3(kind, out, sources, carry) },
        // SAFETY: as for `teddy`.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { x86_64::combine_avx2(kind, out, sources, carry) },
        // SAFETY: as for `teddy`.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { x86_64::combine_avx512(kind, out, sources, carry) },
        // What the compiler makes of it for any processor.
        _ => streams::combine(kind, out, sources, carry),
    }
}

/// Looks for grams at every position that `STRIDE` divides, with the instructions of `level`,
/// which must be available.
pub(super) fn grams<const STRIDE: usize>(
    level: Level,
    table: &Table,
    buffer: &[u8],
    range: Range<usize>,
    check: &mut impl FnMut(&[Hits]),
) {
    match level {
        Level::Scalar => grams::find_scalar::<STRIDE>(table, buffer, range, check),
        // SAFETY: as for `teddy`.
        #[cfg(target_arch = "x86_64")]
        Level::Ssse3 => unsafe { x86_64::grams_ssse3::<STRIDE>(table, buffer, range, check) },
        // SAFETY: as for `teddy`.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { x86_64::grams_avx2::<STRIDE>(table, buffer, range, check) },
        // SAFETY: as for `teddy`.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { x86_64::grams_avx512::<STRIDE>(table, buffer, range, check) },
        // SAFETY: as for `teddy`.
        #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
        Level::Neon => unsafe { aarch64::grams_neon::<STRIDE>(table, buffer, range, check) },
        // SAFETY: as for `teddy`.
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        Level::Simd128 => unsafe { wasm32::grams_simd128::<STRIDE>(table, buffer, range, check) },
    }
}
