//! All filters of an engine: what turns a buffer into candidates.

use std::ops::Range;

use super::bit_streams::{BitStreamProgress, BitStreams};
use super::candidate::Candidate;
use super::literal_search::LiteralSearch;
use super::runs::{RunProgress, RunSearch};
use super::segments::Segments;

/// The filters of an engine. Each appends its candidates to one list.
#[derive(Debug)]
pub(crate) struct FilterSet {
    /// Searches for the literals of all patterns.
    literals: Option<LiteralSearch>,
    /// One search for each different byte run.
    runs: Vec<RunSearch>,
    /// Searches for the class sequences of all patterns.
    streams: Option<BitStreams>,
}

/// How far the filters have come in a buffer that is searched part by part.
#[derive(Debug)]
pub(crate) struct FilterProgress {
    runs: Vec<RunProgress>,
    streams: Option<BitStreamProgress>,
}

impl FilterSet {
    pub(crate) fn new(
        literals: Option<LiteralSearch>,
        runs: Vec<RunSearch>,
        streams: Option<BitStreams>,
    ) -> FilterSet {
        FilterSet { literals, runs, streams }
    }

    /// Whether there is nothing to search for.
    pub(crate) fn is_empty(&self) -> bool {
        self.literals.is_none() && self.runs.is_empty() && self.streams.is_none()
    }

    /// The progress before the first part of a buffer.
    pub(crate) fn progress(&self) -> FilterProgress {
        FilterProgress {
            runs: vec![RunProgress::default(); self.runs.len()],
            streams: self.streams.as_ref().map(BitStreams::progress),
        }
    }

    /// Replaces `out` by the candidates in `range` of the buffer. The ranges of successive calls
    /// with one `progress` must follow one another.
    ///
    /// The candidates are ordered by the part of the needle that was searched for (`window`), so
    /// those of one record come together.
    pub(crate) fn find(
        &self,
        segments: &Segments<'_>,
        range: Range<usize>,
        progress: &mut FilterProgress,
        out: &mut Vec<Candidate>,
    ) {
        out.clear();
        if let Some(literals) = &self.literals {
            literals.find(segments.buffer(), range.clone(), out);
        }
        for (run, progress) in self.runs.iter().zip(&mut progress.runs) {
            run.find(segments, range.clone(), progress, out);
        }
        if let (Some(streams), Some(progress)) = (&self.streams, &mut progress.streams) {
            streams.find(segments, range, progress, out);
        }
        // A single filter finds candidates in order, except for the bit streams.
        let ordered = usize::from(self.literals.is_some()) + self.runs.len();
        if ordered > 1 || self.streams.is_some() {
            out.sort_by_key(|candidate| candidate.window);
        }
    }

    /// Heap memory in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.literals.as_ref().map_or(0, LiteralSearch::memory)
            + size_of_val(&self.runs[..])
            + self.streams.as_ref().map_or(0, BitStreams::memory)
    }

    /// The algorithms in use for literals, in words. Empty if there are no literals.
    pub(crate) fn describe(&self) -> String {
        self.literals.as_ref().map_or(String::new(), LiteralSearch::describe)
    }
}

impl FilterProgress {
    /// Prepares for another buffer.
    pub(crate) fn reset(&mut self) {
        self.runs.fill_with(RunProgress::default);
        self.streams.iter_mut().for_each(BitStreamProgress::reset);
    }

    /// Heap memory in bytes.
    pub(crate) fn memory(&self) -> usize {
        size_of_val(&self.runs[..]) + self.streams.as_ref().map_or(0, BitStreamProgress::memory)
    }
}
