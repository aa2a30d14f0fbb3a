//! NEON.

use std::arch::aarch64::*;
use std::ops::Range;

use super::super::grams::{self, Table};
use super::super::index::Hits;
use super::super::runs;
use super::super::teddy::{self, Masks};
use super::{MAX_BYTES, Vector, pattern, test_each};

/// # Safety
///
/// The machine must have NEON.
#[target_feature(enable = "neon")]
pub(super) unsafe fn teddy_neon<const LEN: usize, const HALVES: usize>(
    masks: &[Masks; teddy::WINDOW],
    buffer: &[u8],
    range: Range<usize>,
    check: &mut impl FnMut(&[Hits]),
) {
    // SAFETY: the caller promises the instructions.
    unsafe { teddy::find::<uint8x16_t, LEN, HALVES>(masks, buffer, range, check) }
}

/// # Safety
///
/// The machine must have NEON.
#[target_feature(enable = "neon")]
pub(super) unsafe fn grams_neon<const STRIDE: usize>(
    table: &Table,
    buffer: &[u8],
    range: Range<usize>,
    check: &mut impl FnMut(&[Hits]),
) {
    // SAFETY: the caller promises the instructions.
    unsafe { grams::find::<uint8x16_t, STRIDE>(table, buffer, range, check) }
}

/// # Safety
///
/// The machine must have NEON.
#[target_feature(enable = "neon")]
pub(super) unsafe fn class_bits_neon<const HALVES: usize>(
    masks: &Masks,
    buffer: &[u8],
    range: Range<usize>,
    word: &mut impl FnMut(usize, u64, usize),
) {
    // SAFETY: the caller promises the instructions.
    unsafe { runs::class_bits::<uint8x16_t, HALVES>(masks, buffer, range, word) }
}

// SAFETY of all that follows: the trait's functions are called from the entries above alone,
// whose callers promise the instructions. Loads read as many bytes as a slice was checked to have, and
// stores write to an array of the largest vector's size.

impl Vector for uint8x16_t {
    const BYTES: usize = 16;

    #[inline(always)]
    unsafe fn load(bytes: &[u8]) -> Self {
        debug_assert!(bytes.len() >= Self::BYTES);
        // SAFETY: see above.
        unsafe { vld1q_u8(bytes.as_ptr()) }
    }

    #[inline(always)]
    unsafe fn repeat(table: &[u8; 16]) -> Self {
        // SAFETY: see above.
        unsafe { vld1q_u8(table.as_ptr()) }
    }

    #[inline(always)]
    unsafe fn and(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { vandq_u8(self, other) }
    }

    #[inline(always)]
    unsafe fn or(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { vorrq_u8(self, other) }
    }

    #[inline(always)]
    unsafe fn low_nibbles(self) -> Self {
        // SAFETY: see above.
        unsafe { vandq_u8(self, vdupq_n_u8(15)) }
    }

    #[inline(always)]
    unsafe fn high_nibbles(self) -> Self {
        // SAFETY: see above.
        unsafe { vshrq_n_u8::<4>(self) }
    }

    #[inline(always)]
    unsafe fn lookup(self, indexes: Self) -> Self {
        // SAFETY: see above.
        unsafe { vqtbl1q_u8(self, indexes) }
    }

    #[inline(always)]
    unsafe fn nonzero(self) -> u64 {
        // Narrowing by four bits leaves a nibble for each byte, as in memchr's NEON code; most
        // vectors have none set, and the others are few enough to be taken apart.
        // SAFETY: see above.
        let nibbles = unsafe {
            let set = vtstq_u8(self, self);
            let narrow = vshrn_n_u16::<4>(vreinterpretq_u16_u8(set));
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

    #[inline(always)]
    unsafe fn store(self) -> [u8; MAX_BYTES] {
        let mut bytes = [0; MAX_BYTES];
        // SAFETY: see above.
        unsafe { vst1q_u8(bytes.as_mut_ptr(), self) };
        bytes
    }

    #[inline(always)]
    unsafe fn splat(number: u32) -> Self {
        // SAFETY: see above.
        unsafe { vreinterpretq_u8_u32(vdupq_n_u32(number)) }
    }

    #[inline(always)]
    unsafe fn spread<const STRIDE: usize>(bytes: &[u8]) -> Self {
        // SAFETY: see above.
        unsafe { Self::load(bytes).lookup(Self::repeat(&const { pattern(STRIDE) })) }
    }

    #[inline(always)]
    unsafe fn multiply(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe {
            let (a, b) = (vreinterpretq_u32_u8(self), vreinterpretq_u32_u8(other));
            vreinterpretq_u8_u32(vmulq_u32(a, b))
        }
    }

    #[inline(always)]
    unsafe fn shift(self, bits: u32) -> Self {
        // SAFETY: see above. A shift left by a negative number is one right.
        unsafe {
            let left = vdupq_n_s32(-(bits as i32));
            vreinterpretq_u8_u32(vshlq_u32(vreinterpretq_u32_u8(self), left))
        }
    }

    #[inline(always)]
    unsafe fn test(table: &[u32], words: Self, bits: Self) -> u64 {
        // SAFETY: the caller promises that the words are there.
        unsafe { test_each(table, words, bits) }
    }
}
