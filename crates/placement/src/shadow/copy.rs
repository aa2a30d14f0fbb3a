//! A copy of a batch and of the first engine's answer, which outlives the scan.

use dragnet::{Batch, BatchError, Match, PADDING};

/// The copy of a batch and of the first engine's answer. Its memory is reused for later copies.
#[derive(Default)]
pub(super) struct BatchCopy {
    /// The records and [`PADDING`] zeros. Without the padding, engines that read whole vectors past the
    /// end of a record would have to copy the last records.
    buffer: Vec<u8>,
    /// The offsets of the records in `buffer`.
    offsets: Vec<u32>,
    /// The length of the terminator after each record, in bytes.
    terminator: u32,
    first_answer: Vec<Match>,
}

impl BatchCopy {
    /// Returns the size of a copy of this batch and this many matches, in bytes.
    pub(super) fn size(batch: &Batch<'_>, matches: usize) -> usize {
        let records = batch.extent().len() + PADDING;
        let offsets = size_of_val(batch.offsets());
        let answer = matches.saturating_mul(size_of::<Match>());
        records.saturating_add(offsets).saturating_add(answer)
    }

    /// Replaces the contents. All records are copied in one piece, since a batch is contiguous.
    pub(super) fn fill(&mut self, batch: &Batch<'_>, first_answer: &[Match]) {
        let extent = batch.extent();
        self.buffer.clear();
        self.buffer.reserve_exact(extent.len() + PADDING);
        self.buffer.extend_from_slice(&batch.buffer()[extent.clone()]);
        self.buffer.extend_from_slice(&[0; PADDING]);
        self.offsets.clear();
        if !batch.is_empty() {
            self.offsets.reserve_exact(batch.offsets().len());
            let base = batch.offsets()[0];
            self.offsets.extend(batch.offsets().iter().map(|&offset| offset - base));
        }
        self.terminator = batch.terminator();
        self.first_answer.clear();
        self.first_answer.reserve_exact(first_answer.len());
        self.first_answer.extend_from_slice(first_answer);
    }

    pub(super) fn batch(&self) -> Result<Batch<'_>, BatchError> {
        match self.terminator {
            0 => Batch::from_offsets(&self.buffer, &self.offsets),
            _ => Batch::from_line_offsets(&self.buffer, &self.offsets),
        }
    }

    pub(super) fn first_answer(&self) -> &[Match] {
        &self.first_answer
    }

    /// Returns the allocated memory, in bytes.
    pub(super) fn allocated(&self) -> usize {
        self.buffer.capacity()
            + self.offsets.capacity() * size_of::<u32>()
            + self.first_answer.capacity() * size_of::<Match>()
    }
}
