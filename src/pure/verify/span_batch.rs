//! Searches for spans in several records that are made together, pattern by pattern.
//!
//! A search for a pattern's spans reads about forty cache lines: the DFA, the program and the scanner's history of
//! both. A dozen patterns that match in one record replace each other's lines in the L1 cache. So the searches
//! of a few hundred (record, pattern) pairs are collected, and those of one pattern are made one after the other. The
//! batch keeps their spans until all searches are made, and reports them in the order of the pairs.
//!
//! In several runs over logs, spans of grok's patterns are found 1.00 to 1.06 times as fast as record by record, and
//! wazuh's 1.02 to 1.04 times. A search takes about a hundred instructions more.

use std::ops::{Range, RangeInclusive};

use crate::Match;
use crate::pure::ids::PatternIndex;
use crate::pure::mechanism;

use super::verifier::Record;

/// The largest number of searches. With 256, or with 1,024 in twice as many bytes, nothing changes. Lower in tests, so
/// that small batches reach it.
const MAX_SEARCHES: usize = if cfg!(test) { 5 } else { 512 };
/// The largest sum of the lengths of the records that they read, in bytes, but for the last one. It bounds the number of
/// spans that are kept.
const MAX_BYTES: usize = if cfg!(test) { 64 } else { 32 << 10 };
/// The longest record whose spans are searched together with those of others, in bytes.
const MAX_RECORD: usize = if cfg!(test) { 32 } else { 4 << 10 };

// `Scan::scan_with` promises this. A search finds at most one span more than its record has bytes.
const _: () = assert!((MAX_BYTES + MAX_RECORD + 1) * size_of::<Match>() < 1 << 20);

/// The end of a list of searches.
const NONE: u32 = u32::MAX;

/// Searches that are still to be made.
#[derive(Debug, Default)]
pub(super) struct SpanBatch {
    /// In the order of their matches.
    searches: Vec<SpanSearch>,
    /// The first search for each pattern.
    firsts: Vec<u32>,
    /// By pattern: its latest search, or `NONE`.
    latest: Vec<u32>,
    /// The sum of the lengths of the records that the searches read, in bytes.
    bytes: usize,
    /// What was found, in the order in which it was found.
    matches: Vec<Match>,
}

/// A search for the spans of one pattern in one record.
#[derive(Debug)]
pub(super) struct SpanSearch {
    pub(super) pattern: PatternIndex,
    /// The number of the record in its batch.
    record_number: u32,
    /// The record in the buffer.
    record: Range<u32>,
    /// The first and the last offset of the record at which spans can start.
    starts: (u32, u32),
    /// The next search for the pattern, or `NONE`.
    next: u32,
    /// Its matches among those of the batch.
    found: Range<u32>,
}

impl SpanSearch {
    /// The record, given the buffer of its batch.
    pub(super) fn record<'a>(&self, buffer: &'a [u8]) -> Record<'a> {
        let range = self.record.start as usize..self.record.end as usize;
        let (number, start) = (self.record_number as usize, range.start);
        Record { number, start, bytes: &buffer[range], buffer }
    }

    /// The offsets of the record at which spans can start.
    pub(super) fn starts(&self) -> RangeInclusive<usize> {
        self.starts.0 as usize..=self.starts.1 as usize
    }
}

impl SpanBatch {
    /// Whether spans of a record should be searched together with those of others.
    pub(super) fn is_for(record: &Record<'_>) -> bool {
        let has_others = record.bytes.len() < record.buffer.len();
        mechanism::span_batches() && has_others && record.bytes.len() <= MAX_RECORD
    }

    /// A batch without searches, for this many patterns.
    pub(super) fn new(patterns: usize) -> SpanBatch {
        SpanBatch { latest: vec![NONE; patterns], ..SpanBatch::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.searches.is_empty()
    }

    /// Adds a search for spans of a pattern that start in `starts`, which must come after those before. Returns whether
    /// the searches should be made now.
    #[inline]
    pub(super) fn add(
        &mut self,
        pattern: PatternIndex,
        record: &Record<'_>,
        starts: RangeInclusive<usize>,
    ) -> bool {
        let index = self.searches.len() as u32;
        match std::mem::replace(&mut self.latest[pattern.index()], index) {
            NONE => self.firsts.push(index),
            latest => self.searches[latest as usize].next = index,
        }
        let len = record.bytes.len();
        self.searches.push(SpanSearch {
            pattern,
            record_number: record.number as u32,
            // A buffer has less than 4 GiB.
            record: record.start as u32..(record.start + len) as u32,
            starts: (*starts.start() as u32, *starts.end() as u32),
            next: NONE,
            found: 0..0,
        });
        self.bytes += len + 1;
        self.searches.len() >= MAX_SEARCHES || self.bytes >= MAX_BYTES
    }

    /// Makes all searches, with `search`, which pushes the matches.
    pub(super) fn search(&mut self, mut search: impl FnMut(&SpanSearch, &mut Vec<Match>)) {
        let SpanBatch { searches, firsts, latest, matches, .. } = self;
        for first in firsts.drain(..) {
            latest[searches[first as usize].pattern.index()] = NONE;
            let mut index = first;
            while let Some(next) = searches.get_mut(index as usize) {
                let start = matches.len() as u32;
                search(next, matches);
                next.found = start..matches.len() as u32;
                index = next.next;
            }
        }
    }

    /// The matches of each search, in order.
    pub(super) fn found(&self) -> impl Iterator<Item = &[Match]> {
        let found = |range: &Range<u32>| &self.matches[range.start as usize..range.end as usize];
        self.searches.iter().map(move |search| found(&search.found))
    }

    /// Drops all searches, for a new scan for this many patterns.
    pub(super) fn restart(&mut self, patterns: usize) {
        self.clear();
        // If a search has panicked, its batch was lost.
        self.latest.resize(patterns, NONE);
    }

    /// Drops all searches.
    pub(super) fn clear(&mut self) {
        for first in self.firsts.drain(..) {
            self.latest[self.searches[first as usize].pattern.index()] = NONE;
        }
        self.searches.clear();
        self.matches.clear();
        self.bytes = 0;
    }

    /// Heap memory in bytes.
    pub(super) fn memory(&self) -> usize {
        size_of_val(&self.latest[..])
            + self.firsts.capacity() * size_of::<u32>()
            + self.searches.capacity() * size_of::<SpanSearch>()
            + self.matches.capacity() * size_of::<Match>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUFFER: &[u8] = b"one\nthree\nfive\n";
    const RECORDS: [Range<usize>; 3] = [0..3, 4..9, 10..14];

    fn record(number: usize) -> Record<'static> {
        let range = RECORDS[number].clone();
        Record { number, start: range.start, bytes: &BUFFER[range], buffer: BUFFER }
    }

    /// Adds searches of (record, pattern) pairs, makes them, and returns in which order they were made. Each finds as
    /// many matches as the record has bytes more than three.
    fn search(batch: &mut SpanBatch, pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
        for &(number, pattern) in pairs {
            batch.add(PatternIndex::new(pattern), &record(number), pattern..=number);
        }
        let mut order = Vec::new();
        batch.search(|search, matches| {
            let (found, pattern) = (search.record(BUFFER), search.pattern.index());
            let number = found.number;
            order.push((number, pattern));
            assert_eq!((found.start, found.bytes), (RECORDS[number].start, record(number).bytes));
            assert_eq!(search.starts(), pattern..=number);
            let starts = 0..found.bytes.len() as u32 - 3;
            let of = |at| Match::new(number as u32, pattern as u32, at..at + 1);
            matches.extend(starts.map(of));
        });
        order
    }

    #[test]
    fn searches_are_made_by_pattern_and_reported_by_record() {
        let batch = &mut SpanBatch::new(3);
        let pairs = [(0, 2), (1, 0), (1, 2), (2, 0), (2, 1)];
        for _ in 0..2 {
            assert!(batch.is_empty());
            let by_pattern = [(0, 2), (1, 2), (1, 0), (2, 0), (2, 1)];
            assert_eq!(search(batch, &pairs), by_pattern);
            let found: Vec<usize> = batch.found().map(<[Match]>::len).collect();
            assert_eq!(found, [0, 2, 2, 1, 1]);
            let matches: Vec<Match> = batch.found().flatten().copied().collect();
            assert!(matches.is_sorted() && matches.len() == 6, "{matches:?}");
            batch.clear();
        }
        // What was added and not made is dropped.
        batch.add(PatternIndex::new(2), &record(0), 0..=0);
        batch.restart(3);
        assert_eq!(search(batch, &pairs[1..2]), [(1, 0)]);
        let lost = &mut SpanBatch::default();
        lost.restart(3);
        assert_eq!(search(lost, &pairs[1..2]), [(1, 0)]);
    }

    #[test]
    fn a_batch_is_full_after_many_searches_or_bytes() {
        let full = |len: usize| {
            let bytes = &[b'a'; 100][..len];
            let record = Record { number: 0, start: 0, bytes, buffer: &[b'a'; 200] };
            let batch = &mut SpanBatch::new(20);
            (0..20).find(|&pattern| batch.add(PatternIndex::new(pattern), &record, 0..=0))
        };
        assert_eq!(full(0), Some(MAX_SEARCHES - 1));
        // A record has one span more than bytes, if all are empty.
        assert_eq!(full(MAX_BYTES / 2 - 2), Some(2));
        assert_eq!(full(MAX_BYTES / 2 - 1), Some(1));
        assert_eq!(full(MAX_BYTES / 2), Some(1));
        assert_eq!(full(MAX_BYTES - 1), Some(0));
        assert_eq!(full(MAX_BYTES), Some(0));
    }

    #[test]
    fn long_records_and_whole_buffers_are_searched_alone() {
        let buffer = &[b'a'; MAX_RECORD + 2][..];
        let is_for = |len: usize, buffer: &[u8]| {
            SpanBatch::is_for(&Record { number: 0, start: 0, bytes: &buffer[..len], buffer })
        };
        assert!(is_for(MAX_RECORD, buffer));
        assert!(!is_for(MAX_RECORD + 1, buffer));
        assert!(is_for(4, &buffer[..5]));
        assert!(!is_for(5, &buffer[..5]));
    }
}
