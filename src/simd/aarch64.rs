//! NEON of 64-bit ARM, little-endian.
//!
//! The vector is a private wrapper of the register type. Its constructors take the token, and all
//! other operations start from a vector, so each `unsafe` block below rests on the same fact: the
//! token proves that the machine has NEON. Big-endian machines would need other table layouts and
//! run without vectors.

use std::arch::aarch64::*;

use super::vector::{Kernel, Vector, test_bits_one_by_one, window_shuffle};

/// Proves that this machine has NEON.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Neon(());

impl Neon {
    pub(super) fn new() -> Option<Neon> {
        std::arch::is_aarch64_feature_detected!("neon").then_some(Neon(()))
    }

    /// Runs `kernel`, compiled for NEON.
    pub(super) fn run(self, kernel: impl Kernel) {
        #[target_feature(enable = "neon")]
        fn run(token: Neon, kernel: impl Kernel) {
            kernel.run::<NeonVector>(token);
        }
        // SAFETY: `self` proves NEON.
        unsafe { run(self, kernel) }
    }
}

/// 16 bytes in a NEON register. Only made with a [`Neon`] token.
#[derive(Clone, Copy)]
struct NeonVector(uint8x16_t);

impl Vector for NeonVector {
    type Token = Neon;
    const BYTES: usize = 16;

    #[inline(always)]
    fn load(_: Neon, bytes: &[u8]) -> Self {
        assert!(bytes.len() >= Self::BYTES);
        // SAFETY: 16 bytes are readable by the assertion, and bytes need no alignment. The token
        // proves NEON.
        Self(unsafe { vld1q_u8(bytes.as_ptr()) })
    }

    #[inline(always)]
    fn broadcast16(_: Neon, table: &[u8; 16]) -> Self {
        // SAFETY: the table has 16 bytes, which need no alignment. The token proves NEON.
        Self(unsafe { vld1q_u8(table.as_ptr()) })
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        // SAFETY: `self` was made with a token, which proves NEON.
        Self(unsafe { vandq_u8(self.0, other.0) })
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        // SAFETY: `self` was made with a token, which proves NEON.
        Self(unsafe { vorrq_u8(self.0, other.0) })
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: `self` was made with a token, which proves NEON.
        Self(unsafe { veorq_u8(self.0, other.0) })
    }

    #[inline(always)]
    fn low_nibbles(self) -> Self {
        // SAFETY: `self` was made with a token, which proves NEON.
        Self(unsafe { vandq_u8(self.0, vdupq_n_u8(15)) })
    }

    #[inline(always)]
    fn high_nibbles(self) -> Self {
        // SAFETY: `self` was made with a token, which proves NEON.
        Self(unsafe { vshrq_n_u8::<4>(self.0) })
    }

    #[inline(always)]
    fn lookup(self, indexes: Self) -> Self {
        // SAFETY: `self` was made with a token, which proves NEON.
        Self(unsafe { vqtbl1q_u8(self.0, indexes.0) })
    }

    #[inline(always)]
    fn nonzero_mask(self) -> u64 {
        // SAFETY: `self` was made with a token, which proves NEON.
        byte_mask(unsafe { Self(vtstq_u8(self.0, self.0)) })
    }

    #[inline(always)]
    fn equal_mask(self, other: Self) -> u64 {
        // SAFETY: `self` was made with a token, which proves NEON.
        byte_mask(unsafe { Self(vceqq_u8(self.0, other.0)) })
    }

    #[inline(always)]
    fn broadcast_u32(_: Neon, number: u32) -> Self {
        // SAFETY: the token proves NEON.
        Self(unsafe { vreinterpretq_u8_u32(vdupq_n_u32(number)) })
    }

    #[inline(always)]
    fn load_windows<const STRIDE: usize>(token: Neon, bytes: &[u8]) -> Self {
        let shuffle = Self::broadcast16(token, &const { window_shuffle(STRIDE) });
        Self::load(token, bytes).lookup(shuffle)
    }

    #[inline(always)]
    fn mul_u32(self, other: Self) -> Self {
        // SAFETY: `self` was made with a token, which proves NEON.
        Self(unsafe {
            let (a, b) = (vreinterpretq_u32_u8(self.0), vreinterpretq_u32_u8(other.0));
            vreinterpretq_u8_u32(vmulq_u32(a, b))
        })
    }

    #[inline(always)]
    fn shr_u32(self, bits: u32) -> Self {
        // A shift right by a variable is a shift left by its negative.
        // SAFETY: `self` was made with a token, which proves NEON.
        Self(unsafe {
            let left = vdupq_n_s32(-(bits as i32));
            vreinterpretq_u8_u32(vshlq_u32(vreinterpretq_u32_u8(self.0), left))
        })
    }

    #[inline(always)]
    unsafe fn test_bits(table: &[u32], words: Self, bits: Self) -> u64 {
        // SAFETY: the caller promises that each of `words` is an index of `table`. Any 16 bytes
        // are four numbers.
        unsafe {
            let words = std::mem::transmute::<uint8x16_t, [u32; 4]>(words.0);
            let bits = std::mem::transmute::<uint8x16_t, [u32; 4]>(bits.0);
            test_bits_one_by_one(table, words, bits)
        }
    }
}

/// One bit for each byte of `set`, all of which are `00` or `FF`.
///
/// NEON has no `movemask`. Narrowing by four bits leaves a nibble for each byte, as in memchr's
/// NEON code. Most vectors have no byte set, and those that do have few, so the loop that compresses
/// nibbles to bits is cheap.
#[inline(always)]
fn byte_mask(set: NeonVector) -> u64 {
    // SAFETY: `set` was made with a token, which proves NEON.
    let nibbles = unsafe {
        let narrow = vshrn_n_u16::<4>(vreinterpretq_u16_u8(set.0));
        vget_lane_u64::<0>(vreinterpret_u64_u8(narrow))
    };
    let mut bits = 0;
    let mut rest = nibbles & 0x1111_1111_1111_1111;
    while rest != 0 {
        bits |= 1 << (rest.trailing_zeros() / 4);
        rest &= rest - 1;
    }
    bits
}
