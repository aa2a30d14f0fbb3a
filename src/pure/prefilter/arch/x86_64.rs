//! SSSE3, AVX2 and AVX-512.

use std::arch::x86_64::*;
use std::ops::Range;

use super::super::grams::{self, Table};
use super::super::index::Hits;
use super::super::runs;
use super::super::streams;
use super::super::teddy::{self, Masks};
use super::{MAX_BYTES, Vector, pattern, test_each};

macro_rules! entries {
    ($teddy:ident, $grams:ident, $class_bits:ident, $combine:ident, $vector:ty, $features:literal) => {
        /// # Safety
        ///
        /// The machine must have the instructions that the function is named after.
        #[target_feature(enable = $features)]
        pub(super) unsafe fn $teddy<const LEN: usize, const HALVES: usize>(
            masks: &[Masks; teddy::WINDOW],
            buffer: &[u8],
            range: Range<usize>,
            check: &mut impl FnMut(&[Hits]),
        ) {
            // SAFETY: the caller promises the instructions.
            unsafe { teddy::find::<$vector, LEN, HALVES>(masks, buffer, range, check) }
        }

        /// # Safety
        ///
        /// The machine must have the instructions that the function is named after.
        #[target_feature(enable = $features)]
        pub(super) unsafe fn $grams<const STRIDE: usize>(
            table: &Table,
            buffer: &[u8],
            range: Range<usize>,
            check: &mut impl FnMut(&[Hits]),
        ) {
            // SAFETY: the caller promises the instructions.
            unsafe { grams::find::<$vector, STRIDE>(table, buffer, range, check) }
        }

        /// # Safety
        ///
        /// The machine must have the instructions that the function is named after.
        #[target_feature(enable = $features)]
        pub(super) unsafe fn $class_bits<const HALVES: usize>(
            masks: &Masks,
            buffer: &[u8],
            range: Range<usize>,
            word: &mut impl FnMut(usize, u64, usize),
        ) {
            // SAFETY: the caller promises the instructions.
            unsafe { runs::class_bits::<$vector, HALVES>(masks, buffer, range, word) }
        }

        /// # Safety
        ///
        /// The machine must have the instructions that the function is named after.
        #[target_feature(enable = $features)]
        pub(super) unsafe fn $combine(
            kind: &streams::Kind,
            out: &mut [u64],
            sources: [&[u64]; 2],
            carry: &mut bool,
        ) {
            streams::combine(kind, out, sources, carry);
        }
    };
}

entries!(teddy_ssse3, grams_ssse3, class_bits_ssse3, combine_ssse3, __m128i, "ssse3");
entries!(teddy_avx2, grams_avx2, class_bits_avx2, combine_avx2, __m256i, "avx2");
entries!(
    teddy_avx512,
    grams_avx512,
    class_bits_avx512,
    combine_avx512,
    __m512i,
    "avx512f,avx512bw"
);

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

    #[inline(always)]
    unsafe fn splat(number: u32) -> Self {
        // SAFETY: see above.
        unsafe { _mm_set1_epi32(number as i32) }
    }

    #[inline(always)]
    unsafe fn spread<const STRIDE: usize>(bytes: &[u8]) -> Self {
        // SAFETY: see above.
        unsafe { Self::load(bytes).lookup(Self::repeat(&const { pattern(STRIDE) })) }
    }

    #[inline(always)]
    unsafe fn multiply(self, other: Self) -> Self {
        // SSE4.1 has an instruction for it; this one takes every second number.
        // SAFETY: see above.
        unsafe {
            let even = _mm_mul_epu32(self, other);
            let odd = _mm_mul_epu32(_mm_srli_epi64::<32>(self), _mm_srli_epi64::<32>(other));
            let even = _mm_shuffle_epi32::<0b00_00_10_00>(even);
            let odd = _mm_shuffle_epi32::<0b00_00_10_00>(odd);
            _mm_unpacklo_epi32(even, odd)
        }
    }

    #[inline(always)]
    unsafe fn shift(self, bits: u32) -> Self {
        // SAFETY: see above.
        unsafe { _mm_srl_epi32(self, _mm_cvtsi32_si128(bits as i32)) }
    }

    #[inline(always)]
    unsafe fn test(table: &[u32], words: Self, bits: Self) -> u64 {
        // SAFETY: the caller promises that the words are there.
        unsafe { test_each(table, words, bits) }
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

    #[inline(always)]
    unsafe fn splat(number: u32) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_set1_epi32(number as i32) }
    }

    #[inline(always)]
    unsafe fn spread<const STRIDE: usize>(bytes: &[u8]) -> Self {
        debug_assert!(bytes.len() >= Self::BYTES);
        // SAFETY: see above; the second half is loaded from at most 16 bytes on.
        unsafe {
            if STRIDE == 4 {
                return Self::load(bytes);
            }
            let low = _mm_loadu_si128(bytes.as_ptr().cast());
            let high = _mm_loadu_si128(bytes.as_ptr().add(4 * STRIDE).cast());
            _mm256_set_m128i(high, low).lookup(Self::repeat(&const { pattern(STRIDE) }))
        }
    }

    #[inline(always)]
    unsafe fn multiply(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_mullo_epi32(self, other) }
    }

    #[inline(always)]
    unsafe fn shift(self, bits: u32) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_srlv_epi32(self, Self::splat(bits)) }
    }

    #[inline(always)]
    unsafe fn test(table: &[u32], words: Self, bits: Self) -> u64 {
        // SAFETY: see above; the caller promises that the words are there.
        unsafe {
            let words = _mm256_i32gather_epi32::<4>(table.as_ptr().cast(), words);
            // Moves the bit to the top.
            let bits = _mm256_andnot_si256(bits, Self::splat(31));
            let tops = _mm256_sllv_epi32(words, bits);
            u64::from(_mm256_movemask_ps(_mm256_castsi256_ps(tops)) as u32)
        }
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

    #[inline(always)]
    unsafe fn splat(number: u32) -> Self {
        // SAFETY: see above.
        unsafe { _mm512_set1_epi32(number as i32) }
    }

    #[inline(always)]
    unsafe fn spread<const STRIDE: usize>(bytes: &[u8]) -> Self {
        // SAFETY: see above.
        unsafe {
            let bytes = Self::load(bytes);
            if STRIDE == 4 {
                return bytes;
            }
            // First to each quarter the sixteen bytes that its four numbers are taken from.
            let s = STRIDE as i32;
            let (a, b, c) = (s, 2 * s, 3 * s);
            let parts = _mm512_setr_epi32(
                0,
                1,
                2,
                3,
                a,
                a + 1,
                a + 2,
                a + 3,
                b,
                b + 1,
                b + 2,
                b + 3,
                c,
                c + 1,
                c + 2,
                c + 3,
            );
            let parts = _mm512_permutexvar_epi32(parts, bytes);
            parts.lookup(Self::repeat(&const { pattern(STRIDE) }))
        }
    }

    #[inline(always)]
    unsafe fn multiply(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm512_mullo_epi32(self, other) }
    }

    #[inline(always)]
    unsafe fn shift(self, bits: u32) -> Self {
        // SAFETY: see above.
        unsafe { _mm512_srlv_epi32(self, Self::splat(bits)) }
    }

    #[inline(always)]
    unsafe fn test(table: &[u32], words: Self, bits: Self) -> u64 {
        // SAFETY: see above; the caller promises that the words are there.
        unsafe {
            let words = _mm512_i32gather_epi32::<4>(words, table.as_ptr().cast());
            let bits = _mm512_and_si512(bits, Self::splat(31));
            u64::from(_mm512_test_epi32_mask(words, _mm512_sllv_epi32(Self::splat(1), bits)))
        }
    }
}
