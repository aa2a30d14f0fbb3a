//! Where a pattern matches in a record that libhs says it matches in.
//!
//! libhs gives the ends of all matches, not leftmost-first spans, so these are found here, for
//! just the pairs that match.

use std::sync::{Arc, OnceLock};

use regex_automata::nfa::thompson::{self, pikevm};

use crate::{Match, PatternSet};

/// The automata of a set, each built when it is first needed and shared by all scanners.
#[derive(Clone, Debug)]
pub(super) struct Spans {
    set: PatternSet,
    automata: Arc<[OnceLock<pikevm::PikeVM>]>,
}

impl Spans {
    pub(super) fn new(set: &PatternSet) -> Spans {
        let automata = std::iter::repeat_with(OnceLock::new).take(set.len()).collect();
        Spans { set: set.clone(), automata }
    }

    pub(super) fn finder(&self) -> SpanFinder {
        let caches = std::iter::repeat_with(|| None).take(self.set.len()).collect();
        SpanFinder { spans: self.clone(), caches }
    }
}

/// Finds spans, for one thread.
#[derive(Debug)]
pub(super) struct SpanFinder {
    spans: Spans,
    caches: Box<[Option<Box<pikevm::Cache>>]>,
}

impl SpanFinder {
    /// Appends the leftmost-first, non-overlapping spans of `pattern` in `record` to `out`.
    pub(super) fn find(
        &mut self,
        pattern: u32,
        record_number: u32,
        record: &[u8],
        out: &mut Vec<Match>,
    ) {
        let index = pattern as usize;
        let vm = self.spans.automata[index].get_or_init(|| {
            let nfa = thompson::NFA::compiler()
                .configure(thompson::Config::new().utf8(false))
                .build_from_hir(self.spans.set.hir(index))
                .expect("a pattern within the limits compiles");
            pikevm::PikeVM::new_from_nfa(nfa).expect("every NFA runs")
        });
        let cache = self.caches[index].get_or_insert_with(|| Box::new(vm.create_cache()));
        // In range: a record is shorter than 2^32 bytes.
        out.extend(vm.find_iter(cache, record).map(|found| {
            Match::new(record_number, pattern, found.start() as u32..found.end() as u32)
        }));
    }
}
