//! The reference for all answers: a plain NFA simulation of one pattern over one record at a time.
//!
//! `PikeVM` of `regex-automata` has no prefilters, no DFA and no cache of states; it follows all
//! threads of the NFA in their order of preference. It is slow, but simple enough to be trusted.
//! Each pattern is parsed here, without dragnet.

use std::collections::HashMap;

use dragnet::Match;
use regex_automata::nfa::thompson::{
    self, WhichCaptures,
    pikevm::{Cache, PikeVM},
};

use super::Spec;

/// Finds the matches that every scanner must report.
pub struct Oracle {
    machines: Vec<(PikeVM, Cache)>,
    /// The matches (pattern, start, end) of each record that was searched. The same records come in
    /// several layouts of one batch, and often more than once in it.
    known: HashMap<Vec<u8>, Vec<(u32, u32, u32)>>,
}

impl Oracle {
    /// The oracle of these patterns.
    ///
    /// # Panics
    ///
    /// If one of them is invalid.
    pub fn new(specs: &[Spec]) -> Oracle {
        let machines = specs
            .iter()
            .map(|spec| {
                let config =
                    thompson::Config::new().utf8(false).which_captures(WhichCaptures::Implicit);
                let nfa = thompson::NFA::compiler()
                    .configure(config)
                    .build_from_hir(&spec.hir())
                    .unwrap_or_else(|error| panic!("{spec:?}: {error}"));
                let machine = PikeVM::new_from_nfa(nfa).expect("every NFA runs");
                let cache = machine.create_cache();
                (machine, cache)
            })
            .collect();
        Oracle { machines, known: HashMap::new() }
    }

    /// The answer of `Report::Spans`.
    pub fn spans<'a>(&mut self, records: impl IntoIterator<Item = &'a [u8]>) -> Vec<Match> {
        let mut spans = Vec::new();
        for (number, record) in (0..).zip(records) {
            if !self.known.contains_key(record) {
                let found = self.search(record);
                self.known.insert(record.to_vec(), found);
            }
            let found = self.known[record].iter();
            spans.extend(found.map(|&(p, start, end)| Match::new(number, p, start..end)));
        }
        spans
    }

    /// The answer of `Report::Patterns`, derived from that of `Report::Spans`.
    pub fn patterns(spans: &[Match]) -> Vec<Match> {
        let pair = |m: &Match| (m.record() as u32, m.pattern() as u32);
        let mut pairs: Vec<_> = spans.iter().map(pair).collect();
        pairs.dedup();
        pairs.into_iter().map(|(record, pattern)| Match::new(record, pattern, 0..0)).collect()
    }

    fn search(&mut self, record: &[u8]) -> Vec<(u32, u32, u32)> {
        let mut found = Vec::new();
        for (pattern, (machine, cache)) in (0..).zip(&mut self.machines) {
            let spans = machine.find_iter(cache, record);
            found.extend(spans.map(|m| (pattern, m.start() as u32, m.end() as u32)));
        }
        found
    }
}
