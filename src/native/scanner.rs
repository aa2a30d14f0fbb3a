//! Scans batches: one call into C for each, and what remains in Rust.

use std::ops::Range;
use std::sync::Arc;

use super::contract::{DONE, FULL, STOPPED};
use super::engine::Inner;
use super::objects::{Database, Scratch};
use super::raw;
use super::spans::SpanFinder;
use crate::batch::PADDING;
use crate::{Batch, Match, Matches, Scan, ScanError, StopFlag, pure};

/// How many matches there is room for at the start of a scan. Room doubles when it is used up.
const ROOM: usize = 1024;

/// Memory for the records at a buffer's end that is kept from one scan to the next. One long
/// record would hold on to more than the usual scan needs.
const KEPT: usize = 1 << 20;

/// Scans batches with libhs, and with the pure engine what libhs does not take.
#[derive(Debug)]
pub struct Scanner {
    engine: Arc<Inner>,
    scratch: Scratch,
    stop: StopFlag,
    /// Which patterns match where, before spans are looked for.
    pairs: Vec<Match>,
    /// What the pure engine found.
    rest: Matches,
    pure: Option<pure::Scanner>,
    spans: Option<SpanFinder>,
    tail: Tail,
    room: usize,
}

impl Scanner {
    pub(super) fn new(engine: Arc<Inner>, stop: StopFlag) -> Result<Scanner, ScanError> {
        let scratch = Scratch::new(&engine.databases).map_err(|code| error(&engine, code))?;
        Ok(Scanner {
            scratch,
            pairs: Vec::new(),
            rest: Matches::new(),
            pure: engine.rest.as_ref().map(|rest| rest.scanner_with(stop.clone())),
            spans: engine.spans.as_ref().map(|spans| spans.finder()),
            tail: Tail::default(),
            room: ROOM,
            engine,
            stop,
        })
    }

    /// Starts scans with room for just this many matches.
    #[cfg(test)]
    pub(super) fn set_room(&mut self, room: usize) {
        self.room = room;
    }

    fn fill(&mut self, batch: &Batch<'_>, out: &mut Vec<Match>) -> Result<(), ScanError> {
        if self.spans.is_some() {
            let mut pairs = std::mem::take(&mut self.pairs);
            pairs.clear();
            let result =
                self.which(batch, &mut pairs).and_then(|()| self.spans(batch, &pairs, out));
            self.pairs = pairs;
            result?;
        } else {
            self.which(batch, out)?;
        }
        if let Some(pure) = &mut self.pure {
            pure.scan(batch, &mut self.rest)?;
            merge(out, self.rest.as_slice());
        }
        Ok(())
    }

    /// Appends which of libhs's patterns match which records, in order.
    fn which(&mut self, batch: &Batch<'_>, out: &mut Vec<Match>) -> Result<(), ScanError> {
        if self.engine.databases.is_empty() {
            return Ok(());
        }
        let records = Flat::of(batch);
        let safe = records.readable();
        self.cross(records, 0..safe as u32, 0, out)?;
        if safe < batch.len() {
            let mut tail = std::mem::take(&mut self.tail);
            tail.fill(&batch.slice(safe..batch.len()));
            let all = 0..(batch.len() - safe) as u32;
            let result = self.cross(tail.as_flat(), all, safe as u32, out);
            tail.trim();
            self.tail = tail;
            result?;
        }
        order(out);
        Ok(())
    }

    /// Calls into C for these records, which are reported with `base` added to their number.
    /// `PADDING` bytes behind each must be readable.
    fn cross(
        &mut self,
        flat: Flat<'_>,
        records: Range<u32>,
        base: u32,
        out: &mut Vec<Match>,
    ) -> Result<(), ScanError> {
        debug_assert!(flat.readable() >= records.end as usize);
        let databases = &self.engine.databases;
        let mut next = records.start;
        let mut room = self.room;
        while next < records.end {
            out.reserve(room);
            let spare = out.spare_capacity_mut();
            let mut count = 0;
            // SAFETY:
            // - The databases are valid and shared, which libhs allows; the scratch was allocated
            //   for all of them, and `&mut self` keeps other scans from it.
            // - `records` are records of `flat`, so `records.end + 1` offsets can be read, each
            //   less the terminator is at least its predecessor and within the buffer, and
            //   behind each record there are `PADDING` more bytes in the buffer (`Flat::readable`).
            // - The flag outlives the call, since `self.stop` holds on to it; C reads it
            //   atomically.
            // - `spare` is as long as the call is told, and C writes only whole matches to it,
            //   whose layout is asserted in `contract`; any bits are a valid match.
            let status = unsafe {
                raw::dragnet_hs_scan(
                    Database::as_pointers(databases),
                    databases.len(),
                    self.scratch.as_ptr(),
                    flat.buffer.as_ptr(),
                    flat.offsets.as_ptr(),
                    flat.terminator,
                    base,
                    &mut next,
                    records.end,
                    self.stop.as_ptr(),
                    spare.as_mut_ptr().cast(),
                    spare.len(),
                    &mut count,
                )
            };
            assert!(count <= spare.len(), "C wrote past its buffer");
            // SAFETY: C has written the first `count` of the spare matches.
            unsafe { out.set_len(out.len() + count) };
            match status {
                DONE => debug_assert_eq!(next, records.end),
                // A record's matches are there as a whole or not at all, so a record that has
                // many needs more room, which doubling reaches.
                FULL => room = room.saturating_mul(2),
                STOPPED => return Err(ScanError::Stopped),
                code => return Err(error(&self.engine, code)),
            }
        }
        Ok(())
    }

    fn spans(
        &mut self,
        batch: &Batch<'_>,
        pairs: &[Match],
        out: &mut Vec<Match>,
    ) -> Result<(), ScanError> {
        let Some(finder) = &mut self.spans else { return Ok(()) };
        for pair in pairs {
            if self.stop.is_raised() {
                return Err(ScanError::Stopped);
            }
            let record = &batch.buffer()[batch.range(pair.record())];
            finder.find(pair.pattern() as u32, pair.record() as u32, record, out);
        }
        Ok(())
    }
}

impl Scan for Scanner {
    fn scan(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError> {
        out.clear();
        let result = self.fill(batch, out.list_mut());
        if result.is_err() {
            out.clear();
        }
        result
    }
}

fn error(engine: &Inner, code: i32) -> ScanError {
    ScanError::Native { library: engine.library.to_string(), code }
}

/// Orders the matches of each record by pattern; the records are in order already. A pattern
/// that is reported twice for a record counts once.
fn order(matches: &mut Vec<Match>) {
    for of_record in matches.chunk_by_mut(|a, b| a.record() == b.record()) {
        of_record.sort_unstable();
    }
    matches.dedup();
}

/// Merges `more` into `matches`, both in order.
fn merge(matches: &mut Vec<Match>, more: &[Match]) {
    let mut left = matches.len();
    let mut right = more.len();
    matches.extend_from_slice(more);
    // From the back, where there is room.
    while right > 0 {
        let to = left + right - 1;
        if left > 0 && matches[left - 1] > more[right - 1] {
            left -= 1;
            matches[to] = matches[left];
        } else {
            right -= 1;
            matches[to] = more[right];
        }
    }
}

/// Records as C gets them. Unlike in a batch, the buffer may have any length.
#[derive(Clone, Copy)]
struct Flat<'a> {
    buffer: &'a [u8],
    offsets: &'a [u32],
    terminator: u32,
}

impl<'a> Flat<'a> {
    fn of(batch: &Batch<'a>) -> Flat<'a> {
        Flat { buffer: batch.buffer(), offsets: batch.offsets(), terminator: batch.terminator() }
    }

    /// How many records, from the first on, have `PADDING` readable bytes behind them.
    fn readable(&self) -> usize {
        let Some(last) = self.buffer.len().checked_sub(PADDING) else { return 0 };
        // The end of the first record is at offset 1; ends do not descend.
        let ends = self.offsets.get(1..).unwrap_or(&[]);
        ends.partition_point(|&end| (end - self.terminator) as usize <= last)
    }
}

/// A copy of the records at a buffer's end, in memory that goes on behind them.
#[derive(Debug, Default)]
struct Tail {
    buffer: Vec<u8>,
    offsets: Vec<u32>,
    terminator: u32,
}

impl Tail {
    /// Replaces what is copied by the records of `batch`.
    fn fill(&mut self, batch: &Batch<'_>) {
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

    fn as_flat(&self) -> Flat<'_> {
        Flat { buffer: &self.buffer, offsets: &self.offsets, terminator: self.terminator }
    }

    /// Gives memory back that the usual scan does not need.
    fn trim(&mut self) {
        self.buffer.clear();
        self.buffer.shrink_to(KEPT);
        self.offsets.clear();
        self.offsets.shrink_to(KEPT);
    }
}
