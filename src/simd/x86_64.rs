//! SSSE3, AVX2 and AVX-512 of x86-64.
//!
//! SSSE3 is the first extension with a byte shuffle (`pshufb`), without which there is no table
//! lookup. AVX2 doubles the vector; AVX-512 needs F for 32-bit numbers and BW for bytes.
//!
//! Each vector is a private wrapper of a register type. Its constructors take the token, and all
//! other operations start from a vector, so each `unsafe` block below rests on the same fact: the
//! token proves that the machine has the instruction.

use std::arch::x86_64::*;

use super::vector::{Kernel, Vector, test_bits_one_by_one, window_shuffle};

/// Proves that this machine has SSSE3.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Ssse3(());

impl Ssse3 {
    pub(super) fn new() -> Option<Ssse3> {
        std::arch::is_x86_feature_detected!("ssse3").then_some(Ssse3(()))
    }

    /// Runs `kernel`, compiled for SSSE3.
    pub(super) fn run(self, kernel: impl Kernel) {
        #[target_feature(enable = "ssse3")]
        fn run(token: Ssse3, kernel: impl Kernel) {
            kernel.run::<Ssse3Vector>(token);
        }
        // SAFETY: `self` proves SSSE3.
        unsafe { run(self, kernel) }
    }
}

/// Proves that this machine has AVX2, and the instructions for the bits of words that came with it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Avx2(());

impl Avx2 {
    pub(super) fn new() -> Option<Avx2> {
        // Every processor with AVX2 has the others, but a virtual machine may hide some.
        let available = std::arch::is_x86_feature_detected!("avx2")
            && std::arch::is_x86_feature_detected!("bmi1")
            && std::arch::is_x86_feature_detected!("bmi2")
            && std::arch::is_x86_feature_detected!("lzcnt")
            && std::arch::is_x86_feature_detected!("popcnt");
        available.then_some(Avx2(()))
    }

    /// Runs `kernel`, compiled for AVX2.
    pub(super) fn run(self, kernel: impl Kernel) {
        #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
        fn run(token: Avx2, kernel: impl Kernel) {
            kernel.run::<Avx2Vector>(token);
        }
        // SAFETY: `self` proves all of these.
        unsafe { run(self, kernel) }
    }
}

/// Proves that this machine has AVX-512 F and BW.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Avx512(());

impl Avx512 {
    pub(super) fn new() -> Option<Avx512> {
        let detected = std::arch::is_x86_feature_detected!("avx512f")
            && std::arch::is_x86_feature_detected!("avx512bw");
        detected.then_some(Avx512(()))
    }

    /// Runs `kernel`, compiled for AVX-512 F and BW.
    pub(super) fn run(self, kernel: impl Kernel) {
        #[target_feature(enable = "avx512f,avx512bw")]
        fn run(token: Avx512, kernel: impl Kernel) {
            kernel.run::<Avx512Vector>(token);
        }
        // SAFETY: `self` proves AVX-512 F and BW.
        unsafe { run(self, kernel) }
    }
}

/// 16 bytes in an SSE register. Only made with an [`Ssse3`] token.
#[derive(Clone, Copy)]
struct Ssse3Vector(__m128i);

impl Vector for Ssse3Vector {
    type Token = Ssse3;
    const BYTES: usize = 16;

    #[inline(always)]
    fn load(_: Ssse3, bytes: &[u8]) -> Self {
        assert!(bytes.len() >= Self::BYTES);
        // SAFETY: 16 bytes are readable by the assertion; the load may be unaligned. The token
        // proves SSSE3.
        Self(unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) })
    }

    #[inline(always)]
    fn broadcast16(_: Ssse3, table: &[u8; 16]) -> Self {
        // SAFETY: the table has 16 bytes; the load may be unaligned. The token proves SSSE3.
        Self(unsafe { _mm_loadu_si128(table.as_ptr().cast()) })
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        // SAFETY: `self` was made with a token, which proves SSSE3.
        Self(unsafe { _mm_and_si128(self.0, other.0) })
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        // SAFETY: `self` was made with a token, which proves SSSE3.
        Self(unsafe { _mm_or_si128(self.0, other.0) })
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: `self` was made with a token, which proves SSSE3.
        Self(unsafe { _mm_xor_si128(self.0, other.0) })
    }

    #[inline(always)]
    fn low_nibbles(self) -> Self {
        // SAFETY: `self` was made with a token, which proves SSSE3.
        Self(unsafe { _mm_and_si128(self.0, _mm_set1_epi8(15)) })
    }

    #[inline(always)]
    fn high_nibbles(self) -> Self {
        // There is no shift of bytes; the mask drops the bits that a 16-bit shift moves in from the
        // neighbouring byte.
        // SAFETY: `self` was made with a token, which proves SSSE3.
        Self(unsafe { _mm_and_si128(_mm_srli_epi16::<4>(self.0), _mm_set1_epi8(15)) })
    }

    #[inline(always)]
    fn lookup(self, indexes: Self) -> Self {
        // SAFETY: `self` was made with a token, which proves SSSE3.
        Self(unsafe { _mm_shuffle_epi8(self.0, indexes.0) })
    }

    #[inline(always)]
    fn nonzero_mask(self) -> u64 {
        // SAFETY: `self` was made with a token, which proves SSSE3.
        let zeros = unsafe { _mm_movemask_epi8(_mm_cmpeq_epi8(self.0, _mm_setzero_si128())) };
        u64::from(!(zeros as u16))
    }

    #[inline(always)]
    fn equal_mask(self, other: Self) -> u64 {
        // SAFETY: `self` was made with a token, which proves SSSE3.
        u64::from(unsafe { _mm_movemask_epi8(_mm_cmpeq_epi8(self.0, other.0)) } as u16)
    }

    #[inline(always)]
    fn broadcast_u32(_: Ssse3, number: u32) -> Self {
        // SAFETY: the token proves SSSE3.
        Self(unsafe { _mm_set1_epi32(number as i32) })
    }

    #[inline(always)]
    fn load_windows<const STRIDE: usize>(token: Ssse3, bytes: &[u8]) -> Self {
        let shuffle = Self::broadcast16(token, &const { window_shuffle(STRIDE) });
        Self::load(token, bytes).lookup(shuffle)
    }

    #[inline(always)]
    fn mul_u32(self, other: Self) -> Self {
        // `pmulld` is of SSE4.1. `pmuludq` multiplies every second number only, so it runs twice.
        // SAFETY: `self` was made with a token, which proves SSSE3.
        Self(unsafe {
            let even = _mm_mul_epu32(self.0, other.0);
            let odd = _mm_mul_epu32(_mm_srli_epi64::<32>(self.0), _mm_srli_epi64::<32>(other.0));
            let even = _mm_shuffle_epi32::<0b00_00_10_00>(even);
            let odd = _mm_shuffle_epi32::<0b00_00_10_00>(odd);
            _mm_unpacklo_epi32(even, odd)
        })
    }

    #[inline(always)]
    fn shr_u32(self, bits: u32) -> Self {
        // SAFETY: `self` was made with a token, which proves SSSE3.
        Self(unsafe { _mm_srl_epi32(self.0, _mm_cvtsi32_si128(bits as i32)) })
    }

    #[inline(always)]
    unsafe fn test_bits(table: &[u32], words: Self, bits: Self) -> u64 {
        // SAFETY: the caller promises that each of `words` is an index of `table`. Any 16 bytes
        // are four numbers.
        unsafe {
            let words = std::mem::transmute::<__m128i, [u32; 4]>(words.0);
            let bits = std::mem::transmute::<__m128i, [u32; 4]>(bits.0);
            test_bits_one_by_one(table, words, bits)
        }
    }
}

/// 32 bytes in an AVX register. Only made with an [`Avx2`] token.
#[derive(Clone, Copy)]
struct Avx2Vector(__m256i);

impl Vector for Avx2Vector {
    type Token = Avx2;
    const BYTES: usize = 32;

    #[inline(always)]
    fn load(_: Avx2, bytes: &[u8]) -> Self {
        assert!(bytes.len() >= Self::BYTES);
        // SAFETY: 32 bytes are readable by the assertion; the load may be unaligned. The token
        // proves AVX2.
        Self(unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) })
    }

    #[inline(always)]
    fn broadcast16(_: Avx2, table: &[u8; 16]) -> Self {
        // SAFETY: the table has 16 bytes; the load may be unaligned. The token proves AVX2.
        Self(unsafe { _mm256_broadcastsi128_si256(_mm_loadu_si128(table.as_ptr().cast())) })
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        // SAFETY: `self` was made with a token, which proves AVX2.
        Self(unsafe { _mm256_and_si256(self.0, other.0) })
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        // SAFETY: `self` was made with a token, which proves AVX2.
        Self(unsafe { _mm256_or_si256(self.0, other.0) })
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: `self` was made with a token, which proves AVX2.
        Self(unsafe { _mm256_xor_si256(self.0, other.0) })
    }

    #[inline(always)]
    fn low_nibbles(self) -> Self {
        // SAFETY: `self` was made with a token, which proves AVX2.
        Self(unsafe { _mm256_and_si256(self.0, _mm256_set1_epi8(15)) })
    }

    #[inline(always)]
    fn high_nibbles(self) -> Self {
        // There is no shift of bytes; the mask drops the bits that a 16-bit shift moves in from the
        // neighbouring byte.
        // SAFETY: `self` was made with a token, which proves AVX2.
        Self(unsafe { _mm256_and_si256(_mm256_srli_epi16::<4>(self.0), _mm256_set1_epi8(15)) })
    }

    #[inline(always)]
    fn lookup(self, indexes: Self) -> Self {
        // The instruction looks up each half in the same half of the table, which
        // `broadcast16` made equal.
        // SAFETY: `self` was made with a token, which proves AVX2.
        Self(unsafe { _mm256_shuffle_epi8(self.0, indexes.0) })
    }

    #[inline(always)]
    fn nonzero_mask(self) -> u64 {
        // SAFETY: `self` was made with a token, which proves AVX2.
        let zeros =
            unsafe { _mm256_movemask_epi8(_mm256_cmpeq_epi8(self.0, _mm256_setzero_si256())) };
        u64::from(!(zeros as u32))
    }

    #[inline(always)]
    fn equal_mask(self, other: Self) -> u64 {
        // SAFETY: `self` was made with a token, which proves AVX2.
        u64::from(unsafe { _mm256_movemask_epi8(_mm256_cmpeq_epi8(self.0, other.0)) } as u32)
    }

    #[inline(always)]
    fn broadcast_u32(_: Avx2, number: u32) -> Self {
        // SAFETY: the token proves AVX2.
        Self(unsafe { _mm256_set1_epi32(number as i32) })
    }

    #[inline(always)]
    fn load_windows<const STRIDE: usize>(token: Avx2, bytes: &[u8]) -> Self {
        if STRIDE == 4 {
            return Self::load(token, bytes);
        }
        const { assert!(STRIDE <= 4) };
        assert!(bytes.len() >= Self::BYTES);
        // `vpshufb` does not cross halves, so each half is loaded from where its first window is.
        // SAFETY: the second half is read from byte 4 * STRIDE, at most 16, on, and 32 bytes are
        // readable by the assertion. The token proves AVX2.
        let halves = unsafe {
            let low = _mm_loadu_si128(bytes.as_ptr().cast());
            let high = _mm_loadu_si128(bytes.as_ptr().add(4 * STRIDE).cast());
            _mm256_set_m128i(high, low)
        };
        Self(halves).lookup(Self::broadcast16(token, &const { window_shuffle(STRIDE) }))
    }

    #[inline(always)]
    fn mul_u32(self, other: Self) -> Self {
        // SAFETY: `self` was made with a token, which proves AVX2.
        Self(unsafe { _mm256_mullo_epi32(self.0, other.0) })
    }

    #[inline(always)]
    fn shr_u32(self, bits: u32) -> Self {
        // SAFETY: `self` was made with a token, which proves AVX2.
        Self(unsafe { _mm256_srlv_epi32(self.0, _mm256_set1_epi32(bits as i32)) })
    }

    #[inline(always)]
    unsafe fn test_bits(table: &[u32], words: Self, bits: Self) -> u64 {
        // SAFETY: the caller promises that each of `words` is an index of `table`, and vectors are
        // made with a token, which proves AVX2. Any 32 bytes are eight numbers.
        unsafe {
            // On Zen 4, a gather takes longer than eight loads: scans with rules for which the pass for
            // literals takes most of the time are 1.02 to 1.13 times as fast with loads, and Intel's
            // microcode against Downfall makes gathers slower still.
            let words = std::mem::transmute::<__m256i, [u32; 8]>(words.0);
            debug_assert!(words.iter().all(|&word| (word as usize) < table.len()));
            // No closure: it need not inherit the instructions.
            macro_rules! word {
                ($lane:literal) => {
                    *table.get_unchecked(words[$lane] as usize) as i32
                };
            }
            let words = _mm256_setr_epi32(
                word!(0),
                word!(1),
                word!(2),
                word!(3),
                word!(4),
                word!(5),
                word!(6),
                word!(7),
            );
            // A shift left by 31 - bit moves the bit to the top, where `movemask` collects it.
            let left = _mm256_andnot_si256(bits.0, _mm256_set1_epi32(31));
            let tops = _mm256_sllv_epi32(words, left);
            u64::from(_mm256_movemask_ps(_mm256_castsi256_ps(tops)) as u32)
        }
    }
}

/// 64 bytes in an AVX-512 register. Only made with an [`Avx512`] token.
#[derive(Clone, Copy)]
struct Avx512Vector(__m512i);

impl Vector for Avx512Vector {
    type Token = Avx512;
    const BYTES: usize = 64;

    #[inline(always)]
    fn load(_: Avx512, bytes: &[u8]) -> Self {
        assert!(bytes.len() >= Self::BYTES);
        // SAFETY: 64 bytes are readable by the assertion; the load may be unaligned. The token
        // proves AVX-512 F.
        Self(unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) })
    }

    #[inline(always)]
    fn broadcast16(_: Avx512, table: &[u8; 16]) -> Self {
        // SAFETY: the table has 16 bytes; the load may be unaligned. The token proves AVX-512 F.
        Self(unsafe { _mm512_broadcast_i32x4(_mm_loadu_si128(table.as_ptr().cast())) })
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        // SAFETY: `self` was made with a token, which proves AVX-512 F.
        Self(unsafe { _mm512_and_si512(self.0, other.0) })
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        // SAFETY: `self` was made with a token, which proves AVX-512 F.
        Self(unsafe { _mm512_or_si512(self.0, other.0) })
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: `self` was made with a token, which proves AVX-512 F.
        Self(unsafe { _mm512_xor_si512(self.0, other.0) })
    }

    #[inline(always)]
    fn low_nibbles(self) -> Self {
        // SAFETY: `self` was made with a token, which proves AVX-512 F.
        Self(unsafe { _mm512_and_si512(self.0, _mm512_set1_epi8(15)) })
    }

    #[inline(always)]
    fn high_nibbles(self) -> Self {
        // There is no shift of bytes; the mask drops the bits that a 16-bit shift moves in from the
        // neighbouring byte.
        // SAFETY: `self` was made with a token, which proves AVX-512 F and BW.
        Self(unsafe { _mm512_and_si512(_mm512_srli_epi16::<4>(self.0), _mm512_set1_epi8(15)) })
    }

    #[inline(always)]
    fn lookup(self, indexes: Self) -> Self {
        // The instruction looks up each quarter in the same quarter of the table, which
        // `broadcast16` made equal.
        // SAFETY: `self` was made with a token, which proves AVX-512 BW.
        Self(unsafe { _mm512_shuffle_epi8(self.0, indexes.0) })
    }

    #[inline(always)]
    fn nonzero_mask(self) -> u64 {
        // SAFETY: `self` was made with a token, which proves AVX-512 BW.
        unsafe { _mm512_test_epi8_mask(self.0, self.0) }
    }

    #[inline(always)]
    fn equal_mask(self, other: Self) -> u64 {
        // SAFETY: `self` was made with a token, which proves AVX-512 BW.
        unsafe { _mm512_cmpeq_epi8_mask(self.0, other.0) }
    }

    #[inline(always)]
    fn broadcast_u32(_: Avx512, number: u32) -> Self {
        // SAFETY: the token proves AVX-512 F.
        Self(unsafe { _mm512_set1_epi32(number as i32) })
    }

    #[inline(always)]
    fn load_windows<const STRIDE: usize>(token: Avx512, bytes: &[u8]) -> Self {
        let bytes = Self::load(token, bytes);
        if STRIDE == 4 {
            return bytes;
        }
        // `vpshufb` does not cross quarters, so each quarter first gets the 16 bytes that its four
        // windows are taken from: those from 32-bit number `quarter * STRIDE` on.
        let s = STRIDE as i32;
        let (a, b, c) = (s, 2 * s, 3 * s);
        // SAFETY: the token proves AVX-512 F.
        let quarters = unsafe {
            #[rustfmt::skip]
            let numbers = _mm512_setr_epi32(
                0, 1, 2, 3,
                a, a + 1, a + 2, a + 3,
                b, b + 1, b + 2, b + 3,
                c, c + 1, c + 2, c + 3,
            );
            _mm512_permutexvar_epi32(numbers, bytes.0)
        };
        Self(quarters).lookup(Self::broadcast16(token, &const { window_shuffle(STRIDE) }))
    }

    #[inline(always)]
    fn mul_u32(self, other: Self) -> Self {
        // SAFETY: `self` was made with a token, which proves AVX-512 F.
        Self(unsafe { _mm512_mullo_epi32(self.0, other.0) })
    }

    #[inline(always)]
    fn shr_u32(self, bits: u32) -> Self {
        // SAFETY: `self` was made with a token, which proves AVX-512 F.
        Self(unsafe { _mm512_srlv_epi32(self.0, _mm512_set1_epi32(bits as i32)) })
    }

    #[inline(always)]
    unsafe fn test_bits(table: &[u32], words: Self, bits: Self) -> u64 {
        // A gather needs a mask of the numbers to load. For a constant mask, compilers emit
        // `kxnorw k0, k0, k1`, which waits for the last instruction that wrote k0: the test of the
        // previous gather's words, so that gathers run one after the other. A comparison that is
        // always true gives each gather a mask that depends on nothing but its own words. (On Zen 4,
        // a pass of q-grams is 1.6 times as fast with it.)
        // SAFETY: the caller promises that each of `words` is an index of `table`, and vectors are
        // made with a token, which proves AVX-512 F.
        unsafe {
            let last = _mm512_set1_epi32((table.len() - 1) as i32);
            let mask = _mm512_cmple_epu32_mask(words.0, last);
            let zeros = _mm512_setzero_si512();
            let words =
                _mm512_mask_i32gather_epi32::<4>(zeros, mask, words.0, table.as_ptr().cast());
            let bits = _mm512_and_si512(bits.0, _mm512_set1_epi32(31));
            let masks = _mm512_sllv_epi32(_mm512_set1_epi32(1), bits);
            u64::from(_mm512_test_epi32_mask(words, masks))
        }
    }
}
