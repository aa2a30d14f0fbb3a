//! WebAssembly's simd128.

use std::arch::wasm32::*;
use std::ops::Range;

use super::super::grams::{self, Table};
use super::super::index::Hits;
use super::super::runs;
use super::super::teddy::{self, Masks};
use super::{MAX_BYTES, Vector, pattern, test_each};

/// # Safety
///
/// None is needed: the module is compiled only for machines that have the instructions.
pub(super) unsafe fn teddy_simd128<const LEN: usize, const HALVES: usize>(
    masks: &[Masks; teddy::WINDOW],
    buffer: &[u8],
    range: Range<usize>,
    check: &mut impl FnMut(&[Hits]),
) {
    // SAFETY: see above.
    unsafe { teddy::find::<v128, LEN, HALVES>(masks, buffer, range, check) }
}

/// # Safety
///
/// None is needed: the module is compiled only for machines that have the instructions.
pub(super) unsafe fn grams_simd128<const STRIDE: usize>(
    table: &Table,
    buffer: &[u8],
    range: Range<usize>,
    check: &mut impl FnMut(&[Hits]),
) {
    // SAFETY: see above.
    unsafe { grams::find::<v128, STRIDE>(table, buffer, range, check) }
}

/// # Safety
///
/// None is needed: the module is compiled only for machines that have the instructions.
pub(super) unsafe fn class_bits_simd128<const HALVES: usize>(
    masks: &Masks,
    buffer: &[u8],
    range: Range<usize>,
    word: &mut impl FnMut(usize, u64, usize),
) {
    // SAFETY: the caller promises the instructions.
    unsafe { runs::class_bits::<v128, HALVES>(masks, buffer, range, word) }
}

impl Vector for v128 {
    const BYTES: usize = 16;

    #[inline(always)]
    unsafe fn load(bytes: &[u8]) -> Self {
        debug_assert!(bytes.len() >= Self::BYTES);
        // SAFETY: the slice has as many bytes; loads may be unaligned.
        unsafe { v128_load(bytes.as_ptr().cast()) }
    }

    #[inline(always)]
    unsafe fn repeat(table: &[u8; 16]) -> Self {
        // SAFETY: the table has as many bytes; loads may be unaligned.
        unsafe { v128_load(table.as_ptr().cast()) }
    }

    #[inline(always)]
    unsafe fn and(self, other: Self) -> Self {
        v128_and(self, other)
    }

    #[inline(always)]
    unsafe fn or(self, other: Self) -> Self {
        v128_or(self, other)
    }

    #[inline(always)]
    unsafe fn low_nibbles(self) -> Self {
        v128_and(self, u8x16_splat(15))
    }

    #[inline(always)]
    unsafe fn high_nibbles(self) -> Self {
        u8x16_shr(self, 4)
    }

    #[inline(always)]
    unsafe fn lookup(self, indexes: Self) -> Self {
        u8x16_swizzle(self, indexes)
    }

    #[inline(always)]
    unsafe fn nonzero(self) -> u64 {
        u64::from(u8x16_bitmask(u8x16_ne(self, u8x16_splat(0))))
    }

    #[inline(always)]
    unsafe fn store(self) -> [u8; MAX_BYTES] {
        let mut bytes = [0; MAX_BYTES];
        // SAFETY: the array has room for a vector; stores may be unaligned.
        unsafe { v128_store(bytes.as_mut_ptr().cast(), self) };
        bytes
    }

    #[inline(always)]
    unsafe fn splat(number: u32) -> Self {
        u32x4_splat(number)
    }

    #[inline(always)]
    unsafe fn spread<const STRIDE: usize>(bytes: &[u8]) -> Self {
        // SAFETY: as for `load` and `repeat`.
        unsafe { Self::load(bytes).lookup(Self::repeat(&const { pattern(STRIDE) })) }
    }

    #[inline(always)]
    unsafe fn multiply(self, other: Self) -> Self {
        i32x4_mul(self, other)
    }

    #[inline(always)]
    unsafe fn shift(self, bits: u32) -> Self {
        u32x4_shr(self, bits)
    }

    #[inline(always)]
    unsafe fn test(table: &[u32], words: Self, bits: Self) -> u64 {
        // SAFETY: the caller promises that the words are there.
        unsafe { test_each(table, words, bits) }
    }
}
