//! The memory of shared batches: the records, the matches, and an index from records to matches.
//!
//! A batch returns its memory to a [`BufferPool`] when its last ticket is gone, so that a steady load
//! allocates nothing.

use std::mem;
use std::ops::Range;

use dragnet::{BatchBuf, Match, Matches};
use dragnet_boundary::sync::{Mutex, lock};

/// The memory of one shared batch.
#[derive(Default)]
pub(super) struct Buffers {
    /// The records of callers that scan whole batches. [`merge`](Buffers::merge) appends the segments.
    pub(super) records: BatchBuf,
    /// The index of the first record of each submission, in order. A submission is a batch that one
    /// caller scans, or a single record; [`merge`](Buffers::merge) adds the single records.
    pub(super) submissions: Vec<u32>,
    /// The single records, in one segment for each handle that has submitted any.
    segments: Vec<BatchBuf>,
    /// Number of segments in use.
    used_segments: usize,
    /// The index of each segment's first record in the merged batch.
    segment_starts: Vec<u32>,
    pub(super) matches: Matches,
    /// The index into `matches` of each record's first match, and the number of matches at the end.
    match_starts: Vec<u32>,
}

impl Buffers {
    /// Returns the memory of a segment. The caller asks for segments in order, from index 0.
    pub(super) fn segment(&mut self, index: usize) -> &mut BatchBuf {
        self.used_segments = index + 1;
        if self.segments.len() < self.used_segments {
            self.segments.resize_with(self.used_segments, BatchBuf::new);
        }
        &mut self.segments[index]
    }

    /// Makes one contiguous batch of all records. Copies the segments, unless a single one has all
    /// records.
    pub(super) fn merge(&mut self) {
        let is_single_segment = self.records.is_empty() && self.used_segments == 1;
        let first_single_record = self.records.len() as u32;
        self.segment_starts.clear();
        for segment in &mut self.segments[..self.used_segments] {
            self.segment_starts.push(self.records.len() as u32);
            if is_single_segment {
                mem::swap(&mut self.records, segment);
            } else if self.records.append(segment).is_err() {
                // A batch of one record fits, because the length of the record was checked. A larger
                // one is within the limits on batches, which are at most a quarter of the maximum length
                // of a `BatchBuf`.
                unreachable!("a shared batch fits into one buffer");
            }
        }
        self.submissions.extend(first_single_record..self.records.len() as u32);
    }

    /// Returns the index of a segment's record in the merged batch.
    pub(super) fn merged_record(&self, segment: usize, index: u32) -> u32 {
        self.segment_starts[segment] + index
    }

    /// Indexes the matches by record, for [`read`](Buffers::read).
    pub(super) fn index_matches(&mut self) {
        index_matches(&self.matches, self.records.len(), &mut self.match_starts);
    }

    /// Appends the matches of these records. The first of the records becomes the record
    /// `first_record` of the output.
    pub(super) fn read(&self, records: Range<u32>, first_record: u32, out: &mut Matches) {
        let [start, end] =
            [records.start, records.end].map(|record| self.match_starts[record as usize]);
        let found = &self.matches.as_slice()[start as usize..end as usize];
        let record = |m: &Match| m.record() as u32 - records.start + first_record;
        out.extend(found.iter().map(|m| m.with_record(record(m))));
    }

    fn clear(&mut self) {
        self.records.clear();
        self.submissions.clear();
        self.segments[..self.used_segments].iter_mut().for_each(BatchBuf::clear);
        self.used_segments = 0;
        self.matches.clear();
    }
}

/// Fills `starts` so that `matches[starts[r]..starts[r + 1]]` are the matches of record `r`, in one
/// pass over the matches.
fn index_matches(matches: &Matches, records: usize, starts: &mut Vec<u32>) {
    starts.clear();
    // A faulty scanner may report records that do not exist; those matches are ignored.
    let known = matches.iter().take_while(|m| m.record() < records);
    let mut count = 0;
    for m in known {
        if m.record() >= starts.len() {
            starts.resize(m.record() + 1, count);
        }
        count += 1;
    }
    starts.resize(records + 1, count);
}

/// Keeps the memory of answered batches for later batches.
pub(super) struct BufferPool {
    spare: Mutex<Vec<Buffers>>,
    capacity: usize,
}

impl BufferPool {
    /// Makes an empty pool that keeps the memory of at most `capacity` batches.
    pub(super) fn new(capacity: usize) -> BufferPool {
        BufferPool { spare: Mutex::new(Vec::new()), capacity }
    }

    /// Takes memory out of the pool, or makes empty memory.
    pub(super) fn take(&self) -> Buffers {
        lock(&self.spare).pop().unwrap_or_default()
    }

    /// Returns memory to the pool. Frees it if the pool is full.
    pub(super) fn put_back(&self, mut buffers: Buffers) {
        buffers.clear();
        let mut spare = lock(&self.spare);
        if spare.len() < self.capacity {
            spare.push(buffers);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn index_finds_the_matches_of_each_record() {
        let mut matches = Matches::new();
        for (record, pattern) in [(0, 1), (2, 0), (2, 5), (7, 0)] {
            matches.push(Match::without_span(record, pattern));
        }
        let mut starts = vec![7];
        index_matches(&matches, 9, &mut starts);
        for record in 0..9 {
            let range = starts[record] as usize..starts[record + 1] as usize;
            assert_eq!(&matches.as_slice()[range], matches.of_record(record), "{record}");
        }
        assert_eq!(starts.len(), 10);
    }
}
