//! The work that every rung does, whatever it crosses to get there.

use std::hint::black_box;
use std::io;

/// A record: what the work is done for.
pub(crate) type Record = [u8; 64];

/// How many records a batch has at most.
pub(crate) const MAX_BATCH: usize = 10_000;

const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// The FNV-1a hash of all bytes of the records, where `seed` is 0.
///
/// It is one chain of multiplications, so that no compiler and no processor does records at the
/// same time, and each costs the same in a batch of any size.
#[inline(never)]
pub(super) fn work(seed: u64, records: &[Record]) -> u64 {
    let step = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(PRIME);
    records.as_flattened().iter().fold(BASIS ^ seed, step)
}

/// As many records as a batch may have, all different.
pub(super) fn records() -> Vec<Record> {
    let record = |i: usize| {
        let mut record: Record = std::array::from_fn(|j| (i + j * 7) as u8);
        record[..4].copy_from_slice(&(i as u32).to_le_bytes());
        record
    };
    (0..MAX_BATCH).map(record).collect()
}

/// A way to have the work done.
pub(super) trait Crossing {
    /// Crosses once, and has the work done for these records, with this seed. It is 0, which no
    /// compiler knows; where the other side is another process, it may be left out.
    fn cross(&mut self, seed: u64, records: &[Record]) -> io::Result<u64>;

    /// Crosses so many times and returns what the last one did. The loop is here so that it is
    /// compiled together with what it calls, and costs nothing that a caller would not pay.
    ///
    /// The seed of each call is made of the answer of the one before, so that no processor does
    /// two calls at the same time.
    fn repeat(&mut self, records: &[Record], calls: u64) -> io::Result<u64> {
        let (mut answer, nothing) = (0, black_box(0));
        for _ in 0..calls {
            answer = self.cross(answer & nothing, black_box(records))?;
        }
        Ok(answer)
    }
}

/// No crossing: a Rust function, called through a pointer so that it is not inlined.
pub(super) struct Plain {
    work: fn(u64, &[Record]) -> u64,
}

impl Plain {
    pub(super) fn new() -> Plain {
        Plain { work: black_box(work) }
    }
}

impl Crossing for Plain {
    fn cross(&mut self, seed: u64, records: &[Record]) -> io::Result<u64> {
        Ok((self.work)(seed, records))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_work_is_fnv_1a() {
        assert_eq!(work(0, &[]), BASIS);
        // By its definition, in numbers that can't overflow.
        let record = *b"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl";
        let mut hash = u128::from(BASIS);
        for byte in record {
            hash = ((hash ^ u128::from(byte)) * u128::from(PRIME)) % (1 << 64);
        }
        assert_eq!(u128::from(work(0, &[record])), hash);
        // The seed comes into it, so that what is called for the seed can't be left out.
        assert_ne!(work(1, &[record]), work(0, &[record]));
    }

    #[test]
    fn records_differ() {
        let records = records();
        let different: std::collections::HashSet<_> = records.iter().collect();
        assert_eq!((records.len(), different.len()), (MAX_BATCH, MAX_BATCH));
    }
}
