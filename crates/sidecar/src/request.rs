//! What a client asks for, copied out of shared memory and checked.

pub(super) use super::control::Request;
use super::memory::Mapping;
use dragnet::Batch;
use dragnet::PADDING;

/// The records of a part: their bytes where the client put them, their offsets copied out.
#[derive(Debug)]
pub(super) struct Records<'a> {
    buffer: &'a [u8],
    bytes: u32,
    offsets: &'a [u32],
    terminator: u32,
}

impl<'a> Records<'a> {
    /// Checks where the parts of a request lie, and copies the offsets to `offsets`.
    pub(super) fn of(
        request: &Request,
        mapping: &'a Mapping,
        offsets: &'a mut Vec<u32>,
    ) -> Result<Records<'a>, String> {
        let (bytes, at) = (request.bytes as usize, request.offsets as usize);
        // What is behind the records is read by vectors, and by the C library.
        let padded = bytes.checked_add(PADDING);
        let count = (request.records as usize).checked_add(1);
        let len = count.and_then(|count| count.checked_mul(size_of::<u32>()));
        let fits = padded.is_some_and(|padded| padded <= at)
            && len.and_then(|len| at.checked_add(len)).is_some_and(|end| end <= mapping.len());
        let (Some(padded), Some(count)) = (padded, count) else {
            return Err("a part that is longer than memory".to_owned());
        };
        if !fits || !at.is_multiple_of(align_of::<u32>()) || request.terminator > 1 {
            return Err(format!("{request:?} in {} bytes of memory", mapping.len()));
        }
        offsets.clear();
        mapping.read(at, count, offsets);
        Ok(Records {
            buffer: mapping.bytes(padded),
            bytes: request.bytes,
            offsets,
            terminator: request.terminator,
        })
    }

    /// The records, if the offsets are some.
    pub(super) fn batch(&self) -> Result<Batch<'a>, String> {
        let end = self.offsets.last().map_or(0, |&end| end);
        // The padding is no record's.
        if u64::from(end) > u64::from(self.bytes) + u64::from(self.terminator) {
            return Err(format!("the last offset is {end}, beyond {} bytes", self.bytes));
        }
        let batch = match self.terminator {
            0 => Batch::from_offsets(self.buffer, self.offsets),
            _ => Batch::from_line_offsets(self.buffer, self.offsets),
        };
        batch.map_err(|error| error.to_string())
    }
}
