//! The operations on words of streams.
//!
//! Each is a loop over slices of equal length, which the compiler vectorizes. No intrinsics: these
//! loops are simple enough, and running them as a [`Kernel`] compiles them for each instruction
//! set.

use crate::simd::{Kernel, Vector};

/// The number of bits of a word.
pub(super) const BITS: usize = 64;

/// An operation that makes the words of one stream from those of up to two others, `a` and `b`.
#[derive(Clone, Copy, Debug)]
pub(super) enum WordOp {
    /// `a` without `b`.
    AndNot,
    /// `a` or `b`, not both.
    Xor,
    /// `a` and `b`, or neither.
    Xnor,
    /// `a` moved forward by this many bits, and `b`.
    Advance(u32),
    /// `a`, or the result of `Advance`.
    Extend(u32),
    /// `a` or `b`.
    Or,
    /// `a` moved forward by one bit.
    Next,
    /// `a`, and for each of its bits those after it up to the end of the run of ones in `b`.
    Star,
}

/// One operation with its arguments. The first word of each slice is the last one of the previous
/// piece, from which bits advance into this piece; the output is written from the second word on.
pub(super) struct Combine<'a> {
    pub(super) op: WordOp,
    pub(super) out: &'a mut [u64],
    /// `a` and `b`, at least as long as `out`.
    pub(super) sources: [&'a [u64]; 2],
    /// The carry of `Star` from one piece to the next.
    pub(super) carry: &'a mut bool,
}

impl Combine<'_> {
    #[inline(always)]
    fn combine(self) {
        let Combine { op, out, sources, carry } = self;
        let len = out.len();
        let [a, b] = sources.map(|source| &source[..len]);
        match op {
            WordOp::Advance(by) => {
                if by == 0 {
                    for i in 1..len {
                        out[i] = a[i] & b[i];
                    }
                    return;
                }
                for i in 1..len {
                    out[i] = (a[i] << by | a[i - 1] >> (BITS as u32 - by)) & b[i];
                }
            }
            WordOp::Extend(by) => {
                for i in 1..len {
                    out[i] = a[i] | (a[i] << by | a[i - 1] >> (BITS as u32 - by)) & b[i];
                }
            }
            WordOp::Or => {
                for i in 1..len {
                    out[i] = a[i] | b[i];
                }
            }
            WordOp::Next => {
                for i in 1..len {
                    out[i] = a[i] << 1 | a[i - 1] >> 63;
                }
            }
            WordOp::AndNot => {
                for i in 1..len {
                    out[i] = a[i] & !b[i];
                }
            }
            WordOp::Xor => {
                for i in 1..len {
                    out[i] = a[i] ^ b[i];
                }
            }
            WordOp::Xnor => {
                for i in 1..len {
                    out[i] = !(a[i] ^ b[i]);
                }
            }
            WordOp::Star => {
                for i in 1..len {
                    // Adding a bit inside a run of ones flips all bits from there to the first one
                    // after the run. The bits of the run that were flipped are those to set.
                    let first = (a[i] << 1 | a[i - 1] >> 63) & b[i];
                    let (sum, over) = first.overflowing_add(b[i]);
                    let (sum, more) = sum.overflowing_add(u64::from(*carry));
                    *carry = over | more;
                    out[i] = a[i] | ((sum ^ b[i]) | first) & b[i];
                }
            }
        }
    }
}

impl Kernel for Combine<'_> {
    #[inline(always)]
    fn run<V: Vector>(self, _: V::Token) {
        self.combine();
    }

    fn run_scalar(self) {
        self.combine();
    }
}
