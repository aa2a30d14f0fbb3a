//! Makes batches of the values of view arrays.
//!
//! A view has the length of its value and either the value itself, if it has at most 12 bytes, or its
//! place in one of the array's buffers. A batch needs its records adjacent in one buffer. Builders
//! append values to a buffer one after the other, so where long values are the rule, consecutive
//! views are adjacent: such a *run* of rows is borrowed, and only its offsets are written. All other
//! values are copied, since runs that are too short would cost more in scans than the copy does.

use std::ops::Range;

use arrow_buffer::{Buffer, NullBuffer};

use super::column::{PART_BYTES, PART_ROWS, PartMemory};
use crate::{Batch, BatchError};

/// The length of the longest value that is stored in its view, in bytes. Part of Arrow's format.
const MAX_INLINE: usize = 12;

/// The shortest run that is borrowed, in bytes. Copying less takes less than a microsecond, which is
/// about what a scan costs that is not shared by more rows.
const MIN_RUN: usize = 16 << 10;

/// The views of an array, and the buffers that they refer to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Views<'a> {
    views: &'a [u128],
    buffers: &'a [Buffer],
}

/// Where a view has its value.
enum Place {
    /// In the view itself.
    Inline {
        len: usize,
    },
    Buffer {
        buffer: usize,
        range: Range<usize>,
    },
}

impl<'a> Views<'a> {
    pub(super) fn new(views: &'a [u128], buffers: &'a [Buffer]) -> Views<'a> {
        Views { views, buffers }
    }

    pub(super) fn len(&self) -> usize {
        self.views.len()
    }

    pub(super) fn slice(&self, rows: Range<usize>) -> Views<'a> {
        Views { views: &self.views[rows], ..*self }
    }

    pub(super) fn bytes(&self) -> usize {
        self.views.iter().map(|&view| view as u32 as usize).sum()
    }

    /// See [`Column::try_for_each_batch`](super::Column::try_for_each_batch).
    pub(super) fn parts<E: From<BatchError>>(
        &self,
        nulls: Option<&NullBuffer>,
        memory: &mut PartMemory,
        mut each: impl FnMut(usize, &Batch<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let PartMemory { offsets, copied } = memory;
        copied.clear();
        let mut row = 0;
        while row < self.len() {
            let (rows, borrowed) = self.run(row, nulls, offsets);
            if let Some((buffer, range)) = borrowed.filter(|(_, range)| range.len() >= MIN_RUN) {
                if !copied.is_empty() {
                    each(row - copied.len(), &copied.as_batch())?;
                    copied.clear();
                }
                // The rest of the buffer stays in the slice as padding.
                let end = range.end.saturating_add(crate::PADDING);
                let buffer = &self.buffers[buffer];
                let buffer = &buffer[range.start..buffer.len().min(end)];
                each(row, &Batch::from_offsets(buffer, offsets)?)?;
                row += rows;
                continue;
            }
            // A run of a few rows, or one value in its view.
            for _ in 0..rows.max(1) {
                self.copy(row, nulls, copied)?;
                row += 1;
                if copied.len() >= PART_ROWS || copied.bytes() >= PART_BYTES {
                    each(row - copied.len(), &copied.as_batch())?;
                    copied.clear();
                }
            }
        }
        if !copied.is_empty() {
            each(row - copied.len(), &copied.as_batch())?;
        }
        Ok(())
    }

    /// The rows from `first` on whose values are adjacent in one buffer, up to about [`PART_BYTES`]:
    /// how many there are, and the place of the values if they have any. Writes their offsets in that
    /// place. Nulls and empty values are part of any run.
    fn run(
        &self,
        first: usize,
        nulls: Option<&NullBuffer>,
        offsets: &mut Vec<u32>,
    ) -> (usize, Option<(usize, Range<usize>)>) {
        offsets.clear();
        offsets.push(0);
        let mut place: Option<(usize, Range<usize>)> = None;
        for row in first..self.len().min(first + PART_ROWS) {
            match (self.place(row, nulls), &mut place) {
                (Place::Inline { len: 0 }, _) => {}
                (Place::Inline { .. }, _) => break,
                (Place::Buffer { buffer, range }, None) => place = Some((buffer, range)),
                (Place::Buffer { buffer, range }, Some((run_buffer, run)))
                    if buffer == *run_buffer
                        && range.start == run.end
                        && range.end - run.start <= PART_BYTES =>
                {
                    run.end = range.end;
                }
                _ => break,
            }
            // In range: one value has at most 2^32 - 1 bytes, and more than one at most `PART_BYTES`.
            offsets.push(place.as_ref().map_or(0, |(_, run)| run.len() as u32));
        }
        (offsets.len() - 1, place)
    }

    fn place(&self, row: usize, nulls: Option<&NullBuffer>) -> Place {
        let view = self.views[row];
        // The layout of a view from its lowest byte: the length, then the value, or its first four
        // bytes, the number of the buffer and the offset there, each of 32 bits.
        let len = view as u32 as usize;
        if nulls.is_some_and(|nulls| nulls.is_null(row)) {
            return Place::Inline { len: 0 };
        }
        if len <= MAX_INLINE {
            return Place::Inline { len };
        }
        let start = (view >> 96) as u32 as usize;
        Place::Buffer { buffer: (view >> 64) as u32 as usize, range: start..start + len }
    }

    fn copy(
        &self,
        row: usize,
        nulls: Option<&NullBuffer>,
        copied: &mut crate::BatchBuf,
    ) -> Result<(), BatchError> {
        match self.place(row, nulls) {
            Place::Inline { len } => copied.push(&self.views[row].to_le_bytes()[4..4 + len]),
            Place::Buffer { buffer, range } => copied.push(&self.buffers[buffer][range]),
        }
    }
}
