//! SSSE3, AVX2 and AVX-512.

use std::arch::x86_64::*;
use std::ops::Range;

use super::super::runs;
use super::super::teddy::{self, Masks};
use super::{MAX_BYTES, Vector};

macro_rules! entries {
    ($teddy:ident, $class_bits:ident, $vector:ty, $features:literal) => {
        /// # Safety
        ///
        /// The machine must have the instructions that the function is named after.
        #[target_feature(enable = $features)]
        pub(super) unsafe fn $teddy(
            masks: &[Masks; teddy::WINDOW],
            buffer: &[u8],
            range: Range<usize>,
            check: &mut impl FnMut(usize, u16),
        ) {
            // SAFETY: the caller promises the instructions.
            unsafe { teddy::find::<$vector>(masks, buffer, range, check) }
        }

        /// # Safety
        ///
        /// The machine must have the instructions that the function is named after.
        #[target_feature(enable = $features)]
        pub(super) unsafe fn $class_bits(
            masks: &Masks,
            buffer: &[u8],
            range: Range<usize>,
            word: &mut impl FnMut(usize, u64, usize),
        ) {
            // SAFETY: the caller promises the instructions.
            unsafe { runs::class_bits::<$vector>(masks, buffer, range, word) }
        }
    };
}

entries!(teddy_ssse3, class_bits_ssse3, __m128i, "ssse3");
entries!(teddy_avx2, class_bits_avx2, __m256i, "avx2");
entries!(teddy_avx512, class_bits_avx512, __m512i, "avx512f,avx512bw");

// SAFETY of all that follows: the trait's functions are called from the entries above alone, whose
// callers promise the instructions. Loads read as many bytes as a slice was checked to have, and
// stores write to an array of the largest vector's size; both may be unaligned.

impl Vector for __m128i {
    const BYTES: usize = 16;

    #[inline(always)]
    unsafe fn load(bytes: &[u8]) -> Self {
        debug_assert!(bytes.len() >= Self::BYTES);
        // SAFETY: see above.
        unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
    }

    #[inline(always)]
    unsafe fn repeat(table: &[u8; 16]) -> Self {
        // SAFETY: see above.
        unsafe { _mm_loadu_si128(table.as_ptr().cast()) }
    }

    #[inline(always)]
    unsafe fn and(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm_and_si128(self, other) }
    }

    #[inline(always)]
    unsafe fn or(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm_or_si128(self, other) }
    }

    #[inline(always)]
    unsafe fn low_nibbles(self) -> Self {
        // SAFETY: see above.
        unsafe { _mm_and_si128(self, _mm_set1_epi8(15)) }
    }

    #[inline(always)]
    unsafe fn high_nibbles(self) -> Self {
        // SAFETY: see above.
        unsafe { _mm_and_si128(_mm_srli_epi16::<4>(self), _mm_set1_epi8(15)) }
    }

    #[inline(always)]
    unsafe fn lookup(self, indexes: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm_shuffle_epi8(self, indexes) }
    }

    #[inline(always)]
    unsafe fn nonzero(self) -> u64 {
        // SAFETY: see above.
        let zeros = unsafe { _mm_movemask_epi8(_mm_cmpeq_epi8(self, _mm_setzero_si128())) };
        u64::from(!(zeros as u16))
    }

    #[inline(always)]
    unsafe fn store(self) -> [u8; MAX_BYTES] {
        let mut bytes = [0; MAX_BYTES];
        // SAFETY: see above.
        unsafe { _mm_storeu_si128(bytes.as_mut_ptr().cast(), self) };
        bytes
    }
}

impl Vector for __m256i {
    const BYTES: usize = 32;

    #[inline(always)]
    unsafe fn load(bytes: &[u8]) -> Self {
        debug_assert!(bytes.len() >= Self::BYTES);
        // SAFETY: see above.
        unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
    }

    #[inline(always)]
    unsafe fn repeat(table: &[u8; 16]) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_broadcastsi128_si256(_mm_loadu_si128(table.as_ptr().cast())) }
    }

    #[inline(always)]
    unsafe fn and(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_and_si256(self, other) }
    }

    #[inline(always)]
    unsafe fn or(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_or_si256(self, other) }
    }

    #[inline(always)]
    unsafe fn low_nibbles(self) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_and_si256(self, _mm256_set1_epi8(15)) }
    }

    #[inline(always)]
    unsafe fn high_nibbles(self) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_and_si256(_mm256_srli_epi16::<4>(self), _mm256_set1_epi8(15)) }
    }

    #[inline(always)]
    unsafe fn lookup(self, indexes: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_shuffle_epi8(self, indexes) }
    }

    #[inline(always)]
    unsafe fn nonzero(self) -> u64 {
        // SAFETY: see above.
        let zeros =
            unsafe { _mm256_movemask_epi8(_mm256_cmpeq_epi8(self, _mm256_setzero_si256())) };
        u64::from(!(zeros as u32))
    }

    #[inline(always)]
    unsafe fn store(self) -> [u8; MAX_BYTES] {
        let mut bytes = [0; MAX_BYTES];
        // SAFETY: see above.
        unsafe { _mm256_storeu_si256(bytes.as_mut_ptr().cast(), self) };
        bytes
    }
}

impl Vector for __m512i {
    const BYTES: usize = 64;

    #[inline(always)]
    unsafe fn load(bytes: &[u8]) -> Self {
        debug_assert!(bytes.len() >= Self::BYTES);
        // SAFETY: see above.
        unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
    }

    #[inline(always)]
    unsafe fn repeat(table: &[u8; 16]) -> Self {
        // SAFETY: see above.
        unsafe { _mm512_broadcast_i32x4(_mm_loadu_si128(table.as_ptr().cast())) }
    }

    #[inline(always)]
    unsafe fn and(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm512_and_si512(self, other) }
    }

    #[inline(always)]
    unsafe fn or(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm512_or_si512(self, other) }
    }

    #[inline(always)]
    unsafe fn low_nibbles(self) -> Self {
        // SAFETY: see above.
        unsafe { _mm512_and_si512(self, _mm512_set1_epi8(15)) }
    }

    #[inline(always)]
    unsafe fn high_nibbles(self) -> Self {
        // SAFETY: see above.
        unsafe { _mm512_and_si512(_mm512_srli_epi16::<4>(self), _mm512_set1_epi8(15)) }
    }

    #[inline(always)]
    unsafe fn lookup(self, indexes: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm512_shuffle_epi8(self, indexes) }
    }

    #[inline(always)]
    unsafe fn nonzero(self) -> u64 {
        // SAFETY: see above.
        unsafe { _mm512_test_epi8_mask(self, self) }
    }

    #[inline(always)]
    unsafe fn store(self) -> [u8; MAX_BYTES] {
        let mut bytes = [0; MAX_BYTES];
        // SAFETY: see above.
        unsafe { _mm512_storeu_si512(bytes.as_mut_ptr().cast(), self) };
        bytes
    }
}
