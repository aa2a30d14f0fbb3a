//! The work that every rung does, and the interface through which it is done.

use std::hint::black_box;
use std::io;

/// A record: the input of the work.
pub(crate) type Record = [u8; 64];

/// The batch sizes that are measured, in records.
pub(crate) const BATCHES: [usize; 5] = [1, 10, 100, 1_000, MAX_BATCH];

/// Number of records in the largest batch.
pub(super) const MAX_BATCH: usize = 10_000;

/// The FNV-1a hash of no bytes.
pub(super) const EMPTY_HASH: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// Continues an FNV-1a hash with these bytes.
pub(super) fn hash(hash: u64, bytes: &[u8]) -> u64 {
    let step = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(PRIME);
    bytes.iter().fold(hash, step)
}

/// Returns the FNV-1a hash of all bytes of the records, if `seed` is 0.
///
/// It is one chain of dependent multiplications. So neither the compiler nor the processor can work on
/// two records at once, and a record takes the same time in a batch of any size.
#[inline(never)]
pub(super) fn work(seed: u64, records: &[Record]) -> u64 {
    hash(EMPTY_HASH ^ seed, records.as_flattened())
}

/// Returns the records of the largest batch. All differ, because each starts with its number.
pub(super) fn records() -> Vec<Record> {
    let record = |i: usize| {
        let mut record: Record = std::array::from_fn(|j| (i + j * 7) as u8);
        record[..NUMBER_LEN].copy_from_slice(&(i as u32).to_le_bytes());
        record
    };
    (0..MAX_BATCH).map(record).collect()
}

/// The length of the number at the start of a record.
const NUMBER_LEN: usize = size_of::<u32>();

/// Returns whether this is the first of the [`records`], or the empty record of a call without records.
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only the sidecar needs it"))]
pub(super) fn is_first(record: &[u8]) -> bool {
    record.iter().take(NUMBER_LEN).all(|&byte| byte == 0)
}

/// A way to have the work done across a boundary.
pub(super) trait Crossing {
    /// Crosses the boundary once and does the work for these records.
    ///
    /// The seed is always 0, but the compiler can't know this, so it can't compute the work in advance.
    /// A crossing to another process may ignore the seed.
    fn cross(&mut self, seed: u64, records: &[Record]) -> io::Result<u64>;

    /// Crosses the boundary `calls` times and returns the last answer.
    ///
    /// This is a provided method so that the loop is compiled together with each `cross`, without a
    /// virtual call per crossing. The seed of each call depends on the previous answer, so that the
    /// processor can't overlap two calls.
    fn repeat(&mut self, records: &[Record], calls: u64) -> io::Result<u64> {
        let (mut answer, zero) = (0, black_box(0));
        for _ in 0..calls {
            answer = self.cross(answer & zero, black_box(records))?;
        }
        Ok(answer)
    }
}

/// No boundary: a Rust function, called through a pointer so that it is not inlined.
pub(super) struct RustCall {
    work: fn(u64, &[Record]) -> u64,
}

impl RustCall {
    pub(super) fn new() -> RustCall {
        RustCall { work: black_box(work) }
    }
}

impl Crossing for RustCall {
    fn cross(&mut self, seed: u64, records: &[Record]) -> io::Result<u64> {
        Ok((self.work)(seed, records))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_fnv_1a() {
        assert_eq!(work(0, &[]), EMPTY_HASH);
        // By the definition, in numbers that can't overflow.
        let record = *b"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl";
        let mut hash = u128::from(EMPTY_HASH);
        for byte in record {
            hash = ((hash ^ u128::from(byte)) * u128::from(PRIME)) % (1 << 64);
        }
        assert_eq!(u128::from(work(0, &[record])), hash);
        // The answer depends on the seed, so a crossing that computes the seed can't be optimized away.
        assert_ne!(work(1, &[record]), work(0, &[record]));
    }

    #[test]
    fn records_differ() {
        let records = records();
        let different: std::collections::HashSet<_> = records.iter().collect();
        assert_eq!((records.len(), different.len()), (MAX_BATCH, MAX_BATCH));
    }

    #[test]
    fn only_the_first_record_is_first() {
        let records = records();
        assert!(is_first(&records[0]) && is_first(b""));
        assert!(!records[1..].iter().any(|record| is_first(record)));
    }
}
