//! The 128-bit vectors of WebAssembly.
//!
//! A WebAssembly module with instructions that its host lacks does not load, so there is nothing
//! to detect at run time: this file is compiled only if the whole module is compiled with
//! `simd128`, and the token always exists. It is there so that all instruction sets look alike.

use std::arch::wasm32::*;

use super::vector::{Kernel, Vector, test_bits_one_by_one, window_shuffle};

/// Proves that this module was compiled with `simd128`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Simd128(());

impl Simd128 {
    /// Never `None`; an `Option` as for all other tokens.
    pub(super) fn new() -> Option<Simd128> {
        Some(Simd128(()))
    }

    /// Runs `kernel`. No `#[target_feature]`: the whole module has the instructions.
    pub(super) fn run(self, kernel: impl Kernel) {
        kernel.run::<Simd128Vector>(self);
    }
}

/// 16 bytes in a `v128`.
#[derive(Clone, Copy)]
struct Simd128Vector(v128);

impl Vector for Simd128Vector {
    type Token = Simd128;
    const BYTES: usize = 16;

    #[inline(always)]
    fn load(_: Simd128, bytes: &[u8]) -> Self {
        assert!(bytes.len() >= Self::BYTES);
        // SAFETY: 16 bytes are readable by the assertion; the load may be unaligned.
        Self(unsafe { v128_load(bytes.as_ptr().cast()) })
    }

    #[inline(always)]
    fn broadcast16(_: Simd128, table: &[u8; 16]) -> Self {
        // SAFETY: the table has 16 bytes; the load may be unaligned.
        Self(unsafe { v128_load(table.as_ptr().cast()) })
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Self(v128_and(self.0, other.0))
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        Self(v128_or(self.0, other.0))
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        Self(v128_xor(self.0, other.0))
    }

    #[inline(always)]
    fn low_nibbles(self) -> Self {
        Self(v128_and(self.0, u8x16_splat(15)))
    }

    #[inline(always)]
    fn high_nibbles(self) -> Self {
        Self(u8x16_shr(self.0, 4))
    }

    #[inline(always)]
    fn lookup(self, indexes: Self) -> Self {
        Self(u8x16_swizzle(self.0, indexes.0))
    }

    #[inline(always)]
    fn nonzero_mask(self) -> u64 {
        u64::from(u8x16_bitmask(u8x16_ne(self.0, u8x16_splat(0))))
    }

    #[inline(always)]
    fn equal_mask(self, other: Self) -> u64 {
        u64::from(u8x16_bitmask(u8x16_eq(self.0, other.0)))
    }

    #[inline(always)]
    fn broadcast_u32(_: Simd128, number: u32) -> Self {
        Self(u32x4_splat(number))
    }

    #[inline(always)]
    fn load_windows<const STRIDE: usize>(token: Simd128, bytes: &[u8]) -> Self {
        let shuffle = Self::broadcast16(token, &const { window_shuffle(STRIDE) });
        Self::load(token, bytes).lookup(shuffle)
    }

    #[inline(always)]
    fn mul_u32(self, other: Self) -> Self {
        Self(i32x4_mul(self.0, other.0))
    }

    #[inline(always)]
    fn shr_u32(self, bits: u32) -> Self {
        Self(u32x4_shr(self.0, bits))
    }

    #[inline(always)]
    unsafe fn test_bits(table: &[u32], words: Self, bits: Self) -> u64 {
        // SAFETY: the caller promises that each of `words` is an index of `table`. Any 16 bytes
        // are four numbers.
        unsafe {
            let words = std::mem::transmute::<v128, [u32; 4]>(words.0);
            let bits = std::mem::transmute::<v128, [u32; 4]>(bits.0);
            test_bits_one_by_one(table, words, bits)
        }
    }
}
