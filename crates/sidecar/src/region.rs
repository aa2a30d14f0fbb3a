//! The memory that a client puts records in, for the server to read.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::SealFlags;

use super::memory::Mapping;
use super::sys;
use dragnet::Batch;
use dragnet::PADDING;

/// The smallest piece of memory, in bytes.
const SMALLEST: usize = 64 << 10;

/// Memory up to this length is kept for shorter parts, however short they are.
const KEPT: usize = 1 << 20;

/// Memory for the records of one part at a time. The server may read it, and can't write to it.
#[derive(Debug)]
pub(super) struct Region {
    pub(super) memory: OwnedFd,
    pub(super) mapping: Mapping,
    /// Which of the regions of its number it is.
    pub(super) generation: u32,
    /// What is in it.
    pub(super) part: Layout,
    /// The offsets of the records, from the start of the region.
    offsets: Vec<u32>,
}

/// Where the records of a part are in a region.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Layout {
    pub(super) bytes: u32,
    pub(super) offsets: u32,
    pub(super) records: u32,
    pub(super) terminator: u32,
}

impl Layout {
    /// Where the records of a batch would be, and how much memory that takes in bytes.
    pub(super) fn of(batch: &Batch<'_>) -> (Layout, usize) {
        let bytes = batch.extent().len();
        let offsets = (bytes + PADDING).next_multiple_of(size_of::<u32>());
        let len = offsets.saturating_add((batch.len() + 1).saturating_mul(size_of::<u32>()));
        let layout = Layout {
            bytes: bytes as u32,
            // Of a batch for which this is not right, the length is over any limit.
            offsets: offsets as u32,
            records: batch.len() as u32,
            terminator: batch.terminator(),
        };
        (layout, len)
    }
}

impl Region {
    /// New memory with room for `len` bytes.
    pub(super) fn new(len: usize, most: usize, generation: u32) -> io::Result<Region> {
        // Powers of two, so that memory is replaced a few times and no more.
        let rounded = len.max(SMALLEST).checked_next_power_of_two().unwrap_or(len);
        let len = rounded.min(most).max(len);
        let memory = sys::memory(len)?;
        let mapping = Mapping::new(memory.as_fd(), len, true)?;
        // From here on nobody gets to write to it who has not mapped it, and it stays as long.
        let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::FUTURE_WRITE;
        sys::seal(memory.as_fd(), seals)?;
        Ok(Region { memory, mapping, generation, part: Layout::default(), offsets: Vec::new() })
    }

    /// Whether this is the memory for a part of `len` bytes: long enough, and not left over from a
    /// record that was very much longer.
    pub(super) fn suits(&self, len: usize) -> bool {
        let most = KEPT.max(len.saturating_mul(8));
        (len..=most).contains(&self.mapping.len())
    }

    /// Puts records into the memory, which is long enough for them.
    pub(super) fn fill(&mut self, batch: &Batch<'_>, layout: Layout) {
        let extent = batch.extent();
        self.mapping.write(0, &batch.buffer()[extent.clone()]);
        self.offsets.clear();
        // In range: offsets are at least the extent's start, which is one of them. A batch without
        // records is not sent.
        self.offsets.extend(batch.offsets().iter().map(|&at| at - extent.start as u32));
        self.mapping.write(layout.offsets as usize, bytemuck::cast_slice(&self.offsets));
        self.part = layout;
    }

    /// How long the record with this number is, in bytes.
    pub(super) fn record_len(&self, record: usize) -> Option<u32> {
        let (start, end) = (self.offsets.get(record)?, self.offsets.get(record + 1)?);
        Some(end - self.part.terminator - start)
    }
}
