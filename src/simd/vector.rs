//! The operations that the vector algorithms use.
//!
//! An algorithm is written once, generic over [`Vector`], as a [`Kernel`]; each instruction set
//! implements [`Vector`] for its registers in a file of its own. The trait has exactly the
//! operations that some kernel calls, as memchr's trait of the same name does, so an additional
//! instruction set is one short file.
//!
//! All operations except [`Vector::test_bits`] are safe. A vector can only be made with a token of
//! its instruction set, and a token only exists where the instructions do, so a caller that holds
//! a vector has the proof already. memchr instead makes every operation `unsafe` and writes the
//! proof at the outermost call; with the proof in the types, the algorithms contain almost no
//! `unsafe`. Tokens have no size, and passing them costs nothing.

/// The size of the largest vector of any instruction set, in bytes.
pub(crate) const MAX_BYTES: usize = 64;

/// A vector register, used as bytes or as little-endian 32-bit numbers.
///
/// Implementations are `#[inline(always)]`, because an operation only compiles to the instruction
/// that it stands for inside a function with the matching `#[target_feature]`. Elsewhere it is
/// sound but slow.
pub(crate) trait Vector: Copy {
    /// The proof that this machine has the instructions. See the tokens of [`Isa`](super::Isa).
    type Token: Copy;
    /// The size of the vector, in bytes: 16, 32 or 64.
    const BYTES: usize;

    /// Loads the first `BYTES` bytes of `bytes`, from any alignment.
    ///
    /// # Panics
    ///
    /// If there are fewer. The check vanishes where the length is known at compile time, as it is
    /// for `&buffer[at..at + V::BYTES]`.
    fn load(token: Self::Token, bytes: &[u8]) -> Self;

    /// Repeats a table of 16 bytes over the whole vector, for [`lookup`](Vector::lookup).
    fn broadcast16(token: Self::Token, table: &[u8; 16]) -> Self;

    /// The bitwise and.
    fn and(self, other: Self) -> Self;

    /// The bitwise or.
    fn or(self, other: Self) -> Self;

    /// The bitwise exclusive or.
    fn xor(self, other: Self) -> Self;

    /// The low four bits of each byte.
    fn low_nibbles(self) -> Self;

    /// The high four bits of each byte, as a number below 16.
    fn high_nibbles(self) -> Self;

    /// Replaces each byte of `indexes` by the entry of `self` with that index. `self` comes from
    /// [`broadcast16`](Vector::broadcast16); an index of 16 or more gives an unspecified byte.
    fn lookup(self, indexes: Self) -> Self;

    /// One bit for each byte, set if the byte is not zero. The first byte has the lowest bit.
    fn nonzero_mask(self) -> u64;

    /// One bit for each byte, set if the byte equals that of `other`. The first byte has the lowest
    /// bit.
    fn equal_mask(self, other: Self) -> u64;

    /// Repeats a 32-bit number over the whole vector.
    fn broadcast_u32(token: Self::Token, number: u32) -> Self;

    /// Loads overlapping windows: the `i`-th 32-bit number gets the four bytes of `bytes` that
    /// start at `i * STRIDE`. `STRIDE` is 1 to 4.
    ///
    /// # Panics
    ///
    /// If `bytes` has fewer than `BYTES` bytes, even where smaller strides read fewer of them.
    fn load_windows<const STRIDE: usize>(token: Self::Token, bytes: &[u8]) -> Self;

    /// Multiplies 32-bit numbers and keeps the low 32 bits of each product.
    fn mul_u32(self, other: Self) -> Self;

    /// Shifts each 32-bit number right by `bits`, which is below 32.
    fn shr_u32(self, bits: u32) -> Self;

    /// Tests one bit of one table word for each 32-bit number: the result has bit `i` set if bit
    /// `bits[i] % 32` of `table[words[i]]` is set.
    ///
    /// # Safety
    ///
    /// Each number of `words` must be an index of `table`. A check would cost about as much as the
    /// rest of the operation, and callers get it for free from how they compute `words`.
    unsafe fn test_bits(table: &[u32], words: Self, bits: Self) -> u64;
}

/// An algorithm over vectors, with its arguments.
///
/// [`Isa::run`](super::Isa::run) compiles it once for each instruction set and runs the version
/// that the [`Isa`](super::Isa) names. The `pulp` crate calls the same idea `WithSimd`.
pub(crate) trait Kernel {
    /// Runs the algorithm with the instructions of `V`.
    ///
    /// Implementations are `#[inline(always)]`, as is everything generic over `V` that they call,
    /// so that all of it is compiled for the instruction set. Closures don't inherit the caller's
    /// instruction set unless the compiler happens to inline them, so the inner loops have none.
    fn run<V: Vector>(self, token: V::Token);

    /// Runs the algorithm without vectors.
    fn run_scalar(self);
}

/// The shuffle of [`Vector::load_windows`] for the 16 bytes that four windows are taken from: byte
/// `j` of window `i` is byte `i * stride + j`.
pub(super) const fn window_shuffle(stride: usize) -> [u8; 16] {
    let mut shuffle = [0; 16];
    let mut index = 0;
    while index < 16 {
        shuffle[index] = (index / 4 * stride + index % 4) as u8;
        index += 1;
    }
    shuffle
}

/// [`Vector::test_bits`] for vectors of 16 bytes: one load per word.
///
/// # Safety
///
/// Each number of `words` must be an index of `table`.
#[inline(always)]
pub(super) unsafe fn test_bits_one_by_one(table: &[u32], words: [u32; 4], bits: [u32; 4]) -> u64 {
    let mut set = 0;
    let mut lane = 0;
    while lane < 4 {
        let word = words[lane] as usize;
        debug_assert!(word < table.len());
        // SAFETY: the caller promises that each of `words` is an index of `table`.
        let word = unsafe { *table.get_unchecked(word) };
        set |= u64::from(word >> (bits[lane] & 31) & 1) << lane;
        lane += 1;
    }
    set
}
