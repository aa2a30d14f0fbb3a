//! The call into C that scans records.
//!
//! [`BlockScan`] is the only caller of `dragnet_hs_scan`. One call scans as many records as the
//! buffer of matches has room for, usually all records of a batch, and returns where to resume.
//! So Rust and C exchange flat arrays that the caller owns, C calls nothing in Rust, and memory
//! stays bounded however many matches there are.
//!
//! The price of a bounded buffer is one more call for every [`MAX_BLOCK`] matches, which is small
//! compared to the cost of finding and handling them.

use std::ffi::c_int;
use std::ops::Range;

use super::layout::{DONE, FULL, STOPPED};
use super::objects::{Database, Scratch};
use super::raw;
use super::records::PaddedRecords;
use crate::scan::MAX_BLOCK;
use crate::{Match, StopFlag};

/// Why a scan ended before its last record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScanFailure {
    /// The stop flag was raised.
    Stopped,
    /// libhs returned this error code.
    Libhs(c_int),
}

/// Makes the buffer of a [`BlockScan`] over databases of this many expressions in all.
///
/// C stops before a record that might not fit, and one record has at most one match per expression.
/// So with room for that many matches beyond a block, every call but the last returns at least a
/// block.
pub(super) fn block_buffer(expression_count: usize) -> Vec<Match> {
    Vec::with_capacity(MAX_BLOCK + expression_count)
}

/// A scan that returns its matches block by block.
pub(super) struct BlockScan<'a> {
    pub(super) databases: &'a [Database],
    /// The number of expressions in all databases: the most matches that a record can have.
    pub(super) expression_count: usize,
    /// Must be allocated for all of `databases`.
    pub(super) scratch: &'a mut Scratch,
    pub(super) stop: &'a StopFlag,
    /// Holds the matches of the current block; see [`block_buffer`].
    pub(super) buffer: &'a mut Vec<Match>,
    pub(super) records: PaddedRecords<'a>,
    /// The first record that is not scanned yet, counted from the first of `records`.
    pub(super) next: u32,
}

/// A range of records, and all pairs of a record and a pattern that match in it.
pub(super) struct Block<'a> {
    /// Indexes in the batch. Not empty.
    pub(super) records: Range<u32>,
    /// Ordered by record, in no particular order within a record. None has a span.
    pub(super) pairs: &'a mut Vec<Match>,
}

impl BlockScan<'_> {
    /// Scans the next records, and returns `None` if there are no more.
    ///
    /// # Errors
    ///
    /// The records of this call are then lost. The scan must not be continued.
    pub(super) fn next_block(&mut self) -> Result<Option<Block<'_>>, ScanFailure> {
        // The cast is lossless: a batch has fewer than 2^32 records.
        let end = self.records.len() as u32;
        let first = self.next;
        if first == end {
            return Ok(None);
        }
        loop {
            match self.call(end) {
                FULL if self.next == first => {
                    // The first record has more matches than the buffer has room for. With a buffer
                    // of `block_buffer` this happens only if libhs reports a pattern twice.
                    self.buffer.reserve_exact(self.buffer.capacity().saturating_mul(2).max(1));
                }
                DONE | FULL => break,
                STOPPED => return Err(ScanFailure::Stopped),
                code => return Err(ScanFailure::Libhs(code)),
            }
        }
        let base = self.records.base();
        Ok(Some(Block { records: base + first..base + self.next, pairs: self.buffer }))
    }

    /// Scans records up to before `end`, replaces the contents of the buffer by their matches,
    /// advances `next`, and returns the status.
    fn call(&mut self, end: u32) -> c_int {
        assert!(end as usize <= self.records.len());
        self.buffer.clear();
        let spare = self.buffer.spare_capacity_mut();
        let mut count = 0;
        // SAFETY:
        // - Each database is valid while it is borrowed, and libhs lets any number of threads scan
        //   with it. The scratch was allocated for all of them, as the field demands, and is
        //   borrowed mutably, so no other scan uses it.
        // - C reads the offsets up to index `end`, which exist: there is one more offset than there
        //   are records. `PaddedRecords` guarantees that offsets ascend, that the terminator fits
        //   between two of them, and that each record and `PADDING` bytes after it are in `buffer`.
        // - `stop` keeps its byte alive during the call. C reads that byte atomically.
        // - `spare` has room for as many matches as the call says. C writes only whole matches, of
        //   the layout that `layout` asserts.
        // - `next` and `count` are borrowed mutably for the call, and C keeps no pointer.
        let status = unsafe {
            raw::dragnet_hs_scan(
                Database::as_pointers(self.databases),
                self.databases.len(),
                self.scratch.as_ptr(),
                self.records.buffer().as_ptr(),
                self.records.offsets().as_ptr(),
                self.records.terminator(),
                self.records.base(),
                &mut self.next,
                end,
                self.stop.as_ptr(),
                spare.as_mut_ptr().cast(),
                spare.len(),
                self.expression_count,
                &mut count,
            )
        };
        // SAFETY: C has initialized the first `count` matches of the spare capacity.
        unsafe { self.buffer.set_len(count) };
        status
    }
}
