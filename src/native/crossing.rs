//! The call into C: a whole batch for each, with all that must hold for it in one place.

use std::ops::Range;

use super::contract::{BROKEN, DONE, FULL, STOPPED};
use super::objects::{Database, Scratch};
use super::raw;
use crate::batch::PADDING;
use crate::scan::MAX_BLOCK;
use crate::{Batch, Match, StopFlag};

/// Memory for the records at a buffer's end that is kept from one scan to the next. One long
/// record would hold on to more than the usual scan needs.
const KEPT: usize = 1 << 20;

/// Why a call did not get to the last record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfinished {
    /// The flag was raised.
    Stopped,
    /// The callback ended it.
    Broken,
    /// An error code of libhs.
    Failed(i32),
}

/// Appends to `out` which patterns of `databases` match in the `records` of `flat`, which are
/// reported with `base` added to their number. Ordered by record, in no order within one.
///
/// `scratch` was made for these databases, and each of the records has `PADDING` readable bytes
/// behind it ([`Flat::readable`]). It starts with room for `room` matches and takes more as
/// needed. Whatever `out` holds after an error are complete records.
#[expect(clippy::too_many_arguments, reason = "they are what C needs, and it keeps nothing")]
pub(super) fn cross(
    databases: &[Database],
    scratch: &mut Scratch,
    flat: Flat<'_>,
    records: Range<u32>,
    base: u32,
    stop: &StopFlag,
    mut room: usize,
    out: &mut Vec<Match>,
) -> Result<(), Unfinished> {
    assert!(records.end as usize <= flat.readable(), "C would read past the buffer");
    let mut next = records.start;
    while next < records.end {
        out.reserve(room);
        let spare = out.spare_capacity_mut();
        let mut count = 0;
        // SAFETY:
        // - The databases are valid and shared, which libhs allows; the scratch was allocated
        //   for all of them, and is borrowed for this scan alone.
        // - `records` are records of `flat`, so `records.end + 1` offsets can be read; each less
        //   the terminator is at least its predecessor and within the buffer, and behind each
        //   record there are `PADDING` more bytes in the buffer, as was just asserted.
        // - The flag outlives the call, since `stop` holds on to it; C reads it atomically.
        // - `spare` is as long as the call is told, and C writes only whole matches to it, whose
        //   layout is asserted in `contract`; any bits are a valid match.
        let status = unsafe {
            raw::dragnet_hs_scan(
                Database::as_pointers(databases),
                databases.len(),
                scratch.as_ptr(),
                flat.buffer.as_ptr(),
                flat.offsets.as_ptr(),
                flat.terminator,
                base,
                &mut next,
                records.end,
                stop.as_ptr(),
                spare.as_mut_ptr().cast(),
                spare.len(),
                &mut count,
            )
        };
        // SAFETY: C has written the first `count` of the spare matches, and no more.
        unsafe { out.set_len(out.len() + count) };
        match status {
            DONE => debug_assert_eq!(next, records.end),
            // A record is reported as a whole or not at all, so one with many matches needs more
            // room than was left. Doubling gets there.
            FULL => room = room.saturating_mul(2),
            STOPPED => return Err(Unfinished::Stopped),
            code => return Err(Unfinished::Failed(code)),
        }
    }
    Ok(())
}

/// As [`cross`], but C calls back with `handle` for each block of matches, which lie in `block`
/// until then. There is room for one record's matches at least, `most`, and more is taken as
/// needed.
#[expect(clippy::too_many_arguments, reason = "they are what C needs, and it keeps nothing")]
pub(super) fn cross_blocks(
    databases: &[Database],
    scratch: &mut Scratch,
    flat: Flat<'_>,
    records: Range<u32>,
    base: u32,
    stop: &StopFlag,
    most: usize,
    block: &mut Vec<Match>,
    handle: u64,
) -> Result<(), Unfinished> {
    assert!(records.end as usize <= flat.readable(), "C would read past the buffer");
    block.clear();
    block.reserve_exact(most.max(MAX_BLOCK));
    let mut next = records.start;
    while next < records.end {
        let spare = block.spare_capacity_mut();
        // SAFETY: as in `cross`; and nothing here uses `block` while C runs, which lends the
        // callback only matches that it has written.
        let status = unsafe {
            raw::dragnet_hs_scan_blocks(
                Database::as_pointers(databases),
                databases.len(),
                scratch.as_ptr(),
                flat.buffer.as_ptr(),
                flat.offsets.as_ptr(),
                flat.terminator,
                base,
                &mut next,
                records.end,
                stop.as_ptr(),
                spare.as_mut_ptr().cast(),
                spare.len(),
                most,
                handle,
            )
        };
        match status {
            DONE => debug_assert_eq!(next, records.end),
            FULL => block.reserve_exact(block.capacity().saturating_mul(2)),
            STOPPED => return Err(Unfinished::Stopped),
            BROKEN => return Err(Unfinished::Broken),
            code => return Err(Unfinished::Failed(code)),
        }
    }
    Ok(())
}

/// Records as C gets them. Unlike in a batch, the buffer may have any length.
#[derive(Clone, Copy)]
pub(super) struct Flat<'a> {
    buffer: &'a [u8],
    offsets: &'a [u32],
    terminator: u32,
}

impl<'a> Flat<'a> {
    pub(super) fn of(batch: &Batch<'a>) -> Flat<'a> {
        Flat { buffer: batch.buffer(), offsets: batch.offsets(), terminator: batch.terminator() }
    }

    /// How many records, from the first on, have `PADDING` readable bytes behind them.
    pub(super) fn readable(&self) -> usize {
        let Some(last) = self.buffer.len().checked_sub(PADDING) else { return 0 };
        // The end of the first record is at offset 1; ends do not descend.
        let ends = self.offsets.get(1..).unwrap_or(&[]);
        ends.partition_point(|&end| (end - self.terminator) as usize <= last)
    }
}

/// A copy of the records at a buffer's end, in memory that goes on behind them.
#[derive(Debug, Default)]
pub(super) struct Tail {
    buffer: Vec<u8>,
    offsets: Vec<u32>,
    terminator: u32,
}

impl Tail {
    /// Replaces what is copied by the records of `batch`.
    pub(super) fn fill(&mut self, batch: &Batch<'_>) {
        let extent = batch.extent();
        self.buffer.clear();
        self.buffer.reserve(extent.len() + PADDING);
        self.buffer.extend_from_slice(&batch.buffer()[extent.clone()]);
        self.buffer.resize(extent.len() + PADDING, 0);
        self.offsets.clear();
        // In range: offsets are at least the extent's start, which is one of them.
        let moved = batch.offsets().iter().map(|offset| offset - extent.start as u32);
        self.offsets.extend(moved);
        self.terminator = batch.terminator();
    }

    pub(super) fn as_flat(&self) -> Flat<'_> {
        Flat { buffer: &self.buffer, offsets: &self.offsets, terminator: self.terminator }
    }

    /// Gives memory back that the usual scan does not need.
    pub(super) fn trim(&mut self) {
        self.buffer.clear();
        self.buffer.shrink_to(KEPT);
        self.offsets.clear();
        self.offsets.shrink_to(KEPT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BatchBuf;

    /// Whether each record of `flat` has `PADDING` bytes behind it.
    fn padded(flat: Flat<'_>) -> Vec<bool> {
        let ends = flat.offsets.iter().skip(1).map(|&end| (end - flat.terminator) as usize);
        ends.map(|end| end + PADDING <= flat.buffer.len()).collect()
    }

    #[test]
    fn what_is_readable_has_its_padding_and_the_tail_gets_it() {
        let mut offsets = Vec::new();
        for len in [0, 1, 2, 62, 63, 64, 65, 66, 127, 128, 129, 300] {
            for every in [1, 2, 7, 64, 1000] {
                for last in [&b""[..], b"\n", b"\n\n\n"] {
                    let mut text: Vec<u8> =
                        (0..len).map(|i| if i % every == 0 { b'\n' } else { b'a' }).collect();
                    text.extend_from_slice(last);
                    let batch = Batch::lines(&text, &mut offsets).unwrap();
                    let flat = Flat::of(&batch);
                    let safe = flat.readable();
                    let padded_here = padded(flat);
                    assert!(padded_here[..safe].iter().all(|&padded| padded));
                    assert!(padded_here[safe..].iter().all(|&padded| !padded));

                    let mut tail = Tail::default();
                    let rest = batch.slice(safe..batch.len());
                    tail.fill(&rest);
                    let copy = tail.as_flat();
                    assert_eq!(copy.readable(), rest.len());
                    assert!(padded(copy).iter().all(|&padded| padded));
                    for (i, record) in rest.iter().enumerate() {
                        let end = (copy.offsets[i + 1] - copy.terminator) as usize;
                        assert_eq!(&copy.buffer[copy.offsets[i] as usize..end], record);
                    }
                }
            }
        }
    }

    #[test]
    fn an_owned_batch_is_readable_as_it_is() {
        let mut batch = BatchBuf::new();
        for record in [&b"a"[..], b"", &[b'b'; 100], b""] {
            batch.push(record).unwrap();
            let batch = batch.as_batch();
            assert_eq!(Flat::of(&batch).readable(), batch.len());
        }
    }
}
