//! Regions: shared memory into which the client copies the records of a chunk, for the server to
//! read.
//!
//! Records are copied once, by the client. The server maps the region read-only and searches the
//! records in it, if its caller chose [`Server::search_in_place`](super::Server). Such a server
//! relies on the client: a region must not be written to between the submission of its chunk and
//! the chunk's answer. If a connection ends before the answer, the server may still be reading the
//! region, so [`retire`](Region::retire) makes the client allocate a new one instead of writing to
//! it.
//!
//! The memory is sealed so that it can neither shrink, which would crash a server that reads it, nor
//! be mapped for writing by anybody else.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::SealFlags;

use super::control::ChunkRequest;
use super::memory::SharedMapping;
use super::sequence::{Generation, RegionIndex};
use super::sys;
use dragnet::{Batch, PADDING};

/// The smallest region, in bytes: half of a usual chunk, so that short chunks share one size.
const MIN_LEN: usize = 64 << 10;

/// A region up to this length, in bytes, is kept for chunks of any length. A longer one is kept for
/// chunks that use at least an eighth of it, so that one huge record does not hold memory forever.
const MAX_KEPT_LEN: usize = 1 << 20;

/// Memory for the records of one chunk at a time.
#[derive(Debug)]
pub(super) struct Region {
    memory: OwnedFd,
    mapping: SharedMapping,
    generation: Generation,
    layout: RegionLayout,
    /// The offsets of the records, from the start of the region.
    offsets: Vec<u32>,
    /// Whether the memory must not be written to again, because a server may still read it.
    is_retired: bool,
}

/// Where the records of a chunk and their offsets are in a region.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RegionLayout {
    /// The length of the records, in bytes from the start of the region.
    pub(super) bytes: u32,
    /// The position of the record offsets, in bytes.
    pub(super) offsets: u32,
    /// The number of records.
    pub(super) records: u32,
    /// The length of the terminator after each record, in bytes.
    pub(super) terminator: u32,
}

impl RegionLayout {
    /// The layout for the records of a batch, and the length of the memory that it takes, in bytes.
    pub(super) fn of(batch: &Batch<'_>) -> (RegionLayout, usize) {
        let bytes = batch.extent().len();
        let offsets = (bytes + PADDING).next_multiple_of(size_of::<u32>());
        let len = offsets.saturating_add((batch.len() + 1).saturating_mul(size_of::<u32>()));
        let layout = RegionLayout {
            bytes: bytes as u32,
            // Wraps only if the length is over every limit. Such a chunk is never submitted.
            offsets: offsets as u32,
            records: batch.len() as u32,
            terminator: batch.terminator(),
        };
        (layout, len)
    }
}

impl Region {
    /// Makes a region of at least `len` bytes, and of at most `max_len` unless `len` is more.
    pub(super) fn new(len: usize, max_len: usize, generation: Generation) -> io::Result<Region> {
        // Powers of two, so that growing chunks replace the memory only a few times.
        let rounded = len.max(MIN_LEN).checked_next_power_of_two().unwrap_or(len);
        let len = rounded.min(max_len).max(len);
        let memory = sys::memory(len)?;
        let mapping = SharedMapping::new(memory.as_fd(), len, true)?;
        let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::FUTURE_WRITE;
        sys::seal(memory.as_fd(), seals)?;
        Ok(Region {
            memory,
            mapping,
            generation,
            layout: RegionLayout::default(),
            offsets: Vec::new(),
            is_retired: false,
        })
    }

    /// Whether this region can be written to, is long enough for a chunk of `len` bytes, and is not
    /// so long that it would waste memory.
    pub(super) fn suits(&self, len: usize) -> bool {
        let max_len = MAX_KEPT_LEN.max(len.saturating_mul(8));
        !self.is_retired && (len..=max_len).contains(&self.mapping.len())
    }

    /// Replaces the records in the region. It must [suit](Region::suits) their length.
    pub(super) fn fill(&mut self, batch: &Batch<'_>, layout: RegionLayout) {
        assert!(!self.is_retired, "a server may still read this region");
        let extent = batch.extent();
        self.offsets.clear();
        // In range: every offset is at least the start of the extent. A batch without records is
        // never put into a region.
        self.offsets.extend(batch.offsets().iter().map(|&offset| offset - extent.start as u32));
        let offsets = bytemuck::cast_slice(&self.offsets);
        // SAFETY: `new` has sealed the memory against new writable mappings before its descriptor
        // could leave this process, so no other process can write to it.
        unsafe {
            self.mapping.write(0, &batch.buffer()[extent]);
            self.mapping.write(layout.offsets as usize, offsets);
        }
        self.layout = layout;
    }

    /// Makes [`suits`](Region::suits) return false from now on, because the server of an ended
    /// connection may still be reading the records. The region's chunk can still be submitted
    /// again.
    pub(super) fn retire(&mut self) {
        self.is_retired = true;
    }

    /// The request to scan the records in this region, which has the index `index`.
    pub(super) fn request(&self, index: RegionIndex) -> ChunkRequest {
        ChunkRequest {
            region: index.number(),
            generation: self.generation.get(),
            bytes: self.layout.bytes,
            offsets: self.layout.offsets,
            records: self.layout.records,
            terminator: self.layout.terminator,
        }
    }

    pub(super) fn memory(&self) -> &OwnedFd {
        &self.memory
    }

    pub(super) fn generation(&self) -> Generation {
        self.generation
    }

    /// The length of the region, in bytes.
    pub(super) fn len(&self) -> usize {
        self.mapping.len()
    }

    /// The length of a record, in bytes; `None` if there is no such record.
    pub(super) fn record_len(&self, record: usize) -> Option<u32> {
        let (start, end) = (self.offsets.get(record)?, self.offsets.get(record + 1)?);
        Some(end - self.layout.terminator - start)
    }
}
