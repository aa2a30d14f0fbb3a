//! Spans in records that are known to match, for engines that can't tell where.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::sink::Sink;
use crate::{Match, PatternSet};

use super::pattern::{Automaton, Cache};

/// The automata of a set, each built when it is first needed and shared by all scanners.
#[derive(Clone, Debug)]
pub(crate) struct Spans {
    set: PatternSet,
    automata: Arc<[Automaton]>,
}

impl Spans {
    pub(crate) fn new(set: &PatternSet) -> Spans {
        Spans { set: set.clone(), automata: (0..set.len()).map(|_| Automaton::default()).collect() }
    }

    pub(crate) fn finder(&self) -> SpanFinder {
        let caches = std::iter::repeat_with(Cache::default).take(self.set.len()).collect();
        SpanFinder { spans: self.clone(), caches }
    }
}

/// Finds spans, for one thread.
#[derive(Debug)]
pub(crate) struct SpanFinder {
    spans: Spans,
    caches: Vec<Cache>,
}

impl SpanFinder {
    /// Hands the leftmost-first, non-overlapping spans of `pattern` in `record` to `out`, until it
    /// breaks.
    pub(crate) fn find(
        &mut self,
        pattern: u32,
        record_number: u32,
        record: &[u8],
        out: &mut impl Sink,
    ) -> ControlFlow<()> {
        let index = pattern as usize;
        let (hir, cache) = (self.spans.set.hir(index), &mut self.caches[index]);
        self.spans.automata[index].spans(hir, cache, record, &mut 0, |span| {
            // In range: a record is shorter than 2^32 bytes.
            out.push(Match::new(record_number, pattern, span.start as u32..span.end as u32))
        })
    }
}
