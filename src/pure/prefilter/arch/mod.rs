//! The vector instructions of each processor, behind one small trait, and the choice at run time.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm32;
#[cfg(target_arch = "x86_64")]
mod x86_64;

use std::ops::Range;

use super::runs;
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
    #[cfg(target_arch = "aarch64")]
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
        #[cfg(target_arch = "aarch64")]
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
            #[cfg(target_arch = "aarch64")]
            Level::Neon => "NEON",
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Level::Simd128 => "simd128",
        })
    }
}

/// Runs Teddy with the instructions of `level`, which must be available.
pub(super) fn teddy(
    level: Level,
    masks: &[Masks; teddy::WINDOW],
    buffer: &[u8],
    range: Range<usize>,
    check: &mut impl FnMut(usize, u16),
) {
    match level {
        Level::Scalar => teddy::find_scalar(masks, buffer, range, check),
        // SAFETY: a level is taken into a prefilter only if the machine has its instructions.
        #[cfg(target_arch = "x86_64")]
        Level::Ssse3 => unsafe { x86_64::teddy_ssse3(masks, buffer, range, check) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { x86_64::teddy_avx2(masks, buffer, range, check) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { x86_64::teddy_avx512(masks, buffer, range, check) },
        // SAFETY: as above.
        #[cfg(target_arch = "aarch64")]
        Level::Neon => unsafe { aarch64::teddy_neon(masks, buffer, range, check) },
        // SAFETY: the module was compiled for a machine that has them.
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        Level::Simd128 => unsafe { wasm32::teddy_simd128(masks, buffer, range, check) },
    }
}

/// Tells which bytes of `range` are in a class, with the instructions of `level`, which must be
/// available.
pub(super) fn class_bits(
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
        Level::Ssse3 => unsafe { x86_64::class_bits_ssse3(masks, buffer, range, word) },
        // SAFETY: as for `teddy`.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { x86_64::class_bits_avx2(masks, buffer, range, word) },
        // SAFETY: as for `teddy`.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { x86_64::class_bits_avx512(masks, buffer, range, word) },
        // SAFETY: as for `teddy`.
        #[cfg(target_arch = "aarch64")]
        Level::Neon => unsafe { aarch64::class_bits_neon(masks, buffer, range, word) },
        // SAFETY: as for `teddy`.
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        Level::Simd128 => unsafe { wasm32::class_bits_simd128(masks, buffer, range, word) },
    }
}
