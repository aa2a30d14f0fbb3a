//! Validates a client's request to scan a chunk, and turns its untrusted numbers into a [`Batch`].
//!
//! All numbers are copied out of shared memory before they are checked, so that the client can't
//! change them afterwards. The bytes of the records are not checked, since any bytes are a record.

use super::control::ChunkRequest;
use super::memory::SharedMapping;
use dragnet::{Batch, PADDING};

/// A request whose positions lie within its region, with the offsets of its records copied out.
#[derive(Debug)]
pub(super) struct ChunkRecords<'a> {
    padded_len: usize,
    bytes: u32,
    offsets: &'a [u32],
    terminator: u32,
}

impl<'a> ChunkRecords<'a> {
    /// Checks the positions in a request, and copies the offsets of the records to `offsets`.
    ///
    /// # Errors
    ///
    /// A description of what is wrong with the request.
    pub(super) fn new(
        request: &ChunkRequest,
        mapping: &SharedMapping,
        offsets: &'a mut Vec<u32>,
    ) -> Result<ChunkRecords<'a>, String> {
        let (bytes, position) = (request.bytes as usize, request.offsets as usize);
        // Vector loads, and the C library, read up to `PADDING` bytes after the last record.
        let padded_len = bytes.checked_add(PADDING);
        let count = (request.records as usize).checked_add(1);
        let offsets_len = count.and_then(|count| count.checked_mul(size_of::<u32>()));
        let offsets_end = offsets_len.and_then(|len| position.checked_add(len));
        let (Some(padded_len), Some(count), Some(offsets_end)) = (padded_len, count, offsets_end)
        else {
            return Err("a chunk exceeds the address space".to_owned());
        };
        if padded_len > position
            || offsets_end > mapping.len()
            || !position.is_multiple_of(align_of::<u32>())
            || request.terminator > 1
        {
            return Err(format!("{request:?} does not fit a region of {} bytes", mapping.len()));
        }
        offsets.clear();
        mapping.load(position, count, offsets);
        Ok(ChunkRecords {
            padded_len,
            bytes: request.bytes,
            offsets,
            terminator: request.terminator,
        })
    }

    /// The number of bytes from the start of the region that the scan may read: the records and
    /// their padding.
    pub(super) fn padded_len(&self) -> usize {
        self.padded_len
    }

    /// The records as a batch over `buffer`, which holds the first [`padded_len`] bytes of the region.
    ///
    /// # Errors
    ///
    /// A description of what is wrong with the offsets.
    ///
    /// [`padded_len`]: ChunkRecords::padded_len
    pub(super) fn batch<'b>(&self, buffer: &'b [u8]) -> Result<Batch<'b>, String>
    where
        'a: 'b,
    {
        let end = self.offsets.last().map_or(0, |&end| end);
        // No record may reach into the padding. The last terminator may be missing.
        if u64::from(end) > u64::from(self.bytes) + u64::from(self.terminator) {
            return Err(format!("the last offset is {end}, after {} bytes of records", self.bytes));
        }
        let batch = match self.terminator {
            0 => Batch::from_offsets(buffer, self.offsets),
            _ => Batch::from_line_offsets(buffer, self.offsets),
        };
        batch.map_err(|error| error.to_string())
    }
}
