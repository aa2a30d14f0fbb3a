//! Finds the line ends of a buffer.
//!
//! An iterator of memchr finds one line end after the other. For each one it starts anew and
//! branches on where it is, which is unpredictable: for lines of 30 bytes that takes longer than a
//! scan for a thousand literals. Here, vectors compare 64 bytes with `\n`, and the bits of the result
//! become offsets as in simdjson (Langdale and Lemire, "Parsing Gigabytes of JSON per Second", VLDB
//! Journal 28, 2019): a few offsets are always stored, whether there are as many or not, and the
//! length advances by the number of bits, so that hardly any branch depends on the text.
//!
//! GB/s on Zen 4 with AVX-512, within the cache, and those of memchr:
//!
//! | average line | here | memchr |
//! | --- | --- | --- |
//! | 6 bytes | 5.5 | 1.4 |
//! | 30 bytes (subtitles) | 15.7 | 3.1 |
//! | 130 bytes (logs) | 21 | 16 |
//! | 2,400 bytes | 68 | 73 |

use crate::simd::{Isa, Kernel, Vector};

/// The number of bytes that are skipped together if there is no line end among them. Long lines have
/// many such blocks and other lines hardly any, so the branch is predictable.
const BLOCK: usize = 256;
/// The number of offsets that are stored at once. Most words of 64 bytes have fewer line ends. With 4,
/// lines of 6 bytes are 10% faster and lines of 30 to 130 bytes 10% slower.
const STEP: usize = 3;
/// The number of offsets from which on they are moved to the list.
const FULL: usize = 256;

/// Appends the position after each `\n` of `buffer`, which has at most `u32::MAX` bytes, to `offsets`,
/// with the instructions of `isa`.
pub(super) fn append(isa: Isa, buffer: &[u8], offsets: &mut Vec<u32>) {
    isa.run(LineEnds { buffer, offsets });
}

struct LineEnds<'a> {
    buffer: &'a [u8],
    offsets: &'a mut Vec<u32>,
}

impl Kernel for LineEnds<'_> {
    #[inline(always)]
    fn run<V: Vector>(self, token: V::Token) {
        let LineEnds { buffer, offsets } = self;
        let line_end = V::broadcast_u32(token, u32::from_ne_bytes([b'\n'; 4]));
        let mut stored = [0; FULL + BLOCK + STEP];
        let mut count = 0;
        let mut at = 0;
        while at < buffer.len() {
            let mut rest;
            let block = match buffer.get(at..at + BLOCK) {
                Some(block) => block,
                None => {
                    // The end of the buffer, extended by zeros.
                    rest = [0; BLOCK];
                    rest[..buffer.len() - at].copy_from_slice(&buffer[at..]);
                    &rest
                }
            };
            let mut words = [0; BLOCK / 64];
            let mut first = 0;
            while first < BLOCK {
                let vector = V::load(token, &block[first..first + V::BYTES]);
                words[first / 64] |= vector.equal_mask(line_end) << (first % 64);
                first += V::BYTES;
            }
            if words[0] | words[1] | words[2] | words[3] == 0 {
                at += BLOCK;
                continue;
            }
            for mut bits in words {
                // Always stores a multiple of `STEP` offsets; those after the last bit are garbage
                // that the next word overwrites.
                let end = count + bits.count_ones() as usize;
                let after = at as u32 + 1;
                while count < end {
                    for offset in &mut stored[count..count + STEP] {
                        *offset = after.wrapping_add(bits.trailing_zeros());
                        bits &= bits.wrapping_sub(1);
                    }
                    count += STEP;
                }
                count = end;
                at += 64;
            }
            if count >= FULL {
                offsets.extend_from_slice(&stored[..count]);
                count = 0;
            }
        }
        offsets.extend_from_slice(&stored[..count]);
    }

    fn run_scalar(self) {
        self.offsets.extend(memchr::memchr_iter(b'\n', self.buffer).map(|at| at as u32 + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(buffer: &[u8]) {
        let ends = buffer.iter().zip(1u32..).filter(|&(&byte, _)| byte == b'\n');
        let expected: Vec<u32> = std::iter::once(7).chain(ends.map(|(_, after)| after)).collect();
        for isa in Isa::available() {
            let mut offsets = vec![7];
            append(isa, buffer, &mut offsets);
            assert_eq!(offsets, expected, "{isa}, {buffer:?}");
        }
    }

    #[test]
    fn line_ends_are_found_around_every_edge() {
        for len in 0..=3 * BLOCK {
            check(&vec![b'\n'; len]);
            for at in 0..len {
                let mut buffer = vec![0x0B; len];
                buffer[at] = b'\n';
                check(&buffer);
            }
        }
    }

    #[test]
    fn line_ends_of_any_density_are_found() {
        for distance in 1..200 {
            let buffer: Vec<u8> =
                (0..4096).map(|at| if at % distance == 0 { b'\n' } else { b'a' }).collect();
            check(&buffer);
        }
    }
}
