//! Splits batches into chunks that fit in a region.

use std::ops::Range;

use super::super::region::RegionLayout;
use super::Sidecar;
use dragnet::{Batch, PADDING, ScanError};

impl Sidecar {
    /// Splits off the first records, about a quarter of a chunk. The server can start as soon as
    /// the first chunk is copied, so a short one reduces latency.
    pub(super) fn split_head<'b>(&self, batch: &Batch<'b>) -> (Batch<'b>, Batch<'b>) {
        let head = batch.split_by_bytes(self.chunk_bytes() / 4).next().unwrap_or(0..0).end;
        (batch.slice(0..head), batch.slice(head..batch.len()))
    }

    /// The length of a chunk in bytes of records: as configured, but at most half of a region, to
    /// leave room for the offsets.
    pub(super) fn chunk_bytes(&self) -> usize {
        let half = usize::try_from(self.max_region_len() / 2).unwrap_or(usize::MAX);
        self.config.chunk_bytes.min(half)
    }

    /// The longest region that the server maps, in bytes.
    fn max_region_len(&self) -> u64 {
        self.connection.as_ref().map_or(u64::MAX, |connection| connection.max_region_len())
    }

    /// Returns a prefix of `range` whose records fit in a region together with their offsets.
    /// Offsets of short records can take more space than the records.
    pub(super) fn prefix_that_fits(
        &self,
        records: &Batch<'_>,
        range: &Range<usize>,
    ) -> Range<usize> {
        let mut end = range.end;
        while end - range.start > 1
            && RegionLayout::of(&records.slice(range.start..end)).1 as u64 > self.max_region_len()
        {
            end = range.start + (end - range.start) / 2;
        }
        range.start..end
    }

    /// Checks that each record fits in a region.
    pub(super) fn check_record_sizes(&self, batch: &Batch<'_>) -> Result<(), ScanError> {
        let max_len = self.max_region_len();
        // A chunk takes at most half of a region, so a record that is not longer than a chunk fits.
        if batch.extent().len() <= self.chunk_bytes() {
            return Ok(());
        }
        let too_large = |range: Range<usize>| {
            let (_, len) = RegionLayout::of(&batch.slice(range.clone()));
            (len as u64 > max_len).then(|| batch.range(range.start).len())
        };
        // A record longer than a chunk is alone in its range.
        let mut chunks = batch.split_by_bytes(self.chunk_bytes()).filter(|range| range.len() == 1);
        match chunks.find_map(too_large) {
            None => Ok(()),
            Some(size) => Err(ScanError::TooLarge {
                size,
                // Leaves room for the padding, the alignment and the two offsets of one record.
                limit: usize::try_from(max_len).unwrap_or(usize::MAX).saturating_sub(2 * PADDING),
            }),
        }
    }
}
